"""One line of an audit, a change and how it came about; and a line on who wrote a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from projections.wording import phrases
from projections.wording.changes import Served, did
from projections.wording.people import LONGEST, begun_by, device, sentence, who
from projections.wording.places import Places
from projections.wording.values import cut
from projections.wording.versions import Version


@dataclass(frozen=True, slots=True)
class By:
    """Somebody, by name, and the version of whatever draft."""

    by: str
    version: int
    elsewhere: bool = False


def line(version: Version, change: Served, places: Places) -> str:
    """Who changed what, and by which act if not by a plain edit."""
    said = did(change, places)
    if (how := _HOW.get(version.act)) is not None:
        said = phrases.BY_ACT.format(did=said, how=how(version))
    return sentence(version.by, said)


def blame(field: str, last: By, first: By, until: By | None) -> str:
    """Who set the field, until when if it is over, and who wrote the value if that was another."""
    said = phrases.BLAMED.format(by=who(last.by), field=field, version=last.version)
    if until is not None:
        said = phrases.ENDED.format(said=said, by=who(until.by), version=until.version)
    if first != last:
        template = phrases.FIRST_ELSEWHERE if first.elsewhere else phrases.FIRST
        said = template.format(said=said, by=who(first.by), version=first.version)
    return cut(begun_by(last.by, said), LONGEST)


def _merged(version: Version) -> str:
    if version.about.get("fork") is not None:
        return phrases.BY_MERGE_OF_FORK
    if version.device is None:
        return phrases.BY_MERGE
    return phrases.BY_MERGE_FROM.format(device=device(version.device))


def _restored(version: Version) -> str:
    return phrases.RESTORED.format(version=version.about["version"])


def _undone(version: Version) -> str:
    first, last = version.about["version"], version.about["through"]
    template = phrases.UNDID if first == last else phrases.UNDID_RUN
    return template.format(version=first, through=last)


_HOW: Final[dict[str, Callable[[Version], str]]] = {
    "merged": _merged,
    "restored": _restored,
    "undone": _undone,
    "resolved": lambda _: phrases.BY_DECISION,
}

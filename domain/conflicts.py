"""Open conflicts: clashes kept as data, with every value and whose it is, until somebody decides.

Decision: a conflict is facts, written whole into the event that opens or alters it, and `ours` is
always what the draft holds. So the draft can be shown, resolved and replayed without asking the
merge again. When the draft's value moves on, the other values move along (a text gets the words
that others changed outside the span in dispute). Considered: deriving conflicts from old events
when they are read; then a better merge would change the past.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count
from typing import Final, cast

import orjson

from domain.clash import Clash
from domain.conflict import (
    Author,
    Conflict,
    Met,
    Reason,
    Side,
    Turn,
    Values,
    Write,
    put,
    still_different,
    values_at,
    with_entries,
    with_theirs,
    with_values,
)
from domain.disputes import (
    are_one,
    at_lasting_places,
    dispute_of,
    folded,
    is_about,
    level,
    lifted,
    moved_along,
    outermost,
)
from domain.errors import CannotApply
from domain.identity import Keys
from domain.merge import Merged, merge
from domain.value import Data, Json, same

REMEMBERED: Final = 64  # settled pairs of values


@dataclass(frozen=True, slots=True)
class Standing:
    """The conflicts of a draft before a write: those open, how many ever were, and what is settled.

    `settled` holds pairs of values between which somebody has decided, with the version of that.
    """

    open: Sequence[Conflict] = ()
    ever: int = 0
    settled: Sequence[tuple[int, str]] = ()

    def follow(self, write: Write, met: Sequence[Met] = ()) -> Turn:
        """What a write does to each open conflict, and what it opens by the clashes that it met."""
        standing: list[Conflict] = []
        closed: dict[str, Reason] = {}
        new = at_lasting_places(met, write)
        for conflict in self.open:
            again = [one for one in new if is_about(conflict, one.clash)]
            new = [one for one in new if one not in again]
            now = _carried_on(*level(conflict, again, write), write)
            if now["theirs"]:
                _take_in(now, standing, closed, write)
            else:
                closed[conflict["id"]] = _why(conflict, write)
        numbers = count(self.ever + 1)
        opened = [
            _opened(one, write.author, next(numbers)) for one in new if self._is_news(one, write)
        ]
        untouched = {id(conflict) for conflict in self.open}
        return Turn([c for c in [*standing, *opened] if id(c) not in untouched], closed)

    def _is_news(self, met: Met, write: Write) -> bool:
        """Whether nobody has decided between these two since the author last looked."""
        values = pair(met.clash.ours, met.clash.theirs)
        return all(values != known or version <= write.seen for version, known in self.settled)


def pair(ours: Mapping[str, Json], theirs: Mapping[str, Json]) -> str:
    """A short mark of two sides' values, whichever is whose."""
    sides = sorted(orjson.dumps(dict(v), option=orjson.OPT_SORT_KEYS) for v in (ours, theirs))
    return blake2b(b"\n".join(sides), digest_size=9).hexdigest()


def settled_by(conflict: Conflict, version: int) -> list[tuple[int, str]]:
    """The pairs that are settled once somebody decided on a conflict."""
    return [(version, pair(conflict["ours"]["values"], s["values"])) for s in conflict["theirs"]]


def listed(met: Sequence[Met], author: Author) -> list[Conflict]:
    """Clashes that are refused, as conflicts that were never opened: without ids."""
    opened = [_opened(one, author, 0) for one in met]
    return [
        cast("Conflict", {name: value for name, value in conflict.items() if name != "id"})
        for conflict in opened
    ]


def _why(conflict: Conflict, write: Write) -> Reason:
    """Overwritten if its author had seen any of it and wrote there; else the sides agree now."""
    seen = any(side["version"] <= write.seen for side in conflict["theirs"])
    return write.reason if seen and any(map(write.touches, conflict["paths"])) else "agreed"


def _take_in(
    conflict: Conflict, standing: list[Conflict], closed: dict[str, Reason], write: Write
) -> None:
    """Add a conflict to those that stand; if one of them came to be about the same, to that."""
    for place, other in enumerate(standing):
        if are_one(dispute_of(other), dispute_of(conflict)):
            places = outermost([*other["paths"], *conflict["paths"]])
            here, there = (lifted(c, places, write.after, write) for c in (other, conflict))
            standing[place] = folded(here, there, write)
            closed[conflict["id"]] = "joined"
            return
    standing.append(conflict)


def _opened(met: Met, author: Author, number: int) -> Conflict:
    clash = met.clash
    return Conflict(
        id=f"c{number}",
        paths=list(clash.paths),
        group=None if clash.group is None else list(clash.group),
        base=dict(clash.base),
        ours=met.ours.side(dict(clash.ours)),
        theirs=[author.side(dict(clash.theirs))],
    )


def _carried_on(conflict: Conflict, again: Sequence[Met], write: Write) -> Conflict:
    """A conflict after a write: decided where its author saw it, else moved along."""
    if not again and not any(map(write.touches, conflict["paths"])):
        return still_different(moved_along(conflict, write))
    left = [s for s in conflict["theirs"] if again or not _is_decided(s, conflict, write)]
    own = [s for s in left if write.author.wrote(s)]
    now = moved_along(with_theirs(conflict, [s for s in left if s not in own]), write)
    for one in again:
        now = _widened(now, one.clash)
    entries = [
        with_values(s, values_at(_over(s, conflict, write).data, now["paths"], write.keys))
        for s in own
    ]
    if again:
        values = entries[0]["values"] if entries else _sent_values(now, again)
        entries = [write.author.side(values)]
    # Whoever comes back to where all began wants nothing any more.
    entries = [s for s in entries if not same(s["values"], now["base"])]
    return still_different(with_entries(now, entries))


def _is_decided(side: Side, conflict: Conflict, write: Write) -> bool:
    """Whether the author has seen what this side wants, and wrote something else there.

    Words elsewhere in a long text, or an item of a list whose order is in dispute, do not decide.
    """
    if side["version"] > write.seen:
        return False
    return write.reason != "overwritten" or bool(_over(side, conflict, write).clashes)


def _over(side: Side, conflict: Conflict, write: Write) -> Merged:
    """What the author sent over what one side wants; what was sent counts where they clash."""
    try:
        wanted = put(write.base, conflict["paths"], side["values"], write.keys)
    except CannotApply:  # the author held nothing where that could be
        wanted = write.base
    return merge(write.base, write.sent, wanted, write.form)


def _sent_values(conflict: Conflict, again: Sequence[Met]) -> Values:
    """What the author of these clashes holds at the paths of the conflict."""
    values = conflict["base"]
    for clash in (one.clash for one in again):
        kept = {path: value for path, value in values.items() if path not in clash.paths}
        values = {**kept, **clash.theirs}
    return values


def _widened(conflict: Conflict, clash: Clash) -> Conflict:
    """The conflict with the clash's paths too; the older sides held there what the base does."""
    if set(clash.paths).issubset(conflict["paths"]):
        return conflict
    wider = {path: value for path, value in clash.base.items() if path not in conflict["paths"]}
    return Conflict(
        id=conflict["id"],
        paths=list(dict.fromkeys([*conflict["paths"], *clash.paths])),
        group=conflict["group"],
        base={**wider, **conflict["base"]},
        ours=with_values(conflict["ours"], {**clash.ours, **conflict["ours"]["values"]}),
        theirs=[with_values(s, {**wider, **s["values"]}) for s in conflict["theirs"]],
    )


def undone(
    held: Sequence[Conflict],
    before: Sequence[Conflict],
    after: Sequence[Conflict],
    data: Data,
    keys: Keys | None = None,
) -> Turn:
    """What undoing the versions that led from `before` to `after` does to the conflicts `held` now.

    Those that they opened are closed, but for what came in later; those that they closed are open
    again where the data is what it was.
    """
    old, new = ({c["id"]: c for c in side} for side in (before, after))
    closed: dict[str, Reason] = {}
    altered = []
    for conflict in held:
        if conflict["id"] in new and conflict["id"] not in old:
            known = [side["version"] for side in new[conflict["id"]]["theirs"]]
            later = [s for s in conflict["theirs"] if s["version"] not in known]
            if later:
                altered.append(with_theirs(conflict, later))
            else:
                closed[conflict["id"]] = "undone"
    left = [dispute_of(conflict) for conflict in held if conflict["id"] not in closed]
    altered += [
        conflict
        for id_, conflict in old.items()
        if id_ not in new
        and not any(are_one(dispute_of(conflict), other) for other in left)
        and same(values_at(data, conflict["paths"], keys), conflict["ours"]["values"])
    ]
    return Turn(altered, closed)

"""Whose a value is: who wrote a path last, and who writes the next version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.clash import Clash
from domain.conflict import Author, Met
from domain.draft import Draft
from domain.event import DataEvent, DraftEvent
from domain.moment import rfc3339
from domain.origin import Origin


def next_author(draft: Draft, origin: Origin, fork: str | None = None) -> Author:
    """Whoever writes the draft's next version."""
    at = max(origin.at, draft.modified_on)
    return Author(origin.by, rfc3339(at), origin.device, draft.version + 1, fork)


def by_authors(
    changes: Iterable[Mapping[str, Any]], events: Sequence[DraftEvent]
) -> list[dict[str, Any]]:
    """Served changes, each with who made it, by key, as which version."""
    writers = Writers(events)
    return [_by(change, writers.last([change["path"]])) for change in changes]


class Writers:
    """Who wrote where, in some events; each is gone over once, however many paths are asked for."""

    def __init__(self, events: Sequence[DraftEvent]) -> None:
        self._first = events[0]
        self._written = [_Written(e) for e in reversed(events) if isinstance(e, DataEvent)]

    def last(self, paths: Iterable[str]) -> Author:
        """Who wrote last at, above or below one of these paths."""
        wanted = [_along(path) for path in paths]
        wrote = (one.event for one in self._written if any(map(one.meets, wanted)))
        last = next(wrote, self._first)
        return Author(last.by, rfc3339(last.timestamp), last.device, last.originator_version)


def met(clashes: Sequence[Clash], since: Sequence[DraftEvent]) -> list[Met]:
    """Clashes, each with whoever wrote last what the draft holds there."""
    if not clashes:
        return []
    writers = Writers(since)
    return [Met(clash, writers.last(clash.paths)) for clash in clashes]


class _Written:
    """The paths that an event wrote, and all that lead to them."""

    def __init__(self, event: DataEvent) -> None:
        self.event = event
        self._paths = {change["path"] for change in event.changes}
        self._above = {place for path in self._paths for place in _along(path)}

    def meets(self, along: Sequence[str]) -> bool:
        """Whether it wrote at, above or below the last of the places along a path."""
        return along[-1] in self._above or not self._paths.isdisjoint(along)


def _along(path: str) -> list[str]:
    """The places that a path goes through, itself the last.

    >>> _along("/acts/id:a5/fee")
    ['', '/acts', '/acts/id:a5', '/acts/id:a5/fee']
    """
    ends = [place for place, letter in enumerate(path) if letter == "/"]
    return [*(path[:end] for end in ends), path]


def by_author(changes: Iterable[Mapping[str, Any]], author: Author) -> list[dict[str, Any]]:
    """Served changes that all are one author's."""
    return [_by(change, author) for change in changes]


def _by(change: Mapping[str, Any], author: Author) -> dict[str, Any]:
    return {**change, "by": author.by, "version": author.version}

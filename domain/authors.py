"""Whose a value is: who wrote a path last, and who writes the next version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.conflicts import Author
from domain.draft import DataEvent, Draft, DraftEvent, Origin
from domain.path import related


def next_author(draft: Draft, origin: Origin, fork: str | None = None) -> Author:
    """Whoever writes the draft's next version."""
    at = max(origin.at, draft.modified_on)
    return Author(origin.by, _moment(at), origin.device, draft.version + 1, fork)


def last_author(events: Sequence[DraftEvent], paths: Sequence[str]) -> Author:
    """Who wrote last at, above or below one of these paths; of the first event, if nobody did."""
    wrote = (
        event
        for event in reversed(events)
        if isinstance(event, DataEvent)
        and any(related(change["path"], path) for change in event.changes for path in paths)
    )
    last = next(wrote, events[0])
    return Author(last.by, _moment(last.timestamp), last.device, last.originator_version)


def by_authors(
    changes: Iterable[Mapping[str, Any]], events: Sequence[DraftEvent]
) -> list[dict[str, Any]]:
    """Served changes, each with who made it, by key, as which version."""
    return [_by(change, last_author(events, [change["path"]])) for change in changes]


def by_author(changes: Iterable[Mapping[str, Any]], author: Author) -> list[dict[str, Any]]:
    """Served changes that all are one author's."""
    return [_by(change, author) for change in changes]


def _by(change: Mapping[str, Any], author: Author) -> dict[str, Any]:
    return {**change, "by": author.by, "version": author.version}


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")

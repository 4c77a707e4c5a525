"""What a store tells those who follow the log: all events in one order, for no principal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from projections.store.records import Record


class Line(NamedTuple):
    """One event of the log as the catch-up takes it: with its place in the order of all events."""

    position: int
    record: Record


class Moves(NamedTuple):
    """Which drafts some events of the log moved, each to which version; `upto` is the last's place."""

    upto: int
    events: int
    drafts: Mapping[UUID, int]


class Log(Protocol):
    """The log of one database, in the order in which its events were committed."""

    async def head(self) -> int:
        """The position of the last event in the log."""

    async def position(self, name: str) -> int:
        """How far somebody who follows it has come, a read model or the webhook."""

    async def lines(self, after: int, limit: int) -> Sequence[Line]:
        """The next events of the log, in the order in which they were committed."""

    async def moves(self, after: int, limit: int) -> Moves:
        """What the next events of the log did, without reading them."""

    async def moved(self, after: int, drafts: Collection[UUID]) -> tuple[int, Collection[UUID]]:
        """The head of the log now, and which of these drafts have events after a position."""

    async def count_drafts(self) -> int:
        """How many drafts the log knows."""

    async def draft_ids(self, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts of the log in the order of their ids."""


def to_moves(rows: Sequence[Sequence[Any]]) -> Moves:
    """Rows of draft, newest version, last place and number of events, as moves."""
    drafts = {draft: version for draft, version, _, _ in rows}
    return Moves(max((row[2] for row in rows), default=0), sum(row[3] for row in rows), drafts)

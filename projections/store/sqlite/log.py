"""The log on SQLite, in the order in which its events were committed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import cast
from uuid import UUID

from projections.store.log import Line, Moves, to_moves
from projections.store.records import Record
from projections.store.sqlite.rows import Rows, one

HEAD = "SELECT coalesce(max(rowid), 0) FROM stored_events"
POSITION = "SELECT position FROM positions WHERE name = ?"
LINES = (
    "SELECT rowid, originator_id, originator_version, topic, state, by, hash FROM stored_events "
    "WHERE rowid > ? ORDER BY rowid LIMIT ?"
)
MOVES = (
    "SELECT originator_id, max(originator_version), max(position), count(*) FROM ("
    "SELECT originator_id, originator_version, rowid AS position FROM stored_events "
    "WHERE rowid > ? ORDER BY rowid LIMIT ?) GROUP BY originator_id"
)
MOVED = "SELECT DISTINCT originator_id FROM stored_events WHERE rowid > ?"
COUNT_DRAFTS = "SELECT count(*) FROM stored_events WHERE originator_version = 1"
DRAFT_IDS = (
    "SELECT originator_id FROM stored_events WHERE originator_version = 1 AND originator_id > ? "
    "ORDER BY originator_id LIMIT ?"
)


class SqliteLog:
    """The log of one SQLite file."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def head(self) -> int:
        """The position of the last event in the log."""
        return cast("int", one(self._rows(HEAD, ())))

    async def position(self, name: str) -> int:
        """How far somebody who follows it has come, a read model or the webhook."""
        return cast("int", one(self._rows(POSITION, (name,))))

    async def lines(self, after: int, limit: int) -> Sequence[Line]:
        """The next events of the log, in the order in which they were committed."""
        rows = self._rows(LINES, (after, limit))
        return [Line(row[0], Record(UUID(row[1]), *row[2:])) for row in rows]

    async def moves(self, after: int, limit: int) -> Moves:
        """What the next events of the log did, without reading them."""
        rows = self._rows(MOVES, (after, limit))
        return to_moves([(UUID(draft), *rest) for draft, *rest in rows])

    async def moved(self, after: int, drafts: Collection[UUID]) -> tuple[int, Collection[UUID]]:
        """The head of the log now, and which of these drafts have events after a position."""
        head, moved = await self.head(), set()
        for row in self._rows(MOVED, (after,)) if head > after else ():
            moved.add(UUID(row[0]))
        return head, moved.intersection(drafts)

    async def count_drafts(self) -> int:
        """How many drafts the log knows."""
        return cast("int", one(self._rows(COUNT_DRAFTS, ())))

    async def draft_ids(self, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts of the log in the order of their ids."""
        return [UUID(row[0]) for row in self._rows(DRAFT_IDS, (after.hex, limit))]

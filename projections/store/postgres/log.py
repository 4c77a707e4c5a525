"""The log on PostgreSQL, in the order in which its events were committed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import cast
from uuid import UUID

from projections.store.log import Line, Moves, to_moves
from projections.store.postgres.rows import Working, one, rows_of
from projections.store.records import Record

HEAD = "SELECT coalesce(max(notification_id), 0) FROM stored_events"
POSITION = "SELECT position FROM positions WHERE name = %b"
LINES = (
    "SELECT notification_id, originator_id, originator_version, topic, state, by, hash FROM stored_events "
    "WHERE notification_id > %b ORDER BY notification_id LIMIT %b"
)
MOVES = (
    "SELECT originator_id, max(originator_version), max(notification_id), count(*) FROM ("
    "SELECT originator_id, originator_version, notification_id FROM stored_events "
    "WHERE notification_id > %b ORDER BY notification_id LIMIT %b) next GROUP BY originator_id"
)
# The head with what moved, in one statement: what is committed between two would be passed over.
MOVED = (
    "SELECT max(notification_id), array_agg(DISTINCT originator_id) FILTER "
    "(WHERE originator_id = ANY(%b::uuid[])) FROM stored_events WHERE notification_id > %b"
)
COUNT_DRAFTS = "SELECT count(*) FROM stored_events WHERE originator_version = 1"
DRAFT_IDS = (
    "SELECT originator_id FROM stored_events WHERE originator_version = 1 AND originator_id > %b "
    "ORDER BY originator_id LIMIT %b"
)


class PostgresLog:
    """The log of one PostgreSQL database."""

    def __init__(self, working: Working) -> None:
        self._working = working

    async def head(self) -> int:
        """The position of the last event in the log."""
        async with self._working() as connection:
            return cast("int", one(await rows_of(connection, HEAD, ()), int))

    async def position(self, name: str) -> int:
        """How far somebody who follows it has come, a read model or the webhook."""
        async with self._working() as connection:
            return cast("int", one(await rows_of(connection, POSITION, (name,)), int))

    async def lines(self, after: int, limit: int) -> Sequence[Line]:
        """The next events of the log, in the order in which they were committed."""
        async with self._working() as connection:
            rows = await rows_of(connection, LINES, (after, limit))
        return [Line(row[0], Record(*row[1:])) for row in rows]

    async def moves(self, after: int, limit: int) -> Moves:
        """What the next events of the log did, without reading them."""
        async with self._working() as connection:
            return to_moves(await rows_of(connection, MOVES, (after, limit)))

    async def moved(self, after: int, drafts: Collection[UUID]) -> tuple[int, Collection[UUID]]:
        """The head of the log now, and which of these drafts have events after a position."""
        async with self._working() as connection:
            ((head, moved),) = await rows_of(connection, MOVED, (list(drafts), after))
        return (after if head is None else head), moved or ()

    async def count_drafts(self) -> int:
        """How many drafts the log knows."""
        async with self._working() as connection:
            return cast("int", one(await rows_of(connection, COUNT_DRAFTS, ()), int))

    async def draft_ids(self, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts of the log in the order of their ids."""
        async with self._working() as connection:
            return [row[0] for row in await rows_of(connection, DRAFT_IDS, (after, limit))]

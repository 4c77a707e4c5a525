"""The webhook's messages on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from projections.store.outbox import (
    LOG,
    PURGED,
    About,
    Buried,
    Message,
    News,
    Session,
    SessionKey,
    Waiting,
)
from projections.store.postgres.read_models import NOT_WHILE_PURGING
from projections.store.postgres.rows import Working, rows_of

BEGIN = (
    "INSERT INTO positions SELECT %b, coalesce(max(notification_id), 0) FROM stored_events "
    "ON CONFLICT DO NOTHING"
)
BEGIN_PURGED = "INSERT INTO positions SELECT %b, coalesce(max(number), 0) FROM tombstones ON CONFLICT DO NOTHING"
SESSIONS = (
    "SELECT draft, by, device, first_version, version, at FROM sessions WHERE draft = ANY(%b)"
)
QUIET = "SELECT draft, by, device, first_version, version, at FROM sessions WHERE at < %b LIMIT %b"
BURIED = (
    "SELECT number, draft, versions, at FROM tombstones WHERE number > %b ORDER BY number LIMIT %b"
)
ADVANCE = "UPDATE positions SET position = %b WHERE name = %b AND position = %b RETURNING position"
KEEP_SESSION = """
    INSERT INTO sessions SELECT %s, %s, %s, %s, %s, %s
    WHERE NOT EXISTS (SELECT FROM tombstones WHERE draft = %s)
    ON CONFLICT (draft, by, device) DO UPDATE SET
        first_version = excluded.first_version, version = excluded.version, at = excluded.at
"""
END_SESSION = "DELETE FROM sessions WHERE draft = %s AND by = %s AND device = %s"
ADD = """
    INSERT INTO webhooks (id, draft, event, first_version, version, at, due_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
TO_WARN = """
    SELECT d.draft FROM drafts d LEFT JOIN warnings w ON w.draft = d.draft
    WHERE d.status = 'open' AND d.expires_at > %b AND d.expires_at <= %b AND w.expires_at IS DISTINCT FROM d.expires_at
      AND d.draft > %b ORDER BY d.draft LIMIT %b
"""
WARN = """
    WITH told AS (
        INSERT INTO warnings SELECT draft, expires_at FROM drafts WHERE draft = %b AND status = 'open'
        ON CONFLICT (draft) DO UPDATE SET expires_at = excluded.expires_at
        WHERE warnings.expires_at <> excluded.expires_at RETURNING draft
    )
    INSERT INTO webhooks (id, draft, event, first_version, version, at, due_at)
    SELECT %b, draft, 'expiring', version, version, expires_at, %b FROM told JOIN drafts USING (draft)
    ON CONFLICT DO NOTHING RETURNING id
"""
COLUMNS = (
    "w.id, w.draft, w.event, w.first_version, w.version, w.at, w.attempts, w.due_at, w.problem"
)
DUE = f"""
    SELECT {COLUMNS}, coalesce(t.owner, d.owner), d.form, d.subject FROM webhooks w
    LEFT JOIN tombstones t ON t.draft = w.draft LEFT JOIN drafts d ON d.draft = w.draft
    WHERE w.due_at <= %b AND (t.draft IS NOT NULL OR d.draft IS NOT NULL) ORDER BY w.due_at, w.number LIMIT %b
"""
DELIVERED = "DELETE FROM webhooks WHERE id = %b"
FAILED = "UPDATE webhooks SET attempts = attempts + 1, problem = %b, due_at = %b WHERE id = %b"
LISTED = f"SELECT {COLUMNS} FROM webhooks w ORDER BY w.number"
REPLAY = """
    UPDATE webhooks SET attempts = 0, due_at = %b
    WHERE id = %b::uuid OR (%b::uuid IS NULL AND due_at IS NULL) RETURNING id
"""


class PostgresOutbox:
    """The outbox of one PostgreSQL database."""

    def __init__(self, working: Working) -> None:
        self._working = working

    async def begin(self) -> None:
        """Tell of what happens from now on, if nothing was told so far."""
        async with self._working() as connection:
            await connection.execute(BEGIN, (LOG,))
            await connection.execute(BEGIN_PURGED, (PURGED,))

    async def sessions(self, drafts: Collection[UUID]) -> Sequence[Session]:
        """The sessions in these drafts that go on."""
        return [_session(row) for row in await self._rows(SESSIONS, (list(drafts),))]

    async def quiet(self, before: datetime, limit: int) -> Sequence[Session]:
        """Some sessions whose last save lies before a moment."""
        return [_session(row) for row in await self._rows(QUIET, (before, limit))]

    async def buried(self, after: int, limit: int) -> Sequence[Buried]:
        """The next tombstones."""
        return [Buried(*row) for row in await self._rows(BURIED, (after, limit))]

    async def put(self, name: str, expected: int, position: int, news: News, at: datetime) -> bool:
        """Write news and the new position in one transaction; False if another was faster."""
        async with self._working() as connection, connection.transaction():
            await connection.execute(NOT_WHILE_PURGING)
            if not await rows_of(connection, ADVANCE, (position, name, expected)):
                return False
            cursor = connection.cursor()
            await cursor.executemany(END_SESSION, news.over)
            await cursor.executemany(
                KEEP_SESSION,
                [(*s.key, s.first_version, s.version, s.at, s.key.draft) for s in news.sessions],
            )
            await cursor.executemany(ADD, [(*_columns(m), at) for m in news.messages])
        return True

    async def to_warn(
        self, at: datetime, until: datetime, after: UUID, limit: int
    ) -> Sequence[UUID]:
        """Open drafts that expire in between and of whose expiry nothing was told."""
        return [row[0] for row in await self._rows(TO_WARN, (at, until, after, limit))]

    async def warn(self, id_: UUID, draft: UUID, at: datetime) -> bool:
        """Put a warning among the messages, once for each expiry."""
        async with self._working() as connection, connection.transaction():
            await connection.execute(NOT_WHILE_PURGING)
            return bool(await rows_of(connection, WARN, (draft, id_, at)))

    async def due(self, at: datetime, limit: int) -> Sequence[tuple[Waiting, About]]:
        """Messages to be delivered now, the oldest first."""
        rows = await self._rows(DUE, (at, limit))
        return [(_waiting(row[:9]), About(*row[9:])) for row in rows]

    async def delivered(self, id_: UUID) -> None:
        """The receiver has it: forget it."""
        async with self._working() as connection:
            await connection.execute(DELIVERED, (id_,))

    async def failed(self, id_: UUID, problem: str, due_at: datetime | None) -> None:
        """It was tried in vain; when to try again, or None to give it up."""
        async with self._working() as connection:
            await connection.execute(FAILED, (problem, due_at, id_))

    async def listed(self) -> Sequence[Waiting]:
        """All messages that are not delivered, the oldest first."""
        return [_waiting(row) for row in await self._rows(LISTED, ())]

    async def replay(self, id_: UUID | None, at: datetime) -> int:
        """Deliver a message, or all that were given up, as if it were the first time; how many."""
        return len(await self._rows(REPLAY, (at, id_, id_)))

    async def _rows(self, statement: LiteralString, arguments: tuple[Any, ...]) -> list[Any]:
        async with self._working() as connection:
            return await rows_of(connection, statement, arguments)


def _session(row: Sequence[Any]) -> Session:
    return Session(SessionKey(*row[:3]), *row[3:])


def _waiting(row: Sequence[Any]) -> Waiting:
    return Waiting(Message(*row[:6]), *row[6:])


def _columns(message: Message) -> tuple[Any, ...]:
    return (
        message.id,
        message.draft,
        message.event,
        message.first_version,
        message.version,
        message.at,
    )

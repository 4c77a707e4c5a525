"""The webhook's messages on SQLite."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
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
from projections.store.sqlite.rows import Rows, Transaction, column, moment_in, text

BEGIN = (
    "INSERT INTO positions SELECT ?, coalesce(max(rowid), 0) FROM stored_events WHERE true "
    "ON CONFLICT DO NOTHING"
)
BEGIN_PURGED = (
    "INSERT INTO positions SELECT ?, coalesce(max(number), 0) FROM tombstones WHERE true "
    "ON CONFLICT DO NOTHING"
)
SESSIONS = "SELECT draft, by, device, first_version, version, at FROM sessions WHERE draft IN ({})"
QUIET = "SELECT draft, by, device, first_version, version, at FROM sessions WHERE at < ? LIMIT ?"
BURIED = (
    "SELECT number, draft, versions, at FROM tombstones WHERE number > ? ORDER BY number LIMIT ?"
)
ADVANCE = "UPDATE positions SET position = ? WHERE name = ? AND position = ?"
KEEP_SESSION = """
    INSERT INTO sessions SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE draft = ?)
    ON CONFLICT DO UPDATE SET
        first_version = excluded.first_version, version = excluded.version, at = excluded.at
"""
END_SESSION = "DELETE FROM sessions WHERE draft = ? AND by = ? AND device = ?"
ADD = """
    INSERT INTO webhooks (id, draft, event, first_version, version, at, due_at)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
TO_WARN = """
    SELECT d.draft FROM drafts d LEFT JOIN warnings w ON w.draft = d.draft
    WHERE d.status = 'open' AND d.expires_at > ? AND d.expires_at <= ? AND w.expires_at IS NOT d.expires_at
      AND d.draft > ? ORDER BY d.draft LIMIT ?
"""
WARNED = """
    INSERT INTO warnings SELECT draft, expires_at FROM drafts WHERE draft = ? AND status = 'open'
    ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at
    WHERE warnings.expires_at <> excluded.expires_at
"""
WARN = """
    INSERT INTO webhooks (id, draft, event, first_version, version, at, due_at)
    SELECT ?, draft, 'expiring', version, version, expires_at, ? FROM drafts WHERE draft = ?
    ON CONFLICT DO NOTHING
"""
COLUMNS = (
    "w.id, w.draft, w.event, w.first_version, w.version, w.at, w.attempts, w.due_at, w.problem"
)
DUE = f"""
    SELECT {COLUMNS}, coalesce(t.owner, d.owner), d.form, d.subject FROM webhooks w
    LEFT JOIN tombstones t ON t.draft = w.draft LEFT JOIN drafts d ON d.draft = w.draft
    WHERE w.due_at <= ? AND (t.draft IS NOT NULL OR d.draft IS NOT NULL) ORDER BY w.due_at, w.number LIMIT ?
"""
DELIVERED = "DELETE FROM webhooks WHERE id = ?"
FAILED = "UPDATE webhooks SET attempts = attempts + 1, problem = ?, due_at = ? WHERE id = ?"
LISTED = f"SELECT {COLUMNS} FROM webhooks w ORDER BY w.number"
REPLAY = """
    UPDATE webhooks SET attempts = 0, due_at = ?
    WHERE id = ? OR (? IS NULL AND due_at IS NULL) RETURNING id
"""


class SqliteOutbox:
    """The outbox of one SQLite file."""

    def __init__(self, rows: Rows, transaction: Transaction) -> None:
        self._rows, self._transaction = rows, transaction

    async def begin(self) -> None:
        """Tell of what happens from now on, if nothing was told so far."""
        self._rows(BEGIN, (LOG,))
        self._rows(BEGIN_PURGED, (PURGED,))

    async def sessions(self, drafts: Collection[UUID]) -> Sequence[Session]:
        """The sessions in these drafts that go on."""
        wanted = tuple(draft.hex for draft in drafts)
        marks = ", ".join("?" * len(wanted))
        return [_session(row) for row in self._rows(SESSIONS.format(marks), wanted)]

    async def quiet(self, before: datetime, limit: int) -> Sequence[Session]:
        """Some sessions whose last save lies before a moment."""
        return [_session(row) for row in self._rows(QUIET, (text(before), limit))]

    async def buried(self, after: int, limit: int) -> Sequence[Buried]:
        """The next tombstones."""
        rows = self._rows(BURIED, (after, limit))
        return [Buried(number, UUID(d), v, datetime.fromisoformat(at)) for number, d, v, at in rows]

    async def put(self, name: str, expected: int, position: int, news: News, at: datetime) -> bool:
        """Write news and the new position in one transaction; False if another was faster."""
        with self._transaction() as connection:
            if connection.execute(ADVANCE, (position, name, expected)).rowcount == 0:
                return False
            connection.executemany(END_SESSION, [_key(key) for key in news.over])
            connection.executemany(KEEP_SESSION, [_kept(session) for session in news.sessions])
            connection.executemany(ADD, [(*_columns(m), text(at)) for m in news.messages])
        return True

    async def to_warn(
        self, at: datetime, until: datetime, after: UUID, limit: int
    ) -> Sequence[UUID]:
        """Open drafts that expire in between and of whose expiry nothing was told."""
        return [
            UUID(row[0]) for row in self._rows(TO_WARN, (text(at), text(until), after.hex, limit))
        ]

    async def warn(self, id_: UUID, draft: UUID, at: datetime) -> bool:
        """Put a warning among the messages, once for each expiry."""
        with self._transaction() as connection:
            if connection.execute(WARNED, (draft.hex,)).rowcount == 0:
                return False
            connection.execute(WARN, (id_.hex, text(at), draft.hex))
        return True

    async def due(self, at: datetime, limit: int) -> Sequence[tuple[Waiting, About]]:
        """Messages to be delivered now, the oldest first."""
        rows = self._rows(DUE, (text(at), limit))
        return [(_waiting(row[:9]), About(*row[9:])) for row in rows]

    async def delivered(self, id_: UUID) -> None:
        """The receiver has it: forget it."""
        self._rows(DELIVERED, (id_.hex,))

    async def failed(self, id_: UUID, problem: str, due_at: datetime | None) -> None:
        """It was tried in vain; when to try again, or None to give it up."""
        self._rows(FAILED, (problem, column(due_at), id_.hex))

    async def listed(self) -> Sequence[Waiting]:
        """All messages that are not delivered, the oldest first."""
        return [_waiting(row) for row in self._rows(LISTED, ())]

    async def replay(self, id_: UUID | None, at: datetime) -> int:
        """Deliver a message, or all that were given up, as if it were the first time; how many."""
        wanted = None if id_ is None else id_.hex
        return len(self._rows(REPLAY, (text(at), wanted, wanted)))


def _session(row: Sequence[Any]) -> Session:
    draft, by, device, first, version, at = row
    return Session(SessionKey(UUID(draft), by, device), first, version, datetime.fromisoformat(at))


def _key(key: SessionKey) -> tuple[str, str, str]:
    return (key.draft.hex, key.by, key.device)


def _kept(session: Session) -> tuple[Any, ...]:
    versions = (session.first_version, session.version)
    return (*_key(session.key), *versions, text(session.at), session.key.draft.hex)


def _waiting(row: Sequence[Any]) -> Waiting:
    id_, draft, event, first, version, at, attempts, due_at, problem = row
    moment = datetime.fromisoformat(at)
    return Waiting(
        Message(UUID(id_), UUID(draft), event, first, version, moment),
        attempts,
        moment_in(due_at),
        problem,
    )


def _columns(message: Message) -> tuple[Any, ...]:
    facts = (message.event, message.first_version, message.version, text(message.at))
    return (message.id.hex, message.draft.hex, *facts)

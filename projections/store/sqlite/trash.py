"""The end of drafts on SQLite: what is deleted is gone from the file, too."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import (
    asynccontextmanager,
    closing,
    contextmanager,
    suppress,
)
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.errors import StoreUnavailable
from projections.store.sqlite.rows import Rows, Transaction, text
from projections.store.trash import Alone, Gone, Tombstone

DUE = (
    "SELECT draft FROM drafts WHERE status = 'open' AND expires_at <= ? "
    "AND draft > ? ORDER BY draft LIMIT ?"
)
OVER = (
    "SELECT draft FROM drafts WHERE status IN ('discarded', 'expired') AND closed_at <= ? "
    "AND draft > ? ORDER BY draft LIMIT ?"
)
ABOUT = (
    "SELECT draft FROM drafts WHERE status = 'open' AND form = ? AND subject = ? "
    "AND draft > ? ORDER BY draft LIMIT ?"
)
OWNED_BY = "SELECT draft FROM access WHERE principal = ? AND role = 'owner' LIMIT ?"
SHARED_WITH = (
    "SELECT draft FROM access WHERE principal = ? AND role <> 'owner' "
    "AND draft > ? ORDER BY draft LIMIT ?"
)
OF_FORGOTTEN = (
    "SELECT draft FROM access JOIN forgotten ON person = principal WHERE role = 'owner' "
    "AND draft > ? ORDER BY draft LIMIT ?"
)
LAST = (
    "SELECT originator_version, hash FROM stored_events WHERE originator_id = ? "
    "ORDER BY originator_version DESC LIMIT 1"
)
BURY = (
    "INSERT INTO tombstones (draft, owner, versions, head, by, at) VALUES (:draft, coalesce("
    "(SELECT principal FROM access WHERE draft = :draft AND role = 'owner'), ''), :last, :head, :by, :at)"
)
PURGED_FROM = (
    "states",
    "versions",
    "drafts",
    "access",
    "links",
    "slots",
    "set_aside",
    "sessions",
    "warnings",
)
TOMBSTONE = (
    "SELECT draft, owner, versions, head, by, at FROM tombstones WHERE draft = ? AND owner = ?"
)
RENAME = "UPDATE people SET sub = ? WHERE key = ?"
FORGET = "INSERT INTO forgotten (person, at) VALUES (?, ?) ON CONFLICT DO NOTHING"
PURGED = "SELECT number, draft FROM tombstones WHERE number > ? ORDER BY number LIMIT 1000"
FORGOTTEN = "SELECT number, person FROM forgotten WHERE number > ? ORDER BY number LIMIT 1000"
LAST_GONE = (
    "SELECT coalesce((SELECT max(number) FROM tombstones), 0), "
    "coalesce((SELECT max(number) FROM forgotten), 0)"
)
SCRUBBED = "SELECT coalesce((SELECT position FROM positions WHERE name = 'scrubbed'), 0)"
NOW_SCRUBBED = (
    "INSERT INTO positions VALUES ('scrubbed', ?) "
    "ON CONFLICT DO UPDATE SET position = excluded.position"
)


class SqliteTrash:
    """The trash of one SQLite file."""

    def __init__(self, path: Path, rows: Rows, transaction: Transaction) -> None:
        self._path, self._rows, self._transaction = path, rows, transaction

    async def due(self, at: datetime, after: UUID, limit: int) -> Sequence[UUID]:
        """Open drafts whose time was over then, in the order of their ids."""
        return self._drafts(DUE, (text(at), after.hex, limit))

    async def over(self, since: datetime, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts that lie in the trash since then or longer, in the order of their ids."""
        return self._drafts(OVER, (text(since), after.hex, limit))

    async def about(self, form: str, subject: str, after: UUID, limit: int) -> Sequence[UUID]:
        """Open drafts of all owners about one subject, in the order of their ids."""
        return self._drafts(ABOUT, (form, subject, after.hex, limit))

    async def owned_by(self, person: str, limit: int) -> Sequence[UUID]:
        """Some of a person's own drafts."""
        return self._drafts(OWNED_BY, (person, limit))

    async def shared_with(self, person: str, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts of others that a person may see, in the order of their ids."""
        return self._drafts(SHARED_WITH, (person, after.hex, limit))

    async def of_forgotten(self, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts that forgotten people own still, in the order of their ids."""
        return self._drafts(OF_FORGOTTEN, (after.hex, limit))

    async def purge(self, draft: UUID, seen: int | None, by: str, at: datetime) -> bool:
        """End a draft for good, if it still is at this version; only a tombstone stays."""
        with self._transaction() as connection:
            found = connection.execute(LAST, (draft.hex,)).fetchone()
            if found is None or seen not in (None, found[0]):
                return False
            names = {"draft": draft.hex, "by": by, "at": text(at)}
            connection.execute(BURY, {**names, "last": found[0], "head": found[1]})
            connection.execute("DELETE FROM stored_events WHERE originator_id = ?", (draft.hex,))
            for table in PURGED_FROM:
                connection.execute(f"DELETE FROM {table} WHERE draft = ?", (draft.hex,))
        return True

    async def tombstone(self, principal: str, draft: UUID) -> Tombstone | None:
        """What is left of a draft that was this principal's own."""
        for found, owner, versions, head, by, at in self._rows(TOMBSTONE, (draft.hex, principal)):
            return Tombstone(UUID(found), owner, versions, head, by, datetime.fromisoformat(at))
        return None

    async def forget(self, person: str, pseudonym: str, at: datetime) -> None:
        """Put a pseudonym in the place of a name, once; nobody's drafts are touched."""
        with self._transaction() as connection:
            if connection.execute(FORGET, (person, text(at))).rowcount:
                connection.execute(RENAME, (pseudonym, person))

    async def last_gone(self) -> Gone:
        """The last numbers of what went."""
        ((tombstone, person),) = self._rows(LAST_GONE, ())
        return Gone(tombstone, person)

    async def gone(self, tombstone: int, person: int) -> Gone:
        """What went after these numbers, some of it."""
        drafts, people = self._rows(PURGED, (tombstone,)), self._rows(FORGOTTEN, (person,))
        return Gone(
            drafts[-1][0] if drafts else tombstone,
            people[-1][0] if people else person,
            [UUID(draft) for _, draft in drafts],
            [key for _, key in people],
        )

    async def tidy(self) -> None:
        """Empty the write-ahead log into the file, unless somebody reads an older state of it.

        Deleted rows are overwritten in the file (`secure_delete`); in the log they stood before.
        """
        with self._at_once():
            self._emptied()

    async def scrub(self, most: int | None = None) -> None:
        """Write the file anew if something was purged since the last time.

        `secure_delete` overwrites what is deleted where it stands now, and not where it stood before
        SQLite moved it to another page: of 750 purges among 1,500 drafts two such copies were left.
        """
        last = (await self.last_gone()).tombstone
        ((scrubbed,),) = self._rows(SCRUBBED, ())
        if last == scrubbed or (most is not None and self._path.stat().st_size > most):
            await self.tidy()
            return
        with self._at_once(), suppress(StoreUnavailable):  # somebody writes: the next time
            self._rows("VACUUM", ())
            if self._emptied():
                self._rows(NOW_SCRUBBED, (last,))

    def _emptied(self) -> bool:
        ((busy, *_),) = self._rows("PRAGMA wal_checkpoint(TRUNCATE)", ())
        return not busy

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """Wait for nobody: all else in this process would wait, too."""
        self._rows("PRAGMA busy_timeout = 0", ())
        try:
            yield
        finally:
            self._rows("PRAGMA busy_timeout = 30000", ())

    @asynccontextmanager
    async def alone(self, what: Alone) -> AsyncIterator[bool]:
        """Whether this process is the only one that does it, until the `with` ends.

        The lock is one on a file beside the database, by SQLite's own means: it ends with the
        process, whatever ends that, on every system.
        """
        in_memory = str(self._path) == ":memory:"
        file = self._path if in_memory else self._path.with_name(f"{self._path.name}.{what}")
        with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as lock:
            locked = False
            with suppress(sqlite3.OperationalError):
                lock.execute("BEGIN EXCLUSIVE")
                locked = True
            yield locked

    def _drafts(self, statement: str, arguments: tuple[Any, ...]) -> list[UUID]:
        return [UUID(row[0]) for row in self._rows(statement, arguments)]

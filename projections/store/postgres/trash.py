"""The end of drafts on PostgreSQL; what deletes is one function of the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from projections.store.postgres.queries import WRITERS
from projections.store.postgres.rows import ReadingAs, Working, rows_of
from projections.store.trash import Alone, Gone, Tombstone

DUE = (
    "SELECT draft FROM drafts WHERE status = 'open' AND expires_at <= %b "
    "AND draft > %b ORDER BY draft LIMIT %b"
)
OVER = (
    "SELECT draft FROM drafts WHERE status IN ('discarded', 'expired') AND closed_at <= %b "
    "AND draft > %b ORDER BY draft LIMIT %b"
)
ABOUT = (
    "SELECT draft FROM drafts WHERE status = 'open' AND form = %b AND subject = %b "
    "AND draft > %b ORDER BY draft LIMIT %b"
)
OWNED_BY = "SELECT draft FROM access WHERE principal = %b AND role = 'owner' LIMIT %b"
SHARED_WITH = (
    "SELECT draft FROM access WHERE principal = %b AND role <> 'owner' "
    "AND draft > %b ORDER BY draft LIMIT %b"
)
OF_FORGOTTEN = (
    "SELECT draft FROM access JOIN forgotten ON person = principal WHERE role = 'owner' "
    "AND draft > %b ORDER BY draft LIMIT %b"
)
PURGE = "SELECT purge(%b, %b::bigint, %b, %b)"
TOMBSTONE = (
    "SELECT draft, owner, versions, head, by, at FROM tombstones WHERE draft = %b AND owner = %b"
)
RENAME = "UPDATE people SET sub = %b WHERE key = %b"
FORGET = (
    "INSERT INTO forgotten (person, at) VALUES (%b, %b) ON CONFLICT DO NOTHING RETURNING person"
)
PURGED = "SELECT number, draft FROM tombstones WHERE number > %b ORDER BY number LIMIT 1000"
FORGOTTEN = "SELECT number, person FROM forgotten WHERE number > %b ORDER BY number LIMIT 1000"
LAST_GONE = (
    "SELECT coalesce((SELECT max(number) FROM tombstones), 0), "
    "coalesce((SELECT max(number) FROM forgotten), 0)"
)
ALONE = "SELECT pg_try_advisory_xact_lock(%b)"
LOCKS: dict[Alone, int] = {"sweep": 8602221, "deliver": 8602222}


class PostgresTrash:
    """The trash of one PostgreSQL database."""

    def __init__(self, working: Working, reading_as: ReadingAs) -> None:
        self._working, self._as = working, reading_as

    async def due(self, at: datetime, after: UUID, limit: int) -> Sequence[UUID]:
        """Open drafts whose time was over then, in the order of their ids."""
        return await self._drafts(DUE, (at, after, limit))

    async def over(self, since: datetime, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts that lie in the trash since then or longer, in the order of their ids."""
        return await self._drafts(OVER, (since, after, limit))

    async def about(self, form: str, subject: str, after: UUID, limit: int) -> Sequence[UUID]:
        """Open drafts of all owners about one subject, in the order of their ids."""
        return await self._drafts(ABOUT, (form, subject, after, limit))

    async def owned_by(self, person: str, limit: int) -> Sequence[UUID]:
        """Some of a person's own drafts."""
        return await self._drafts(OWNED_BY, (person, limit))

    async def shared_with(self, person: str, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts of others that a person may see, in the order of their ids."""
        return await self._drafts(SHARED_WITH, (person, after, limit))

    async def of_forgotten(self, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts that forgotten people own still, in the order of their ids."""
        return await self._drafts(OF_FORGOTTEN, (after, limit))

    async def purge(self, draft: UUID, seen: int | None, by: str, at: datetime) -> bool:
        """End a draft for good, if it still is at this version; only a tombstone stays."""
        async with self._working() as connection:
            rows = await rows_of(connection, PURGE, (draft, seen, by, at))
        return bool(rows[0][0])

    async def tombstone(self, principal: str, draft: UUID) -> Tombstone | None:
        """What is left of a draft that was this principal's own."""
        async with self._as(principal) as connection:
            rows = await rows_of(connection, TOMBSTONE, (draft, principal))
        return Tombstone(*rows[0]) if rows else None

    async def forget(self, person: str, pseudonym: str, at: datetime) -> None:
        """Put a pseudonym in the place of a name, once; nobody's drafts are touched."""
        async with self._working() as connection, connection.transaction():
            await connection.execute(WRITERS)  # numbers become visible in their order
            if await rows_of(connection, FORGET, (person, at)):
                await connection.execute(RENAME, (pseudonym, person))

    async def last_gone(self) -> Gone:
        """The last numbers of what went."""
        async with self._working() as connection:
            return Gone(*(await rows_of(connection, LAST_GONE, ()))[0])

    async def gone(self, tombstone: int, person: int) -> Gone:
        """What went after these numbers, some of it."""
        async with self._working() as connection:
            drafts = await rows_of(connection, PURGED, (tombstone,))
            people = await rows_of(connection, FORGOTTEN, (person,))
        return Gone(
            drafts[-1][0] if drafts else tombstone,
            people[-1][0] if people else person,
            [draft for _, draft in drafts],
            [key for _, key in people],
        )

    async def tidy(self) -> None:
        """Nothing to do: PostgreSQL's own VACUUM takes away what was deleted."""

    async def scrub(self, most: int | None = None) -> None:
        """Nothing to do, as above."""

    @asynccontextmanager
    async def alone(self, what: Alone) -> AsyncIterator[bool]:
        """Whether this process is the only one that does it, until the `with` ends."""
        async with self._working() as connection, connection.transaction():
            yield bool((await rows_of(connection, ALONE, (LOCKS[what],)))[0][0])

    async def _drafts(self, statement: LiteralString, arguments: tuple[Any, ...]) -> list[UUID]:
        async with self._working() as connection:
            return [row[0] for row in await rows_of(connection, statement, arguments)]

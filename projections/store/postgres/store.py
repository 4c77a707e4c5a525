"""PostgresStore: the writer's group in one round trip, and every read for one principal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from projections.store.base import DraftFilter, Hear, VersionFilter, VersionLine
from projections.store.migrations import must_be_current
from projections.store.postgres import queries
from projections.store.postgres.api_keys import PostgresApiKeys
from projections.store.postgres.audit import PostgresAudit
from projections.store.postgres.chains import PostgresChains
from projections.store.postgres.connections import (
    READER,
    UNREACHABLE,
    WORKER,
    connect,
    pool,
    reaching,
)
from projections.store.postgres.forms import PostgresForms
from projections.store.postgres.lanes import Lane, Lanes
from projections.store.postgres.listening import listen
from projections.store.postgres.log import PostgresLog
from projections.store.postgres.outbox import PostgresOutbox
from projections.store.postgres.people import PostgresPeople
from projections.store.postgres.read_models import PostgresReadModels
from projections.store.postgres.rows import one, records_of, rows_of
from projections.store.postgres.saving import first_of, save_on
from projections.store.postgres.trash import PostgresTrash
from projections.store.records import (
    Committed,
    Group,
    LinkRow,
    Loaded,
    Outcome,
    Reading,
    Record,
    State,
)


class PostgresStore:
    """One PostgreSQL database, by the service's login."""

    name = "postgresql"

    def __init__(self, url: str, *, lanes: int = 4, readers: int = 4, workers: int = 4) -> None:
        self._url = url
        self._readers = pool(url, READER, readers)
        self._lanes = Lanes(url, READER, lanes)
        self._workers = pool(url, WORKER, workers)
        self._writer: Lane | None = None
        self.trash = PostgresTrash(self._working, self._as)
        self.outbox = PostgresOutbox(self._working)
        self.people = PostgresPeople(self._working)
        self.api_keys = PostgresApiKeys(self._working)
        self.forms = PostgresForms(self._working)
        self.audit = PostgresAudit(self._working, self._as)
        self.log = PostgresLog(self._working)
        self.read_models = PostgresReadModels(self._working)
        self.chains = PostgresChains(self._working, self._as)

    async def start(self) -> None:
        """Connect; refuse a schema that is not this release's."""
        async with reaching():
            await self._writing()  # first: of a role that is not there, a pool would not tell
            await self._workers.open(wait=True, timeout=10)
            async with self._workers.connection() as connection:
                must_be_current("postgres", await _schema(connection))
            await self._lanes.open()
            await self._readers.open(wait=True, timeout=10)

    async def stop(self) -> None:
        """Let go of every connection."""
        await self._lanes.close()
        await self._readers.close()
        await self._workers.close()
        if self._writer is not None:
            await self._writer.close()

    # -- the writer's side

    async def save(self, group: Group) -> Outcome:
        """Save a group in one transaction, if every draft still is where the group saw it.

        Raises:
            Forbidden: The database refused a row: its principal may not write to that draft.
            StoreUnavailable: The database could not be reached; the outcome is not known.
        """
        async with reaching():
            try:
                return await save_on(await self._writing(), group)
            except UNREACHABLE:
                return await self._save_unless_saved(group)

    async def _save_unless_saved(self, group: Group) -> Outcome:
        """Save a group whose outcome is not known, if it was not saved.

        All under one lock: what the old connection said may yet be heard, and then finds that the
        drafts have moved.
        """
        lane = await self._writing()
        try:
            await lane.ask(queries.BEGIN, ())
            await lane.ask(queries.LOCK, ())
            stands = await lane.ask(queries.STANDS, first_of(group)) if group.records else []
            outcome = Committed(0) if stands else await save_on(lane, group)
            await lane.ask(queries.COMMIT, ())
        except BaseException:
            await lane.close()
            raise
        return outcome

    async def _writing(self) -> Lane:
        if self._writer is None or self._writer.closed:
            self._writer = Lane(await connect(self._url, WORKER))
        return self._writer

    async def load(self, draft: UUID) -> Loaded | None:
        """All that makes a draft's aggregate; None if there is no such draft."""
        async with self._working() as connection, connection.transaction():
            rows = await rows_of(connection, queries.NEAREST_STATE, (draft,))
            state = State(draft, *rows[0]) if rows else None
            after = state.version if state else 0
            records = records_of(
                draft, await rows_of(connection, queries.EVENTS, (draft, after, 2**62))
            )
            kept = one(await rows_of(connection, queries.KEPT_STATE, (draft,)), int) or 0
        return Loaded(state, records, kept) if state or records else None

    async def events(self, draft: UUID, after: int, upto: int) -> Sequence[Record]:
        """The events with `after < version <= upto`, oldest first."""
        async with self._working() as connection:
            return records_of(
                draft, await rows_of(connection, queries.EVENTS, (draft, after, upto))
            )

    async def version_of_seq(self, draft: UUID, device: str, seq: int) -> int | None:
        """The version that a device's number was recorded as."""
        async with self._working() as connection:
            return one(await rows_of(connection, queries.VERSION_OF_SEQ, (draft, device, seq)), int)

    async def holder_of_slot(self, owner: str, form: str, subject: str | None) -> UUID | None:
        """The open draft that holds a slot."""
        arguments = (owner, form, subject or "", subject is not None)
        async with self._working() as connection:
            return one(await rows_of(connection, queries.SLOT, arguments), UUID)

    async def imported_as(self, import_id: UUID) -> UUID | None:
        """The draft that an import went to, whatever became of it; None if it never happened."""
        async with self._working() as connection:
            return one(await rows_of(connection, queries.IMPORTED, (import_id,)), UUID)

    async def link(self, id_: str) -> LinkRow | None:
        """The share link of this id, unless it was taken back."""
        async with self._working() as connection:
            rows = await rows_of(connection, queries.LINK, (id_,))
        return LinkRow(*rows[0]) if rows else None

    # -- reading for a principal

    async def read(self, principal: str, draft: UUID, upto: int | None = None) -> Reading | None:
        """The current form state, or that of an earlier version, as it is in the log now."""
        async with reaching():
            rows = await self._lanes.rows(queries.READ_DRAFT, (principal, draft, upto))
        if not rows:
            return None
        role, head, version, body, rest, topics, tail = rows[0]
        return Reading(
            role, head, version or 0, body, rest, list(zip(topics or (), tail or (), strict=True))
        )

    async def version_at(self, principal: str, draft: UUID, moment: datetime) -> int | None:
        """The last version saved at or before a moment."""
        async with self._as(principal) as connection:
            return one(await rows_of(connection, queries.VERSION_AT, (draft, moment)), int)

    async def versions(
        self, principal: str, draft: UUID, wanted: VersionFilter
    ) -> Sequence[VersionLine]:
        """Lines of the version history, newest first, `by` as a key."""
        if wanted == VersionFilter(before=wanted.before, limit=wanted.limit):
            below = 2**62 if wanted.before is None else wanted.before
            arguments = (principal, draft, below, wanted.limit)
            async with reaching():
                return await self._lanes.rows(queries.LIST_VERSIONS, arguments)
        statement, named = queries.versions(draft, wanted)
        async with self._as(principal) as connection:
            return await rows_of(connection, statement, named)

    async def sessions(
        self, principal: str, draft: UUID, wanted: VersionFilter
    ) -> Sequence[Mapping[str, Any]]:
        """The version history grouped: one line per person, device and spell of editing."""
        statement, arguments = queries.sessions(draft, wanted)
        return await self._dicts(principal, statement, arguments)

    async def event(self, principal: str, draft: UUID, version: int) -> Record | None:
        """One event of a draft."""
        async with self._as(principal) as connection:
            rows = await rows_of(connection, queries.EVENTS, (draft, version - 1, version))
        return records_of(draft, rows)[0] if rows else None

    async def span(self, principal: str, draft: UUID, after: int, upto: int) -> Sequence[Record]:
        """The events of a draft with `after < version <= upto`, oldest first."""
        async with self._as(principal) as connection:
            return records_of(
                draft, await rows_of(connection, queries.EVENTS, (draft, after, upto))
            )

    async def role(self, principal: str, draft: UUID) -> str | None:
        """What somebody may do with a draft, whatever is left of it."""
        async with self._as(principal) as connection:
            return one(await rows_of(connection, queries.ROLE, (draft, principal)), str)

    async def label_of(self, principal: str, draft: UUID, version: int) -> str | None:
        """The label of a version."""
        async with self._as(principal) as connection:
            return one(await rows_of(connection, queries.LABEL_OF, (draft, version)), str)

    async def drafts(self, principal: str, wanted: DraftFilter) -> Sequence[Mapping[str, Any]]:
        """Lines of the drafts page."""
        statement, arguments = queries.drafts(principal, wanted)
        return await self._dicts(principal, statement, arguments)

    # -- what its processes tell each other

    async def listen(self, hear: Hear) -> None:
        """Give what the processes of this database say to `hear`, until this is cancelled.

        Raises:
            StoreUnavailable: They cannot be heard, or not any more.
        """
        async with reaching():
            await listen(await connect(self._url, WORKER), hear)

    async def say(self, what: str) -> None:
        """Say something to the processes that listen, this one included if it does."""
        async with self._working() as connection:
            await connection.execute(queries.SAY, (what,))

    # -- connections

    @asynccontextmanager
    async def _working(self) -> AsyncIterator[AsyncConnection[Any]]:
        async with reaching(), self._workers.connection() as connection:
            yield connection

    @asynccontextmanager
    async def _as(self, principal: str) -> AsyncIterator[AsyncConnection[Any]]:
        async with reaching(), self._readers.connection() as connection, connection.transaction():
            await connection.execute(queries.READ_AS, (principal,))
            yield connection

    async def _dicts(self, principal: str, statement: Any, arguments: Any) -> list[dict[str, Any]]:
        async with self._as(principal) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(statement, arguments)
            return await cursor.fetchall()


async def _schema(connection: AsyncConnection[Any]) -> int:
    try:
        return cast("int", one(await rows_of(connection, queries.SCHEMA, ()), int))
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return 0

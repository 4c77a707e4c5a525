"""PostgresStore: the writer's group in one round trip, and every read for one principal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

import orjson
import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from domain.errors import Forbidden
from projections.store.api_keys import ApiKey
from projections.store.base import (
    AUDIT_SECONDS,
    END,
    AuditFilter,
    DraftFilter,
    Hear,
    Line,
    Moves,
    VersionFilter,
    VersionLine,
    to_moves,
    too_much,
)
from projections.store.migrations import must_be_current
from projections.store.postgres import queries
from projections.store.postgres.arrays import bigints, byteas, texts, times, uuids
from projections.store.postgres.connections import (
    READER,
    UNREACHABLE,
    WORKER,
    connect,
    pool,
    reaching,
)
from projections.store.postgres.lanes import Argument, Lane, Lanes
from projections.store.postgres.listening import listen
from projections.store.postgres.outbox import PostgresOutbox
from projections.store.postgres.trash import PostgresTrash
from projections.store.records import (
    AuditRead,
    AuditRow,
    Committed,
    FormRow,
    Group,
    Head,
    LinkRow,
    Loaded,
    Moved,
    Outcome,
    Reading,
    Record,
    Resting,
    State,
    Taken,
    VersionRow,
    relabelled,
)

if TYPE_CHECKING:
    from projections.rebuild import Rebuilt

T = TypeVar("T")


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
                return await _save_on(await self._writing(), group)
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
            stands = await lane.ask(queries.STANDS, _first(group)) if group.records else []
            outcome = Committed(0) if stands else await _save_on(lane, group)
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
            rows = await _rows(connection, queries.NEAREST_STATE, (draft,))
            state = State(draft, *rows[0]) if rows else None
            after = state.version if state else 0
            records = _records(
                draft, await _rows(connection, queries.EVENTS, (draft, after, 2**62))
            )
            kept = _one(await _rows(connection, queries.KEPT_STATE, (draft,)), int) or 0
        return Loaded(state, records, kept) if state or records else None

    async def events(self, draft: UUID, after: int, upto: int) -> Sequence[Record]:
        """The events with `after < version <= upto`, oldest first."""
        async with self._working() as connection:
            return _records(draft, await _rows(connection, queries.EVENTS, (draft, after, upto)))

    async def version_of_seq(self, draft: UUID, device: str, seq: int) -> int | None:
        """The version that a device's number was recorded as."""
        async with self._working() as connection:
            return _one(await _rows(connection, queries.VERSION_OF_SEQ, (draft, device, seq)), int)

    async def holder_of_slot(self, owner: str, form: str, subject: str | None) -> UUID | None:
        """The open draft that holds a slot."""
        arguments = (owner, form, subject or "", subject is not None)
        async with self._working() as connection:
            return _one(await _rows(connection, queries.SLOT, arguments), UUID)

    async def imported_as(self, import_id: UUID) -> UUID | None:
        """The draft that an import went to, whatever became of it; None if it never happened."""
        async with self._working() as connection:
            return _one(await _rows(connection, queries.IMPORTED, (import_id,)), UUID)

    async def key_of(self, sub: str) -> str | None:
        """A person's key, if the person ever wrote."""
        async with self._working() as connection:
            return _one(await _rows(connection, queries.KEY_OF, (sub,)), str)

    async def new_key(self, sub: str, key: str) -> str:
        """Give a person this key, unless there is one already; the key that holds."""
        async with self._working() as connection:
            await connection.execute(queries.NEW_KEY, (key, sub))
        return cast("str", await self.key_of(sub))

    async def subs_of(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The names behind keys."""
        async with self._working() as connection:
            return dict(await _rows(connection, queries.SUBS_OF, (list(keys),)))

    async def link(self, id_: str) -> LinkRow | None:
        """The share link of this id, unless it was taken back."""
        async with self._working() as connection:
            rows = await _rows(connection, queries.LINK, (id_,))
        return LinkRow(*rows[0]) if rows else None

    # -- form definitions

    async def keep_form(self, form: str, definition: str, by: str, at: datetime) -> None:
        """Keep a definition as the newest of its form; earlier ones stay."""
        async with self._working() as connection, connection.transaction():
            await connection.execute(queries.LOCK_FORMS)
            await connection.execute(queries.KEEP_FORM, (form, definition, by, at))
            await connection.execute(queries.UNREST, (form,))

    async def unrest(self, form: str) -> None:
        """Forget what is known of a form's quiet drafts, so that they come to rest again."""
        async with self._working() as connection:
            await connection.execute(queries.UNREST, (form,))

    async def forms(self, after: int) -> Sequence[FormRow]:
        """The newest definition of each form kept after a number, in the order of their numbers."""
        async with self._working() as connection:
            return [FormRow(*row) for row in await _rows(connection, queries.FORMS, (after,))]

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
            return _one(await _rows(connection, queries.VERSION_AT, (draft, moment)), int)

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
            return await _rows(connection, statement, named)

    async def sessions(
        self, principal: str, draft: UUID, wanted: VersionFilter
    ) -> Sequence[Mapping[str, Any]]:
        """The version history grouped: one line per person, device and spell of editing."""
        statement, arguments = queries.sessions(draft, wanted)
        return await self._dicts(principal, statement, arguments)

    async def event(self, principal: str, draft: UUID, version: int) -> Record | None:
        """One event of a draft."""
        async with self._as(principal) as connection:
            rows = await _rows(connection, queries.EVENTS, (draft, version - 1, version))
        return _records(draft, rows)[0] if rows else None

    async def span(self, principal: str, draft: UUID, after: int, upto: int) -> Sequence[Record]:
        """The events of a draft with `after < version <= upto`, oldest first."""
        async with self._as(principal) as connection:
            return _records(draft, await _rows(connection, queries.EVENTS, (draft, after, upto)))

    async def role(self, principal: str, draft: UUID) -> str | None:
        """What somebody may do with a draft, whatever is left of it."""
        async with self._as(principal) as connection:
            return _one(await _rows(connection, queries.ROLE, (draft, principal)), str)

    async def chain(self, principal: str, draft: UUID, after: int) -> Sequence[Record]:
        """The next events of a draft that there are, oldest first, a page of them."""
        async with self._as(principal) as connection:
            rows = await _rows(connection, queries.CHAIN, (draft, after))
        return [Record(*row) for row in rows]

    async def label_of(self, principal: str, draft: UUID, version: int) -> str | None:
        """The label of a version."""
        async with self._as(principal) as connection:
            return _one(await _rows(connection, queries.LABEL_OF, (draft, version)), str)

    async def drafts(self, principal: str, wanted: DraftFilter) -> Sequence[Mapping[str, Any]]:
        """Lines of the drafts page."""
        statement, arguments = queries.drafts(principal, wanted)
        return await self._dicts(principal, statement, arguments)

    # -- audit

    async def audited(self, principal: str, wanted: AuditFilter) -> Sequence[AuditRow]:
        """The versions that an audit is about, newest first."""
        rows = await self._searched(principal, *queries.audited(principal, wanted))
        return [AuditRow(*row) for row in rows]

    async def audited_total(self, principal: str, wanted: AuditFilter) -> tuple[int, int]:
        """How many lines these versions are, and of how many drafts; one without changes is one."""
        rows = await self._searched(principal, *queries.audited_total(principal, wanted))
        return cast("tuple[int, int]", rows[0])

    async def _searched(self, principal: str, statement: Any, arguments: Any) -> list[Any]:
        """The rows of a search that may take its time, but not any time."""
        async with self._as(principal) as connection:
            try:
                await connection.execute(f"SET LOCAL statement_timeout = {AUDIT_SECONDS * 1000}")
                return await _rows(connection, statement, arguments)
            except psycopg.errors.QueryCanceled:
                raise too_much() from None

    async def note_read(self, read: AuditRead) -> None:
        """Note that somebody read as an auditor."""
        async with self._working() as connection:
            await connection.execute(queries.NOTE_READ, read)

    async def reads_noted(
        self, principal: str, before: int | None, limit: int
    ) -> Sequence[tuple[int, AuditRead]]:
        """What auditors read, newest first, each with its number; for auditors only."""
        below = 2**62 if before is None else before
        async with self._as(principal) as connection:
            rows = await _rows(connection, queries.READS_NOTED, (below, limit))
        return [(row[0], AuditRead(*row[1:])) for row in rows]

    # -- machines' keys

    async def add_api_key(self, key: ApiKey) -> None:
        """Keep a new key."""
        columns = (key.id, key.name, key.role, key.digest)
        times = (key.created_at, key.expires_at, key.revoked_at)
        async with self._working() as connection:
            await connection.execute(queries.ADD_API_KEY, (*columns, *times))

    async def api_key(self, id_: str) -> ApiKey | None:
        """The key of this id, also if it has ended."""
        async with self._working() as connection:
            rows = await _rows(connection, queries.API_KEY, (id_,))
        return ApiKey(*rows[0]) if rows else None

    async def api_keys(self) -> Sequence[ApiKey]:
        """All keys there ever were, oldest first."""
        async with self._working() as connection:
            return [ApiKey(*row) for row in await _rows(connection, queries.API_KEYS, ())]

    async def revoke_api_key(self, id_: str, at: datetime) -> bool:
        """End a key; one that has ended stays as it is. False if there is none of this id."""
        async with self._working() as connection:
            return bool(await _rows(connection, queries.REVOKE_API_KEY, (at, id_)))

    # -- the read models

    async def head(self) -> int:
        """The position of the last event in the log."""
        async with self._working() as connection:
            return cast("int", _one(await _rows(connection, queries.HEAD, ()), int))

    async def position(self, name: str) -> int:
        """How far a read model has come."""
        async with self._working() as connection:
            return cast("int", _one(await _rows(connection, queries.POSITION, (name,)), int))

    async def lines(self, after: int, limit: int) -> Sequence[Line]:
        """The next events of the log, in the order in which they were committed."""
        async with self._working() as connection:
            rows = await _rows(connection, queries.LINES, (after, limit))
        return [Line(row[0], Record(*row[1:])) for row in rows]

    async def moves(self, after: int, limit: int) -> Moves:
        """What the next events of the log did, without reading them."""
        async with self._working() as connection:
            return to_moves(await _rows(connection, queries.MOVES, (after, limit)))

    async def take(
        self,
        name: str,
        expected: int,
        position: int,
        rows: Sequence[Mapping[str, Any]],
        aside: Sequence[Mapping[str, Any]] = (),
    ) -> bool:
        """Write rows and the new position in one transaction; False if another process was faster."""
        arguments = {"name": name, "expected": expected, "position": position}
        async with self._not_while_purging() as connection:
            taken = await connection.execute(
                queries.TAKE_DRAFTS, {**arguments, "rows": _json(rows)}
            )
            if await taken.fetchone() is None:
                return False
            for event in aside:
                await connection.execute(queries.SET_ASIDE, {"name": name, **event})
        return True

    async def rest(self, states: Sequence[tuple[State, Resting]]) -> None:
        """Put down quiet drafts' whole states, each with what the drafts page knows by it."""
        columns = (
            [state.draft for state, _ in states],
            [state.version for state, _ in states],
            [state.body for state, _ in states],
            [state.rest for state, _ in states],
            [state.hash for state, _ in states],
            [quiet.search for _, quiet in states],
            [quiet.resume for _, quiet in states],
            [quiet.filled for _, quiet in states],
            [quiet.fields for _, quiet in states],
        )
        async with self._not_while_purging() as connection:
            await connection.execute(queries.REST, columns)

    async def unrested(self, limit: int, principal: str | None = None) -> Sequence[UUID]:
        """Drafts whose resting state lies behind their line; only one principal's, if given."""
        async with self._working() as connection:
            return [
                row[0]
                for row in await _rows(connection, queries.UNRESTED, (principal, principal, limit))
            ]

    async def forget_search(self, form: str) -> None:
        """Let what searches see of a form's drafts be made anew, when it is next looked for."""
        async with self._working() as connection:
            await connection.execute(queries.FORGET_SEARCH, (form,))

    # -- rebuilding

    async def count_drafts(self) -> int:
        """How many drafts the log knows."""
        async with self._working() as connection:
            return cast("int", _one(await _rows(connection, queries.COUNT_DRAFTS, ()), int))

    async def draft_ids(self, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts of the log in the order of their ids."""
        async with self._working() as connection:
            return [row[0] for row in await _rows(connection, queries.DRAFT_IDS, (after, limit))]

    async def replace(self, rebuilt: Rebuilt) -> None:
        """Put a draft's rows in the place of the old ones, up to the version that was read."""
        draft, upto = rebuilt.draft, (rebuilt.draft, rebuilt.head)
        async with self._working() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(8602217)")
            if await _rows(connection, queries.TOMBSTONE, (draft,)):
                return
            await connection.execute(
                "DELETE FROM versions WHERE draft = %s AND version <= %s", upto
            )
            await connection.execute("DELETE FROM states WHERE draft = %s AND version <= %s", upto)
            await connection.execute("DELETE FROM drafts WHERE draft = %s AND version <= %s", upto)
            await connection.execute(
                "DELETE FROM set_aside WHERE draft = %s AND version <= %s", upto
            )
            # What was labelled after the log was read; nobody writes now.
            later = await _rows(connection, queries.EVENTS, (draft, rebuilt.head, 2**62))
            labels = relabelled(rebuilt.labels, _records(draft, later))
            cursor = connection.cursor()
            await cursor.executemany(
                queries.ADD_VERSION,
                [_version(record, row, labels) for record, row in rebuilt.rows],
            )
            await cursor.executemany(
                queries.ADD_STATE, [_state(state, False) for state in rebuilt.states]
            )
            if rebuilt.resting is not None:
                await cursor.execute(queries.ADD_STATE, _state(rebuilt.resting, True))
            await cursor.execute(queries.PUT_DRAFT, {"rows": _json([rebuilt.line])})
            await cursor.execute(
                queries.RESTED, (rebuilt.head, *astuple(rebuilt.quiet), draft, rebuilt.head)
            )

    async def remove_strays(self) -> None:
        """Remove rows of read models whose draft the log does not know."""
        async with self._working() as connection, connection.transaction():
            for statement in queries.STRAYS:
                await connection.execute(statement)

    async def set_aside(self) -> Sequence[Mapping[str, Any]]:
        """The events that a read model could not take."""
        async with self._working() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(
                "SELECT name, draft, version, problem FROM set_aside ORDER BY 1, 2, 3 LIMIT 100"
            )
            return await cursor.fetchall()

    # -- what moves meanwhile

    async def moved(self, after: int, drafts: Collection[UUID]) -> tuple[int, Collection[UUID]]:
        """The head of the log now, and which of these drafts have events after a position."""
        async with self._working() as connection:
            ((head, moved),) = await _rows(connection, queries.MOVED_AFTER, (list(drafts), after))
        return (after if head is None else head), moved or ()

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

    # -- proving

    async def chains(self, after: tuple[UUID, int], last: UUID = END) -> Sequence[Record]:
        """The next events after a draft's version, draft by draft up to `last`, a page of them."""
        async with self._working() as connection:
            rows = await _rows(connection, queries.CHAINS, (*after, last))
        return [Record(*row) for row in rows]

    async def heads(self, after: UUID) -> Sequence[Head]:
        """The last events of the next drafts, in the order of their ids, a page of them."""
        async with self._working() as connection:
            return [Head(*row) for row in await _rows(connection, queries.HEADS, (after,))]

    async def tombstones(self, after: UUID) -> Sequence[Head]:
        """The last events of drafts that were purged, in the order of their ids, a page of them."""
        async with self._working() as connection:
            return [Head(*row) for row in await _rows(connection, queries.TOMBSTONES, (after,))]

    # -- connections

    @asynccontextmanager
    async def _working(self) -> AsyncIterator[AsyncConnection[Any]]:
        async with reaching(), self._workers.connection() as connection:
            yield connection

    @asynccontextmanager
    async def _not_while_purging(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A transaction for rows of read models; all of it travels in one go."""
        async with (
            self._working() as connection,
            connection.pipeline(),
            connection.transaction(),
        ):
            await connection.execute(queries.NOT_WHILE_PURGING)
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
        return cast("int", _one(await _rows(connection, queries.SCHEMA, ()), int))
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return 0


async def _rows(connection: AsyncConnection[Any], statement: Any, arguments: Any) -> list[Any]:
    cursor = await connection.execute(statement, arguments, prepare=True, binary=True)
    return await cursor.fetchall()


def _known(value: T | None) -> T:
    """A value that the schema says is there."""
    assert value is not None
    return value


def _one(rows: Sequence[Any], kind: type[T]) -> T | None:
    """The only value, which is of this kind."""
    value = rows[0][0] if rows else None
    assert value is None or isinstance(value, kind)
    return value


def _records(draft: UUID, rows: Sequence[Any]) -> list[Record]:
    return [Record(draft, *row) for row in rows]


def _version(record: Record, row: VersionRow, labels: Mapping[int, str]) -> tuple[Any, ...]:
    act, label = record.topic.rpartition(".")[2], labels.get(record.version)
    line = (row.device, row.seq, row.paths, row.reason, label)
    return (record.draft, record.version, row.at, act, record.by, *line)


def _state(state: State, resting: bool) -> tuple[Any, ...]:
    return (state.draft, state.version, state.body, state.rest, state.hash, resting)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()


async def _save_on(lane: Lane, group: Group) -> Outcome:
    if not group.records:
        rows = await lane.ask(queries.MOVED, _seen(group))
        return Moved([row[0] for row in rows]) if rows else Committed(0)
    try:
        ((moved, taken, head),) = await lane.ask(queries.SAVE_GROUP, _save_arguments(group))
    except psycopg.errors.InsufficientPrivilege as refused:
        raise Forbidden("You may not write to this draft any more.") from refused
    if moved is not None:
        return Moved(moved)
    return Committed(head) if taken is None else Taken(taken)


def _first(group: Group) -> list[Argument]:
    record = group.records[0]
    return [record.draft, record.version, record.hash]


def _seen(group: Group) -> list[Argument]:
    return [uuids(list(group.seen)), bigints(list(group.seen.values()))]


def _save_arguments(group: Group) -> list[Argument]:
    records, rows, states = group.records, group.rows, group.states
    return [
        *_seen(group),
        uuids([r.draft for r in records]),
        bigints([r.version for r in records]),
        texts([r.topic for r in records]),
        texts([r.by for r in records]),
        byteas([r.state for r in records]),
        byteas([r.hash for r in records]),
        times([r.at for r in rows]),
        texts([r.device for r in rows]),
        bigints([r.seq for r in rows]),
        texts([r.paths for r in rows]),
        texts([r.reason for r in rows]),
        uuids([s.draft for s in states]),
        bigints([s.version for s in states]),
        byteas([s.body for s in states]),
        byteas([s.rest for s in states]),
        byteas([s.hash for s in states]),
        b"\x01" + _json(group.registers).encode() if group.registers else None,
    ]

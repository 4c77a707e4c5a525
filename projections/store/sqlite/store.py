"""SqliteStore: the same answers as on PostgreSQL, out of one file, in the event loop itself.

A group's commit takes a fraction of a millisecond, a read some microseconds: less than a hop to a
thread would. Everything a principal may not see is left out by joining the register of access.
"""

from __future__ import annotations

import asyncio
import sqlite3
from asyncio import to_thread
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from domain.access import is_auditor, member
from domain.errors import Forbidden, StoreUnavailable
from domain.origin import SERVICE
from projections.store.api_keys import ApiKey
from projections.store.base import (
    AUDIT_SECONDS,
    END,
    PAGE_BYTES,
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
from projections.store.sqlite import queries
from projections.store.sqlite.migrations import connect, schema_of
from projections.store.sqlite.outbox import SqliteOutbox
from projections.store.sqlite.trash import SqliteTrash

if TYPE_CHECKING:
    from projections.rebuild import Rebuilt


class SqliteStore:
    """One SQLite file."""

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self.trash = SqliteTrash(path, self._rows, self._transaction)
        self.outbox = SqliteOutbox(self._rows, self._transaction)

    async def start(self) -> None:
        """Open the file; refuse a schema that is not this release's."""
        self._connection = connect(self._path)
        must_be_current("sqlite", schema_of(self._connection))

    async def stop(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # -- the writer's side

    async def save(self, group: Group) -> Outcome:
        """Save a group in one transaction, if every draft still is where the group saw it.

        Raises:
            Forbidden: A row's principal may not write to that draft.
        """
        if not group.records:
            moved = self._moved(group)
            return Moved(moved) if moved else Committed(0)
        with self._transaction() as connection:
            if moved := self._moved(group):
                return Moved(moved)
            if taken := self._taken(group):
                return Taken(taken)
            return Committed(_write(connection, group))

    def _moved(self, group: Group) -> list[UUID]:
        return [
            draft
            for draft, version in group.seen.items()
            if (self._one(queries.LAST_VERSION, (draft.hex,)) or 0) != version
            or (version == 0 and self._one(queries.TOMBSTONE, (draft.hex,)))
        ]

    def _taken(self, group: Group) -> list[UUID]:
        wanted = [r for r in group.registers if r["register"] == "take_slot"]
        holders = [
            self._one(queries.SLOT, _slot(r["owner"], r["form"], r["subject"])) for r in wanted
        ]
        return [
            UUID(h)
            for h, r in zip(holders, wanted, strict=True)
            if h not in (None, UUID(r["draft"]).hex)
        ]

    async def load(self, draft: UUID) -> Loaded | None:
        """All that makes a draft's aggregate; None if there is no such draft."""
        rows = self._rows(queries.NEAREST_STATE, (draft.hex,))
        state = State(draft, *rows[0]) if rows else None
        records = self._records(draft, state.version if state else 0, 2**62)
        kept = self._one(queries.KEPT_STATE, (draft.hex,)) or 0
        return Loaded(state, records, kept) if state or records else None

    async def events(self, draft: UUID, after: int, upto: int) -> Sequence[Record]:
        """The events with `after < version <= upto`, oldest first."""
        return self._records(draft, after, upto)

    async def version_of_seq(self, draft: UUID, device: str, seq: int) -> int | None:
        """The version that a device's number was recorded as."""
        return cast("int | None", self._one(queries.VERSION_OF_SEQ, (draft.hex, device, seq)))

    async def holder_of_slot(self, owner: str, form: str, subject: str | None) -> UUID | None:
        """The open draft that holds a slot."""
        held = self._one(queries.SLOT, _slot(owner, form, subject))
        return None if held is None else UUID(held)

    async def imported_as(self, import_id: UUID) -> UUID | None:
        """The draft that an import went to, whatever became of it; None if it never happened."""
        found = self._one(queries.IMPORTED, (str(import_id),))
        return None if found is None else UUID(found)

    async def key_of(self, sub: str) -> str | None:
        """A person's key, if the person ever wrote."""
        return cast("str | None", self._one("SELECT key FROM people WHERE sub = ?", (sub,)))

    async def new_key(self, sub: str, key: str) -> str:
        """Give a person this key, unless there is one already; the key that holds."""
        self._rows("INSERT INTO people VALUES (?, ?) ON CONFLICT DO NOTHING", (key, sub))
        return cast("str", await self.key_of(sub))

    async def subs_of(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The names behind keys."""
        marks = ", ".join("?" * len(keys))
        return dict(self._rows(f"SELECT key, sub FROM people WHERE key IN ({marks})", tuple(keys)))

    async def link(self, id_: str) -> LinkRow | None:
        """The share link of this id, unless it was taken back."""
        rows = self._rows(queries.LINK, (id_,))
        if not rows:
            return None
        draft, role, token_hash, expires_at = rows[0]
        return LinkRow(id_, UUID(draft), role, token_hash, _moment(expires_at))

    # -- form definitions

    async def keep_form(self, form: str, definition: str, by: str, at: datetime) -> None:
        """Keep a definition as the newest of its form; earlier ones stay."""
        with self._transaction() as connection:
            connection.execute(queries.KEEP_FORM, (form, definition, by, _text(at)))
            connection.execute(queries.UNREST, (form,))

    async def unrest(self, form: str) -> None:
        """Forget what is known of a form's quiet drafts, so that they come to rest again."""
        self._rows(queries.UNREST, (form,))

    async def forms(self, after: int) -> Sequence[FormRow]:
        """The newest definition of each form kept after a number, in the order of their numbers."""
        return [FormRow(*row) for row in self._rows(queries.FORMS, (after,))]

    # -- reading for a principal

    async def read(self, principal: str, draft: UUID, upto: int | None = None) -> Reading | None:
        """The current form state, or that of an earlier version, as it is in the log now."""
        if (role := await self.role(principal, draft)) is None:
            return None
        head = cast("int", self._one(queries.LAST_VERSION, (draft.hex,)))
        wanted = head if upto is None else min(upto, head)
        states = self._rows(queries.STATE_BEFORE, (draft.hex, wanted))
        version, body, rest = states[0] if states else (0, None, None)
        tail = self._rows(queries.TAIL, (draft.hex, version, wanted)) if version < wanted else ()
        return Reading(role, head, version, body, rest, tail)

    async def version_at(self, principal: str, draft: UUID, moment: datetime) -> int | None:
        """The last version saved at or before a moment."""
        return cast(
            "int | None", self._one(queries.VERSION_AT, (draft.hex, principal, _text(moment)))
        )

    async def versions(
        self, principal: str, draft: UUID, wanted: VersionFilter
    ) -> Sequence[VersionLine]:
        """Lines of the version history, newest first."""
        return self._rows(*queries.versions(principal, draft, wanted))

    async def sessions(
        self, principal: str, draft: UUID, wanted: VersionFilter
    ) -> Sequence[Mapping[str, Any]]:
        """The version history grouped: one line per person, device and spell of editing."""
        return self._dicts(*queries.sessions(principal, draft, wanted))

    async def event(self, principal: str, draft: UUID, version: int) -> Record | None:
        """One event of a draft."""
        if await self.read(principal, draft, version) is None:
            return None
        records = self._records(draft, version - 1, version)
        return records[0] if records else None

    async def span(self, principal: str, draft: UUID, after: int, upto: int) -> Sequence[Record]:
        """The events of a draft with `after < version <= upto`, oldest first."""
        if await self.role(principal, draft) is None:
            return ()
        return self._records(draft, after, upto)

    async def role(self, principal: str, draft: UUID) -> str | None:
        """What somebody may do with a draft, whatever is left of it."""
        found = self._one(queries.ROLE, (draft.hex, member(principal)))
        if found is None and is_auditor(principal) and self._one(queries.IS_THERE, (draft.hex,)):
            return "auditor"
        return cast("str | None", found)

    async def chain(self, principal: str, draft: UUID, after: int) -> Sequence[Record]:
        """The next events of a draft that there are, oldest first, a page of them."""
        return self._page(queries.CHAIN, (draft.hex, after, principal))

    async def label_of(self, principal: str, draft: UUID, version: int) -> str | None:
        """The label of a version."""
        return cast("str | None", self._one(queries.LABEL_OF, (draft.hex, principal, version)))

    async def drafts(self, principal: str, wanted: DraftFilter) -> Sequence[Mapping[str, Any]]:
        """Lines of the drafts page."""
        lines = self._dicts(*queries.drafts(principal, wanted))
        return [
            {**line, "draft": UUID(line["draft"]), "template": bool(line["template"])}
            for line in lines
        ]

    # -- audit

    async def audited(self, principal: str, wanted: AuditFilter) -> Sequence[AuditRow]:
        """The versions that an audit is about, newest first."""
        rows = await to_thread(self._searched, *queries.audited(principal, wanted))
        return [
            AuditRow(UUID(draft), version, datetime.fromisoformat(at), *facts)
            for draft, version, at, *facts in rows
        ]

    async def audited_total(self, principal: str, wanted: AuditFilter) -> tuple[int, int]:
        """How many lines these versions are, and of how many drafts; one without changes is one."""
        rows = await to_thread(self._searched, *queries.audited_total(principal, wanted))
        return cast("tuple[int, int]", rows[0])

    def _searched(self, statement: str, arguments: Any) -> list[Any]:
        """The rows of a search that may take its time, but not any time: beside the event loop."""
        until = monotonic() + AUDIT_SECONDS
        with closing(connect(self._path)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.set_progress_handler(lambda: monotonic() > until, 10_000)
            try:
                return connection.execute(statement, arguments).fetchall()
            except sqlite3.OperationalError as failed:
                if failed.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    raise too_much() from None
                raise StoreUnavailable("The database file cannot be used; try again.") from failed

    async def note_read(self, read: AuditRead) -> None:
        """Note that somebody read as an auditor."""
        self._rows(queries.NOTE_READ, tuple(map(_column, read)))

    async def reads_noted(
        self, principal: str, before: int | None, limit: int
    ) -> Sequence[tuple[int, AuditRead]]:
        """What auditors read, newest first, each with its number; for auditors only."""
        if not is_auditor(principal):
            return ()
        rows = self._rows(queries.READS_NOTED, (2**62 if before is None else before, limit))
        return [(number, _audit_read(*row)) for number, *row in rows]

    # -- machines' keys

    async def add_api_key(self, key: ApiKey) -> None:
        """Keep a new key."""
        columns = (key.id, key.name, key.role, key.digest)
        times = map(_column, (key.created_at, key.expires_at, key.revoked_at))
        self._rows(queries.ADD_API_KEY, (*columns, *times))

    async def api_key(self, id_: str) -> ApiKey | None:
        """The key of this id, also if it has ended."""
        rows = self._rows(f"{queries.API_KEY} WHERE id = ?", (id_,))
        return _api_key(rows[0]) if rows else None

    async def api_keys(self) -> Sequence[ApiKey]:
        """All keys there ever were, oldest first."""
        return [_api_key(r) for r in self._rows(f"{queries.API_KEY} ORDER BY created_at, id", ())]

    async def revoke_api_key(self, id_: str, at: datetime) -> bool:
        """End a key; one that has ended stays as it is. False if there is none of this id."""
        return self._one(queries.REVOKE_API_KEY, (_text(at), id_)) is not None

    # -- the read models

    async def head(self) -> int:
        """The position of the last event in the log."""
        return cast("int", self._one("SELECT coalesce(max(rowid), 0) FROM stored_events", ()))

    async def position(self, name: str) -> int:
        """How far a read model has come."""
        return cast("int", self._one("SELECT position FROM positions WHERE name = ?", (name,)))

    async def lines(self, after: int, limit: int) -> Sequence[Line]:
        """The next events of the log, in the order in which they were committed."""
        rows = self._rows(queries.LINES, (after, limit))
        return [Line(row[0], Record(UUID(row[1]), *row[2:])) for row in rows]

    async def moves(self, after: int, limit: int) -> Moves:
        """What the next events of the log did, without reading them."""
        rows = self._rows(queries.MOVES, (after, limit))
        return to_moves([(UUID(draft), *rest) for draft, *rest in rows])

    async def take(
        self,
        name: str,
        expected: int,
        position: int,
        rows: Sequence[Mapping[str, Any]],
        aside: Sequence[Mapping[str, Any]] = (),
    ) -> bool:
        """Write rows and the new position in one transaction; False if another process was faster."""
        with self._transaction() as connection:
            if connection.execute(queries.ADVANCE, (position, name, expected)).rowcount == 0:
                return False
            connection.executemany(queries.TAKE_DRAFT, [_columns(row) for row in rows])
            connection.executemany(
                queries.SET_ASIDE, [{"name": name, **_columns(event)} for event in aside]
            )
        return True

    async def rest(self, states: Sequence[tuple[State, Resting]]) -> None:
        """Put down quiet drafts' whole states, each with what the drafts page knows by it."""
        with self._transaction() as connection:
            for state, quiet in states:
                draft = state.draft.hex
                arguments = (draft, state.version, state.body, state.rest, state.hash, draft)
                connection.execute(queries.REST, arguments)
                connection.execute(queries.NO_OLDER_REST, (draft, state.version))
                rested = (state.version, *astuple(quiet), draft, state.version)
                connection.execute(queries.RESTED, rested)

    async def unrested(self, limit: int, principal: str | None = None) -> Sequence[UUID]:
        """Drafts whose resting state lies behind their line; only one principal's, if given."""
        return [UUID(row[0]) for row in self._rows(queries.UNRESTED, (principal, principal, limit))]

    async def forget_search(self, form: str) -> None:
        """Let what searches see of a form's drafts be made anew, when it is next looked for."""
        self._rows(queries.FORGET_SEARCH, (form,))

    # -- rebuilding

    async def count_drafts(self) -> int:
        """How many drafts the log knows."""
        return cast("int", self._one(queries.COUNT_DRAFTS, ()))

    async def draft_ids(self, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts of the log in the order of their ids."""
        return [UUID(row[0]) for row in self._rows(queries.DRAFT_IDS, (after.hex, limit))]

    async def replace(self, rebuilt: Rebuilt) -> None:
        """Put a draft's rows in the place of the old ones, up to the version that was read."""
        draft = rebuilt.draft.hex
        with self._transaction() as connection:
            if self._one(queries.TOMBSTONE, (draft,)):
                return
            labels = relabelled(rebuilt.labels, self._records(rebuilt.draft, rebuilt.head, 2**62))
            for table in ("versions", "states", "drafts", "set_aside"):
                connection.execute(
                    f"DELETE FROM {table} WHERE draft = ? AND version <= ?", (draft, rebuilt.head)
                )
            rows = [_version(record, row, labels) for record, row in rebuilt.rows]
            connection.executemany(queries.ADD_LABELLED, rows)
            states = [(*_state(state), False) for state in rebuilt.states]
            if rebuilt.resting is not None:
                states.append((*_state(rebuilt.resting), True))
            connection.executemany(queries.ADD_STATE, states)
            connection.execute(queries.TAKE_DRAFT, _columns(rebuilt.line))
            rested = (rebuilt.head, *astuple(rebuilt.quiet), draft, rebuilt.head)
            connection.execute(queries.RESTED, rested)

    async def remove_strays(self) -> None:
        """Remove rows of read models whose draft the log does not know."""
        with self._transaction() as connection:
            for statement in queries.STRAYS:
                connection.execute(statement)

    async def set_aside(self) -> Sequence[Mapping[str, Any]]:
        """The events that a read model could not take."""
        return self._dicts(
            "SELECT name, draft, version, problem FROM set_aside ORDER BY 1, 2, 3 LIMIT 100", ()
        )

    # -- what moves meanwhile

    async def moved(self, after: int, drafts: Collection[UUID]) -> tuple[int, Collection[UUID]]:
        """The head of the log now, and which of these drafts have events after a position."""
        head, moved = await self.head(), set()
        for row in self._rows(queries.MOVED_AFTER, (after,)) if head > after else ():
            moved.add(UUID(row[0]))
        return head, moved.intersection(drafts)

    async def listen(self, hear: Hear) -> None:
        """Hear nothing, for as long as it is wanted: SQLite has one process."""
        del hear
        await asyncio.get_running_loop().create_future()

    async def say(self, what: str) -> None:
        """Say nothing: nobody else is there."""

    # -- proving

    async def chains(self, after: tuple[UUID, int], last: UUID = END) -> Sequence[Record]:
        """The next events after a draft's version, draft by draft up to `last`, a page of them."""
        return self._page(queries.CHAINS, (after[0].hex, after[1], last.hex))

    async def heads(self, after: UUID) -> Sequence[Head]:
        """The last events of the next drafts, in the order of their ids, a page of them."""
        return [Head(UUID(row[0]), *row[1:]) for row in self._rows(queries.HEADS, (after.hex,))]

    async def tombstones(self, after: UUID) -> Sequence[Head]:
        """The last events of drafts that were purged, in the order of their ids, a page of them."""
        rows = self._rows(queries.TOMBSTONES, (after.hex,))
        return [Head(UUID(row[0]), *row[1:]) for row in rows]

    def _page(self, statement: str, arguments: Any) -> list[Record]:
        """As many records as fit on a page; SQLite reads no further than it is asked to."""
        records: list[Record] = []
        size = 0
        try:
            with closing(self._open().execute(statement, arguments)) as rows:
                while size < PAGE_BYTES and (row := rows.fetchone()) is not None:
                    draft, version, topic, state, by, link = row
                    names = (topic.decode(errors="replace"), state, by.decode(errors="replace"))
                    records.append(Record(UUID(draft), version, *names, link))
                    size += len(state)
        except sqlite3.OperationalError as failed:
            raise StoreUnavailable("The database file cannot be used; try again.") from failed
        return records

    # -- the connection

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreUnavailable("The store is closed.")
        return self._connection

    def _rows(self, statement: str, arguments: Any) -> list[Any]:
        try:
            return self._open().execute(statement, arguments).fetchall()
        except sqlite3.OperationalError as failed:
            raise StoreUnavailable("The database file cannot be used; try again.") from failed

    def _one(self, statement: str, arguments: Any) -> Any:
        rows = self._rows(statement, arguments)
        return rows[0][0] if rows else None

    def _records(self, draft: UUID, after: int, upto: int) -> list[Record]:
        return [Record(draft, *row) for row in self._rows(queries.EVENTS, (draft.hex, after, upto))]

    def _dicts(self, statement: str, arguments: Any) -> list[dict[str, Any]]:
        cursor = self._open().execute(statement, arguments)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction; nothing awaits inside it, so no other task can come between."""
        connection = self._open()
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as failed:
            raise StoreUnavailable("The database file cannot be written; try again.") from failed


def _write(connection: sqlite3.Connection, group: Group) -> int:
    # Who comes in may write in this very group, and who goes may have written before.
    for register in group.registers:
        if register["register"] == "grant":
            _apply(connection, register, [queries.LET_IN])
    head = 0
    for record, row in zip(group.records, group.rows, strict=True):
        draft = record.draft.hex
        if not _may_add(connection, record):
            raise Forbidden("You may not write to this draft any more.")
        event = (draft, record.version, record.topic, record.state, record.by, record.hash)
        head = connection.execute(queries.ADD_EVENT, event).lastrowid or 0
        line = (row.device, row.seq, row.paths, row.reason)
        act = record.topic.rpartition(".")[2]
        connection.execute(
            queries.ADD_VERSION, (draft, record.version, _text(row.at), act, record.by, *line)
        )
    for state in group.states:
        connection.execute(queries.KEEP_STATE, _state(state))
    for register in group.registers:
        _apply(connection, register, queries.REGISTERS[register["register"]])
    return head


def _may_add(connection: sqlite3.Connection, record: Record) -> bool:
    if record.by == SERVICE and record.topic in queries.BY_SERVICE:
        return True
    asked = (record.draft.hex, record.by, record.topic)
    return connection.execute(queries.MAY_ADD, asked).fetchone() is not None


def _version(record: Record, row: VersionRow, labels: Mapping[int, str]) -> tuple[Any, ...]:
    act, label = record.topic.rpartition(".")[2], labels.get(record.version)
    line = (row.device, row.seq, row.paths, row.reason, label)
    return (record.draft.hex, record.version, _text(row.at), act, record.by, *line)


def _state(state: State) -> tuple[Any, ...]:
    return state.draft.hex, state.version, state.body, state.rest, state.hash


def _apply(
    connection: sqlite3.Connection, register: Mapping[str, Any], statements: Sequence[str]
) -> None:
    """One line of a register; the draft's own columns stand in it by name."""
    arguments: dict[str, Any] = {**register, "draft": UUID(register["draft"]).hex}
    if "form" in register:
        arguments |= {
            "subject": register["subject"] or "",
            "has_subject": register["subject"] is not None,
        }
    for statement in statements:
        connection.execute(statement, arguments)


def _slot(owner: str, form: str, subject: str | None) -> tuple[Any, ...]:
    return owner, form, subject or "", subject is not None


def _text(moment: datetime) -> str:
    """RFC 3339 in UTC, always with six digits, so that texts sort as times do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _api_key(row: Sequence[Any]) -> ApiKey:
    *columns, created, expires, revoked = row
    return ApiKey(*columns, *map(_moment, (created, expires, revoked)))


def _audit_read(
    at: str, by: str, path: str, asked: str, draft: str | None, *more: Any
) -> AuditRead:
    where = None if draft is None else UUID(draft)
    return AuditRead(datetime.fromisoformat(at), by, path, asked, where, *more)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _column(value) for name, value in row.items()}


def _column(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    return _text(value) if isinstance(value, datetime) else value

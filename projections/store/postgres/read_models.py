"""Read models on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from projections.store.postgres.queries import EVENTS, WRITERS
from projections.store.postgres.rows import Working, as_json, records_of, rows_of
from projections.store.records import Record, Resting, State, VersionRow, relabelled

if TYPE_CHECKING:
    from projections.rebuild import Rebuilt

PUT_DRAFT: LiteralString = """
    INSERT INTO drafts (draft, owner, form, subject, title, status, template, version, step, completed_steps,
                        conflicts, created_at, saved_at, saved_by, saved_device, expires_at, closed_at, forked_from,
                        from_template, filled, fields)
    SELECT draft, owner, form, subject, title, status, template, version, step, completed_steps,
           conflicts, created_at, saved_at, saved_by, saved_device, expires_at, closed_at, forked_from,
           from_template, filled, fields
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
        draft uuid, owner text, form text, subject text, title text, status text, template boolean,
        version bigint, step text, completed_steps text, conflicts integer, created_at timestamptz,
        saved_at timestamptz, saved_by text, saved_device text, expires_at timestamptz, closed_at timestamptz,
        forked_from text,
        from_template text, filled integer, fields integer)
    WHERE NOT EXISTS (SELECT FROM tombstones t WHERE t.draft = r.draft)
    ON CONFLICT (draft) DO UPDATE SET
        owner = excluded.owner, title = excluded.title, status = excluded.status,
        template = excluded.template, version = excluded.version, step = excluded.step,
        completed_steps = excluded.completed_steps, conflicts = excluded.conflicts,
        saved_at = excluded.saved_at, saved_by = excluded.saved_by, saved_device = excluded.saved_device,
        expires_at = excluded.expires_at, closed_at = excluded.closed_at,
        filled = excluded.filled, fields = excluded.fields
    WHERE drafts.version <= excluded.version
"""
TAKE_DRAFTS: LiteralString = f"""
    WITH advanced AS (
        UPDATE positions SET position = %(position)s WHERE name = %(name)s AND position = %(expected)s
        RETURNING position
    ), taken AS ({PUT_DRAFT.replace("WHERE NOT EXISTS", "WHERE EXISTS (SELECT FROM advanced) AND NOT EXISTS")})
    SELECT position FROM advanced
"""
SET_ASIDE = "SELECT name, draft, version, problem FROM set_aside ORDER BY 1, 2, 3 LIMIT 100"
ADD_ASIDE = (
    "INSERT INTO set_aside SELECT %(name)s, %(position)s, %(draft)s, %(version)s, %(problem)s "
    "WHERE NOT EXISTS (SELECT FROM tombstones t WHERE t.draft = %(draft)s) ON CONFLICT DO NOTHING"
)
# Before rows of read models are written, in a statement of its own: what `purge` does comes before all
# of it, and then its tombstone is seen, or after all of it.
NOT_WHILE_PURGING = "SELECT pg_advisory_xact_lock_shared(8602220)"
REST = """
    WITH given AS (
        SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::bytea[], %b::bytea[], %b::bytea[], %b::text[],
                             %b::text[], %b::integer[], %b::integer[], %b::text[])
            AS g(draft, version, body, rest, hash, search, resume, filled, fields, title)
        WHERE NOT EXISTS (SELECT FROM tombstones t WHERE t.draft = g.draft)
    ), rested AS (
        INSERT INTO states (draft, version, body, rest, hash, resting)
        SELECT draft, version, body, rest, hash, true FROM given ON CONFLICT DO NOTHING
    ), older AS (
        DELETE FROM states s USING given g WHERE s.draft = g.draft AND s.resting AND s.version < g.version
    )
    UPDATE drafts d SET rested = g.version, search = g.search, resume = g.resume, filled = g.filled, fields = g.fields,
                        title = CASE WHEN d.version = g.version THEN g.title ELSE d.title END
    FROM given g WHERE d.draft = g.draft AND d.rested < g.version
"""
RESTED = (
    "UPDATE drafts SET rested = %s, search = %s, resume = %s, filled = %s, fields = %s, title = %s "
    "WHERE draft = %s AND rested < %s"
)
UNRESTED = """
    SELECT d.draft FROM drafts d WHERE d.rested < d.version AND (%b::text IS NULL OR EXISTS (
        SELECT FROM access a WHERE a.draft = d.draft AND a.principal = %b::text)) LIMIT %b
"""
TOMBSTONE = "SELECT 1 FROM tombstones WHERE draft = %b"
ADD_VERSION = (
    "INSERT INTO versions (draft, version, at, act, by, device, seq, paths, reason, label) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
# A draft may come to rest between the removing of its states and the adding of those made anew.
ADD_STATE = (
    "INSERT INTO states (draft, version, body, rest, hash, resting) VALUES (%s, %s, %s, %s, %s, %s) "
    "ON CONFLICT (draft, version) DO UPDATE SET body = excluded.body, rest = excluded.rest, "
    "hash = excluded.hash, resting = excluded.resting"
)
TABLES: tuple[LiteralString, ...] = ("versions", "states", "drafts", "set_aside")
REPLACED = [f"DELETE FROM {table} WHERE draft = %s AND version <= %s" for table in TABLES]
STRAYS = [
    f"DELETE FROM {table} WHERE draft NOT IN (SELECT originator_id FROM stored_events)"
    for table in TABLES
]


class PostgresReadModels:
    """The read models in one PostgreSQL database."""

    def __init__(self, working: Working) -> None:
        self._working = working

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
            taken = await connection.execute(TAKE_DRAFTS, {**arguments, "rows": as_json(rows)})
            if await taken.fetchone() is None:
                return False
            for event in aside:
                await connection.execute(ADD_ASIDE, {"name": name, **event})
        return True

    async def set_aside(self) -> Sequence[Mapping[str, Any]]:
        """The events that a read model could not take."""
        async with self._working() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(SET_ASIDE)
            return await cursor.fetchall()

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
            [quiet.title for _, quiet in states],
        )
        async with self._not_while_purging() as connection:
            await connection.execute(REST, columns)

    async def unrested(self, limit: int, principal: str | None = None) -> Sequence[UUID]:
        """Drafts whose resting state lies behind their line; only one principal's, if given."""
        async with self._working() as connection:
            return [
                row[0] for row in await rows_of(connection, UNRESTED, (principal, principal, limit))
            ]

    async def replace(self, rebuilt: Rebuilt) -> None:
        """Put a draft's rows in the place of the old ones, up to the version that was read."""
        draft, upto = rebuilt.draft, (rebuilt.draft, rebuilt.head)
        async with self._working() as connection, connection.transaction():
            await connection.execute(WRITERS)
            if await rows_of(connection, TOMBSTONE, (draft,)):
                return
            for statement in REPLACED:
                await connection.execute(statement, upto)
            # What was labelled after the log was read; nobody writes now.
            later = await rows_of(connection, EVENTS, (draft, rebuilt.head, 2**62))
            labels = relabelled(rebuilt.labels, records_of(draft, later))
            cursor = connection.cursor()
            await cursor.executemany(
                ADD_VERSION,
                [_version(record, row, labels) for record, row in rebuilt.rows],
            )
            await cursor.executemany(ADD_STATE, [_state(state, False) for state in rebuilt.states])
            if rebuilt.resting is not None:
                await cursor.execute(ADD_STATE, _state(rebuilt.resting, True))
            await cursor.execute(PUT_DRAFT, {"rows": as_json([rebuilt.line])})
            await cursor.execute(
                RESTED, (rebuilt.head, *astuple(rebuilt.quiet), draft, rebuilt.head)
            )

    async def remove_strays(self) -> None:
        """Remove rows of read models whose draft the log does not know."""
        async with self._working() as connection, connection.transaction():
            for statement in STRAYS:
                await connection.execute(statement)

    @asynccontextmanager
    async def _not_while_purging(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A transaction for rows of read models; all of it travels in one go."""
        async with (
            self._working() as connection,
            connection.pipeline(),
            connection.transaction(),
        ):
            await connection.execute(NOT_WHILE_PURGING)
            yield connection


def _version(record: Record, row: VersionRow, labels: Mapping[int, str]) -> tuple[Any, ...]:
    act, label = record.topic.rpartition(".")[2], labels.get(record.version)
    line = (row.device, row.seq, row.paths, row.reason, label)
    return (record.draft, record.version, row.at, act, record.by, *line)


def _state(state: State, resting: bool) -> tuple[Any, ...]:
    return (state.draft, state.version, state.body, state.rest, state.hash, resting)

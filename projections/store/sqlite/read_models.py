"""Read models on SQLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING, Any
from uuid import UUID

from projections.store.records import Record, Resting, State, VersionRow, relabelled
from projections.store.sqlite.queries import EVENTS, TOMBSTONE
from projections.store.sqlite.rows import (
    Rows,
    Transaction,
    columns,
    state_columns,
    text,
)

if TYPE_CHECKING:
    from projections.rebuild import Rebuilt

ADVANCE = "UPDATE positions SET position = ? WHERE name = ? AND position = ?"
TAKE_DRAFT = """
    INSERT INTO drafts (draft, owner, form, subject, title, status, template, version, step, completed_steps,
                        conflicts, created_at, saved_at, saved_by, saved_device, expires_at, closed_at, forked_from,
                        from_template, filled, fields)
    SELECT :draft, :owner, :form, :subject, :title, :status, :template, :version, :step, :completed_steps,
           :conflicts, :created_at, :saved_at, :saved_by, :saved_device, :expires_at, :closed_at, :forked_from,
           :from_template, :filled, :fields
    WHERE NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.draft = :draft)
    ON CONFLICT (draft) DO UPDATE SET
        owner = excluded.owner, title = excluded.title, status = excluded.status,
        template = excluded.template, version = excluded.version, step = excluded.step,
        completed_steps = excluded.completed_steps, conflicts = excluded.conflicts,
        saved_at = excluded.saved_at, saved_by = excluded.saved_by, saved_device = excluded.saved_device,
        expires_at = excluded.expires_at, closed_at = excluded.closed_at,
        filled = excluded.filled, fields = excluded.fields
    WHERE drafts.version <= excluded.version
"""
SET_ASIDE = "SELECT name, draft, version, problem FROM set_aside ORDER BY 1, 2, 3 LIMIT 100"
ADD_ASIDE = (
    "INSERT INTO set_aside SELECT :name, :position, :draft, :version, :problem "
    "WHERE NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.draft = :draft) ON CONFLICT DO NOTHING"
)
REST = (
    "INSERT INTO states (draft, version, body, rest, hash, resting) SELECT ?, ?, ?, ?, ?, 1 "
    "WHERE NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.draft = ?) ON CONFLICT DO NOTHING"
)
NO_OLDER_REST = "DELETE FROM states WHERE draft = ? AND resting AND version < ?"
RESTED = (
    "UPDATE drafts SET rested = ?1, search = ?2, resume = ?3, filled = ?4, fields = ?5, "
    "title = CASE WHEN version = ?1 THEN ?6 ELSE title END WHERE draft = ?7 AND rested < ?8"
)
UNRESTED = (
    "SELECT d.draft FROM drafts d WHERE d.rested < d.version AND (? IS NULL OR EXISTS ("
    "SELECT 1 FROM access a WHERE a.draft = d.draft AND a.principal = ?)) LIMIT ?"
)
ADD_VERSION = "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADD_STATE = "INSERT INTO states VALUES (?, ?, ?, ?, ?, ?)"
TABLES = ("versions", "states", "drafts", "set_aside")
REPLACED = [f"DELETE FROM {table} WHERE draft = ? AND version <= ?" for table in TABLES]
STRAYS = [
    f"DELETE FROM {table} WHERE draft NOT IN (SELECT originator_id FROM stored_events)"
    for table in TABLES
]


class SqliteReadModels:
    """The read models in one SQLite file."""

    def __init__(self, rows: Rows, transaction: Transaction) -> None:
        self._rows, self._transaction = rows, transaction

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
            if connection.execute(ADVANCE, (position, name, expected)).rowcount == 0:
                return False
            connection.executemany(TAKE_DRAFT, [columns(row) for row in rows])
            connection.executemany(ADD_ASIDE, [{"name": name, **columns(event)} for event in aside])
        return True

    async def set_aside(self) -> Sequence[Mapping[str, Any]]:
        """The events that a read model could not take."""
        names = ("name", "draft", "version", "problem")
        return [dict(zip(names, row, strict=True)) for row in self._rows(SET_ASIDE, ())]

    async def rest(self, states: Sequence[tuple[State, Resting]]) -> None:
        """Put down quiet drafts' whole states, each with what the drafts page knows by it."""
        with self._transaction() as connection:
            for state, quiet in states:
                draft = state.draft.hex
                arguments = (draft, state.version, state.body, state.rest, state.hash, draft)
                connection.execute(REST, arguments)
                connection.execute(NO_OLDER_REST, (draft, state.version))
                rested = (state.version, *astuple(quiet), draft, state.version)
                connection.execute(RESTED, rested)

    async def unrested(self, limit: int, principal: str | None = None) -> Sequence[UUID]:
        """Drafts whose resting state lies behind their line; only one principal's, if given."""
        return [UUID(row[0]) for row in self._rows(UNRESTED, (principal, principal, limit))]

    async def replace(self, rebuilt: Rebuilt) -> None:
        """Put a draft's rows in the place of the old ones, up to the version that was read."""
        draft = rebuilt.draft.hex
        with self._transaction() as connection:
            if self._rows(TOMBSTONE, (draft,)):
                return
            later = self._rows(EVENTS, (draft, rebuilt.head, 2**62))
            labels = relabelled(rebuilt.labels, [Record(rebuilt.draft, *row) for row in later])
            for statement in REPLACED:
                connection.execute(statement, (draft, rebuilt.head))
            rows = [_version(record, row, labels) for record, row in rebuilt.rows]
            connection.executemany(ADD_VERSION, rows)
            states = [(*state_columns(state), False) for state in rebuilt.states]
            if rebuilt.resting is not None:
                states.append((*state_columns(rebuilt.resting), True))
            connection.executemany(ADD_STATE, states)
            connection.execute(TAKE_DRAFT, columns(rebuilt.line))
            rested = (rebuilt.head, *astuple(rebuilt.quiet), draft, rebuilt.head)
            connection.execute(RESTED, rested)

    async def remove_strays(self) -> None:
        """Remove rows of read models whose draft the log does not know."""
        with self._transaction() as connection:
            for statement in STRAYS:
                connection.execute(statement)


def _version(record: Record, row: VersionRow, labels: Mapping[int, str]) -> tuple[Any, ...]:
    act, label = record.topic.rpartition(".")[2], labels.get(record.version)
    line = (row.device, row.seq, row.paths, row.reason, label)
    return (record.draft.hex, record.version, text(row.at), act, record.by, *line)

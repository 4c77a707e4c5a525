"""How a group of saves is written on SQLite: row by row, within one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from domain.errors import Forbidden
from domain.origin import SERVICE
from projections.store.records import Group, Record
from projections.store.sqlite.queries import (
    ADD_EVENT,
    ADD_VERSION,
    BY_SERVICE,
    KEEP_STATE,
    LET_IN,
    MAY_ADD,
    REGISTERS,
)
from projections.store.sqlite.rows import state_columns, text


def write(connection: sqlite3.Connection, group: Group) -> int:
    """Write a group within a transaction; the position of its last event.

    Raises:
        Forbidden: A row's principal may not write to that draft.
    """
    # Who comes in may write in this very group, and who goes may have written before.
    for register in group.registers:
        if register["register"] == "grant":
            _apply(connection, register, [LET_IN])
    head = 0
    for record, row in zip(group.records, group.rows, strict=True):
        draft = record.draft.hex
        if not _may_add(connection, record):
            raise Forbidden("You may not write to this draft any more.")
        event = (draft, record.version, record.topic, record.state, record.by, record.hash)
        head = connection.execute(ADD_EVENT, event).lastrowid or 0
        line = (row.device, row.seq, row.paths, row.reason)
        act = record.topic.rpartition(".")[2]
        connection.execute(
            ADD_VERSION, (draft, record.version, text(row.at), act, record.by, *line)
        )
    for state in group.states:
        connection.execute(KEEP_STATE, state_columns(state))
    for register in group.registers:
        _apply(connection, register, REGISTERS[register["register"]])
    return head


def _may_add(connection: sqlite3.Connection, record: Record) -> bool:
    if record.by == SERVICE and record.topic in BY_SERVICE:
        return True
    asked = (record.draft.hex, record.by, record.topic)
    return connection.execute(MAY_ADD, asked).fetchone() is not None


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


def slot(owner: str, form: str, subject: str | None) -> tuple[Any, ...]:
    """The place that one open draft can hold, as its table has it."""
    return owner, form, subject or "", subject is not None

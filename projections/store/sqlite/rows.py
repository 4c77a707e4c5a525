"""Rows as SQLite keeps them, and what they hold as values: ids are 32 hex digits, times are texts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from projections.store.records import State

Rows: TypeAlias = Callable[[str, Any], list[Any]]
Transaction: TypeAlias = Callable[[], AbstractContextManager[sqlite3.Connection]]


def one(rows: Sequence[Any]) -> Any:
    """The only value."""
    return rows[0][0] if rows else None


def state_columns(state: State) -> tuple[Any, ...]:
    """A whole state as its table has it."""
    return state.draft.hex, state.version, state.body, state.rest, state.hash


def columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name as columns have them."""
    return {name: column(value) for name, value in row.items()}


def column(value: Any) -> Any:
    """A value as a column has it."""
    if isinstance(value, UUID):
        return value.hex
    return text(value) if isinstance(value, datetime) else value


def text(moment: datetime) -> str:
    """RFC 3339 in UTC, always with six digits, so that texts sort as times do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_in(text: str | None) -> datetime | None:
    """The moment that a text is, if there is one."""
    return None if text is None else datetime.fromisoformat(text)

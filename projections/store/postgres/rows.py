"""Rows as PostgreSQL answers them, and what they hold as values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import orjson
from psycopg import AsyncConnection

from projections.store.records import Record

T = TypeVar("T")

Working: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]]
ReadingAs: TypeAlias = Callable[[str], AbstractAsyncContextManager[AsyncConnection[Any]]]


async def rows_of(connection: AsyncConnection[Any], statement: Any, arguments: Any) -> list[Any]:
    """All rows of a statement."""
    cursor = await connection.execute(statement, arguments, prepare=True, binary=True)
    return await cursor.fetchall()


def one(rows: Sequence[Any], kind: type[T]) -> T | None:
    """The only value, which is of this kind."""
    value = rows[0][0] if rows else None
    assert value is None or isinstance(value, kind)
    return value


def records_of(draft: UUID, rows: Sequence[Any]) -> list[Record]:
    """Rows of a draft's events as records."""
    return [Record(draft, *row) for row in rows]


def as_json(value: Any) -> str:
    """A value as a statement takes it in JSON."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()

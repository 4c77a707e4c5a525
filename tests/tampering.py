"""The tables as whoever owns them can write to them: past the service and past every policy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import psycopg

Tamper: TypeAlias = Callable[..., list[tuple[Any, ...]]]
"""Runs a statement in which `%s` stands for each value; ids may be given as they are."""


@contextmanager
def in_file(path: Path) -> Iterator[Tamper]:
    """Write to an SQLite file."""
    file = sqlite3.connect(path, isolation_level=None)

    def tamper(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        given = [value.hex if isinstance(value, UUID) else value for value in values]
        return file.execute(statement.replace("%s", "?"), given).fetchall()

    yield tamper
    file.close()


@contextmanager
def on_server(superuser_url: str) -> Iterator[Tamper]:
    """Write to a PostgreSQL database."""
    with psycopg.connect(superuser_url, autocommit=True) as above:
        above.execute("SET search_path TO variorum")

        def tamper(statement: str, *values: Any) -> list[tuple[Any, ...]]:
            cursor = above.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

        yield tamper

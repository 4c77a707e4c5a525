"""Operators of the service: with nothing set, or with a migrated database of either engine."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests import postgres
from tests.commands import KEYS, Operator


@pytest.fixture
def newcomer(tmp_path: Path) -> Operator:
    """Somebody who has set nothing."""
    return Operator(tmp_path)


@pytest.fixture
def operator(tmp_path: Path, database_url: str) -> Operator:
    """Somebody with a migrated database of either engine, and the keys of the tests."""
    return Operator(tmp_path, {"DATABASE_URL": database_url, **KEYS})


@pytest.fixture
def on_postgres(tmp_path: Path, postgres_database: postgres.Database) -> Operator:
    """Somebody with a migrated PostgreSQL, by the service's login."""
    return Operator(tmp_path, {"DATABASE_URL": postgres_database.service_url, **KEYS})


@pytest.fixture
def empty_database(postgres_server: postgres.Server) -> Iterator[postgres.Database]:
    """A PostgreSQL database without tables."""
    with postgres.fresh_database(postgres_server) as database:
        yield database


@pytest.fixture
def erase(request: pytest.FixtureRequest, engine: str, database_url: str) -> Callable[[str], None]:
    """Deletes all rows of a table, past every policy."""
    return lambda table: _execute(request, engine, database_url, f"DELETE FROM {table}")


@pytest.fixture
def set_schema(
    request: pytest.FixtureRequest, engine: str, database_url: str
) -> Callable[[int], None]:
    """Makes the database say that so many migrations were applied."""
    statement = {
        "sqlite": "PRAGMA user_version = {}",
        "postgres": "DELETE FROM migrations; INSERT INTO migrations VALUES ({}, 'made up')",
    }[engine]
    return lambda number: _execute(request, engine, database_url, statement.format(number))


def _execute(
    request: pytest.FixtureRequest, engine: str, database_url: str, statement: str
) -> None:
    if engine == "sqlite":
        file = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
        file.execute(statement)
        file.close()
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    database: postgres.Database = request.getfixturevalue("postgres_database")
    with psycopg.connect(server.url(postgres.SUPERUSER, database.name)) as connection:
        connection.execute(f"SET search_path TO variorum; {statement}".encode())

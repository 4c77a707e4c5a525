"""Brings an SQLite file up to date; the file's own `user_version` says how far it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import orjson

from projections.inside import Inside, altered_inside
from projections.store.migrations import migrations


def connect(path: Path) -> sqlite3.Connection:
    """A connection as the service uses it: WAL, every commit on disk, nothing deleted left readable."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA busy_timeout = 30000")
    # SQLite's own knows ASCII only.
    connection.create_function("lower", 1, str.lower, deterministic=True)
    connection.create_function("altered_inside", 3, _altered_inside, deterministic=True)
    return connection


def _altered_inside(state: bytes, path: str, inside: str) -> int:
    names, depth = orjson.loads(inside)
    return altered_inside(state, path, Inside(tuple(names), depth))


def migrate(path: Path) -> list[str]:
    """Apply what is missing; answers the names of the files applied."""
    connection = connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        has = schema_of(connection)
        missing = [migration for migration in migrations("sqlite") if migration.number > has]
        for migration in missing:
            for statement in _statements(migration.sql):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {migration.number}")
        connection.execute("COMMIT")
        return [migration.name for migration in missing]
    finally:
        connection.close()


def schema_of(connection: sqlite3.Connection) -> int:
    """The number of the last migration that was applied."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> list[str]:
    """The statements of a script one by one: `executescript` would commit before the first."""
    statements, current = [], ""
    for line in script.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            statements.append(current)
            current = ""
    return statements

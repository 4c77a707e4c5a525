"""The tables themselves, beside the store: to look into, and to break as only their owner could."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from api.settings import Settings
from tests import postgres

Ask = Callable[[str], list[tuple[Any, ...]]]
BreakEvent = Callable[[UUID, int, bytes], None]


@pytest.fixture
def ask(settings: Settings) -> Ask:
    """Statements to the tables themselves, beside the store."""

    def asked(statement: str) -> list[tuple[Any, ...]]:
        if settings.on_sqlite:
            assert settings.sqlite_path is not None
            with sqlite3.connect(settings.sqlite_path) as file:
                found = file.execute(statement).fetchall()
            file.close()
            return found
        with psycopg.connect(settings.database_url) as connection:
            connection.execute("SET ROLE variorum_worker")
            connection.execute("SET search_path TO variorum")
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return asked


@pytest.fixture
def break_event(settings: Settings, request: pytest.FixtureRequest) -> BreakEvent:
    """Alters what is stored, as only the owner of the tables could."""

    def alter(draft: UUID, version: int, state: bytes) -> None:
        if settings.on_sqlite:
            assert settings.sqlite_path is not None
            with sqlite3.connect(settings.sqlite_path) as file:
                file.execute(
                    "UPDATE stored_events SET state = ? WHERE originator_id = ? "
                    "AND originator_version = ?",
                    (state, draft.hex, version),
                )
            file.close()
            return
        _as_superuser(request, settings, state, draft, version)

    return alter


def _as_superuser(
    request: pytest.FixtureRequest, settings: Settings, state: bytes, draft: UUID, version: int
) -> None:
    server: postgres.Server = request.getfixturevalue("postgres_server")
    name = str(psycopg.conninfo.conninfo_to_dict(settings.database_url)["dbname"])
    with psycopg.connect(server.url(postgres.SUPERUSER, name)) as above:
        above.execute(
            "UPDATE variorum.stored_events SET state = %s WHERE originator_id = %s "
            "AND originator_version = %s",
            (state, draft, version),
        )

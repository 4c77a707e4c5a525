"""The tables themselves, beside the store: to look into, and to break as only their owner could."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from api.settings import Settings
from tests.tampering import Tamper

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
def break_event(tamper: Tamper) -> BreakEvent:
    """Alters what is stored, as only the owner of the tables could."""

    def alter(draft: UUID, version: int, state: bytes) -> None:
        tamper(
            "UPDATE stored_events SET state = %s WHERE originator_id = %s "
            "AND originator_version = %s",
            state,
            draft,
            version,
        )

    return alter

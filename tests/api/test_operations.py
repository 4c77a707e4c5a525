"""What an operator does to a database, each command as a real process, while the service runs."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from api import operations
from api.settings import load_settings
from projections.store.base import Store
from tests import postgres
from tests.api.calls import Caller
from tests.api.stories import everything_about, some_history
from tests.commands import NOBODY_LISTENS, Operator
from tests.running import NOON

# -- rebuild


async def test_rebuild_makes_every_read_model_as_it_was(
    operator: Operator,
    engine: str,
    ann: Caller,
    ben: Caller,
    store: Store,
    erase: Callable[[str], None],
) -> None:
    drafts = await some_history(ann, ben)
    before = [await everything_about(*one) for one in drafts]
    for table in ("versions", "states", "drafts"):
        erase(table)
    assert (await ann.lists())["items"] == []

    said = operator.succeeds("rebuild")

    assert said == f"Rebuilt the read models of {len(drafts)} drafts.\n"
    assert [await everything_about(*one) for one in drafts] == before


# -- backup


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_backup_of_sqlite_opens_and_serves(
    operator: Operator, ann: Caller, ben: Caller
) -> None:
    drafts = await some_history(ann, ben)
    before = await everything_about(*drafts[0])

    said = operator.succeeds("backup", "copy.db")

    copy = operator.having(DATABASE_URL="sqlite:///copy.db")
    assert re.fullmatch(r"Wrote copy\.db \(\d+ bytes\)\.\n", said)
    assert copy.succeeds("export") == operator.succeeds("export")
    with copy.serves() as serving:
        async with serving.called_by(ann.token) as someone:
            assert await everything_about(someone, drafts[0][1]) == before


def test_a_backup_of_sqlite_is_of_one_moment_however_much_is_saved_meanwhile(
    sqlite_file: Path, tmp_path: Path
) -> None:
    settings = load_settings(database_url=f"sqlite:///{sqlite_file}")
    writer = sqlite3.connect(sqlite_file, isolation_level=None)
    writer.execute("INSERT INTO people VALUES ('long', hex(zeroblob(4000000)))")
    steps = []

    def save_meanwhile(done: int, total: int) -> None:
        steps.append(done)
        assert len(steps) < 100, "every save makes it begin again"
        writer.execute("INSERT INTO people VALUES (?, ?)", (str(len(steps)), str(len(steps))))

    operations.backup(settings, tmp_path / "copy.db", save_meanwhile)

    assert len(steps) > 2
    assert steps == sorted(steps)
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        assert copy.execute("SELECT key FROM people").fetchall() == [("long",)]
    writer.close()
    copy.close()


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
async def test_a_backup_of_postgresql_is_restored_whole_on_another_server(
    operator: Operator,
    ann: Caller,
    ben: Caller,
    store: Store,
    postgres_server: postgres.Server,
    postgres_database: postgres.Database,
) -> None:
    await some_history(ann, ben)
    await store.forms.keep("venue", '{"form": "venue"}', "ann-key-0001", NOON)
    operator.having(PATH=with_postgres_tools()).succeeds("backup", "variorum.dump")

    with postgres.running_server(fast=True) as server, postgres.fresh_database(server) as database:
        restore(operator.folder / "variorum.dump", database)
        copy = operator.having(DATABASE_URL=database.service_url)
        copy.having(VARIORUM_OWNER_URL=database.owner_url).succeeds("migrate")

        assert contents(server, database) == contents(postgres_server, postgres_database)
        assert copy.succeeds("export") == operator.succeeds("export")
        assert "FAIL" not in copy.succeeds("doctor")
        with copy.serves() as serving:
            async with serving.called_by(ann.token) as someone:
                await someone.open({"title": "After the restore"}, another=True)


async def test_a_backup_reaches_the_database_by_all_that_its_address_says(
    on_postgres: Operator,
) -> None:
    address = on_postgres.variables["DATABASE_URL"].replace("@127.0.0.1", "@nowhere.invalid")
    operator = on_postgres.having(
        DATABASE_URL=f"{address}?hostaddr=127.0.0.1", PATH=with_postgres_tools()
    )

    assert operator.succeeds("backup", "variorum.dump").startswith("Wrote variorum.dump")


def test_a_backup_never_overwrites_a_file(operator: Operator) -> None:
    (operator.folder / "there").write_text("mine")

    assert operator.runs("backup", "there").refusal == "there exists already; name another file."
    assert (operator.folder / "there").read_text() == "mine"


def test_a_backup_says_what_pg_dump_says(on_postgres: Operator) -> None:
    operator = on_postgres.having(DATABASE_URL=NOBODY_LISTENS, PATH=with_postgres_tools())

    refusal = operator.runs("backup", "variorum.dump").refusal

    assert refusal.startswith("pg_dump failed: ")
    assert "Connection refused" in refusal
    assert not (operator.folder / "variorum.dump").exists()


def test_a_backup_without_pg_dump_says_so(on_postgres: Operator, tmp_path: Path) -> None:
    assert "pg_dump is needed" in on_postgres.having(PATH=str(tmp_path)).runs("backup", "b").refusal


# -- the words of these tests


def with_postgres_tools() -> str:
    """A PATH on which pg_dump is found, of the same release as the tests' server."""
    return f"{postgres.program('pg_dump').parent}{os.pathsep}{os.environ['PATH']}"


def restore(dump: Path, database: postgres.Database) -> None:
    """Put a backup into an empty database on another server, as the README says it."""
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("CREATE ROLE variorum_reader; CREATE ROLE variorum_worker;")
    program = postgres.program("pg_restore")
    address = f"--dbname={database.owner_url}"
    subprocess.run([program, "--exit-on-error", "--no-owner", address, dump], check=True)


def contents(server: postgres.Server, database: postgres.Database) -> dict[str, str]:
    """A digest of the rows of every table, as the superuser sees them."""
    url = server.url(postgres.SUPERUSER, database.name)
    with psycopg.connect(url, options="-c search_path=variorum") as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'variorum' ORDER BY 1"
        ).fetchall()
        return {table: _digest(connection, table) for (table,) in tables}


def _digest(connection: psycopg.Connection[Any], table: str) -> str:
    rows = sql.SQL(
        "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"
        " FROM {} t"
    )
    (found,) = connection.execute(rows.format(sql.Identifier(table))).fetchone() or ("",)
    return str(found)

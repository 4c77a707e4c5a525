"""What an operator does to a database, each command as a real process, while the service runs."""

from __future__ import annotations

import base64
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest
from psycopg import sql

from api import operations
from api.settings import load_settings
from domain.chain import FIRST, Chain, ChainKey
from projections.store.base import Store
from tests import postgres
from tests.api.calls import Caller, Document, replace
from tests.commands import KEYS, NOBODY_LISTENS, Operator
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


# -- export


async def test_an_export_has_every_event_once_in_the_order_of_commits_and_can_be_verified(
    operator: Operator, ann: Caller, ben: Caller, store: Store
) -> None:
    await some_history(ann, ben)
    records = [line.record for line in await store.lines(0, 1_000)]

    lines = operator.succeeds("export").encode().splitlines()

    assert orjson.loads(lines[0]) == {"variorum": "export", "format": 1}
    events = [orjson.loads(line) for line in lines[1:]]
    assert [(e["draft"], e["version"], e["topic"]) for e in events] == [
        (str(r.draft), r.version, r.topic) for r in records
    ]
    for line, record in zip(lines[1:], records, strict=True):
        assert line.endswith(b',"state":%b}' % record.state)
    assert {e["by"] for e in events} == {"ann", "ben"}
    assert [base64.b64decode(e["hash"]) for e in events] == links_of(events)


async def test_an_export_of_chosen_drafts_has_these_and_each_once(
    operator: Operator, ann: Caller, ben: Caller
) -> None:
    one, other, *_ = [draft for _, draft in await some_history(ann, ben)]

    everything = operator.exports()

    chosen = operator.exports(other, one, other)

    assert chosen == [
        event for draft in (other, one) for event in everything if event["draft"] == draft
    ]


async def test_an_export_never_overwrites_a_file_and_leaves_none_that_is_half_done(
    operator: Operator, ann: Caller
) -> None:
    draft = await ann.open({"title": "Jazz"})
    file = operator.folder / "drafts.jsonl"

    nobody = "00000000-0000-4000-8000-000000000000"
    unknown = operator.runs("export", draft["id"], nobody, "-o", "drafts.jsonl")
    assert unknown.refusal == f"There is no draft {nobody}."
    assert not file.exists()

    assert operator.runs("export", "-o", "drafts.jsonl").err == "Wrote 1 event.\n"
    written = file.read_bytes()
    again = operator.runs("export", "-o", "drafts.jsonl")
    assert again.refusal == "drafts.jsonl exists already; name another file."
    assert file.read_bytes() == written


def test_an_export_of_what_is_no_id_is_refused(operator: Operator) -> None:
    assert operator.runs("export", "jazz").refusal == "jazz is not the id of a draft."


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
    await store.keep_form("venue", '{"form": "venue"}', "ann-key-0001", NOON)
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


async def some_history(ann: Caller, ben: Caller) -> list[tuple[Caller, str]]:
    """Drafts of two people with most acts, a text that is stored compressed, and an open slot."""
    gig = await ann.open({"title": "Jazz", "fee": 100, "acts": [{"id": "a", "name": "Zoë"}]})
    for fee in range(101, 140):
        await ann.save(gig, replace("/fee", fee), device="mac", seq=fee)
    await ann.label(gig, 3, "asked the agency")
    await ann.undo(gig, 5)
    await ann.restore(gig, 2)
    fork = await ann.fork(gig, version=4)
    await ann.submit(fork)
    long = await ben.open({"text": "naïve 🎷 " * 2_000}, subject="42", step="text")
    await ben.save(long, replace("/text", "naïve 🎷 " * 2_000 + "!"), device="phone")
    thrown = await ben.open({"title": "Old"}, another=True)
    await ben.discard(thrown)
    return [(ann, gig["id"]), (ben, long["id"]), (ann, fork["id"]), (ben, thrown["id"])]


async def everything_about(caller: Caller, draft: str) -> list[Document]:
    """All that can be read of a draft, and the caller's list."""
    versions = await caller.versions(draft, limit=200)
    return [
        await caller.draft(draft),
        versions,
        *[await caller.draft(draft, version=line["version"]) for line in versions["items"]],
        *[await caller.version(draft, line["version"]) for line in versions["items"]],
        await caller.versions(draft, grouped="true"),
        await caller.lists(),
        await caller.lists(q="zoë"),
    ]


def links_of(events: list[Document]) -> list[bytes]:
    """The links that the events of an export must have, made again with the key of the tests."""
    chain, last = Chain(ChainKey(KEYS["VARIORUM_CHAIN_KEY"].encode())), dict[str, bytes]()
    links = []
    for event in events:
        draft, version, topic = event["draft"], event["version"], event["topic"]
        state = orjson.dumps(event["state"])
        link = chain.link(last.get(draft, FIRST), UUID(draft), version, topic, state)
        links.append(link)
        last[draft] = link
    return links


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

"""The command `variorum`, each part of it as a real process, on both engines where that matters."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import jwt
import orjson
import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from api import operations
from api.cli import cli
from api.settings import load_settings
from domain.chain import FIRST, Chain, ChainKey
from projections.store.base import Store
from tests import postgres
from tests.api.calls import Caller, Document, replace
from tests.commands import KEYS, Operator, Serving

COMMANDS = ("serve", "migrate", "rebuild", "token", "export", "backup", "doctor")
NOBODY_LISTENS = "postgresql://variorum_service@127.0.0.1:1/variorum"


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


# -- serve


async def test_whoever_sets_nothing_gets_an_address_and_a_token_that_works(
    newcomer: Operator,
) -> None:
    with newcomer.serves() as serving:
        async with calling(serving, printed_token(serving)) as dev:
            assert (await dev.open({"title": "Jazz"}))["owner"] == "dev"
            docs = await dev.client.get("/", follow_redirects=True)
            assert (docs.url.path, docs.status_code) == ("/docs", 200)
    assert mode_of(newcomer.folder / "variorum.db.secret") == 0o600


async def test_drafts_and_tokens_outlive_a_restart(newcomer: Operator) -> None:
    with newcomer.serves() as serving:
        token = printed_token(serving)
        async with calling(serving, token) as dev:
            draft = await dev.open({"title": "Jazz"})
    secret = (newcomer.folder / "variorum.db.secret").read_bytes()

    with newcomer.serves() as serving:
        async with calling(serving, token) as dev:
            assert await dev.draft(draft) == draft

    assert (newcomer.folder / "variorum.db.secret").read_bytes() == secret
    assert mode_of(newcomer.folder / "variorum.db.secret") == 0o600


def test_a_port_that_is_taken_is_refused_before_anything_is_printed(newcomer: Operator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = newcomer.runs("serve", "--port", str(port))

    assert done.refusal == (
        f"Nothing can listen on 127.0.0.1, port {port}: Address already in use;"
        " choose another with --host or --port."
    )
    assert done.out == ""


def test_the_command_line_names_address_and_port(newcomer: Operator) -> None:
    port = postgres.free_port()
    with newcomer.serves("--host", "localhost", "--port", str(port)) as serving:
        assert serving.url == f"http://localhost:{port}"


def test_several_workers_on_sqlite_are_refused(newcomer: Operator) -> None:
    assert "SQLite has one process" in newcomer.runs("serve", "--workers", "2").refusal


def test_postgresql_without_keys_is_refused_with_the_names_of_both(newcomer: Operator) -> None:
    operator = newcomer.having(DATABASE_URL=NOBODY_LISTENS)

    assert "set VARIORUM_JWT_SECRET and VARIORUM_CHAIN_KEY" in operator.runs("serve").refusal


def test_postgresql_without_tables_is_refused_with_the_command_that_makes_them(
    newcomer: Operator, postgres_template: str, empty_database: postgres.Database
) -> None:
    operator = newcomer.having(DATABASE_URL=empty_database.service_url, **KEYS)

    assert "run `variorum migrate` first" in operator.runs("serve").refusal


def test_a_postgresql_that_never_saw_variorum_is_served_after_migrate_only(
    newcomer: Operator,
) -> None:
    with postgres.running_server(fast=True) as server, postgres.fresh_database(server) as database:
        operator = newcomer.having(DATABASE_URL=database.service_url, **KEYS)
        assert "run `variorum migrate` first" in operator.runs("serve").refusal

        operator.having(VARIORUM_OWNER_URL=database.owner_url).succeeds("migrate")

        with operator.serves() as serving:
            assert "TOKEN" not in serving.greeting


def test_one_login_for_everything_serves_and_the_doctor_says_what_is_wrong_with_it(
    newcomer: Operator, empty_database: postgres.Database
) -> None:
    owner = empty_database.owner_url
    operator = newcomer.having(DATABASE_URL=owner, VARIORUM_OWNER_URL=owner, **KEYS)

    with operator.serves():
        done = operator.runs("doctor")

    assert done.code == 1
    assert "FAIL the service's login owns no table" in done.out


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
def test_serve_makes_the_tables_as_their_owner_and_then_forgets_the_owner(
    newcomer: Operator, empty_database: postgres.Database
) -> None:
    operator = newcomer.having(
        DATABASE_URL=empty_database.service_url, VARIORUM_OWNER_URL=empty_database.owner_url, **KEYS
    )
    with operator.serves("--workers", "2") as serving:
        processes = [serving.process.pid, *children_of(serving.process.pid)]
        kept = [Path(f"/proc/{process}/environ").read_bytes() for process in processes]

    assert len(kept) >= 3
    assert all(b"VARIORUM_CHAIN_KEY" in environment for environment in kept)
    assert not [e for e in kept if b"OWNER_URL" in e or b"variorum_owner" in e]


async def test_two_workers_serve_one_database_and_one_set_of_metrics(
    on_postgres: Operator,
) -> None:
    with on_postgres.serves("--workers", "2") as serving:
        answered: set[str] = set()
        for _ in range(50):
            answered |= set(await asyncio.gather(*(worker_of(serving) for _ in range(20))))
            if len(answered) == 2:
                break
        token = on_postgres.succeeds("token", "ann").strip()
        async with calling(serving, token) as ann:
            draft = await ann.open({"fee": 0})
        for version in range(2, 22):
            async with calling(serving, token) as ann, calling(serving, token) as again:
                await ann.save(draft, replace("/fee", version))
                assert (await again.draft(draft))["version"] == version
        counted = {await saves_counted(serving) for _ in range(10)}

    assert len(answered) == 2
    assert counted == {20}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_when_all_that_is_queued_is_saved_and_answered(
    operator: Operator, engine: str, how: signal.Signals
) -> None:
    with operator.serves() as serving:
        token = operator.succeeds("token", "ann").strip()
        async with several(4, serving, token) as editors:
            drafts = [await ann.open({"fee": 0}, another=True) for ann in editors]
            with write_lock(operator, engine):
                saves = [
                    asyncio.create_task(ann.save(draft, replace("/fee", 250)))
                    for ann, draft in zip(editors, drafts, strict=True)
                ]
                await asyncio.sleep(0.3)
                serving.process.send_signal(how)
                await asyncio.sleep(0.3)
                assert serving.process.poll() is None
            receipts = await asyncio.gather(*saves)
            ended = await asyncio.to_thread(serving.process.wait, 20)

    assert ended == 0, serving.said()
    assert "Traceback" not in serving.said()
    assert [receipt["version"] for receipt in receipts] == [2] * 4
    written = {(line["draft"], line["version"]) for line in exported(operator)}
    assert written >= {(draft["id"], 2) for draft in drafts}


# -- migrate


def test_migrate_twice_applies_each_file_once(
    newcomer: Operator, engine: str, empty_database: postgres.Database
) -> None:
    operator = newcomer
    if engine == "postgres":
        operator = newcomer.having(
            DATABASE_URL=empty_database.service_url, VARIORUM_OWNER_URL=empty_database.owner_url
        )

    first, second = operator.succeeds("migrate"), operator.succeeds("migrate")

    assert first.startswith("applied 001_core.sql\n")
    assert first.endswith("The tables are up to date.\n")
    assert second == "The tables are up to date.\n"


def test_migrate_on_postgresql_asks_for_the_owners_address(newcomer: Operator) -> None:
    operator = newcomer.having(DATABASE_URL=NOBODY_LISTENS)

    assert operator.runs("migrate").refusal.startswith("Set VARIORUM_OWNER_URL")


def test_migrate_says_when_its_login_may_not(
    newcomer: Operator, empty_database: postgres.Database
) -> None:
    service = empty_database.service_url
    operator = newcomer.having(DATABASE_URL=service, VARIORUM_OWNER_URL=service)

    refusal = operator.runs("migrate").refusal

    assert refusal.startswith("The database refuses the login of VARIORUM_OWNER_URL: permission")
    assert postgres.PASSWORD not in refusal


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


# -- token


@pytest.mark.parametrize(
    ("arguments", "roles", "days"),
    [
        ((), [], 30),
        (("--role", "auditor", "--role", "admin"), ["admin", "auditor"], 30),
        (("--days", "0.5"), [], 0.5),
    ],
)
def test_a_token_says_who_it_is_for_with_which_roles_and_how_long(
    newcomer: Operator, arguments: tuple[str, ...], roles: list[str], days: float
) -> None:
    operator = newcomer.having(
        **KEYS, VARIORUM_JWT_ISSUER="https://issuer.example", VARIORUM_JWT_AUDIENCE="drafts"
    )

    token = operator.succeeds("token", "ann", *arguments).strip()

    key = KEYS["VARIORUM_JWT_SECRET"]
    claims = jwt.decode(token, key, ["HS256"], issuer="https://issuer.example", audience="drafts")
    assert (claims["sub"], claims["roles"]) == ("ann", roles)
    assert timedelta(seconds=claims["exp"] - claims["iat"]) == timedelta(days=days)


@pytest.mark.parametrize("user", ["link:1", "", "a" * 201])
def test_no_token_is_made_that_the_service_would_refuse(newcomer: Operator, user: str) -> None:
    assert "sub" in newcomer.having(**KEYS).runs("token", user).refusal


def test_a_role_that_does_not_exist_is_refused(newcomer: Operator) -> None:
    done = newcomer.having(**KEYS).runs("token", "ann", "--role", "auditer")

    assert (done.code, done.out) == (2, "")
    assert "auditor" in done.err


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

    events = exported(operator, other, one, other)

    assert [e["draft"] for e in events] == [other] * events.index(
        next(e for e in events if e["draft"] == one)
    ) + [one] * sum(e["draft"] == one for e in events)
    assert {(e["draft"], e["version"]) for e in events} == {
        (e["draft"], e["version"]) for e in exported(operator) if e["draft"] in (one, other)
    }
    assert len(events) == len({(e["draft"], e["version"]) for e in events})


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
        async with calling(serving, ann.token) as someone:
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
async def test_a_backup_of_postgresql_is_restored_whole_into_a_new_database(
    operator: Operator,
    ann: Caller,
    ben: Caller,
    postgres_server: postgres.Server,
    postgres_database: postgres.Database,
    empty_database: postgres.Database,
) -> None:
    await some_history(ann, ben)
    tools = operator.having(PATH=with_postgres_tools())

    tools.succeeds("backup", "variorum.dump")
    restore(operator.folder / "variorum.dump", empty_database)

    copy = operator.having(DATABASE_URL=empty_database.service_url)
    assert contents(postgres_server, empty_database) == contents(postgres_server, postgres_database)
    assert copy.succeeds("export") == operator.succeeds("export")
    assert "FAIL" not in copy.succeeds("doctor")
    with copy.serves() as serving:
        async with calling(serving, ann.token) as someone:
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


# -- doctor


def test_the_doctor_finds_nothing_wrong_with_a_database_as_it_should_be(
    operator: Operator,
) -> None:
    said = operator.succeeds("doctor")

    assert "FAIL" not in said
    assert "VARIORUM_JWT_SECRET = ********\n" in said
    assert not [secret for secret in (*KEYS.values(), postgres.PASSWORD) if secret in said]


def test_the_doctor_names_a_secret_file_that_others_may_read(sqlite_file: Path) -> None:
    operator = Operator(sqlite_file.parent)
    operator.succeeds("token", "ann")
    (sqlite_file.parent / "variorum.db.secret").chmod(0o644)

    done = operator.runs("doctor")

    assert done.code == 1
    assert failures(done.out) == [
        "variorum.db.secret holds secrets and others may read it; chmod 600 variorum.db.secret"
    ]


@pytest.mark.parametrize(
    ("login", "problem"),
    [
        (postgres.SUPERUSER, "the service's login is bound by row-level security"),
        (postgres.OWNER, "the service's login owns no table"),
    ],
)
def test_the_doctor_names_a_login_that_may_too_much(
    on_postgres: Operator,
    postgres_server: postgres.Server,
    postgres_database: postgres.Database,
    login: str,
    problem: str,
) -> None:
    grant_roles(postgres_server, login)
    url = postgres_server.url(login, postgres_database.name)

    done = on_postgres.having(DATABASE_URL=url).runs("doctor")

    assert done.code == 1
    assert [line for line in failures(done.out) if line.startswith(problem)]


def test_the_doctor_names_a_schema_that_is_too_old_or_too_new(
    operator: Operator, set_schema: Callable[[int], None]
) -> None:
    set_schema(0)
    (too_old,) = failures(operator.runs("doctor").out)
    set_schema(999)
    (too_new,) = failures(operator.runs("doctor").out)

    assert "run `variorum migrate` first" in too_old
    assert "run the newer release" in too_new


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (NOBODY_LISTENS, "The database cannot be reached"),
        ("sqlite:///not/there.db", "There is no not/there.db here yet"),
    ],
)
def test_the_doctor_names_a_database_that_cannot_be_reached(
    newcomer: Operator, url: str, problem: str
) -> None:
    done = newcomer.having(DATABASE_URL=url, **KEYS).runs("doctor")

    assert done.code == 1
    assert [line for line in failures(done.out) if problem in line]


# -- all of them


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_that_says_what_it_does(command: str) -> None:
    said = help_of(command)

    first = next(line.strip() for line in said.splitlines()[2:] if line.strip())
    assert f"Usage: variorum {command}" in said
    assert re.match(r"[A-Z][a-z]+ [a-z]", first), first
    assert len(said.splitlines()) < 30


def test_the_help_names_every_command_with_what_it_does() -> None:
    said = help_of()

    assert re.findall(r"^│ (\w+) +[A-Z][a-z]+ ", said, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize(
    ("command", "file"),
    [
        (["migrate"], "a text"),
        (["migrate"], "a folder"),
        (["migrate"], "nowhere/at.db"),
        (["serve"], "a text"),
        (["rebuild"], "a text"),
        (["backup", "copy"], "a text"),
    ],
)
def test_what_is_no_database_file_is_refused_in_one_sentence(
    newcomer: Operator, command: list[str], file: str
) -> None:
    (newcomer.folder / "a text").write_text("Dear diary, " * 100)
    (newcomer.folder / "a folder").mkdir()
    operator = newcomer.having(DATABASE_URL=f"sqlite:///{file}", **KEYS)

    assert operator.runs(*command).refusal.startswith(f"{file} cannot be used as a database: ")
    assert not (newcomer.folder / "copy").exists()


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_database_that_cannot_be_reached_is_refused_in_one_sentence(
    newcomer: Operator, command: str
) -> None:
    operator = newcomer.having(DATABASE_URL=NOBODY_LISTENS, VARIORUM_OWNER_URL=NOBODY_LISTENS)

    refusal = operator.having(**KEYS).runs(command).refusal

    assert refusal == "The database cannot be reached as VARIORUM_OWNER_URL says."


def test_wrong_settings_are_named_in_one_sentence(newcomer: Operator) -> None:
    refusal = newcomer.having(VARIORUM_PORT="many", VARIORUM_WORKERS="0").runs("serve").refusal

    assert "VARIORUM_PORT: " in refusal
    assert "VARIORUM_WORKERS: " in refusal


# -- the words of these tests


@asynccontextmanager
async def calling(serving: Serving, token: str) -> AsyncIterator[Caller]:
    """Somebody with a token and a connection of their own."""
    async with httpx.AsyncClient(base_url=serving.url, timeout=30) as client:
        yield Caller(client, token)


@asynccontextmanager
async def several(number: int, serving: Serving, token: str) -> AsyncIterator[list[Caller]]:
    clients = [httpx.AsyncClient(base_url=serving.url, timeout=30) for _ in range(number)]
    yield [Caller(client, token) for client in clients]
    for client in clients:
        await client.aclose()


def printed_token(serving: Serving) -> str:
    found = re.search(r"TOKEN=(\S+)", serving.greeting)
    assert found, serving.greeting
    return found[1]


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def children_of(process: int) -> list[int]:
    """The processes that a process started."""
    return [int(p) for p in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


async def worker_of(serving: Serving) -> str:
    """Which worker answers on a new connection: its request ids begin alike."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{serving.url}/livez")
    return answer.headers["x-request-id"].partition("-")[0]


async def saves_counted(serving: Serving) -> int:
    """How many saves the metrics of whoever answers speak of."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{serving.url}/metrics")).text
    found = re.search(r'request_seconds_count\{method="PATCH",.*"2xx"\} (\d+)', text)
    assert found, text
    return int(found[1])


@contextmanager
def write_lock(operator: Operator, engine: str) -> Iterator[None]:
    """Nobody else can save meanwhile."""
    url = operator.variables["DATABASE_URL"]
    if engine == "sqlite":
        file = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        file.execute("BEGIN IMMEDIATE")
        yield
        file.execute("ROLLBACK")
        file.close()
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(8602217)")
            yield


def exported(operator: Operator, *drafts: str) -> list[Document]:
    """The lines of an export after the first one."""
    lines = operator.succeeds("export", *drafts).splitlines()
    return [orjson.loads(line) for line in lines[1:]]


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
    """Put a backup into an empty database, as the README says it."""
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


def grant_roles(server: postgres.Server, login: str) -> None:
    """Let a login take the service's roles, as one that an operator set up by hand might."""
    if login != postgres.SUPERUSER:
        with psycopg.connect(server.url(postgres.SUPERUSER, "postgres")) as connection:
            roles = "variorum_reader, variorum_worker"
            connection.execute(f"GRANT {roles} TO {login} WITH SET TRUE".encode())


def help_of(*command: str) -> str:
    """What `--help` says, on a terminal of 100 columns."""
    shown = CliRunner(env={"COLUMNS": "100"}).invoke(
        cli, [*command, "--help"], prog_name="variorum"
    )
    assert shown.exit_code == 0
    return shown.output


def failures(said: str) -> list[str]:
    """What the doctor found wrong."""
    return [line.removeprefix("FAIL ") for line in said.splitlines() if line.startswith("FAIL ")]

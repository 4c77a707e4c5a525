"""`variorum serve` as a real process: its start, its workers, its end, and what it refuses."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sqlite3
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import orjson
import psycopg
import pytest

from api.settings import load_settings
from tests import postgres
from tests.api.calls import Caller, replace
from tests.api.issuer import ec_key, issuing
from tests.commands import KEYS, NOBODY_LISTENS, Operator, Serving

HTML = "text/html; charset=utf-8"


async def test_whoever_sets_nothing_gets_an_address_and_a_token_that_works(
    newcomer: Operator,
) -> None:
    with newcomer.serves() as serving:
        async with serving.called_by(printed_token(serving)) as dev:
            assert (await dev.open({"title": "Jazz"}))["owner"] == "dev"
            page = await dev.client.get(address_to_open(serving))
            assert (page.status_code, page.headers["content-type"]) == (200, HTML)
    assert mode_of(newcomer.folder / "variorum.db.secret") == 0o600


async def test_drafts_and_tokens_outlive_a_restart(newcomer: Operator) -> None:
    with newcomer.serves() as serving:
        token = printed_token(serving)
        async with serving.called_by(token) as dev:
            draft = await dev.open({"title": "Jazz"})
    secret = (newcomer.folder / "variorum.db.secret").read_bytes()

    with newcomer.serves() as serving:
        async with serving.called_by(token) as dev:
            assert await dev.draft(draft) == draft

    assert (newcomer.folder / "variorum.db.secret").read_bytes() == secret
    assert mode_of(newcomer.folder / "variorum.db.secret") == 0o600


async def test_on_postgresql_nobody_gets_a_token_unless_told_so_and_then_it_is_said_loudly(
    on_postgres: Operator,
) -> None:
    with on_postgres.serves() as serving:
        assert "TOKEN" not in serving.greeting
        assert "development" not in serving.said()
    told = on_postgres.having(VARIORUM_DEVELOPMENT_USER="true")
    with told.serves("--workers", "2") as serving:
        async with serving.called_by(printed_token(serving)) as dev:
            assert (await dev.open())["owner"] == "dev"

    loud = "The development user `dev` is on: whoever reads this output can sign in"
    assert f"WARNING: {loud}" in serving.greeting
    (line,) = [orjson.loads(x) for x in serving.err.read_bytes().splitlines() if b"`dev`" in x]
    assert (line["level"], line["event"][: len(loud)]) == ("warning", loud)
    assert printed_token(serving).encode() not in serving.err.read_bytes()


async def test_with_an_issuers_keys_its_tokens_are_taken_by_every_worker(
    on_postgres: Operator,
) -> None:
    with issuing(curve=ec_key()) as issuer:
        operator = on_postgres.having(
            VARIORUM_JWKS_URL=issuer.url,
            VARIORUM_JWT_ISSUER=issuer.name,
            VARIORUM_JWT_AUDIENCE="authenticated",
        )
        token = issuer.supabase_token("curve", datetime.now(UTC))
        with operator.serves("--workers", "2") as serving:
            assert "TOKEN" not in serving.greeting
            for _ in range(10):
                async with serving.called_by(token) as somebody:
                    assert (await somebody.lists())["items"] == []


@pytest.mark.parametrize(("proxies", "believed"), [("127.0.0.0/8", True), ("10.0.0.1", False)])
async def test_where_a_request_comes_from_is_believed_of_trusted_proxies_only(
    newcomer: Operator, proxies: str, believed: bool
) -> None:
    operator = newcomer.having(VARIORUM_TRUSTED_PROXIES=proxies, VARIORUM_RATE_ADDRESS="300/hour")
    with operator.serves() as serving:
        async with httpx.AsyncClient(base_url=serving.url) as proxy:
            ask = partial(proxy.get, "/livez")
            statuses = {
                (await ask(headers={"X-Forwarded-For": f"192.0.2.{n % 250}"})).status_code
                for n in range(301)
            }
            one = [await ask(headers={"X-Forwarded-For": "198.51.100.7"}) for _ in range(301)]

    assert statuses == ({200} if believed else {200, 429})
    assert one[-1].status_code == 429
    assert one[0].status_code == (200 if believed else 429)


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
    assert (
        "FAIL the service's login owns tables: one login for everything is for a trial" in done.out
    )


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


def test_a_worker_does_not_learn_the_owners_address_from_a_file_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "VARIORUM_OWNER_URL").write_text("postgresql://variorum_owner@there/variorum")
    monkeypatch.setenv("VARIORUM_SECRETS_DIR", str(tmp_path))
    monkeypatch.delenv("VARIORUM_OWNER_URL", raising=False)

    assert load_settings().owner_url is not None
    assert load_settings(owner_url=None).owner_url is None


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
        async with serving.called_by(token) as ann:
            draft = await ann.open({"fee": 0})
        for version in range(2, 22):
            async with serving.called_by(token) as ann, serving.called_by(token) as again:
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
    written = {(line["draft"], line["version"]) for line in operator.exports()}
    assert written >= {(draft["id"], 2) for draft in drafts}


# -- the words of these tests


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


def address_to_open(serving: Serving) -> str:
    """The address that the greeting asks to open; it carries the token, out of servers' sight."""
    found = re.search(r"(http://\S+/)#token=(\S+)", serving.greeting)
    assert found, serving.greeting
    assert found[2] == printed_token(serving)
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

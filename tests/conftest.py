"""Every test gets a service of its own, on each engine: a fresh database, a clock that stands."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from pydantic import SecretStr
from starlette.types import ASGIApp

import projections.store.postgres
import projections.store.sqlite
from api.app import create_app
from api.service import open_store
from api.settings import PREFIX, Settings
from projections.store.base import Store
from tests import postgres, tampering
from tests.api.calls import Blocking, Caller, Process, caller
from tests.running import Clock, calling, serving
from tests.tampering import Tamper

ENGINES = ("sqlite", "postgres")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """What runs async tests and fixtures: pyproject's `anyio_mode` finds them without a marker."""
    return "asyncio"


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The engine of this run of the test."""
    return str(request.param)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """PostgreSQL, started when the first test asks for it."""
    with postgres.running_server(fast=True) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: postgres.Server) -> str:
    """A migrated database to copy."""
    return postgres.migrated_template(postgres_server, _migrate_postgres)


def _migrate_postgres(owner_url: str, service_url: str) -> None:
    projections.store.postgres.migrate(owner_url, service_url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("template") / "variorum.db"
    projections.store.sqlite.migrate(path)
    return path


@pytest.fixture
def postgres_database(
    postgres_server: postgres.Server, postgres_template: str
) -> Iterator[postgres.Database]:
    """A migrated PostgreSQL database of this test's own, with its two logins."""
    with postgres.fresh_database(postgres_server, postgres_template) as database:
        yield database


@pytest.fixture
def sqlite_file(sqlite_template: Path, tmp_path: Path) -> Path:
    """A migrated SQLite file of this test's own."""
    return Path(shutil.copy(sqlite_template, tmp_path / "variorum.db"))


@pytest.fixture
def database_url(request: pytest.FixtureRequest, engine: str) -> str:
    """The address of a migrated database of this test's own, by the service's login."""
    if engine == "sqlite":
        return f"sqlite:///{request.getfixturevalue('sqlite_file')}"
    database: postgres.Database = request.getfixturevalue("postgres_database")
    return database.service_url


@pytest.fixture
def settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a service on that database; nothing of them is from the environment."""
    for name in list(os.environ):
        if name.startswith(PREFIX) or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        database_url=database_url,
        jwt_secret=SecretStr("made up for tests, signs their tokens"),
        chain_key=SecretStr("made up for tests, links their events"),
        log_level="error",
        rate_user="off",  # time stands still, and some ask thousands of times
        rate_address="off",
    )


@pytest.fixture
def tamper(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Tamper]:
    """Statements to the test's tables past every policy, as their owner could make them."""
    if settings.sqlite_path is not None:
        with tampering.in_file(settings.sqlite_path) as tamper:
            yield tamper
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    database: postgres.Database = request.getfixturevalue("postgres_database")
    superuser = server.url(postgres.SUPERUSER, database.name)
    with tampering.on_server(superuser) as tamper:
        yield tamper


@pytest.fixture
def clock() -> Clock:
    """The time of the service: it stands still until the test says `clock.tick(seconds)`."""
    return Clock()


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """A started store on the test's database, beside the service's own."""
    opened = open_store(settings)
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
async def service(settings: Settings, clock: Clock) -> AsyncIterator[ASGIApp]:
    """The whole service in this process, from its start to its stop."""
    async with serving(create_app(settings, clock=clock)) as app:
        yield app


@pytest.fixture
async def client(service: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of that service."""
    async with calling(service) as http:
        yield http


@pytest.fixture
async def processes(settings: Settings, clock: Clock) -> AsyncIterator[list[Process]]:
    """Two on PostgreSQL, each with a store of its own; on SQLite there is only one."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(1 if settings.on_sqlite else 2):
            app = create_app(settings, clock=clock)
            await stack.enter_async_context(serving(app))
            client = await stack.enter_async_context(calling(app))
            made.append(Process(app, caller(client, settings, "ann")))
        yield made


@pytest.fixture
def ann(client: httpx.AsyncClient, settings: Settings) -> Caller:
    """Somebody who writes."""
    return caller(client, settings, "ann")


@pytest.fixture
def blocking_ann(settings: Settings, clock: Clock) -> Iterator[Blocking]:
    """Ann for tests that are no coroutines, with a service whose loop is in another thread."""
    app = create_app(settings, clock=clock)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(app)),
        portal.wrap_async_context_manager(calling(app)) as client,
    ):
        yield Blocking(caller(client, settings, "ann"), portal)


@pytest.fixture
def ben(client: httpx.AsyncClient, settings: Settings) -> Caller:
    """Somebody else."""
    return caller(client, settings, "ben")


@pytest.fixture
def ada(client: httpx.AsyncClient, settings: Settings) -> Caller:
    """An admin."""
    return caller(client, settings, "ada", "admin")

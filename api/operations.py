"""What an operator does to a database: migrate, rebuild, back up, examine."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from api.api_keys import ApiKeys
from api.jwks import KeysNotFetched, fetch_keys
from api.service import now, open_forms, open_store
from api.settings import ConfigurationError, Settings, variable
from domain.errors import StoreUnavailable
from domain.form import Definitions
from projections import rebuild as rebuilding
from projections.catch_up import NAME, CatchUp
from projections.store import postgres, sqlite
from projections.store.api_keys import ApiKey
from projections.store.base import Store
from projections.store.migrations import SchemaTooNew, SchemaTooOld
from projections.store.postgres import isolation
from projections.store.postgres.connections import SCHEMA, WORKER

Progress = Callable[[int, int], None]
LONGEST_NAME = 200


class Failed(Exception):
    """An operation could not be done; `str()` is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the doctor looked at."""

    well: bool
    text: str


def migrate(settings: Settings) -> Sequence[str]:
    """Bring the tables up to date; answers the files that were applied."""
    if settings.on_sqlite:
        with explained(settings):
            return sqlite.migrate(_file(settings))
    if settings.owner_url is None:
        raise ConfigurationError(
            "Set VARIORUM_OWNER_URL to the address of the tables' owner to migrate."
        )
    try:
        return postgres.migrate(settings.owner_url, settings.database_url)
    except psycopg.OperationalError as unreachable:
        raise Failed("The database cannot be reached as VARIORUM_OWNER_URL says.") from unreachable
    except psycopg.Error as refusal:
        raise Failed(
            f"The database refuses the login of VARIORUM_OWNER_URL: {_first_line(refusal)}."
        ) from refusal


def require_schema(settings: Settings) -> None:
    """Refuse to go on with tables that are not this release's."""

    async def look() -> None:
        async with opened(settings):
            pass

    asyncio.run(look())


def require_forms(settings: Settings) -> None:
    """Refuse to go on with form definitions that cannot be read, before any worker does."""
    open_forms(settings, open_store(settings))


async def rebuild(settings: Settings, progress: Progress) -> int:
    """Make every read model anew."""
    async with opened(settings) as store:
        forms = await forms_of(settings, store)
        return await rebuilding.rebuild(store, progress, forms=forms)


async def forms_of(settings: Settings, store: Store) -> Definitions:
    """The form definitions in force, as they are now."""
    forms = open_forms(settings, store)
    await forms.read()
    return forms.of


def backup(settings: Settings, output: Path, progress: Progress) -> None:
    """Copy the whole database into a new file, while the service runs."""
    if output.exists():
        raise Failed(f"{output} exists already; name another file.")
    with whole_or_not_at_all(output):
        if settings.on_sqlite:
            _copy_file(settings, output, progress)
        else:
            _dump(settings, output)


@contextmanager
def whole_or_not_at_all(output: Path) -> Iterator[None]:
    """Remove the file that was begun if it cannot be finished."""
    try:
        yield
    except BaseException:
        output.unlink(missing_ok=True)
        raise


def _copy_file(settings: Settings, output: Path, progress: Progress) -> None:
    source = _existing(settings)
    with (
        explained(settings),
        closing(sqlite3.connect(source, isolation_level=None)) as database,
        closing(sqlite3.connect(output)) as copy,
    ):
        # Without a transaction that holds this moment, every save would make it begin again.
        database.execute("BEGIN")
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        database.backup(
            copy, pages=1_000, progress=lambda _, left, total: progress(total - left, total)
        )


def _dump(settings: Settings, output: Path) -> None:
    """As the worker's role, whose policies show every row; the service's login owns nothing."""
    program = shutil.which("pg_dump")
    if program is None:
        raise Failed("pg_dump is needed for a backup of PostgreSQL and is not on the PATH.")
    login: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(settings.database_url)
    password = login.pop("password", None)  # a command line can be read by everybody
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    rows = ["--enable-row-security", f"--role={WORKER}", f"--schema={SCHEMA}"]
    address = f"--dbname={psycopg.conninfo.make_conninfo(**login)}"
    command = [program, "--format=custom", *rows, f"--file={output}", address]
    done = subprocess.run(  # noqa: S603 - the operator's own program and database
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (line.strip().removeprefix("pg_dump: ") for line in done.stderr.splitlines())
        raise Failed(f"pg_dump failed: {'; '.join(said)}")


async def create_api_key(
    settings: Settings, name: str, role: str | None, lifetime: timedelta | None
) -> str:
    """Make a key for a machine; its text, which is shown this once."""
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise Failed(f"The name must be one line of at most {LONGEST_NAME} characters.")
    async with opened(settings) as store:
        return await ApiKeys(store, now).create(name, role, lifetime)


async def list_api_keys(settings: Settings) -> Sequence[ApiKey]:
    """All keys there ever were, oldest first."""
    async with opened(settings) as store:
        return await store.api_keys.listed()


async def revoke_api_key(settings: Settings, id_: str) -> None:
    """End a key, at once and for good."""
    async with opened(settings) as store:
        if not await ApiKeys(store, now).revoke(id_):
            raise Failed(f"There is no API key {id_}; `variorum key list` shows all.")


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything that should be well before the service is relied on."""
    findings: list[Finding] = []
    try:
        if settings.on_sqlite:
            _existing(settings)
        findings.append(_examine_keys(settings))
        findings += _examine_issuer(settings)
        findings += _examine_development(settings)
        async with opened(settings) as store:
            findings.append(Finding(True, "the database answers and its tables are this release's"))
            findings += await _examine_projections(store)
            findings.append(await _examine_forms(settings, store))
            findings += await _examine_webhook(settings, store)
    except (StoreUnavailable, SchemaTooOld, SchemaTooNew, Failed) as problem:
        return [*findings, Finding(False, str(problem))]
    if not settings.on_sqlite:
        findings += await _examine_login(settings)
    return findings


def _examine_keys(settings: Settings) -> Finding:
    try:
        file = settings.keys.file
    except ConfigurationError as problem:
        return Finding(False, str(problem))
    if file is not None and file.stat().st_mode & 0o077:
        return Finding(False, f"{file} holds secrets and others may read it; chmod 600 {file}")
    return Finding(True, "the keys are set")


def _examine_issuer(settings: Settings) -> list[Finding]:
    if settings.jwks_url is None:
        return []
    try:
        keys = fetch_keys(settings.jwks_url, settings.algorithms)
    except KeysNotFetched as why:
        return [Finding(False, f"the keys of the tokens' issuer cannot be fetched: {why}")]
    return [Finding(bool(keys), f"keys of the tokens' issuer that fit: {len(keys)}")]


def _examine_development(settings: Settings) -> list[Finding]:
    if settings.development_user:
        name = variable("development_user")
        return [Finding(False, f"the development user is on; in production, remove {name}")]
    if settings.has_development_user:
        return [Finding(True, "the development user is on, since no secret is set")]
    return []


async def _examine_projections(store: Store) -> list[Finding]:
    behind = (await CatchUp(store).status())[NAME]["behind"]
    aside = await store.read_models.set_aside()
    names = ", ".join(f"{event['draft']} version {event['version']}" for event in aside[:3])
    return [
        Finding(True, f"the drafts page is {behind} events behind"),
        Finding(not aside, f"events set aside: {names or 'none'}"),
    ]


async def _examine_forms(settings: Settings, store: Store) -> Finding:
    try:
        forms = open_forms(settings, store)
    except ConfigurationError as problem:
        return Finding(False, str(problem))
    await forms.read()
    names = ", ".join(known.form.form for known in forms.listed("", 4))
    return Finding(True, f"the form definitions can be read: {names}")


async def _examine_webhook(settings: Settings, store: Store) -> list[Finding]:
    if settings.webhook_url is None:
        return []
    listed = await store.outbox.listed()
    dead = [waiting for waiting in listed if waiting.due_at is None]
    return [
        Finding(True, f"messages that wait for the webhook: {len(listed) - len(dead)}"),
        Finding(not dead, f"messages given up (`variorum webhooks`): {len(dead) or 'none'}"),
    ]


async def _examine_login(settings: Settings) -> list[Finding]:
    async with await psycopg.AsyncConnection.connect(settings.database_url) as connection:
        cursor = await connection.execute(
            "SELECT rolsuper OR rolbypassrls, EXISTS (SELECT FROM pg_tables WHERE schemaname = %s "
            "AND tableowner = current_user) FROM pg_roles WHERE rolname = current_user",
            (SCHEMA,),
        )
        above, owns = await cursor.fetchone() or (False, False)
        wrong = [] if above else await isolation.faults(connection)
    return [
        *(Finding(False, fault) for fault in wrong),
        *([] if above or wrong else [Finding(True, "the database keeps drafts apart")]),
        Finding(False, "the service's login passes every policy, as superusers do")
        if above
        else Finding(True, "the service's login is bound by row-level security"),
        Finding(False, "the service's login owns tables: one login for everything is for a trial")
        if owns
        else Finding(True, "the service's login owns no table"),
    ]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """The store of the settings, from its start to its stop; no file is made for it."""
    require_database(settings)
    store = open_store(settings)
    try:
        with explained(settings):
            await store.start()
        yield store
    finally:
        await store.stop()


def require_database(settings: Settings) -> None:
    """Refuse to make an SQLite file by looking for it."""
    if settings.on_sqlite:
        _existing(settings)


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Say in a sentence why a database cannot be opened or made."""
    try:
        yield
    except sqlite3.Error as unusable:
        raise Failed(f"{settings.sqlite_path} cannot be used as a database: {unusable}.") from None
    except psycopg.Error as refusal:
        raise Failed(
            f"The login of DATABASE_URL cannot use the tables: {_first_line(refusal)};"
            " run `variorum migrate` first."
        ) from refusal


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _file(settings: Settings) -> Path:
    if settings.sqlite_path is None:
        raise ConfigurationError("DATABASE_URL must name a file, as sqlite:///variorum.db.")
    return settings.sqlite_path


def _existing(settings: Settings) -> Path:
    file = _file(settings)
    if not file.exists():
        raise Failed(
            f"There is no {file} here yet; `variorum serve` or `variorum migrate` makes it."
        )
    return file

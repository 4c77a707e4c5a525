"""Starts the servers that benchmarks call, each in a process of its own, and stops them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import jwt

from tests.postgres import Database, free_port

SECRET = "a-secret-of-the-benchmarks-and-of-nothing-else"

# Nobody keeps a line for each request here, neither Variorum nor those beside it.
_COMMON = {
    "VARIORUM_JWT_SECRET": SECRET,
    "VARIORUM_CHAIN_KEY": SECRET,
    "VARIORUM_LOG_LEVEL": "warning",
    "VARIORUM_RATE_USER": "1000000000/minute",  # counted, and never used up
}

_TOP = Path(__file__).parents[2]


class NotServing(Exception):
    """The server did not come up."""


@dataclass
class Server:
    """A server that answers on loopback."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """How long it has computed so far, its child processes left out."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def token(user: str = "ann") -> str:
    """A token that every server started here takes for an hour."""
    return jwt.encode({"sub": user, "exp": int(time.time()) + 3600}, SECRET, algorithm="HS256")


def on_postgres(database: Database) -> dict[str, str]:
    """The settings of a Variorum that keeps its drafts in PostgreSQL, as its own login."""
    return {"DATABASE_URL": database.service_url, "VARIORUM_OWNER_URL": database.owner_url}


def on_sqlite(file: Path) -> dict[str, str]:
    """The settings of a Variorum that keeps its drafts in one file."""
    return {"DATABASE_URL": f"sqlite:///{file}"}


@contextmanager
def variorum(settings: Mapping[str, str], module: str = "api.cli") -> Iterator[Server]:
    """Variorum itself, one worker, by a module with its command line.

    Raises:
        NotServing: It did not come up.
    """
    port = free_port()
    command = ["-m", module, "serve", "--host", "127.0.0.1", "--port", str(port)]
    with _running(command, settings, port) as server:
        yield server


@contextmanager
def rival(app: str, database: Database) -> Iterator[Server]:
    """One of the apps of `rivals.py`, one worker, as well served as Variorum is.

    Raises:
        NotServing: It did not come up.
    """
    port = free_port()
    command = ["-m", "uvicorn", "--factory", f"tests.benchmarks.rivals:{app}"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop"]
    command += ["--http", "httptools", "--no-access-log", "--log-level", "warning"]
    with _running(command, {"DATABASE_URL": database.owner_url}, port) as server:
        yield server


@contextmanager
def _running(command: Sequence[str], settings: Mapping[str, str], port: int) -> Iterator[Server]:
    environment = {**os.environ, **_COMMON, **settings}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=_TOP, env=environment, stdout=log, stderr=log
        )
        try:
            _wait_until_ready(Server(port, process))
            yield Server(port, process)
        except Exception as error:
            error.add_note(f"The server's last words:\n{_end_of(log)}")
            raise
        finally:
            _stop(process)


def _end_of(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read()[-4000:].decode(errors="replace")


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + 60
    while not _answers(server.url):
        if time.monotonic() > deadline or server.process.poll() is not None:
            raise NotServing(f"nothing answers at {server.url}")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/livez", timeout=5).close()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

"""The command `variorum` as a real process: run to its end, or serving until it is told to stop."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import orjson

from tests.api.calls import Caller, Document
from tests.environments import TOP

KEYS = {
    "VARIORUM_JWT_SECRET": "made up for tests, signs their tokens",
    "VARIORUM_CHAIN_KEY": "made up for tests, links their events",
}

NOBODY_LISTENS = "postgresql://variorum_service@127.0.0.1:1/variorum"

_PATIENCE = 60.0  # seconds for a start or an end
_GREETING = re.compile(r"^Variorum on (http://\S+)/ ", re.MULTILINE)
_NEEDED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")


class NotServing(Exception):
    """The service did not come up; the message holds what it said."""


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one sentence of a command that could not be done."""
        assert self.code == 2, self
        assert self.err.strip(), "no reason was given"
        assert "Traceback" not in self.err, self.err
        assert len(self.err.splitlines()) == 1, self.err
        return self.err.strip()


@dataclass
class Serving:
    """A service that answers; it goes on until the `with` ends, or until it is ended before."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    url: str = ""

    def ends(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(how)
        return self.process.wait(_PATIENCE)

    @property
    def greeting(self) -> str:
        """What it printed at its start."""
        return self.out.read_text()

    @asynccontextmanager
    async def called_by(self, token: str) -> AsyncIterator[Caller]:
        """Whoever has a token, on a connection of their own."""
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            yield Caller(client, token)

    def said(self) -> str:
        """All that it wrote, for a message when something is wrong."""
        return (self.out.read_text() + self.err.read_text(errors="replace"))[-4000:]


@dataclass(frozen=True)
class Operator:
    """Somebody at a shell in a folder of their own, with these variables and no others."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def having(self, **variables: str) -> Operator:
        """The same with more variables set."""
        return Operator(self.folder, {**self.variables, **variables})

    def runs(self, *arguments: str | Path) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def succeeds(self, *arguments: str | Path) -> str:
        """Run a command that ends well; what it printed."""
        done = self.runs(*arguments)
        assert done.code == 0, done
        return done.out

    def exports(self, *drafts: str) -> list[Document]:
        """The events of an export, as they stand in its lines."""
        lines = map(orjson.loads, self.succeeds("export", *drafts).splitlines())
        return [line for line in lines if "version" in line]

    @contextmanager
    def serves(self, *arguments: str) -> Iterator[Serving]:
        """Serve on a free port for the length of a `with`.

        Raises:
            NotServing: It did not come up.
        """
        out, err = (self.folder / f"serve.{name}" for name in ("out", "err"))
        environment = {"VARIORUM_PORT": "0", **self.environment()}
        with out.open("wb") as told, err.open("wb") as logged:
            process = subprocess.Popen(
                command("serve", *arguments),
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=logged,
                start_new_session=True,
            )
        try:
            yield _answering(Serving(process, out, err))
        finally:
            _end(process)

    def environment(self) -> dict[str, str]:
        """What a process of this operator's sees."""
        needed = {name: os.environ[name] for name in _NEEDED if name in os.environ}
        return {**needed, "PYTHONPATH": str(TOP), "COLUMNS": "100", **self.variables}


def command(*arguments: str | Path) -> list[str]:
    """What starts `variorum`, installed or not."""
    return [sys.executable, "-m", "api.cli", *map(str, arguments)]


def _answering(serving: Serving) -> Serving:
    deadline = time.monotonic() + _PATIENCE
    while not _answers(serving):
        if time.monotonic() > deadline or serving.process.poll() is not None:
            raise NotServing(serving.said())
        time.sleep(0.02)
    return serving


def _answers(serving: Serving) -> bool:
    if (greeted := _GREETING.search(serving.greeting)) is None:
        return False
    serving.url = greeted[1]
    try:
        return httpx.get(f"{serving.url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and those that it started, however many there are."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

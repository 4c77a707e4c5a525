"""A load generator cheap enough that the server is what gets measured: HTTP/1.1 on bare asyncio."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from statistics import quantiles
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PATIENCE = 60.0  # seconds that a run may take beyond what it was given
_AT_MOST = 1800.0  # seconds that a run may take when only its scripts say how much they send


class Script(Protocol):
    """What one connection sends, one request at a time; picklable."""

    def next(self) -> bytes | None:
        """The next request as it goes over the wire; None ends this connection's part."""

    def answered(self, status: int, body: bytes) -> None:
        """Take the answer to the request given last."""


S = TypeVar("S", bound=Script)


class Refused(Exception):
    """The server did not answer as the benchmark needs it to."""


@dataclass
class Result(Generic[S]):
    """What came of one run; the scripts are handed back as the run left them."""

    scripts: Sequence[S]
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    refusal: bytes = b""

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, percent: int) -> float:
        """The milliseconds within which so many percent of the requests were answered."""
        return 1000 * quantiles(self.latencies, n=100)[percent - 1]

    def must_be_good(self) -> Self:
        """This result, if every answer was a success.

        Raises:
            Refused: One was not; the message shows it.
        """
        if any(status >= 300 for status in self.statuses):
            raise Refused(f"answers by status: {dict(self.statuses)}; one: {self.refusal[:2000]!r}")
        return self


@dataclass
class Repeat:
    """A script that sends the same requests round and round, so many times or until time is up."""

    requests: Sequence[bytes]
    times: int | None = None
    sent: int = 0

    def next(self) -> bytes | None:
        if self.sent == self.times:
            return None
        self.sent += 1
        return self.requests[self.sent % len(self.requests)]

    def answered(self, status: int, body: bytes) -> None:
        """Nothing in the answer matters."""


def request(method: str, target: str, token: str, body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    head = f"{method} {target} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
    if body:
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class Generator:
    """The generator in a process of its own, where nobody else holds the GIL."""

    def __enter__(self) -> Self:
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def start(
        self, port: int, scripts: Sequence[S], seconds: float | None = None
    ) -> Future[Result[S]]:
        """Begin to play every script on a connection of its own, until all end or time is up."""
        return self._pool.submit(run, port, scripts, seconds)

    def run(self, port: int, scripts: Sequence[S], seconds: float | None = None) -> Result[S]:
        """Play every script on a connection of its own, until all end or time is up.

        Raises:
            Refused: An answer was no success.
        """
        return self.start(port, scripts, seconds).result().must_be_good()


def run(port: int, scripts: Sequence[S], seconds: float | None = None) -> Result[S]:
    """Play every script on a connection of its own, in this process."""
    return _run_fast(_play(port, scripts, seconds))


async def _play(port: int, scripts: Sequence[S], seconds: float | None) -> Result[S]:
    result = Result(scripts)
    connections = [_Connection(script, result) for script in scripts]
    for connection in connections:
        await connection.open(port)
    start = time.perf_counter()
    limit = seconds if seconds is not None else _AT_MOST
    async with asyncio.timeout(limit + _PATIENCE):
        await asyncio.gather(*(connection.play(start + limit) for connection in connections))
    result.seconds = time.perf_counter() - start
    return result


class _Connection(asyncio.Protocol):
    """One keep-alive connection: it sends as soon as it is answered, never two at once."""

    def __init__(self, script: Script, result: Result[Any]) -> None:
        self._script = script
        self._result = result
        self._received = b""
        self._done = asyncio.get_running_loop().create_future()

    async def open(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", port)
        self._transport = transport

    async def play(self, until: float) -> None:
        self._until = until
        self._send()
        try:
            await self._done
        finally:
            self._transport.close()

    def _send(self) -> None:
        message = self._script.next() if time.perf_counter() < self._until else None
        if message is None:
            self._done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(message)

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        body = _body(self._received, end)
        if body is not None:
            status, self._received = int(self._received[9:12]), b""
            self._answered(status, body)

    def _answered(self, status: int, body: bytes) -> None:
        self._result.latencies.append(time.perf_counter() - self._sent)
        self._result.statuses[status] += 1
        if status >= 300:
            self._result.refusal = body
        try:
            self._script.answered(status, body)
        except Exception as error:
            self._fail(error)
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(Refused(f"the server closed a connection: {error}"))

    def _fail(self, error: Exception) -> None:
        if not self._done.done():
            self._done.set_exception(error)


def _body(received: bytes, end: int) -> bytes | None:
    """The body of an answer whose head ends there; None while some of it is missing."""
    if found := _CONTENT_LENGTH.search(received, 0, end + 2):
        body = received[end + 4 :]
        return body if len(body) >= int(found[1]) else None
    if b"chunked" in received[:end]:
        return _joined(received[end + 4 :]) if received.endswith(b"\r\n0\r\n\r\n") else None
    return b""  # 204 and 304


def _joined(chunks: bytes) -> bytes:
    body = b""
    while size := int(chunks[: (line := chunks.index(b"\r\n"))], 16):
        body += chunks[line + 2 : line + 2 + size]
        chunks = chunks[line + 4 + size :]
    return body


def _run_fast(main: Coroutine[Any, Any, Result[S]]) -> Result[S]:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)

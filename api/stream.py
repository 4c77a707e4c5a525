"""One event stream (SSE): what a reader is told, in which order, and when it ends.

An ASGI answer of its own: FastAPI's server-sent events pass through a memory channel, two tasks
and a validation per event.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.asgi import BODY, START
from api.callers import Callers
from api.channel import Channel, Stream
from api.live import Live
from api.security import Clock, Principal
from api.told import event
from domain.errors import Unavailable, VariorumError
from projections.ending import ended

BEAT = 15.0  # seconds between two signs of life, at which the token is looked at again
RETRY = b"retry: 2000\n\n"  # milliseconds that a browser waits before it connects again
ALIVE = b":\n\n"
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"private, no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx gathers answers, unless it is told not to
]
_LAST_DAY = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Watching:
    """What streams are made with."""

    live: Live
    callers: Callers
    clock: Clock
    leeway: timedelta
    beat: float


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks for the stream of which draft; `last` is the id of the event that came last."""

    draft: UUID
    principal: str
    caller: Principal
    last: str | None = None
    device: str | None = None


class EventStream(Response):
    """A stream, until its reader leaves or may read no more, or the process stops."""

    media_type, status_code = "text/event-stream", 200

    def __init__(self, watching: Watching, reader: Reader) -> None:
        self._live, self._callers, self._clock = watching.live, watching.callers, watching.clock
        self._reader, self._beat = reader, watching.beat
        self._until = min(reader.caller.expires_at, _LAST_DAY) + watching.leeway
        self._told_role: str | None = None
        self._beats_at = 0.0
        self.background = None  # of a response, in Starlette's words

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream.

        Raises:
            VariorumError: It cannot be opened; nothing was sent.
        """
        reader = self._reader
        last = _version(reader.last)
        async with self._live.watching(reader.draft, reader.principal, last) as (channel, stream):
            await send({"type": START, "status": 200, "headers": HEADERS})
            async with _until_left(receive, stream):
                with suppress(VariorumError):  # the reader comes again, and is told why
                    async for part in self._parts(scope, channel, stream):
                        await send({"type": BODY, "body": part, "more_body": True})
                        await asyncio.sleep(0)  # it goes out, and only then is the next made
            await send({"type": BODY, "body": b""})
        if stream.left and reader.device is not None:
            with suppress(VariorumError):  # it falls silent soon
                await self._live.leave(reader.draft, reader.principal, reader.device)

    async def _parts(self, scope: Scope, channel: Channel, stream: Stream) -> AsyncIterator[bytes]:
        yield RETRY
        if stream.version is None or not 1 <= stream.version <= channel.version:
            stream.version = channel.version
            if self._reader.last is not None:
                yield event("reset", {"version": stream.version}, stream.version)
        self._beats_at = self._time() + self._beat
        while not stream.over and self._clock() < self._until:
            stream.news.clear()
            async for part in self._news(channel, stream):
                yield part
            await self._wait(stream)
            if self._time() >= self._beats_at:
                yield await self._sign_of_life(scope)

    async def _news(self, channel: Channel, stream: Stream) -> AsyncIterator[bytes]:
        """The versions first, then how the draft stands for the reader, then who is there.

        Versions that come meanwhile are the next round's: else a draft that is saved without a
        pause would never tell who is there.
        """
        upto = channel.version
        async for told in channel.since(stream):
            if stream.doubtful:
                await self._live.admit(channel.id, stream)
            if stream.over or self._clock() >= self._until:
                return
            stream.version = told.version
            yield told.frame(stream.role, is_now=told.version == channel.version)
            if told.version >= upto:
                break
        if stream.role != self._told_role:
            outline = await channel.outline(stream.role)
            if outline["version"] == stream.version:  # else it moved just now
                self._told_role = stream.role
                yield event("status", outline, stream.version)
        if stream.seen != channel.present:
            stream.seen = channel.present
            yield event("presence", {"present": await self._live.present(channel.id)})

    async def _wait(self, stream: Stream) -> None:
        left = (self._until - self._clock()).total_seconds()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(self._beats_at - self._time(), left)):
                await stream.news.wait()

    async def _sign_of_life(self, scope: Scope) -> bytes:
        self._beats_at = self._time() + self._beat
        with suppress(Unavailable):  # nobody can say that the token does not hold
            await self._callers.still(scope)
        return ALIVE

    def _time(self) -> float:
        return asyncio.get_running_loop().time()


@asynccontextmanager
async def _until_left(receive: Receive, stream: Stream) -> AsyncIterator[None]:
    """End the stream as soon as its reader has gone."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        stream.left = True
        stream.end()

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        await ended(task)


def _version(text: str | None) -> int | None:
    """The version that an event's id is; None if it is none."""
    known = text is not None and text.isascii() and text.isdigit() and len(text) < 17
    return int(text) if known and text is not None else None

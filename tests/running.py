"""An ASGI app from its start to its stop, without a server, and the clock it goes by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    """A time that moves only when it is told to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float = 1) -> datetime:
        """Let some seconds pass."""
        self.now += timedelta(seconds=seconds)
        return self.now


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[ASGIApp]:
    """The app between its startup and its shutdown; what these raise comes out here."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    said: asyncio.Queue[Message] = asyncio.Queue()
    scope: dict[str, object] = {
        "type": "lifespan",
        "asgi": {"version": "3.0", "spec_version": "2.0"},
        "state": {},
    }
    life = asyncio.create_task(_live(app, scope, told, said))
    await _tell("lifespan.startup", told, said, life)
    try:
        yield app
    finally:
        await _tell("lifespan.shutdown", told, said, life)
        await life


def calling(app: ASGIApp) -> httpx.AsyncClient:
    """An HTTP client of the app, to be used in a `with`; it sends no token by itself.

    Of an event stream, which ends when its reader leaves, it reads the first part only.
    """
    transport = httpx.ASGITransport(_leaving_streams(app))
    return httpx.AsyncClient(transport=transport, base_url="http://variorum.test")


def _leaving_streams(app: ASGIApp) -> ASGIApp:
    async def leaving(scope: Scope, receive: Receive, send: Send) -> None:
        is_stream, enough = False, asyncio.Event()

        async def receive_or_leave() -> Message:
            if not is_stream:
                return await receive()
            await enough.wait()
            return {"type": "http.disconnect"}

        async def send_and_look(message: Message) -> None:
            nonlocal is_stream
            if message["type"] == "http.response.start":
                is_stream = (b"content-type", b"text/event-stream") in message["headers"]
            elif is_stream and message.get("body"):
                enough.set()
            await send(message)

        await app(scope, receive_or_leave, send_and_look)

    return leaving


async def _live(
    app: ASGIApp,
    scope: dict[str, object],
    told: asyncio.Queue[Message],
    said: asyncio.Queue[Message],
) -> None:
    await app(scope, told.get, said.put)


async def _tell(
    what: str,
    told: asyncio.Queue[Message],
    said: asyncio.Queue[Message],
    life: asyncio.Task[None],
) -> None:
    await told.put({"type": what})
    answer = asyncio.ensure_future(said.get())
    await asyncio.wait((answer, life), return_when=asyncio.FIRST_COMPLETED, timeout=60)
    if not answer.done():
        answer.cancel()
        await life
    if (await answer)["type"] != f"{what}.complete":
        await life

"""A reader of event streams: an ASGI client that takes what it is sent as it comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message

from tests.api.calls import DRAFTS, Caller, Document, DraftOrId, id_of

PATIENCE = 20.0  # seconds for what must come


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    name: str
    data: Document
    id: str | None = None


@dataclass
class Reading:
    """A stream that is read; `status` and `problem` if it was refused."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    beats: int = 0
    over: bool = False
    problem: Document = field(default_factory=dict)
    _rest: str = ""
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, text: str) -> None:
        """Some more of the stream."""
        *blocks, self._rest = (self._rest + text).split("\n\n")
        for block in blocks:
            self._block(block)
        self._moved.set()

    def end(self) -> None:
        """There is no more."""
        self.over = True
        self._moved.set()

    def _block(self, block: str) -> None:
        lines = [line.partition(": ") for line in block.split("\n")]
        members = {name: value for name, _, value in lines}
        if "data" in members:
            data = json.loads(members["data"])
            self.events.append(Event(members["event"], data, members.get("id")))
        self.beats += block == ":"

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self._moved.clear()
                await self._moved.wait()

    def named(self, name: str) -> list[Event]:
        """The events of a name, so far."""
        return [event for event in self.events if event.name == name]

    @property
    def versions(self) -> list[int]:
        """The versions that were told so far."""
        return [event.data["version"] for event in self.named("version")]

    async def tells(self, name: str, number: int = 1) -> Event:
        """The first event of a name, or a later one."""
        await self.until(lambda: len(self.named(name)) >= number)
        return self.named(name)[number - 1]

    async def reaches(self, version: int) -> None:
        """Wait until a version was told."""
        await self.until(lambda: version in self.versions)

    async def ends(self) -> None:
        """Wait for the end."""
        await self.until(lambda: self.over)


@asynccontextmanager
async def streaming(
    app: ASGIApp, who: Caller, draft: DraftOrId, *, last: Any = None, **query: Any
) -> AsyncIterator[Reading]:
    """A stream of a draft, read until the `with` ends; then its reader leaves."""
    reading, leaving = Reading(), asyncio.Event()
    headers = [(b"authorization", f"Bearer {who.token}".encode()), (b"host", b"variorum.test")]
    if last is not None:
        headers.append((b"last-event-id", str(last).encode()))
    path = f"{DRAFTS}/{id_of(draft)}/events"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": urlencode(query).encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("variorum.test", 80),
        "state": {},
    }
    first: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if first:
            return first.pop()
        await leaving.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            reading.status = message["status"]
            reading.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        elif reading.status == 200:
            reading.take(message.get("body", b"").decode())
        else:
            reading.problem = json.loads(message["body"])

    async def answer() -> None:
        try:
            await app(scope, receive, send)
        finally:
            reading.end()

    task = asyncio.create_task(answer())
    try:
        await reading.until(lambda: reading.over or reading.named("presence"))
        yield reading
    finally:
        leaving.set()
        await asyncio.wait_for(task, PATIENCE)

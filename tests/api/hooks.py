"""A receiver of webhooks on this machine, and a process of the service that tells it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from api.service import Service, open_store
from api.settings import Settings
from tests.api.calls import Document
from tests.running import Clock

SECRET = "made up for tests, signs their messages"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@dataclass
class Host:
    """A receiver on this machine, and what it was sent; `answer` is what it says to it."""

    port: int = 0
    answer: bytes | None = OK
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=1"

    @property
    def told(self) -> list[Document]:
        """The messages, and none a second time."""
        return [json.loads(body) for body in self.bodies]

    def events(self) -> list[str]:
        told = [document["type"].removeprefix("draft.") for document in self.told]
        self.bodies.clear()
        self.heads.clear()
        return told

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        head = dict(line.split(": ", 1) for line in lines[1:] if line)
        self.heads.append({"": lines[0], **head})
        self.bodies.append(await reader.readexactly(int(head["Content-Length"])))
        if self.answer is None:
            await reader.read()  # hangs until the other side gives up
        else:
            writer.write(self.answer)
            await writer.drain()
        writer.close()


def is_signed(head: Mapping[str, str], body: bytes) -> bool:
    """Whether a message proves its sender, as a receiver finds out (Standard Webhooks)."""
    said = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
    proof = hmac.digest(SECRET.encode(), said, hashlib.sha256)
    return head["webhook-signature"] == f"v1,{base64.b64encode(proof).decode()}"


@asynccontextmanager
async def listening() -> AsyncIterator[Host]:
    """A receiver, as long as the `with` goes on."""
    host = Host()
    server = await asyncio.start_server(host.receive, "127.0.0.1")
    async with server:
        host.port = server.sockets[0].getsockname()[1]
        yield host


@asynccontextmanager
async def telling_of(settings: Settings, clock: Clock, host: Host) -> AsyncIterator[Service]:
    """A process of the service that tells the host what happens from now on."""
    told = {"webhook_url": host.url, "webhook_secret": SECRET, "webhook_private": True}
    set_ = Settings.model_validate({**settings.model_dump(), **told})
    service = Service(set_, open_store(set_), clock)
    async with service.working():
        await service.store.outbox.begin()
        yield service


async def tells(service: Service) -> None:
    """Take in what is new and deliver what is due."""
    assert service.webhooks is not None
    await service.catch_up.drain()
    await service.webhooks.work()

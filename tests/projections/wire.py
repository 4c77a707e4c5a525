"""A wire to PostgreSQL that can be cut: before a statement arrives, or before its answer does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

import psycopg

Cut = Literal["statement", "answer", "hearing", "late"]


class Wire:
    """Passes bytes on between clients and a server, until it is told to lose some.

    `cut = "statement"`: the next thing a client says is lost, and its connection with it;
    `"answer"`: the next thing the server says; `"hearing"`: the client is cut off as it speaks, but
    the server hears it out and never learns of it; `"late"`: and half a second later only.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: list[asyncio.StreamWriter] = []
        self.cut: Cut | None = None
        self.port = 0

    def url(self, address: str) -> str:
        """The address of a database, by way of this wire."""
        return psycopg.conninfo.make_conninfo(address, host="127.0.0.1", port=self.port)

    async def accept(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        """A client: gets a connection of its own to the server."""
        server, statements = await asyncio.open_connection(self._host, self._port)
        self._ends += [statements, answers]
        ways = (
            self._pass(client, statements, answers, said_by="client"),
            self._pass(server, answers, statements, said_by="server"),
        )
        self._tasks |= {asyncio.create_task(way) for way in ways}

    async def _pass(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        said_by: str,
    ) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                lost = {"client": ("statement", "hearing", "late"), "server": ("answer",)}[said_by]
                if self.cut in lost:
                    cut, self.cut = self.cut, None
                    back.transport.abort()
                    if cut in ("hearing", "late"):
                        await asyncio.sleep(0.5 * (cut == "late"))
                        target.write(data)
                        await asyncio.sleep(60)
                    target.transport.abort()
                    return
                target.write(data)
        target.transport.abort()

    async def stop(self) -> None:
        """Let everything go."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for end in self._ends:
            end.close()
        await asyncio.gather(*(end.wait_closed() for end in self._ends), return_exceptions=True)


@asynccontextmanager
async def wire_to(address: str) -> AsyncIterator[Wire]:
    """A wire to the server of a database."""
    login = psycopg.conninfo.conninfo_to_dict(address)
    wire = Wire(str(login["host"]), int(str(login["port"])))
    listening = await asyncio.start_server(wire.accept, "127.0.0.1", 0)
    wire.port = listening.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        listening.close()
        await wire.stop()

"""Streams that are cut again and again: every version is told exactly once, in order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from domain.value import same
from tests import postgres, tampering
from tests.api.calls import Document, Process, add
from tests.api.receiving import received
from tests.api.streams import PATIENCE, streaming

LOSE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(query, 'LISTEN')"
WRITERS = 3
CUTS = 3  # of each reader, at least


@pytest.fixture
def lose_listening(request: pytest.FixtureRequest, engine: str) -> Iterator[Callable[[], object]]:
    """Ends every connection on which a process listens."""
    if engine == "sqlite":
        yield lambda: None
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    database: postgres.Database = request.getfixturevalue("postgres_database")
    with tampering.on_server(server.url(postgres.SUPERUSER, database.name)) as above:
        yield lambda: above(LOSE)


@dataclass
class Reader:
    """Somebody whose connection does not last; keeps a copy of the draft by events alone."""

    processes: list[Process]
    copy: Document
    chance: random.Random
    last: str = "1"
    versions: list[int] = field(default_factory=list)
    cuts: int = 0

    async def reads(self, writing: asyncio.Task[None]) -> None:
        """Read until all is written and told."""
        while not (writing.done() and await self._is_level()):
            await self._once(writing)
            self.cuts += 1

    async def _is_level(self) -> bool:
        now = await self._at().ann.draft(self.copy)
        return bool(self.copy["version"] == now["version"])

    async def _once(self, writing: asyncio.Task[None]) -> None:
        process, news = self._at(), self.chance.randint(0, 6)
        async with streaming(process.app, process.ann, self.copy, last=self.last) as stream:
            async with asyncio.timeout(PATIENCE):
                while len(stream.versions) < news and not writing.done():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            await asyncio.sleep(self.chance.uniform(0, 0.02))
            for event in stream.events:  # what comes later is lost with the connection
                if event.id is not None:
                    self.last = event.id
                if event.name == "version":
                    self._take(event.data)

    def _at(self) -> Process:
        return self.chance.choice(self.processes)

    def _take(self, told: Document) -> None:
        self.versions.append(told["version"])
        self.copy = {**told["draft"], "data": received(told["changes"], self.copy["data"])}


async def writes(
    at: list[Process], draft: Document, device: str, enough: Callable[[int], bool], seed: int
) -> None:
    """One device saves through any process, fields of its own and one of everybody's."""
    chance, number = random.Random(seed), 0
    while not enough(number):
        number += 1
        process = chance.choice(at)
        await process.ann.save(
            draft,
            add(f"/{device}", number),
            add("/shared", f"{device} {number}"),
            device=device,
            seq=number,
        )
        await asyncio.sleep(chance.uniform(0, 0.01))


async def cut_at_random(
    processes: list[Process], lose: Callable[[], object], *, saves: int, readers: int, seed: int
) -> None:
    """Write and read at once, while connections are cut on both sides of the service."""
    draft = await processes[0].ann.open({"shared": ""})
    crowd = [Reader(processes, draft, random.Random(seed * 100 + n)) for n in range(readers)]

    def enough(number: int) -> bool:
        all_cut = all(reader.cuts >= CUTS for reader in crowd)
        return reading.done() or (number >= saves and all_cut)

    async def write() -> None:
        devices = [f"d{n}" for n in range(WRITERS)]
        await asyncio.gather(
            *(writes(processes, draft, d, enough, seed + n) for n, d in enumerate(devices))
        )

    writing = asyncio.create_task(write())
    reading = asyncio.gather(*(reader.reads(writing) for reader in crowd))
    while not writing.done():
        await asyncio.sleep(0.2)
        lose()
    await writing
    await reading

    now = await processes[0].ann.draft(draft)
    for reader in crowd:
        assert reader.versions == list(range(2, now["version"] + 1))
        assert same(reader.copy["data"], now["data"])


async def test_every_version_is_told_once_and_in_order_however_often_connections_are_cut(
    processes: list[Process], lose_listening: Callable[[], object]
) -> None:
    await cut_at_random(processes, lose_listening, saves=60, readers=3, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
async def test_every_version_is_told_once_and_in_order_with_many_readers(
    processes: list[Process], lose_listening: Callable[[], object], seed: int
) -> None:
    await cut_at_random(processes, lose_listening, saves=100, readers=8, seed=seed)

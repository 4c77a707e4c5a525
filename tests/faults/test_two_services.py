"""Two services, each a process of its own, on one PostgreSQL: devices sync with either, at once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from domain.asked import Edit
from domain.choices import Choice
from domain.errors import VariorumError
from domain.receipts import Receipt
from domain.value import same
from tests import postgres
from tests.api.calls import DRAFTS, Document
from tests.api.receiving import received
from tests.api.wire import as_answer, as_call
from tests.benchmarks.serve import on_postgres, token, variorum
from tests.domain.people import GIG, save, type_something
from tests.domain.scenes import ANN
from tests.domain.syncing import Device, Merge, Request, Restore, Snapshot, Undo


@pytest.fixture
def services(postgres_server: postgres.Server) -> Iterator[list[str]]:
    """The addresses of two."""
    with (
        postgres.fresh_database(postgres_server) as database,
        variorum(on_postgres(database)) as one,
        variorum(on_postgres(database)) as other,
    ):
        yield [one.url, other.url]


@dataclass
class Net:
    """Between the devices and both services; it keeps the first answer to each request."""

    lines: list[httpx.AsyncClient]
    draft: str
    chance: random.Random
    first: dict[tuple[str, int], tuple[Request, bytes]] = field(default_factory=dict)

    async def get(self, below: str = "", **which: Any) -> Document:
        line = self.chance.choice(self.lines)
        answer = await line.get(f"{DRAFTS}/{self.draft}{below}", params=which)
        told: Document = answer.raise_for_status().json()
        return told

    async def snapshot(self) -> Snapshot:
        held = await self.get()
        return Snapshot(held["version"], held["data"], held["conflicts"])

    async def take(self, request: Request) -> Receipt | VariorumError:
        """The answer to a request, checked."""
        answer = await self.send(request)
        place = (request.device, request.seq)
        if place in self.first:
            assert answer.content == self.first[place][1]
        elif answer.is_success and answer.json()["recorded"]:
            self.first[place] = (request, answer.content)
            await self.must_be_true(answer.json(), request)
        return as_answer(answer)

    async def must_be_true(self, told: Document, request: Request) -> None:
        """What a receipt says is so at its version, and leads there from what was sent."""
        held = await self.get(version=told["version"])
        assert told["conflicts"] == held["conflicts"]
        sent = request.sent
        if not isinstance(request.what, Edit):
            sent = (await self.get(version=told["version"] - 1))["data"]
        assert same(received(told["changes"], sent), held["data"])

    async def send(self, request: Request) -> httpx.Response:
        method, below, call = as_call(request)
        while True:
            line = self.chance.choice(self.lines)
            answer = await line.request(method, f"{DRAFTS}/{self.draft}{below}", **call)
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(0.02)


@dataclass
class User:
    """Somebody at a device, who works in turns."""

    net: Net
    device: Device
    fork: str
    chance: random.Random
    words: int = 0

    async def work(self, turns: int) -> None:
        for _ in range(turns):
            self.ask() if self.chance.random() < 0.3 else self.type()
            if self.chance.random() < 0.2:
                await self.write_to_the_fork()
            if self.chance.random() < 0.7:
                await self.deliver(losses=0.2)
        await self.finish()

    def type(self) -> None:
        for _ in range(self.chance.randint(1, 3)):
            self.words += 1
            word = f"{self.device.name}{self.words}z"
            self.device.type(*type_something(self.chance, self.device.live, word))
            save(self.chance, self.device)

    def ask(self) -> None:
        """A restore, an undo, a decision or a merge, if nothing is unsent."""
        device = self.device
        if device.outbox or device.typed:
            return
        wishes: list[Any] = [Restore(self.chance.randint(1, device.based_on)), Merge(self.fork)]
        if device.based_on > 1:
            first = self.chance.randint(2, device.based_on)
            wishes.append(Undo(first, self.chance.randint(first, device.based_on)))
        for conflict in device.conflicts:
            entry = self.chance.choice(conflict["theirs"])["device"]
            wishes += [Choice(conflict["id"], "theirs", entry), Choice(conflict["id"], "ours")]
        device.ask(self.chance.choice(wishes))

    async def write_to_the_fork(self) -> None:
        """A field that others write too, and one of one's own."""
        values = {"title": f"fork {self.words}", self.device.name: self.words}
        changes = [{"op": "add", "path": f"/{k}", "value": v} for k, v in values.items()]
        line = self.chance.choice(self.net.lines)
        answer = await line.patch(f"{DRAFTS}/{self.fork}", json={"changes": changes})
        assert answer.status_code in (200, 503), answer.text

    async def deliver(self, losses: float) -> None:
        """Send what waits; now and then an answer is lost, and the rest waits too."""
        for request in list(self.device.outbox):
            answer = await self.net.take(request)
            if self.chance.random() < losses:
                return
            self.device.answered(request, answer)
            if isinstance(answer, VariorumError):
                return
        self.device.look(await self.net.snapshot())

    async def finish(self) -> None:
        while self.device.outbox or self.device.typed:
            self.device.save()
            await self.deliver(losses=0)
        self.device.look(await self.net.snapshot())


async def race(services: list[str], seed: int, turns: int) -> None:
    """Four devices at work at once, and then everything that they were told."""
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:
        headers = {"authorization": f"Bearer {token()}"}
        lines = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=url, headers=headers, timeout=60)
            )
            for url in services
        ]
        draft = (await lines[0].post(DRAFTS, json={"form": "gig", "data": GIG})).json()["id"]
        fork = (await lines[1].post(f"{DRAFTS}/{draft}/fork", json={})).json()["id"]
        net = Net(lines, draft, chance)
        seen = await net.snapshot()
        users = [
            User(net, Device(name, ANN, seen), fork, random.Random(f"{seed} {name}"))
            for name in ("mac", "phone", "ipad", "desk")
        ]
        await asyncio.gather(*(user.work(turns) for user in users))
        for user in users:
            await user.finish()
        await check(net, users)


async def check(net: Net, users: list[User]) -> None:
    """All are level, no version is missing or twice told, and every answer is given again."""
    held = await net.snapshot()
    assert all(same(user.device.live, held.data) for user in users)
    told = sorted(as_version(content) for _, content in net.first.values())
    assert told == list(range(2, held.version + 1))
    for request, content in net.chance.sample(list(net.first.values()), len(net.first)):
        assert (await net.send(request)).content == content
    assert (await net.get("/verify"))["intact"]
    assert await net.snapshot() == held


def as_version(content: bytes) -> int:
    return int(httpx.Response(200, content=content).json()["version"])


async def test_devices_end_level_whichever_of_two_services_they_sync_with(
    services: list[str],
) -> None:
    await race(services, seed=1, turns=15)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
async def test_devices_end_level_after_a_long_race(services: list[str], seed: int) -> None:
    await race(services, seed, turns=60)

"""From one device's receipt to another's screen: how long a saved version takes to be told."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx

from tests import postgres
from tests.benchmarks.serve import Server, on_postgres, on_sqlite, token, variorum

EVERY = 0.1  # seconds between two saves, at first sight of each
PATIENCE = 30.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Screen:
    """A device that shows a draft: at which process it is, and when each version came."""

    worker: str
    came: dict[int, float] = field(default_factory=dict)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, lines: AsyncIterator[str]) -> None:
        """Read the stream for as long as it lasts."""
        async for line in lines:
            if line.startswith("id: "):
                self.came.setdefault(int(line.removeprefix("id: ")), time.perf_counter())
                self.moved.set()

    async def shows(self, version: int) -> float:
        """When a version was there."""
        async with asyncio.timeout(PATIENCE):
            while version not in self.came:
                self.moved.clear()
                await self.moved.wait()
        return self.came[version]


@asynccontextmanager
async def screen(url: str, draft: str) -> AsyncIterator[Screen]:
    """A device of its own, on a connection of its own."""
    async with (
        httpx.AsyncClient(base_url=url, timeout=None, headers=signed_in()) as client,
        client.stream("GET", f"/v1/drafts/{draft}/events") as answer,
    ):
        answer.raise_for_status()
        shown = Screen(worker_of(answer))
        reading = asyncio.create_task(shown.read(answer.aiter_lines()))
        try:
            yield shown
        finally:
            reading.cancel()
            await asyncio.wait([reading])


def signed_in() -> dict[str, str]:
    return {"authorization": f"Bearer {token()}"}


def worker_of(answer: httpx.Response) -> str:
    """Which process answered: the ids of its requests begin alike."""
    return answer.headers["x-request-id"].partition("-")[0]


@dataclass(frozen=True)
class Seen:
    """One version: milliseconds from its receipt, and from its sending, to another screen."""

    same_worker: bool
    from_receipt: float
    from_sending: float


async def measure(url: str, saves: int, screens: int, workers: int) -> list[Seen]:
    """Save again and again on one device while others watch, over all processes."""
    async with AsyncExitStack() as stack:
        device = httpx.AsyncClient(base_url=url, timeout=PATIENCE, headers=signed_in())
        writer = await stack.enter_async_context(device)
        opening = {"form": "gig", "data": {"fee": 0}, "another": True}
        draft = (await writer.post("/v1/drafts", json=opening)).json()["id"]
        shown = [await stack.enter_async_context(screen(url, draft)) for _ in range(screens)]
        while len({one.worker for one in shown}) < workers:
            shown.append(await stack.enter_async_context(screen(url, draft)))
        seen: list[Seen] = []
        for number in range(1, saves + 1):
            edit = {"changes": [{"op": "replace", "path": "/fee", "value": number}]}
            sent = time.perf_counter()
            answer = await writer.patch(f"/v1/drafts/{draft}", json=edit)
            received, version = time.perf_counter(), answer.json()["version"]
            for one in shown:
                came = await one.shows(version)
                same = one.worker == worker_of(answer)
                seen.append(Seen(same, 1000 * (came - received), 1000 * (came - sent)))
            await asyncio.sleep(EVERY)
        return seen


async def idle(server: Server, streams: int, seconds: float) -> float:
    """Microseconds that an idle stream costs the service in a second."""
    async with AsyncExitStack() as stack:
        async with httpx.AsyncClient(base_url=server.url, headers=signed_in()) as client:
            opening = {"form": "gig", "another": True}
            draft = (await client.post("/v1/drafts", json=opening)).json()["id"]
        alone = await _spent(server, seconds)
        for _ in range(streams):
            await stack.enter_async_context(screen(server.url, draft))
        return 1e6 * (await _spent(server, seconds) - alone) / seconds / streams


async def _spent(server: Server, seconds: float) -> float:
    before = _computed(server)
    await asyncio.sleep(seconds)
    return _computed(server) - before


def _computed(server: Server) -> float:
    """How long the server and its workers have computed so far."""
    main = server.process.pid
    workers = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in workers]
    return server.cpu_seconds() + sum(int(s[11]) + int(s[12]) for s in stats) / TICKS


def show(what: str, seen: Sequence[Seen]) -> None:
    """One line of the table."""
    if not seen:
        print(f"| {what} | | | | |")
        return
    receipt, sending = (
        sorted(getattr(s, n) for s in seen) for n in ("from_receipt", "from_sending")
    )
    p99 = receipt[int(len(receipt) * 0.99)]
    print(f"| {what} | {len(seen)} | {median(receipt):.1f} | {p99:.1f} | {median(sending):.1f} |")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on both engines and print a table."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.live", description=__doc__)
    parser.add_argument("--saves", type=int, default=200)
    parser.add_argument("--screens", type=int, default=6, help="streams of the draft")
    parser.add_argument("--idle", type=int, default=300, help="streams to which nothing happens")
    parser.add_argument("--seconds", type=float, default=20.0, help="for which these are watched")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("| | versions on screens | from receipt, median ms | p99 ms | from sending, median ms |")
    print("|---|---|---|---|---|")
    with ExitStack() as stack:
        start = stack.enter_context
        database = start(postgres.fresh_database(start(postgres.running_server())))
        files = Path(start(tempfile.TemporaryDirectory()))
        settings = {
            "PostgreSQL, two workers": {**on_postgres(database), "VARIORUM_WORKERS": "2"},
            "SQLite": on_sqlite(files / "variorum.db"),
        }
        for engine, set_ in settings.items():
            more = {"VARIORUM_MAX_STREAMS_CALLER": "500"}
            with variorum({**set_, **more}) as server:
                workers = int(set_.get("VARIORUM_WORKERS", 1))
                seen = asyncio.run(measure(server.url, options.saves, options.screens, workers))
                show(f"{engine}, same process", [one for one in seen if one.same_worker])
                if others := [one for one in seen if not one.same_worker]:
                    show(f"{engine}, another process", others)
                cost = asyncio.run(idle(server, options.idle, options.seconds))
                print(f"| {engine}, an idle stream | | {cost:.0f} µs of CPU a second | | |")


if __name__ == "__main__":
    main()

"""100,000 changes: audit and export go out in constant memory, and the export proves itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message

from domain.chain import ChainKey, Keyring
from projections.export import export
from projections.store.base import Store
from projections.verify import Tally, verify_file, verify_log
from tests.api.calls import Caller
from tests.domain.scenes import ANN
from tests.projections.histories import desk, level

STATM = Path("/proc/self/statm")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not STATM.exists(), reason="memory is read from /proc"),
]

KEY = ChainKey(b"made up for tests, links their events")
DRAFTS, VERSIONS, CHANGES = 10, 1_000, 10  # of each: 100,000 changes besides the openings
MOST = 24 * 2**20  # bytes by which the process may grow, whatever the length
WIDE = "jazz " * 8  # what makes all the lines together larger than that


@dataclass
class Memory:
    """How much this process grew at the most since now."""

    begun: int = field(default_factory=lambda: resident())
    grown: int = 0

    def look(self) -> None:
        self.grown = max(self.grown, resident() - self.begun)


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(STATM.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def fill(store: Store) -> None:
    """Drafts with many versions of many changes each."""
    await store.people.new_key("ann", ANN)
    async with desk(store) as writer:
        for _ in range(DRAFTS):
            draft = await writer.open({f"f{n}": "" for n in range(CHANGES)})
            for start in range(1, VERSIONS + 1, 100):
                steps = [
                    {f"f{n}": f"{WIDE}{number}" for n in range(CHANGES)}
                    for number in range(start, start + 100)
                ]
                await writer.edits(draft, steps)
    await level(store)


@dataclass
class Taken:
    """What a client takes of an answer: how it began, and how much there was of it."""

    status: int = 0
    bytes: int = 0
    lines: int = 0


async def takes(
    service: ASGIApp,
    somebody: Caller,
    accept: str,
    memory: Memory | None = None,
    most: int | None = None,
) -> Taken:
    """Read a whole audit, or its first lines, piece by piece, keeping nothing."""
    taken = Taken()

    asked: Iterator[Message] = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        if (first := next(asked, None)) is None:
            await asyncio.Event().wait()  # the client stays until it has everything
            raise AssertionError
        return first

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            taken.status = message["status"]
        else:
            taken.bytes += len(message.get("body", b""))
            taken.lines += message.get("body", b"").count(b"\n")
            if memory is not None:
                memory.look()

    headers = [
        (b"authorization", f"Bearer {somebody.token}".encode()),
        (b"accept", accept.encode()),
    ]
    query = b"" if most is None else b"limit=%d" % most
    about = {"method": "GET", "path": "/v1/audit", "raw_path": b"/v1/audit", "query_string": query}
    where = {"scheme": "http", "client": ("127.0.0.1", 1), "server": ("variorum.test", 80)}
    scope = {"type": "http", "http_version": "1.1", "headers": headers, "root_path": ""}
    await service({**scope, **about, **where, "state": {}}, receive, send)
    return taken


async def test_100_000_changes_go_out_and_are_proved_in_constant_memory(
    store: Store, service: ASGIApp, ann: Caller, tmp_path: Path
) -> None:
    await fill(store)
    await takes(service, ann, "text/csv", most=1_000)  # whatever is made once is made
    memory = Memory()
    taken = await takes(service, ann, "text/csv", memory)
    print(f"CSV: {taken.bytes} bytes sent, {memory.grown} more in memory")  # noqa: T201
    assert (taken.status, taken.lines) == (200, DRAFTS * VERSIONS * CHANGES + DRAFTS + 1)
    assert memory.grown < MOST < taken.bytes

    file, memory = tmp_path / "export.jsonl", Memory()
    with file.open("wb") as sink:
        events = await export(store, [], KEY, sink.write, lambda _done, _total: memory.look())
    size, ring = file.stat().st_size, Keyring([KEY])
    with file.open("rb") as lines:
        offline = verify_file(lines, size, ring, pytest.fail, lambda _done, _all: memory.look())
    here = await verify_log(store, ring, pytest.fail, lambda _done, _all: memory.look())
    print(f"export: {size} bytes, {memory.grown} more in memory")  # noqa: T201
    assert offline == here == Tally(events=events, drafts=DRAFTS)
    assert memory.grown < MOST / 2 < size

"""What the database's gate and the hash chain cost: saves and reads with and without, in turn.

All in one process and without HTTP, so that they weigh more than they do in the service.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from uuid import UUID

import psycopg

from domain.chain import KEY_ID_BYTES, Chain
from projections.store.base import Store
from projections.store.postgres import PostgresStore, migrate
from tests import postgres
from tests.domain.scenes import ANN
from tests.projections.histories import CHAIN, Desk, desk, started

EDITORS = 16
FORM = {f"field{number}": "x" * 80 for number in range(60)}


class Unchained(Chain):
    """Links that bind nothing."""

    def __init__(self) -> None:
        """It needs no key."""

    def link(self, previous: bytes, draft: UUID, version: int, topic: str, state: bytes) -> bytes:
        """Zeros of a link's length."""
        return bytes(KEY_ID_BYTES + 32)


@dataclass
class Gates:
    """The service's writer and store, and the owner of its tables, who can open the gate."""

    store: Store
    ann: Desk
    owner: psycopg.Connection
    drafts: Sequence[UUID]
    numbers: Iterator[int] = field(default_factory=count)

    def set(self, *, on: bool) -> None:
        """Let policies and chain hold, or neither."""
        tables = self.owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'variorum'")
        for (name,) in tables.fetchall():
            what = "ENABLE" if on else "DISABLE"
            self.owner.execute(f"ALTER TABLE variorum.{name} {what} ROW LEVEL SECURITY".encode())
        self.ann.writer._chain = CHAIN if on else Unchained()

    async def saves(self, times: int) -> float:
        """Saves a second."""

        async def edit(draft: UUID) -> None:
            await self.ann.edit(draft, {"field1": str(next(self.numbers))})

        return await self._rate(edit, times)

    async def reads(self, times: int) -> float:
        """Reads a second, of the current form states."""

        async def read(draft: UUID) -> None:
            assert await self.store.read(ANN, draft) is not None

        return await self._rate(read, times)

    async def _rate(self, act: Callable[[UUID], Awaitable[None]], times: int) -> float:
        async def repeated(draft: UUID) -> None:
            for _ in range(times):
                await act(draft)

        began = time.perf_counter()
        await asyncio.gather(*map(repeated, self.drafts))
        return times * len(self.drafts) / (time.perf_counter() - began)


@contextmanager
def durable_database() -> Iterator[postgres.Database]:
    """A migrated database on a server with its default durability."""
    with postgres.running_server() as server, postgres.fresh_database(server) as database:
        migrate(database.owner_url, database.service_url)
        yield database


async def compare(database: postgres.Database, rounds: int) -> tuple[list[float], list[float]]:
    """The rates with the gates beside those without, round by round: of saves, of reads."""
    saves, reads = [], []
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        async with started(PostgresStore(database.service_url)) as store, desk(store) as ann:
            drafts = [await ann.open(FORM) for _ in range(EDITORS)]
            gates = Gates(store, ann, owner, drafts)
            await gates.saves(20)
            for number in range(rounds):
                found = {}
                for on in (number % 2 == 0, number % 2 == 1):
                    gates.set(on=on)
                    await gates.reads(5)  # every connection plans anew
                    found[on] = await gates.saves(40), await gates.reads(100)
                saves.append(found[True][0] / found[False][0])
                reads.append(found[True][1] / found[False][1])
    return saves, reads


def main() -> None:
    """Print the medians, and how far the rounds lie apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    with durable_database() as database:
        for name, ratios in zip(
            ("saves", "reads"),
            asyncio.run(compare(database, parser.parse_args().rounds)),
            strict=True,
        ):
            least, most = min(ratios), max(ratios)
            print(f"{name}, with / without: {median(ratios):.2f} ({least:.2f} to {most:.2f})")


if __name__ == "__main__":
    main()

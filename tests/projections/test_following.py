"""Following the log for watched drafts: whatever signals are lost, nothing that moved is missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import pytest

from domain.errors import StoreUnavailable
from projections.following import Following
from projections.store.base import Hear, Store
from projections.store.postgres import PostgresStore
from tests import postgres, tampering
from tests.projections.histories import Desk, desk, started

PATIENCE = 20


@dataclass
class Watcher:
    """Watches some drafts, and remembers what it was told."""

    watched: list[UUID] = field(default_factory=list)
    moves: list[UUID] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    fails: int = 0
    ticks: int = 0

    def drafts(self) -> Collection[UUID]:
        return self.watched

    async def moved(self, drafts: Collection[UUID]) -> None:
        if self.fails:
            self.fails -= 1
            raise StoreUnavailable("made up")
        self.moves += drafts

    def heard(self, what: str) -> None:
        self.said.append(what)

    def tick(self) -> None:
        self.ticks += 1


class Deaf:
    """A store that hears nothing of what others say, as behind some poolers of connections."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def listen(self, _: Hear) -> None:
        await asyncio.get_running_loop().create_future()


@asynccontextmanager
async def following(store: Store, watcher: Watcher, **often: float) -> AsyncIterator[Following]:
    follows = Following(store, watcher, **often)
    follows.start()
    follows.watch()
    try:
        yield follows
    finally:
        await follows.stop()


async def until(
    holds: Callable[[], bool], again: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Wait until something holds; do something again and again meanwhile."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            if again is not None:
                await again()
            await asyncio.sleep(0.02)


@pytest.fixture
async def ann(store: Store) -> AsyncIterator[Desk]:
    """Somebody who writes, as another process would: the following is not told."""
    async with desk(store) as writer:
        yield writer


async def test_what_moved_is_told_once_and_nothing_else_is(store: Store, ann: Desk) -> None:
    draft, other = await ann.open({"n": 0}), await ann.open({"n": 0})
    watcher = Watcher([draft])
    async with following(store, watcher) as follows:
        await until(lambda: watcher.moves == [draft])  # on beginning, to be sure
        await ann.edit(other, {"n": 1})
        await ann.edit(draft, {"n": 1})
        follows.wake()
        await until(lambda: len(watcher.moves) == 2)
        follows.wake()
        await until(lambda: watcher.ticks >= 1)
        assert watcher.moves == [draft, draft]


async def test_without_any_signal_a_slow_tick_finds_what_moved(store: Store, ann: Desk) -> None:
    draft = await ann.open({"n": 0})
    watcher = Watcher([draft])
    async with following(cast("Store", Deaf(store)), watcher):
        await until(lambda: len(watcher.moves) == 1)
        await ann.edit(draft, {"n": 1})
        await until(lambda: len(watcher.moves) == 2)


async def test_what_could_not_be_told_is_told_later(store: Store, ann: Desk) -> None:
    draft = await ann.open({"n": 0})
    watcher = Watcher([draft], fails=1)
    async with following(store, watcher) as follows:
        await until(lambda: watcher.moves == [draft])
        watcher.fails = 2
        await ann.edit(draft, {"n": 1})
        await until(lambda: len(watcher.moves) == 2, again=_waking(follows))


def _waking(follows: Following) -> Callable[[], Awaitable[None]]:
    async def wake() -> None:
        follows.wake()

    return wake


async def test_while_nobody_watches_nothing_is_asked_and_later_all_is_told(
    store: Store, ann: Desk
) -> None:
    draft = await ann.open({"n": 0})
    watcher = Watcher([draft])
    async with following(store, watcher, tick=0.05, linger=0.05) as follows:
        await until(lambda: watcher.moves == [draft])
        watcher.watched = []
        await until(lambda: not follows.watching)
        ticks = watcher.ticks
        await ann.edit(draft, {"n": 1})
        await asyncio.sleep(0.2)
        assert (watcher.ticks, watcher.moves) == (ticks, [draft])
        watcher.watched = [draft]
        follows.watch()
        await until(lambda: len(watcher.moves) == 2)


async def test_another_process_is_heard_also_after_the_connection_was_lost(
    postgres_database: postgres.Database, postgres_server: postgres.Server
) -> None:
    url = postgres_database.service_url
    with tampering.on_server(
        postgres_server.url(postgres.SUPERUSER, postgres_database.name)
    ) as above:
        async with started(PostgresStore(url)) as one, started(PostgresStore(url)) as other:
            watcher = Watcher()
            async with following(one, watcher):
                for said in ("first", "second"):

                    async def say(said: str = said) -> None:
                        await other.say(said)

                    await until(lambda said=said: said in watcher.said, again=say)  # type: ignore[misc]
                    assert above(LOSE) == [(True,)]


LOSE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(query, 'LISTEN')"

"""Follows the log for the drafts that somebody watches here: which of them moved.

One question for all of them, asked when there is news: told by this process's writer, by LISTEN,
or by a slow tick, so that nothing depends on a signal arriving. While nobody watches, nothing is
asked and no connection is held.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from typing import Protocol
from uuid import UUID

from domain.errors import Unavailable
from projections.ending import ended
from projections.store.base import Store

log = logging.getLogger("variorum.following")

TICK = 1.0  # seconds after which to look without being told
PAUSE = 0.01  # seconds between two looks, in which news gathers
LINGER = 10.0  # seconds after the last watcher before the connection is let go


class Watched(Protocol):
    """The drafts that are watched, and what is done when one of them moves."""

    def drafts(self) -> Collection[UUID]:
        """Those that are watched now."""

    async def moved(self, drafts: Collection[UUID]) -> None:
        """These have events that may not be known yet."""

    def heard(self, what: str) -> None:
        """A process of this database said this."""

    def tick(self) -> None:
        """Time has passed."""


class Following:
    """Tells the watched what happens to its drafts, in this process and in all others."""

    def __init__(
        self, store: Store, watched: Watched, *, tick: float = TICK, linger: float = LINGER
    ) -> None:
        self._store, self._watched = store, watched
        self._every, self._linger = tick, linger
        self._watching, self._woken = asyncio.Event(), asyncio.Event()
        self._position = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._task = asyncio.create_task(self._follow(), name="variorum following")

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            await ended(self._task)

    def watch(self) -> None:
        """Somebody has begun to watch."""
        self._watching.set()

    @property
    def watching(self) -> bool:
        """Whether the log is followed now."""
        return self._watching.is_set()

    def wake(self) -> None:
        """There is news in the log."""
        self._woken.set()

    def _hear(self, what: int | str) -> None:
        if isinstance(what, str):
            self._watched.heard(what)
        elif what > self._position:
            self._woken.set()

    async def _follow(self) -> None:
        while True:
            await self._watching.wait()
            async with self._listening():
                await self._while_watched()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._listen(), name="variorum listening")
        try:
            yield
        finally:
            await ended(task)

    async def _listen(self) -> None:
        """A lost connection must not end the listening."""
        while True:
            with suppress(Unavailable):
                await self._store.listen(self._hear)
            await asyncio.sleep(self._every)

    async def _while_watched(self) -> None:
        """Follow until nobody has watched for a while."""
        clock = asyncio.get_running_loop().time
        while not await self._look(self._begin):  # noqa: ASYNC110 - no event tells that it works
            await asyncio.sleep(self._every)
        quiet_at, tick_at = clock() + self._linger, clock() + self._every
        while clock() < quiet_at:
            await self._news(tick_at - clock())
            if self._watched.drafts():
                quiet_at = clock() + self._linger
                await self._look(self._take)
            if clock() >= tick_at:
                tick_at = clock() + self._every
                self._watched.tick()
        self._watching.clear()
        if self._watched.drafts():  # since the last look
            self._watching.set()

    async def _news(self, patience: float) -> None:
        """Wait for news, which gathers for a moment after the last."""
        await asyncio.sleep(PAUSE)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._woken.wait()
        self._woken.clear()

    async def _look(self, step: Callable[[], Awaitable[None]]) -> bool:
        """What goes wrong must not end the following: the next look asks for the same again."""
        try:
            await step()
        except Unavailable:
            return False
        except Exception:
            log.exception("following the log failed; trying again")
            return False
        return True

    async def _begin(self) -> None:
        """Whoever watched before the position was known may lack what was committed meanwhile."""
        self._position = await self._store.log.head()
        await self._watched.moved(self._watched.drafts())

    async def _take(self) -> None:
        head, moved = await self._store.log.moved(self._position, self._watched.drafts())
        if moved:
            await self._watched.moved(moved)
        self._position = head

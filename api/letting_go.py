"""Follows what was purged and who was forgotten, by any process, and lets go of it here."""

from __future__ import annotations

import asyncio
import logging

from api.ending import Ending
from api.live import Live
from api.people import People
from domain.errors import Unavailable
from projections.ending import ended
from projections.store.base import Store
from projections.store.trash import Gone

log = logging.getLogger("variorum.letting_go")

TICK = 1.0  # seconds


class LettingGo:
    """Keeps nothing in memory that is gone from the database for a second or two."""

    def __init__(self, store: Store, ending: Ending, people: People, live: Live) -> None:
        self._store, self._ending, self._people = store, ending, people
        self._live = live
        self._seen = Gone()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; what went before was never held here."""
        self._seen = await self._store.trash.last_gone()
        self._task = asyncio.create_task(self._follow(), name="variorum letting go")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            await ended(self._task)

    async def look(self) -> None:
        """Let go of all that went since the last time."""
        while (gone := await self._next()).drafts or gone.people:
            for draft in gone.drafts:
                self._ending.let_go(draft)
            for person in gone.people:
                self._people.forget(person)
            self._live.let_go(gone.drafts, names_too=bool(gone.people))
            self._seen = gone

    async def _next(self) -> Gone:
        return await self._store.trash.gone(self._seen.tombstone, self._seen.person)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                await self.look()
            except Unavailable:
                continue
            except Exception:
                log.exception("letting go of what was purged failed; trying again")

"""The webhook: follows log and tombstones, and delivers what comes of them until it is taken.

One process of all does it at a time. What is delivered was committed before. It may come twice
after a crash, under the same id, and in another order after a failure: its version says which is
later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from random import random
from typing import Any

import orjson

from api.people import People
from api.posting import NotDelivered, Receiver
from domain.errors import Unavailable
from projections.ending import ended
from projections.store.base import Store
from projections.store.outbox import LOG, PURGED, About, Message, Waiting
from projections.webhooks import PAUSE, Gathering, concerns, of_purged, of_quiet

log = logging.getLogger("variorum.webhooks")

TICK = 1.0  # seconds
BATCH = 256  # events, tombstones or sessions
AT_ONCE = 50  # deliveries before others get a chance to be the one that delivers
# Seconds to wait after each failure, with up to a fifth more; 18 hours in all, then it is given up.
DELAYS = (5, 60, 300, 1_800, 7_200, 18_000, 36_000)
STATUS = {"saved": "open", "expiring": "open"}  # of the draft; else it is what happened


class Webhooks:
    """Tells the receiver what happens to drafts."""

    def __init__(
        self,
        store: Store,
        people: People,
        receiver: Receiver,
        clock: Callable[[], datetime],
        *,
        chance: Callable[[], float] = random,
    ) -> None:
        self._store, self._people, self._receiver = store, people, receiver
        self._clock, self._chance = clock, chance
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to follow; what happened before the first time is not told."""
        await self._store.outbox.begin()
        self._task = asyncio.create_task(self._follow(), name="variorum webhooks")

    async def stop(self) -> None:
        """Stop, also in the middle of a delivery, which is then made again."""
        if self._task is not None:
            await ended(self._task)

    async def work(self) -> None:
        """Take in what is new, and deliver what is due, unless another process does."""
        async with self._store.trash.alone("deliver") as alone:
            if alone:
                await self.take_in()
                await self._deliver()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                await self.work()
            except Unavailable:
                continue
            except Exception:
                log.exception("the webhook failed; trying again")

    # -- taking in

    async def take_in(self) -> None:
        """Make messages of all that is new."""
        while await self._take_log():
            pass
        while await self._take_purged():
            pass
        while await self._take_quiet():
            pass

    async def _take_log(self) -> bool:
        position = await self._store.log.position(LOG)
        lines = await self._store.log.lines(position, BATCH)
        if not lines:
            return False
        records = [line.record for line in lines if concerns(line.record)]
        drafts = {record.draft for record in records}
        gathering = Gathering(await self._store.outbox.sessions(drafts))
        for record in records:
            gathering.take(record)
        upto, news = lines[-1].position, gathering.news()
        await self._store.outbox.put(LOG, position, upto, news, self._clock())
        return len(lines) == BATCH

    async def _take_purged(self) -> bool:
        position = await self._store.log.position(PURGED)
        buried = await self._store.outbox.buried(position, BATCH)
        if not buried:
            return False
        upto, news = buried[-1].number, of_purged(buried)
        await self._store.outbox.put(PURGED, position, upto, news, self._clock())
        return len(buried) == BATCH

    async def _take_quiet(self) -> bool:
        position = await self._store.log.position(LOG)
        quiet = await self._store.outbox.quiet(self._clock() - PAUSE, BATCH)
        if not quiet:
            return False
        await self._store.outbox.put(LOG, position, position, of_quiet(quiet), self._clock())
        return len(quiet) == BATCH

    # -- delivering

    async def _deliver(self) -> None:
        for waiting, about in await self._store.outbox.due(self._clock(), AT_ONCE):
            if not await self._delivered(waiting, about):
                return  # a host that hangs must not hold the others' turn up for long

    async def _delivered(self, waiting: Waiting, about: About) -> bool:
        body = await self._body(waiting.message, about)
        id_ = waiting.message.id
        try:
            await self._receiver.post(f"msg_{id_.hex}", body, self._clock())
        except NotDelivered as why:
            due_at = self._next(waiting.attempts)
            await self._store.outbox.failed(id_, str(why), due_at)
            log.warning("message %s was not delivered: %s", id_, why)
            return False
        await self._store.outbox.delivered(id_)
        return True

    async def _body(self, message: Message, about: About) -> bytes:
        data: dict[str, Any] = {
            "id": message.draft,
            "form": about.form,
            "subject": about.subject,
            "owner": await self._people.sub_of(about.owner),
            "version": message.version,
            "status": STATUS.get(message.event, message.event),
        }
        if message.event == "saved":
            data["from_version"] = message.first_version
        if message.event == "expiring":
            data["expires_at"] = message.at
        told = {"type": f"draft.{message.event}", "timestamp": message.at, "data": data}
        return orjson.dumps(told, option=orjson.OPT_UTC_Z)

    def _next(self, attempts: int) -> datetime | None:
        """When to try again after so many failures before this one; None if that was the last."""
        if attempts >= len(DELAYS):
            return None
        seconds = DELAYS[attempts] * (1 + self._chance() / 5)
        return self._clock() + timedelta(seconds=seconds)

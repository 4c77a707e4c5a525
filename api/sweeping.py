"""The sweep: lets drafts expire, purges what lay in the trash long enough, ends what was begun.

What: every step is repeatable and asks the draft itself, in the writer or in the transaction of the
purge; the lists that it goes by only say where to look.
Why: a save at the same moment wins or loses as a whole, and a sweep that is killed, or one beside
another, leaves nothing half-done.
Else considered: one statement that closes all that is due (no history, and a save could be lost).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from api.ending import BATCH, Ending, Page
from api.writer import Writer
from domain.draft import Draft
from domain.ending import expire
from domain.errors import Busy, DraftNotFound, StoreUnavailable
from domain.origin import SERVICE, Origin
from domain.receipts import Receipt
from projections.catch_up import CatchUp
from projections.ending import ended
from projections.store.base import BEGINNING, Store

log = logging.getLogger("variorum.sweep")

SCRUBBED_AT_MOST = 2**28  # bytes of an SQLite file; a larger one the command scrubs
EVERY = 600.0  # seconds between two sweeps of a process that serves

Progress = Callable[[int, int], None]
Do = Callable[[UUID], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Swept:
    """How many drafts expired and how many were purged."""

    expired: int
    purged: int

    @property
    def total(self) -> int:
        """Both."""
        return self.expired + self.purged


@dataclass(slots=True)
class Told:
    """How far a sweep is, for whoever watches."""

    tell: Progress
    total: int
    done: int = 0

    def of(self, more: int) -> None:
        """So many more are looked at."""
        self.done += more
        self.tell(self.done, max(self.done, self.total))


class Sweep:
    """Goes through what is due, a batch at a time."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        ending: Ending,
        catch_up: CatchUp,
        trash_days: int,
        warning_days: int | None = None,
    ) -> None:
        self._store, self._writer = store, writer
        self._ending, self._catch_up = ending, catch_up
        self._trash_days, self._warning_days = trash_days, warning_days

    async def run(self, at: datetime, progress: Progress | None = None) -> Swept | None:
        """Sweep as of this moment; None if another process is at it."""
        async with self._store.trash.alone("sweep") as alone:
            if not alone:
                return None
            await self._catch_up.drain()
            told = Told(progress, (await self.due(at)).total) if progress else None
            expired, purged, left_over = [
                await self._each(page, do, told) for page, do in self._steps(at)
            ]
            await self._warn_all(at)
            await self._store.trash.scrub(SCRUBBED_AT_MOST)
            return Swept(expired, purged + left_over)

    async def _warn_all(self, at: datetime) -> None:
        """Tell the webhook, if there is one, which drafts expire soon."""
        if self._warning_days is None:
            return
        until, outbox = at + timedelta(days=self._warning_days), self._store.outbox

        async def warn(draft: UUID) -> bool:
            return await outbox.warn(uuid4(), draft, at)

        await self._catch_up.drain()  # what has just expired is not warned of
        await self._each(partial(outbox.to_warn, at, until), warn, None)

    async def due(self, at: datetime) -> Swept:
        """What a sweep as of this moment would do; nothing is changed."""
        expire, purge, left_over = [
            await self._each(page, _nothing, None) for page, _ in self._steps(at)
        ]
        return Swept(expire, purge + left_over)

    def _steps(self, at: datetime) -> Sequence[tuple[Page, Do]]:
        """The lists to go through, and what to do to each draft of a list."""
        trash, origin = self._store.trash, Origin(SERVICE, at)
        since = at - timedelta(days=self._trash_days)
        return (
            (partial(trash.due, at), partial(self._expire, origin)),
            (partial(trash.over, since), partial(self._purge, origin)),
            (trash.of_forgotten, partial(self._ending.purge_as_is, origin=origin)),
        )

    async def _each(self, page: Page, do: Do, told: Told | None) -> int:
        """Do it to every draft of a list; how many it was done to."""
        count, after = 0, BEGINNING
        while drafts := await page(after, BATCH):
            done = await asyncio.gather(*(self._safely(do, draft) for draft in drafts))
            count, after = count + sum(done), drafts[-1]
            if told is not None:
                told.of(len(drafts))
        return count

    async def _safely(self, do: Do, draft: UUID) -> bool:
        """A draft that cannot be read must not keep the others from their end."""
        try:
            return await do(draft)
        except StoreUnavailable:
            raise
        except (DraftNotFound, Busy):  # gone, or in use: the next sweep looks again
            return False
        except Exception as problem:
            log.error("draft %s cannot be swept: %s", draft, type(problem).__name__)
            return False

    async def _expire(self, origin: Origin, draft: UUID) -> bool:
        answer = await self._writer.run(draft, lambda d: expire(d, origin))
        if recorded := isinstance(answer, Receipt) and answer.recorded:
            self._writer.forget(draft)  # nobody saves to it now: room for others
        return recorded

    async def _purge(self, origin: Origin, draft: UUID) -> bool:
        def over(held: Draft) -> bool:
            return held.trash_is_over(origin.at, self._trash_days)

        return await self._ending.purge_if(draft, over, origin)


async def _nothing(_: UUID) -> bool:
    return True


class Sweeping:
    """Sweeps now and then while the service runs."""

    def __init__(self, sweep: Sweep, clock: Callable[[], datetime], every: float = EVERY) -> None:
        self._sweep, self._clock, self._every = sweep, clock, every
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to wait for the first time."""
        self._task = asyncio.create_task(self._follow(), name="variorum sweep")

    async def stop(self) -> None:
        """Stop, in the middle if need be."""
        if self._task is not None:
            await ended(self._task)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                swept = await self._sweep.run(self._clock())
            except StoreUnavailable:
                continue
            except Exception:
                log.exception("a sweep failed; the next one goes on")
            else:
                if swept is not None and (swept.expired or swept.purged):
                    log.info("expired %d drafts, purged %d", swept.expired, swept.purged)

"""The writer: the only place that saves; runs what waits, and commits it in one transaction.

One task of the event loop takes the jobs that wait, decides each on a copy of its draft's
aggregate (api/deciding.py), and saves all their events as one group (api/jobs.py); meanwhile the
next group gathers. A job that fails, fails alone. Only after the commit do the copies take the
aggregates' place and the answers go out.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from random import random
from time import perf_counter
from uuid import UUID

from api.deciding import Deciding, Gone
from api.held import Held, HeldDrafts, catch_up, load
from api.jobs import Beginning, Command, Job, Works, to_group, wants_a_slot_twice
from domain.chain import Chain
from domain.draft import Draft, NeedsEvents
from domain.errors import Busy, Forbidden, SlotTaken, StoreUnavailable, VariorumError
from domain.event import DraftEvent
from domain.receipts import Answer
from projections.store.base import Store
from projections.store.records import Moved, Taken

log = logging.getLogger("variorum.writer")

ATTEMPTS = 40  # two processes that both save to a draft all the time needed up to 19
ASIDE = 0.004  # seconds to step aside at most before the next attempt


class AlreadyBegun(Exception):
    """A draft with this id is there already."""


class Writer:
    """Runs commands one after the other and saves them in groups."""

    def __init__(
        self,
        store: Store,
        chain: Chain,
        *,
        held: HeldDrafts,
        queue_length: int,
        on_commit: Callable[[], None] = lambda: None,
        stopwatch: Callable[[], float] = perf_counter,
    ) -> None:
        self._store, self._chain, self._held = store, chain, held
        self._queue: deque[Job] = deque()
        self._queue_length = queue_length
        self._deciding = Deciding(self._queue, held, stopwatch)
        self._wake = asyncio.Event()
        self._on_commit = on_commit
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def start(self) -> None:
        """Begin to work."""
        self._task = asyncio.create_task(self._work(), name="variorum writer")

    async def stop(self) -> None:
        """Finish what is queued, then stop."""
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task

    # -- what callers ask

    async def run(self, draft: UUID, command: Command) -> Answer:
        """The command's answer, once it is committed.

        Raises:
            DraftNotFound: There is no such draft.
            Busy: Too much is waiting, or the draft stays contended.
            VariorumError: Whatever the command refuses with.
        """
        earlier: Sequence[DraftEvent] = ()
        for _ in range(ATTEMPTS):
            if draft not in self._held:
                await load(draft, self._held, self._store)
            try:
                answer = await self._queued(draft, command, None, earlier)
            except NeedsEvents as needs:
                earlier = await self.events(draft, needs.version)
            except Gone:
                continue
            else:
                assert not isinstance(answer, Draft)
                return answer
        raise Busy("The draft is too busy; try again.")

    async def begin(self, draft: UUID, beginning: Beginning) -> Draft:
        """The new draft, once it is committed.

        Raises:
            AlreadyBegun: A draft with this id is there.
            SlotTaken: Another open draft holds its slot.
        """
        begun = await self._queued(draft, None, beginning)
        assert isinstance(begun, Draft)
        return begun

    async def held(self, draft: UUID) -> Draft:
        """The draft as it is committed, as far as this process knows; not to be changed.

        Raises:
            DraftNotFound: There is no such draft.
        """
        while (held := self._held.get(draft)) is None:
            await load(draft, self._held, self._store)
        return held.draft

    def forget(self, draft: UUID) -> None:
        """Let go of a draft; what the store says of it counts when it is next asked for."""
        self._held.drop(draft)

    async def events(self, draft: UUID, after: int) -> Sequence[DraftEvent]:
        """What happened to a draft after a version."""
        return [record.event() for record in await self._store.events(draft, after, 2**62)]

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._queue)

    def _queued(
        self,
        draft: UUID,
        command: Command | None,
        beginning: Beginning | None,
        earlier: Sequence[DraftEvent] = (),
    ) -> asyncio.Future[Answer | Draft]:
        if self._closing or len(self._queue) >= self._queue_length:
            raise Busy("Too much is waiting to be saved; try again.")
        waiter = asyncio.get_running_loop().create_future()
        job = Job(draft, command, beginning, waiter, earlier)
        self._queue.append(job)
        self._wake.set()
        return job.answer

    # -- the task

    async def _work(self) -> None:
        while not (self._closing and not self._queue):
            await self._wake.wait()
            await asyncio.sleep(0)  # let the requests that have arrived queue up
            self._wake.clear()
            while self._queue:
                await self._group(self._deciding.group())

    async def _group(self, works: Works) -> None:
        """Save what was decided; whatever happens, everybody hears of it and the writer goes on."""
        try:
            await self._save(works)
        except Exception as error:
            self._fail(works, error)

    async def _save(self, works: Works) -> None:
        """In one transaction, and answer."""
        if not works:
            return
        group = to_group(works, self._chain)
        if wants_a_slot_twice(group):
            await self._one_by_one(works, StoreUnavailable(_BROKEN))
            return
        try:
            outcome = await self._store.save(group)
        except Forbidden as refused:
            await self._one_by_one(works, refused)
            return
        if isinstance(outcome, Moved):
            await self._collided(works, set(outcome.drafts))
        elif isinstance(outcome, Taken):
            await self._one_by_one(works, SlotTaken(outcome.drafts[0]))
        else:
            self._committed(works)

    def _committed(self, works: Works) -> None:
        recorded = False
        for work in works.values():
            if work.events:
                recorded = True
                self._held.put(Held(work.draft, work.link, *work.kept))
            for job, answer in work.answers:
                job.finish(answer)
        if recorded:
            self._on_commit()

    def _fail(self, works: Works, error: Exception) -> None:
        """Nothing is known of these drafts any more but what the store says when next asked."""
        log.warning("a group could not be saved", exc_info=error)
        for draft, work in works.items():
            self._held.drop(draft)
            for job in work.jobs:
                job.fail(error if isinstance(error, VariorumError) else StoreUnavailable(_BROKEN))

    # -- when somebody else was faster, or the store refuses

    async def _one_by_one(self, works: Works, refusal: VariorumError) -> None:
        """The store refused somebody's row: only the guilty one fails."""
        jobs = [job for work in works.values() for job in work.jobs]
        if len(jobs) == 1:
            self._held.drop(jobs[0].draft)
            jobs[0].fail(refusal)
            return
        for job in jobs:
            await self._alone(job)

    async def _collided(self, works: Works, moved: set[UUID]) -> None:
        """Another process was faster on some drafts: catch up with it and run the group again."""
        again: list[Job] = []
        for draft, work in works.items():
            for job in work.jobs:
                if draft in moved and job.beginning is not None:
                    job.fail(AlreadyBegun())
                else:
                    job.collisions += draft in moved
                    again.append(job)
        if any(job.collisions >= 2 for job in again):
            # Out of step with the other process, which else may be faster every time.
            await asyncio.sleep(random() * ASIDE)  # noqa: S311
        for draft in moved:
            await catch_up(draft, self._held, self._store)
        self._deciding.again([job for job in again if job.collisions < 2])
        for job in (job for job in again if job.collisions >= 2):
            await self._alone(job)

    async def _alone(self, job: Job) -> None:
        if job.collisions >= ATTEMPTS:
            job.fail(Busy("The draft is too busy; try again."))
            return
        if job.draft not in self._held and job.beginning is None:
            await catch_up(job.draft, self._held, self._store)
        await self._group(self._deciding.alone(job))


_BROKEN = "The change could not be saved; send it again."

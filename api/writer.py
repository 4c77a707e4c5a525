"""The writer: the only place that saves; runs what waits, and commits it in one transaction.

One task of the event loop takes the jobs that wait, decides each on a copy of its draft's
aggregate, and saves all their events as one group; meanwhile the next group gathers. A job that
fails, fails alone. Only after the commit do the copies take the aggregates' place and the answers
go out.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import random
from time import perf_counter
from uuid import UUID

from api.held import Held, HeldDrafts
from domain.chain import FIRST, Chain
from domain.draft import RECENT, Draft, NeedsEvents
from domain.errors import Busy, DraftNotFound, Forbidden, SlotTaken, StoreUnavailable, VariorumError
from domain.event import DraftEvent
from domain.receipts import Answer
from projections.snapshot import aggregate, kept_every, state_of
from projections.store.base import Store
from projections.store.records import Group, Moved, Record, Taken, to_record, to_registers, to_row

log = logging.getLogger("variorum.writer")

GROUP_JOBS = 256
GROUP_SECONDS = 0.01  # of deciding; the rest waits for the next group
ATTEMPTS = 40  # two processes that both save to a draft all the time needed up to 19
ASIDE = 0.004  # seconds to step aside at most before the next attempt

Command = Callable[[Draft], Answer]
Beginning = Callable[[], Draft]


class AlreadyBegun(Exception):
    """A draft with this id is there already."""


class _Gone(Exception):
    """Load the draft and queue the job again."""


@dataclass(slots=True, eq=False)
class Job:
    """One command that waits for its turn."""

    draft: UUID
    command: Command | None
    beginning: Beginning | None
    answer: asyncio.Future[Answer | Draft]
    earlier: Sequence[DraftEvent] = ()  # what the draft must remember for this command
    collisions: int = 0

    def finish(self, answer: Answer | Draft | Exception) -> None:
        """Give the answer, or the refusal, to whoever still waits for it."""
        if isinstance(answer, Exception):
            self.fail(answer)
        elif not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: BaseException) -> None:
        """Give the error to whoever still waits for it."""
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass(slots=True)
class Work:
    """What a group did to one draft: a copy of it with the new events, and the jobs' answers."""

    held: Held | None
    draft: Draft | None
    link: bytes
    events: list[DraftEvent] = field(default_factory=list)
    answers: list[tuple[Job, Answer | Draft | Exception]] = field(default_factory=list)
    kept: tuple[int, int] = (0, 0)  # version and size of the newest whole state that stays

    @property
    def jobs(self) -> Iterable[Job]:
        """Every job of this draft in the group."""
        return [job for job, _ in self.answers]


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
        self._stopwatch = stopwatch
        self._store, self._chain, self._held = store, chain, held
        self._queue: deque[Job] = deque()
        self._queue_length = queue_length
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
                await self._load(draft)
            try:
                answer = await self._queued(draft, command, None, earlier)
            except NeedsEvents as needs:
                earlier = await self.events(draft, needs.version)
            except _Gone:
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
            await self._load(draft)
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

    async def _load(self, draft: UUID) -> None:
        loaded = await self._store.load(draft)
        if loaded is None:
            raise DraftNotFound
        made, link = aggregate(draft, loaded, reach=RECENT)
        size = len(loaded.state.body) if loaded.state else 0
        self._held.put_if_newer(Held(made, link, loaded.kept, size))

    # -- the task

    async def _work(self) -> None:
        while not (self._closing and not self._queue):
            await self._wake.wait()
            await asyncio.sleep(0)  # let the requests that have arrived queue up
            self._wake.clear()
            while self._queue:
                works = self._decide()
                await self._group(works)

    async def _group(self, works: dict[UUID, Work]) -> None:
        """Save what was decided; whatever happens, everybody hears of it and the writer goes on."""
        try:
            await self._save(works)
        except Exception as error:
            self._fail(works, error)

    def _decide(self) -> dict[UUID, Work]:
        """Run what waits, as long as a group may take."""
        works: dict[UUID, Work] = {}
        until, left = self._stopwatch() + GROUP_SECONDS, GROUP_JOBS
        while self._queue and left and self._stopwatch() < until:
            left -= 1
            if not self._run(job := self._queue.popleft(), works):
                self._queue.appendleft(job)
                break
        return works

    def _run(self, job: Job, works: dict[UUID, Work]) -> bool:
        """Run one job into the group; False if it must wait for the next one."""
        work = works.get(job.draft)
        if job.beginning is not None:
            if work is None:
                self._begin(job, works)
            return work is None
        if work is None:
            if (held := self._held.get(job.draft)) is None:
                job.fail(_Gone())
                return True
            kept = (held.kept, held.size)
            work = works[job.draft] = Work(held, held.draft.copy(), held.link, kept=kept)
        self._decide_on(work, job, works)
        return True

    def _begin(self, job: Job, works: dict[UUID, Work]) -> None:
        assert job.beginning is not None
        try:
            draft = job.beginning()
        except Exception as error:
            job.fail(error)
            return
        events = [event for event in draft.collect_events() if isinstance(event, DraftEvent)]
        works[job.draft] = Work(None, draft, FIRST, events, [(job, draft)])

    def _decide_on(self, work: Work, job: Job, works: dict[UUID, Work]) -> None:
        assert work.draft is not None
        assert job.command is not None
        if job.earlier:
            work.draft.recall(job.earlier)
        answer: Answer | Exception
        try:
            answer = job.command(work.draft)
        except (VariorumError, NeedsEvents) as refusal:
            answer = refusal
        except Exception as error:
            log.exception("a command broke; its draft's earlier jobs run again")
            self._leave_out(job, error, works)
            return
        if isinstance(answer, Exception) and work.draft.pending_events:
            self._leave_out(job, answer, works)
            return
        work.answers.append((job, answer))
        work.events += work.draft.collect_events()  # type: ignore[arg-type]

    def _leave_out(self, job: Job, error: Exception, works: dict[UUID, Work]) -> None:
        """A job failed half-way: what its draft's earlier jobs did is done again without it."""
        job.fail(error)
        self._again(works.pop(job.draft).jobs)

    def _again(self, jobs: Iterable[Job]) -> None:
        self._queue.extendleft(reversed(list(jobs)))

    async def _save(self, works: dict[UUID, Work]) -> None:
        if not works:
            return
        group = self._to_group(works)
        if _wants_a_slot_twice(group):
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

    def _to_group(self, works: dict[UUID, Work]) -> Group:
        group = Group()
        for draft, work in works.items():
            assert work.draft is not None
            group.seen[draft] = work.draft.version - len(work.events)
            for event in work.events:
                record = to_record(event, self._chain, work.link)
                work.link = record.hash
                group.records.append(record)
                group.rows.append(to_row(event))
                group.registers += to_registers(event, work.draft)
            if work.held is None:  # its first event holds all of its data
                work.kept = (0, len(group.records[-len(work.events)].state))
            self._keep_states(work, group)
        return group

    def _keep_states(self, work: Work, group: Group) -> None:
        """Whole states at the end of a run of events, and all along it if it is long."""
        assert work.draft is not None
        run = group.records[len(group.records) - len(work.events) :]
        ends = [(work.draft, work.link)] if run else []
        for draft, link in ends if len(run) <= GROUP_JOBS else _along(work, run):
            if draft.version - work.kept[0] >= kept_every(work.kept[1]):
                state = state_of(draft, link)
                work.kept = (state.version, len(state.body))
                group.states.append(state)

    def _committed(self, works: dict[UUID, Work]) -> None:
        recorded = False
        for work in works.values():
            assert work.draft is not None
            if work.events:
                recorded = True
                self._held.put(Held(work.draft, work.link, *work.kept))
            for job, answer in work.answers:
                job.finish(answer)
        if recorded:
            self._on_commit()

    def _fail(self, works: dict[UUID, Work], error: Exception) -> None:
        """Nothing is known of these drafts any more but what the store says when next asked."""
        log.warning("a group could not be saved", exc_info=error)
        for draft, work in works.items():
            self._held.drop(draft)
            for job in work.jobs:
                job.fail(error if isinstance(error, VariorumError) else StoreUnavailable(_BROKEN))

    async def _one_by_one(self, works: dict[UUID, Work], refusal: VariorumError) -> None:
        """The store refused somebody's row: only the guilty one fails."""
        jobs = [job for work in works.values() for job in work.jobs]
        if len(jobs) == 1:
            self._held.drop(jobs[0].draft)
            jobs[0].fail(refusal)
            return
        for job in jobs:
            await self._alone(job)

    async def _collided(self, works: dict[UUID, Work], moved: set[UUID]) -> None:
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
            await self._catch_up(draft)
        self._again([job for job in again if job.collisions < 2])
        for job in (job for job in again if job.collisions >= 2):
            await self._alone(job)

    async def _alone(self, job: Job) -> None:
        if job.collisions >= ATTEMPTS:
            job.fail(Busy("The draft is too busy; try again."))
            return
        works: dict[UUID, Work] = {}
        if job.draft not in self._held and job.beginning is None:
            await self._catch_up(job.draft)
        self._run(job, works)
        await self._group(works)

    async def _catch_up(self, draft: UUID) -> None:
        """Bring the held draft to where the log is."""
        held = self._held.get(draft)
        if held is None:
            with suppress(DraftNotFound, StoreUnavailable):
                await self._load(draft)
            return
        records = await self._store.events(draft, held.draft.version, 2**62)
        if not records:  # it moved, and yet nothing came after: it was purged
            self._held.drop(draft)
            return
        ahead, link = held.draft.copy(), held.link
        for record in records:
            ahead, link = record.event().mutate(ahead), record.hash
        self._held.put_if_newer(Held(ahead, link, held.kept, held.size))


_BROKEN = "The change could not be saved; send it again."


def _along(work: Work, run: Iterable[Record]) -> Iterator[tuple[Draft, bytes]]:
    """The draft and its link after each event of the run."""
    draft = work.held.draft.copy() if work.held else None
    for event, record in zip(work.events, run, strict=True):
        draft = event.mutate(draft)
        assert draft is not None
        yield draft, record.hash


def _wants_a_slot_twice(group: Group) -> bool:
    """Whether two drafts come back to one slot: which of them was first, the store can say."""
    wanted = [
        (register["owner"], register["form"], register["subject"])
        for register in group.registers
        if register["register"] == "take_slot"
    ]
    return len(wanted) > len(set(wanted))

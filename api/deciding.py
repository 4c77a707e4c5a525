"""Deciding: runs the jobs that wait, each on a copy of its draft, as the work of one group."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable

from api.held import HeldDrafts
from api.jobs import GROUP_JOBS, Job, Work, Works
from domain.chain import FIRST
from domain.draft import NeedsEvents
from domain.errors import VariorumError
from domain.event import DraftEvent
from domain.receipts import Answer

log = logging.getLogger("variorum.writer")

GROUP_SECONDS = 0.01  # of deciding; the rest waits for the next group


class Gone(Exception):
    """Load the draft and queue the job again."""


class Deciding:
    """Takes jobs from the queue and runs them; a job that fails, fails alone."""

    def __init__(self, queue: deque[Job], held: HeldDrafts, stopwatch: Callable[[], float]) -> None:
        self._queue, self._held, self._stopwatch = queue, held, stopwatch

    def group(self) -> Works:
        """Run what waits, as long as a group may take."""
        works: Works = {}
        until, left = self._stopwatch() + GROUP_SECONDS, GROUP_JOBS
        while self._queue and left and self._stopwatch() < until:
            left -= 1
            if not self._run(job := self._queue.popleft(), works):
                self._queue.appendleft(job)
                break
        return works

    def alone(self, job: Job) -> Works:
        """Run one job that does not wait in the queue."""
        works: Works = {}
        self._run(job, works)
        return works

    def again(self, jobs: Iterable[Job]) -> None:
        """Let jobs be the next that are decided, in their order."""
        self._queue.extendleft(reversed(list(jobs)))

    def _run(self, job: Job, works: Works) -> bool:
        """Run one job into the group; False if it must wait for the next one."""
        work = works.get(job.draft)
        if job.beginning is not None:
            if work is None:
                self._begin(job, works)
            return work is None
        if work is None:
            if (held := self._held.get(job.draft)) is None:
                job.fail(Gone())
                return True
            kept = (held.kept, held.size)
            work = works[job.draft] = Work(held, held.draft.copy(), held.link, kept=kept)
        self._decide_on(work, job, works)
        return True

    def _begin(self, job: Job, works: Works) -> None:
        assert job.beginning is not None
        try:
            draft = job.beginning()
        except Exception as error:
            job.fail(error)
            return
        events = [event for event in draft.collect_events() if isinstance(event, DraftEvent)]
        works[job.draft] = Work(None, draft, FIRST, events, [(job, draft)])

    def _decide_on(self, work: Work, job: Job, works: Works) -> None:
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

    def _leave_out(self, job: Job, error: Exception, works: Works) -> None:
        """A job failed half-way: what its draft's earlier jobs did is done again without it."""
        job.fail(error)
        self.again(works.pop(job.draft).jobs)

"""Heavy thinking in another process: against a named version, then queued with that version.

A command that may take long (a merge of large lists, a text of a megabyte) is decided on a copy of
the draft as it is committed. What it decided is queued for the writer, which takes it over if the
draft is still at that version; else it is thought through again.

Decision: a process, not a thread. Measured with 1 % heavy merges in the mix: beside a thread,
which fights the event loop for the interpreter, light saves fell to a fifth
(tests/benchmarks/heavy.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from uuid import UUID

from api.jobs import Command as Job
from api.writer import Writer
from domain.draft import Draft, NeedsEvents
from domain.drafts import Drafts
from domain.effort import Decided, decide, live_as_long_as_the_parent
from domain.errors import Busy
from domain.receipts import Answer

log = logging.getLogger("variorum.thinking")

ATTEMPTS = 5  # to be thought through before the draft moves on

Command = Callable[[Drafts, Draft], Answer]
"""A method of Drafts with all but the draft filled in, so that it can go to another process."""


class _MovedOn(Busy):
    """The draft is at another version than the one that was thought about."""


class Thinking:
    """Runs commands: light ones in the writer's turn, heavy ones in a process of their own."""

    def __init__(self, writer: Writer, drafts: Drafts) -> None:
        self._writer, self._drafts = writer, drafts
        self._process: ProcessPoolExecutor | None = None

    async def run(
        self, draft: UUID, command: Command, *, is_heavy: Callable[[Draft], bool]
    ) -> Answer:
        """The command's answer, once it is committed; raises as the writer does."""

        def job(d: Draft) -> Answer:
            return command(self._drafts, d)

        if not is_heavy(await self._writer.held(draft)):
            return await self._writer.run(draft, job)
        for _ in range(ATTEMPTS):
            try:
                return await self._writer.run(draft, await self._think(draft, command))
            except _MovedOn:
                continue
        return await self._writer.run(draft, job)

    def stop(self) -> None:
        """Let go of the process."""
        if self._process is not None:
            self._process.shutdown(wait=False, cancel_futures=True)

    async def _think(self, draft: UUID, command: Command) -> Job:
        trial = (await self._writer.held(draft)).copy()
        version = trial.version
        try:
            decided = await self._decide(command, trial)
        except NeedsEvents as needs:
            trial.recall(await self._writer.events(draft, needs.version))
            decided = await self._decide(command, trial)
        return _take_over(decided, version)

    async def _decide(self, command: Command, trial: Draft) -> Decided:
        drafts = self._drafts.with_form(trial)
        if self._process is None:
            self._process = ProcessPoolExecutor(
                1, get_context("spawn"), initializer=live_as_long_as_the_parent
            )
        asked = self._process.submit(decide, command, drafts, trial)
        try:
            return await asyncio.wrap_future(asked)
        except BrokenProcessPool:
            log.warning("the process that decides heavy edits has ended; a new one is started")
            self._process = None
            return decide(command, drafts, trial)


def _take_over(decided: Decided, version: int) -> Job:
    """A command that only records what was decided on this version."""

    def take_over(draft: Draft) -> Answer:
        if draft.version != version:
            raise _MovedOn("The draft keeps moving; try again.")
        for event in decided.events:
            event.mutate(draft)
            draft.pending_events.append(event)
        answer: Answer = decided.answer
        return answer

    return take_over

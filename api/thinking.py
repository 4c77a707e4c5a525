"""Heavy thinking beside the event loop: against a named version, then queued with that version.

A command that may take long (a merge of large lists, a text of a megabyte) is decided in a thread,
on a copy of the draft as it is committed. What it decided is queued for the writer, which takes it
over if the draft is still at that version; else it is thought through again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from api.writer import Command, Writer
from domain.draft import Draft, DraftEvent, NeedsEvents
from domain.errors import Busy
from domain.receipts import Answer

ATTEMPTS = 5  # to be thought through before the draft moves on


class _MovedOn(Busy):
    """The draft is at another version than the one that was thought about."""


class Thinking:
    """Runs commands: light ones in the writer's turn, heavy ones beside it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        # One at a time: two threads would not think faster, and would hold the loop up twice.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="variorum thinking")

    async def run(
        self, draft: UUID, command: Command, *, is_heavy: Callable[[Draft], bool]
    ) -> Answer:
        """The command's answer, once it is committed; raises as the writer does."""
        if not is_heavy(await self._writer.held(draft)):
            return await self._writer.run(draft, command)
        for _ in range(ATTEMPTS):
            answer, events, version = await self._think(draft, command)
            try:
                return await self._writer.run(draft, _take_over(answer, events, version))
            except _MovedOn:
                continue
        return await self._writer.run(draft, command)

    def stop(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _think(
        self, draft: UUID, command: Command
    ) -> tuple[Answer, Sequence[DraftEvent], int]:
        trial = (await self._writer.held(draft)).copy()
        version = trial.version
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._thread, command, trial)
        except NeedsEvents as needs:
            trial.recall(await self._writer.events(draft, needs.version))
            answer = await loop.run_in_executor(self._thread, command, trial)
        return answer, [e for e in trial.collect_events() if isinstance(e, DraftEvent)], version


def _take_over(answer: Answer, events: Sequence[DraftEvent], version: int) -> Command:
    """A command that only records what was decided on this version."""

    def take_over(draft: Draft) -> Answer:
        if draft.version != version:
            raise _MovedOn("The draft keeps moving; try again.")
        for event in events:
            event.mutate(draft)
            draft.pending_events.append(event)
        return answer

    return take_over

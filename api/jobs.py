"""Jobs that wait for the writer, and what a group of them did, as it is to be saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from api.held import Held
from domain.chain import Chain
from domain.draft import Draft
from domain.event import DraftEvent
from domain.receipts import Answer
from projections.snapshot import kept_every, state_of
from projections.store.records import Group, Record, to_record, to_registers, to_row

GROUP_JOBS = 256  # of a group at most

Command = Callable[[Draft], Answer]
Beginning = Callable[[], Draft]


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
    draft: Draft
    link: bytes
    events: list[DraftEvent] = field(default_factory=list)
    answers: list[tuple[Job, Answer | Draft | Exception]] = field(default_factory=list)
    kept: tuple[int, int] = (0, 0)  # version and size of the newest whole state that stays

    @property
    def jobs(self) -> Iterable[Job]:
        """Every job of this draft in the group."""
        return [job for job, _ in self.answers]


Works = dict[UUID, Work]
"""What a group did, by draft."""


def to_group(works: Works, chain: Chain) -> Group:
    """The group as the store takes it: every event linked to the one before it."""
    group = Group()
    for draft, work in works.items():
        group.seen[draft] = work.draft.version - len(work.events)
        for event in work.events:
            record = to_record(event, chain, work.link)
            work.link = record.hash
            group.records.append(record)
            group.rows.append(to_row(event))
            group.registers += to_registers(event, work.draft)
        if work.held is None:  # its first event holds all of its data
            work.kept = (0, len(group.records[-len(work.events)].state))
        _keep_states(work, group)
    return group


def _keep_states(work: Work, group: Group) -> None:
    """Whole states at the end of a run of events, and all along it if it is long."""
    run = group.records[len(group.records) - len(work.events) :]
    ends = [(work.draft, work.link)] if run else []
    for draft, link in ends if len(run) <= GROUP_JOBS else _along(work, run):
        if draft.version - work.kept[0] >= kept_every(work.kept[1]):
            state = state_of(draft, link)
            work.kept = (state.version, len(state.body))
            group.states.append(state)


def _along(work: Work, run: Iterable[Record]) -> Iterator[tuple[Draft, bytes]]:
    """The draft and its link after each event of the run."""
    draft = work.held.draft.copy() if work.held else None
    for event, record in zip(work.events, run, strict=True):
        draft = event.mutate(draft)
        assert draft is not None
        yield draft, record.hash


def wants_a_slot_twice(group: Group) -> bool:
    """Whether two drafts come back to one slot: which of them was first, the store can say."""
    wanted = [
        (register["owner"], register["form"], register["subject"])
        for register in group.registers
        if register["register"] == "take_slot"
    ]
    return len(wanted) > len(set(wanted))

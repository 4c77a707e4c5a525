"""Late edits: sends what a device sent to a finished draft to the fork that is the device's own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from uuid import UUID

from api.thinking import Thinking
from api.writer import AlreadyBegun, Writer
from domain.asked import Edit
from domain.draft import Draft, NeedsEvents
from domain.drafts import Drafts
from domain.effort import is_heavy
from domain.errors import Busy, DraftClosed, DraftNotFound, Invalid, VariorumError
from domain.late import LateEdit, edit_late, fork_late, fork_of, late
from domain.origin import Origin
from domain.receipts import Answer, Several
from projections.snapshot import fold
from projections.store.base import Store

ATTEMPTS = 20  # forks of one device that somebody purged

Answers = Sequence[Answer | VariorumError]


class _Nothing(Exception):
    """No edit was recorded, so that there is no need of a fork."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        super().__init__()


class Late:
    """Late edits of one process."""

    def __init__(self, store: Store, writer: Writer, drafts: Drafts, thinking: Thinking) -> None:
        self._store, self._writer = store, writer
        self._drafts, self._thinking = drafts, thinking

    async def instead(
        self, draft: UUID, edits: Sequence[tuple[Edit, Origin]], answers: Answers
    ) -> list[tuple[UUID, Answer | VariorumError]]:
        """The answers to a queue, each with its draft: of late edits, by way of their forks."""
        found = [(draft, answer) for answer in answers]
        places: dict[str | None, list[int]] = {}
        for place, ((edit, origin), answer) in enumerate(zip(edits, answers, strict=True)):
            if edit.on_closed == "fork" and isinstance(answer, DraftClosed):
                places.setdefault(origin.device, []).append(place)
        for those in places.values():
            fork, late_ones = await self.send(draft, [edits[place] for place in those])
            for place, answer in zip(those, late_ones, strict=True):
                found[place] = (fork, answer)
        return found

    async def send(self, draft: UUID, edits: Sequence[tuple[Edit, Origin]]) -> tuple[UUID, Answers]:
        """Save edits of one device to a finished draft in its fork: the fork, and an answer each.

        The fork begins with the first that is recorded, in one transaction with it.
        """
        source, found = await self._with_what_was_held(draft, edits)
        for purged in range(ATTEMPTS):
            fork = fork_of(draft, edits[0][1], purged)
            try:
                return fork, await self._save(fork, found)
            except DraftNotFound:
                pass
            try:
                return fork, await self._begin(source, found, purged)
            except _Nothing as nothing:
                return draft, nothing.answers
            except AlreadyBegun:  # by another process just now; or it was purged
                with suppress(DraftNotFound):
                    return fork, await self._save(fork, found)
        raise Busy("The draft's forks are made and purged all the time; try again.")

    async def _with_what_was_held(
        self, draft: UUID, edits: Sequence[tuple[Edit, Origin]]
    ) -> tuple[Draft, list[LateEdit]]:
        source = (await self._writer.held(draft)).copy()
        based_on = [edit.based_on for edit, _ in edits if edit.based_on is not None]
        try:
            source.since(min([*based_on, source.version]))
        except NeedsEvents as needs:
            source.recall(await self._writer.events(draft, needs.version))
        return source, [late(self._drafts, source, edit, origin) for edit, origin in edits]

    async def _save(self, fork: UUID, edits: Sequence[LateEdit]) -> Answers:
        answer = await self._thinking.run(
            fork,
            partial(edit_late, edits=edits),
            is_heavy=lambda d: any(is_heavy(d, one.edit) for one in edits),
        )
        assert isinstance(answer, Several)
        return answer.answers

    async def _begin(self, source: Draft, edits: Sequence[LateEdit], purged: int) -> Answers:
        first = next((late for late in edits if late.held is not None), None)
        if first is None:
            raise Invalid.one("/based_on", f"The draft is only at version {source.version}.")
        then = await self._then(source, first)
        answers: Answers = ()

        def beginning() -> Draft:
            nonlocal answers
            fork = fork_late(self._drafts, source, then, first, purged)
            answers = edit_late(self._drafts, fork, edits).answers
            if fork.version == 1:
                raise _Nothing([_closed(source, answer) for answer in answers])
            return fork

        await self._writer.begin(fork_of(source.id, first.origin, purged), beginning)
        return answers

    async def _then(self, source: Draft, first: LateEdit) -> Draft:
        version = source.version if first.edit.based_on is None else first.edit.based_on
        reading = await self._store.read(first.origin.reader, source.id, version)
        if reading is None:
            raise DraftNotFound
        return fold(source.id, reading)


def _closed(source: Draft, answer: Answer | VariorumError) -> VariorumError:
    """What to say of an edit for which no fork is made: why it was refused, or that it is late."""
    return answer if isinstance(answer, VariorumError) else DraftClosed(source.status)

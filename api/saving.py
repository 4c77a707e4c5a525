"""Every write to a draft that is there: runs a command in its turn, and answers with a receipt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from api import schemas
from api.answers import Answer, receipt_answer, receipt_document, submitted, with_draft
from api.headers import Wishes
from api.late import Late
from api.people import People
from api.problem_documents import document
from api.receipts import Receipts
from api.stored import Stored
from api.thinking import Command, Thinking
from api.writer import Writer
from domain import access
from domain.asked import Edit, Step
from domain.choices import Choice
from domain.draft import Draft
from domain.drafts import Drafts
from domain.effort import is_heavy, is_large
from domain.errors import Clash, DraftClosed, VariorumError
from domain.origin import Origin
from domain.receipts import Answer as Decision
from domain.receipts import Receipt, Several
from projections.snapshot import fold
from projections.store.base import Store

AT_ONCE = 50  # edits of a queue: some milliseconds of the event loop


def _never(_: Draft) -> bool:
    return False


class Saving:
    """The commands of the API that save to a draft."""

    def __init__(self, store: Store, writer: Writer, drafts: Drafts, people: People) -> None:
        self._store, self._writer = store, writer
        self._stored = Stored(store, people)
        self._thinking = Thinking(writer, drafts)
        self._late = Late(store, writer, drafts, self._thinking)
        self._receipts = Receipts(store, drafts, people)

    def stop(self) -> None:
        """Let go of the process in which heavy edits are decided."""
        self._thinking.stop()

    # -- writing data

    async def edit(self, draft: UUID, edit: Edit, origin: Origin, wishes: Wishes) -> Answer:
        """Save an edit; a late one to the fork of its device, if it asks for that."""
        try:
            return await self._run(
                draft,
                partial(Drafts.edit, edit=edit, origin=origin),
                origin,
                wishes,
                is_heavy=lambda d: is_heavy(d, edit),
            )
        except DraftClosed:
            if edit.on_closed != "fork":
                raise
        fork, (answer,) = await self._late.send(draft, [(edit, origin)])
        if isinstance(answer, VariorumError):
            raise await self._receipts.refusal(answer)
        return await self._answer(fork, answer, origin, wishes)

    async def edits(
        self, draft: UUID, edits: list[tuple[Edit, Origin]], origin: Origin
    ) -> dict[str, Any]:
        """Save an offline queue in order; a receipt or a problem for each.

        Some at a time, so that others get their turn; repeated after a broken answer, the queue
        goes on where it was.
        """
        access.require(await self._store.role(origin.reader, draft), "write")
        results: list[dict[str, Any]] = []
        for start in range(0, len(edits), AT_ONCE):
            some = edits[start : start + AT_ONCE]
            answers = await self._late.instead(draft, some, await self._edit_all(draft, some))
            results += [await self._result(there, answer, origin) for there, answer in answers]
        return {"results": results}

    async def _edit_all(
        self, draft: UUID, edits: list[tuple[Edit, Origin]]
    ) -> Sequence[Decision | VariorumError]:
        answer = await self._thinking.run(
            draft,
            partial(Drafts.edit_all, edits=edits),
            is_heavy=lambda d: any(is_heavy(d, edit) for edit, _ in edits),
        )
        assert isinstance(answer, Several)
        return answer.answers

    async def _result(
        self, draft: UUID, answer: Decision | VariorumError, origin: Origin
    ) -> dict[str, Any]:
        try:
            if isinstance(answer, VariorumError):
                raise await self._receipts.refusal(answer)
            return receipt_document(await self._receipts.of(draft, answer, origin))
        except VariorumError as refusal:
            return document(refusal)

    async def restore(
        self, draft: UUID, wanted: schemas.Restore, origin: Origin, wishes: Wishes
    ) -> Answer:
        """Bring back a version, or some paths of it."""
        then = await self._stored.data(draft, origin.reader, wanted.version)
        command = partial(
            Drafts.restore,
            version=wanted.version,
            then=then,
            origin=origin,
            paths=wanted.paths,
            dry_run=wanted.dry_run,
            if_match=wishes.if_match,
        )
        return await self._run(draft, command, origin, wishes, is_heavy=is_large)

    async def undo(
        self, draft: UUID, wanted: schemas.Undo, origin: Origin, wishes: Wishes
    ) -> Answer:
        """Take a version, or a run of versions, back."""
        last = wanted.through or wanted.version
        step = await self._step(draft, origin.reader, wanted.version, last)
        command = partial(
            Drafts.undo,
            step=step,
            origin=origin,
            paths=wanted.paths,
            dry_run=wanted.dry_run,
            if_match=wishes.if_match,
        )
        return await self._run(draft, command, origin, wishes, is_heavy=is_large)

    async def _step(self, draft: UUID, by: str, version: int, through: int) -> Step:
        after = await self._stored.draft(draft, by, through)
        if version == 1:
            return Step(version, through, {}, after.data, (), after.conflicts)
        before = await self._stored.draft(draft, by, version - 1)
        return Step(version, through, before.data, after.data, before.conflicts, after.conflicts)

    async def resolve(
        self,
        draft: UUID,
        choices: Mapping[str, Choice],
        wanted: schemas.Resolving,
        origin: Origin,
        wishes: Wishes,
    ) -> Answer:
        """Settle conflicts; each choice by the pointer to it in the request."""
        command = partial(
            Drafts.resolve,
            choices=choices,
            origin=origin,
            dry_run=wanted.dry_run,
            if_match=wishes.if_match,
        )
        return await self._run(draft, command, origin, wishes, is_heavy=is_large)

    async def merge(
        self, draft: UUID, wanted: schemas.Merge, origin: Origin, wishes: Wishes
    ) -> Answer:
        """Bring a fork back."""
        reading = await self._stored.reading(draft, origin.reader)
        access.require(reading.role, "write")
        target = fold(draft, reading)
        fork = await self._stored.draft(wanted.fork, origin.by)
        since = target.merged_forks.get(str(fork.id), 1)
        base = await self._stored.data(fork.id, origin.by, since)
        command = partial(
            Drafts.merge,
            fork=fork,
            base=base,
            since=since,
            origin=origin,
            if_match=wishes.if_match,
        )
        return await self._run(draft, command, origin, wishes, is_heavy=is_large)

    # -- all else

    async def label(self, draft: UUID, version: int, label: str, origin: Origin) -> Answer:
        """Name a version."""
        return await self._run(
            draft, partial(Drafts.label, version=version, label=label, origin=origin), origin
        )

    async def unlabel(self, draft: UUID, version: int, origin: Origin) -> Answer:
        """Take a version's name away."""
        await self._run(draft, partial(Drafts.unlabel, version=version, origin=origin), origin)
        return Answer(204, [], b"")

    async def extend(self, draft: UUID, origin: Origin) -> Answer:
        """Put the expiry off."""
        return await self._run(draft, partial(Drafts.extend, origin=origin), origin)

    async def submit(self, draft: UUID, origin: Origin, wishes: Wishes) -> Answer:
        """Finish a draft: the receipt has the final form and the link that proves it."""
        command = partial(Drafts.submit, origin=origin, if_match=wishes.if_match)
        decision = await self._thinking.run(draft, command, is_heavy=_never)
        done = await self._receipts.of(draft, decision, origin)
        record = await self._stored.record(draft, done.version)
        final = await self._stored.answer(draft, origin.by, done.version)
        return submitted(done, record.hash, final.body)

    async def discard(self, draft: UUID, origin: Origin, wishes: Wishes) -> Answer:
        """Put a draft in the trash."""
        await self._run(
            draft, partial(Drafts.discard, origin=origin, if_match=wishes.if_match), origin
        )
        return Answer(204, [], b"")

    async def template(self, draft: UUID, origin: Origin, *, on: bool) -> Answer:
        """Make a draft a template, or a template a draft."""
        return await self._run(draft, partial(Drafts.template, origin=origin, on=on), origin)

    async def recover(self, draft: UUID, origin: Origin) -> Answer:
        """Take a draft out of the trash."""
        return await self._run(draft, partial(Drafts.recover, origin=origin), origin)

    async def decided(
        self, draft: UUID, command: Callable[[Draft], Decision], origin: Origin
    ) -> Receipt:
        """The receipt of a command that leaves the data as it is."""
        return await self._receipts.of(draft, await self._writer.run(draft, command), origin)

    # -- the steps

    async def _run(
        self,
        draft: UUID,
        command: Command,
        origin: Origin,
        wishes: Wishes | None = None,
        *,
        is_heavy: Callable[[Draft], bool] = _never,
    ) -> Answer:
        try:
            answer = await self._thinking.run(draft, command, is_heavy=is_heavy)
        except Clash as clash:
            raise await self._receipts.refusal(clash) from None
        return await self._answer(draft, answer, origin, wishes)

    async def _answer(
        self, draft: UUID, answer: Decision, origin: Origin, wishes: Wishes | None
    ) -> Answer:
        done = await self._receipts.of(draft, answer, origin)
        if wishes is None or not wishes.whole:
            return receipt_answer(done)
        return with_draft(done, (await self._stored.answer(draft, origin.by)).body)

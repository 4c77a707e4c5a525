"""Every write of the contract: asks for what the command needs, hands it to the writer, answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4, uuid5

from api import schemas
from api.answers import (
    draft_answer,
    in_words,
    receipt_answer,
    receipt_document,
    submitted,
    with_draft,
)
from api.late import Late
from api.people import People
from api.problems import Answer, document
from api.thinking import Command, Thinking
from api.tombstones import Tombstones
from api.writer import AlreadyBegun, Writer
from domain import access, events
from domain.asked import Edit, Opening, Step
from domain.choices import Choice
from domain.draft import Draft
from domain.drafts import Drafts
from domain.effort import is_heavy, is_large
from domain.errors import (
    Busy,
    Clash,
    DraftClosed,
    DraftNotFound,
    DraftPurged,
    IdTaken,
    SeqReused,
    SeqSkipped,
    SlotTaken,
    VariorumError,
    VersionNotFound,
)
from domain.event import DataEvent, DraftEvent
from domain.filling import shares_a_field
from domain.masking import hides_past, masked_change, masked_conflict
from domain.origin import Origin
from domain.receipts import Answer as Decision
from domain.receipts import Earlier, Receipt, Repeated, Several
from domain.repetition import first_receipt, first_receipt_of_merge
from projections.snapshot import body_of, data_at, fold
from projections.store.base import Store
from projections.store.records import Reading, Record
from projections.wording import Wording

MANY_CHANGES = 100  # to be put in words: some milliseconds
AT_ONCE = 50  # edits of a queue: some milliseconds of the event loop
LOOKS = 5  # at a slot, until an opening finds it free or held by an open draft


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a request's headers ask for: the versions of If-Match, and the whole draft back."""

    if_match: Collection[int] | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Beginning:
    """An opening, who asks for it, and by which id and from which template."""

    opening: Opening
    origin: Origin
    id: UUID | None = None
    template: UUID | None = None


def _never(_: Draft) -> bool:
    return False


class Saving:
    """The commands of the API."""

    def __init__(self, store: Store, writer: Writer, drafts: Drafts, people: People) -> None:
        self._store, self._writer, self._drafts, self._people = store, writer, drafts, people
        self._thinking = Thinking(writer, drafts)
        self._late = Late(store, writer, drafts, self._thinking)
        self._tombstones = Tombstones(store, people)

    def stop(self) -> None:
        """Let go of the process in which heavy edits are decided."""
        self._thinking.stop()

    # -- beginning

    async def open(self, wanted: schemas.Opening, origin: Origin) -> Answer:
        """The open draft for a form and subject: 201 if it is new, 200 if it was there."""
        opening = Opening(
            wanted.form, wanted.subject, wanted.data, wanted.step, tuple(wanted.completed_steps)
        )
        beginning = Beginning(opening, origin, wanted.id, wanted.from_template)
        if wanted.another:
            return await self._begin(beginning, slot=False)
        for _ in range(LOOKS):
            with suppress(DraftClosed):  # the holder was finished since: the slot is free again
                return await self._open_or_find(beginning)
        raise Busy("The draft is opened and finished all the time; try again.")

    async def _open_or_find(self, wanted: Beginning) -> Answer:
        opening, by = wanted.opening, wanted.origin.by
        holder = await self._store.holder_of_slot(by, opening.form, opening.subject)
        if holder is None:
            try:
                return await self._begin(wanted, slot=True)
            except SlotTaken as taken:
                holder = UUID(taken.draft)
        return await self._found(holder, wanted)

    async def _begin(self, wanted: Beginning, *, slot: bool) -> Answer:
        draft, opening = wanted.id or uuid4(), wanted.opening
        if wanted.template is not None:
            template = await self._at(wanted.template, wanted.origin.by)
            opening = self._drafts.from_template(opening, template, wanted.origin.by)
        try:
            begun = await self._writer.begin(
                draft, lambda: self._drafts.open(opening, wanted.origin, new=draft, slot=slot)
            )
        except AlreadyBegun:
            return await self._there_already(draft, wanted.origin)
        return await self._new(begun)

    async def _new(self, draft: Draft) -> Answer:
        body = await self._people.served(body_of(draft), "owner")
        return draft_answer(body, draft.version, 201, f"/v1/drafts/{draft.id}")

    async def _there_already(self, draft: UUID, origin: Origin) -> Answer:
        """The answer to an opening by an id that is used: the caller's own draft, or a refusal."""
        try:
            return await self._whole(draft, origin.by)
        except DraftNotFound:
            left = await self._tombstones.of(draft, origin.by)
            raise IdTaken if left is None else DraftPurged(left) from None

    async def _found(self, holder: UUID, wanted: Beginning) -> Answer:
        """What was sent fills the open draft, unless it plainly belongs to another one."""
        opening, origin = wanted.opening, wanted.origin
        held = await self._at(holder, origin.by)
        held.must_be_open()
        if not opening.data:
            return await self._shown(held, origin.by)
        nothing_in_common = held.data and not shares_a_field(
            held.data, opening.data, self._drafts.form(held)
        )
        if opening.subject is None and nothing_in_common:
            return await self._begin(wanted, slot=False)
        await self._writer.run(holder, lambda draft: self._drafts.fill(draft, opening, origin))
        return await self._whole(holder, origin.by)

    async def fork(self, draft: UUID, wanted: schemas.Fork, origin: Origin) -> Answer:
        """A draft of the caller's own that starts from a version of this one."""
        reading = await self._reading(draft, origin.reader, wanted.version)
        source, past = fold(draft, reading), wanted.version not in (None, reading.head)
        new = uuid4()
        if origin.device is not None and origin.seq is not None:
            new = uuid5(draft, f"fork {origin.by} {origin.device} {origin.seq}")
        # The number counts in the draft that is forked, not in the fork.
        alone = replace(origin, seq=None)
        try:
            fork = await self._writer.begin(
                new,
                lambda: self._drafts.fork(source, alone, new=new, role=reading.role, past=past),
            )
        except AlreadyBegun:
            fork = await self._forked_before(new, origin)
        return await self._new(fork)

    async def _forked_before(self, fork: UUID, origin: Origin) -> Draft:
        """The fork that a number of a device made, as it was then."""
        assert origin.seq is not None
        record = await self._record_of(fork, 1)
        if record.event().digest != origin.digest:
            raise SeqReused(origin.seq)
        return await self._at(fork, origin.by, 1)

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
            raise await self._told(answer) if isinstance(answer, Clash) else answer
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
                raise await self._told(answer) if isinstance(answer, Clash) else answer
            return receipt_document(await self._receipt(draft, answer, origin))
        except VariorumError as refusal:
            return document(refusal)

    async def restore(
        self, draft: UUID, wanted: schemas.Restore, origin: Origin, wishes: Wishes
    ) -> Answer:
        """Bring back a version, or some paths of it."""
        then = await self._data(draft, origin.reader, wanted.version)
        return await self._run(
            draft,
            partial(
                Drafts.restore,
                version=wanted.version,
                then=then,
                origin=origin,
                paths=wanted.paths,
                dry_run=wanted.dry_run,
                if_match=wishes.if_match,
            ),
            origin,
            wishes,
            is_heavy=is_large,
        )

    async def undo(
        self, draft: UUID, wanted: schemas.Undo, origin: Origin, wishes: Wishes
    ) -> Answer:
        """Take a version, or a run of versions, back."""
        last = wanted.through or wanted.version
        step = await self._step(draft, origin.reader, wanted.version, last)
        return await self._run(
            draft,
            partial(
                Drafts.undo,
                step=step,
                origin=origin,
                paths=wanted.paths,
                dry_run=wanted.dry_run,
                if_match=wishes.if_match,
            ),
            origin,
            wishes,
            is_heavy=is_large,
        )

    async def _step(self, draft: UUID, by: str, version: int, through: int) -> Step:
        after = await self._at(draft, by, through)
        if version == 1:
            return Step(version, through, {}, after.data, (), after.conflicts)
        before = await self._at(draft, by, version - 1)
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
        return await self._run(
            draft,
            partial(
                Drafts.resolve,
                choices=choices,
                origin=origin,
                dry_run=wanted.dry_run,
                if_match=wishes.if_match,
            ),
            origin,
            wishes,
            is_heavy=is_large,
        )

    async def merge(
        self, draft: UUID, wanted: schemas.Merge, origin: Origin, wishes: Wishes
    ) -> Answer:
        """Bring a fork back."""
        reading = await self._reading(draft, origin.reader, None)
        access.require(reading.role, "write")
        target = fold(draft, reading)
        fork = await self._at(wanted.fork, origin.by)
        since = target.merged_forks.get(str(fork.id), 1)
        base = await self._data(fork.id, origin.by, since)

        return await self._run(
            draft,
            partial(
                Drafts.merge,
                fork=fork,
                base=base,
                since=since,
                origin=origin,
                if_match=wishes.if_match,
            ),
            origin,
            wishes,
            is_heavy=is_large,
        )

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
        done = await self._receipt(
            draft, await self._thinking.run(draft, command, is_heavy=_never), origin
        )
        record = await self._record_of(draft, done.version)
        final = await self._shown(await self._at(draft, origin.by, done.version), origin.by)
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
            raise await self._told(clash) from None
        return await self._answer(draft, answer, origin, wishes)

    async def _answer(
        self, draft: UUID, answer: Decision, origin: Origin, wishes: Wishes | None
    ) -> Answer:
        done = await self._receipt(draft, answer, origin)
        if wishes is None or not wishes.whole:
            return receipt_answer(done)
        return with_draft(done, (await self._whole(draft, origin.by)).body)

    async def decided(
        self, draft: UUID, command: Callable[[Draft], Decision], origin: Origin
    ) -> Receipt:
        """The receipt of a command that leaves the data as it is."""
        return await self._receipt(draft, await self._writer.run(draft, command), origin)

    async def _receipt(self, draft: UUID, answer: Decision, origin: Origin) -> Receipt:
        """The receipt of a request; for one that was recorded before, the receipt it had then."""
        if isinstance(answer, Earlier):
            answer = await self._recorded(draft, answer)
        if isinstance(answer, Repeated):
            return await self._repeated(draft, answer.version, origin)
        assert isinstance(answer, Receipt)
        return await self._named(answer)

    async def _named(self, answer: Receipt) -> Receipt:
        if answer.changes:
            answer = replace(answer, changes=await self._worded(answer))
        if answer.conflicts:
            answer = replace(answer, conflicts=await self._people.named(answer.conflicts))
        return answer

    async def _worded(self, done: Receipt) -> list[dict[str, Any]]:
        """A receipt's changes in words, with the names of those who made them."""
        assert done.between is not None
        wording = Wording(self._drafts.form_named(done.form), *done.between)
        names = await self._people.subs_of(change["by"] for change in done.changes)

        def in_words_all() -> list[dict[str, Any]]:
            return [in_words(change, wording, names[change["by"]]) for change in done.changes]

        many = len(done.changes) > MANY_CHANGES
        return await asyncio.to_thread(in_words_all) if many else in_words_all()

    async def _told(self, clash: Clash) -> Clash:
        """A clash with the names of the people whom it is between."""
        return Clash(await self._people.named(clash.conflicts))

    async def _recorded(self, draft: UUID, earlier: Earlier) -> Repeated:
        version = await self._store.version_of_seq(draft, earlier.device, earlier.seq)
        if version is None:
            raise SeqSkipped(earlier.last_seq)
        record = await self._record_of(draft, version)
        if record.event().digest != earlier.digest:
            raise SeqReused(earlier.last_seq)
        return Repeated(version)

    async def _repeated(self, draft: UUID, version: int, origin: Origin) -> Receipt:
        """The receipt that a request had; what it tells of the past is not everybody's."""
        reading = await self._reading(draft, origin.reader, version)
        after = fold(draft, reading)
        record = await self._record_of(draft, version)
        first = await self._named(await self._first_receipt(draft, version, after, record.event()))
        form = self._drafts.form(after)
        if record.by == origin.by or not hides_past(form, reading.role):
            return first
        changes = [masked_change(change, form) for change in first.changes]
        conflicts = [masked_conflict(conflict, form) for conflict in first.conflicts]
        return replace(first, changes=changes, conflicts=conflicts)

    async def _first_receipt(
        self, draft: UUID, version: int, after: Draft, event: DraftEvent
    ) -> Receipt:
        if isinstance(event, events.Merged) and event.based_on is not None:
            records = await self._store.events(draft, event.based_on, version - 1)
            since = [e for record in records if isinstance(e := record.event(), DataEvent)]
            return first_receipt_of_merge(after, event, since, self._drafts.form(after))
        return first_receipt(after, event)

    async def _record_of(self, draft: UUID, version: int) -> Record:
        """What is stored of a version that was there a moment ago; unless it was purged since."""
        records = await self._store.events(draft, version - 1, version)
        if not records:
            raise DraftNotFound
        return records[0]

    async def _at(self, draft: UUID, by: str, version: int | None = None) -> Draft:
        return fold(draft, await self._reading(draft, by, version))

    async def _data(self, draft: UUID, by: str, version: int) -> dict[str, Any]:
        return data_at(draft, await self._reading(draft, by, version))

    async def _reading(self, draft: UUID, by: str, version: int | None) -> Reading:
        reading = await self._store.read(by, draft, version)
        if reading is None:
            raise DraftNotFound
        if version is not None and version > reading.head:
            raise VersionNotFound(version, reading.head)
        return reading

    async def _whole(self, draft: UUID, by: str) -> Answer:
        return await self._shown(await self._at(draft, by), by)

    async def _shown(self, draft: Draft, by: str) -> Answer:
        role = draft.role_of(by) or "viewer"
        body = await self._people.served(body_of(draft), role)
        return draft_answer(body, draft.version)

"""Drafts that begin: opened, or found where one is open already, and forked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID, uuid4, uuid5

from api import schemas
from api.answers import Answer, draft_answer
from api.people import People
from api.stored import Stored
from api.tombstones import Tombstones
from api.writer import AlreadyBegun, Writer
from domain.asked import Opening
from domain.draft import Draft
from domain.drafts import Drafts
from domain.errors import (
    Busy,
    DraftClosed,
    DraftNotFound,
    DraftPurged,
    IdTaken,
    SeqReused,
    SlotTaken,
)
from domain.filling import shares_a_field
from domain.origin import Origin
from projections.snapshot import body_of, fold
from projections.store.base import Store

LOOKS = 5  # at a slot, until an opening finds it free or held by an open draft


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An opening, who asks for it, and by which id and from which template."""

    opening: Opening
    origin: Origin
    id: UUID | None = None
    template: UUID | None = None


class Beginning:
    """Opens drafts, and forks them."""

    def __init__(self, store: Store, writer: Writer, drafts: Drafts, people: People) -> None:
        self._store, self._writer, self._drafts, self._people = store, writer, drafts, people
        self._stored = Stored(store, people)
        self._tombstones = Tombstones(store, people)

    async def open(self, wanted: schemas.Opening, origin: Origin) -> Answer:
        """The open draft for a form and subject: 201 if it is new, 200 if it was there."""
        opening = Opening(
            wanted.form, wanted.subject, wanted.data, wanted.step, tuple(wanted.completed_steps)
        )
        asked = _Wanted(opening, origin, wanted.id, wanted.from_template)
        if wanted.another:
            return await self._begin(asked, slot=False)
        for _ in range(LOOKS):
            with suppress(DraftClosed):  # the holder was finished since: the slot is free again
                return await self._open_or_find(asked)
        raise Busy("The draft is opened and finished all the time; try again.")

    async def _open_or_find(self, wanted: _Wanted) -> Answer:
        opening, by = wanted.opening, wanted.origin.by
        holder = await self._store.holder_of_slot(by, opening.form, opening.subject)
        if holder is None:
            try:
                return await self._begin(wanted, slot=True)
            except SlotTaken as taken:
                holder = UUID(taken.draft)
        return await self._found(holder, wanted)

    async def _begin(self, wanted: _Wanted, *, slot: bool) -> Answer:
        draft, opening = wanted.id or uuid4(), wanted.opening
        if wanted.template is not None:
            template = await self._stored.draft(wanted.template, wanted.origin.by)
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
            return await self._stored.answer(draft, origin.by)
        except DraftNotFound:
            left = await self._tombstones.of(draft, origin.by)
            raise IdTaken if left is None else DraftPurged(left) from None

    async def _found(self, holder: UUID, wanted: _Wanted) -> Answer:
        """What was sent fills the open draft, unless it plainly belongs to another one."""
        opening, origin = wanted.opening, wanted.origin
        held = await self._stored.draft(holder, origin.by)
        held.must_be_open()
        if not opening.data:
            return await self._stored.shown(held, origin.by)
        nothing_in_common = held.data and not shares_a_field(
            held.data, opening.data, self._drafts.form(held)
        )
        if opening.subject is None and nothing_in_common:
            return await self._begin(wanted, slot=False)
        await self._writer.run(holder, lambda draft: self._drafts.fill(draft, opening, origin))
        return await self._stored.answer(holder, origin.by)

    async def fork(self, draft: UUID, wanted: schemas.Fork, origin: Origin) -> Answer:
        """A draft of the caller's own that starts from a version of this one."""
        reading = await self._stored.reading(draft, origin.reader, wanted.version)
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
        record = await self._stored.record(fork, 1)
        if record.event().digest != origin.digest:
            raise SeqReused(origin.seq)
        return await self._stored.draft(fork, origin.by, 1)

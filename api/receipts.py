"""The answers to commands, as receipts: in words, with names; of a repetition the first one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

from api.answers import in_words
from api.people import People
from api.stored import Stored
from domain.draft import Draft
from domain.drafts import Drafts
from domain.errors import Clash, SeqReused, SeqSkipped, VariorumError
from domain.event import DataEvent, DraftEvent
from domain.events import Merged
from domain.masking import hides_past, masked_change, masked_conflict
from domain.origin import Origin
from domain.receipts import Answer, Earlier, Receipt, Repeated
from domain.repetition import first_receipt, first_receipt_of_merge
from projections.snapshot import fold
from projections.store.base import Store
from projections.wording import Wording

MANY_CHANGES = 100  # to be put in words: some milliseconds


class Receipts:
    """Makes receipts of what commands answered."""

    def __init__(self, store: Store, drafts: Drafts, people: People) -> None:
        self._store, self._drafts, self._people = store, drafts, people
        self._stored = Stored(store, people)

    async def of(self, draft: UUID, answer: Answer, origin: Origin) -> Receipt:
        """The receipt of a request; for one that was recorded before, the receipt it had then."""
        if isinstance(answer, Earlier):
            answer = await self._recorded(draft, answer)
        if isinstance(answer, Repeated):
            return await self._repeated(draft, answer.version, origin)
        assert isinstance(answer, Receipt)
        return await self._named(answer) if answer.changes or answer.conflicts else answer

    async def _named(self, answer: Receipt) -> Receipt:
        """A receipt in words and with names."""
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

    async def refusal(self, refused: VariorumError) -> VariorumError:
        """What to raise: a clash with the names of the people whom it is between, else as it is."""
        if not isinstance(refused, Clash):
            return refused
        return Clash(await self._people.named(refused.conflicts))

    async def _recorded(self, draft: UUID, earlier: Earlier) -> Repeated:
        version = await self._store.version_of_seq(draft, earlier.device, earlier.seq)
        if version is None:
            raise SeqSkipped(earlier.last_seq)
        record = await self._stored.record(draft, version)
        if record.event().digest != earlier.digest:
            raise SeqReused(earlier.last_seq)
        return Repeated(version)

    async def _repeated(self, draft: UUID, version: int, origin: Origin) -> Receipt:
        """The receipt that a request had; what it tells of the past is not everybody's."""
        reading = await self._stored.reading(draft, origin.reader, version)
        after = fold(draft, reading)
        record = await self._stored.record(draft, version)
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
        if isinstance(event, Merged) and event.based_on is not None:
            records = await self._store.events(draft, event.based_on, version - 1)
            since = [e for record in records if isinstance(e := record.event(), DataEvent)]
            return first_receipt_of_merge(after, event, since, self._drafts.form(after))
        return first_receipt(after, event)

"""Adopts the drafts that lie in a browser: each entry once, however often it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID, uuid5

from api.origins import digest_of
from api.requests import parse_json
from api.settings import Limits
from api.writer import AlreadyBegun, Writer
from domain.access import require_person
from domain.asked import Import, Opening
from domain.draft import Draft
from domain.drafts import Drafts
from domain.errors import BadInput, Busy, DraftClosed, SlotTaken
from domain.filling import holds_nothing, shares_a_field
from domain.legacy import Entry, KeyPattern, Place, entry_of, place_of
from domain.moment import rfc3339
from domain.origin import Origin
from domain.receipts import Receipt
from projections.snapshot import fold
from projections.store.base import Store

LOOKS = 5  # at a slot, until an entry finds it free or held by an open draft

IMPORTS = UUID("6f1f2f8a-6c0b-5d0e-9a35-0c7c1d6a1c11")  # the namespace of imports' ids

Outcome = Literal["imported", "filled", "known", "empty", "broken", "refused", "ignored"]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one entry of a browser.

    It became a draft (`imported`, maybe `beside` an open one) or went into the open one (`filled`),
    now or before (`known`). Or it was left alone: it holds nothing (`empty`), is no JSON object
    (`broken`), no draft may hold it (`refused`), or its key is none of those that hold drafts
    (`ignored`). `left_out` are its members that are none of the form's.
    """

    key: str
    outcome: Outcome
    draft: UUID | None = None
    beside: UUID | None = None
    conflicts: int | None = None
    left_out: Sequence[str] = ()
    detail: str | None = None


class _Again(Exception):
    """Somebody was faster: look at the slot again."""


class Adopting:
    """Takes over what a browser kept, by the patterns of its keys."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        drafts: Drafts,
        patterns: Sequence[KeyPattern],
        limits: Limits,
    ) -> None:
        self._store, self._writer, self._drafts = store, writer, drafts
        self._patterns, self._limits = patterns, limits

    async def adopt(self, entries: Mapping[str, str], origin: Origin) -> dict[str, Any]:
        """A report on each entry.

        Raises:
            Forbidden: The caller is a share link, which can own nothing.
        """
        require_person(origin.by)
        return {"items": [asdict(await self._one(*entry, origin)) for entry in entries.items()]}

    async def _one(self, key: str, text: str, origin: Origin) -> Report:
        if (place := place_of(key, self._patterns)) is None:
            return Report(key, "ignored")
        try:
            value = parse_json(text.encode(), self._limits)
        except BadInput as broken:
            return Report(key, "broken", detail=_of_an_entry(str(broken)))
        if not isinstance(value, dict):
            return Report(key, "broken", detail="The entry is no JSON object.")
        entry = entry_of(value)
        if holds_nothing(entry.data, self._drafts.form_named(place.form)):
            return Report(key, "empty", left_out=entry.left_out)
        try:
            return await self._take(key, _opening(key, place, entry, origin), entry, origin)
        except BadInput as refused:
            return Report(key, "refused", detail=str(refused))

    async def _take(self, key: str, opening: Opening, entry: Entry, origin: Origin) -> Report:
        assert opening.imported is not None
        known = UUID(opening.imported.id)
        if (draft := await self._store.imported_as(known)) is not None:
            return Report(key, "known", draft, left_out=entry.left_out)
        adoption = _Adoption(key, known, opening, entry, origin)
        for _ in range(LOOKS):
            with suppress(DraftClosed, SlotTaken):  # the slot is another's, or free again
                return await self._begin_or_fill(adoption)
        raise Busy("The draft is opened and finished all the time; try again.")

    async def _begin_or_fill(self, wanted: _Adoption) -> Report:
        opening, origin = wanted.opening, wanted.origin
        holder = await self._store.holder_of_slot(origin.by, opening.form, opening.subject)
        if holder is None:
            return await self._begin(wanted)
        held = await self._held(holder, origin)
        held.must_be_open()
        form = self._drafts.form(held)
        if held.data and not shares_a_field(held.data, opening.data, form):
            return await self._begin(wanted, beside=holder)
        done = await self._writer.run(holder, lambda d: self._drafts.fill(d, opening, origin))
        assert isinstance(done, Receipt)
        outcome: Outcome = "filled" if done.recorded else "known"
        return wanted.report(outcome, holder, conflicts=len(done.conflicts))

    async def _begin(self, wanted: _Adoption, beside: UUID | None = None) -> Report:
        slot, new = beside is None, wanted.id
        try:
            await self._writer.begin(
                new, lambda: self._drafts.open(wanted.opening, wanted.origin, new=new, slot=slot)
            )
        except AlreadyBegun:
            return wanted.report("known", new)
        return wanted.report("imported", new, beside=beside)

    async def _held(self, draft: UUID, origin: Origin) -> Draft:
        reading = await self._store.read(origin.by, draft)
        if reading is None:  # purged or handed over since
            raise DraftClosed("discarded")
        return fold(draft, reading)


@dataclass(frozen=True, slots=True)
class _Adoption:
    """An entry on its way into a draft."""

    key: str
    id: UUID
    opening: Opening
    entry: Entry
    origin: Origin

    def report(self, outcome: Outcome, draft: UUID, **more: Any) -> Report:
        """What became of it."""
        return Report(self.key, outcome, draft, left_out=self.entry.left_out, **more)


def _of_an_entry(detail: str) -> str:
    """What is wrong with a body, said of an entry."""
    return detail.replace("The body", "The entry").replace("the body", "the entry")


def _opening(key: str, place: Place, entry: Entry, origin: Origin) -> Opening:
    """The entry as an opening, by an id that the same entry of the same person always has."""
    step, completed = entry.step, entry.completed_steps
    held = {"data": entry.data, "step": step, "completed_steps": completed}
    known = uuid5(IMPORTS, f"{origin.by}\n{key}\n{digest_of('import', held)}")
    saved = {} if entry.saved_at is None else {"saved_at": rfc3339(entry.saved_at)}
    source = {"key": key, **saved}
    return Opening(
        place.form, place.subject, entry.data, step, completed, imported=Import(str(known), source)
    )

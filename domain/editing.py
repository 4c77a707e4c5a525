"""Editing: what clients send of a draft is saved, merged with what others changed since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from domain import conflicts, diff, events
from domain.admission import admit
from domain.asked import Edit
from domain.authors import by_authors, met, next_author
from domain.conflict import NO_TURN, Met, Write
from domain.devices import device_copy, is_own_edit
from domain.draft import Draft
from domain.errors import Clash, Invalid, VariorumError
from domain.event import DataEvent
from domain.merge import merge
from domain.origin import Origin
from domain.receipts import Answer, Receipt, Several, receipt, told
from domain.recording import Recording
from domain.value import Data

Copies: TypeAlias = dict[tuple[str | None, int | None], Data]
"""What a device held after its last edit on a version, in one queue."""


class Editing(Recording):
    """The commands of saving: one edit, or a queue of them."""

    def edit(
        self, draft: Draft, edit: Edit, origin: Origin, copies: Copies | None = None
    ) -> Answer:
        """Save what changed, merged with what others changed since `based_on`.

        `copies` tells the edits of a queue what their device held after the one before.

        Raises:
            Clash: Both sides changed the same, differently, and the edit asks to be rejected then.
            CannotApply: A change does not fit the data that it is based on.
        """
        if (earlier := admit(draft, origin, edit.if_match)) is not None:
            return earlier
        if edit.based_on is None or edit.based_on == draft.version:
            return self._save(draft, edit, origin)
        if edit.based_on > draft.version:
            raise Invalid.one("/based_on", f"The draft is only at version {draft.version}.")
        since = [e for e in draft.since(edit.based_on) if isinstance(e, DataEvent)]
        if all(is_own_edit(event, origin.device) for event in since):
            return self._save(draft, edit, origin)
        return self._merge(draft, edit, origin, since, {} if copies is None else copies)

    def edit_all(self, draft: Draft, edits: Sequence[tuple[Edit, Origin]]) -> Several:
        """Save an offline queue, in order; what is refused leaves the others as they are."""
        _must_remember(draft, edits)
        copies: Copies = {}
        return Several([self._answer(draft, edit, origin, copies) for edit, origin in edits])

    def _answer(self, draft: Draft, edit: Edit, origin: Origin, copies: Copies) -> Any:
        try:
            return self.edit(draft, edit, origin, copies)
        except VariorumError as refusal:
            return refusal

    def _save(self, draft: Draft, edit: Edit, origin: Origin) -> Receipt:
        """Record an edit made on what the draft holds."""
        form = self.form(draft)
        keys, sent = form.keys, edit.applied_to(draft.data, form.keys)
        self._must_not_mask(form, sent, draft.data)
        turn = NO_TURN
        if draft.conflicts:
            turn = self._turn(draft, self._write(draft, origin, sent, seen=edit.based_on))
        return self._record(
            draft,
            events.Edited,
            diff.diff(draft.data, sent, keys),
            origin,
            turn=turn,
            based_on=edit.based_on,
            step=_news(edit.step, draft.step),
            completed_steps=_news(edit.completed_steps, draft.completed_steps),
        )

    def _merge(
        self,
        draft: Draft,
        edit: Edit,
        origin: Origin,
        since: Sequence[DataEvent],
        copies: Copies,
    ) -> Receipt:
        """Record an edit merged with what happened since its base."""
        form = self.form(draft)
        base = copies.get((origin.device, edit.based_on))
        if base is None:
            base = device_copy(draft.data, since, origin.device, form)
        sent = edit.applied_to(base, form.keys)
        self._must_not_mask(form, sent, base)
        merged = merge(base, draft.data, sent, form)
        found = met(merged.clashes, since)
        assert edit.based_on is not None
        author = next_author(draft, origin)
        write = Write(draft.data, merged.data, base, sent, author, edit.based_on, form=form)
        if found and edit.on_conflict == "reject":
            raise Clash(conflicts.listed(found, author))
        recorded = self._record_merged(draft, edit, origin, write, found)
        copies.clear()
        if recorded and origin.device is not None:
            copies[origin.device, edit.based_on] = sent
        news = by_authors(told(sent, draft.data, form.keys), since)
        between = (sent, draft.data)
        return receipt(draft, recorded=recorded, merged=True, changes=news, between=between)

    def _record_merged(
        self, draft: Draft, edit: Edit, origin: Origin, write: Write, found: Sequence[Met]
    ) -> bool:
        """Record a merged edit; whether there was anything to record."""
        turn, changes = self._turn(draft, write, found), self._diff(draft, write.after)
        as_sent = diff.diff(write.base, write.sent, self.form(draft).keys)
        # A queue's next edits go on from what was sent: that counts even if others had made the
        # same change before, so that nothing in the draft changes.
        in_vain = not changes and not turn and origin.seq is None
        return self._record(
            draft,
            events.Merged,
            changes,
            origin,
            turn=turn,
            based_on=edit.based_on,
            sent=None if as_sent == changes or in_vain else as_sent,
            step=_news(edit.step, draft.step),
            completed_steps=_news(edit.completed_steps, draft.completed_steps),
        ).recorded


def _must_remember(draft: Draft, edits: Sequence[tuple[Edit, Origin]]) -> None:
    """Ask for old events before the first edit is recorded, never in the middle."""
    bases = [edit.based_on for edit, _ in edits if edit.based_on is not None]
    if bases and min(bases) < draft.version:
        draft.since(min(bases))


def _news(value: Any, held: Any) -> Any:
    return None if value is None or value == held else value

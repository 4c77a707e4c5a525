"""Late edits: what a device sends to a draft that is finished goes to a fork of that device's own.

The fork begins with what the device held when it made the first of them: the version that this one
is based on, and over it the device's own edits. So each of its edits fits there as it would have
fitted before the draft was finished, and is recorded by the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from domain import access
from domain.asked import Edit
from domain.devices import device_copy
from domain.draft import Draft
from domain.drafts import Drafts
from domain.editing import Copies
from domain.errors import Invalid, VariorumError
from domain.event import DataEvent
from domain.masking import hides_now, hides_past
from domain.merge import merge
from domain.origin import Origin
from domain.receipts import Several
from domain.value import Data


@dataclass(frozen=True, slots=True)
class LateEdit:
    """An edit of a finished draft, and what its device held; None if it names no version of it."""

    edit: Edit
    held: Data | None
    origin: Origin


def fork_of(draft: UUID, origin: Origin, purged: int = 0) -> UUID:
    """The id of the fork for a device's late edits, of which so many were purged before.

    It is the same whoever makes the fork.
    """
    return uuid5(draft, f"late {origin.by} {origin.device}{f' {purged}' if purged else ''}")


def late(drafts: Drafts, draft: Draft, edit: Edit, origin: Origin) -> LateEdit:
    """An edit of a finished draft with what its device held.

    Raises:
        NeedsEvents: The draft does not remember that far back.
    """
    version = draft.version if edit.based_on is None else edit.based_on
    if version > draft.version:
        return LateEdit(edit, None, origin)
    since = [event for event in draft.since(version) if isinstance(event, DataEvent)]
    held = device_copy(draft.data, since, origin.device, drafts.form(draft))
    return LateEdit(replace(edit, if_match=None), held, origin)


def fork_late(drafts: Drafts, draft: Draft, then: Draft, first: LateEdit, purged: int = 0) -> Draft:
    """The fork that the late edits of a device go to; `then` is the draft at their version.

    It belongs to whoever sent them, or to the draft's owner if a link did.
    """
    origin, form = first.origin, drafts.form(draft)
    assert first.held is not None
    role = access.require(draft.role_for(origin), "write")
    hides = hides_now if then.version == draft.version else hides_past
    return drafts.forked(
        then,
        first.held,
        replace(origin, seq=None),  # which counts the edit
        new=fork_of(draft.id, origin, purged),
        hidden=hides(form, role),
        owner=draft.owner if access.is_link(origin.by) else None,
    )


def edit_late(drafts: Drafts, fork: Draft, edits: Sequence[LateEdit]) -> Several:
    """Save late edits in their fork, in order; what is refused leaves the others as they are."""
    fork.since(1)  # or ask for these before the first is recorded
    copies: Copies = {}
    return Several([_answer(drafts, fork, late, copies) for late in edits])


def _answer(drafts: Drafts, fork: Draft, late: LateEdit, copies: Copies) -> Any:
    try:
        return drafts.edit(fork, _in_fork(drafts, fork, late), late.origin, copies)
    except VariorumError as refusal:
        return refusal


def _in_fork(drafts: Drafts, fork: Draft, late: LateEdit) -> Edit:
    """The edit as one of the fork: based on its first version, or on whatever it is now."""
    edit, form = late.edit, drafts.form(fork)
    if late.held is None:
        raise Invalid.one("/based_on", "The draft has no such version.")
    assert fork.forked_from is not None
    if edit.based_on is None or edit.based_on == fork.forked_from["version"]:
        return edit if edit.based_on is None else replace(edit, based_on=1)
    since = [event for event in fork.since(1) if isinstance(event, DataEvent)]
    copy = device_copy(fork.data, since, late.origin.device, form)
    sent = edit.applied_to(late.held, form.keys)
    whole = merge(late.held, sent, copy, form).data  # where both changed the same, the later holds
    return replace(edit, based_on=1, changes=None, merge_patch=None, data=whole)

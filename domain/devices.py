"""What a device held when it sent an edit: the base of its merge."""

from __future__ import annotations

from collections.abc import Sequence

from domain import diff, events
from domain.errors import CannotApply
from domain.event import DataEvent, DraftEvent
from domain.form import Form
from domain.merge import merge
from domain.value import Data


def device_copy(
    data: Data, since: Sequence[DataEvent], device: str | None, form: Form | None = None
) -> Data:
    """What the device held: the data before `since`, and over it its own edits, as sent."""
    states = [data]
    for event in reversed(since):
        states.append(diff.apply(diff.invert(event.changes), states[-1]))
    copy = before = states.pop()
    for event in since:
        after = states.pop()
        if event.device == device is not None and _is_edit(event):
            copy = _over(copy, event, before, after, form)
        before = after
    return copy


def is_own_edit(event: DraftEvent, device: str | None) -> bool:
    """An edit of this device's that was recorded just as it was sent."""
    return event.device == device is not None and isinstance(event, events.Edited)


def _is_edit(event: DataEvent) -> bool:
    """Whether the device itself had sent the values, and so held them; not those of a fork."""
    return isinstance(event, events.Edited) or (isinstance(event, events.Merged) and not event.fork)


def _over(copy: Data, event: DataEvent, before: Data, after: Data, form: Form | None) -> Data:
    """A device's copy with its own edit over it, which led the draft from `before` to `after`."""
    try:
        return diff.apply(event.changes if event.sent is None else event.sent, copy)
    except CannotApply:  # it was made on a later base than this copy
        return merge(before, after, copy, form).data

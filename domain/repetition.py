"""The receipt that a recorded request had, made again from the event and the draft at it."""

from __future__ import annotations

from collections.abc import Sequence

from domain import diff, events
from domain.authors import by_author, by_authors
from domain.conflict import Author
from domain.devices import device_copy
from domain.draft import Draft
from domain.event import DataEvent, DraftEvent
from domain.form import Form
from domain.receipts import Receipt, receipt, told


def first_receipt(after: Draft, event: DraftEvent) -> Receipt:
    """Of anything but an edit that was merged; `after` is the draft with the event."""
    if not isinstance(event, events.Restored | events.Undone | events.Resolved | events.Merged):
        return receipt(after, recorded=True)
    before = diff.apply(diff.invert(event.changes), after.data)
    author = Author(event.by, "", event.device, event.originator_version)
    return receipt(
        after,
        recorded=True,
        merged=isinstance(event, events.Merged),
        changes=by_author(diff.serve(event.changes, before), author),
        between=(before, after.data),
        outcomes=event.outcomes if isinstance(event, events.Undone) else None,
    )


def first_receipt_of_merge(
    after: Draft, event: events.Merged, since: Sequence[DataEvent], form: Form
) -> Receipt:
    """Of an edit that was merged with what happened `since` its base."""
    before = diff.apply(diff.invert(event.changes), after.data)
    base = device_copy(before, since, event.device, form)
    sent = diff.apply(event.changes if event.sent is None else event.sent, base)
    changes = by_authors(told(sent, after.data, form.keys), since)
    between = (sent, after.data)
    return receipt(after, recorded=True, merged=True, changes=changes, between=between)

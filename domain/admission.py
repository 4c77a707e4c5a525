"""What every command asks first, in this order: gate, repetition, status, If-Match; and recording.

The gate says whether the caller may, the repetition whether the request was recorded before.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from domain import access
from domain.draft import Draft
from domain.errors import SeqReused, VersionMismatch
from domain.event import DraftEvent
from domain.origin import Origin
from domain.receipts import Earlier, Receipt, Repeated, receipt


def admit(
    draft: Draft,
    origin: Origin,
    if_match: Collection[int] | None = None,
    *,
    right: access.Right = "write",
    closed_too: bool = False,
) -> Repeated | Earlier | None:
    """Let a command go on; or what was recorded of it before.

    Raises:
        DraftNotFound: The caller has no role here.
        Forbidden: This is beyond the caller's role.
        SeqReused: The device sent another request under this number.
        DraftClosed: The draft is not open.
        VersionMismatch: The draft is at another version than the caller wants.
    """
    access.require(draft.role_for(origin), right)
    if (earlier := repetition(draft, origin)) is not None:
        return earlier
    if not closed_too:
        draft.must_be_open()
    if if_match is not None and draft.version not in if_match:
        raise VersionMismatch(draft.version)
    return None


def repetition(draft: Draft, origin: Origin) -> Repeated | Earlier | None:
    """What is known of the number of a request; None if it is a new one.

    Raises:
        SeqReused: It is the device's last, and belongs to another request.
    """
    if origin.device is None or origin.seq is None or origin.device not in draft.devices:
        return None
    last, version, digest = draft.devices[origin.device]
    if origin.seq > last:
        return None
    if origin.seq < last:
        return Earlier(origin.device, origin.seq, origin.digest, last)
    if digest != origin.digest:
        raise SeqReused(last)
    return Repeated(version)


def happen(draft: Draft, event: type[DraftEvent], origin: Origin, **facts: Any) -> Receipt:
    """Record an event that leaves the data as it is."""
    trigger(draft, event, origin, **facts)
    return receipt(draft, recorded=True)


def trigger(draft: Draft, event: type[DraftEvent], origin: Origin, **facts: Any) -> None:
    """Record an event.

    As the library's `trigger_event` does; it sets the attributes of a frozen class one by one,
    which took as long as applying them.
    """
    made = event.__new__(event)
    vars(made).update(
        envelope(origin),
        originator_id=draft.id,
        originator_version=draft.version + 1,
        timestamp=max(origin.at, draft.modified_on),
        **facts,
    )
    made.mutate(draft)
    draft.pending_events.append(made)


def envelope(origin: Origin) -> dict[str, Any]:
    """What every event says of who asked."""
    return {
        "timestamp": origin.at,
        "by": origin.by,
        "device": origin.device,
        "seq": origin.seq,
        "digest": origin.digest,
        "request": origin.request,
        "address": origin.address,
        "reason": origin.reason,
    }

"""The end of drafts: put off, brought about by people or the service, taken back; and purging."""

from __future__ import annotations

from collections.abc import Collection

from domain import access, events
from domain.admission import admit, happen
from domain.draft import Draft
from domain.errors import DraftClosed, DraftOpen, VersionMismatch
from domain.origin import Origin
from domain.receipts import Answer, Receipt, receipt
from domain.recording import Recording


class Ending(Recording):
    """The commands by which people bring the end about, put it off or take it back."""

    def extend(self, draft: Draft, origin: Origin) -> Answer:
        """Put the expiry off to the full time from now; a template never expires anyway."""
        if (earlier := admit(draft, origin)) is not None:
            return earlier
        if draft.template:
            return receipt(draft)
        return happen(draft, events.Extended, origin, expiry_days=self.rules.expiry_days)

    def submit(
        self, draft: Draft, origin: Origin, *, if_match: Collection[int] | None = None
    ) -> Answer:
        """Finish the draft."""
        if (earlier := admit(draft, origin, if_match, right="manage")) is not None:
            return earlier
        return happen(draft, events.Submitted, origin)

    def discard(
        self, draft: Draft, origin: Origin, *, if_match: Collection[int] | None = None
    ) -> Answer:
        """Put the draft in the trash."""
        if (earlier := admit(draft, origin, if_match, right="manage")) is not None:
            return earlier
        return happen(draft, events.Discarded, origin)

    def recover(self, draft: Draft, origin: Origin) -> Answer:
        """Take the draft out of the trash; it is open again and takes the slot that it had."""
        if (earlier := admit(draft, origin, right="manage", closed_too=True)) is not None:
            return earlier
        if draft.status == "submitted":
            raise DraftClosed(draft.status)
        if draft.status == "open":
            return receipt(draft)
        days = self.rules.expiry_days
        return happen(draft, events.Recovered, origin, expiry_days=days, slot=draft.slot)


def expire(draft: Draft, origin: Origin) -> Receipt:
    """Put the draft in the trash if its time is over; a save that came before has moved it."""
    if not draft.has_expired(origin.at):
        return receipt(draft)
    return happen(draft, events.Expired, origin)


def withdraw(draft: Draft, origin: Origin) -> Receipt:
    """Put the draft in the trash: what it is about is gone. A closed one stays as it is."""
    if draft.status != "open":
        return receipt(draft)
    return happen(draft, events.Discarded, origin)


def must_be_purgeable(
    draft: Draft, origin: Origin, if_match: Collection[int] | None = None
) -> None:
    """Refuse to end for good what is not the caller's, or still open.

    Raises:
        DraftNotFound: The caller has no role here.
        Forbidden: The caller is not the owner.
        DraftOpen: It is not even in the trash.
        VersionMismatch: The draft is at another version than the caller wants.
    """
    access.require(draft.role_for(origin), "manage")
    if draft.status == "open":
        raise DraftOpen
    if if_match is not None and draft.version not in if_match:
        raise VersionMismatch(draft.version)

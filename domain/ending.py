"""The end of drafts: by the service itself or an admin's wish, and which of them may be purged."""

from __future__ import annotations

from collections.abc import Collection

from domain import access, events
from domain.admission import happen
from domain.draft import Draft
from domain.errors import DraftOpen, VersionMismatch
from domain.origin import Origin
from domain.receipts import Receipt, receipt


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


def exclude(draft: Draft, person: str, origin: Origin) -> Receipt:
    """Take a forgotten person out of somebody else's draft, and back the links that they made."""
    links = [principal for principal, link in draft.links.items() if link["by"] == person]
    ending = [person, *links] if person in draft.members else links
    for principal in ending:
        happen(draft, events.Unshared, origin, principal=principal)
    return receipt(draft, recorded=bool(ending))


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

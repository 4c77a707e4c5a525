"""Sharing: who else may see or edit a draft, by name or by a link, and handing it over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from domain import access, events
from domain.admission import admit, happen
from domain.draft import Draft
from domain.errors import Invalid
from domain.moment import rfc3339
from domain.origin import Origin
from domain.receipts import Answer, Receipt, receipt

Role = Literal["editor", "viewer"]


@dataclass(frozen=True, slots=True)
class NewLink:
    """A share link to be made: its id, what it allows, and the hash of its token."""

    id: str
    role: Role
    token_hash: str
    expires_at: datetime | None = None

    @property
    def principal(self) -> str:
        """The link as history names it."""
        return access.LINK + self.id


def share(draft: Draft, principal: str, role: Role, origin: Origin) -> Answer:
    """Let a person see or edit the draft; the same role again records nothing."""
    if (earlier := admit(draft, origin, right="manage", closed_too=True)) is not None:
        return earlier
    if principal == draft.owner:
        raise Invalid.one("{user}", "The owner has every right; hand the draft over to change it.")
    if draft.members.get(principal) == role:
        return receipt(draft)
    return happen(draft, events.Shared, origin, principal=principal, role=role)


def unshare(draft: Draft, principal: str, origin: Origin) -> Answer:
    """Take a person's role away; anybody may give up their own."""
    leaves = principal == origin.by and principal in draft.members
    right: access.Right = "read" if leaves else "manage"
    if (earlier := admit(draft, origin, right=right, closed_too=True)) is not None:
        return earlier
    if principal == draft.owner:
        raise Invalid.one("{user}", "The owner cannot leave; hand the draft over first.")
    if principal not in draft.members:
        return receipt(draft)
    return happen(draft, events.Unshared, origin, principal=principal)


def hand_over(draft: Draft, principal: str, origin: Origin) -> Answer:
    """Make somebody else the owner; the owner so far becomes an editor.

    The slot goes with it: it is then the one open draft of the new owner for its form and subject.
    """
    if (earlier := admit(draft, origin, right="manage", closed_too=True)) is not None:
        return earlier
    if principal == draft.owner:
        return receipt(draft)
    return happen(draft, events.HandedOver, origin, to=principal)


def share_by_link(draft: Draft, link: NewLink, origin: Origin) -> Answer:
    """Let whoever has the link see or edit the draft, until it expires or is taken back.

    Raises:
        Invalid: It would have expired already.
    """
    if (earlier := admit(draft, origin, right="manage", closed_too=True)) is not None:
        return earlier
    if link.expires_at is not None and link.expires_at <= origin.at:
        raise Invalid.one("/expires_in", "The link would have expired already.")
    return happen(
        draft,
        events.Shared,
        origin,
        principal=link.principal,
        role=link.role,
        expires_at=_text(link.expires_at),
        token_hash=link.token_hash,
    )


def take_link_back(draft: Draft, link: str, origin: Origin) -> Answer:
    """End a link, at once and for good; one that has ended stays so."""
    if (earlier := admit(draft, origin, right="manage", closed_too=True)) is not None:
        return earlier
    if (principal := access.LINK + link) not in draft.links:
        return receipt(draft)
    return happen(draft, events.Unshared, origin, principal=principal)


def exclude(draft: Draft, person: str, origin: Origin) -> Receipt:
    """Take a forgotten person out of somebody else's draft, and back the links that they made."""
    links = [principal for principal, link in draft.links.items() if link["by"] == person]
    ending = [person, *links] if person in draft.members else links
    for principal in ending:
        happen(draft, events.Unshared, origin, principal=principal)
    return receipt(draft, recorded=bool(ending))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment.astimezone(UTC))

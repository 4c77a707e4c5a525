"""Who may do what to a draft: one question, asked before every read and every write.

A principal is the key of a person, or `link:<id>` of a share link. Whoever reads may besides be an
auditor: as such the principal is `auditor:<key>`, which writes nothing.
"""

from __future__ import annotations

from typing import Final, Literal, NewType, TypedDict

from domain.errors import DraftNotFound, Forbidden

Right = Literal["read", "appear", "fork", "write", "manage"]
Reader = NewType("Reader", str)
"""The principal as whom somebody reads."""

LINK: Final = "link:"
AUDITOR: Final = "auditor:"
RIGHTS: dict[str, frozenset[Right]] = {
    "owner": frozenset({"read", "appear", "fork", "write", "manage"}),
    "editor": frozenset({"read", "appear", "fork", "write"}),
    "viewer": frozenset({"read", "appear", "fork"}),
    "auditor": frozenset({"read"}),
}


class Link(TypedDict):
    """A share link: what it allows, until when, and who made it when (RFC 3339)."""

    role: str
    expires_at: str | None
    by: str
    at: str


def may(role: str, right: Right) -> bool:
    """Whether a role carries a right."""
    return right in RIGHTS[role]


def require(role: str | None, right: Right) -> str:
    """The role, if it carries the right.

    Raises:
        DraftNotFound: The caller has no role here, so the draft looks as if it were not there.
        Forbidden: The caller knows the draft, but this is beyond the role.
    """
    if role is None:
        raise DraftNotFound
    if not may(role, right):
        raise Forbidden(f"As {role} of this draft you may not do this; ask its owner.")
    return role


def require_person(principal: str) -> None:
    """Links own nothing, and see nothing but their draft.

    Raises:
        Forbidden: It is a link.
    """
    if is_link(principal):
        raise Forbidden("A share link opens its one draft and no more; sign in to do this.")


def is_link(principal: str) -> bool:
    """Whether the principal is a share link."""
    return principal.startswith(LINK)


def reader(principal: str, *, auditor: bool = False) -> Reader:
    """The principal as one who reads.

    >>> reader("nWq2dZ3xKf8A", auditor=True)
    'auditor:nWq2dZ3xKf8A'
    """
    return Reader(AUDITOR + principal if auditor else principal)


def is_auditor(principal: str) -> bool:
    """Whether somebody reads as an auditor."""
    return principal.startswith(AUDITOR)


def member(principal: str) -> str:
    """The principal as a member of drafts, who is the same whether as an auditor or not.

    >>> member("auditor:nWq2dZ3xKf8A")
    'nWq2dZ3xKf8A'
    """
    return principal.removeprefix(AUDITOR)

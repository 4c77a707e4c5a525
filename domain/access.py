"""Who may do what to a draft: one question, asked before every read and every write."""

from __future__ import annotations

from typing import Literal

from domain.errors import DraftNotFound, Forbidden

Right = Literal["read", "write", "manage"]

RIGHTS: dict[str, frozenset[Right]] = {
    "owner": frozenset({"read", "write", "manage"}),
    "editor": frozenset({"read", "write"}),
    "viewer": frozenset({"read"}),
}


def require(role: str | None, right: Right) -> str:
    """The role, if it carries the right.

    Raises:
        DraftNotFound: The caller has no role here, so the draft looks as if it were not there.
        Forbidden: The caller knows the draft, but this is beyond the role.
    """
    if role is None:
        raise DraftNotFound
    if right not in RIGHTS[role]:
        raise Forbidden(f"As {role} of this draft you may not do this; ask its owner.")
    return role

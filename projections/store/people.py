"""What a store knows of people: a name and a key each, and everything else goes by the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class People(Protocol):
    """The people of one database."""

    async def key_of(self, sub: str) -> str | None:
        """A person's key, if the person ever wrote."""

    async def new_key(self, sub: str, key: str) -> str:
        """Give a person this key, unless there is one already; the key that holds."""

    async def subs_of(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The names behind keys."""

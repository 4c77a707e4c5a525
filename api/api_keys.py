"""API keys, by which machines call: `vk_<id>_<secret>`, of which only a digest is kept.

A key is looked up with every request, so that it ends with its revocation at once. Its principal is
`key:<id>`, which is treated as a user of that name: it may be a member of drafts and own its own;
what goes beyond, it may by its role.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta

from api.security import Clock, Principal
from domain.errors import Unauthenticated
from projections.store.api_keys import ApiKey
from projections.store.base import Store

PREFIX = "vk_"
_FORM = re.compile(r"vk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}").fullmatch
_SECRET_BYTES = 32  # by chance, so that a plain digest says nothing about them
_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_UNKNOWN = "There is no such API key; get one with `variorum key create`."


class ApiKeys:
    """The API keys of one database."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def principal(self, text: str) -> Principal:
        """Who calls with this key.

        Raises:
            Unauthenticated: There is no such key, or it has ended.
        """
        form = _FORM(text)
        key = await self._store.api_keys.find(form[1]) if form else None
        if key is None or not hmac.compare_digest(key.digest, _digest(text)):
            raise Unauthenticated(_UNKNOWN)
        if key.revoked_at is not None:
            raise Unauthenticated("The API key was revoked.")
        if key.expires_at is not None and key.expires_at <= self._clock():
            raise Unauthenticated("The API key has expired.")
        roles = frozenset([key.role] if key.role else [])
        return Principal(f"key:{key.id}", roles, key.expires_at or _FOR_EVER, "key")

    async def create(self, name: str, role: str | None, lifetime: timedelta | None) -> str:
        """Make a key; the text of it, which nobody can show again."""
        id_, now = secrets.token_hex(6), self._clock()
        text = f"{PREFIX}{id_}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        expires_at = now + lifetime if lifetime else None
        await self._store.api_keys.add(ApiKey(id_, name, role, _digest(text), now, expires_at))
        return text

    async def revoke(self, id_: str) -> bool:
        """End a key; False if there is none of this id."""
        return await self._store.api_keys.revoke(id_, self._clock())


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()

"""Share links, by which anybody who has one calls: `vl_<id>_<secret>`, of which a hash is kept.

A link is looked up with every request, so that it ends with its revocation at once. Its principal
is `link:<id>`, which has one role in one draft and nothing else.

What: the secret is made of the id, by HMAC with a key of the service's own.
Why: a request that makes a link can be repeated like any other, and is then answered with the same
token, which stands nowhere. Else considered: a random secret, lost with an answer that is lost.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from api.security import Clock, Principal
from domain.access import LINK
from domain.errors import Unauthenticated
from domain.sharing import NewLink, Role
from projections.store.base import Store

PREFIX = "vl_"
_FORM = re.compile(r"vl_([0-9a-f]{16})_[A-Za-z0-9_-]{43}").fullmatch
_PURPOSE = b"variorum share link "
_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_UNKNOWN = "There is no such share link, or it was taken back; ask who sent it for another."


class ShareLinks:
    """The share links of one database; their secrets are made with the first of the keys."""

    def __init__(self, store: Store, clock: Clock, keys: Sequence[bytes]) -> None:
        self._store, self._clock, self._keys = store, clock, keys

    async def principal(self, token: str) -> Principal:
        """Who calls with this token.

        Raises:
            Unauthenticated: There is no such link, or it has ended.
        """
        form = _FORM(token)
        link = await self._store.link(form[1]) if form else None
        if link is None or not hmac.compare_digest(link.token_hash, _hash(token)):
            raise Unauthenticated(_UNKNOWN)
        if link.expires_at is not None and link.expires_at <= self._clock():
            raise Unauthenticated("The share link has expired; ask who sent it for another.")
        return Principal(LINK + link.id, frozenset(), link.expires_at or _FOR_EVER, "link")

    def new(self, role: Role, expires_at: datetime | None) -> NewLink:
        """A link to be made."""
        id_ = secrets.token_hex(8)
        return NewLink(id_, role, _hash(_token(id_, self._keys[0])), expires_at)

    def token_of(self, id_: str, token_hash: str) -> str | None:
        """The token of a link; None if its key is known no more."""
        tokens = (_token(id_, key) for key in self._keys)
        return next((token for token in tokens if _hash(token) == token_hash), None)


def _token(id_: str, key: bytes) -> str:
    secret = hmac.digest(key, _PURPOSE + id_.encode(), "sha256")
    return f"{PREFIX}{id_}_{base64.urlsafe_b64encode(secret).decode().rstrip('=')}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""The hash chain: every event is bound to its place, its content and the event before it.

What: HMAC-SHA256 over the previous link, the draft, the version, the topic and the stored bytes.
Why: an auditor can prove that no event was altered, removed, swapped or inserted.
Else considered: a canonical JSON form (two encoders may disagree; the stored bytes cannot), and the
notification id (it differs between engines and after an import).
Hard to undo: every stored link depends on these bytes; a new layout needs a new key id.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

KEY_ID_BYTES = 4
FIRST = bytes(KEY_ID_BYTES + 32)  # what stands before the first event of a draft


@dataclass(frozen=True)
class ChainKey:
    """A key of the chain; its id stands in front of every link that it made."""

    secret: bytes

    @property
    def id(self) -> bytes:
        """The first four bytes of a hash of the key: names it, tells nothing of it."""
        return hashlib.sha256(b"variorum chain key id" + self.secret).digest()[:KEY_ID_BYTES]


class Chain:
    """Makes links under one key."""

    def __init__(self, key: ChainKey) -> None:
        self._secret, self._id = key.secret, key.id

    def link(self, previous: bytes, draft: UUID, version: int, topic: str, state: bytes) -> bytes:
        """The link of an event: 4 bytes that name the key, then 32 bytes of HMAC-SHA256."""
        head = b"%b%b%d %b\0" % (previous, draft.bytes, version, topic.encode())
        return self._id + hmac.digest(self._secret, head + state, "sha256")

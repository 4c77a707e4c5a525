"""What a store keeps of the keys by which machines call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a machine's key: never the key, only its digest (SHA-256)."""

    id: str
    name: str
    role: str | None
    digest: bytes
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class ApiKeys(Protocol):
    """The machines' keys in one database."""

    async def add(self, key: ApiKey) -> None:
        """Keep a new key."""

    async def find(self, id_: str) -> ApiKey | None:
        """The key of this id, also if it has ended."""

    async def listed(self) -> Sequence[ApiKey]:
        """All keys there ever were, oldest first."""

    async def revoke(self, id_: str, at: datetime) -> bool:
        """End a key; one that has ended stays as it is. False if there is none of this id."""

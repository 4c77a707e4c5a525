"""What a store keeps of the keys by which machines call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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

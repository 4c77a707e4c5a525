"""Who asks for something: when, from which device and by which request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.access import Reader, reader

SERVICE = "service"  # the principal of what the service does by itself; no person's key is that


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asks, when, from which device and by which request.

    `by` is the key of a person or link, never a name; `digest` tells two requests with the same
    `seq` apart.
    """

    by: str
    at: datetime
    device: str | None = None
    seq: int | None = None
    digest: str | None = None
    request: str | None = None
    address: str | None = None
    reason: str | None = None
    auditor: bool = False  # who may read everything, besides what a role in the draft allows

    @property
    def reader(self) -> Reader:
        """The one who asks, as one who reads."""
        return reader(self.by, auditor=self.auditor)

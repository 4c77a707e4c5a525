"""A moment as text."""

from __future__ import annotations

from datetime import datetime


def rfc3339(moment: datetime) -> str:
    """A time in UTC as text."""
    return moment.isoformat().replace("+00:00", "Z")

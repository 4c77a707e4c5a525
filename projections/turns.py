"""Turns: long thinking in the event loop, some milliseconds at a time; others get theirs."""

from __future__ import annotations

import asyncio
from time import monotonic

SLICE = 0.002  # seconds of thinking after which the others have their turn


class Turns:
    """Asked between two steps, lets the others go first if it is their turn."""

    def __init__(self) -> None:
        self._until = monotonic() + SLICE

    async def pause(self) -> None:
        """Let the others go first, if this has been at it for long enough."""
        if monotonic() >= self._until:
            await asyncio.sleep(0)
            self._until = monotonic() + SLICE

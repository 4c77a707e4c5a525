"""Ending a task that follows something in the background."""

from __future__ import annotations

import asyncio
from typing import Any, Final

AGAIN: Final = 0.1  # seconds


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended.

    Once is not enough: on Python 3.11 `asyncio.wait_for`, which psycopg waits with, may lose a
    cancellation that comes just when its future is done (python/cpython#86296).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN)

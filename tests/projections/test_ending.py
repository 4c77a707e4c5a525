"""Ending what follows in the background, also where a cancellation gets lost."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from projections.ending import ended


async def test_a_task_that_loses_a_cancellation_is_ended_all_the_same() -> None:
    lost = []

    async def follow() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost.append(True)
                if len(lost) > 2:
                    raise

    task = asyncio.create_task(follow())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await ended(task)
    assert task.cancelled()
    assert len(lost) == 3


async def test_a_task_that_has_ended_stays_ended() -> None:
    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    with suppress(ValueError):
        await task
    await ended(task)
    assert task.done()

"""What an operator does to drafts: sweep, and forget a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.operations import Progress, explained, require_database
from api.service import Service, now, open_store
from api.settings import Settings
from api.sweeping import Swept
from domain.origin import SERVICE, Origin


async def sweep(settings: Settings, progress: Progress) -> Swept | None:
    """Let expire and purge what is due; None if another process is at it."""
    async with _working(settings) as service:
        swept = await service.sweep.run(now(), progress)
        await service.store.trash.scrub()
        return swept


async def due(settings: Settings) -> Swept:
    """What a sweep would do now; nothing is changed but that the lists catch up."""
    async with _working(settings) as service:
        await service.catch_up.drain()
        return await service.sweep.due(now())


async def forget(settings: Settings, user: str) -> int | None:
    """Purge all that a person owns, and leave a pseudonym; how many drafts, None if unknown."""
    async with _working(settings) as service:
        count = await service.parts.ending.forget(user, Origin(SERVICE, now()))
        await service.store.trash.scrub()
        return count


@asynccontextmanager
async def _working(settings: Settings) -> AsyncIterator[Service]:
    require_database(settings)
    service = Service(settings, open_store(settings), now)
    with explained(settings):
        async with service.working():
            yield service

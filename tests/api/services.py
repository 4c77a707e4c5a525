"""Another process of the service on the test's database, without HTTP; and what tests ask of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.service import Service, open_store
from api.settings import Settings
from tests.running import Clock

DAY = 86_400


@asynccontextmanager
async def beside(settings: Settings, clock: Clock) -> AsyncIterator[Service]:
    """A service that works on the same database as the test's own."""
    service = Service(settings, open_store(settings), clock)
    async with service.working():
        yield service

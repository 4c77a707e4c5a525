"""What is stored of drafts, for whoever may read them, as writes and their answers need it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from api.answers import Answer, draft_answer
from api.people import People
from domain.draft import Draft
from domain.errors import DraftNotFound, VersionNotFound
from projections.snapshot import body_of, data_at, fold
from projections.store.base import Store
from projections.store.records import Reading, Record


class Stored:
    """Drafts, versions and records of the store."""

    def __init__(self, store: Store, people: People) -> None:
        self._store, self._people = store, people

    async def reading(self, draft: UUID, by: str, version: int | None = None) -> Reading:
        """The state at a version, or now.

        Raises:
            DraftNotFound: There is no such draft, or none that the reader may see.
            VersionNotFound: The draft has no such version yet.
        """
        reading = await self._store.read(by, draft, version)
        if reading is None:
            raise DraftNotFound
        if version is not None and version > reading.head:
            raise VersionNotFound(version, reading.head)
        return reading

    async def draft(self, draft: UUID, by: str, version: int | None = None) -> Draft:
        """The draft at a version, or now; raises as `reading` does."""
        return fold(draft, await self.reading(draft, by, version))

    async def data(self, draft: UUID, by: str, version: int) -> dict[str, Any]:
        """The data at a version; raises as `reading` does."""
        return data_at(draft, await self.reading(draft, by, version))

    async def record(self, draft: UUID, version: int) -> Record:
        """What is stored of a version that was there a moment ago; unless it was purged since."""
        records = await self._store.events(draft, version - 1, version)
        if not records:
            raise DraftNotFound
        return records[0]

    async def answer(self, draft: UUID, by: str, version: int | None = None) -> Answer:
        """The whole draft at a version, or now; raises as `reading` does."""
        return await self.shown(await self.draft(draft, by, version), by)

    async def shown(self, draft: Draft, by: str) -> Answer:
        """A whole draft as it is shown to somebody."""
        role = draft.role_of(by) or "viewer"
        body = await self._people.served(body_of(draft), role)
        return draft_answer(body, draft.version)

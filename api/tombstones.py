"""What is left of purged drafts, for those whose own they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from api.people import People
from domain.errors import DraftNotFound, DraftPurged, VariorumError
from domain.moment import rfc3339
from projections.store.base import Store


class Tombstones:
    """Tells former owners, and nobody else, that a draft of theirs was purged."""

    def __init__(self, store: Store, people: People) -> None:
        self._store, self._people = store, people

    async def of(self, draft: UUID, owner: str) -> Mapping[str, Any] | None:
        """The tombstone of a draft that was this person's own (by key), as it is shown."""
        if (left := await self._store.trash.tombstone(owner, draft)) is None:
            return None
        names = await self._people.subs_of([left.owner, left.by])
        return {
            "draft": str(left.draft),
            "owner": names[left.owner],
            "versions": left.versions,
            "head": left.head.hex(),
            "by": names[left.by],
            "at": rfc3339(left.at),
        }

    async def instead(self, missing: DraftNotFound, draft: UUID, sub: str) -> VariorumError:
        """What to say to somebody who finds no such draft."""
        key = await self._people.key_of(sub)
        left = None if key is None else await self.of(draft, key)
        return missing if left is None else DraftPurged(left)

"""What a store shows of the hash chains, for whoever checks them: every event with its link, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from projections.store.records import Record

END = UUID(int=2**128 - 1)  # after every draft in the order of ids
PAGE_EVENTS, PAGE_BYTES = 500, 2**20  # read at once: some milliseconds of checking
PAGE_DRAFTS = 500


@dataclass(frozen=True, slots=True)
class Head:
    """How far a draft's chain goes: the version of its last event, and its link."""

    draft: UUID
    version: int
    hash: bytes


class Chains(Protocol):
    """The hash chains of one database; only `of_draft` is for a principal."""

    async def of_draft(self, principal: str, draft: UUID, after: int) -> Sequence[Record]:
        """The next events of a draft that there are, oldest first, a page of them."""

    async def of_drafts(self, after: tuple[UUID, int], last: UUID = END) -> Sequence[Record]:
        """The next events after a draft's version, draft by draft up to `last`, a page of them."""

    async def heads(self, after: UUID) -> Sequence[Head]:
        """The last events of the next drafts, in the order of their ids, a page of them."""

    async def tombstones(self, after: UUID) -> Sequence[Head]:
        """The last events of drafts that were purged, in the order of their ids, a page of them."""

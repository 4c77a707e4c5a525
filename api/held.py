"""The drafts that the writer holds in memory, and how they come there and keep up with the log."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from domain.draft import RECENT, Draft
from domain.errors import DraftNotFound, StoreUnavailable
from projections.snapshot import aggregate
from projections.store.base import Store

OVERHEAD = 5_000  # bytes that a held draft takes besides its data and its recent events
REMEMBERED = 1_000  # bytes that a recent event takes, about
PARSED = 4  # times as large as its stored body is a draft in memory, about


class Held(NamedTuple):
    """A committed draft, its last link, and the version and size of its newest kept state."""

    draft: Draft
    link: bytes
    kept: int
    size: int

    @property
    def weight(self) -> int:
        """Bytes in memory, roughly."""
        return OVERHEAD + PARSED * self.size + REMEMBERED * len(self.draft.recent)


class HeldDrafts:
    """Drafts by id, within a number of bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._drafts: OrderedDict[UUID, Held] = OrderedDict()

    def __contains__(self, draft: UUID) -> bool:
        return draft in self._drafts

    def __len__(self) -> int:
        return len(self._drafts)

    def get(self, draft: UUID) -> Held | None:
        """The draft, if it is held."""
        if (held := self._drafts.get(draft)) is not None:
            self._drafts.move_to_end(draft)
        return held

    def peek(self, draft: UUID) -> tuple[Draft, bytes] | None:
        """The draft and its last link, if it is held, for one who does not use it."""
        held = self._drafts.get(draft)
        return None if held is None else (held.draft, held.link)

    def put(self, held: Held) -> None:
        """Hold a draft, and let others go until there is room."""
        self.drop(held.draft.id)
        self._drafts[held.draft.id] = held
        self._bytes += held.weight
        while self._bytes > self._max_bytes and len(self._drafts) > 1:
            _, let_go = self._drafts.popitem(last=False)
            self._bytes -= let_go.weight

    def put_if_newer(self, held: Held) -> None:
        """Hold a draft that was loaded, unless a newer one is held by now."""
        known = self._drafts.get(held.draft.id)
        if known is None or known.draft.version < held.draft.version:
            self.put(held)

    def drop(self, draft: UUID) -> None:
        """Forget a draft."""
        if (held := self._drafts.pop(draft, None)) is not None:
            self._bytes -= held.weight


async def load(draft: UUID, held: HeldDrafts, store: Store) -> None:
    """Hold a draft as the store has it.

    Raises:
        DraftNotFound: There is no such draft.
    """
    loaded = await store.load(draft)
    if loaded is None:
        raise DraftNotFound
    made, link = aggregate(draft, loaded, reach=RECENT)
    size = len(loaded.state.body) if loaded.state else 0
    held.put_if_newer(Held(made, link, loaded.kept, size))


async def catch_up(draft: UUID, held: HeldDrafts, store: Store) -> None:
    """Bring a draft, held or not, to where the log is; a purged one is let go."""
    known = held.get(draft)
    if known is None:
        with suppress(DraftNotFound, StoreUnavailable):
            await load(draft, held, store)
        return
    records = await store.events(draft, known.draft.version, 2**62)
    if not records:  # it moved, and yet nothing came after: it was purged
        held.drop(draft)
        return
    ahead, link = known.draft.copy(), known.link
    for record in records:
        ahead, link = record.event().mutate(ahead), record.hash
    held.put_if_newer(Held(ahead, link, known.kept, known.size))

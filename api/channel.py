"""A draft that is watched in this process: how it stands, its last versions, and its streams.

Each version is read and put in words once, however many streams there are. A stream is only a place
in what is told: one that is slow holds no memory, and reads what it missed from the store.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from api.people import People
from api.told import Told, outline_for
from domain.draft import Draft
from domain.errors import DraftNotFound
from domain.event import DraftEvent
from domain.form import Form
from projections.snapshot import aggregate, fold, outline_of
from projections.store.base import Store

KEPT, KEPT_BYTES = 64, 262_144  # of the last versions
MEMBERSHIP = frozenset({"shared", "unshared", "handed_over"})

Telling = Callable[[DraftEvent, Draft], Awaitable[dict[str, Any]]]
Forms = Callable[[str], Form]


@dataclass(slots=True, eq=False)
class Stream:
    """One reader: on whose behalf, and the version that it was told last (None: an unknown one)."""

    principal: str
    role: str
    version: int | None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False
    doubtful: bool = False  # who may read the draft has changed: ask again
    left: bool = False  # the reader has gone
    seen: int = -1  # the number of the presence that it was told last

    def end(self) -> None:
        """Tell nothing more."""
        self.over = True
        self.news.set()


class Channel:
    """One draft, kept level with its log as long as somebody watches."""

    def __init__(
        self, id_: UUID, store: Store, people: People, telling: Telling, forms: Forms
    ) -> None:
        self.id, self.streams = id_, set[Stream]()
        self.present = 0  # counts the changes of who is there
        self._store, self._people = store, people
        self._telling, self._forms = telling, forms
        self._draft: Draft | None = None
        self._recent: deque[Told] = deque()
        self._size = 0
        self._one_at_a_time = asyncio.Lock()

    @property
    def version(self) -> int:
        """The version up to which is told."""
        assert self._draft is not None
        return self._draft.version

    def wake(self) -> None:
        """There is something for the streams to look at."""
        for stream in self.streams:
            stream.news.set()

    def end(self) -> None:
        """Tell nobody anything more."""
        for stream in self.streams:
            stream.end()

    def forget(self) -> None:
        """Remember none of the versions that were told; they can be read again."""
        self._recent.clear()
        self._size = 0

    async def catch_up(self) -> bool:
        """Take what the log has by now; whether it may be read by others since.

        Raises:
            DraftNotFound: There is no such draft.
        """
        async with self._one_at_a_time:
            if self._draft is None:
                await self._load()
                return False
            known, moved = self.version, False
            try:
                for record in await self._store.events(self.id, known, 2**62):
                    told, self._draft = await self._tell(record.event(), self._draft)
                    self._keep(told)
                    if told.act in MEMBERSHIP:
                        moved = True
                        for stream in self.streams:
                            stream.doubtful = True
            finally:
                if self.version > known:
                    self.wake()
        return moved

    async def outline(self, role: str) -> dict[str, Any]:
        """The draft without its data, as it stands."""
        assert self._draft is not None
        form = self._forms(self._draft.form)
        return outline_for(role, await self._outline(self._draft), form)

    async def since(self, stream: Stream) -> AsyncIterator[Told]:
        """What a stream was not told yet."""
        assert stream.version is not None
        if stream.version >= self.version:
            return
        if not self._recent or self._recent[0].version > stream.version + 1:
            async for told in self._missed(stream, stream.version):
                yield told
        for told in [told for told in self._recent if told.version > stream.version]:
            yield told

    async def _missed(self, stream: Stream, version: int) -> AsyncIterator[Told]:
        """What lies too far back to be remembered, by the stream's own right to read it."""
        row = await self._store.read(stream.principal, self.id, version)
        if row is None:
            raise DraftNotFound
        draft = fold(self.id, row)
        while draft.version < self.version:
            records = await self._store.chains.of_draft(stream.principal, self.id, draft.version)
            if not records:
                raise DraftNotFound
            for record in records:
                told, draft = await self._tell(record.event(), draft)
                yield told

    async def _load(self) -> None:
        loaded = await self._store.load(self.id)
        if loaded is None:
            raise DraftNotFound
        self._draft, _ = aggregate(self.id, loaded, reach=1)

    async def _tell(self, happened: DraftEvent, draft: Draft) -> tuple[Told, Draft]:
        """An event in words, and the draft after it."""
        document = await self._telling(happened, draft)
        after: Draft = happened.mutate(draft.copy())
        outline, is_new = await self._outline(after), after.status != draft.status
        form = self._forms(after.form)
        return Told(after.version, happened.act, is_new, document, outline, form), after

    async def _outline(self, draft: Draft) -> dict[str, Any]:
        named = await self._people.named(draft.conflicts)
        owner = await self._people.sub_of(draft.owner)
        return {**outline_of(draft), "conflicts": named, "owner": owner}

    def _keep(self, told: Told) -> None:
        self._recent.append(told)
        self._size += told.size
        while len(self._recent) > KEPT or self._size > KEPT_BYTES:
            self._size -= self._recent.popleft().size

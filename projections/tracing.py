"""Blame and lineage of one draft, and of those that its values came from, for one reader."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.event import DraftEvent
from domain.identity import Keys
from projections.lineage import Held, Lineage, leads
from projections.provenance import Lead, Sought, Walk, leaves
from projections.snapshot import data_at
from projections.store.base import Store
from projections.store.records import Reading
from projections.turns import Turns

PAGE = 128  # events read at once
MOST_DRAFTS = 200  # that are gone through for one answer: forks of forks, merged again and again


@dataclass(frozen=True, slots=True)
class Tracing:
    """Goes through the events of drafts, as far as a principal may read them."""

    store: Store
    principal: str

    async def blame(self, draft: UUID, reading: Reading, keys: Keys | None) -> list[Sought]:
        """Every value of a draft as it was read, with who set it last and who first wrote it."""
        found = [Sought(*leaf) for leaf in leaves(data_at(draft, reading), keys)]
        await self.trace([Lead(draft, reading.head, sought, sought.path) for sought in found], keys)
        return found

    async def lineage(
        self, draft: UUID, version: int | None, path: str, keys: Keys | None, most: int
    ) -> Sequence[Held]:
        """The values that a path had, back from a version (else from now), newest first."""
        lineage, turns = Lineage(path, keys), Turns()
        source: tuple[UUID, int | None] | None = (draft, version)
        while source is not None and len(lineage.held) < most:
            reading = await self.store.read(self.principal, *source)
            if reading is None:
                lineage.end()
                break
            at = reading.head if source[1] is None else source[1]
            lineage.begin(at, data_at(source[0], reading))
            async for event in self._back(source[0], at):
                lineage.take(event)
                await turns.pause()
                if len(lineage.held) >= most:
                    break
            source = lineage.source
        await self.trace(leads(lineage.held), keys)
        return lineage.held[:most]

    async def trace(self, wanted: Sequence[Lead], keys: Keys | None) -> None:
        """Find who set each value last and who first wrote it, into other drafts too."""
        open_ = dict[UUID, list[Lead]]()
        _add(open_, wanted)
        await self._follow(open_, keys)
        for lead in wanted:  # what cannot be seen any further was written there
            lead.sought.first = lead.sought.first or lead.sought.last

    async def _follow(self, open_: dict[UUID, list[Lead]], keys: Keys | None) -> None:
        for _ in range(MOST_DRAFTS):
            if not open_:
                return
            draft = next(iter(open_))
            walk = Walk(draft, keys)
            for lead in open_.pop(draft):
                walk.seek(lead)
            await self._walk(walk)
            _add(open_, walk.elsewhere)

    async def _walk(self, walk: Walk) -> None:
        turns = Turns()
        while (start := walk.start) is not None:
            reading = await self.store.read(self.principal, walk.draft, start)
            if reading is None:
                return
            walk.begin(start, data_at(walk.draft, reading))
            async for event in self._back(walk.draft, start):
                if walk.done or walk.start is not None:
                    break
                walk.take(event)
                await turns.pause()

    async def _back(self, draft: UUID, version: int) -> AsyncIterator[DraftEvent]:
        """The events of a draft from a version on, newest first."""
        while version > 0:
            records = await self.store.span(self.principal, draft, max(version - PAGE, 0), version)
            if not records:  # it was purged meanwhile
                return
            for record in reversed(records):
                yield record.event()
            version = records[0].version - 1


def _add(open_: dict[UUID, list[Lead]], found: Sequence[Lead]) -> None:
    for lead in found:
        open_.setdefault(lead.draft, []).append(lead)

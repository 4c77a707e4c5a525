"""Histories for tests: written by the service's own writer on any store, and told from the log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from api.held import HeldDrafts
from api.writer import Writer
from domain.asked import Opening
from domain.chain import FIRST, Chain, ChainKey
from domain.draft import Draft
from domain.drafts import Drafts
from domain.event import DraftEvent
from domain.origin import Origin
from domain.receipts import Answer, Receipt, receipt
from domain.value import Data
from projections.catch_up import CatchUp
from projections.store.base import DraftFilter, Store, VersionFilter
from projections.store.records import Group, Record, to_record, to_registers, to_row
from tests.domain.scenes import ANN, DRAFTS, fields, origin

CHAIN = Chain(ChainKey(b"made up for tests, links their events"))
ALL = 2**62
EVERY_VERSION = VersionFilter(limit=1_000_000)
EVERY_DRAFT = DraftFilter(limit=1_000_000)


class Desk:
    """A writer on a store, and what a test asks it for."""

    def __init__(self, store: Store, writer: Writer, rules: Drafts = DRAFTS) -> None:
        self.store, self.writer, self.rules = store, writer, rules

    async def open(
        self,
        data: Data | None = None,
        asked: Origin | None = None,
        *,
        form: str = "gig",
        subject: str | None = None,
        slot: bool = False,
        id: UUID | None = None,  # noqa: A002
    ) -> UUID:
        """A new draft."""
        draft, opening = id or uuid4(), Opening(form, subject, data or {})
        by = asked or origin()
        await self.writer.begin(draft, lambda: self.rules.open(opening, by, new=draft, slot=slot))
        return draft

    async def ask(self, draft: UUID, command: Callable[..., Answer], *given: Any) -> Answer:
        """A command's answer, whatever it is."""
        return await self.writer.run(draft, lambda d: command(d, *given))

    async def run(self, draft: UUID, command: Callable[..., Answer], *given: Any) -> Receipt:
        """A command that is recorded or changes nothing."""
        answer = await self.ask(draft, command, *given)
        assert isinstance(answer, Receipt)
        return answer

    async def edit(
        self, draft: UUID, values: Data, asked: Origin | None = None, based_on: int | None = None
    ) -> Receipt:
        """Values put into top-level fields."""
        return await self.run(draft, DRAFTS.edit, fields(values, based_on), asked or origin())

    async def edits(self, draft: UUID, steps: Sequence[Data], minutes: float = 0) -> None:
        """Many edits, saved in one group."""

        def one_by_one(d: Draft) -> Receipt:
            for values in steps:
                DRAFTS.edit(d, fields(values), origin(minutes=minutes))
            return receipt(d)

        await self.run(draft, one_by_one)


@asynccontextmanager
async def desk(
    store: Store,
    *,
    cache_bytes: int = 2**26,
    queue_length: int = 100_000,
    on_commit: Callable[[], None] = lambda: None,
) -> AsyncIterator[Desk]:
    """A writer at work, for whom no time passes; at the end everything queued is saved."""
    writer = Writer(
        store,
        CHAIN,
        held=HeldDrafts(cache_bytes),
        queue_length=queue_length,
        on_commit=on_commit,
        stopwatch=lambda: 0.0,
    )
    writer.start()
    try:
        yield Desk(store, writer)
    finally:
        await writer.stop()


@asynccontextmanager
async def started(store: Store) -> AsyncIterator[Store]:
    """A store of one's own, from its start to its stop."""
    await store.start()
    try:
        yield store
    finally:
        await store.stop()


def group_of(*works: tuple[Draft, bytes]) -> Group:
    """What waits in drafts to be stored, each with its last link, as the writer gathers it."""
    group = Group()
    for draft, link in works:
        events = [event for event in draft.collect_events() if isinstance(event, DraftEvent)]
        group.seen[draft.id] = draft.version - len(events)
        for event in events:
            record = to_record(event, CHAIN, link)
            link = record.hash
            group.records.append(record)
            group.rows.append(to_row(event))
            group.registers += to_registers(event, draft)
    return group


def new_draft(data: Data | None = None, asked: Origin | None = None, **more: Any) -> Draft:
    """A draft that is not stored yet."""
    slot = more.pop("slot", False)
    opening = Opening(more.pop("form", "gig"), more.pop("subject", None), data or {})
    return DRAFTS.open(opening, asked or origin(), new=uuid4(), slot=slot)


async def saved(store: Store, draft: Draft) -> bytes:
    """Save a new draft; its last link."""
    group = group_of((draft, FIRST))
    await store.save(group)
    return group.records[-1].hash


# -- the log, read from its beginning: what everything else is compared with


async def log_of(store: Store, draft: UUID) -> Sequence[Record]:
    """All events of a draft."""
    return await store.events(draft, 0, ALL)


def states_of(records: Sequence[Record]) -> list[Draft]:
    """The draft at each version, folded from the first event."""
    states: list[Draft] = []
    draft: Any = None
    for record in records:
        draft = record.event().mutate(None if draft is None else draft.copy())
        states.append(draft)
    return states


def knows(draft: Draft) -> dict[str, Any]:
    """All that a draft knows, but for the events that it remembers for merging."""
    aside = ("recent", "reach", "_pending_events")
    return {name: value for name, value in vars(draft).items() if name not in aside}


# -- rows, the same from both engines


def moment(value: Any) -> Any:
    """A time of either engine: SQLite has texts, PostgreSQL times."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def line(row: Sequence[Any]) -> tuple[Any, ...]:
    """A line of the history."""
    return (*row[:3], moment(row[3]), *row[4:])


def lines(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Lines of the history."""
    return [line(row) for row in rows]


def facts(row: Any) -> dict[str, Any]:
    """A line of the drafts page or of the sessions."""
    times = ("created_at", "saved_at", "expires_at", "from_at", "to_at")
    told = {name: moment(value) if name in times else value for name, value in row.items()}
    if "acts" in told:
        told["acts"] = sorted(told["acts"].split(","))
        told["paths"] = sorted(filter(None, (told["paths"] or "").split("\n")))
    return told


async def page(store: Store, wanted: DraftFilter = EVERY_DRAFT, by: str = ANN) -> list[Any]:
    """The drafts page of somebody, once it is level."""
    await level(store)
    return [facts(row) for row in await store.drafts(by, wanted)]


async def level(store: Store) -> CatchUp:
    """Bring the read models to where the log is."""
    catch_up = CatchUp(store)
    while await catch_up._take_batch():
        pass
    return catch_up

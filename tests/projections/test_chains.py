"""The log as those read it who prove it: draft by draft, page by page, the same on both engines."""

from __future__ import annotations

from uuid import UUID

import pytest

from projections.store.base import BEGINNING, Store
from projections.store.chains import PAGE_BYTES, PAGE_DRAFTS, PAGE_EVENTS, Head
from projections.store.records import Record
from tests.domain.scenes import ANN, BEN, origin
from tests.projections.histories import desk, log_of
from tests.tampering import Tamper


async def all_chains(store: Store) -> list[Record]:
    """The whole log, page by page."""
    read: list[Record] = []
    after = (BEGINNING, 0)
    while page := await store.chains.of_drafts(after):
        read += page
        after = (page[-1].draft, page[-1].version)
    return read


@pytest.fixture
async def drafts(store: Store) -> list[UUID]:
    """A long draft between two short ones, in the order of their ids."""
    ids = [UUID(int=number) for number in (7, 2**64, 2**127 + 5)]
    async with desk(store) as ann:
        for draft in reversed(ids):
            await ann.open({"n": 0}, id=draft)
        await ann.edits(ids[1], [{"n": number} for number in range(1, PAGE_EVENTS + 20)])
        await ann.edit(ids[2], {"n": 1})
    return ids


async def test_the_chains_are_read_draft_by_draft_each_from_its_first_event(
    store: Store, drafts: list[UUID]
) -> None:
    expected = [record for draft in drafts for record in await log_of(store, draft)]
    assert await all_chains(store) == expected
    assert len(expected) == PAGE_EVENTS + 23


async def test_a_page_ends_with_the_last_draft_that_is_wanted(
    store: Store, drafts: list[UUID]
) -> None:
    assert await store.chains.of_drafts((drafts[0], 0), drafts[0]) == await log_of(store, drafts[0])
    assert await store.chains.of_drafts((drafts[0], 1), drafts[0]) == []
    assert len(await store.chains.of_drafts((drafts[1], 0), drafts[1])) == PAGE_EVENTS


async def test_a_page_of_large_events_is_a_short_one(store: Store) -> None:
    large = "x" * (PAGE_BYTES // 4)
    async with desk(store) as ann:
        draft = await ann.open({"n": large})
        for number in range(7):
            await ann.edit(draft, {f"n{number}": large})
    assert await all_chains(store) == await log_of(store, draft)
    assert 2 <= len(await store.chains.of_drafts((BEGINNING, 0))) <= 4
    assert 2 <= len(await store.chains.of_draft(ANN, draft, 0)) <= 4


async def test_a_draft_is_found_and_read_on_whatever_was_removed_from_it(
    store: Store, drafts: list[UUID], tamper: Tamper
) -> None:
    remove = "DELETE FROM stored_events WHERE originator_id = %s AND originator_version "
    tamper(f"{remove} < %s", drafts[1], 3)
    tamper(f"{remove} BETWEEN 5 AND {PAGE_EVENTS + 10}", drafts[1])
    left = [3, 4, *range(PAGE_EVENTS + 11, PAGE_EVENTS + 21)]
    assert [r.version for r in await all_chains(store) if r.draft == drafts[1]] == left
    assert [r.version for r in await store.chains.of_draft(ANN, drafts[1], 0)] == left
    assert [head.draft for head in await store.chains.heads(BEGINNING)] == drafts


async def test_the_chain_of_a_draft_is_read_by_those_only_who_may_read_it(
    store: Store, drafts: list[UUID]
) -> None:
    assert await store.chains.of_draft(ANN, drafts[2], 0) == await log_of(store, drafts[2])
    assert [r.version for r in await store.chains.of_draft(ANN, drafts[2], 1)] == [2]
    assert await store.chains.of_draft(BEN, drafts[2], 0) == []
    assert await store.chains.of_draft("", drafts[2], 0) == []
    first = await store.chains.of_draft(ANN, drafts[1], 0)
    assert [r.version for r in first] == list(range(1, PAGE_EVENTS + 1))
    assert len(await store.chains.of_draft(ANN, drafts[1], PAGE_EVENTS)) == 20


async def test_heads_are_the_last_events_of_all_drafts(store: Store, drafts: list[UUID]) -> None:
    last = [(await log_of(store, draft))[-1] for draft in drafts]
    heads = [Head(record.draft, record.version, record.hash) for record in last]
    assert await store.chains.heads(BEGINNING) == heads
    assert await store.chains.heads(drafts[0]) == heads[1:]
    assert await store.chains.heads(drafts[2]) == []


async def test_heads_come_page_by_page(store: Store) -> None:
    async with desk(store) as ann:
        drafts = [await ann.open({}, origin(BEN)) for _ in range(PAGE_DRAFTS + 3)]
    first = await store.chains.heads(BEGINNING)
    rest = await store.chains.heads(first[-1].draft)
    assert (len(first), len(rest)) == (PAGE_DRAFTS, 3)
    assert [head.draft for head in [*first, *rest]] == sorted(drafts)


async def test_tombstones_tell_how_far_purged_drafts_had_come(store: Store, tamper: Tamper) -> None:
    gone = [UUID(int=9), UUID(int=2**127 + 9)]
    for version, draft in enumerate(reversed(gone), 4):
        tamper(
            "INSERT INTO tombstones (draft, owner, versions, head, by, at) "
            "VALUES (%s, %s, %s, %s, %s, '2026-03-02T09:00:00Z')",
            *(draft, ANN, version, b"h" * 36, BEN),
        )
    heads = [Head(gone[0], 5, b"h" * 36), Head(gone[1], 4, b"h" * 36)]
    assert await store.chains.tombstones(BEGINNING) == heads
    assert await store.chains.tombstones(gone[0]) == heads[1:]

"""Whole states: a draft taken up from any of them is the draft, at a cost that does not grow."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.draft import Draft
from domain.errors import VariorumError
from projections.catch_up import CatchUp
from projections.overlay import overlaid
from projections.snapshot import (
    KEY_LENGTH,
    aggregate,
    body_at,
    body_of,
    data_at,
    fold,
    kept_every,
    owner_key,
    rest_of,
    revive,
    served,
    state_of,
)
from projections.store.base import Store
from projections.store.records import MAPPER, Loaded, Reading, packed, unpacked
from tests.domain.scenes import ANN, COMMANDS, DRAFTS, fields, happened, opened, origin, set_to
from tests.domain.strategies import edits
from tests.projections.histories import Desk, desk, knows, level, log_of, states_of

FOLDED = 256  # events that a read or a load folds at most, over the nearest whole state
ONE_GROUP = 256  # jobs of one group, whose last version alone gets a whole state


def random_states(states: Sequence[Any], chosen: Sequence[str]) -> list[Draft]:
    """The draft at each version of a history of edits and of everything else."""
    draft = opened(states[0])
    versions = [draft.copy()]
    for number, name in enumerate(chosen):
        command = COMMANDS[name]
        asked = origin(minutes=number, device="mac", seq=number, digest=f"d{number}")
        try:
            if name == "edit":
                DRAFTS.edit(draft, set_to(states[number % len(states)]), asked)
            else:
                command(draft, asked)
        except VariorumError:
            continue
        if draft.pending_events:
            draft.collect_events()
            versions.append(draft.copy())
    return versions


@given(edits(2), st.lists(st.sampled_from(sorted([*COMMANDS, *["edit"] * 9])), max_size=9))
@settings(max_examples=100, deadline=None)
def test_a_draft_revived_from_any_version_and_what_followed_is_the_draft(
    states: tuple[Any, ...], chosen: list[str]
) -> None:
    versions = random_states(states, chosen)
    last = versions[-1]
    for at, then in enumerate(versions):
        for resting in (False, True):
            state = state_of(then, b"link", resting=resting)
            draft = revive(state.draft, state.version, state.body, state.rest)
            assert knows(draft) == knows(then)
            for event in last.recent[at + 1 :]:
                draft = event.mutate(draft)
            assert knows(draft) == knows(last)


@given(edits(2), st.lists(st.sampled_from(sorted([*COMMANDS, *["edit"] * 9])), max_size=9))
@settings(max_examples=100, deadline=None)
def test_a_reading_gives_the_body_and_the_data_with_any_tail_and_without(
    states: tuple[Any, ...], chosen: list[str]
) -> None:
    versions = random_states(states, chosen)
    events = versions[-1].recent
    stored = [(type(e).TOPIC, MAPPER.to_stored_event(e).state) for e in events]  # type: ignore[attr-defined]
    for at, then in enumerate(versions):
        state = state_of(then, b"")
        for upto, now in enumerate(versions[at:], at):
            tail = stored[at + 1 : upto + 1]
            reading = Reading("owner", now.version, at + 1, state.body, state.rest, tail)
            assert body_at(now.id, reading) == body_of(now)
            assert data_at(now.id, reading) == now.data


def test_edits_that_only_change_data_are_laid_over_the_body_and_all_else_is_folded() -> None:
    draft = opened({"fee": 100, "name": "Jazz"})
    state = state_of(draft, b"")
    DRAFTS.edit(draft, fields({"fee": 250}), origin(minutes=1))
    DRAFTS.edit(draft, fields({"title": "Late"}), origin(minutes=2))
    DRAFTS.label(draft, 3, "as agreed", origin(minutes=3))
    tail = [(type(e).TOPIC, MAPPER.to_stored_event(e).state) for e in happened(draft)]  # type: ignore[attr-defined]
    assert overlaid(state.body, state.rest, tail) is None
    plain = overlaid(state.body, state.rest, tail[:2])
    assert plain is not None
    told = orjson.loads(plain)
    assert (told["data"], told["title"], told["version"]) == (draft.data, "Late", 3)


def test_a_body_is_served_with_the_owners_name_and_the_callers_role() -> None:
    draft = opened({"title": "Jazz"})
    assert len(ANN) == KEY_LENGTH
    body = body_of(draft)
    assert owner_key(body) == ANN
    told = orjson.loads(served(body, 'An"n', "viewer"))
    assert told == {**orjson.loads(body), "owner": 'An"n', "role": "viewer"}


def test_a_large_body_is_packed_and_a_small_one_stays_as_it_is() -> None:
    small, large = body_of(opened({})), body_of(opened({"text": "jazz " * 1000}))
    assert packed(small) == small
    assert len(packed(large)) < len(large) / 4
    assert [unpacked(packed(body)) for body in (small, large)] == [small, large]


@pytest.mark.parametrize(("size", "every"), [(0, 16), (2048, 16), (16_384, 128), (10**6, 256)])
def test_whole_states_are_the_rarer_the_larger_but_never_too_rare(size: int, every: int) -> None:
    assert kept_every(size) == every


def test_what_an_aggregate_knows_beyond_its_body_is_told_apart() -> None:
    draft = opened({"fee": 1})
    DRAFTS.label(draft, 1, "first", origin(device="mac", seq=7, digest="d"))
    assert orjson.loads(rest_of(draft)) == {
        "members": {},
        "links": {},
        "labels": {"1": "first"},
        "devices": {"mac": [7, 2, "d"]},
        "expiry_days": 30,
        "closed_at": None,
        "slot": True,
        "conflicts_ever": 0,
        "settled": [],
        "merged_forks": {},
        "imports": [],
        "title_path": None,
        "steps_done": {},
    }


# -- what loading and reading cost


async def counted(store: Store, draft: UUID, upto: int | None = None) -> int:
    """How many events are folded to read a version; and it is the right one."""
    reading = await store.read(ANN, draft, upto)
    assert reading is not None
    return len(reading.tail)


async def many_saves(ann: Desk, draft: UUID, first: int, last: int) -> None:
    """Saves that arrive while others are on their way, as from many forms."""
    for start in range(first, last + 1, 500):
        stop = min(start + 500, last + 1)
        await asyncio.gather(*(ann.edit(draft, {"n": n}) for n in range(start, stop)))


async def check(store: Store, draft: UUID, numbers: Sequence[int], most: int) -> None:
    """Some versions hold what they should, for a bounded number of events each."""
    for number in numbers:
        reading = await store.read(ANN, draft, number)
        assert reading is not None
        assert len(reading.tail) <= most
        assert data_at(draft, reading) == {"n": number}


async def test_loading_and_reading_cost_the_same_after_ten_and_after_ten_thousand_versions(
    store: Store,
) -> None:
    chance = random.Random(7)
    async with desk(store) as ann:
        draft = await ann.open({"n": 1})
        await many_saves(ann, draft, 2, 10)
        await check(store, draft, range(1, 11), most=10)
        await many_saves(ann, draft, 11, 10_000)
    await check(store, draft, [*range(9_990, 10_001), *range(1, 12)], FOLDED + ONE_GROUP)
    await check(store, draft, [chance.randint(1, 10_000) for _ in range(60)], FOLDED + ONE_GROUP)
    loaded = await store.load(draft)
    assert loaded is not None
    assert len(loaded.records) <= FOLDED + ONE_GROUP
    made, _ = aggregate(draft, loaded, reach=0)
    assert (made.version, made.data) == (10_000, {"n": 10_000})
    await (await level(store)).rest_all(ANN)
    assert await counted(store, draft) == 0


async def test_a_long_offline_queue_leaves_every_version_near_a_whole_state(store: Store) -> None:
    async with desk(store) as ann:
        draft = await ann.open({"n": 1})
        await ann.edits(draft, [{"n": n} for n in range(2, 3_001)])
        await ann.edit(draft, {"n": 3_001})
    await check(store, draft, [1, 2, 500, 1_000, 1_500, 2_000, 2_999, 3_000, 3_001], FOLDED)


async def test_whole_states_are_kept_even_if_the_draft_is_loaded_anew_for_every_save(
    store: Store,
) -> None:
    async with desk(store, cache_bytes=0) as ann:
        drafts = [await ann.open({"n": 1}) for _ in range(2)]
        for number in range(2, 141):
            for draft in drafts:
                await ann.edit(draft, {"n": number})
    for draft in drafts:
        loaded = await store.load(draft)
        assert loaded is not None
        assert loaded.kept > 140 - 2 * 16
        await check(store, draft, range(1, 141), most=16)


async def test_resting_states_never_make_old_versions_unreadable(store: Store) -> None:
    chance = random.Random(11)
    catch_up = CatchUp(store)
    async with desk(store) as ann:
        draft = await ann.open({"n": 1})
        for number in range(2, 151):
            await ann.edit(draft, {"n": number})
            if chance.random() < 0.3:
                await catch_up.level()
                await catch_up.rest_all(ANN)
                assert await counted(store, draft) == 0
    await check(store, draft, range(1, 151), most=16)
    states = states_of(await log_of(store, draft))
    for number in (1, 31, 32, 33, 64, 65, 149, 150):
        reading = await store.read(ANN, draft, number)
        assert reading is not None
        assert knows(fold(draft, reading)) == knows(states[number - 1])


async def test_what_the_writer_holds_is_what_it_would_load(store: Store) -> None:
    async with desk(store) as ann:
        draft = await ann.open({"n": 1})
        for number in range(2, 70):
            await ann.edit(draft, {"n": number})
            held = ann.writer._held.get(draft)
            loaded = await store.load(draft)
            assert held is not None
            assert isinstance(loaded, Loaded)
            made, link = aggregate(draft, loaded, reach=0)
            assert (knows(held.draft), held.link) == (knows(made), link)
            assert held.kept == loaded.kept

"""The catch-up: takes every event once and in order, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.draft import RECENT, Draft
from domain.errors import Busy, StoreUnavailable
from projections.catch_up import BATCH, IDLE, NAME, CatchUp
from projections.snapshot import aggregate
from projections.store.base import DraftFilter, Store
from projections.store.postgres import PostgresStore
from tests import postgres
from tests.domain.scenes import ANN, BEN, DRAFTS, origin
from tests.projections.conftest import BreakEvent
from tests.projections.histories import (
    EVERY_DRAFT,
    Desk,
    desk,
    level,
    log_of,
    page,
    started,
    states_of,
)
from tests.projections.wire import wire_to


@pytest.fixture
async def ann(store: Store) -> AsyncIterator[Desk]:
    """A writer that wakes nobody."""
    await store.people.new_key("ann", ANN)
    async with desk(store) as at_work:
        yield at_work


@asynccontextmanager
async def following(store: Store) -> AsyncIterator[CatchUp]:
    """A catch-up at work, from its start to its stop."""
    catch_up = CatchUp(store)
    catch_up.start()
    try:
        yield catch_up
    finally:
        await catch_up.stop()


async def until(met: Callable[[], Any], seconds: float = 20) -> None:
    """Wait for something to be so."""
    async with asyncio.timeout(seconds):
        while not await met():  # noqa: ASYNC110 - it happens in the database
            await asyncio.sleep(0.02)


async def rested(store: Store, draft: UUID) -> bool:
    """Whether a whole state of a draft's last version is put down."""
    with suppress(StoreUnavailable):
        loaded = await store.load(draft)
        return loaded is not None and not loaded.records
    return False


# -- each event once


async def test_the_page_shows_every_draft_as_it_was_saved_last(store: Store, ann: Desk) -> None:
    drafts = [await ann.open({"title": f"Gig {n}"}) for n in range(3)]
    for number, draft in enumerate(drafts):
        await ann.edits(draft, [{"fee": n} for n in range(number + 1)], minutes=number)
    rows = {row["draft"]: row for row in await page(store)}
    assert {draft: rows[draft]["version"] for draft in drafts} == dict(
        zip(drafts, (2, 3, 4), strict=True)
    )
    assert await store.log.position(NAME) == await store.log.head()


async def test_a_batch_is_taken_once_and_a_second_taker_throws_his_away(
    store: Store, ann: Desk
) -> None:
    await ann.open({"title": "Jazz"})
    head = await store.log.head()
    assert await store.read_models.take(NAME, 0, head, []) is True
    assert await store.read_models.take(NAME, 0, head, []) is False
    assert await store.log.position(NAME) == head
    assert list(await store.drafts(ANN, EVERY_DRAFT)) == []


async def test_more_events_than_a_batch_are_taken_in_one_go(store: Store, ann: Desk) -> None:
    drafts = [await ann.open({"title": f"{n:04d}"}) for n in range(3)]
    for draft in drafts:
        await ann.edits(draft, [{"n": n} for n in range(BATCH)])
    catch_up = CatchUp(store)
    await catch_up.drain()
    assert await store.log.position(NAME) == await store.log.head() == 3 * (BATCH + 1)
    assert [row["version"] for row in await store.drafts(ANN, EVERY_DRAFT)] == [BATCH + 1] * 3


async def test_levelling_takes_what_was_in_the_log_when_it_was_asked_for(
    store: Store, ann: Desk
) -> None:
    draft, catch_up = await ann.open({"title": "a"}), CatchUp(store)
    for title in ("b", "c"):
        await ann.edit(draft, {"title": title})
        await catch_up.level()
        (row,) = await store.drafts(ANN, EVERY_DRAFT)
        assert row["title"] == title


async def test_levelling_gives_up_after_a_moment_and_says_so(store: Store, ann: Desk) -> None:
    draft, catch_up = await ann.open({"n": 0}), CatchUp(store)
    await ann.edits(draft, [{"n": n} for n in range(9)])
    async with catch_up._one_at_a_time:  # somebody else is busy with a long batch
        with pytest.raises(Busy) as busy:
            await catch_up.level()
    assert busy.value.retry_after == 1
    await catch_up.level()


async def test_who_saved_last_is_told_whether_or_not_a_whole_state_stands_there(
    store: Store, ann: Desk
) -> None:
    """A writer keeps a whole state every so often; a fresh catch-up begins with the newest."""
    draft = await ann.open({"n": 0})
    for number in range(1, 40):
        await ann.edit(draft, {"n": number}, origin(device=f"device {number}"))
        await level(store)
        (row,) = await store.drafts(ANN, EVERY_DRAFT)
        told = (row["version"], row["saved_by"], row["saved_device"])
        assert told == (number + 1, ANN, f"device {number}")


# -- following


async def test_what_is_saved_appears_and_comes_to_rest_by_itself(store: Store) -> None:
    async with following(store) as catch_up, desk(store, on_commit=catch_up.wake) as ann:
        draft = await ann.open({"title": "Jazz", "notes": "Blue Note"})
        await ann.edit(draft, {"fee": 1})
        await until(lambda: rested(store, draft))
        (row,) = await store.drafts(ANN, DraftFilter(q="blue note"))
        assert (row["draft"], row["version"]) == (draft, 2)
        assert await catch_up.status() == {
            NAME: {"position": 2, "head": 2, "behind": 0},
            "states": {"behind": 0},
        }


async def test_a_long_text_that_is_being_written_is_not_put_down_after_every_save(
    store: Store,
) -> None:
    text = " ".join(str(n * 7_919 % 10_007) for n in range(4_000))
    async with following(store) as catch_up, desk(store, on_commit=catch_up.wake) as ann:
        draft = await ann.open({"text": text})
        await until(lambda: rested(store, draft))
        for number in range(5):
            await ann.edit(draft, {"text": f"{text} save{number}"})
            await until(lambda: _is_level(catch_up))
            await asyncio.sleep(2 * IDLE)
            assert not await rested(store, draft)
        await catch_up.rest_all(ANN)
        (row,) = await store.drafts(ANN, DraftFilter(q="save4"))
        assert row["draft"] == draft
        assert await rested(store, draft)


async def _is_level(catch_up: CatchUp) -> bool:
    return all(model["behind"] == 0 for model in (await catch_up.status()).values())


async def test_what_nobody_told_of_is_found_by_the_slow_tick(store: Store) -> None:
    async with following(store), desk(store) as ann:
        draft = await ann.open({"title": "Jazz"})
        await until(lambda: rested(store, draft))


async def test_what_was_left_unrested_comes_to_rest_after_a_restart(
    store: Store, ann: Desk
) -> None:
    drafts = [await ann.open({"n": n}) for n in range(3)]
    await level(store)
    assert set(await store.read_models.unrested(10)) == set(drafts)
    async with following(store):
        for draft in drafts:
            await until(partial(rested, store, draft))
    assert list(await store.read_models.unrested(10)) == []


async def test_more_than_are_looked_at_at_once_come_to_rest_too(store: Store, ann: Desk) -> None:
    drafts = [await ann.open({"n": n}) for n in range(7)]
    await level(store)
    catch_up = CatchUp(store, most=2)
    catch_up.start()
    for draft in drafts:
        await until(partial(rested, store, draft))
    await catch_up.stop()


async def test_the_status_says_how_far_behind_it_is(store: Store, ann: Desk) -> None:
    catch_up = CatchUp(store)
    draft = await ann.open({"n": 0})
    await ann.edit(draft, {"n": 1})
    behind = {NAME: {"position": 0, "head": 2, "behind": 2}, "states": {"behind": 0}}
    assert await catch_up.status() == behind
    await catch_up.level()
    level_now = {NAME: {"position": 2, "head": 2, "behind": 0}, "states": {"behind": 1}}
    assert await catch_up.status() == level_now


# -- searching


async def test_a_search_sees_every_draft_as_it_is_now(store: Store, ann: Desk) -> None:
    catch_up = CatchUp(store)
    drafts = [await ann.open({"title": f"Gig {n}"}) for n in range(40)]
    for number, draft in enumerate(drafts):
        await ann.edit(draft, {"title": f"Concert {number}"})
    await catch_up.level()
    await catch_up.rest_all(ANN)
    assert len(await store.drafts(ANN, DraftFilter(q="concert", limit=99))) == 40
    assert list(await store.drafts(ANN, DraftFilter(q="gig"))) == []


async def test_a_search_puts_down_the_callers_drafts_only(store: Store, ann: Desk) -> None:
    mine, theirs = await ann.open({"n": 1}), await ann.open({"n": 1}, origin(BEN))
    catch_up = await level(store)
    await catch_up.rest_all(ANN)
    assert list(await store.read_models.unrested(9)) == [theirs]
    assert await rested(store, mine)


async def test_a_search_on_a_process_that_knows_an_older_version_sees_the_newest(
    store: Store, ann: Desk
) -> None:
    """Two processes share the work: what one took from the log, the other never saw."""
    one, other = CatchUp(store), CatchUp(store)
    draft = await ann.open({"title": "first"})
    await one.level()
    await ann.edit(draft, {"title": "second"})
    await other.level()
    async with asyncio.timeout(5):
        await one.rest_all(ANN)
    assert [row["draft"] for row in await store.drafts(ANN, DraftFilter(q="second"))] == [draft]
    assert list(await store.read_models.unrested(9)) == []


# -- what cannot be taken


NONSENSE = (
    b'{"timestamp":"2026-03-02T09:00:00Z","by":"ann-key-0001",'
    b'"changes":[{"op":"remove","path":"/never","before":1}]}'
)


@pytest.mark.parametrize("state", [b"not JSON", NONSENSE])
async def test_an_event_that_cannot_be_taken_is_set_aside_and_the_rest_goes_on(
    store: Store, ann: Desk, break_event: BreakEvent, state: bytes
) -> None:
    broken, well = await ann.open({"title": "broken"}), await ann.open({"title": "well"})
    for number in range(3):
        await ann.edit(broken, {"n": number})
        await ann.edit(well, {"n": number})
    break_event(broken, 3, state)
    async with following(store) as catch_up:
        await until(lambda: rested(store, well))
        await ann.edit(well, {"title": "better"})
        catch_up.wake()
        await until(lambda: _titled(store, "better"))
        await until(lambda: rested(store, well))
        aside = [(row["name"], row["version"]) for row in await store.read_models.set_aside()]
        assert aside == [(NAME, 3), (NAME, 4)]
        assert {UUID(str(row["draft"])) for row in await store.read_models.set_aside()} == {broken}
        async with asyncio.timeout(5):
            await catch_up.level()
            await catch_up.rest_all(ANN)
    rows = {row["draft"]: row for row in await store.drafts(ANN, EVERY_DRAFT)}
    assert rows[broken]["version"] <= 2
    assert rows[well]["version"] == 5
    reading = await store.read(ANN, broken, 2)
    assert reading is not None


async def _titled(store: Store, title: str) -> bool:
    return any(row["title"] == title for row in await store.drafts(ANN, EVERY_DRAFT))


async def test_a_broken_event_that_is_there_at_the_start_stops_nothing(
    store: Store, ann: Desk, break_event: BreakEvent
) -> None:
    broken, well = await ann.open({"n": 0}), await ann.open({"n": 0})
    await level(store)  # both wait for their rest
    await ann.edit(broken, {"n": 1})
    break_event(broken, 2, b"not JSON")
    async with following(store) as catch_up:
        await until(lambda: rested(store, well))
        await until(lambda: _all_taken(store))
        async with asyncio.timeout(5):
            await catch_up.rest_all(ANN)
    assert [row["version"] for row in await store.read_models.set_aside()] == [2]


async def _all_taken(store: Store) -> bool:
    return await store.log.position(NAME) == await store.log.head()


# -- what the writer of this process holds


async def held_of(store: Store, draft: UUID) -> tuple[Draft, bytes]:
    """A draft and its last link, as the writer holds it."""
    loaded = await store.load(draft)
    assert loaded is not None
    return aggregate(draft, loaded, reach=RECENT)


async def test_what_the_writer_holds_is_not_folded_again(
    store: Store, ann: Desk, break_event: BreakEvent
) -> None:
    draft = await ann.open({"title": "a"})
    await ann.edit(draft, {"title": "b"}, origin(device="phone"))
    held = await held_of(store, draft)
    break_event(draft, 2, b"not JSON")  # nobody looks into it
    catch_up = CatchUp(store, held={draft: held}.get)
    await catch_up.level()
    (row,) = await store.drafts(ANN, EVERY_DRAFT)
    assert (row["title"], row["version"], row["saved_device"]) == ("b", 2, "phone")
    await catch_up._rest_some(idle=True)
    assert await rested(store, draft)
    assert list(await store.read_models.set_aside()) == []


async def test_a_draft_that_the_writer_holds_is_left_as_it_is(store: Store, ann: Desk) -> None:
    draft = await ann.open({"n": 0})
    await ann.edits(draft, [{"n": n} for n in range(1, 5)])
    held = await held_of(store, draft)
    before = (held[0].version, dict(held[0].data), held[0].recent.copy(), dict(held[0].devices))
    await ann.edit(draft, {"title": "b"}, origin(device="tablet", seq=1))
    catch_up = CatchUp(store, held={draft: held}.get)
    await catch_up.level()
    await ann.edit(draft, {"title": "c"})
    await catch_up.level()
    (row,) = await store.drafts(ANN, EVERY_DRAFT)
    assert (row["title"], row["version"]) == ("c", 7)
    await catch_up._rest_some(idle=True)
    assert await rested(store, draft)
    after = (held[0].version, held[0].data, held[0].recent, held[0].devices)
    assert after == before


async def test_drafts_that_another_process_moved_are_read_beside_those_that_are_held(
    store: Store, ann: Desk
) -> None:
    mine, other = [await ann.open({"title": "a"}) for _ in range(2)]
    for draft in (mine, other):
        await ann.edits(draft, [{"n": n} for n in range(BATCH)])
        await ann.edit(draft, {"title": "b"}, origin(device="phone"))
    held = await held_of(store, mine)
    catch_up = CatchUp(store, held={mine: held}.get)
    await catch_up.drain()
    rows = await store.drafts(ANN, EVERY_DRAFT)
    told = {(row["draft"], row["title"], row["version"], row["saved_device"]) for row in rows}
    assert told == {(draft, "b", BATCH + 2, "phone") for draft in (mine, other)}
    assert await store.log.position(NAME) == await store.log.head()


async def test_a_draft_held_too_far_back_is_read(store: Store, ann: Desk) -> None:
    draft = await ann.open({"title": "a"})
    held = await held_of(store, draft)
    await ann.edit(draft, {"title": "b"})
    await CatchUp(store, held={draft: held}.get).level()
    (row,) = await store.drafts(ANN, EVERY_DRAFT)
    assert (row["title"], row["version"]) == ("b", 2)


# -- lost connections and other processes


async def test_a_lost_connection_ends_nothing(
    postgres_server: postgres.Server, postgres_database: postgres.Database
) -> None:
    async with (
        started(PostgresStore(postgres_database.service_url)) as store,
        following(store) as catch_up,
        desk(store, on_commit=catch_up.wake) as ann,
    ):
        draft = await ann.open({"n": 0})
        superuser = postgres_server.url(postgres.SUPERUSER, "postgres")
        async with await psycopg.AsyncConnection.connect(superuser, autocommit=True) as above:
            for number in range(1, 6):
                await above.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    (postgres_database.name,),
                )
                await ann.edit(draft, {"n": number})
                await asyncio.sleep(0.05)
        await until(lambda: rested(store, draft))
        await until(lambda: _all_taken(store))
        assert await store.log.head() == 6


async def test_drafts_whose_rest_was_interrupted_come_to_rest_later(
    postgres_database: postgres.Database,
) -> None:
    url = postgres_database.service_url
    async with (
        wire_to(url) as wire,
        started(PostgresStore(url)) as near,
        started(PostgresStore(wire.url(url), workers=1)) as far,
    ):
        async with desk(near) as ann:
            drafts = [await ann.open({"n": n}) for n in range(5)]
        catch_up = CatchUp(far)
        await catch_up.level()
        for draft in drafts:  # known, so that nothing but the rest itself is asked for
            assert draft in catch_up._known
        wire.cut = "statement"
        await catch_up._until_it_works(lambda: catch_up._rest_some(idle=True))
        assert list(await near.read_models.unrested(9)) == []


async def test_two_catch_ups_at_once_make_the_rows_that_one_would(
    postgres_database: postgres.Database,
) -> None:
    url = postgres_database.service_url
    async with (
        started(PostgresStore(url)) as store,
        started(PostgresStore(url)) as another,
        desk(store) as ann,
        following(store) as one,
        following(another) as other,
    ):
        drafts = [await ann.open({"title": f"Gig {n}", "n": 0}) for n in range(12)]

        async def save(draft: UUID) -> None:
            for number in range(1, 25):
                await ann.edit(draft, {"n": number}, origin(minutes=number, device="mac"))
                one.wake()
                other.wake()

        await asyncio.gather(*map(save, drafts))
        for draft in drafts:
            await until(partial(rested, store, draft))
        await until(lambda: _nothing_unrested(store))
        rows = {row["draft"]: row for row in await page(store)}
        for draft in drafts:
            state, row = states_of(await log_of(store, draft))[-1], rows[draft]
            told = (row["title"], row["version"], row["saved_at"], row["saved_device"])
            assert told == (state.title, 25, state.modified_on, "mac")
        assert len(await store.drafts(ANN, DraftFilter(q="24", limit=99))) == 12
        assert list(await store.read_models.set_aside()) == []


async def _nothing_unrested(store: Store) -> bool:
    return not await store.read_models.unrested(99)


async def test_a_closed_draft_is_shown_as_closed(store: Store, ann: Desk) -> None:
    draft = await ann.open({"n": 0})
    await ann.run(draft, DRAFTS.discard, origin())
    (row,) = await page(store)
    assert row["status"] == "discarded"

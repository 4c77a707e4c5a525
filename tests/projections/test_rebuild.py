"""Read models can be thrown away: made anew from the log they are what they were."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import AsyncConnection

from domain.access import Reader
from domain.asked import Edit, Step
from projections.catch_up import NAME, CatchUp
from projections.forms import given
from projections.rebuild import read_again, rebuild
from projections.snapshot import fold
from projections.store.base import DraftFilter, Store
from projections.store.postgres import PostgresStore
from projections.store.postgres.connections import WORKER, connect
from tests import postgres
from tests.domain.scenes import ANN, BEN, DRAFTS, fields, origin, put
from tests.projections.conftest import Ask, BreakEvent
from tests.projections.histories import (
    EVERY_DRAFT,
    EVERY_VERSION,
    Desk,
    desk,
    facts,
    knows,
    level,
    lines,
    log_of,
    started,
    states_of,
)

TABLES = ("versions", "drafts", "states")


def rows(ask: Ask) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that can be seen by readers; whole states are compared by what they give."""
    return {
        "versions": ask("SELECT * FROM versions ORDER BY draft, version"),
        "drafts": ask("SELECT * FROM drafts ORDER BY draft"),
    }


@pytest.fixture
async def ann(store: Store) -> AsyncIterator[Desk]:
    """A writer."""
    await store.people.new_key("ann", ANN)
    await store.people.new_key("ben", BEN)
    async with desk(store) as at_work:
        yield at_work


@pytest.fixture
async def drafts(ann: Desk, store: Store) -> list[UUID]:
    """Three drafts with all that can happen to a draft."""
    first = await ann.open({"title": "Jazz", "n": 0}, origin(device="mac"), subject="42", slot=True)
    for number in range(1, 50):
        asked = origin(minutes=number, device="mac", seq=number, digest=f"d{number}")
        await ann.edit(first, {"n": number}, asked)
    for version, label in ((3, "third"), (3, "3rd"), (9, "ninth"), (20, "gone")):
        await ann.run(first, DRAFTS.label, version, label, origin(minutes=60))
    await ann.run(first, DRAFTS.unlabel, 20, origin(minutes=61))
    await ann.edit(first, {"m": 1}, origin(minutes=62, device="ipad"), based_on=5)
    then = states_of(await log_of(store, first))
    await ann.run(first, DRAFTS.restore, 5, then[4].data, origin(minutes=63))
    await ann.run(first, DRAFTS.undo, Step(9, 9, then[7].data, then[8].data), origin(minutes=64))
    second = await ann.open({"title": "Blues", "acts": [{"id": "a"}]}, origin(BEN))
    item = Edit(changes=[put("/acts/-", {"id": "b"}, "add")], step="lineup")
    await ann.run(second, DRAFTS.edit, item, origin(BEN, 5))
    await ann.run(second, DRAFTS.discard, origin(BEN, 6))
    await ann.run(second, DRAFTS.recover, origin(BEN, 7))
    await ann.run(second, DRAFTS.submit, origin(BEN, 8))
    third = uuid4()
    await ann.writer.begin(
        third, lambda: DRAFTS.fork(then[9], origin(minutes=70), new=third, role="owner")
    )
    catch_up = await level(store)
    for by in (ANN, BEN):
        await catch_up.rest_all(by)
    return [first, second, third]


async def check_states(store: Store, drafts: list[UUID]) -> None:
    """Every version of every draft reads as it does from the first event on."""
    for draft in drafts:
        states = states_of(await log_of(store, draft))
        for version, state in enumerate(states, 1):
            reading = await store.read(state.owner, draft, version)
            assert reading is not None
            assert knows(fold(draft, reading)) == knows(state)
        reading = await store.read(states[-1].owner, draft)
        assert reading is not None
        assert len(reading.tail) == 0


async def seen(store: Store, drafts: list[UUID]) -> Any:
    """All that readers can ask for."""
    return {
        "versions": {
            (by, draft): lines(await store.versions(by, draft, EVERY_VERSION))
            for by in (ANN, BEN)
            for draft in drafts
        },
        "sessions": [
            [facts(row) for row in await store.sessions(ANN, draft, EVERY_VERSION)]
            for draft in drafts
        ],
        "pages": {
            by: [facts(row) for row in await store.drafts(by, EVERY_DRAFT)] for by in (ANN, BEN)
        },
        "found": {
            q: [row["draft"] for row in await store.drafts(ANN, DraftFilter(q=q))]
            for q in ("jazz", "blues", "49", "9")
        },
        "seq": [await store.version_of_seq(drafts[0], "mac", seq) for seq in (1, 7, 49, 50)],
        "labels": [await store.label_of(ANN, drafts[0], version) for version in (3, 9, 20)],
    }


async def test_a_rebuild_changes_nothing(store: Store, ask: Ask, drafts: list[UUID]) -> None:
    before, read = rows(ask), await seen(store, drafts)
    progress: list[tuple[int, int]] = []
    assert await rebuild(store, lambda done, total: progress.append((done, total))) == 3
    assert progress == [(1, 3), (2, 3), (3, 3)]
    assert rows(ask) == before
    assert await seen(store, drafts) == read
    await check_states(store, drafts)


async def test_from_nothing_everything_is_as_it_was(
    store: Store, ask: Ask, drafts: list[UUID]
) -> None:
    before, read = rows(ask), await seen(store, drafts)
    for table in TABLES:
        ask(f"DELETE FROM {table}")
    assert await store.drafts(ANN, EVERY_DRAFT) == []
    await rebuild(store)
    assert rows(ask) == before
    assert await seen(store, drafts) == read
    await check_states(store, drafts)


async def test_what_a_definition_tells_of_a_draft_is_made_anew_too(
    store: Store, ask: Ask, ann: Desk
) -> None:
    gig = given(None)["gig"].form
    data = {"title": "Jazz", "fee": 0, "contact": {"name": "Zoë"}, "venue": {"name": ""}}
    draft = await ann.open(data)
    await ann.edit(draft, {"date": "2026-03-01", "start": "20:00"}, origin(minutes=1))
    catch_up = CatchUp(store, forms=lambda _: gig)
    while await catch_up._take_batch():
        pass
    await catch_up.rest_all(ANN)
    (line,) = await store.drafts(Reader(ANN), EVERY_DRAFT)
    assert (line["filled"], line["fields"], line["resume"]) == (5, 22, "venue")
    assert not await store.drafts(Reader(ANN), DraftFilter(q="zoë"))
    before = rows(ask)
    for table in TABLES:
        ask(f"DELETE FROM {table}")
    await rebuild(store, forms=lambda _: gig)
    assert rows(ask) == before


async def test_wrong_rows_and_rows_of_unknown_drafts_are_gone_afterwards(
    store: Store, ask: Ask, drafts: list[UUID]
) -> None:
    before = rows(ask)
    ask("UPDATE versions SET label = 'wrong', act = 'wrong' WHERE version < 5")
    ask("UPDATE drafts SET title = 'wrong', search = 'wrong'")
    stray = uuid4()
    text = stray.hex if store.name == "sqlite" else str(stray)
    ask(
        "INSERT INTO versions (draft, version, at, act, by) "
        f"VALUES ('{text}', 1, '2026-03-02T09:00:00.000000Z', 'opened', 'x')"
    )
    ask(f"INSERT INTO set_aside VALUES ('drafts', 1, '{text}', 1, 'ValueError')")
    await rebuild(store)
    assert rows(ask) == before
    assert list(await store.read_models.set_aside()) == []


async def test_a_draft_that_cannot_be_read_stops_nothing_and_stays_set_aside(
    store: Store, ask: Ask, break_event: BreakEvent, drafts: list[UUID]
) -> None:
    before, broken = rows(ask), drafts[1]
    text = broken.hex if store.name == "sqlite" else str(broken)
    ask(f"DELETE FROM versions WHERE draft <> '{text}'")
    ask(f"INSERT INTO set_aside VALUES ('drafts', 7, '{text}', 2, 'ValueError')")
    break_event(broken, 2, b"not JSON")
    assert await rebuild(store) == 3
    assert rows(ask) == before
    aside = await store.read_models.set_aside()
    assert [(row["name"], row["version"]) for row in aside] == [(NAME, 2)]


# -- while the service runs


async def test_what_is_saved_between_reading_and_replacing_is_kept(
    store: Store, ask: Ask, ann: Desk, drafts: list[UUID]
) -> None:
    rebuilt = [await read_again(store, draft) for draft in drafts]
    await ann.run(drafts[0], DRAFTS.label, 5, "late", origin(minutes=80))
    await ann.run(drafts[0], DRAFTS.label, 3, "renamed", origin(minutes=81))
    await ann.run(drafts[0], DRAFTS.unlabel, 9, origin(minutes=82))
    await ann.edit(drafts[0], {"title": "later"}, origin(minutes=83))
    catch_up = await level(store)
    await catch_up.rest_all(ANN)
    before = rows(ask)
    for one in rebuilt:
        await store.read_models.replace(one)
    await catch_up.rest_all(ANN)
    assert rows(ask) == before
    labels = [await store.label_of(ANN, drafts[0], version) for version in (3, 5, 9)]
    assert labels == ["renamed", "late", None]


async def test_a_rebuild_while_a_writer_keeps_saving_ends_where_a_later_one_would(
    store: Store, ask: Ask, ann: Desk
) -> None:
    drafts = [await ann.open({"title": f"Gig {n}", "n": 0}) for n in range(4)]
    catch_up = CatchUp(store)
    catch_up.start()
    ending = asyncio.Event()

    async def keep_saving(draft: UUID) -> int:
        number = 0
        while not ending.is_set():
            number += 1
            await ann.edit(draft, {"n": number}, origin(minutes=number))
            if number % 3 == 0:
                label = f"label {number}"
                await ann.run(draft, DRAFTS.label, number % 10 + 1, label, origin(minutes=number))
            catch_up.wake()
        return number

    saving = [asyncio.create_task(keep_saving(draft)) for draft in drafts]
    for _ in range(5):
        await rebuild(store)
        await asyncio.sleep(0.05)
    ending.set()
    numbers = await asyncio.gather(*saving)
    await catch_up.stop()
    await (await level(store)).rest_all(ANN)
    for draft, number in zip(drafts, numbers, strict=True):
        assert states_of(await log_of(store, draft))[-1].data["n"] == number
    before, read = rows(ask), await seen(store, drafts)
    await check_states(store, drafts)
    await rebuild(store)
    assert rows(ask) == before
    assert await seen(store, drafts) == read


async def test_an_event_after_a_rebuild_is_taken_as_ever(
    store: Store, ask: Ask, ann: Desk, drafts: list[UUID]
) -> None:
    catch_up = await level(store)
    await rebuild(store)
    await ann.run(drafts[0], DRAFTS.edit, fields({"title": "after"}), origin(minutes=90))
    await catch_up.level()
    rows_now = {row["draft"]: row for row in await store.drafts(ANN, EVERY_DRAFT)}
    assert rows_now[drafts[0]]["title"] == "after"


async def test_a_draft_may_come_to_rest_while_it_is_rebuilt(
    postgres_database: postgres.Database,
) -> None:
    """PostgreSQL only: SQLite does one after the other."""
    url = postgres_database.service_url
    async with started(PostgresStore(url)) as store, desk(store) as ann:
        draft = await ann.open({"title": "Jazz"})
        catch_up = await level(store)
        rebuilt = await read_again(store, draft)
        assert rebuilt.resting is not None
        other = await connect(url, WORKER)
        async with other, other.transaction():
            await other.execute(
                "INSERT INTO states VALUES (%s, 1, 'body', 'rest', 'hash', true)", (draft,)
            )
            replacing = asyncio.create_task(store.read_models.replace(rebuilt))
            await _until_somebody_waits(url)
        await replacing
        await catch_up.rest_all(ANN)
        await check_states(store, [draft])


async def _until_somebody_waits(url: str) -> None:
    async with await AsyncConnection.connect(url, autocommit=True) as looking:
        async with asyncio.timeout(20):
            while not await (  # noqa: ASYNC110 - it is PostgreSQL that is waited for
                await looking.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
            ).fetchone():
                await asyncio.sleep(0.01)

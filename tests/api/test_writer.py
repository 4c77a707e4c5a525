"""The writer: what waits is decided in turn, saved together, and answered once it is saved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from api.people import People
from api.saving import Saving
from api.writer import AlreadyBegun
from domain.asked import Edit, Opening
from domain.draft import RECENT, Draft
from domain.errors import (
    Busy,
    CannotApply,
    Clash,
    DraftClosed,
    DraftNotFound,
    Forbidden,
    SlotTaken,
    StoreUnavailable,
    VariorumError,
    VersionMismatch,
)
from domain.origin import Origin
from domain.receipts import Receipt, Repeated
from projections.store.base import Store
from projections.store.postgres import PostgresStore
from tests import postgres
from tests.domain.scenes import ANN, DRAFTS, EVE, fields, origin, put
from tests.projections.histories import Desk, desk, log_of, started, states_of
from tests.projections.wire import wire_to

Command = Callable[[Draft], Any]


@pytest.fixture
def commits() -> list[int]:
    """One entry for each group that was saved."""
    return []


@pytest.fixture
async def ann(store: Store, commits: list[int]) -> AsyncIterator[Desk]:
    """A writer at work."""
    async with desk(store, on_commit=lambda: commits.append(1)) as at_work:
        yield at_work


async def together(*calls: Any) -> list[Any]:
    """What calls that arrive at once are answered, errors included."""
    return await asyncio.gather(*calls, return_exceptions=True)


async def held(store: Store, draft: UUID) -> Any:
    """A draft's data, from the log."""
    return states_of(await log_of(store, draft))[-1].data


async def acts(store: Store, draft: UUID) -> list[str]:
    """What happened to a draft, in order."""
    return [record.event().act for record in await log_of(store, draft)]


# -- groups


async def test_what_arrives_at_once_is_saved_in_one_group(
    store: Store, ann: Desk, commits: list[int]
) -> None:
    drafts = [await ann.open({"n": 0}) for _ in range(3)]
    commits.clear()
    receipts = await together(*(ann.edit(drafts[n % 3], {f"f{n}": n}) for n in range(60)))
    assert len(commits) == 1
    for place, draft in enumerate(drafts):
        mine = receipts[place::3]
        assert [r.version for r in mine] == list(range(2, 22))
        assert all(r.id == draft and r.recorded for r in mine)
        assert await held(store, draft) == {"n": 0, **{f"f{n}": n for n in range(place, 60, 3)}}
    assert [line.record.draft for line in await store.log.lines(3, 99)] == [
        draft for draft in drafts for _ in range(20)
    ]


async def test_a_group_in_which_nothing_changes_is_not_saved(ann: Desk, commits: list[int]) -> None:
    draft = await ann.open({"n": 0})
    commits.clear()
    answers = await together(*(ann.edit(draft, {"n": 0}) for _ in range(5)))
    assert {(r.version, r.recorded) for r in answers} == {(1, False)}
    assert commits == []


async def test_an_answer_says_what_was_decided_before_later_commands_of_the_group(
    ann: Desk,
) -> None:
    draft = await ann.open({"n": 0})
    one, no_op, other = await together(
        ann.edit(draft, {"n": 1}), ann.edit(draft, {"n": 1}), ann.edit(draft, {"n": 2})
    )
    assert [(r.version, r.recorded) for r in (one, no_op, other)] == [
        (2, True),
        (2, False),
        (3, True),
    ]


async def test_a_refused_command_fails_alone(store: Store, ann: Desk) -> None:
    draft = await ann.open({"fee": 1})
    edit = Edit(changes=[put("/fee", 9)], if_match=(1,))
    answers = await together(
        ann.edit(draft, {"a": 1}),
        ann.run(draft, DRAFTS.edit, edit, origin()),
        ann.run(draft, DRAFTS.edit, Edit(changes=[put("/no/where", 1)]), origin()),
        ann.run(draft, DRAFTS.edit, fields({"x": 1}), origin(EVE)),
        ann.edit(draft, {"b": 1}),
        ann.run(draft, DRAFTS.submit, origin()),
        ann.edit(draft, {"c": 1}),
    )
    assert [type(answer) for answer in answers] == [
        Receipt,
        VersionMismatch,
        CannotApply,
        DraftNotFound,
        Receipt,
        Receipt,
        DraftClosed,
    ]
    assert answers[1].version == 2
    assert await held(store, draft) == {"fee": 1, "a": 1, "b": 1}


def breaking(d: Draft) -> Receipt:
    """A command with a mistake in it, which shows after it has recorded something."""
    DRAFTS.edit(d, fields({"broken": True}), origin())
    raise ZeroDivisionError


def refusing_late(d: Draft) -> Receipt:
    """A command that refuses after it has recorded something."""
    DRAFTS.edit(d, fields({"broken": True}), origin())
    raise CannotApply("too late")


@pytest.mark.parametrize(
    ("command", "error"), [(breaking, ZeroDivisionError), (refusing_late, CannotApply)]
)
async def test_a_command_that_breaks_half_way_fails_alone_and_leaves_nothing(
    store: Store, ann: Desk, command: Command, error: type[Exception]
) -> None:
    draft, other = await ann.open({"n": 0}), await ann.open({"n": 0})
    answers = await together(
        ann.edit(draft, {"a": 1}),
        ann.edit(other, {"a": 1}),
        ann.run(draft, command),
        ann.edit(draft, {"b": 1}),
        ann.edit(other, {"b": 1}),
    )
    assert [type(answer) for answer in answers] == [Receipt, Receipt, error, Receipt, Receipt]
    assert [answers[n].version for n in (0, 1, 3, 4)] == [2, 2, 3, 3]
    for one in (draft, other):
        assert await held(store, one) == {"n": 0, "a": 1, "b": 1}
        assert len(await log_of(store, one)) == 3


async def test_a_beginning_that_is_refused_fails_alone(store: Store, ann: Desk) -> None:
    def too_deep() -> Draft:
        data: dict[str, Any] = {}
        for _ in range(40):
            data = {"a": data}
        return DRAFTS.open(Opening("gig", None, data), origin(), slot=False)

    draft = await ann.open({"n": 0})
    wrong, right = await together(ann.writer.begin(uuid4(), too_deep), ann.edit(draft, {"n": 1}))
    assert isinstance(wrong, VariorumError)
    assert right.version == 2
    assert await store.log.count_drafts() == 1


async def test_a_draft_may_be_begun_and_edited_in_one_group(store: Store, ann: Desk) -> None:
    draft = uuid4()
    opened, edited = await together(ann.open({"n": 0}, id=draft), ann.edit(draft, {"n": 1}))
    assert opened == draft
    if isinstance(edited, DraftNotFound):  # it looked before the draft was there
        edited = await ann.edit(draft, {"n": 1})
    assert await held(store, draft) == {"n": 1}


# -- waiting


async def test_a_waiter_that_goes_away_does_not_take_its_command_along(
    store: Store, ann: Desk
) -> None:
    draft = await ann.open({"n": 0})
    waiting = asyncio.create_task(ann.edit(draft, {"gone": 1}))
    await asyncio.sleep(0)
    assert ann.writer.waiting == 1
    waiting.cancel()
    answer = await ann.edit(draft, {"here": 1})
    assert waiting.cancelled()
    assert answer.version == 3
    assert await held(store, draft) == {"n": 0, "gone": 1, "here": 1}


async def test_a_queue_that_is_full_takes_no_more_and_saves_what_it_has(store: Store) -> None:
    async with desk(store, queue_length=3) as ann:
        draft = await ann.open({"n": 0})
        answers = await together(*(ann.edit(draft, {f"f{n}": n}) for n in range(5)))
        assert [type(answer) for answer in answers] == [Receipt, Receipt, Receipt, Busy, Busy]
        assert answers[4].retry_after == 1
        assert (await ann.edit(draft, {"later": 1})).version == 5


async def test_a_writer_that_stops_saves_what_is_queued_and_takes_no_more(store: Store) -> None:
    async with desk(store) as ann:
        draft = await ann.open({"n": 0})
        last = [asyncio.create_task(ann.edit(draft, {f"f{n}": n})) for n in range(9)]
        await asyncio.sleep(0)
        await ann.writer.stop()
        assert [(await task).version for task in last] == list(range(2, 11))
        with pytest.raises(Busy):
            await ann.edit(draft, {"late": 1})


async def test_a_draft_that_is_not_there_is_not_found(ann: Desk) -> None:
    with pytest.raises(DraftNotFound):
        await ann.edit(uuid4(), {"n": 1})


# -- beginnings


async def test_an_id_is_taken_once(ann: Desk) -> None:
    draft = uuid4()
    answers = await together(*(ann.open({"n": n}, id=draft) for n in range(3)))
    assert [type(answer) for answer in answers] == [UUID, AlreadyBegun, AlreadyBegun]


async def test_a_slot_is_taken_once_and_the_others_hear_by_whom(store: Store, ann: Desk) -> None:
    innocent = await ann.open({"n": 0})
    answers = await together(
        *(ann.open({"n": n}, subject="42", slot=True) for n in range(3)),
        ann.edit(innocent, {"n": 1}),
    )
    first, *others, edited = answers
    assert isinstance(first, UUID)
    assert [type(other) for other in others] == [SlotTaken, SlotTaken]
    assert {other.draft for other in others} == {str(first)}
    assert edited.version == 2
    assert await store.log.count_drafts() == 2
    assert await store.holder_of_slot(ANN, "gig", "42") == first


async def test_a_slot_that_is_given_up_and_taken_at_once_is_the_new_drafts(
    store: Store, ann: Desk
) -> None:
    old = await ann.open({"n": 0}, subject="42", slot=True)
    submitted, new = await together(
        ann.run(old, DRAFTS.submit, origin()), ann.open({"n": 1}, subject="42", slot=True)
    )
    assert submitted.recorded
    assert await store.holder_of_slot(ANN, "gig", "42") == new


async def test_of_two_drafts_that_come_back_to_one_slot_one_does(store: Store, ann: Desk) -> None:
    drafts = []
    for number in range(2):
        drafts.append(await ann.open({"n": number}, subject="42", slot=True))
        await ann.run(drafts[-1], DRAFTS.discard, origin())
    innocent = await ann.open({"n": 0})
    first, second, edited = await together(
        *(ann.run(draft, DRAFTS.recover, origin()) for draft in drafts),
        ann.edit(innocent, {"n": 1}),
    )
    assert (first.recorded, edited.recorded) == (True, True)
    assert isinstance(second, SlotTaken)
    assert second.draft == str(drafts[0]) == str(await store.holder_of_slot(ANN, "gig", "42"))
    assert await acts(store, drafts[1]) == ["opened", "discarded"]


# -- what the store refuses


async def test_of_a_group_only_the_job_fails_whose_principal_may_not_write(
    store: Store, ann: Desk
) -> None:
    """The aggregate is made to believe in a member of whom the register knows nothing."""
    draft, other = await ann.open({"n": 0}), await ann.open({"n": 0})
    believed = ann.writer._held.get(draft)
    assert believed is not None
    believed.draft.members = {EVE: "editor"}
    answers = await together(
        ann.edit(other, {"a": 1}),
        ann.edit(draft, {"a": 1}),
        ann.edit(draft, {"eve": 1}, origin(EVE)),
        ann.edit(draft, {"b": 1}),
    )
    assert [type(answer) for answer in answers] == [Receipt, Receipt, Forbidden, Receipt]
    assert await held(store, draft) == {"n": 0, "a": 1, "b": 1}
    assert await held(store, other) == {"n": 0, "a": 1}


# -- a base far behind


async def test_an_edit_whose_base_is_long_forgotten_is_merged_all_the_same(
    store: Store, ann: Desk
) -> None:
    draft = await ann.open({"fee": 1, "n": 0})
    await ann.edits(draft, [{"n": n} for n in range(3 * RECENT)])
    late = fields({"fee": 2}, based_on=1)
    answer = await ann.run(draft, DRAFTS.edit, late, origin(device="ipad"))
    assert (answer.recorded, answer.merged, answer.version) == (True, True, 3 * RECENT + 1)
    assert await held(store, draft) == {"fee": 2, "n": 3 * RECENT - 1}
    late = replace(fields({"n": -1}, based_on=1), on_conflict="reject")
    with pytest.raises(Clash):
        await ann.run(draft, DRAFTS.edit, late, origin(device="ipad"))


async def test_a_late_edit_gets_in_although_others_keep_saving(store: Store, ann: Desk) -> None:
    draft = await ann.open({"fee": 1, "n": 0})
    await ann.edits(draft, [{"n": n} for n in range(1, 3 * RECENT)])
    ending = asyncio.Event()

    async def keep_saving(name: str) -> None:
        number = 0
        while not ending.is_set():
            await ann.edit(draft, {name: (number := number + 1)}, origin(device=name))

    others = [asyncio.create_task(keep_saving(name)) for name in ("mac", "phone")]
    late = fields({"fee": 2}, based_on=1)
    try:
        answer = await ann.run(draft, DRAFTS.edit, late, origin(device="ipad"))
    finally:
        ending.set()
        await asyncio.gather(*others)
    assert (answer.recorded, answer.merged) == (True, True)
    assert (await held(store, draft))["fee"] == 2


async def test_a_late_edit_gets_in_although_the_draft_is_let_go_all_the_time(
    store: Store,
) -> None:
    async with desk(store, cache_bytes=0) as ann:
        draft, other = await ann.open({"fee": 1, "n": 0}), await ann.open({"n": 0})
        await ann.edits(draft, [{"n": n} for n in range(1, 3 * RECENT)])
        late = fields({"fee": 2}, based_on=1)
        answers = await together(
            ann.run(draft, DRAFTS.edit, late, origin(device="ipad")),
            *(ann.edit(other, {"n": n}) for n in range(9)),
        )
    assert [type(answer) for answer in answers] == [Receipt] * 10
    assert (await held(store, draft))["fee"] == 2


async def test_an_offline_queue_is_saved_whole_even_where_memory_ends_within_it(
    store: Store, ann: Desk
) -> None:
    """The draft remembers 512 events and forgets the older half with the next one."""
    saving = Saving(store, ann.writer, DRAFTS, People(store))
    draft = await ann.open({"n": 0})
    await ann.edits(draft, [{"n": n} for n in range(1, 2 * RECENT)])
    base = RECENT // 2
    queue = [(fields({f"late {n}": n}, based_on=base), _numbered(n)) for n in range(1, 4)]
    told = await saving.edits(draft, queue, origin())
    assert [one["recorded"] for one in told["results"]] == [True] * 3
    late = {f"late {n}": n for n in range(1, 4)}
    assert await held(store, draft) == {"n": 2 * RECENT - 1, **late}
    assert len(await log_of(store, draft)) == 2 * RECENT + 3


def _numbered(seq: int) -> Origin:
    return origin(device="ipad", seq=seq, digest=f"d{seq}")


# -- another process on the same database


@pytest.fixture
async def stores(postgres_database: postgres.Database) -> AsyncIterator[list[Store]]:
    """Two processes' stores on one PostgreSQL."""
    url = postgres_database.service_url
    async with started(PostgresStore(url)) as one, started(PostgresStore(url)) as other:
        yield [one, other]


async def test_what_another_process_saved_is_seen_by_the_next_command(stores: list[Store]) -> None:
    async with desk(stores[0]) as here, desk(stores[1]) as there:
        draft = await here.open({"fee": 1})
        await there.edit(draft, {"fee": 2})
        assert (await here.edit(draft, {"fee": 2})).version == 2  # nothing new any more
        await there.edit(draft, {"fee": 3})
        answer = await here.edit(draft, {"title": "a"}, based_on=2)
        assert (answer.version, answer.merged) == (4, True)
        await there.run(draft, DRAFTS.submit, origin())
        with pytest.raises(DraftClosed):
            await here.edit(draft, {"fee": 3})
    assert await held(stores[0], draft) == {"fee": 3, "title": "a"}


async def test_a_refusal_is_never_made_from_an_old_state(stores: list[Store]) -> None:
    async with desk(stores[0]) as here, desk(stores[1]) as there:
        draft = await here.open({"fee": 1})
        await there.edit(draft, {"fee": 2})
        wanted = Edit(changes=[put("/fee", 3)], if_match=(2,))
        assert (await here.run(draft, DRAFTS.edit, wanted, origin())).version == 3
        await here.run(draft, DRAFTS.discard, origin())
        await there.run(draft, DRAFTS.recover, origin())
        assert (await here.edit(draft, {"fee": 4})).version == 6


async def test_a_draft_that_is_begun_in_two_processes_is_begun_once(stores: list[Store]) -> None:
    new = uuid4()
    async with desk(stores[0]) as here, desk(stores[1]) as there:
        answers = await together(here.open({"n": 1}, id=new), there.open({"n": 2}, id=new))
        assert sorted(type(answer).__name__ for answer in answers) == ["AlreadyBegun", "UUID"]
        again = await together(
            here.open({}, subject="42", slot=True), there.open({}, subject="42", slot=True)
        )
    (holder,) = [answer for answer in again if isinstance(answer, UUID)]
    (taken,) = [answer for answer in again if isinstance(answer, SlotTaken)]
    assert taken.draft == str(holder)


# -- a lost connection, at the worst moments


async def test_a_group_whose_statement_was_lost_is_saved_again(
    postgres_database: postgres.Database,
) -> None:
    url = postgres_database.service_url
    async with wire_to(url) as wire, started(PostgresStore(wire.url(url))) as store:
        async with desk(store) as ann:
            draft = await ann.open({"n": 0})
            for number in range(1, 4):
                wire.cut = "statement"
                answers = await together(*(ann.edit(draft, {f"{number}{k}": k}) for k in range(5)))
                assert [type(answer) for answer in answers] == [Receipt] * 5
        assert await acts(store, draft) == ["opened"] + ["edited"] * 15


async def test_a_group_whose_answer_was_lost_is_not_saved_twice(
    postgres_database: postgres.Database,
) -> None:
    url = postgres_database.service_url
    async with wire_to(url) as wire, started(PostgresStore(wire.url(url))) as store:
        async with desk(store) as ann:
            draft = await ann.open({"list": []})
            for number in range(1, 4):
                wire.cut = "answer"
                item = Edit(changes=[put("/list/-", number, "add")])
                answers = await together(
                    *(ann.run(draft, DRAFTS.edit, item, origin()) for _ in "12")
                )
                assert [a.version for a in answers] == [2 * number, 2 * number + 1]
        assert await held(store, draft) == {"list": [1, 1, 2, 2, 3, 3]}
        assert len(await log_of(store, draft)) == 7


async def test_a_group_that_the_old_connection_saves_late_is_not_saved_twice(
    postgres_database: postgres.Database,
) -> None:
    """The server is still waiting for the lock with the first attempt when the second begins."""
    url = postgres_database.service_url
    async with wire_to(url) as wire, started(PostgresStore(wire.url(url))) as store:
        async with desk(store) as ann:
            draft = await ann.open({"list": []})
            async with await psycopg.AsyncConnection.connect(
                postgres_database.owner_url
            ) as another_writer:
                await another_writer.execute("SELECT pg_advisory_xact_lock(8602217)")
                wire.cut = "hearing"
                item = Edit(changes=[put("/list/-", 1, "add")])
                saving = asyncio.create_task(ann.run(draft, DRAFTS.edit, item, origin()))
                await asyncio.sleep(0.5)
            assert (await saving).version == 2
        assert await held(store, draft) == {"list": [1]}


async def test_a_group_that_the_server_hears_of_after_it_was_saved_anew_is_not_saved_twice(
    postgres_database: postgres.Database,
) -> None:
    url = postgres_database.service_url
    async with wire_to(url) as wire, started(PostgresStore(wire.url(url))) as store:
        async with desk(store) as ann:
            draft = await ann.open({"list": []})
            wire.cut = "late"
            item = Edit(changes=[put("/list/-", 1, "add")])
            assert (await ann.run(draft, DRAFTS.edit, item, origin())).version == 2
            await asyncio.sleep(0.7)  # by now the server has heard of the first attempt
            assert (await ann.run(draft, DRAFTS.edit, item, origin())).version == 3
        assert await held(store, draft) == {"list": [1, 1]}


async def test_while_the_database_is_away_saves_are_refused_and_then_go_on(
    postgres_server: postgres.Server, postgres_database: postgres.Database
) -> None:
    superuser = postgres_server.url(postgres.SUPERUSER, "postgres")
    name, url = postgres_database.name, postgres_database.service_url
    async with started(PostgresStore(url)) as store, desk(store) as ann:
        draft = await ann.open({"n": 0})
        async with await psycopg.AsyncConnection.connect(superuser, autocommit=True) as above:
            await above.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await above.execute(KILL_ALL, (name,))
            answers = await together(*(ann.edit(draft, {f"f{n}": n}) for n in range(3)))
            assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
            with pytest.raises(StoreUnavailable):
                await ann.edit(draft, {"n": 1})
            await above.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        saved = await until_saved(ann, draft, {"n": 2}, origin(device="mac", seq=1, digest="d"))
        assert saved == 2
        assert await until_read(store, draft) == {"n": 2}


KILL_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
KILL_THE_WRITER = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = %s AND (query LIKE '%%save_group%%' OR query LIKE '%%pg_advisory%%')"
    "AND pid <> pg_backend_pid()"
)


async def test_every_save_is_there_once_although_the_writers_connection_dies_and_dies(
    postgres_server: postgres.Server, postgres_database: postgres.Database
) -> None:
    ending, kills, url = asyncio.Event(), 0, postgres_database.service_url
    acknowledged: dict[tuple[str, int], int] = {}

    async def keep_killing() -> None:
        nonlocal kills
        superuser = postgres_server.url(postgres.SUPERUSER, "postgres")
        async with await psycopg.AsyncConnection.connect(superuser, autocommit=True) as above:
            while not ending.is_set():
                cursor = await above.execute(KILL_THE_WRITER, (postgres_database.name,))
                kills += len(await cursor.fetchall())
                await asyncio.sleep(0.005)

    async def keep_saving(ann: Desk, draft: UUID, device: str) -> None:
        for seq in range(1, 61):
            asked = origin(device=device, seq=seq, digest=f"{device} {seq}")
            acknowledged[device, seq] = await until_saved(ann, draft, {device: seq}, asked)

    async with started(PostgresStore(url)) as store, desk(store) as ann:
        drafts = [await ann.open({"n": 0}) for _ in range(2)]
        killer = asyncio.create_task(keep_killing())
        devices = [f"device {n}" for n in range(8)]
        await asyncio.gather(
            *(keep_saving(ann, drafts[n % 2], device) for n, device in enumerate(devices))
        )
        ending.set()
        await killer
        assert kills > 5
        recorded: dict[Any, int] = {}
        for draft in drafts:
            events = [record.event() for record in await log_of(store, draft)]
            assert [e.originator_version for e in events] == list(range(1, len(events) + 1))
            assert len(events) == 1 + 4 * 60
            recorded |= {(e.device, e.seq): e.originator_version for e in events[1:]}
        assert recorded == acknowledged


async def until_saved(ann: Desk, draft: UUID, values: dict[str, Any], asked: Origin) -> int:
    """The version of a save that is sent again, under its number, until it is answered."""
    while True:
        try:
            answer = await ann.writer.run(draft, lambda d: DRAFTS.edit(d, fields(values), asked))
        except (StoreUnavailable, Busy):
            await asyncio.sleep(0.01)
            continue
        assert isinstance(answer, Receipt | Repeated)
        return answer.version


async def until_read(store: Store, draft: UUID) -> Any:
    """A draft's data, as soon as the store has found its way back."""
    while True:
        try:
            return await held(store, draft)
        except StoreUnavailable:
            await asyncio.sleep(0.01)

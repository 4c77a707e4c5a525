"""Heavy thinking: beside the loop, for the version that it was about, and for no other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from api.thinking import ATTEMPTS, Thinking
from domain.draft import RECENT, Draft
from domain.effort import MANY_MEMBERS, MANY_VERSIONS, MUCH_TEXT, is_heavy
from domain.errors import CannotApply
from domain.receipts import Answer, Receipt
from projections.store.base import Store
from tests.domain.scenes import DRAFTS, fields, opened, origin, put, set_to
from tests.projections.histories import Desk, desk, log_of, states_of

Always = Callable[[Draft], bool]


@pytest.fixture
async def ann(store: Store) -> AsyncIterator[Desk]:
    async with desk(store) as at_work:
        yield at_work


@pytest.fixture
def thinking(ann: Desk) -> Thinking:
    return Thinking(ann.writer)


def heavy(_: Draft) -> bool:
    return True


async def data_of(store: Store, draft: object) -> list[dict[str, object]]:
    return [state.data for state in states_of(await log_of(store, draft))]  # type: ignore[arg-type]


async def test_what_is_thought_through_beside_the_loop_is_recorded_as_ever(
    store: Store, ann: Desk, thinking: Thinking
) -> None:
    draft = await ann.open({"fee": 1})
    threads: list[str] = []

    def edit(d: Draft) -> Answer:
        threads.append(threading.current_thread().name)
        return DRAFTS.edit(d, fields({"fee": 2}), origin())

    answer = await thinking.run(draft, edit, is_heavy=heavy)
    assert isinstance(answer, Receipt)
    assert (answer.version, answer.recorded) == (2, True)
    assert threads == [threads[0]]
    assert threads[0].startswith("variorum thinking")
    assert await data_of(store, draft) == [{"fee": 1}, {"fee": 2}]


async def test_a_light_command_stays_on_the_loop(ann: Desk, thinking: Thinking) -> None:
    draft = await ann.open({"fee": 1})

    def edit(d: Draft) -> Answer:
        assert threading.current_thread() is threading.main_thread()
        return DRAFTS.edit(d, fields({"fee": 2}), origin())

    await thinking.run(draft, edit, is_heavy=lambda _: False)


async def test_a_draft_that_moved_on_is_thought_about_again(
    store: Store, ann: Desk, thinking: Thinking
) -> None:
    draft = await ann.open({"fee": 1, "n": 0})
    seen: list[int] = []
    go_on = threading.Event()

    def edit(d: Draft) -> Answer:
        seen.append(d.version)
        assert go_on.wait(10)
        return DRAFTS.edit(d, fields({"fee": 2}, based_on=1), origin(device="ipad"))

    thought = asyncio.create_task(thinking.run(draft, edit, is_heavy=heavy))
    while not seen:  # noqa: ASYNC110 - another thread says so
        await asyncio.sleep(0.001)
    await ann.edit(draft, {"n": 1}, origin(device="mac"))
    go_on.set()
    answer = await thought
    assert isinstance(answer, Receipt)
    assert (seen, answer.merged) == ([1, 2], True)
    assert (await data_of(store, draft))[-1] == {"fee": 2, "n": 1}


async def test_a_draft_that_never_rests_gets_its_edit_all_the_same(
    store: Store, ann: Desk, thinking: Thinking
) -> None:
    draft = await ann.open({"fee": 1, "n": 0})
    loop, tries = asyncio.get_running_loop(), []

    def edit(d: Draft) -> Answer:
        tries.append(d.version)
        if threading.current_thread() is not threading.main_thread():
            saving = ann.edit(draft, {"n": len(tries)}, origin(device="mac"))
            asyncio.run_coroutine_threadsafe(saving, loop).result(10)
        return DRAFTS.edit(d, fields({"fee": 2}, based_on=1), origin(device="ipad"))

    await thinking.run(draft, edit, is_heavy=heavy)
    assert len(tries) == ATTEMPTS + 1
    assert (await data_of(store, draft))[-1] == {"fee": 2, "n": ATTEMPTS}


async def test_a_base_that_nobody_remembers_is_asked_from_the_store(
    store: Store, ann: Desk, thinking: Thinking
) -> None:
    draft = await ann.open({"fee": 1, "n": 0})
    await ann.edits(draft, [{"n": n} for n in range(1, 3 * RECENT)])
    late = fields({"fee": 2}, based_on=1)
    answer = await thinking.run(
        draft, lambda d: DRAFTS.edit(d, late, origin(device="ipad")), is_heavy=heavy
    )
    assert isinstance(answer, Receipt)
    assert answer.merged
    assert (await data_of(store, draft))[-1] == {"fee": 2, "n": 3 * RECENT - 1}


async def test_what_is_refused_there_changes_nothing(
    store: Store, ann: Desk, thinking: Thinking
) -> None:
    draft = await ann.open({"fee": 1})
    wrong = fields({"fee": 2})
    wrong = type(wrong)(changes=[put("/nowhere", 1)])
    with pytest.raises(CannotApply):
        await thinking.run(draft, lambda d: DRAFTS.edit(d, wrong, origin()), is_heavy=heavy)
    assert await data_of(store, draft) == [{"fee": 1}]


def test_what_takes_long_is_seen_before_it_is_done() -> None:
    small, large = opened({"fee": 1}), opened({"n": list(range(MANY_MEMBERS))})
    large._version = 5
    text = "word " * (MUCH_TEXT // 4)
    assert not is_heavy(small, fields({"fee": 2}))
    assert not is_heavy(small, set_to({"fee": 2}, 1))
    assert not is_heavy(large, fields({"fee": 2}))
    assert is_heavy(small, fields({"note": text}))
    assert is_heavy(small, set_to({"notes": [{"text": text}]}, 1))
    assert is_heavy(large, fields({"fee": 2}, based_on=4))
    assert is_heavy(large, set_to({"n": []}, 5))
    assert is_heavy(large, type(fields({}))(changes=[put(f"/n/{n}", 0) for n in range(60)]))
    small._version = MANY_VERSIONS + 2
    assert is_heavy(small, fields({"fee": 2}, based_on=1))

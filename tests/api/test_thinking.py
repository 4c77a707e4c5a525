"""Heavy thinking: in a process of its own, for the version it was about, and for no other."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from api.thinking import ATTEMPTS, Thinking
from domain.asked import Edit
from domain.draft import RECENT, Draft
from domain.drafts import Drafts
from domain.effort import MANY_MEMBERS, MANY_VERSIONS, MUCH_TEXT, is_heavy, is_large
from domain.errors import CannotApply, Clash, DraftClosed, Fault, Invalid, VariorumError
from domain.receipts import Answer, Receipt
from projections.store.base import Store
from tests.domain.scenes import DRAFTS, fields, opened, origin, put, set_to
from tests.projections.histories import Desk, desk, log_of, states_of


@pytest.fixture
async def ann(store: Store) -> AsyncIterator[Desk]:
    async with desk(store) as at_work:
        yield at_work


@pytest.fixture
def thinking(ann: Desk) -> Iterator[Thinking]:
    thinking = Thinking(ann.writer, DRAFTS)
    yield thinking
    thinking.stop()


def heavy(_: Draft) -> bool:
    return True


def light(_: Draft) -> bool:
    return False


def noted(drafts: Drafts, draft: Draft, place: Path, edit: Edit) -> Answer:
    """An edit that leaves word of the process that decided on it, and at which version."""
    with place.open("a") as file:
        file.write(f"{os.getpid()} {draft.version}\n")
    return drafts.edit(draft, edit, origin(device="ipad"))


def waiting(drafts: Drafts, draft: Draft, place: Path, edit: Edit) -> Answer:
    """The same, once somebody has given the word for this version."""
    answer = noted(drafts, draft, place, edit)
    word = word_for(place, draft.version - 1)
    while not word.exists():
        time.sleep(0.005)
    return answer


def word_for(place: Path, version: int) -> Path:
    return place.with_name(f"go-{version}")


async def thought_about(place: Path, version: int) -> None:
    """Wait until a version is being thought about."""
    async with asyncio.timeout(60):
        while version not in [noted for _, noted in notes(place)]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def dying(drafts: Drafts, draft: Draft, edit: Edit, parent: int) -> Answer:
    """An edit whose process is killed before it has decided."""
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return drafts.edit(draft, edit, origin())


def notes(place: Path) -> list[list[int]]:
    lines = place.read_text().splitlines() if place.exists() else []
    return [[int(word) for word in line.split()] for line in lines]


async def data_of(store: Store, draft: UUID) -> list[object]:
    return [state.data for state in states_of(await log_of(store, draft))]


async def test_what_is_thought_through_elsewhere_is_recorded_as_ever(
    store: Store, ann: Desk, thinking: Thinking, tmp_path: Path
) -> None:
    draft, place = await ann.open({"fee": 1}), tmp_path / "notes"
    for kind, fee in ((light, 2), (heavy, 3)):
        command = partial(noted, place=place, edit=fields({"fee": fee}))
        answer = await thinking.run(draft, command, is_heavy=kind)
        assert isinstance(answer, Receipt)
        assert (answer.version, answer.recorded) == (fee, True)
    here, there = notes(place)
    assert here == [os.getpid(), 1]
    assert there[0] != os.getpid()
    assert await data_of(store, draft) == [{"fee": 1}, {"fee": 2}, {"fee": 3}]


async def test_a_draft_that_moved_on_is_thought_about_again(
    store: Store, ann: Desk, thinking: Thinking, tmp_path: Path
) -> None:
    draft, place = await ann.open({"fee": 1, "n": 0}), tmp_path / "notes"
    command = partial(waiting, place=place, edit=fields({"fee": 2}, based_on=1))
    word_for(place, 2).touch()
    thought = asyncio.create_task(thinking.run(draft, command, is_heavy=heavy))
    await thought_about(place, 1)
    await ann.edit(draft, {"n": 1}, origin(device="mac"))
    word_for(place, 1).touch()
    answer = await thought
    assert isinstance(answer, Receipt)
    assert [version for _, version in notes(place)] == [1, 2]
    assert answer.merged
    assert (await data_of(store, draft))[-1] == {"fee": 2, "n": 1}


async def test_a_draft_that_never_rests_gets_its_edit_all_the_same(
    store: Store, ann: Desk, thinking: Thinking, tmp_path: Path
) -> None:
    draft, place = await ann.open({"fee": 1, "n": 0}), tmp_path / "notes"
    command = partial(waiting, place=place, edit=fields({"fee": 2}, based_on=1))
    word_for(place, ATTEMPTS + 1).touch()
    thought = asyncio.create_task(thinking.run(draft, command, is_heavy=heavy))
    for version in range(1, ATTEMPTS + 1):
        await thought_about(place, version)
        await ann.edit(draft, {"n": version}, origin(device="mac"))
        word_for(place, version).touch()
    await thought
    assert notes(place)[-1] == [os.getpid(), ATTEMPTS + 1]
    assert (await data_of(store, draft))[-1] == {"fee": 2, "n": ATTEMPTS}


async def test_a_base_that_nobody_remembers_is_asked_from_the_store(
    store: Store, ann: Desk, thinking: Thinking
) -> None:
    draft = await ann.open({"fee": 1, "n": 0})
    await ann.edits(draft, [{"n": n} for n in range(1, 3 * RECENT)])
    late = fields({"fee": 2}, based_on=1)
    command = partial(Drafts.edit, edit=late, origin=origin(device="ipad"))
    answer = await thinking.run(draft, command, is_heavy=heavy)
    assert isinstance(answer, Receipt)
    assert answer.merged
    assert (await data_of(store, draft))[-1] == {"fee": 2, "n": 3 * RECENT - 1}


async def test_what_is_refused_there_is_refused_here_and_changes_nothing(
    store: Store, ann: Desk, thinking: Thinking
) -> None:
    draft = await ann.open({"fee": 1})
    wrong = Edit(changes=[put("/nowhere", 1)])
    command = partial(Drafts.edit, edit=wrong, origin=origin())
    with pytest.raises(CannotApply) as refused:
        await thinking.run(draft, command, is_heavy=heavy)
    assert (refused.value.index, refused.value.path) == (0, "/nowhere")
    assert await data_of(store, draft) == [{"fee": 1}]


async def test_when_the_process_is_killed_the_edit_is_decided_here(
    store: Store, ann: Desk, thinking: Thinking
) -> None:
    draft = await ann.open({"fee": 1})
    command = partial(dying, edit=fields({"fee": 2}), parent=os.getpid())
    await thinking.run(draft, command, is_heavy=heavy)
    command = partial(Drafts.edit, edit=fields({"fee": 3}), origin=origin())
    await thinking.run(draft, command, is_heavy=heavy)
    assert (await data_of(store, draft))[-1] == {"fee": 3}


@pytest.mark.parametrize(
    "error",
    [
        CannotApply("no", index=2, path="/a"),
        Clash([{"paths": ["/fee"]}]),
        DraftClosed("submitted"),
        Invalid([Fault("/a", "No.")]),
    ],
)
def test_an_error_is_the_same_in_another_process(error: VariorumError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_what_takes_long_is_seen_before_it_is_done() -> None:
    small, large = opened({"fee": 1}), opened({"n": list(range(MANY_MEMBERS))})
    small._version = large._version = 5
    text = "word " * (MUCH_TEXT // 4)
    assert (is_large(small), is_large(large), is_large(opened({"t": [text]}))) == (
        False,
        True,
        True,
    )
    assert not is_heavy(small, fields({"fee": 2}))
    assert not is_heavy(small, set_to({"fee": 2}, 5))
    assert not is_heavy(large, fields({"fee": 2}))
    assert is_heavy(small, fields({"note": text}, based_on=4))
    assert is_heavy(small, set_to({"notes": [{"text": text}]}, 4))
    assert is_heavy(large, fields({"fee": 2}, based_on=4))
    assert is_heavy(large, set_to({"n": []}, 5))
    assert is_heavy(large, Edit(changes=[put(f"/n/{n}", 0) for n in range(60)]))
    small._version = MANY_VERSIONS + 2
    assert is_heavy(small, fields({"fee": 2}, based_on=1))


def test_a_long_text_takes_long_only_if_much_of_it_is_new() -> None:
    text, other = "word " * MUCH_TEXT, "drow " * MUCH_TEXT
    draft = opened({"note": text, "notes": [{"text": text}]})
    more = text[:MUCH_TEXT] + "and more" + text[MUCH_TEXT:]
    for new, heavy in ((text, False), (more, False), (text[:7], False), (other, True)):
        note = {"note": new}
        assert is_heavy(draft, fields(note)) == heavy
        assert is_heavy(draft, set_to({**note, "notes": []})) == heavy
        assert is_heavy(draft, set_to({"notes": [{"text": new}]})) == heavy
        assert is_heavy(draft, Edit(merge_patch=note)) == heavy
        assert is_heavy(draft, Edit(changes=[put("/notes/0/text", new)])) == heavy
    assert not is_heavy(draft, fields({"another": other}))  # there is nothing to compare it with
    assert not is_heavy(draft, Edit(changes=[put("no pointer", other)]))  # which will be refused
    draft._version = 2
    assert is_heavy(draft, fields({"note": more}, based_on=1))

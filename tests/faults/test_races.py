"""Two processes on one PostgreSQL save to the same drafts: nothing lost, doubled or untrue."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.beginning import Beginning
from api.people import People
from api.schemas import Opening
from domain.asked import Edit
from domain.choices import Choice
from domain.conflict import Conflict
from domain.draft import Draft
from domain.errors import (
    Busy,
    Clash,
    ConflictClosed,
    DraftClosed,
    Invalid,
    SlotTaken,
    VariorumError,
)
from domain.event import DataEvent, DraftEvent
from domain.origin import Origin
from domain.receipts import Earlier, Receipt, Repeated
from domain.value import Data, same
from projections.catch_up import CatchUp
from projections.store.base import Store
from projections.store.postgres import PostgresStore
from tests import postgres
from tests.domain.scenes import ANN, DRAFTS, fields, origin, put
from tests.domain.syncing import received
from tests.projections.histories import (
    EVERY_VERSION,
    Desk,
    desk,
    lines,
    log_of,
    page,
    started,
    states_of,
)


@pytest.fixture
async def desks(postgres_database: postgres.Database) -> AsyncIterator[list[Desk]]:
    """Two processes' writers, each with a store of its own."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            store = PostgresStore(postgres_database.service_url)
            await stack.enter_async_context(started(store))
            made.append(await stack.enter_async_context(desk(store)))
        await made[0].store.people.new_key("ann", ANN)
        yield made


@dataclass
class Told:
    """What somebody asked, and what was answered."""

    device: str | None
    draft: UUID
    asked: Any
    seq: int | None
    answer: Any


@dataclass
class Crowd:
    """People who save to a few drafts through any process, and remember every answer."""

    desks: list[Desk]
    drafts: list[UUID]
    seed: int
    told: list[Told] = field(default_factory=list)
    forks: dict[UUID, UUID] = field(default_factory=dict)
    conflicts: dict[UUID, Sequence[Conflict]] = field(default_factory=dict)  # as told last

    async def work(self, people: int, saves: int) -> None:
        await asyncio.gather(*(self._one(n, saves) for n in range(people)))

    async def _one(self, number: int, saves: int) -> None:
        chance, device = random.Random(self.seed * 1000 + number), f"device {number}"
        seqs = dict.fromkeys(self.drafts, 0)
        for _ in range(saves):
            draft = chance.choice(self.drafts)
            await getattr(self, chance.choice(KINDS))(chance, device, draft, seqs)

    async def _save(self, chance: random.Random, device: str, draft: UUID, seqs: Any) -> None:
        """A new value of one's own field, numbered, and now and then sent twice."""
        seqs[draft] += 1
        value = f"{device} {seqs[draft]}"
        asked = origin(device=device, seq=seqs[draft], digest=value)
        for _ in range(chance.choice([1, 1, 1, 2])):
            await self._ask(chance, draft, fields({device: value}), asked)

    async def _repeat(self, chance: random.Random, device: str, draft: UUID, seqs: Any) -> None:
        """The last numbered save once more, by way of any process."""
        if seqs[draft]:
            value = f"{device} {seqs[draft]}"
            asked = origin(device=device, seq=seqs[draft], digest=value)
            await self._ask(chance, draft, fields({device: value}), asked)

    async def _contest(self, chance: random.Random, device: str, draft: UUID, _: Any) -> None:
        """A value of the field that everybody writes; often the one that is there already."""
        edit = fields({"shared": chance.randint(0, 2)})
        await self._ask(chance, draft, edit, origin(device=device))

    async def _based(self, chance: random.Random, device: str, draft: UUID, seqs: Any) -> None:
        """A value based on an old version, of the field that everybody writes: merged, or kept."""
        seqs[draft] += 1
        value = f"{device} {seqs[draft]}"
        edit = fields({"shared": value}, based_on=chance.randint(1, 3))
        asked = origin(device=device, seq=seqs[draft], digest=value)
        for _ in range(chance.choice([1, 1, 2])):
            await self._ask(chance, draft, edit, asked)

    async def _reject(self, chance: random.Random, device: str, draft: UUID, _: Any) -> None:
        """The same, but refused if it clashes."""
        edit = fields({"shared": chance.randint(0, 2)}, based_on=chance.randint(1, 3))
        await self._ask(chance, draft, replace(edit, on_conflict="reject"), origin(device=device))

    async def _resolve(self, chance: random.Random, device: str, draft: UUID, _: Any) -> None:
        """A decision on a conflict that may be closed by now, or have other entries."""
        for conflict in self.conflicts.get(draft, ())[:1]:
            entry = chance.choice(conflict["theirs"])["device"]
            choice = Choice(conflict["id"], "theirs", entry)
            if chance.random() < 0.4:
                choice = Choice(conflict["id"], chance.choice(["ours", "base"]))

            def decide(d: Draft, asked: Origin, choice: Choice = choice) -> Any:
                return DRAFTS.resolve(d, {"": choice}, asked)

            await self._ask(chance, draft, decide, origin(device=device))

    async def _merge(self, chance: random.Random, device: str, draft: UUID, _: Any) -> None:
        """A fork gets a value of the field that everybody writes, and is brought back."""
        at, fork = chance.choice(self.desks), self.forks[draft]
        await at.edit(fork, {"shared": f"fork {chance.randint(0, 9)}", device: "by fork"})
        while True:
            target, source = [states_of(await log_of(at.store, d)) for d in (draft, fork)]
            since = target[-1].merged_forks.get(str(fork), 1)
            known = {"fork": source[-1], "base": source[since - 1].data, "since": since}

            def merge(d: Draft, asked: Origin, known: Any = known) -> Any:
                return DRAFTS.merge(d, **known, origin=asked)

            if await self._ask(chance, draft, merge, origin(device=device), patient=False):
                return

    async def _close(self, chance: random.Random, device: str, draft: UUID, _: Any) -> None:
        """The draft goes to the trash and soon comes back."""
        await self._ask(chance, draft, DRAFTS.discard, origin(device=device))
        await asyncio.sleep(0.005)
        await self._ask(chance, draft, DRAFTS.recover, origin(device=device))

    async def _name(self, chance: random.Random, device: str, draft: UUID, _: Any) -> None:
        """One of the first versions gets a name."""
        version, label = chance.randint(1, 3), chance.choice("abc")

        def label_it(d: Draft, asked: Origin) -> Any:
            return DRAFTS.label(d, version, label, asked)

        await self._ask(chance, draft, label_it, origin(device=device))

    async def _ask(
        self,
        chance: random.Random,
        draft: UUID,
        what: Any,
        asked: Origin,
        *,
        patient: bool = True,
    ) -> bool:
        """Whether it was answered; who is not patient asks no busy draft again."""
        at = chance.choice(self.desks)
        while True:
            try:
                if isinstance(what, Edit):
                    answer: Any = await at.ask(draft, DRAFTS.edit, what, asked)
                else:
                    answer = await at.ask(draft, what, asked)
            except Busy:
                if not patient:
                    return False
                await asyncio.sleep(0.01)
                continue
            except VariorumError as refused:
                answer = refused
            break
        if isinstance(answer, Receipt):
            self.conflicts[draft] = answer.conflicts
        self.told.append(Told(asked.device, draft, what, asked.seq, answer))
        return True


KINDS = (
    *["_save"] * 8,
    *["_contest"] * 3,
    *["_based"] * 4,
    *["_resolve"] * 3,
    *["_repeat"] * 2,
    "_reject",
    "_merge",
    "_name",
    "_close",
)


async def check(store: Store, crowd: Crowd) -> None:
    """Every answer against the log."""
    for draft in crowd.drafts:
        records = await log_of(store, draft)
        assert [record.version for record in records] == list(range(1, len(records) + 1))
        events, states = [record.event() for record in records], states_of(records)
        told = [one for one in crowd.told if one.draft == draft]
        check_saves(events, told)
        check_receipts(events, states, told)
        check_refusals(states, told)
        assert [row[0] for row in lines(await store.versions(ANN, draft, EVERY_VERSION))] == list(
            range(len(records), 0, -1)
        )


def check_saves(events: list[DraftEvent], told: list[Told]) -> None:
    """Each numbered save that was acknowledged stands in the log once, as the version told."""
    recorded = [(e.device, e.seq) for e in events if e.seq is not None]
    assert len(recorded) == len(set(recorded))
    versions = {(e.device, e.seq): e.originator_version for e in events if e.seq is not None}
    acknowledged: dict[tuple[str | None, int | None], set[int]] = {}
    for one in told:
        if one.seq is not None and isinstance(one.answer, Receipt | Repeated):
            acknowledged.setdefault((one.device, one.seq), set()).add(one.answer.version)
    assert acknowledged == {place: {versions[place]} for place in versions}


def check_receipts(events: list[DraftEvent], states: list[Draft], told: list[Told]) -> None:
    """What a receipt says is so at the version that it names."""
    made = []
    for one in told:
        answer = one.answer
        assert not isinstance(answer, Earlier)
        if not isinstance(answer, Receipt):
            continue
        state, event = states[answer.version - 1], events[answer.version - 1]
        assert (answer.saved_at, answer.expires_at) == (state.modified_on, state.expires_at)
        assert answer.conflicts == state.conflicts
        if answer.recorded:
            made.append(answer.version)
            assert event.device == one.device
        if isinstance(one.asked, Edit):
            assert state.status == "open"
            assert not answer.recorded or isinstance(event, DataEvent)
            until = answer.version if answer.recorded else answer.version + 1
            sent = {**held(one, events, states, told, until), **dict(values_of(one.asked))}
            assert same(received(answer.changes, sent), state.data)
        elif answer.changes:
            assert same(received(answer.changes, states[answer.version - 2].data), state.data)
    assert sorted(made) == list(range(2, len(events) + 1))


def held(
    one: Told, events: list[DraftEvent], states: list[Draft], told: list[Told], until: int
) -> Data:
    """What a device held: the data at the base of its edit, and its own edits since as sent."""
    based_on = one.asked.based_on
    if based_on is None:
        return states[until - 2].data
    data = dict(states[based_on - 1].data)
    mine = {
        other.answer.version: other.asked
        for other in told
        if other.device == one.device and isinstance(other.asked, Edit)
        if isinstance(other.answer, Receipt) and other.answer.recorded
    }
    for version in range(based_on + 1, until):
        if version in mine and events[version - 1].act in ("edited", "merged"):
            data |= dict(values_of(mine[version]))
    return data


def check_refusals(states: list[Draft], told: list[Told]) -> None:
    """A draft was closed or contested at some time if somebody was told so."""
    for one in told:
        if isinstance(one.answer, DraftClosed):
            assert any(state.status == one.answer.draft_status for state in states)
        elif isinstance(one.answer, Clash):
            assert one.asked.on_conflict == "reject"
        elif isinstance(one.answer, VariorumError):
            assert isinstance(one.answer, ConflictClosed | Invalid)


def values_of(edit: Edit) -> list[tuple[str, Any]]:
    return [(change["path"][1:], change["value"]) for change in edit.changes or ()]


async def fork_of(at: Desk, source: Draft) -> UUID:
    new = uuid4()
    await at.writer.begin(new, lambda: DRAFTS.fork(source, origin(), new=new, role="owner"))
    return new


async def race(desks: list[Desk], seed: int, people: int, saves: int) -> None:
    """A crowd at work, and then everything that they were told."""
    drafts = [await desks[n % 2].open({"shared": 0, "n": n}) for n in range(3)]
    crowd = Crowd(desks, drafts, seed)
    for draft in drafts:
        (first,) = states_of(await log_of(desks[0].store, draft))
        crowd.forks[draft] = await fork_of(desks[0], first)
        for value in (1, 2, 0):
            await crowd._ask(random.Random(seed), draft, fields({"shared": value}), origin())
    await crowd.work(people, saves)
    store = desks[1].store
    await check(store, crowd)
    rows = {row["draft"]: row for row in await page(store)}
    for draft in drafts:
        last = states_of(await log_of(store, draft))[-1]
        told = (rows[draft]["version"], rows[draft]["status"], rows[draft]["saved_at"])
        assert told == (last.version, last.status, last.modified_on)


async def test_whatever_two_processes_save_at_once_every_answer_is_true(desks: list[Desk]) -> None:
    await race(desks, seed=1, people=12, saves=30)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 8))
async def test_whatever_many_save_for_long_every_answer_is_true(
    desks: list[Desk], seed: int
) -> None:
    await race(desks, seed, people=40, saves=100)


async def test_a_save_that_changes_nothing_is_answered_by_what_the_log_held(
    desks: list[Desk],
) -> None:
    """Both keep setting the same field to and fro; "nothing new" must have been so."""
    draft = await desks[0].open({"on": False})
    told: list[tuple[bool, Receipt]] = []

    async def toggle(at: Desk, seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(150):
            value = chance.random() < 0.5
            told.append((value, await at.edit(draft, {"on": value})))

    await asyncio.gather(*(toggle(desks[n % 2], n) for n in range(4)))
    states = states_of(await log_of(desks[0].store, draft))
    assert all(states[answer.version - 1].data == {"on": value} for value, answer in told)
    recorded = sorted(answer.version for _, answer in told if answer.recorded)
    assert recorded == list(range(2, len(states) + 1))
    assert len(recorded) < len(told)


async def test_items_put_into_one_list_by_both_are_all_there_once(desks: list[Desk]) -> None:
    draft = await desks[0].open({"list": []})

    async def add(at: Desk, name: str) -> None:
        for number in range(25):
            edit = Edit(changes=[put("/list/-", f"{name} {number}", "add")])
            await at.run(draft, DRAFTS.edit, edit, origin())

    names = [f"n{n}" for n in range(8)]
    await asyncio.gather(*(add(desks[n % 2], name) for n, name in enumerate(names)))
    held = states_of(await log_of(desks[1].store, draft))[-1].data["list"]
    assert sorted(held) == sorted(f"{name} {n}" for name in names for n in range(25))


# -- opening


async def test_a_slot_that_both_open_at_once_holds_one_draft(desks: list[Desk]) -> None:
    for round_ in range(10):
        answers = await asyncio.gather(
            *(at.open({"n": 0}, subject=f"{round_}", slot=True) for at in (*desks, *desks, *desks)),
            return_exceptions=True,
        )
        opened = [answer for answer in answers if isinstance(answer, UUID)]
        taken = [answer for answer in answers if isinstance(answer, SlotTaken)]
        assert (len(opened), len(taken)) == (1, 5)
        assert {answer.draft for answer in taken} == {str(opened[0])}
    assert await desks[0].store.log.count_drafts() == 10


async def test_whoever_opens_the_same_form_at_once_gets_the_same_draft(desks: list[Desk]) -> None:
    beginnings = [Beginning(at.store, at.writer, DRAFTS, People(at.store)) for at in desks]
    for round_ in range(10):
        wanted = Opening(form="gig", subject=f"{round_}", data={"title": "Jazz"})
        answers = await asyncio.gather(
            *(one.open(wanted, origin(device="mac")) for one in (*beginnings, *beginnings))
        )
        assert sorted(answer.status for answer in answers) == [200, 200, 200, 201]
    store = desks[0].store
    assert await store.log.count_drafts() == 10
    assert {row["version"] for row in await page(store)} == {1}


async def test_an_id_that_both_open_at_once_is_one_draft(desks: list[Desk]) -> None:
    for _ in range(10):
        new = uuid4()
        answers = await asyncio.gather(
            *(at.open({"n": n}, id=new) for n, at in enumerate((*desks, *desks))),
            return_exceptions=True,
        )
        assert sorted(type(a).__name__ for a in answers) == ["AlreadyBegun"] * 3 + ["UUID"]
        assert len(await log_of(desks[0].store, new)) == 1


async def test_two_catch_ups_beside_the_writers_end_level(desks: list[Desk]) -> None:
    catch_ups = [CatchUp(at.store) for at in desks]
    for catch_up in catch_ups:
        catch_up.start()
    await race(desks, seed=99, people=6, saves=15)
    for catch_up in catch_ups:
        await catch_up.rest_all(ANN)
        await catch_up.stop()
    assert list(await desks[0].store.read_models.unrested(9)) == []
    assert list(await desks[0].store.read_models.set_aside()) == []

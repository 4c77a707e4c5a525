"""Offline queues and repeated requests over HTTP: the first answer is the answer ever after."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from domain.asked import Edit
from domain.choices import Choice
from domain.errors import VariorumError
from domain.receipts import Receipt
from domain.value import same
from tests.api.calls import Blocking, Caller, Document, id_of, without
from tests.api.receiving import received
from tests.api.wire import as_answer, as_call, as_edit
from tests.domain.people import GIG, save, type_something
from tests.domain.scenes import ANN
from tests.domain.syncing import Device, Request, Restore, Snapshot, Undo
from tests.running import Clock

# See test_laws.py for both.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")
FEW = trying(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def written(chance: random.Random, name: str, seen: Snapshot, saves: int) -> Device:
    """A device with so many autosaves in its outbox."""
    device = Device(name, ANN, seen)
    for number in range(saves):
        device.type(*type_something(chance, device.live, f"{name}{number}z"))
        device.save()
    return device


def offline(name: str, saves: int) -> list[Document]:
    """A queue that a device wrote on the first version."""
    device = written(random.Random(name), name, Snapshot(1, GIG, ()), saves)
    return [as_edit(request) for request in device.outbox]


async def one_by_one(ann: Caller, draft: Document, edits: list[Document]) -> list[Document]:
    return [await ann.save(draft, **edit) for edit in edits]


async def broken_off(ann: Caller, draft: Document, edits: list[Document], version: int) -> None:
    """Send a queue whose answer never comes, because the line breaks at a version."""
    sending = asyncio.create_task(ann.sends(draft, *edits))
    for _ in range(100_000):
        await asyncio.sleep(0)  # reading alone would never let the sending go on
        if (await ann.draft(draft))["version"] >= version:
            break
    assert not sending.done()
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending


@pytest.mark.parametrize("saves", [100, pytest.param(500, marks=pytest.mark.long)])
async def test_a_queue_whose_answer_broke_off_equals_the_same_edits_one_by_one(
    ann: Caller, saves: int
) -> None:
    queue, meanwhile = offline("mac", saves), offline("ipad", 40)
    together, alone = [await ann.open(GIG, another=True) for _ in range(2)]
    for draft in (together, alone):
        await one_by_one(ann, draft, meanwhile)

    await broken_off(ann, together, queue, 50)
    results = await ann.sends(together, *queue)

    receipts = await one_by_one(ann, alone, queue)
    assert [without(one, "id") for one in results] == [without(one, "id") for one in receipts]
    held = [await ann.draft(draft) for draft in (together, alone)]
    assert without(held[0], "id") == without(held[1], "id")
    assert held[0]["conflicts"]
    assert await ann.sends(together, *queue) == results
    assert held[0] == await ann.draft(together)


async def test_a_queue_goes_on_with_what_the_last_part_of_it_left(ann: Caller) -> None:
    queue, meanwhile = offline("mac", 60), offline("ipad", 40)
    draft = await ann.open(GIG, another=True)
    await one_by_one(ann, draft, meanwhile[:20])
    first = await ann.sends(draft, *queue[:40])
    await one_by_one(ann, draft, meanwhile[20:])

    second = await ann.sends(draft, *queue[20:])

    assert second[:20] == first[20:]
    assert all(one["recorded"] for one in second)
    assert await ann.sends(draft, *queue) == [*first, *second[20:]]


async def test_what_is_refused_in_a_queue_leaves_the_others_as_they_are(ann: Caller) -> None:
    draft = await ann.open({**GIG, "n": 0}, another=True)
    await one_by_one(ann, draft, offline("ipad", 40))
    edits = [
        {"changes": [{"op": "replace", "path": "/n", "value": n}], "based_on": 1} for n in range(9)
    ]
    edits[4] = {"changes": [{"op": "remove", "path": "/nowhere"}], "based_on": 1}
    edits[6] = {"data": {"title": "mine"}, "based_on": 1, "on_conflict": "reject"}
    results = await ann.sends(
        draft, *({**edit, "device": "mac", "seq": seq} for seq, edit in enumerate(edits))
    )
    refused = {n: one["type"] for n, one in enumerate(results) if "type" in one}
    assert refused == {4: "/problems/cannot-apply", 6: "/problems/clash"}
    assert (await ann.data(draft))["n"] == 8


class Wire:
    """The service as devices see it: a request goes over HTTP, and so does its repetition."""

    def __init__(self, ann: Blocking, clock: Clock, draft: Document) -> None:
        self._ann, self._clock, self._draft = ann, clock, id_of(draft)
        self.first: dict[tuple[str, int], tuple[Request, bytes]] = {}

    def snapshot(self) -> Snapshot:
        held = self._ann.draft(self._draft)
        return Snapshot(held["version"], held["data"], held["conflicts"])

    def take(self, request: Request) -> Receipt | VariorumError:
        """The answer to a request, checked; what was recorded is kept for its repetitions."""
        self._clock.tick()
        before = self._ann.draft(self._draft)
        answer = self._send(request)
        place = (request.device, request.seq)
        if place in self.first:
            assert answer.content == self.first[place][1]
        elif answer.is_success and answer.json()["recorded"]:
            self.first[place] = (request, answer.content)
            self._must_be_true(answer.json(), request, before)
        return as_answer(answer)

    def _must_be_true(self, told: Document, request: Request, before: Document) -> None:
        held = self._ann.draft(self._draft)
        sent = request.sent if isinstance(request.what, Edit) else before["data"]
        assert same(received(told["changes"], sent), held["data"])
        assert (told["version"], told["conflicts"]) == (held["version"], held["conflicts"])

    def check_repetitions(self, chance: random.Random) -> None:
        """Every recorded request once more, in any order, is answered as it was first."""
        held = self._ann.draft(self._draft)
        for request, content in chance.sample(list(self.first.values()), len(self.first)):
            assert self._send(request).content == content
        assert self._ann.draft(self._draft) == held

    def _send(self, request: Request) -> httpx.Response:
        method, below, call = as_call(request)
        answer: httpx.Response = self._ann.asks(method, self._draft + below, **call)
        return answer


@FEW
@given(seed=st.integers(0, 2**16))
def test_devices_end_level_over_http_and_each_request_keeps_its_first_answer(
    blocking_ann: Blocking, clock: Clock, seed: int
) -> None:
    chance = random.Random(seed)
    wire = Wire(blocking_ann, clock, blocking_ann.open(GIG, another=True))
    devices = [Device(name, ANN, wire.snapshot()) for name in ("mac", "phone", "ipad")]
    for turn in range(12):
        device = chance.choice(devices)
        work(chance, device, turn)
        if chance.random() < 0.7:
            deliver(chance, wire, device)
    for device in (*devices, *devices):
        while device.outbox or device.typed:
            device.save()
            deliver(None, wire, device)
        device.look(wire.snapshot())
    assert all(same(device.live, wire.snapshot().data) for device in devices)
    wire.check_repetitions(chance)


def work(chance: random.Random, device: Device, turn: int) -> None:
    """Some autosaves, or, if nothing is unsent, a restore, an undo or a decision."""
    if not device.outbox and not device.typed and chance.random() < 0.4:
        wishes: list[Any] = [Restore(chance.randint(1, device.based_on))]
        if device.based_on > 1:
            first = chance.randint(2, device.based_on)
            wishes.append(Undo(first, chance.randint(first, device.based_on)))
        for conflict in device.conflicts:
            wanted = chance.choice(conflict["theirs"])["device"]
            wishes += [Choice(conflict["id"], "theirs", wanted), Choice(conflict["id"], "base")]
        device.ask(chance.choice(wishes))
        return
    for number in range(chance.randint(1, 3)):
        device.type(*type_something(chance, device.live, f"{device.name}{turn * 10 + number}z"))
        save(chance, device)


def deliver(chance: random.Random | None, wire: Wire, device: Device) -> None:
    """Send what waits; now and then an answer is lost, and the rest waits too."""
    for request in list(device.outbox):
        answer = wire.take(request)
        if chance is not None and chance.random() < 0.2:
            return
        device.answered(request, answer)
        if isinstance(answer, VariorumError):
            return
    device.look(wire.snapshot())

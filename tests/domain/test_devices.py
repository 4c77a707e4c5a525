"""Devices of several people, offline and online as it comes: all end level, nothing is lost."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from domain import diff
from domain.asked import Edit, Rules
from domain.choices import Choice
from domain.conflict import Conflict
from domain.draft import Draft
from domain.drafts import Drafts
from domain.errors import SeqReused, SeqSkipped, VariorumError
from domain.event import DataEvent
from domain.form import read_form
from domain.path import ABSENT, find, related
from domain.receipts import Receipt
from domain.value import Data, same
from tests.domain import prompts
from tests.domain.people import GIG, PLAIN, VALUES, save, some_paths, type_something
from tests.domain.prompts import NOTHING, Field
from tests.domain.scenes import ANN, BEN, DRAFTS, opened
from tests.domain.syncing import (
    Device,
    Request,
    Restore,
    Service,
    Undo,
    marks,
    received,
)

NAMES = {"mac": ANN, "phone": ANN, "ipad": BEN, "desk": BEN}

DEFINED = read_form(
    {
        "form": "gig",
        "fields": {
            "/acts": {"key": "id"},
            "/acts/*/name": {"merge": "text"},
            "/roles": {"merge": "set"},
            "/contact": {"merge": "atomic"},
        },
        "groups": [["/start", "/end"], ["/rows/*/what", "/rows/*/price"]],
    }
)

devices = st.integers(0, 3)
seeds = st.integers(0, 2**16)


class Devices(RuleBasedStateMachine):
    """Two people with two devices each, and every rule of the contract watched."""

    steps = 0
    drafts = DRAFTS

    def __init__(self) -> None:
        super().__init__()
        draft = opened(GIG)
        draft.members[BEN] = "editor"
        self.service = Service(draft, self.drafts)
        self.devices = [Device(n, by, self.service.snapshot()) for n, by in NAMES.items()]
        self.fields = {path: Field(find(GIG, path)) for path in PLAIN}
        self.delivered: list[Request] = []
        self.acknowledged: list[Request] = []
        self.words = 0

    # -- what people and the net do

    @rule(number=devices, seed=seeds, saves=st.integers(0, 4))
    def work(self, number: int, seed: int, saves: int) -> None:
        """Somebody types, with so many autosaves, each of which may arrive and be answered."""
        chance, device = random.Random(seed), self.devices[number]
        online = chance.random() < 0.6
        for _ in range(max(saves, 1)):
            for _ in range(chance.choice([1, 1, 2, 4])):
                self.words += 1
                device.type(*type_something(chance, device.live, f"{device.name}{self.words}z"))
            if saves:
                save(chance, device)
            if saves and online:
                arriving = device.outbox[: chance.choice([1, 9])]
                self.deliver(device, arriving, answered=chance.choice([0, 1, 9, 9]))

    @rule(number=devices, arrive=st.integers(1, 8), answered=st.integers(0, 8))
    def send(self, number: int, arrive: int, answered: int) -> None:
        """The first requests of the outbox arrive; of the answers maybe not all come back."""
        device = self.devices[number]
        self.deliver(device, device.outbox[:arrive], answered)
        device.look(self.service.snapshot())

    @rule(number=devices)
    def come_back(self, number: int) -> None:
        """A device is online again: it sends everything, and shows what the draft holds."""
        device = self.devices[number]
        self.deliver(device, device.outbox[:], len(device.outbox))
        device.look(self.service.snapshot())

    def deliver(self, device: Device, requests: list[Request], answered: int) -> None:
        answers = []
        for request in requests:
            answer = self.take(request)
            answers.append(answer)
            if isinstance(answer, VariorumError):  # the rest would go on from what was refused
                break
        for request, answer in list(zip(requests, answers, strict=False))[:answered]:
            if isinstance(answer, Receipt):
                self.acknowledged.append(request)
            device.answered(request, answer)

    @rule(seed=seeds)
    def arrive_once_more(self, seed: int) -> None:
        """The net delivers some old requests again, in any order."""
        held = {name: seq for name, (seq, *_) in self.service.draft.devices.items()}
        settled = [r for r in self.delivered if r.seq <= held.get(r.device, 0)]
        if settled:
            for request in random.Random(seed).choices(settled, k=3):
                before = len(self.service.states)
                answer = self.service.take(request)
                _, first = self.service.answers.get((request.device, request.seq), ("", None))
                assert answer == first or isinstance(answer, SeqReused | SeqSkipped)
                assert len(self.service.states) == before

    @rule(number=devices, seed=seeds, answered=st.integers(0, 1))
    def resolve(self, number: int, seed: int, answered: int) -> None:
        """Somebody decides on a conflict that the device shows."""
        chance, device = random.Random(seed), self.devices[number]
        self.come_back(number)
        if device.conflicts:
            conflict = chance.choice(list(device.conflicts))
            take: Any = chance.choice(["ours", "theirs", "theirs", "base", "value"])
            which = chance.choice(conflict["theirs"])["device"] if take == "theirs" else None
            value = chance.choice(VALUES) if take == "value" else ABSENT
            if conflict["paths"][0] in PLAIN or take != "value":
                self.command(device, Choice(conflict["id"], take, which, value), answered)

    @rule(number=devices, seed=seeds, answered=st.integers(0, 1))
    def restore(self, number: int, seed: int, answered: int) -> None:
        chance = random.Random(seed)
        self.come_back(number)
        version = chance.randint(1, self.service.draft.version)
        self.command(self.devices[number], Restore(version, some_paths(chance)), answered)

    @rule(number=devices, seed=seeds, answered=st.integers(0, 1))
    def undo(self, number: int, seed: int, answered: int) -> None:
        chance = random.Random(seed)
        self.come_back(number)
        if (last := self.service.draft.version) > 1:
            first = chance.randint(max(2, last - 5), last)
            run = Undo(first, chance.randint(first, last), some_paths(chance))
            self.command(self.devices[number], run, answered)

    def command(self, device: Device, what: Any, answered: int) -> None:
        """Such a request goes out alone: nothing of the device's is unsent."""
        if not device.outbox and not device.typed:
            device.ask(what)
            self.deliver(device, device.outbox[:1], answered)

    # -- what must hold after each request

    def take(self, request: Request) -> Receipt | VariorumError:
        """The service's answer, checked."""
        before = self.service.draft.copy()
        new = (request.device, request.seq) not in self.service.answers
        answer = self.service.take(request)
        self.delivered.append(request)
        if isinstance(answer, Receipt) and new:
            now = self.service.draft
            must_lead_to_the_data(request, answer, before, now)
            if isinstance(request.what, Edit):
                assert request.what.based_on is not None
                seen = self.service.state(request.what.based_on)
                must_keep_what_is_typed(request, seen, before, now)
            if isinstance(request.what, Choice):
                must_be_chosen(request.what, before, now)
            if answer.recorded:
                must_be_sound(now)
                self.count(request)
                self.compare_fields()
        return answer

    def count(self, request: Request) -> None:
        """Let the fields know of the newest version."""
        what, version = request.what, self.service.draft.version
        for path, one in self.fields.items():
            if isinstance(what, Edit):
                base, sent = at(request.base, path), at(request.sent, path)
                assert what.based_on is not None
                one.edited(request.device, base, sent, what.based_on)
            elif isinstance(what, Choice):
                (closed,) = conflict_of(self.service.state(version - 1), what.id)
                if closed["paths"] == [path]:
                    one.resolved(at(self.service.draft.data, path))
            elif isinstance(what, Restore) and is_among(path, what.paths):
                one.put(one.past[what.version - 1][0])
            elif isinstance(what, Undo) and is_among(path, what.paths):
                one.undone(what.version, what.through)
            one.remember()

    def compare_fields(self) -> None:
        draft = self.service.draft
        for path, one in self.fields.items():
            assert prompts.same(at(draft.data, path), one.value), path
            held = [c for c in draft.conflicts if c["paths"] == [path]]
            wanted = {
                side["device"]: (side["values"].get(path, NOTHING), side["version"])
                for conflict in held
                for side in conflict["theirs"]
            }
            assert wanted == ({} if one.dispute is None else one.dispute.wanted), path
            bases = [conflict["base"].get(path, NOTHING) for conflict in held]
            assert repr(bases) == repr([] if one.dispute is None else [one.dispute.base]), path

    @invariant()
    def every_step_counts(self) -> None:
        Devices.steps += 1

    def teardown(self) -> None:
        """Everybody comes back, and sends what is left."""
        for _ in range(2):
            for device in self.devices:
                self.finish(device)
        assert all(same(device.live, self.service.draft.data) for device in self.devices)
        assert all(same(device.held, device.live) for device in self.devices)
        self.check_history()
        self.check_prompts()

    def finish(self, device: Device) -> None:
        while device.typed or device.outbox:
            device.save()
            self.deliver(device, device.outbox[:], len(device.outbox))
        device.look(self.service.snapshot())

    def check_history(self) -> None:
        """What was acknowledged stands in some event; and the events make the draft."""
        folded, stood = None, set[str]()
        for event in self.service.events():
            folded = event.mutate(folded)
            stood |= marks(folded.data, folded.conflicts)
        assert known(folded) == known(self.service.draft)
        edits = [r for r in self.acknowledged if isinstance(r.what, Edit)]
        assert set().union(*(marks(r.sent) - marks(r.base) for r in edits)) <= stood

    def check_prompts(self) -> None:
        ever: dict[str, str] = {
            conflict["id"]: conflict["paths"][0]
            for event in self.service.events()
            if isinstance(event, DataEvent)
            for conflict in event.conflicts or ()
        }
        asked = list(ever.values())
        for path, one in self.fields.items():
            assert asked.count(path) == one.prompts, path


class DefinedDevices(Devices):
    """The same with a form definition: merge groups, sets, atomic objects, texts of few words."""

    drafts = Drafts(Rules(), lambda _: DEFINED)


def at(data: Data, path: str) -> Any:
    value = find(data, path)
    return NOTHING if value is ABSENT else value


def is_among(path: str, paths: tuple[str, ...] | None) -> bool:
    return paths is None or any(related(path, other) for other in paths)


def known(draft: Draft | None) -> dict[str, Any]:
    aside = ("recent", "reach", "members", "_pending_events")
    return {k: v for k, v in vars(draft).items() if k not in aside}


def conflict_of(draft: Draft, id_: str) -> list[Any]:
    return [c for c in draft.conflicts if c["id"] == id_]


def must_lead_to_the_data(request: Request, answer: Receipt, before: Draft, now: Draft) -> None:
    """A receipt's changes, over the copy that was sent, are what the draft holds."""
    sent = request.sent if isinstance(request.what, Edit) else before.data
    assert same(received(answer.changes, sent), now.data)
    assert answer.conflicts == now.conflicts
    assert answer.version == now.version


def must_keep_what_is_typed(request: Request, seen: Draft, before: Draft, now: Draft) -> None:
    """What an edit puts in stands in the draft; what it does not know of stays there."""
    held = marks(now.data, [wanted(c) for c in now.conflicts])
    new, gone = marks(request.sent) - marks(request.base), marks(request.base) - marks(request.sent)
    assert not new - held
    kept = marks(before.data)
    for conflict in before.conflicts:
        if not writes_at(request, conflict["paths"]):
            kept |= marks(wanted(conflict))
            continue
        for side in conflict["theirs"]:
            if side["version"] > seen.version:
                own = marks(request.base) - marks(conflict["base"])
                kept |= marks(side) & own if side["device"] == request.device else marks(side)
    decided = [wanted(c) for c in seen.conflicts if writes_at(request, c["paths"])]
    assert not kept - gone - marks(decided) - held


def wanted(conflict: Conflict) -> list[Data]:
    """What the sides of a conflict want instead of ours."""
    return [side["values"] for side in conflict["theirs"]]


def writes_at(request: Request, paths: list[str]) -> bool:
    return any(not same(at(request.base, path), at(request.sent, path)) for path in paths)


def must_be_chosen(choice: Choice, before: Draft, now: Draft) -> None:
    """What was chosen stands at the conflict's paths, and nothing else changed."""
    (conflict,) = (c for c in before.conflicts if c["id"] == choice.id)
    if choice.take != "value":
        sides = {s["device"]: s["values"] for s in conflict["theirs"]}
        sides |= {"ours": conflict["ours"]["values"], "base": conflict["base"]}
        wanted = sides[choice.which if isinstance(choice.which, str) else choice.take]
        assert all(same(at(now.data, p), wanted.get(p, NOTHING)) for p in conflict["paths"])
    changed = [change["path"] for change in diff.diff(before.data, now.data)]
    assert all(any(related(path, p) for p in conflict["paths"]) for path in changed)
    left = {c["id"] for c in before.conflicts if not near(c["paths"], conflict["paths"])}
    assert left <= {c["id"] for c in now.conflicts}


def near(some: list[str], others: list[str]) -> bool:
    return any(related(one, other) for one in some for other in others)


def is_order(conflict: Conflict) -> bool:
    sides = [conflict["ours"], *conflict["theirs"]]
    return all([type(v) for v in side["values"].values()] == [list] for side in sides)


def must_be_sound(draft: Draft) -> None:
    """Each conflict is about paths of its own; the draft holds ours there, and all sides differ."""
    for conflict, other in combinations(draft.conflicts, 2):
        assert not set(conflict["paths"]) & set(other["paths"])
        order = is_order(conflict) or is_order(other)
        assert order or not near(conflict["paths"], other["paths"])
    for conflict in draft.conflicts:
        ours, sides = conflict["ours"]["values"], wanted(conflict)
        held = {path: at(draft.data, path) for path in conflict["paths"]}
        assert same(ours, {p: v for p, v in held.items() if v is not NOTHING})
        assert sides
        assert not any(same(one, other) for one, other in combinations([ours, *sides], 2))
        names = [side["device"] for side in conflict["theirs"]]
        assert len(names) == len(set(names))


FEW = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


kinds = pytest.mark.parametrize("kind", [Devices, DefinedDevices])


@kinds
def test_devices_end_level_and_lose_nothing(kind: type[Devices]) -> None:
    run_state_machine_as_test(kind, settings=FEW)


@pytest.mark.long
@kinds
def test_devices_end_level_and_lose_nothing_in_ten_thousand_steps(kind: type[Devices]) -> None:
    before = Devices.steps
    run_state_machine_as_test(kind, settings=settings(FEW, max_examples=1_500))
    assert Devices.steps - before >= 10_000

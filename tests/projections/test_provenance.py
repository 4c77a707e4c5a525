"""Who set each value last and who first wrote it: the walk agrees with a naive replay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import diff, events
from domain.asked import Edit, Step
from domain.choices import Choice
from domain.diff import Change
from domain.draft import Draft
from domain.event import Beginning, DataEvent, DraftEvent
from domain.path import as_index, child, find, parse, position, related
from domain.value import Data, Json, same
from projections.lineage import Held, Lineage
from projections.provenance import Lead, Sought, Walk, Writing, children, leaves, writing_of
from tests.domain.scenes import ANN, BEN, DRAFTS, EVE, fields, history, opened, origin, set_to
from tests.domain.strategies import LAWS, edited, forms

PEOPLE = (ANN, BEN, EVE)


def shared(data: Data) -> Draft:
    """Ann's draft, which Ben and Eve may edit."""
    draft = opened(data)
    draft.members |= {BEN: "editor", EVE: "editor"}
    return draft


# -- what is to be found


def walked(draft: Draft) -> dict[str, Sought]:
    """Every value that the draft holds by its path, as the walk answers it."""
    found = [Sought(*leaf) for leaf in leaves(draft.data, None)]
    walk, events = Walk(draft.id), history(draft)
    for sought in found:
        walk.seek(Lead(draft.id, draft.version, sought, sought.path))
    while (start := walk.start) is not None:
        walk.begin(start, data_at(events, start))
        for event in reversed(events[:start]):
            if walk.start is not None or walk.done:
                break
            walk.take(event)
    assert walk.done
    return {sought.path: sought for sought in found}


def data_at(events: Sequence[DraftEvent], version: int) -> Data:
    """The form's values at a version, from the first event on."""
    data: Data = {}
    for event in events[:version]:
        if isinstance(event, Beginning):
            data = event.data or {}
        elif isinstance(event, DataEvent):
            data = diff.apply(event.changes, data)
    return data


def told(writing: Writing | None) -> tuple[int, str, str]:
    assert writing is not None
    return writing.version, writing.act, writing.by


# -- a naive replay: from the first version on, a mark at every place of every version


@dataclass
class Marked:
    """A place: who wrote it, who first wrote what it is, and what lies in it."""

    last: Writing
    first: Writing
    inner: Any = None


class Replay:
    """Goes forward and keeps the marks of each version."""

    def __init__(self, events: Sequence[DraftEvent]) -> None:
        self.data: list[Data] = [{}]
        self.marks: list[Any] = [None]
        for event in events:
            self._take(event)

    def _take(self, event: DraftEvent) -> None:
        data, marks = self.data[-1], deepcopy(self.marks[-1])
        if isinstance(event, Beginning):
            data = event.data or {}
            marks = _fresh(data, writing_of(event))
        elif isinstance(event, DataEvent):
            for change in event.changes:
                _write(marks, data, change, writing_of(event))
                data = diff.apply([change], data)
        self.data.append(data)
        self.marks.append(marks)
        if isinstance(event, events.Restored | events.Undone):
            self._trace(event, event.version - isinstance(event, events.Undone))

    def _trace(self, event: DraftEvent, version: int) -> None:
        """What was brought back was first written by whoever wrote it then."""
        then = {path: (value, mark) for path, value, mark in self.all(version)}
        for path, value, mark in self.all(-1):
            known = then.get(path)
            if mark.last == writing_of(event) and known and same(known[0], value):
                mark.first = known[1].first

    def all(self, version: int) -> Iterator[tuple[str, Json, Marked]]:
        """The values of a version, each with its mark."""
        if version != 0:
            yield from _all("", self.data[version], self.marks[version])


def _fresh(value: Json, writing: Writing) -> Marked:
    inner: Any = None
    if type(value) is dict:
        inner = {name: _fresh(one, writing) for name, one in value.items()}
    elif type(value) is list:
        inner = [_fresh(one, writing) for one in value]
    return Marked(writing, writing, inner)


def _write(marks: Marked, data: Json, change: Change, writing: Writing) -> None:
    *above, last = parse(change["path"])
    for token in above:
        at: Any = position(data, token) if type(data) is list else token
        marks, data = marks.inner[at], data[at]
    op, is_list = change["op"], type(data) is list
    if op == "move":
        marks.inner.insert(change["index"], marks.inner.pop(as_index(parse(change["from"])[-1])))
    elif op == "add":
        new = _fresh(change["after"], writing)
        if is_list:
            marks.inner.insert(change["index"] if "index" in change else as_index(last), new)
        else:
            marks.inner[last] = new
    else:
        at = position(data, last) if is_list else last
        if op == "remove":
            del marks.inner[at]
        else:
            marks.inner[at] = _fresh(change.get("after", ""), writing)
    if op in ("add", "remove"):  # that a list or object is empty was written by its last change
        marks.last = marks.first = writing


def _all(path: str, value: Json, marks: Marked) -> Iterator[tuple[str, Json, Marked]]:
    if not marks.inner:
        yield path, value, marks
        return
    for token, at, inner in children(value, None):
        yield from _all(child(path, token), inner, marks.inner[at])


# -- histories


@st.composite
def histories(draw: st.DrawFn) -> Draft:
    """Several people's edits, restores and undos of one form."""
    draft = shared(draw(forms(8)))
    for number in range(draw(st.integers(1, 8))):
        asked = origin(draw(st.sampled_from(PEOPLE)), number)
        kind = draw(st.sampled_from(["edit", "edit", "edit", "restore", "undo", "label"]))
        version = draw(st.integers(1, draft.version))
        then = data_at(history(draft), version)
        if kind == "edit":
            DRAFTS.edit(draft, set_to(draw(edited(draft.data))), asked)
        elif kind == "restore":
            DRAFTS.restore(draft, version, then, asked)
        elif kind == "undo":
            before = data_at(history(draft), version - 1)
            DRAFTS.undo(draft, Step(version, version, before, then), asked)
        else:
            DRAFTS.label(draft, version, f"{number}", asked)
    return draft


FEW, LONG = settings(LAWS, max_examples=25), settings(LAWS, max_examples=1_000)


@FEW
@given(histories())
def test_the_walk_answers_every_value_as_a_naive_replay_does(draft: Draft) -> None:
    check_blame(draft)


@pytest.mark.long
@LONG
@given(histories())
def test_the_walk_answers_a_thousand_histories_as_a_naive_replay_does(draft: Draft) -> None:
    check_blame(draft)


def check_blame(draft: Draft) -> None:
    """The answers are those of the replay, and every version that is blamed did write there."""
    events = history(draft)
    replayed = {path: mark for path, _, mark in Replay(events).all(-1)}
    found = walked(draft)
    assert found.keys() == replayed.keys()
    for path, sought in found.items():
        assert (sought.last, sought.first) == (replayed[path].last, replayed[path].first), path
        assert sought.last is not None
        event = events[sought.last.version - 1]
        if isinstance(event, DataEvent) and all(map(is_member, parse(path))):
            assert any(related(change["path"], path) for change in event.changes)


def is_member(token: str) -> bool:
    """Whether a token names no item of a list, which may have had another name at the time."""
    return not token.isdigit() and not token.startswith("id:")


@FEW
@given(histories(), st.data())
def test_a_lineage_has_each_value_once_from_when_it_came_until_it_went(
    draft: Draft, data: st.DataObject
) -> None:
    events = history(draft)
    paths = {path for n in range(len(events)) for path, _ in leaves(data_at(events, n + 1), None)}
    path = data.draw(st.sampled_from(sorted(paths)))
    expected: list[tuple[Json, int, int | None]] = []
    value: Json = find({}, "/nowhere")
    for event in events:
        now = find(data_at(events, event.originator_version), path)
        if not same(now, value):
            if expected and expected[-1][2] is None:
                expected[-1] = (*expected[-1][:2], event.originator_version)
            if now is not find({}, "/nowhere"):
                expected.append((now, event.originator_version, None))
            value = now
    found = lineage(draft, path)
    assert [
        (h.sought.value, h.since.version, h.until and h.until.version) for h in found
    ] == expected[::-1]


def lineage(draft: Draft, path: str) -> list[Held]:
    """Every value that a path had."""
    events, line = history(draft), Lineage(path)
    line.begin(draft.version, draft.data)
    for event in reversed(events):
        line.take(event)
    return line.held


# -- examples


def test_a_restored_value_names_who_restored_it_and_who_first_wrote_it() -> None:
    draft = shared({"fee": 100, "title": "Jazz"})
    DRAFTS.edit(draft, fields({"fee": 250}), origin(BEN))
    DRAFTS.edit(draft, fields({"fee": 300}), origin(EVE))
    DRAFTS.restore(draft, 2, {"fee": 250, "title": "Jazz"}, origin(ANN))
    DRAFTS.edit(draft, fields({"fee": 1}), origin(EVE))
    DRAFTS.restore(draft, 4, {"fee": 250, "title": "Jazz"}, origin(EVE))
    found = walked(draft)
    assert told(found["/fee"].last) == (6, "restored", EVE)
    assert told(found["/fee"].first) == (2, "edited", BEN)
    assert told(found["/title"].first) == (1, "opened", ANN)


def test_an_undone_change_gives_the_value_back_to_who_wrote_it() -> None:
    draft = shared({"fee": 100})
    DRAFTS.edit(draft, fields({"fee": 250}), origin(BEN))
    DRAFTS.undo(draft, Step(2, 2, {"fee": 100}, {"fee": 250}), origin(EVE))
    fee = walked(draft)["/fee"]
    assert (told(fee.last), told(fee.first)) == ((3, "undone", EVE), (1, "opened", ANN))


def test_a_value_that_is_typed_again_is_a_new_one() -> None:
    draft = shared({"fee": 100})
    DRAFTS.edit(draft, fields({"fee": 250}), origin(BEN))
    DRAFTS.edit(draft, fields({"fee": 100}), origin(EVE))
    assert told(walked(draft)["/fee"].first) == (3, "edited", EVE)


def test_items_are_followed_through_moves_and_lists_without_ids_through_insertions() -> None:
    acts = [{"id": "a", "fee": 1}, {"id": "b", "fee": 2}, {"id": "c", "fee": 3}]
    draft = shared({"acts": acts, "rows": ["x", "y"]})
    DRAFTS.edit(draft, set_to({"acts": acts[::-1], "rows": ["x", "y"]}), origin(BEN))
    DRAFTS.edit(draft, set_to({"acts": acts[::-1], "rows": ["new", "x", "y"]}), origin(EVE))
    found = walked(draft)
    assert {path: told(sought.last)[2] for path, sought in found.items()} == {
        "/acts/id:c/id": ANN,
        "/acts/id:c/fee": ANN,
        "/acts/id:b/id": ANN,
        "/acts/id:b/fee": ANN,
        "/acts/id:a/id": ANN,
        "/acts/id:a/fee": ANN,
        "/rows/0": EVE,
        "/rows/1": ANN,
        "/rows/2": ANN,
    }


@pytest.mark.parametrize(
    ("choice", "first"),
    [
        (Choice("c1", "theirs"), (3, "merged", EVE)),
        (Choice("c1", "base"), (1, "opened", ANN)),
        (Choice("c1", "value", value=7), (4, "resolved", ANN)),
    ],
)
def test_whoever_settles_a_conflict_sets_what_somebody_wrote(
    choice: Choice, first: tuple[int, str, str]
) -> None:
    draft = shared({"fee": 100})
    DRAFTS.edit(draft, fields({"fee": 250}, 1), origin(BEN, device="mac"))
    DRAFTS.edit(draft, fields({"fee": 300}, 1), origin(EVE, device="ipad"))
    DRAFTS.resolve(draft, {"": choice}, origin(ANN))
    fee = walked(draft)["/fee"]
    assert (told(fee.last), told(fee.first)) == ((4, "resolved", ANN), first)


def test_edits_of_a_queue_and_a_plain_step_blame_nobody_else() -> None:
    draft = shared({"fee": 100})
    DRAFTS.edit(draft, Edit(step="lineup"), origin(BEN))
    assert told(walked(draft)["/fee"].last) == (1, "opened", ANN)

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings

from domain import diff
from domain.errors import CannotApply
from domain.merge import ABSENT
from domain.path import find, related
from domain.restore import restore
from domain.undo import Undone, undo
from domain.value import Data, same
from tests.domain.strategies import edits


def check_laws(before: Data, after: Data, now: Data) -> None:
    kept = copy.deepcopy((before, after, now))
    check_fresh(before, after)
    undone = undo(before, after, now)
    check_outcomes(undone, before, now)
    check_the_rest_stays(undone, before, after, now)
    assert same([before, after, now], list(kept))


def check_fresh(before: Data, after: Data) -> None:
    """A step with nothing later is taken back whole; one that is taken back already, too."""
    for now in (after, before):
        undone = undo(before, after, now)
        assert same(undone.data, before)
        assert {outcome for _, outcome in undone.outcomes} <= {"undone"}


def check_outcomes(undone: Undone, before: Data, now: Data) -> None:
    moved = {c["path"] for c in diff.diff(now, before) if c["op"] == "move"}
    for path, outcome in undone.outcomes:
        found = find(undone.data, path)
        if outcome != "undone" and path not in moved and not inside_a_moved_list(path, moved):
            assert same(found, find(now, path)), (path, outcome)


def inside_a_moved_list(path: str, moved: set[str]) -> bool:
    return any(related(path, item) for item in moved)


def check_the_rest_stays(undone: Undone, before: Data, after: Data, now: Data) -> None:
    for name in {*before, *after, *now}:
        if same(before.get(name, ABSENT), after.get(name, ABSENT)):
            assert same(undone.data.get(name, ABSENT), now.get(name, ABSENT))
        elif same(after.get(name, ABSENT), now.get(name, ABSENT)):
            assert same(undone.data.get(name, ABSENT), before.get(name, ABSENT))


@given(edits(2))
@settings(max_examples=300, deadline=None)
def test_undoing_keeps_its_laws(three: tuple[Data, Data, Data]) -> None:
    check_laws(*three)


@given(edits(1))
@settings(max_examples=200, deadline=None)
def test_undoing_every_path_of_a_step_undoes_the_step(pair: tuple[Data, Data]) -> None:
    before, after = pair
    whole = undo(before, after, after)
    paths = [path for path, _ in whole.outcomes]
    if not any(c["op"] == "move" for c in diff.diff(before, after)):
        assert same(undo(before, after, after, paths).data, before)


@given(edits(1))
@settings(max_examples=200, deadline=None)
def test_restoring_brings_back_what_was_there(pair: tuple[Data, Data]) -> None:
    then, now = pair
    assert restore(now, then) is then
    assert same(restore(now, then, [f"/{diff.child('', n)[1:]}" for n in {*now, *then}]), then)
    for change in diff.diff(then, now):
        path = change["path"]
        if change["op"] != "move" and find(then, path) is not ABSENT and find(now, path) is not ABSENT:
            assert same(find(restore(now, then, [path]), path), find(then, path))


@pytest.mark.long
@given(edits(2))
@settings(max_examples=5_000, deadline=None)
def test_undoing_keeps_its_laws_thousands_of_times(three: tuple[Data, Data, Data]) -> None:
    check_laws(*three)

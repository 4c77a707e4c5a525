from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings

from domain import diff
from domain.identity import KEYS, ids_by
from domain.merge import ABSENT, Clash, Merged, merge
from domain.path import find, related
from domain.value import Data, same
from tests.domain.strategies import edits, forms


def check_laws(base: Data, ours: Data, theirs: Data) -> None:
    kept = copy.deepcopy((base, ours, theirs))
    merged = merge(base, ours, theirs)
    swapped = merge(base, theirs, ours)
    check_one_side(base, ours)
    check_labels(merged, swapped)
    check_nothing_lost(base, ours, theirs, merged)
    check_ids(merged.data, ours, theirs)
    assert same([base, ours, theirs], list(kept))


def check_one_side(base: Data, side: Data) -> None:
    assert same(merge(base, side, base).data, side)
    assert same(merge(base, base, side).data, side)
    assert same(merge(base, side, side).data, side)
    assert not merge(base, side, base).clashes + merge(base, side, side).clashes


def check_labels(merged: Merged, swapped: Merged) -> None:
    ours = {c.path: c for c in merged.clashes}
    theirs = {c.path: c for c in swapped.clashes}
    if not merged.clashes:
        assert not swapped.clashes
        assert same(merged.data, swapped.data)
    for change in diff.diff(merged.data, swapped.data):
        assert any(related(change["path"], path) for path in [*ours, *theirs])


def check_nothing_lost(base: Data, ours: Data, theirs: Data, merged: Merged) -> None:
    """A member changed on one side only is in the result."""
    for name in {*base, *ours, *theirs}:
        before, mine, its = (side.get(name, ABSENT) for side in (base, ours, theirs))
        if same(before, mine):
            assert same(merged.data.get(name, ABSENT), its)
        elif same(before, its):
            assert same(merged.data.get(name, ABSENT), mine)
    for clash in merged.clashes:
        assert not same(clash.ours, clash.theirs)
        assert same(find(merged.data, clash.path), clash.ours)


def check_ids(value: Any, ours: Any, theirs: Any) -> None:
    """A list whose items had ids of their own on both sides still has."""
    if type(value) is type(ours) is type(theirs) is dict:
        for name in value:
            if name in ours and name in theirs:
                check_ids(value[name], ours[name], theirs[name])
    if type(value) is type(ours) is type(theirs) is list:
        for key in KEYS:
            if ids_by(ours, key) is not None and ids_by(theirs, key) is not None:
                assert ids_by(value, key) is not None


@given(edits(2))
@settings(max_examples=300, deadline=None)
def test_merging_keeps_its_laws_for_edits_of_one_form(three: tuple[Data, Data, Data]) -> None:
    check_laws(*three)


@given(forms(8), forms(8), forms(8))
@settings(max_examples=150, deadline=None)
def test_merging_keeps_its_laws_for_any_forms(base: Data, ours: Data, theirs: Data) -> None:
    check_laws(base, ours, theirs)


@pytest.mark.long
@given(edits(2))
@settings(max_examples=5_000, deadline=None)
def test_merging_keeps_its_laws_for_thousands_of_edits(three: tuple[Data, Data, Data]) -> None:
    check_laws(*three)

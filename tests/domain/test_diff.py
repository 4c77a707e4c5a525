from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings

from domain import diff, text
from domain.errors import CannotApply
from domain.value import Data, same
from tests.domain.strategies import edits, forms


def check_laws(before: Data, after: Data) -> None:
    kept = copy.deepcopy((before, after))
    changes = diff.diff(before, after)
    back = diff.invert(changes)
    assert same(diff.apply(changes, before), after)
    assert same(diff.apply(back, after), before)
    assert diff.invert(back) == changes
    assert (changes == []) is same(before, after)
    assert same([before, after], list(kept))


@given(edits(1))
@settings(max_examples=300, deadline=None)
def test_changes_of_an_edit_lead_there_and_back(pair: tuple[Data, Data]) -> None:
    check_laws(*pair)


@given(forms(), forms())
@settings(max_examples=200, deadline=None)
def test_changes_between_any_two_forms_lead_there_and_back(before: Data, after: Data) -> None:
    check_laws(before, after)


@pytest.mark.long
@given(edits(1))
@settings(max_examples=5_000, deadline=None)
def test_changes_of_thousands_of_edits_lead_there_and_back(pair: tuple[Data, Data]) -> None:
    check_laws(*pair)


@given(forms())
@settings(max_examples=100, deadline=None)
def test_a_form_does_not_differ_from_its_copy(form: Data) -> None:
    turned = dict(reversed(copy.deepcopy(form).items()))
    assert diff.diff(form, turned) == []

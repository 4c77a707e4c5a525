from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given

from domain.value import (
    count_members,
    depth_of,
    find_fault,
    fingerprint,
    is_long_text,
    same,
)
from tests.domain.strategies import LAWS, values


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (True, 1, False),
        (False, 0, False),
        (1, 1.0, True),
        (0, -0.0, True),
        ("1", 1, False),
        (None, False, False),
        (None, 0, False),
        ({}, [], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": None}, {}, False),
        ([1, 2], [2, 1], False),
        ([[True]], [[1]], False),
        ({"a": [{"b": False}]}, {"a": [{"b": 0}]}, False),
        ("é", "e\u0301", False),
    ],
)
def test_values_are_the_same_if_their_canonical_forms_are(a: Any, b: Any, expected: bool) -> None:
    assert same(a, b) is same(b, a) is expected
    assert (fingerprint(a) == fingerprint(b)) is expected


@given(values(), values())
@LAWS
def test_a_fingerprint_stands_for_the_value(a: Any, b: Any) -> None:
    assert (fingerprint(a) == fingerprint(b)) is same(a, b)
    assert same(a, copy.deepcopy(a))


def test_a_value_is_the_same_after_a_round_trip_through_text() -> None:
    value = {"b": [1.5, True, None, {"é": "👩‍👧"}], "a": -0.0}
    assert same(json.loads(json.dumps(value)), value)


def test_a_text_is_long_over_200_characters_or_with_a_line_break() -> None:
    assert [is_long_text(t) for t in ("a" * 200, "a" * 201, "a\nb", "")] == [
        False,
        True,
        True,
        False,
    ]


def test_members_and_items_are_counted_at_every_depth() -> None:
    assert count_members({"a": [1, {"b": 2}], "c": {}}) == 5
    assert count_members("text") == count_members({}) == 0


def test_depth_counts_containers_in_one_another() -> None:
    nested: list[Any] = [None, {}, [[]], {"a": [{"b": 1}], "c": 2}]
    assert list(map(depth_of, nested)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"fee": 2**53}, "/fee"),
        ({"fee": -(2**53)}, "/fee"),
        ({"a": {"b": [0, float("inf")]}}, "/a/b/1"),
        ({"a": float("nan")}, "/a"),
        ({"a/b": "x\0"}, "/a~1b"),
        ({"a": ["ok", "\ud800"]}, "/a/1"),
        ({"a": {"b\0": 1}}, "/a"),
        ({"\udfff": 1}, ""),
        ({"a": {"b": {"c": {}}}}, "/a/b/c"),
        ({"a": [[[]]]}, "/a/0/0"),
    ],
)
def test_what_no_draft_may_hold_is_found_where_it_is(value: Any, pointer: str) -> None:
    found = find_fault(value, max_depth=3)
    assert found is not None
    assert found[0] == pointer
    assert found[1].encode()


def test_what_a_draft_may_hold_is_no_fault() -> None:
    value = {"n": 2**53 - 1, "f": 1e300, "t": "é👩‍👧\n", "b": True, "z": None, "l": [[1], {}]}
    assert find_fault(value, max_depth=3) is None


@given(values())
@LAWS
def test_a_fault_of_depth_is_found_exactly_beyond_the_limit(value: Any) -> None:
    assert find_fault(value, max_depth=depth_of(value)) is None
    if depth_of(value) > 1:
        assert find_fault(value, max_depth=depth_of(value) - 1) is not None

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import CannotApply
from domain.identity import Shared, own_ids, shared_ids
from domain.path import (
    ABSENT,
    canonical,
    child,
    declared_keys,
    find,
    get,
    join,
    parse,
    related,
)

FORM = {"acts": [{"id": "a5", "fee": 1}, {"id": 7, "tags": ["x", "y"]}], "a/b": {"": 0}, "id:1": 2}


@given(st.lists(st.text(), max_size=4))
def test_a_path_is_the_tokens_it_was_made_of(tokens: list[str]) -> None:
    assert parse(join(*tokens)) == tuple(tokens)


@pytest.mark.parametrize("path", ["acts", "~", "/a~", "/a~2b", " /a", "a/b"])
def test_what_is_no_pointer_is_refused(path: str) -> None:
    with pytest.raises(CannotApply):
        parse(path)


def test_an_empty_name_is_a_name() -> None:
    assert parse("/") == ("",)
    assert get(FORM, "/a~1b/") == 0
    assert child("", "") == "/"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", FORM),
        ("/acts/0/fee", 1),
        ("/acts/id:a5/fee", 1),
        ("/acts/id:7/tags/1", "y"),
        ("/id:1", 2),
    ],
)
def test_a_list_item_is_found_by_index_or_id_and_a_member_by_name(path: str, value: Any) -> None:
    assert get(FORM, path) == value


@pytest.mark.parametrize(
    "path",
    [
        "/no",
        "/acts/2",
        "/acts/-",
        "/acts/00",
        "/acts/-1",
        "/acts/1e0",
        "/acts/id:",
        "/acts/id:b",
        "/acts/٣",
        "/acts/" + "9" * 5000,
        "/id:1/x",
        "/acts/0/fee/0",
    ],
)
def test_nothing_is_absent_and_getting_it_is_refused(path: str) -> None:
    assert find(FORM, path) is ABSENT
    with pytest.raises(CannotApply):
        get(FORM, path)


def test_ids_are_compared_as_strings() -> None:
    items = [{"id": 1}, {"id": "2"}, {"id": 3.0}]
    assert [get(items, f"/id:{n}") for n in (1, 2, 3)] == items


@pytest.mark.parametrize(
    ("items", "key"),
    [
        ([], None),
        ([{"id": 1}, {"id": 2}], "id"),
        ([{"id": 1}, {"id": "1"}], None),
        ([{"id": 1}, {"id": 1.0}], None),
        ([{"id": 1}, {}], None),
        ([{"id": True}], None),
        ([{"id": ""}], None),
        ([{"id": None}], None),
        ([{"id": []}], None),
        ([{"id": 0}], "id"),
        ([{"key": "a", "id": 1}, {"key": "b"}], "key"),
        ([{"uuid": "u", "_key": 1}, {"uuid": "v", "_key": 2}], "_key"),
        ([{"id": 1}, "text"], None),
        (["id"], None),
        ([[1]], None),
        ([{"name": "a"}], None),
    ],
)
def test_a_list_has_a_key_if_it_gives_every_item_an_id_of_its_own(
    items: list[Any], key: str | None
) -> None:
    assert own_ids(items)[0] == key


def test_lists_share_a_key_only_if_an_id_means_the_same_item_under_every_key() -> None:
    assert shared_ids([{"key": "a", "id": 1}], [{"key": "b"}]) == Shared("key", [["a"], ["b"]])
    assert shared_ids([{"key": "a", "id": "b"}], [{"key": "b"}]) is None


def test_an_id_that_only_one_item_has_names_it_even_if_others_have_none() -> None:
    items = [{"id": 1}, {"name": "new"}, {"id": 2}, {"id": 2}]
    assert get(items, "/id:1") == {"id": 1}
    assert find(items, "/id:2") is ABSENT


def test_a_declared_key_goes_before_the_usual_ones_and_alone_where_it_names_every_item() -> None:
    keys = declared_keys({"/acts": "code", "/acts/*/shifts": "slot"})
    a, b = {"code": "a", "id": "b", "shifts": [{"slot": 1}]}, {"code": "b", "id": "c"}
    assert find({"acts": [a, b]}, "/acts/id:b", keys) == b
    assert find({"acts": [a, b]}, "/acts/id:c", keys) is ABSENT
    assert find({"acts": [a, {"id": "c"}]}, "/acts/id:c", keys) == {"id": "c"}
    assert get({"acts": [a, b]}, "/acts/id:a/shifts/id:1", keys) == {"slot": 1}
    assert canonical({"acts": [a, b]}, "/acts/0/shifts/0", keys) == "/acts/id:a/shifts/id:1"


def test_lists_of_which_only_some_have_the_declared_key_share_none() -> None:
    a, b = [{"id": 1, "code": "a"}], [{"id": 1}]
    assert shared_ids(a, a, declared="code") == Shared("code", [["a"], ["a"]])
    assert shared_ids(b, b, declared="code") == Shared("id", [["1"], ["1"]])
    assert shared_ids(a, b, declared="code") is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/acts/1/tags/0", "/acts/id:7/tags/0"),
        ("/acts/id:a5/fee", "/acts/id:a5/fee"),
        ("/acts/0", "/acts/id:a5"),
        ("/acts/9/fee", "/acts/9/fee"),
        ("/acts/-", "/acts/-"),
        ("/a~1b/", "/a~1b/"),
        ("", ""),
    ],
)
def test_a_canonical_path_names_list_items_by_id(path: str, expected: str) -> None:
    assert canonical(FORM, path) == expected


def test_paths_are_related_if_one_leads_to_the_other() -> None:
    assert related("/a", "/a/b")
    assert related("/a/b", "/a")
    assert related("", "/a")
    assert related("/a", "/a")
    assert not related("/a", "/ab")
    assert not related("/a/b", "/a/c")

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import CannotApply
from domain.patch import apply_operations, merge_patch, patch
from domain.path import declared_keys
from domain.value import Data, same
from tests.domain import rfc6902
from tests.domain.strategies import LAWS, forms, values

ACTS = {"acts": [{"id": "a", "fee": 1}, {"id": "b", "fee": 2}], "tags": ["x", "y"], "n": None}


def op(name: str, path: str, **members: Any) -> dict[str, Any]:
    """An operation; `from_` stands for the member `from`."""
    return {"op": name, "path": path} | {key.rstrip("_"): value for key, value in members.items()}


CASES: list[tuple[Data, list[dict[str, Any]], Data]] = [
    ({}, [op("add", "/a", value=1)], {"a": 1}),
    ({"a": 1}, [op("add", "/a", value=2)], {"a": 2}),
    ({}, [op("add", "/", value=1)], {"": 1}),
    ({"a/b": 1, "~": 2}, [op("remove", "/a~1b"), op("remove", "/~0")], {}),
    ({"~1": 1}, [op("replace", "/~01", value=2)], {"~1": 2}),
    ({"l": [1, 3]}, [op("add", "/l/1", value=2)], {"l": [1, 2, 3]}),
    ({"l": [1]}, [op("add", "/l/1", value=2), op("add", "/l/-", value=3)], {"l": [1, 2, 3]}),
    ({"l": [1, 2]}, [op("remove", "/l/0")], {"l": [2]}),
    ({"a": {"b": 1}}, [op("move", "/c", from_="/a/b")], {"a": {}, "c": 1}),
    ({"l": [1, 2, 3]}, [op("move", "/l/2", from_="/l/0")], {"l": [2, 3, 1]}),
    ({"a": 1}, [op("move", "/a", from_="/a")], {"a": 1}),
    (
        {"a": [1]},
        [op("copy", "/c", from_="/a"), op("add", "/c/1", value=2)],
        {"a": [1], "c": [1, 2]},
    ),
    ({"a": 1}, [op("test", "/a", value=1.0)], {"a": 1}),
    ({"0": "zero"}, [op("replace", "/0", value=1)], {"0": 1}),
    ({"a": 1}, [op("replace", "", value={"b": 2})], {"b": 2}),
    ({"a": 1}, [op("add", "/b", value=None, unknown="ignored")], {"a": 1, "b": None}),
    ({"id:a": 1}, [op("replace", "/id:a", value=2)], {"id:a": 2}),
    (
        {"l": [{"id": 1}, {"id": 2}]},
        [op("add", "/l/id:2/fee", value=5), op("remove", "/l/id:1")],
        {"l": [{"id": 2, "fee": 5}]},
    ),
    ({"l": []}, [op("add", "/l/id:7", value={"id": 7})], {"l": [{"id": 7}]}),
    ({"l": [{"id": 1}]}, [op("add", "/l/id:2", value={"id": 2})], {"l": [{"id": 1}, {"id": 2}]}),
    (
        {"l": [{"id": 1}, {"id": 2}]},
        [op("move", "/l/0", from_="/l/id:2")],
        {"l": [{"id": 2}, {"id": 1}]},
    ),
]

MISFITS = [
    [op("remove", "/no")],
    [op("replace", "/no", value=1)],
    [op("add", "/no/a", value=1)],
    [op("add", "/n/a", value=1)],
    [op("add", "/tags/3", value=1)],
    [op("add", "/tags/-1", value=1)],
    [op("add", "/tags/01", value=1)],
    [op("add", "/tags/x", value=1)],
    [op("remove", "/tags/-")],
    [op("remove", "/tags/2")],
    [op("replace", "/tags/2", value=1)],
    [op("replace", "/tags/1e0", value=1)],
    [op("test", "/tags/0", value="y")],
    [op("test", "/n", value=False)],
    [op("add", "/a")],
    [op("replace", "/n")],
    [op("test", "/n")],
    [op("move", "/a")],
    [op("copy", "/a", from_="/no")],
    [op("move", "/acts/0/x", from_="/acts")],
    [op("move", "/acts/id:a/x", from_="/acts/0")],
    [op("move", "/acts/0/x", from_="/acts/id:a")],
    [op("shout", "/n", value=1)],
    [{"op": ["add"], "path": "/n", "value": 1}],
    [{"op": "add", "path": None, "value": 1}],
    [{"op": "add", "value": 1}],
    [op("add", "n", value=1)],
    [op("remove", "")],
    [op("replace", "", value=[])],
    [op("add", "/acts/id:a", value={"id": "a"})],
    [op("add", "/acts/id:c", value={"id": "d"})],
    [op("add", "/acts/id:c", value="c")],
    [op("replace", "/acts/id:c", value={"id": "c"})],
    ["remove"],
]


@pytest.mark.parametrize(("form", "operations", "expected"), CASES)
def test_operations_do_what_rfc_6902_says(form: Data, operations: Any, expected: Data) -> None:
    kept = copy.deepcopy((form, operations))
    assert same(patch(form, operations), expected)
    assert (form, operations) == kept


@pytest.mark.parametrize("operations", MISFITS)
def test_an_operation_that_does_not_fit_is_named_and_changes_nothing(operations: Any) -> None:
    kept = copy.deepcopy(ACTS)
    with pytest.raises(CannotApply) as refused:
        patch(ACTS, [op("add", "/new", value=1), *operations])
    assert refused.value.index == 1
    assert kept == ACTS


def test_items_are_named_by_a_declared_key() -> None:
    keys = declared_keys({"/acts": "code"})
    form = {"acts": [{"code": n, "fee": 1} for n in range(20)]}
    operations = [
        op("replace", "/acts/id:7/fee", value=2),
        op("move", "/acts/0", from_="/acts/id:7"),
        op("remove", "/acts/id:19"),
        op("replace", "/acts/id:18/code", value="x"),
        op("add", "/acts/id:x/fee", value=3),
        op("add", "/acts/id:y", value={"code": "y"}),
    ]
    acts = patch(form, operations, keys)["acts"]
    assert acts[0] == {"code": 7, "fee": 2}
    assert acts[-2:] == [{"code": "x", "fee": 3}, {"code": "y"}]
    assert len(acts) == 20
    with pytest.raises(CannotApply):
        patch(form, [op("add", "/acts/id:7", value={"code": 7})], keys)
    with pytest.raises(CannotApply):
        patch(form, [op("move", "/acts/7/x", from_="/acts/id:7")], keys)


def test_the_path_in_the_error_is_the_path_as_written() -> None:
    with pytest.raises(CannotApply, match=r"Change 0 at '/acts/id:zz/fee'") as refused:
        patch(ACTS, [op("replace", "/acts/id:zz/fee", value=1)])
    assert refused.value.path == "/acts/id:zz/fee"


def test_a_copy_does_not_share_later_changes() -> None:
    form = {"a": {"b": [1]}}
    operations = [
        op("add", "/a/b/-", value=2),
        op("copy", "/c", from_="/a"),
        op("add", "/a/b/-", value=3),
        op("add", "/c/b/-", value=4),
    ]
    assert patch(form, operations) == {"a": {"b": [1, 2, 3]}, "c": {"b": [1, 2, 4]}}


def test_only_what_lies_on_the_path_is_copied() -> None:
    form: Data = {"a": {"b": {}}, "c": {"d": {}}}
    after = patch(form, [op("add", "/a/b/x", value=1)])
    assert after["c"] is form["c"]
    assert form["a"] == {"b": {}}


def test_the_root_may_be_any_value_where_it_is_no_form() -> None:
    assert apply_operations("foo", [op("replace", "", value="bar")]) == "bar"
    assert apply_operations([1], [op("add", "/-", value=2)]) == [1, 2]
    with pytest.raises(CannotApply):
        apply_operations("foo", [op("add", "/a", value=2)])


def test_many_operations_on_a_long_list_stay_fast() -> None:
    form: Data = {"l": [{"id": n} for n in range(5000)]}
    operations = [op("add", f"/l/id:{n}/v", value=n) for n in range(5000)]
    assert patch(form, operations)["l"][4999] == {"id": 4999, "v": 4999}


def test_the_runner_of_the_public_cases_tells_passes_from_failures() -> None:
    assert rfc6902.passes({"doc": [1], "patch": [op("remove", "/0")], "expected": []})
    assert rfc6902.passes({"doc": {}, "patch": [op("remove", "/0")], "error": "nothing there"})
    assert not rfc6902.passes({"doc": [1], "patch": [], "expected": []})
    assert not rfc6902.passes({"doc": [1], "patch": [], "error": "none"})


@pytest.mark.parametrize(
    ("form", "changes", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({"a": "foo"}, {"a": {"b": {"c": None}}}, {"a": {"b": {}}}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_what_rfc_7396_says(form: Data, changes: Data, expected: Data) -> None:
    kept = copy.deepcopy((form, changes))
    assert same(merge_patch(form, changes), expected)
    assert (form, changes) == kept


def test_a_merge_patch_of_a_form_is_an_object() -> None:
    with pytest.raises(CannotApply):
        merge_patch({}, ["c"])


operations = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": st.sampled_from(
            ["", "/", "/title", "/fee/0", "/fee/-", "/venue/id:1", "/title/fee"]
        ),
        "from": st.sampled_from(["/title", "/fee", "/fee/0", "/venue", "/venue/id:1"]),
        "value": values(2),
    }
)


@given(forms(), st.lists(operations, max_size=4))
@LAWS
def test_no_patch_ever_touches_its_input(form: Data, changes: list[dict[str, Any]]) -> None:
    kept = copy.deepcopy((form, changes))
    with suppress(CannotApply):
        patch(form, changes)
    assert same([form, changes], list(kept))

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given

from domain import diff
from domain.errors import CannotApply
from domain.form import read_form
from domain.identity import Keys
from domain.path import declared_keys
from domain.value import Data, same
from tests.domain.strategies import (
    LAWS,
    MANY,
    THOUSANDS,
    Defined,
    defined_edits,
    edits,
    forms,
    gig_edits,
)


def check_laws(before: Data, after: Data, keys: Keys | None = None) -> None:
    kept = copy.deepcopy((before, after))
    changes = diff.diff(before, after, keys)
    assert same(diff.apply(json.loads(json.dumps(changes)), before), after)
    back = diff.invert(changes)
    assert same(diff.apply(changes, before), after)
    assert same(diff.apply(back, after), before)
    assert diff.invert(back) == changes
    assert (changes == []) is same(before, after)
    assert same([before, after], list(kept))


@given(edits(1))
@LAWS
def test_changes_of_an_edit_lead_there_and_back(pair: tuple[Data, Data]) -> None:
    check_laws(*pair)


@given(forms(), forms())
@LAWS
def test_changes_between_any_two_forms_lead_there_and_back(before: Data, after: Data) -> None:
    check_laws(before, after)


@given(defined_edits(1) | gig_edits(1))
@LAWS
def test_changes_by_declared_keys_lead_there_and_back_on_their_own(case: Defined) -> None:
    check_laws(case.data[0], case.data[1], case.form.keys)


@pytest.mark.long
@given(defined_edits(1) | gig_edits(1))
@MANY
def test_changes_by_declared_keys_lead_there_and_back_thousands_of_times(case: Defined) -> None:
    check_laws(case.data[0], case.data[1], case.form.keys)


@pytest.mark.long
@given(edits(1))
@THOUSANDS
def test_changes_of_thousands_of_edits_lead_there_and_back(pair: tuple[Data, Data]) -> None:
    check_laws(*pair)


@given(forms())
@LAWS
def test_a_form_does_not_differ_from_its_copy(form: Data) -> None:
    turned = dict(reversed(copy.deepcopy(form).items()))
    assert diff.diff(form, turned) == []


def acts(*ids: Any) -> list[Data]:
    return [{"id": id_, "fee": 1} for id_ in ids]


def changed(before: Any, after: Any) -> list[Any]:
    """The changes of one member `x`."""
    check_laws({"x": before}, {"x": after})
    return list(diff.diff({"x": before}, {"x": after}))


def test_a_changed_member_is_replaced_with_both_values() -> None:
    assert changed(1, 2) == [{"op": "replace", "path": "/x", "before": 1, "after": 2}]


def test_new_and_removed_members_are_named_with_their_values() -> None:
    changes = diff.diff({"a/b": 1, "same": 0}, {"": 2, "same": 0})
    assert changes == [
        {"op": "remove", "path": "/a~1b", "before": 1},
        {"op": "add", "path": "/", "after": 2},
    ]


@pytest.mark.parametrize(("before", "after"), [(1, True), (0, False), (None, False), ("1", 1)])
def test_a_value_of_another_type_is_another_value(before: Any, after: Any) -> None:
    assert [change["op"] for change in changed(before, after)] == ["replace"]
    assert changed([before], [after])[0]["path"] == "/x/0"


@pytest.mark.parametrize(("before", "after"), [(1, 1.0), (0, -0.0), ([2], [2.0])])
def test_a_number_written_differently_is_no_change(before: Any, after: Any) -> None:
    assert diff.diff({"x": before}, {"x": after}) == []


def test_an_item_is_named_by_its_id_and_keeps_its_index_when_it_comes_or_goes() -> None:
    after = [{"id": "c", "fee": 1}, {"id": "a", "fee": 2}]
    assert changed(acts("a", "b"), after) == [
        {"op": "replace", "path": "/x/id:a/fee", "before": 1, "after": 2},
        {"op": "remove", "path": "/x/id:b", "before": {"id": "b", "fee": 1}, "index": 1},
        {"op": "add", "path": "/x/id:c", "after": {"id": "c", "fee": 1}, "index": 0},
    ]


CODE = declared_keys({"/acts": "code", "/acts/*/shifts": "slot"})


def test_a_change_by_a_declared_key_names_it_for_ever() -> None:
    before = {"acts": [{"code": "a", "shifts": [{"slot": 1}]}, {"code": "b"}]}
    after = {"acts": [{"code": "a", "shifts": [{"slot": 1, "on": True}]}]}
    changes = diff.diff(before, after, CODE)
    nested = {"/acts": "code", "/acts/id:a/shifts": "slot"}
    on = {"op": "add", "path": "/acts/id:a/shifts/id:1/on", "after": True, "keys": nested}
    gone = {"op": "remove", "path": "/acts/id:b", "before": {"code": "b"}, "index": 1}
    assert changes == [on, {**gone, "keys": {"/acts": "code"}}]
    assert diff.serve(changes, before) == changes
    assert diff.apply(changes, before) == after


def test_a_long_text_in_an_item_by_a_declared_key_is_served_whole() -> None:
    before, after = ({"acts": [{"code": "a", "t": f"one\n{n}"}]} for n in ("fee 100", "fee 250"))
    (shown,) = diff.serve(diff.diff(before, after, CODE), before)
    assert (shown["after"], shown["keys"]) == ("one\nfee 250", {"/acts": "code"})


def test_a_usual_key_is_not_named_in_a_change() -> None:
    before, after = ({"acts": [{"id": "a", "fee": n}]} for n in (1, 2))
    keys = read_form({"form": "gig", "fields": {"/acts": {"key": "id"}}}).keys
    assert keys is None
    assert "keys" not in diff.diff(before, after, CODE)[0]


def test_one_item_dragged_through_a_long_list_is_one_move() -> None:
    assert changed(acts(*range(9)), acts(8, *range(8))) == [
        {"op": "move", "path": "/x/id:8", "from": "/x/8", "index": 0}
    ]


def test_the_same_id_as_a_number_and_as_text_is_the_same_item() -> None:
    assert changed(acts(5), acts("5")) == [
        {"op": "replace", "path": "/x/id:5/id", "before": 5, "after": "5"}
    ]


def test_the_last_item_of_a_list_can_go_and_come_back() -> None:
    assert changed(acts("a"), [])[0]["op"] == "remove"
    assert changed([], acts("a"))[0]["path"] == "/x/id:a"


def test_a_list_with_doubled_ids_is_compared_by_position() -> None:
    changes = changed(acts("a", "a"), [{"id": "a", "fee": 1}, {"id": "a", "fee": 2}])
    assert changes == [{"op": "replace", "path": "/x/1/fee", "before": 1, "after": 2}]


def test_a_list_without_ids_is_compared_as_a_sequence() -> None:
    assert changed(["a", "b", "c"], ["b", "c", "d"]) == [
        {"op": "remove", "path": "/x/0", "before": "a"},
        {"op": "add", "path": "/x/2", "after": "d"},
    ]


def test_an_id_that_means_two_items_in_turn_still_leads_to_the_right_one() -> None:
    before = [{"key": "a", "id": "b"}, {"key": "b", "id": 1}, {"key": "c"}]
    after = [{"key": "a", "id": "b"}, {"key": "b", "id": 1, "v": 2}, {"key": "d"}]
    changed(before, after)


def test_a_list_that_changed_nearly_everywhere_is_replaced() -> None:
    changes = changed([f"a{n}" for n in range(300)], [f"b{n}" for n in range(300)])
    assert [change["op"] for change in changes] == ["replace"]


def test_a_long_text_changes_by_splices_and_a_short_one_as_a_whole() -> None:
    assert changed("a" * 300, "a" * 300 + "b") == [
        {"op": "text", "path": "/x", "splices": [[300, "", "b"]]}
    ]
    assert changed("one\ntwo words", "one\ntwo long words")[0]["op"] == "text"
    assert changed("short", "shorter")[0]["op"] == "replace"


def test_a_long_text_that_is_written_anew_is_replaced() -> None:
    assert changed("a" * 300, "")[0]["op"] == "replace"


def test_a_text_change_is_served_with_both_texts_and_segments() -> None:
    before, after = {"t": "one\nfee 100", "n": 1}, {"t": "one\nfee 250", "n": 2}
    assert diff.serve(diff.diff(before, after), before) == [
        {
            "op": "text",
            "path": "/t",
            "before": "one\nfee 100",
            "after": "one\nfee 250",
            "segments": [{"keep": "one\nfee "}, {"delete": "10"}, {"insert": "25"}, {"keep": "0"}],
        },
        {"op": "replace", "path": "/n", "before": 1, "after": 2},
    ]


def test_a_text_is_served_as_it_was_at_the_moment_of_its_change() -> None:
    before: Data = {"x": ["gone", "one\ntwo"]}
    after: Data = {"x": ["one\ntwo three"]}
    shown = diff.serve(diff.diff(before, after), before)
    assert diff.apply(diff.diff(before, after), before) == after
    assert all(change.get("after") != "gone" for change in shown)


@pytest.mark.parametrize(
    "change",
    [
        {"op": "replace", "path": "/n", "before": 2, "after": 3},
        {"op": "replace", "path": "/no", "before": 2, "after": 3},
        {"op": "remove", "path": "/n", "before": True},
        {"op": "add", "path": "/n", "after": 2},
        {"op": "add", "path": "/acts/id:a", "after": {"id": "a"}, "index": 0},
        {"op": "add", "path": "/acts/id:z", "after": {"id": "z"}, "index": 9},
        {"op": "remove", "path": "/acts/id:z", "before": {"id": "z"}, "index": 0},
        {"op": "move", "path": "/acts/id:a", "from": "/acts/1", "index": 0},
        {"op": "move", "path": "/acts/id:a", "from": "/acts/0", "index": 2},
        {"op": "move", "path": "/n/id:a", "from": "/n/0", "index": 0},
        {"op": "text", "path": "/t", "splices": [[0, "no", "yes"]]},
        {"op": "text", "path": "/n", "splices": []},
    ],
)
def test_a_change_that_does_not_fit_the_form_is_refused(change: Any) -> None:
    form = {"n": 1, "t": "text", "acts": acts("a", "b")}
    with pytest.raises(CannotApply) as refused:
        diff.apply([change], form)
    assert refused.value.path == change["path"]


def test_ten_thousand_items_are_compared_in_time() -> None:
    before = acts(*range(10_000))
    check_laws({"x": before}, {"x": [{**item, "fee": 2} for item in reversed(before)]})


def test_unchanged_parts_of_a_form_are_shared_not_copied() -> None:
    form = {"venue": {"city": "Ghent"}, "fee": 1}
    after = diff.apply([{"op": "replace", "path": "/fee", "before": 1, "after": 2}], form)
    assert after["venue"] is form["venue"]

"""What a form definition says of merging: by words, as sets, whole, by declared keys, in groups."""

from __future__ import annotations

from typing import Any

import pytest

from domain.clash import Clash, clash_at
from domain.form import Form, read_form
from domain.merge import Merged, merge
from domain.path import find
from domain.value import Data


def form(*groups: list[str], **fields: dict[str, Any]) -> Form:
    """A definition with rules for members by name; `acts__fee` stands for `/acts/*/fee`."""
    patterns = {f"/{name.replace('__', '/*/')}": rule for name, rule in fields.items()}
    return read_form({"form": "gig", "fields": patterns, "groups": groups})


def merged(base: Any, ours: Any, theirs: Any, rules: Form) -> Any:
    """The merged value of one member `x`, which must not clash, whichever side is ours."""
    sides = ({"x": base}, {"x": ours}, {"x": theirs})
    result = merge(*sides, rules)
    assert result == merge(sides[0], sides[2], sides[1], rules)
    assert result.clashes == ()
    return result.data["x"]


TEXT = form(x={"merge": "text"})
SET = form(x={"merge": "set"})
WHOLE = form(x={"merge": "atomic"})
CODE = form(x={"key": "code"})
DATES = form(["/start", "/end"])


def test_a_text_field_merges_by_words_however_short() -> None:
    assert merged("doors at nine", "Doors at nine", "doors at ten", TEXT) == "Doors at ten"
    ours, theirs = {"x": "doors at eight"}, {"x": "the doors at ten"}
    assert merge({"x": "doors at nine"}, ours, theirs, TEXT) == Merged(
        {"x": "the doors at eight"},
        (clash_at("/x", "the doors at nine", "the doors at eight", "the doors at ten"),),
    )


def test_a_field_that_is_not_declared_a_text_stays_whole_while_it_is_short() -> None:
    sides = {"y": "doors at nine"}, {"y": "Doors at nine"}, {"y": "doors at ten"}
    assert [clash.path for clash in merge(*sides, TEXT).clashes] == ["/y"]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "both"),
    [
        (["a", "b"], ["a", "b", "d"], ["a", "b", "c"], ["a", "b", "c", "d"]),
        (["a", "b", "c"], ["x", "b", "c"], ["y", "b", "c"], ["x", "y", "b", "c"]),
        (["a", "b"], ["a"], ["b"], []),
        (["a"], ["b"], ["b", "c"], ["b", "c"]),
        (["a", "b", "c"], ["c", "a", "b"], ["b", "a", "c"], ["b", "c", "a"]),
        ([{"n": 1}], [{"n": 1}, {"n": 2}], [{"n": 3}], [{"n": 2}, {"n": 3}]),
        ([1], [1, True], [1, 2.5], [1, 2.5, True]),
        ([1, 1], [1.0, 2], [3, 1, 1], [3, 1, 2]),
        (None, ["a", "a"], ["b"], ["a", "b"]),
    ],
)
def test_a_set_has_what_either_added_without_what_either_took_away(
    base: Any, ours: Any, theirs: Any, both: Any
) -> None:
    assert merged(base, ours, theirs, SET) == both


def test_a_set_that_is_no_list_on_one_side_clashes() -> None:
    sides = {"x": ["a"]}, {"x": "a, b"}, {"x": ["a", "c"]}
    assert merge(*sides, SET).clashes == (clash_at("/x", ["a"], "a, b", ["a", "c"]),)


def test_an_atomic_value_clashes_whole() -> None:
    base, ours, theirs = {"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 2}
    found = merge({"x": base}, {"x": ours}, {"x": theirs}, WHOLE)
    assert found == Merged({"x": ours}, (clash_at("/x", base, ours, theirs),))
    assert merged(base, ours, ours, WHOLE) == ours
    assert merged(base, ours, base, WHOLE) == ours


def shifts(*codes: Any, **fees: int) -> list[Data]:
    return [{"code": code, "fee": fees.get(str(code), 1)} for code in codes]


def test_a_declared_key_tells_items_apart() -> None:
    ours, theirs = shifts("c", "a", "b"), shifts("a", "b", "c", "d", c=5)
    assert merged(shifts("a", "b", "c"), ours, theirs, CODE) == shifts("c", "a", "b", "d", c=5)


def test_a_clash_in_an_item_is_named_by_its_declared_id() -> None:
    sides = [{"x": shifts("a", "b", b=fee)} for fee in (1, 2, 3)]
    found = merge(sides[0], sides[1], sides[2], CODE)
    assert found.clashes == (clash_at("/x/id:b/fee", 1, 2, 3),)
    assert find(found.data, "/x/id:b/fee", CODE.keys) == 2


def test_a_declared_key_goes_before_an_id() -> None:
    base = [{"code": "a", "id": 1}, {"code": "b", "id": 2}]
    ours = [{"code": "a", "id": 2}, {"code": "b", "id": 1}]
    theirs = [*base, {"code": "c", "id": 3}]
    assert merged(base, ours, theirs, CODE) == [*ours, theirs[-1]]


def test_where_the_declared_key_fails_the_usual_ones_hold() -> None:
    base = [{"id": 1, "code": "a", "fee": 1}, {"id": 2, "fee": 1}]
    ours = [{"id": 1, "code": "a", "fee": 2}, {"id": 2, "fee": 1}]
    theirs = [{"id": 2, "fee": 3}, {"id": 1, "code": "a", "fee": 1}]
    assert merged(base, ours, theirs, CODE) == [theirs[0], ours[0]]


def test_where_only_some_lists_have_the_declared_key_equal_content_counts() -> None:
    base = [{"id": 1, "code": "a"}, {"id": 2, "code": "b"}]
    ours, theirs = [*base, {"id": 3}], [{"id": 1, "code": "a", "fee": 1}, base[1]]
    assert merged(base, ours, theirs, CODE) == [theirs[0], base[1], {"id": 3}]


def test_what_went_by_another_id_is_found_again_by_the_declared_key_or_not_merged() -> None:
    base, ours, theirs = (
        [{"id": 1, "code": "a", "fee": 1}, {"id": 2}],
        [{"id": 1, "code": "a", "fee": 2}, {"id": 2}],
        [{"id": 1, "code": "a", "fee": 3}],
    )
    found = merge({"x": base}, {"x": ours}, {"x": theirs}, CODE)
    assert found.clashes == (clash_at("/x", base, ours, theirs),)


def test_where_an_id_would_mean_another_item_by_the_declared_key_places_count() -> None:
    base = [{"id": "b", "code": "a"}, {"id": "a"}]
    ours, theirs = [{"id": "b", "code": "a", "n": 1}, {"id": "a"}], [*base, {"id": "c"}]
    assert merged(base, ours, theirs, CODE) == [ours[0], base[1], theirs[2]]


def test_fields_that_one_side_changed_together_merge_with_all_others() -> None:
    base, ours = {"start": 1, "end": 2}, {"start": 3, "end": 4}
    theirs = {**base, "fee": 5}
    assert merge(base, ours, theirs, DATES) == Merged({**ours, "fee": 5})
    assert merge(base, ours, {"start": 3, "end": 2}, DATES) == Merged(ours)
    assert merge(base, ours, ours, DATES) == Merged(ours)


def test_fields_that_belong_together_clash_together() -> None:
    base, ours, theirs = (
        {"start": 1, "end": 2, "fee": 1},
        {"start": 3, "end": 2, "fee": 1},
        {"start": 1, "end": 4, "fee": 2},
    )
    values = [{"/start": side["start"], "/end": side["end"]} for side in (base, ours, theirs)]
    paths = ("/start", "/end")
    assert merge(base, ours, theirs, DATES) == Merged(
        {**ours, "fee": 2}, (Clash(paths, values[0], values[1], values[2], group=paths),)
    )


def test_a_clash_in_one_field_is_a_clash_of_its_group() -> None:
    base, ours, theirs = ({"start": n, "end": 0} for n in (1, 2, 3))
    (clash,) = merge(base, ours, {**theirs, "end": 4}, DATES).clashes
    assert clash.theirs == {"/start": 3, "/end": 4}
    (clash,) = merge(base, ours, theirs, DATES).clashes
    assert clash.paths == clash.group == ("/start", "/end")


def test_a_field_of_a_group_that_is_nowhere_is_only_named() -> None:
    (clash,) = merge({"start": 1}, {"start": 2}, {"start": 3}, DATES).clashes
    assert (clash.paths, clash.group) == (("/start",), ("/start", "/end"))


def test_a_field_of_a_group_that_ours_lacks_is_not_there_after_a_clash() -> None:
    found = merge({"end": 2}, {"end": 3}, {"start": 1, "end": 2}, DATES)
    assert found.data == {"end": 3}
    assert found.clashes[0].theirs == {"/start": 1, "/end": 2}


def test_a_group_in_a_list_is_one_for_each_item() -> None:
    rules = form(["/acts/*/from", "/acts/*/to"])
    base = {"acts": [{"id": "a", "from": 1, "to": 2}, {"id": "b", "from": 1, "to": 2}]}
    ours = {"acts": [{"id": "a", "from": 5, "to": 2}, {"id": "b", "from": 6, "to": 2}]}
    theirs = {"acts": [{"id": "a", "from": 1, "to": 7}, {"id": "b", "from": 1, "to": 2}]}
    found = merge(base, ours, theirs, rules)
    assert found.data == ours
    assert [clash.paths for clash in found.clashes] == [("/acts/id:a/from", "/acts/id:a/to")]


def test_a_group_over_several_objects_is_named_by_what_is_gone_above_a_field() -> None:
    rules = form(["/venue/city", "/date"])
    base = {"venue": {"city": "Ghent", "name": "Vooruit"}, "date": 1}
    ours, theirs = {**base, "date": 2}, {"date": 1}
    found = merge(base, ours, theirs, rules)
    assert found.data == ours
    assert found.clashes == (
        Clash(
            ("/venue", "/date"),
            {"/venue": base["venue"], "/date": 1},
            {"/venue": base["venue"], "/date": 2},
            {"/date": 1},
            group=("/venue/city", "/date"),
        ),
    )
    swapped = merge(base, theirs, ours, rules)
    assert swapped.data == {"date": 1}
    assert swapped.clashes[0].paths == ("/venue", "/date")


def test_a_group_takes_in_a_whole_value_that_clashes_above_one_of_its_fields() -> None:
    rules = read_form(
        {
            "form": "gig",
            "fields": {"/venue": {"merge": "atomic"}},
            "groups": [["/venue/city", "/date"]],
        }
    )
    base, ours, theirs = ({"venue": {"city": 1, "name": n}, "date": 1} for n in "abc")
    found = merge(base, ours, theirs, rules)
    assert [clash.paths for clash in found.clashes] == [("/venue", "/date")]


def test_a_list_in_a_group_is_taken_whole_when_an_item_of_it_clashes() -> None:
    rules = form(["/acts", "/total"])
    base, ours, theirs = (
        {"acts": [{"id": "a", "fee": n}, {"id": "b", "fee": 1}], "total": n + 1} for n in (1, 2, 3)
    )
    found = merge(base, ours, theirs, rules)
    assert found.data == ours
    assert [clash.paths for clash in found.clashes] == [("/acts", "/total")]
    assert found.clashes[0].theirs == {"/acts": theirs["acts"], "/total": 4}

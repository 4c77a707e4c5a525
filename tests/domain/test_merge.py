from __future__ import annotations

import random
import time
from typing import Any

import pytest

from domain.form import undefined
from domain.merge import ABSENT, Clash, clash_at, merge
from domain.value import Data
from tests.domain.laws import check_laws

ANY = undefined("any")


def merged(base: Any, ours: Any, theirs: Any) -> Any:
    """The merged value of one member `x`, which must not clash."""
    check_laws({"x": base}, {"x": ours}, {"x": theirs}, ANY)
    result = merge({"x": base}, {"x": ours}, {"x": theirs})
    assert result.clashes == ()
    return result.data["x"]


def clashes(base: Any, ours: Any, theirs: Any) -> tuple[Clash, ...]:
    """The clashes of one member `x`; whatever is ABSENT is not there."""
    sides = [{} if side is ABSENT else {"x": side} for side in (base, ours, theirs)]
    check_laws(sides[0], sides[1], sides[2], ANY)
    return merge(sides[0], sides[1], sides[2]).clashes


def acts(*ids: Any, **fees: int) -> list[Data]:
    return [{"id": id_, "fee": fees.get(str(id_), 1)} for id_ in ids]


def test_different_members_never_clash() -> None:
    ours, theirs = (
        {"fee": 2, "date": {"from": 1, "to": 3}},
        {"fee": 1, "date": {"from": 2, "to": 2}},
    )
    base = {"fee": 1, "date": {"from": 1, "to": 2}}
    assert merged(base, ours, theirs) == {"fee": 2, "date": {"from": 2, "to": 3}}


def test_the_same_change_on_both_sides_is_no_clash() -> None:
    assert merged(1, 2, 2.0) == 2
    assert merged(["a"], ["a", "b"], ["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        (1, 2, 3),
        (0, True, 1),
        ("", "nine", "ten"),
        (None, {"a": 1}, [1]),
        ("a", {"a": 1}, {"b": 1}),
        (ABSENT, 1, 2),
        (1, ABSENT, 2),
        ({"a": 1}, {"a": 2}, ABSENT),
    ],
)
def test_two_different_values_for_one_path_clash_and_ours_stands(
    base: Any, ours: Any, theirs: Any
) -> None:
    assert clashes(base, ours, theirs) == (clash_at("/x", base, ours, theirs),)


def test_new_objects_on_both_sides_are_merged_member_by_member() -> None:
    assert merged(None, {"city": "Ghent"}, {"name": "Vooruit"}) == {
        "city": "Ghent",
        "name": "Vooruit",
    }
    assert clashes(ABSENT, {"a": 1, "b": 1}, {"a": 2}) == (clash_at("/x/a", ABSENT, 1, 2),)


def test_a_reorder_and_an_edit_of_the_same_item_both_survive() -> None:
    assert merged(acts("a", "b", "c"), acts("c", "a", "b"), acts("a", "b", "c", c=5)) == acts(
        "c", "a", "b", c=5
    )


def test_items_that_both_sides_add_are_all_there_once_and_in_one_order() -> None:
    assert merged(acts("a"), acts("a", "x"), acts("a", "y")) == acts("a", "x", "y")
    assert merged(acts("a"), acts("x", "a"), acts("a", "y")) == acts("x", "a", "y")
    assert merged([], acts("x", "n"), acts("n", "y")) == acts("x", "n", "y")


def test_one_side_removes_an_item_and_the_other_edits_another() -> None:
    assert merged(acts("a", "b", "c"), acts("a", "c"), acts("a", "b", "c", c=5)) == acts(
        "a", "c", c=5
    )


def test_removing_an_item_that_the_other_side_edited_clashes_at_the_item() -> None:
    base, edited = acts("a", "b"), acts("a", "b", b=5)
    gone = clash_at("/x/id:b", base[1], ABSENT, edited[1])
    assert clashes(base, acts("a"), edited) == (gone,)
    assert clashes(base, edited, acts("a"))[0].ours == {"/x/id:b": edited[1]}


def test_two_sides_move_different_items() -> None:
    assert merged(acts(*"abcdef"), acts(*"bcdefa"), acts(*"fabcde")) == acts(*"fbcdea")


def test_an_item_moved_to_two_places_clashes_at_the_list_with_both_orders() -> None:
    base, ours, theirs = acts(*"abcdef"), acts(*"bcadef"), acts(*"bcdefa", c=5)
    result = merge({"x": base}, {"x": ours}, {"x": theirs})
    check_laws({"x": base}, {"x": ours}, {"x": theirs}, ANY)
    assert result.data == {"x": acts(*"bcadef", c=5)}
    assert result.clashes == (
        clash_at("/x", acts(*"abcdef", c=5), acts(*"bcadef", c=5), acts(*"bcdefa", c=5)),
    )


def test_items_that_both_sides_add_in_another_order_clash_and_the_base_has_none_of_them() -> None:
    assert clashes([], acts("a", "b"), acts("b", "a")) == (
        clash_at("/x", [], acts("a", "b"), acts("b", "a")),
    )


def test_ids_of_other_types_are_the_same_item() -> None:
    assert merged(acts(5), acts("5"), acts(5, 6)) == [{"id": "5", "fee": 1}, {"id": 6, "fee": 1}]


def test_tags_merge_as_a_sequence() -> None:
    assert merged(["a", "b", "c"], ["b", "c"], ["a", "b", "c", "d"]) == ["b", "c", "d"]
    assert merged(["a"], ["a", "x", "z"], ["a", "y", "z"]) == ["a", "x", "y", "z"]
    assert merged(["a", "b"], ["a", "b", "x"], ["x", "a", "b"]) == ["x", "a", "b"]
    assert merged([True], [True, 1], [True, False]) == [True, 1, False]


def test_tags_that_both_sides_replace_clash_and_what_does_not_is_merged() -> None:
    assert clashes(["a", "b", "c", "d"], ["x", "b", "c"], ["y", "b", "c", "d"]) == (
        clash_at("/x", ["a", "b", "c"], ["x", "b", "c"], ["y", "b", "c"]),
    )


def test_a_clash_never_takes_a_side_for_the_base_that_only_repeats_itself_less() -> None:
    assert clashes(["a", "a"], [], ["a"]) == (clash_at("/x", ["a", "a"], [], ["a"]),)


def test_rows_without_ids_merge_by_position() -> None:
    base = [{"a": 1, "b": 1}, {"a": 2, "b": 2}]
    ours = [{"a": 5, "b": 1}, {"a": 2, "b": 2}]
    theirs = [{"a": 1, "b": 6}, {"a": 2, "b": 7}]
    assert merged(base, ours, theirs) == [{"a": 5, "b": 6}, {"a": 2, "b": 7}]


def test_a_list_that_would_hold_an_id_twice_clashes_instead() -> None:
    base = [{"n": 1}, {"n": 2}]
    ours, theirs = [{"id": "a"}, *base], [*base, {"id": "a", "n": 3}]
    assert clashes(base, ours, theirs) == (clash_at("/x", base, ours, theirs),)


POEM = "The fee is 100.\nThe band plays at nine.\n"


def test_edits_of_different_words_of_a_long_text_both_survive() -> None:
    ours, theirs = POEM.replace("100", "250"), POEM.replace("nine", "ten")
    assert merged(POEM, ours, theirs) == POEM.replace("100", "250").replace("nine", "ten")
    assert merged(POEM, ours, POEM + "Doors at eight.") == ours + "Doors at eight."


def test_edits_of_the_same_word_clash_with_texts_that_differ_there_only() -> None:
    ours = POEM.replace("nine", "ten")
    theirs = POEM.replace("nine", "eight").replace("100", "250")
    assert clashes(POEM, ours, theirs) == (
        clash_at(
            "/x", *(POEM.replace("100", "250").replace("nine", n) for n in ("nine", "ten", "eight"))
        ),
    )


def test_two_edits_of_one_number_time_or_link_are_never_mixed() -> None:
    for base, ours, theirs in (("19:30", "19:45", "20:30"), ("a.b/c", "a.b/d", "e.b/c")):
        sides = [f"From {one}\non" for one in (base, ours, theirs)]
        assert clashes(sides[0], sides[1], sides[2]) == (clash_at("/x", *sides),)


def test_a_sentence_written_anew_clashes_as_it_was_written() -> None:
    base = "All about us:\nred wine, good jazz."
    ours, theirs = "All about us:\ncome hear many players.", base.replace("good", "loud")
    assert clashes(base, ours, theirs) == (clash_at("/x", base, ours, theirs),)


def test_words_in_one_line_merge_as_those_in_many() -> None:
    base = "The fee is 100. The band plays at nine. " * 20
    ours, theirs = base.replace("100", "90", 1), base[:-6] + "ten. "
    assert merged(base, ours, theirs) == ours[:-6] + "ten. "


def test_two_texts_added_at_one_place_clash() -> None:
    assert len(clashes(POEM, POEM + "one", POEM + "two")) == 1
    assert clashes("", "one\n", "two\n") == (clash_at("/x", "", "one\n", "two\n"),)


def test_a_text_beyond_the_ceiling_clashes_as_a_whole() -> None:
    base = "a b " * 100_000
    found = merge({"x": base}, {"x": f"x\n{base}y"}, {"x": f"{base}z\nz"})
    assert found.clashes == (clash_at("/x", base, f"x\n{base}y", f"{base}z\nz"),)


@pytest.mark.parametrize("sign", ["word ", "One. ", "a\n", "!?", "x"])
def test_a_megabyte_that_both_wrote_anew_clashes_in_time(sign: str) -> None:
    chance = random.Random(1)
    sides = ["".join(chance.choices([sign, "other ", "b"], k=250_000)) for _ in range(3)]
    began = time.process_time()
    found = merge({"x": sides[0]}, {"x": sides[1]}, {"x": sides[2]})
    assert time.process_time() - began < 3
    assert [clash.path for clash in found.clashes] == ["/x"]


def test_paths_of_clashes_are_escaped() -> None:
    assert merge({"a/b~": 1}, {"a/b~": 2}, {"a/b~": 3}).clashes[0].path == "/a~1b~0"


def test_ten_thousand_items_are_merged_in_time() -> None:
    base = acts(*range(10_000))
    ours, theirs = base[1:] + base[:1], [{**item, "fee": 2} for item in reversed(base)]
    result = merge({"x": base}, {"x": ours}, {"x": theirs})
    assert {item["fee"] for item in result.data["x"]} == {2}
    assert len(result.data["x"]) == 10_000


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        ([1, "a", None, {"id": 1}], [1, {"id": 1}, "a"], [[], 1, "a", None, {"id": 1, "n": 2}]),
        (acts("a", "a"), acts("a", "a", "b"), acts("a", "a", a=2)),
        (acts("a", None, True), acts(None, "a", True), acts("a", None, True, a=2)),
        (acts("a", {"x": 1}), acts("a", []), acts("b", {"x": 1})),
        ([{"id": 1}, {"key": 1}], [{"key": 1}, {"id": 1}], [{"id": 1, "key": 1}]),
        ({"a": 1}, [{"a": 1}], {"a": 2}),
        ([1], {"0": 1}, [2]),
        ("text\n", ["text\n"], "text\nmore"),
        (["a"] * 50, ["a"] * 49, ["a"] * 51),
        ([[["a"]]], [[["a", "b"]]], [[["c", "a"]]]),
    ],
)
def test_whatever_a_list_holds_the_merge_keeps_its_laws(base: Any, ours: Any, theirs: Any) -> None:
    check_laws({"x": base}, {"x": ours}, {"x": theirs}, ANY)


def test_ten_thousand_rows_without_ids_are_merged_in_time() -> None:
    chance = random.Random(1)
    sides = [[{"n": chance.randrange(50)} for _ in range(10_000)] for _ in range(3)]
    began = time.process_time()
    merge({"x": sides[0]}, {"x": sides[1]}, {"x": sides[2]})
    assert time.process_time() - began < 3

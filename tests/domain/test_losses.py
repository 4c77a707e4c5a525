"""What once was lost when devices clashed again and again; `test_devices.py` found it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.asked import Edit
from domain.choices import Choice
from tests.domain.scenes import ANN, BEN, DRAFTS, fields, origin, put, saved, set_to
from tests.domain.test_conflicts import ipad, mac, resolve, shared, step, values_of

LINES = [f"Line {number} says word{number} and no more.\n" for number in range(6)]
TEXT = "".join(LINES)


def test_a_second_clash_in_a_text_keeps_the_first_ones_words_in_the_entry() -> None:
    draft = shared({"note": TEXT})
    ours = TEXT.replace("word1", "mac1").replace("word4", "mac4")
    mac(draft, {"note": ours}, 1)
    first = TEXT.replace("word1", "ipad1")
    ipad(draft, {"note": first}, 1)
    second = first.replace("word4", "ipad4")
    ipad(draft, {"note": second}, 1)
    assert draft.data == {"note": ours}
    assert [values_of(c)["/note"][1:] for c in draft.conflicts] == [[ours, second]]


def test_a_device_that_comes_round_in_one_place_of_a_text_still_wants_the_other() -> None:
    draft = shared({"note": TEXT})
    ours = TEXT.replace("word1", "mac1").replace("word4", "mac4")
    mac(draft, {"note": ours}, 1)
    first = TEXT.replace("word1", "ipad1").replace("word4", "ipad4")
    ipad(draft, {"note": first}, 1)
    second = first.replace("ipad1", "mac1")
    ipad(draft, {"note": second}, 1)
    assert [values_of(c)["/note"][1:] for c in draft.conflicts] == [[ours, second]]


def test_a_clash_inside_an_item_without_an_id_is_about_the_list_as_places_do_not_last() -> None:
    beer, wine = {"what": "beer", "price": 3}, {"what": "wine", "price": 5}
    draft = shared({"rows": [beer, wine]})
    for device, price in (("mac", 4), ("ipad", 6)):
        edit = Edit(based_on=1, changes=[put("/rows/0/price", price), put("/rows/1/price", price)])
        DRAFTS.edit(draft, edit, origin(device=device))
    late = Edit(based_on=1, changes=[put("/rows/0", {"what": "water"}, "add")])
    DRAFTS.edit(draft, late, origin(device="desk"))
    (conflict,) = draft.conflicts
    assert [[row.get("price") for row in side] for side in values_of(conflict)["/rows"]] == [
        [None, 3, 5],
        [None, 4, 4],
        [None, 6, 6],
    ]
    resolve(draft, Choice("c1", "theirs"))
    water = {"what": "water"}
    assert draft.data["rows"] == [water, {**beer, "price": 6}, {**wine, "price": 6}]


def test_words_elsewhere_in_a_text_do_not_decide_on_the_span_in_dispute() -> None:
    draft = shared({"note": TEXT})
    ours, theirs = TEXT.replace("word1", "mac1"), TEXT.replace("word1", "ipad1")
    mac(draft, {"note": ours}, 1)
    ipad(draft, {"note": theirs}, 1)
    mac(draft, {"note": ours.replace("word4", "mac4")}, 3)
    assert [values_of(c)["/note"] for c in draft.conflicts] == [
        [text.replace("word4", "mac4") for text in (TEXT, ours, theirs)]
    ]
    mac(draft, {"note": TEXT.replace("word1", "mac11")}, 4)
    assert draft.conflicts == []


def test_an_item_edited_in_a_list_whose_order_is_in_dispute_leaves_that_open() -> None:
    a, b, c = ({"id": id_} for id_ in "abc")
    draft = shared({"acts": [a, b, c]})
    for device, acts in (("mac", [c, a, b]), ("ipad", [a, c, b])):
        DRAFTS.edit(draft, set_to({"acts": acts}, 1), origin(device=device))
    fee = Edit(based_on=3, changes=[put("/acts/id:a/fee", 9, "add")])
    DRAFTS.edit(draft, fee, origin(device="mac"))
    (conflict,) = draft.conflicts
    assert [[act["id"] for act in side] for side in values_of(conflict)["/acts"]] == [
        ["a", "b", "c"],
        ["c", "a", "b"],
        ["a", "c", "b"],
    ]
    resolve(draft, Choice("c1", "theirs"))
    assert draft.data == {"acts": [{**a, "fee": 9}, c, b]}


CONTACT = {"name": "Zoë", "phone": "12"}


def test_a_clash_inside_an_object_in_dispute_is_no_further_conflict() -> None:
    draft = shared({"contact": CONTACT})
    mac(draft, {"contact": {**CONTACT, "phone": "34"}}, 1)
    removal = Edit(based_on=1, changes=[{"op": "remove", "path": "/contact"}])
    DRAFTS.edit(draft, removal, origin(BEN, device="ipad"))
    ipad(draft, {"contact": {**CONTACT, "phone": "56"}}, 1)
    assert [values_of(c) for c in draft.conflicts] == [
        {"/contact": [CONTACT, {**CONTACT, "phone": "34"}, {**CONTACT, "phone": "56"}]}
    ]


def test_a_clash_about_an_object_takes_a_conflict_inside_it_in() -> None:
    draft = shared({"contact": CONTACT})
    mac(draft, {"contact": {**CONTACT, "phone": "34"}}, 1)
    ipad(draft, {"contact": {**CONTACT, "phone": "56"}}, 1)
    removal = Edit(based_on=1, changes=[{"op": "remove", "path": "/contact"}])
    DRAFTS.edit(draft, removal, origin(ANN, device="phone"))
    assert [values_of(c) for c in draft.conflicts] == [
        {"/contact": [CONTACT, {**CONTACT, "phone": "34"}, {**CONTACT, "phone": "56"}, None]}
    ]


def test_conflicts_whose_object_is_removed_become_one_about_the_object() -> None:
    draft = shared({"contact": CONTACT})
    mac(draft, {"contact": {"name": "Ann", "phone": "34"}}, 1)
    ipad(draft, {"contact": {"name": "Ben", "phone": "56"}}, 1)
    assert [c["paths"] for c in draft.conflicts] == [["/contact/name"], ["/contact/phone"]]
    removal = Edit(based_on=2, changes=[{"op": "remove", "path": "/contact"}])
    DRAFTS.edit(draft, removal, origin(ANN, device="mac"))
    assert draft.data == {}
    assert [(c["id"], values_of(c)) for c in draft.conflicts] == [
        ("c1", {"/contact": [CONTACT, None, {"name": "Ben", "phone": "56"}]})
    ]
    assert draft.recent[-1].closed == {"c2": "joined"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("instead", ["by phone", ["by phone"], 7])
def test_a_conflict_whose_object_becomes_another_value_is_about_that(instead: Any) -> None:
    draft = shared({"contact": CONTACT})
    for device, phone in (("mac", "34"), ("ipad", "56")):
        edit = Edit(based_on=1, changes=[put("/contact/phone", phone)])
        DRAFTS.edit(draft, edit, origin(device=device))
    mac(draft, {"contact": instead}, 2)
    theirs = {**CONTACT, "phone": "56"}
    assert [values_of(c) for c in draft.conflicts] == [{"/contact": [CONTACT, instead, theirs]}]
    mac(draft, {"contact": "nobody"}, 2)
    resolve(draft, Choice("c1", "theirs"))
    assert draft.data == {"contact": theirs}


def test_a_conflict_about_what_is_gone_moves_up_too() -> None:
    draft = shared({"contact": {"name": "Zoë", "at": {"phone": "12"}}})
    removal = Edit(based_on=1, changes=[{"op": "remove", "path": "/contact/at"}])
    DRAFTS.edit(draft, removal, origin(ANN, device="mac"))
    phone = Edit(based_on=1, changes=[put("/contact/at/phone", "56")])
    DRAFTS.edit(draft, phone, origin(BEN, device="ipad"))
    assert [c["paths"] for c in draft.conflicts] == [["/contact/at"]]
    mac(draft, {"contact": "nobody"}, 2)
    assert [values_of(c)["/contact"][1:] for c in draft.conflicts] == [
        ["nobody", {"name": "Zoë", "at": {"phone": "56"}}]
    ]


def test_a_list_instead_of_an_object_in_dispute_is_no_further_conflict() -> None:
    draft = shared({"contact": CONTACT})
    mac(draft, {"contact": {**CONTACT, "phone": "34"}}, 1)
    ipad(draft, {"contact": {**CONTACT, "phone": "56"}}, 1)
    ipad(draft, {"contact": ["nobody"]}, 1)
    assert [values_of(c) for c in draft.conflicts] == [
        {"/contact": [CONTACT, {**CONTACT, "phone": "34"}, ["nobody"]]}
    ]


def test_a_clash_about_an_object_takes_all_conflicts_inside_it_in() -> None:
    draft = shared({"contact": CONTACT})
    mac(draft, {"contact": {"name": "Ann", "phone": "34"}}, 1)
    ipad(draft, {"contact": {"name": "Ben", "phone": "56"}}, 1)
    removal = Edit(based_on=1, changes=[{"op": "remove", "path": "/contact"}])
    DRAFTS.edit(draft, removal, origin(ANN, device="phone"))
    assert [values_of(c) for c in draft.conflicts] == [
        {
            "/contact": [
                CONTACT,
                {"name": "Ann", "phone": "34"},
                {"name": "Ben", "phone": "56"},
                None,
            ]
        }
    ]


def test_the_base_of_a_plain_conflict_stays_where_all_began() -> None:
    draft = shared({"fee": 100})
    mac(draft, {"fee": 250}, 1)
    ipad(draft, {"fee": 300}, 1)
    for fee in (100, 400):
        mac(draft, {"fee": fee}, 2)
    assert [values_of(c) for c in draft.conflicts] == [{"/fee": [100, 400, 300]}]


def test_undoing_a_run_reopens_what_it_resolved_and_closes_what_it_opened() -> None:
    draft = shared({"fee": 100})
    mac(draft, {"fee": 250}, 1)
    ipad(draft, {"fee": 300}, 1)
    first = draft.conflicts
    resolve(draft, Choice("c1", "ours"))
    DRAFTS.edit(draft, fields({"fee": 400}, 1), origin(ANN, device="phone"))
    assert [c["id"] for c in draft.conflicts] == ["c2"]
    run = step(draft, 4)
    last = step(draft, 5)
    both = replace(run, through=5, after=last.after, conflicts_after=last.conflicts_after)
    DRAFTS.undo(draft, both, origin())
    assert draft.conflicts == first


def test_an_item_put_in_again_that_an_undo_brought_back_with_its_conflict_is_no_misfit() -> None:
    draft = shared({"acts": [{"id": "a", "fee": 1}]})
    for device, fee in (("mac", 2), ("ipad", 3)):
        edit = Edit(based_on=1, changes=[put("/acts/id:a/fee", fee)])
        DRAFTS.edit(draft, edit, origin(device=device))
    removal = Edit(based_on=3, changes=[{"op": "remove", "path": "/acts/id:a"}])
    DRAFTS.edit(draft, removal, origin(device="mac"))
    DRAFTS.undo(draft, step(draft, 4), origin())
    again = Edit(based_on=4, changes=[put("/acts/-", {"id": "a", "fee": 7}, "add")])
    DRAFTS.edit(draft, again, origin(device="ipad"))
    assert draft.data == {"acts": [{"id": "a", "fee": 2}]}
    assert [values_of(c) for c in draft.conflicts] == [{"/acts/id:a/fee": [1, 2, 7]}]


def test_undoing_what_joined_conflicts_does_not_ask_twice() -> None:
    draft = shared({"contact": CONTACT})
    mac(draft, {"contact": {"name": "Ann", "phone": "34"}}, 1)
    ipad(draft, {"contact": {"name": "Ben", "phone": "56"}}, 1)
    removal = Edit(based_on=1, changes=[{"op": "remove", "path": "/contact"}])
    DRAFTS.edit(draft, removal, origin(ANN, device="phone"))
    before = draft.conflicts
    DRAFTS.undo(draft, step(draft, 4), origin())
    assert [c["id"] for c in draft.conflicts] == ["c1"]
    assert draft.conflicts == before


def test_what_a_side_wants_is_no_way_back_only_because_a_list_with_doubles_moved_on() -> None:
    roles = ["bar", "bar", "door", "light"]
    draft = shared({"roles": roles})
    mac(draft, {"roles": ["bar"]}, 1)
    ipad(draft, {"roles": ["bar", "door", "light"]}, 1)
    mac(draft, {"roles": ["bar", "bar", "desk"]}, 2)
    assert [[s["values"] for s in c["theirs"]] for c in draft.conflicts] == [
        [{"/roles": ["bar", "bar", "desk", "door", "light"]}]
    ]


def test_a_fork_that_a_device_merged_is_no_edit_that_it_holds() -> None:
    draft = shared({"fee": 100})
    fork = saved(DRAFTS.fork(draft, origin(), new=UUID(int=7), role="owner"))
    base = fork.data
    DRAFTS.edit(fork, fields({"title": "Jazz"}), origin())
    DRAFTS.merge(draft, fork, base, 1, origin(device="mac"))
    answer = mac(draft, {"fee": 250}, 1)
    assert [(c["op"], c["path"], c["after"]) for c in answer.changes] == [("add", "/title", "Jazz")]

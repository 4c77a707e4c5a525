"""Conflicts: what clashes is kept with every value, moves along, and is closed for a reason."""

from __future__ import annotations

from typing import Any

import pytest

from domain import events
from domain.asked import Edit, Step
from domain.choices import Choice
from domain.conflict import Conflict
from domain.draft import Draft
from domain.errors import (
    CannotApply,
    ConflictClosed,
    ConflictNotFound,
    Invalid,
    NotItsFork,
)
from domain.receipts import Answer, Receipt
from domain.value import Data
from tests.domain.scenes import (
    ANN,
    BEN,
    DRAFTS,
    ID,
    fields,
    happened,
    inside,
    opened,
    origin,
    put,
    saved,
    set_to,
    told,
)

AT = "2026-03-02T09:00:00Z"


def mac(draft: Draft, values: Data, based_on: int | None = None) -> Receipt:
    """Ann's edit on her mac."""
    return done(DRAFTS.edit(draft, fields(values, based_on), origin(ANN, device="mac")))


def ipad(draft: Draft, values: Data, based_on: int | None = None, **more: Any) -> Receipt:
    """Ben's edit on his iPad (the gate lets owners in: here both write as members)."""
    return done(DRAFTS.edit(draft, fields(values, based_on), origin(BEN, device="ipad", **more)))


def done(answer: Answer) -> Receipt:
    assert isinstance(answer, Receipt)
    return answer


def shared(data: Data) -> Draft:
    """Ann's draft in which Ben may write."""
    draft = opened(data)
    draft.members[BEN] = "editor"
    return draft


def contested(base: Data | None = None) -> Draft:
    """A draft in which the fee is 250 by Ann, and Ben wants 300."""
    draft = shared({"fee": 100, "title": "Jazz", **(base or {})})
    mac(draft, {"fee": 250}, 1)
    ipad(draft, {"fee": 300, "title": "Blues"}, 1)
    return saved(draft)


def side(value: Any, by: str, device: str, version: int, path: str = "/fee") -> dict[str, Any]:
    values = {} if value is None else {path: value}
    return {"values": values, "by": by, "at": AT, "device": device, "version": version}


FEE = {
    "id": "c1",
    "paths": ["/fee"],
    "group": None,
    "base": {"/fee": 100},
    "ours": side(250, ANN, "mac", 2),
    "theirs": [side(300, BEN, "ipad", 3)],
}


def resolve(draft: Draft, *choices: Choice, by: str = ANN, **more: Any) -> Receipt:
    pointed = {f"/items/{place}": choice for place, choice in enumerate(choices)}
    return done(DRAFTS.resolve(draft, pointed, origin(by), **more))


def values_of(conflict: Conflict) -> dict[str, Any]:
    """The values at a conflict's path: of the base, ours and theirs."""
    (path,) = conflict["paths"]
    sides = [conflict["base"], conflict["ours"]["values"]]
    sides += [entry["values"] for entry in conflict["theirs"]]
    return {path: [values.get(path) for values in sides]}


# -- opening


def test_an_edit_that_clashes_in_part_is_recorded_for_the_rest() -> None:
    draft = contested()
    assert draft.data == {"fee": 250, "title": "Blues"}
    assert draft.conflicts == [FEE]


def test_the_receipt_leads_to_the_drafts_data_and_shows_what_is_open() -> None:
    draft = shared({"fee": 100})
    mac(draft, {"fee": 250}, 1)
    answer = ipad(draft, {"fee": 300}, 1)
    assert (answer.recorded, answer.merged, answer.version) == (True, True, 3)
    change = {"op": "replace", "path": "/fee", "before": 300, "after": 250}
    assert answer.changes == [{**change, "by": ANN, "version": 2}]
    assert answer.conflicts == [FEE]


def test_the_event_holds_the_conflict_whole_and_the_edit_as_it_was_sent() -> None:
    draft = shared({"fee": 100})
    mac(draft, {"fee": 250}, 1)
    saved(draft)
    ipad(draft, {"fee": 300}, 1)
    sent = [{"op": "replace", "path": "/fee", "before": 100, "after": 300}]
    assert told(draft) == [
        {"act": "merged", "changes": [], "conflicts": [FEE], "based_on": 1, "sent": sent}
    ]


def test_edit_against_delete_is_a_conflict() -> None:
    draft = shared({"fee": 100})
    removal = Edit(based_on=1, changes=[{"op": "remove", "path": "/fee"}])
    DRAFTS.edit(draft, removal, origin(ANN, device="mac"))
    ipad(draft, {"fee": 300}, 1)
    assert draft.data == {}
    assert [values_of(conflict) for conflict in draft.conflicts] == [{"/fee": [100, None, 300]}]


def test_what_is_ours_is_signed_by_whoever_wrote_it_last_not_by_who_came_last() -> None:
    draft = shared({"fee": 100, "title": "Jazz"})
    mac(draft, {"fee": 250})
    mac(draft, {"title": "Blues"})
    ipad(draft, {"fee": 300}, 1)
    assert draft.conflicts[0]["ours"] == side(250, ANN, "mac", 2)


# -- one conflict per path, one entry per device


def test_a_later_edit_of_a_device_that_has_not_seen_the_conflict_replaces_its_entry() -> None:
    draft = contested()
    ipad(draft, {"fee": 310}, 1)
    assert draft.conflicts == [{**FEE, "theirs": [side(310, BEN, "ipad", 4)]}]


def test_a_third_device_has_an_entry_of_its_own() -> None:
    draft = contested()
    DRAFTS.edit(draft, fields({"fee": 400}, 1), origin(ANN, device="phone"))
    assert values_of(draft.conflicts[0]) == {"/fee": [100, 250, 300, 400]}


def test_the_same_two_values_are_never_opened_twice() -> None:
    draft = contested()
    before = inside(draft)
    answer = DRAFTS.edit(draft, fields({"fee": 300}, 1), origin(ANN, device="phone"))
    assert (done(answer).recorded, inside(draft)) == (False, before)


def test_what_somebody_has_decided_does_not_come_back_from_a_device_that_missed_it() -> None:
    draft = contested()
    resolve(draft, Choice("c1", "ours"))
    DRAFTS.edit(draft, fields({"fee": 300}, 1), origin(ANN, device="phone"))
    assert (draft.data["fee"], draft.conflicts) == (250, [])


def test_the_same_two_values_may_clash_again_later_on() -> None:
    draft = contested()
    resolve(draft, Choice("c1", "ours"))
    mac(draft, {"fee": 100})
    now = draft.version
    mac(draft, {"fee": 250}, now)
    ipad(draft, {"fee": 300}, now)
    assert [values_of(conflict) for conflict in draft.conflicts] == [{"/fee": [100, 250, 300]}]
    assert draft.conflicts[0]["id"] == "c2"


def test_a_device_that_comes_round_closes_its_entry() -> None:
    draft = contested()
    ipad(draft, {"fee": 250}, 1)
    assert draft.conflicts == []
    assert draft.recent[-1].closed == {"c1": "agreed"}  # type: ignore[attr-defined]


# -- moving along


def test_an_edit_that_has_not_seen_the_conflict_moves_ours_and_leaves_it_open() -> None:
    draft = contested()
    mac(draft, {"fee": 260}, 2)
    assert draft.data["fee"] == 260
    assert draft.conflicts == [{**FEE, "ours": side(260, ANN, "mac", 4)}]


def test_an_edit_that_has_seen_it_and_writes_there_closes_it() -> None:
    draft = contested()
    mac(draft, {"fee": 260}, 3)
    assert (draft.data["fee"], draft.conflicts) == (260, [])
    assert draft.recent[-1].closed == {"c1": "overwritten"}  # type: ignore[attr-defined]


def test_an_edit_elsewhere_leaves_it_open() -> None:
    draft = contested()
    mac(draft, {"title": "Soul"}, 3)
    assert draft.conflicts == [FEE]


def test_whoever_has_seen_only_one_of_two_entries_closes_only_that() -> None:
    draft = contested()
    DRAFTS.edit(draft, fields({"fee": 400}, 1), origin(ANN, device="phone"))
    mac(draft, {"fee": 260}, 3)
    assert values_of(draft.conflicts[0]) == {"/fee": [100, 260, 400]}


TEXT = "The doors open at eight.\nThe band plays at nine.\nThe bar closes at ten.\n"


def test_a_text_in_conflict_gets_the_words_that_others_change_outside_the_span() -> None:
    draft = shared({"note": TEXT})
    mac(draft, {"note": TEXT.replace("nine", "noon")}, 1)
    ipad(draft, {"note": TEXT.replace("nine", "midnight")}, 1)
    assert len(draft.conflicts) == 1
    mac(draft, {"note": TEXT.replace("nine", "noon").replace("closes", "shuts")}, 2)
    ours = TEXT.replace("nine", "noon").replace("closes", "shuts")
    theirs = TEXT.replace("nine", "midnight").replace("closes", "shuts")
    assert draft.data == {"note": ours}
    assert values_of(draft.conflicts[0]) == {
        "/note": [TEXT.replace("closes", "shuts"), ours, theirs]
    }


def test_words_typed_elsewhere_in_the_text_by_the_same_device_keep_its_span() -> None:
    draft = shared({"note": TEXT})
    mac(draft, {"note": TEXT.replace("nine", "noon")}, 1)
    sent = TEXT.replace("nine", "midnight")
    ipad(draft, {"note": sent}, 1)
    ipad(draft, {"note": sent.replace("closes", "shuts")}, 1)
    ours = TEXT.replace("nine", "noon").replace("closes", "shuts")
    assert draft.data == {"note": ours}
    assert values_of(draft.conflicts[0])["/note"][2] == sent.replace("closes", "shuts")


def test_a_conflict_inside_an_item_that_is_removed_becomes_one_about_the_item() -> None:
    draft = shared({"acts": [{"id": "a", "fee": 1}, {"id": "b", "fee": 1}]})
    for device, fee in (("mac", 2), ("ipad", 3)):
        edit = Edit(based_on=1, changes=[put("/acts/id:a/fee", fee)])
        DRAFTS.edit(draft, edit, origin(device=device))
    removal = Edit(based_on=2, changes=[{"op": "remove", "path": "/acts/id:a"}])
    DRAFTS.edit(draft, removal, origin(device="mac"))
    assert draft.data == {"acts": [{"id": "b", "fee": 1}]}
    item = {"id": "a", "fee": 3}
    assert [c["paths"] for c in draft.conflicts] == [["/acts/id:a"]]
    assert draft.conflicts[0]["theirs"][0]["values"] == {"/acts/id:a": item}
    resolve(draft, Choice("c1", "theirs"))
    assert draft.data == {"acts": [{"id": "b", "fee": 1}, item]}


# -- settling


@pytest.mark.parametrize(
    ("choice", "fee"),
    [
        (Choice("c1", "ours"), 250),
        (Choice("c1", "theirs"), 300),
        (Choice("c1", "theirs", which="ipad"), 300),
        (Choice("c1", "theirs", which=0), 300),
        (Choice("c1", "base"), 100),
        (Choice("c1", "value", value=275), 275),
        (Choice("c1", "value", value=None), None),
    ],
)
def test_a_conflict_is_settled_by_taking_a_side_or_a_value(choice: Choice, fee: Any) -> None:
    draft = contested()
    answer = resolve(draft, choice, by=BEN)
    assert (draft.data, draft.conflicts) == ({"fee": fee, "title": "Blues"}, [])
    assert (answer.recorded, answer.version, answer.conflicts) == (True, 4, [])
    (event,) = happened(draft)
    assert (event.act, event.by) == ("resolved", BEN)
    assert event.closed == {"c1": "resolved"}  # type: ignore[attr-defined]


def test_several_conflicts_are_settled_as_one_version() -> None:
    draft = shared({"fee": 100, "title": "Jazz"})
    mac(draft, {"fee": 250, "title": "Blues"}, 1)
    ipad(draft, {"fee": 300, "title": "Soul"}, 1)
    resolve(draft, Choice("c2", "theirs"), Choice("c1", "ours"))
    assert (draft.version, draft.data) == (4, {"fee": 250, "title": "Soul"})
    assert draft.conflicts == []


def test_settling_can_be_tried() -> None:
    draft = contested()
    before = inside(draft)
    answer = resolve(draft, Choice("c1", "theirs"), dry_run=True)
    assert inside(draft) == before
    assert (answer.recorded, answer.conflicts) == (False, [])
    change = {"op": "replace", "path": "/fee", "before": 250, "after": 300}
    assert answer.changes == [{**change, "by": ANN, "version": 4}]


@pytest.mark.parametrize(
    ("choice", "error"),
    [
        (Choice("c2", "ours"), ConflictNotFound),
        (Choice("fee", "ours"), ConflictNotFound),
        (Choice("c0", "ours"), ConflictNotFound),
        (Choice("c1", "theirs", which="phone"), Invalid),
        (Choice("c1", "theirs", which=1), Invalid),
        (Choice("c1", "value"), Invalid),
    ],
)
def test_a_choice_that_names_nothing_is_refused(choice: Choice, error: type[Exception]) -> None:
    draft = contested()
    before = inside(draft)
    with pytest.raises(error):
        resolve(draft, choice)
    assert inside(draft) == before


def test_of_several_entries_one_must_be_named() -> None:
    draft = contested()
    DRAFTS.edit(draft, fields({"fee": 400}, 1), origin(ANN, device="phone"))
    with pytest.raises(Invalid) as refused:
        resolve(draft, Choice("c1", "theirs"))
    assert [fault.pointer for fault in refused.value.errors] == ["/items/0/which"]
    resolve(draft, Choice("c1", "theirs", which="phone"))
    assert draft.data["fee"] == 400


def test_a_settled_conflict_cannot_be_settled_again() -> None:
    draft = contested()
    resolve(draft, Choice("c1", "ours"))
    with pytest.raises(ConflictClosed):
        resolve(draft, Choice("c1", "theirs"))


def test_one_conflict_is_settled_once_in_a_request() -> None:
    draft = contested()
    with pytest.raises(Invalid):
        resolve(draft, Choice("c1", "ours"), Choice("c1", "theirs"))


# -- restoring and undoing


def step(draft: Draft, version: int) -> Step:
    """One version to take back, with what was there before and after it."""
    states: list[Any] = [None]
    for event in draft.since(0):
        states.append(event.mutate(None if states[-1] is None else states[-1].copy()))
    before, after = states[version - 1], states[version]
    return Step(version, version, before.data, after.data, before.conflicts, after.conflicts)


def test_a_restore_that_writes_there_closes_it() -> None:
    draft = contested()
    DRAFTS.restore(draft, 1, {"fee": 100, "title": "Jazz"}, origin())
    assert (draft.data, draft.conflicts) == ({"fee": 100, "title": "Jazz"}, [])
    assert draft.recent[-1].closed == {"c1": "restored"}  # type: ignore[attr-defined]


def test_undoing_a_resolve_opens_the_conflict_again() -> None:
    draft = contested()
    resolve(draft, Choice("c1", "theirs"))
    DRAFTS.undo(draft, step(draft, 4), origin())
    assert (draft.data["fee"], draft.conflicts) == (250, [FEE])


def test_undoing_a_resolve_that_took_ours_opens_it_again_although_no_data_changes() -> None:
    draft = contested()
    resolve(draft, Choice("c1", "ours"))
    answer = done(DRAFTS.undo(draft, step(draft, 4), origin()))
    assert (answer.recorded, answer.conflicts) == (True, [FEE])


def test_undoing_the_version_that_opened_it_closes_it() -> None:
    draft = contested()
    DRAFTS.undo(draft, step(draft, 3), origin())
    assert (draft.data, draft.conflicts) == ({"fee": 250, "title": "Jazz"}, [])
    assert draft.recent[-1].closed == {"c1": "undone"}  # type: ignore[attr-defined]


def test_undoing_it_leaves_what_another_device_put_in_later() -> None:
    draft = contested()
    DRAFTS.edit(draft, fields({"fee": 400}, 1), origin(ANN, device="phone"))
    DRAFTS.undo(draft, step(draft, 3), origin())
    assert values_of(draft.conflicts[0]) == {"/fee": [100, 250, 400]}


def test_undoing_the_undo_of_a_resolve_settles_it_again() -> None:
    draft = contested()
    resolve(draft, Choice("c1", "theirs"))
    DRAFTS.undo(draft, step(draft, 4), origin())
    DRAFTS.undo(draft, step(draft, 5), origin())
    assert (draft.data["fee"], draft.conflicts) == (300, [])


# -- forks


def forked(draft: Draft) -> Draft:
    fork = DRAFTS.fork(draft, origin(BEN), new=ID.__class__(int=7), role="owner")
    return saved(fork)


def merge(draft: Draft, fork: Draft, base: Data, since: int = 1) -> Receipt:
    return done(DRAFTS.merge(draft, fork, base, since, origin(device="mac")))


def test_a_fork_is_brought_back_field_by_field() -> None:
    draft = opened({"fee": 100, "title": "Jazz"})
    fork = forked(draft)
    base = fork.data
    DRAFTS.edit(fork, fields({"fee": 300}), origin(BEN))
    mac(draft, {"title": "Blues"})
    saved(draft)
    answer = merge(draft, fork, base)
    assert draft.data == {"fee": 300, "title": "Blues"}
    assert (answer.recorded, answer.merged) == (True, True)
    (event,) = happened(draft)
    assert isinstance(event, events.Merged)
    assert (event.fork, event.fork_version) == (str(fork.id), 2)
    assert draft.merged_forks == {str(fork.id): 2}


def test_a_fork_with_nothing_new_records_nothing() -> None:
    draft = opened({"fee": 100})
    fork = forked(draft)
    before = inside(draft)
    answer = merge(draft, fork, fork.data)
    assert (answer.recorded, inside(draft)) == (False, before)


def test_what_clashes_with_a_fork_is_a_conflict_whose_entry_names_the_fork() -> None:
    draft = opened({"fee": 100})
    fork = forked(draft)
    base = fork.data
    DRAFTS.edit(fork, fields({"fee": 300}), origin(BEN))
    mac(draft, {"fee": 250})
    merge(draft, fork, base)
    (conflict,) = draft.conflicts
    assert conflict["ours"] == side(250, ANN, "mac", 2)
    assert conflict["theirs"] == [{**side(300, ANN, "mac", 3), "fork": str(fork.id)}]
    later = fork.data
    DRAFTS.edit(fork, fields({"fee": 310}), origin(BEN))
    merge(draft, fork, later, since=2)
    assert values_of(draft.conflicts[0]) == {"/fee": [100, 250, 310]}


def test_only_a_fork_of_the_draft_can_be_brought_back() -> None:
    draft = opened({"fee": 100})
    with pytest.raises(NotItsFork):
        merge(draft, opened({"fee": 1}), {})


# -- whatever is settled


def test_a_side_whose_place_is_gone_cannot_be_taken_and_says_why() -> None:
    draft = shared({"venue": {"city": "Ghent"}})
    for device, city in (("mac", "Bruges"), ("ipad", "Ypres")):
        DRAFTS.edit(draft, set_to({"venue": {"city": city}}, 1), origin(device=device))
    draft.data = {"venue": None}
    with pytest.raises(CannotApply):
        resolve(draft, Choice("c1", "theirs"))

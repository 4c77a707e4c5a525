"""Every command on a draft: what it records, what it answers and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain import events
from domain.asked import Edit, Opening, Rules, Step
from domain.diff import apply
from domain.draft import RECENT, Draft, NeedsEvents
from domain.drafts import Drafts
from domain.errors import (
    CannotApply,
    Clash,
    DraftClosed,
    DraftNotFound,
    Forbidden,
    Invalid,
    SeqReused,
    VariorumError,
    VersionMismatch,
    VersionNotFound,
)
from domain.filling import shares_a_field
from domain.form import read_form
from domain.origin import Origin
from domain.receipts import Answer, Earlier, Receipt, Repeated, receipt
from domain.value import Data
from tests.domain.scenes import (
    ANN,
    ANY_STATUS,
    BEN,
    COMMANDS,
    DRAFTS,
    EDIT,
    EVE,
    ID,
    MANAGES,
    MONDAY,
    WRITES,
    Command,
    fields,
    happened,
    inside,
    opened,
    origin,
    put,
    saved,
    set_to,
    told,
    with_history,
)

LONG = "The doors open at eight.\nThe band plays at nine.\nThe bar closes at ten.\n"


def replaced(path: str, before: Any, after: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "before": before, "after": after}


def by(who: str, version: int, change: dict[str, Any]) -> dict[str, Any]:
    return {**change, "by": who, "version": version}


def recorded(draft: Draft, **more: Any) -> Receipt:
    """The receipt of something that was recorded just now."""
    return replace(receipt(draft, recorded=True), **more)


# -- opening


def test_an_opened_draft_is_all_its_own() -> None:
    opening = Opening("gig", "42", {"title": "Jazz"}, "basics", ("start",))
    draft = DRAFTS.open(opening, origin(device="mac"), new=ID, slot=True)
    assert told(draft) == [
        {
            "act": "opened",
            "form": "gig",
            "subject": "42",
            "data": {"title": "Jazz"},
            "step": "basics",
            "completed_steps": ("start",),
            "expiry_days": 30,
            "slot": True,
        }
    ]
    shown = {n: v for n, v in inside(saved(draft)).items() if n not in ("recent", "reach")}
    assert shown == {
        "_id": ID,
        "_version": 1,
        "_created_on": MONDAY,
        "_modified_on": MONDAY,
        "_pending_events": [],
        "form": "gig",
        "subject": "42",
        "data": {"title": "Jazz"},
        "step": "basics",
        "completed_steps": ["start"],
        "steps_done": {"start": {"version": 1, "at": "2026-03-02T09:00:00Z", "by": ANN}},
        "status": "open",
        "closed_at": None,
        "template": False,
        "slot": True,
        "owner": ANN,
        "members": {},
        "links": {},
        "labels": {},
        "conflicts": [],
        "conflicts_ever": 0,
        "settled": [],
        "merged_forks": {},
        "imports": [],
        "title_path": None,
        "devices": {},
        "forked_from": None,
        "from_template": None,
        "member_count": 1,
        "expires_at": MONDAY + timedelta(days=30),
        "expiry_days": 30,
    }


def test_an_opening_that_is_too_large_or_too_deep_is_refused() -> None:
    small = Drafts(Rules(max_depth=2, max_members=3))
    small.open(Opening("gig", data={"a": {"b": 1}}), origin(), slot=False)
    too_large: tuple[Data, ...] = ({"a": {"b": {}}}, {"a": [1, 2, 3]})
    for data in too_large:
        with pytest.raises(Invalid) as refused:
            small.open(Opening("gig", data=data), origin(), slot=False)
        assert [fault.pointer for fault in refused.value.errors] == ["/data"]


# -- editing


def test_an_edit_of_the_version_now_records_each_change_with_what_was_there() -> None:
    draft = opened({"fee": 100, "title": "Jazz"})
    answer = DRAFTS.edit(draft, Edit(based_on=1, changes=[put("/fee", 250)]), origin(minutes=1))
    assert told(draft) == [
        {"act": "edited", "changes": [replaced("/fee", 100, 250)], "based_on": 1},
    ]
    assert answer == Receipt(
        id=ID,
        version=2,
        recorded=True,
        saved_at=MONDAY + timedelta(minutes=1),
        expires_at=MONDAY + timedelta(days=30, minutes=1),
        conflicts=[],
    )
    assert draft.data == {"fee": 250, "title": "Jazz"}


def test_an_edit_without_a_base_means_the_version_now() -> None:
    draft = with_history([{"fee": 1}, {"fee": 2}])
    DRAFTS.edit(draft, Edit(changes=[put("/fee", 3)]), origin())
    assert told(draft) == [{"act": "edited", "changes": [replaced("/fee", 2, 3)]}]


def test_an_edit_may_send_the_whole_form_or_a_merge_patch() -> None:
    whole, patched = opened({"fee": 1, "old": 2}), opened({"fee": 1, "old": 2})
    DRAFTS.edit(whole, Edit(data={"fee": 5, "new": {"a": 1}}), origin())
    DRAFTS.edit(patched, Edit(merge_patch={"fee": 5, "old": None, "new": {"a": 1}}), origin())
    changes = [
        replaced("/fee", 1, 5),
        {"op": "remove", "path": "/old", "before": 2},
        {"op": "add", "path": "/new", "after": {"a": 1}},
    ]
    assert told(whole) == told(patched) == [{"act": "edited", "changes": changes}]


def test_an_edit_of_the_step_alone_is_a_version() -> None:
    draft = opened()
    DRAFTS.edit(draft, Edit(step="lineup", completed_steps=["basics"]), origin())
    assert told(draft) == [
        {"act": "edited", "changes": [], "step": "lineup", "completed_steps": ["basics"]}
    ]
    assert (draft.step, draft.completed_steps, draft.version) == ("lineup", ["basics"], 2)


def test_the_step_that_the_draft_is_at_already_is_no_news() -> None:
    draft = opened(step="lineup", completed_steps=("basics",))
    answer = DRAFTS.edit(draft, Edit(step="lineup", completed_steps=["basics"]), origin())
    assert (told(draft), answer) == ([], receipt(draft))


@pytest.mark.parametrize(
    "edit",
    [
        Edit(),
        Edit(changes=[]),
        Edit(changes=[put("/fee", 1)]),
        Edit(changes=[put("/fee", 1.0)]),
        Edit(changes=[put("/fee", 9), put("/fee", 1)]),
        Edit(changes=[{"op": "test", "path": "/fee", "value": 1}]),
        Edit(changes=[put("/new", 1, "add"), {"op": "remove", "path": "/new"}]),
        Edit(data={"acts": [], "fee": 1}),
        Edit(merge_patch={"fee": 1, "none": None}),
    ],
)
def test_an_edit_that_changes_nothing_records_nothing(edit: Edit) -> None:
    draft = opened({"fee": 1, "acts": []})
    before = inside(draft)
    answer = DRAFTS.edit(draft, edit, origin(minutes=5, device="mac", seq=1))
    assert (inside(draft), answer) == (before, receipt(draft))


def test_true_in_place_of_one_is_a_change() -> None:
    draft = opened({"fee": 1})
    DRAFTS.edit(draft, set_to({"fee": True}), origin())
    assert told(draft) == [{"act": "edited", "changes": [replaced("/fee", 1, True)]}]


def test_edits_of_different_fields_are_merged_and_the_event_keeps_what_was_sent() -> None:
    draft = opened({"acts": [{"id": "a", "fee": 1}], "fee": 1})
    DRAFTS.edit(draft, fields({"fee": 2}, 1), origin(device="mac"))
    saved(draft)
    item = Edit(based_on=1, changes=[put("/acts/0/fee", 5)])
    answer = DRAFTS.edit(draft, item, origin(minutes=1, device="ipad"))
    assert told(draft) == [
        {"act": "merged", "changes": [replaced("/acts/id:a/fee", 1, 5)], "based_on": 1}
    ]
    assert answer == recorded(draft, merged=True, changes=[by(ANN, 2, replaced("/fee", 1, 2))])
    assert draft.data == {"acts": [{"id": "a", "fee": 5}], "fee": 2}


def test_a_merged_edit_that_was_sent_otherwise_keeps_that_too() -> None:
    draft = opened({"text": LONG})
    first, second = LONG.replace("eight", "half past seven"), LONG.replace("ten", "eleven")
    DRAFTS.edit(draft, fields({"text": first}, 1), origin(device="mac"))
    saved(draft)
    DRAFTS.edit(draft, fields({"text": second}, 1), origin(device="ipad"))
    assert draft.data == {"text": first.replace("ten", "eleven")}
    (event,) = happened(draft)
    assert isinstance(event, events.Merged)
    assert apply(event.sent or [], {"text": LONG}) == {"text": second}
    assert apply(event.changes, {"text": first}) == draft.data


def test_the_same_change_from_two_devices_is_recorded_once() -> None:
    draft = opened({"fee": 1})
    DRAFTS.edit(draft, fields({"fee": 2}, 1), origin(device="mac"))
    before = inside(saved(draft))
    answer = DRAFTS.edit(draft, fields({"fee": 2}, 1), origin(minutes=1, device="ipad"))
    assert (inside(draft), answer) == (before, receipt(draft, merged=True, changes=[]))


def test_an_edit_that_asks_for_it_is_rejected_with_every_clash() -> None:
    draft = opened({"fee": 1, "title": "a", "note": "x", "acts": [{"id": "a", "fee": 1}]})
    mine = [put("/fee", 2), {"op": "remove", "path": "/note"}, put("/acts/id:a/fee", 2)]
    DRAFTS.edit(draft, Edit(based_on=1, changes=[*mine, put("/new", 1, "add")]), origin(device="a"))
    before = inside(saved(draft))
    its = [put("/fee", 3), put("/title", "b"), put("/note", "y"), put("/acts/id:a/fee", 3)]
    late = Edit(based_on=1, changes=[*its, put("/new", 2, "add")], on_conflict="reject")
    with pytest.raises(Clash) as clash:
        DRAFTS.edit(draft, late, origin(device="b"))
    found = {conflict["paths"][0]: conflict for conflict in clash.value.conflicts}

    def conflict(path: str, base: Any, ours: Any, theirs: Any) -> dict[str, Any]:
        def at(values: Any) -> dict[str, Any]:
            return {} if values is None else {path: values}

        side = {"by": ANN, "at": "2026-03-02T09:00:00Z"}
        return {
            "paths": [path],
            "group": None,
            "base": at(base),
            "ours": {"values": at(ours), **side, "device": "a", "version": 2},
            "theirs": [{"values": at(theirs), **side, "device": "b", "version": 3}],
        }

    assert found == {
        "/fee": conflict("/fee", 1, 2, 3),
        "/note": conflict("/note", "x", None, "y"),
        "/acts/id:a/fee": conflict("/acts/id:a/fee", 1, 2, 3),
        "/new": conflict("/new", None, 1, 2),
    }
    assert inside(draft) == before


def test_a_version_without_changes_in_between_is_no_reason_to_merge() -> None:
    draft = opened({"fee": 1})
    DRAFTS.label(draft, 1, "first", origin())
    saved(draft)
    DRAFTS.edit(draft, fields({"fee": 2}, 1), origin(device="ipad"))
    assert told(draft) == [
        {"act": "edited", "changes": [replaced("/fee", 1, 2)], "based_on": 1},
    ]


def test_an_edit_may_name_an_older_base_than_the_devices_last_one() -> None:
    draft = opened({"fee": 1, "title": "a"})
    DRAFTS.edit(draft, fields({"fee": 2}, 1), origin(device="ipad"))
    DRAFTS.edit(draft, fields({"fee": 3}, 2), origin(device="mac"))
    answer = DRAFTS.edit(draft, fields({"title": "b"}, 1), origin(device="mac"))
    assert draft.data == {"fee": 3, "title": "b"}
    assert answer == recorded(draft, merged=True, changes=[])


def test_a_base_that_the_draft_has_not_reached_is_refused() -> None:
    draft = opened()
    with pytest.raises(Invalid) as refused:
        DRAFTS.edit(draft, fields({"fee": 1}, 2), origin())
    assert [fault.pointer for fault in refused.value.errors] == ["/based_on"]


def test_a_change_that_does_not_fit_its_base_is_refused_by_its_place_in_the_edit() -> None:
    draft = opened({"fee": 1})
    with pytest.raises(CannotApply) as refused:
        DRAFTS.edit(draft, Edit(changes=[put("/fee", 2), put("/acts/0", 1)]), origin())
    assert (refused.value.index, refused.value.path) == (1, "/acts/0")


def test_a_base_beyond_what_the_draft_remembers_asks_for_events_and_then_merges() -> None:
    draft = opened({"n": 0, "fee": 1})
    events: list[Any] = []
    for number in range(1, 2 * RECENT + 10):
        DRAFTS.edit(draft, fields({"n": number}), origin(device="mac"))
        events += draft.collect_events()
    late = Edit(based_on=1, changes=[put("/fee", 2)])
    before = inside(draft)
    with pytest.raises(NeedsEvents):
        DRAFTS.edit(draft, late, origin(device="ipad"))
    assert inside(draft) == before
    draft.recall(events)
    DRAFTS.edit(draft, late, origin(device="ipad"))
    assert draft.data == {"n": 2 * RECENT + 9, "fee": 2}


def test_a_draft_may_not_grow_beyond_the_limits() -> None:
    small = Drafts(Rules(max_depth=2, max_members=3))
    draft = opened({"a": {"b": 1}})
    small.edit(draft, set_to({"a": {"b": 1, "c": 1}}), origin())
    before = inside(saved(draft))
    for edit in (set_to({"a": {"b": 1, "c": 1}, "d": 1}), fields({"a": {"b": {}}})):
        with pytest.raises(Invalid) as refused:
            small.edit(draft, edit, origin())
        assert [fault.pointer for fault in refused.value.errors] == ["/data"]
        assert inside(draft) == before


def test_a_setting_of_the_expiry_that_has_changed_is_recorded_once() -> None:
    longer, draft = Drafts(Rules(expiry_days=60)), opened({"fee": 1})
    longer.edit(draft, fields({"fee": 2}), origin())
    longer.edit(draft, fields({"fee": 3}), origin(minutes=1))
    assert [event["expiry_days"] for event in told(draft) if "expiry_days" in event] == [60]
    assert draft.expires_at == MONDAY + timedelta(days=60, minutes=1)


# -- filling


def test_filling_adds_what_is_lacking_and_leaves_what_is_equal_or_empty() -> None:
    draft = opened({"fee": 1, "note": "x", "tags": ["a"], "venue": {"city": "Ghent"}})
    sent = {"fee": 1.0, "note": "", "tags": [], "venue": {}, "title": "Jazz", "start": None}
    answer = DRAFTS.fill(draft, Opening("gig", "42", sent), origin(minutes=1))
    assert told(draft) == [
        {"act": "edited", "changes": [{"op": "add", "path": "/title", "after": "Jazz"}]}
    ]
    assert answer == recorded(draft)


def test_filling_with_nothing_new_records_nothing() -> None:
    draft = opened({"fee": 1})
    answer = DRAFTS.fill(draft, Opening("gig", "42", {"fee": 1, "x": None}), origin(minutes=1))
    assert (told(draft), answer) == ([], receipt(draft))


def test_filling_in_another_value_is_a_conflict_in_which_the_drafts_is_ours() -> None:
    draft = opened({"fee": 1, "title": None})
    draft.members[BEN] = "editor"
    DRAFTS.fill(draft, Opening("gig", "42", {"fee": 2, "new": 1}), origin(BEN, device="ipad"))
    side = {"at": "2026-03-02T09:00:00Z"}
    assert draft.data == {"fee": 1, "title": None, "new": 1}
    assert draft.conflicts == [
        {
            "id": "c1",
            "paths": ["/fee"],
            "group": None,
            "base": {},
            "ours": {"values": {"/fee": 1}, "by": ANN, **side, "device": None, "version": 1},
            "theirs": [{"values": {"/fee": 2}, "by": BEN, **side, "device": "ipad", "version": 2}],
        }
    ]


WITH_DEFAULT = read_form(
    {
        "form": "gig",
        "groups": [["/start", "/end"]],
        "schema": {"properties": {"c": {"default": "EUR"}}},
    }
)


def test_filling_takes_the_definitions_default_for_empty() -> None:
    draft, knowing = opened({"c": "USD"}), Drafts(Rules(), lambda _: WITH_DEFAULT)
    knowing.fill(draft, Opening("gig", "42", {"c": "EUR"}), origin())
    assert (draft.version, draft.data, draft.conflicts) == (1, {"c": "USD"}, [])


def test_filling_brings_what_belongs_together_together_or_not_at_all() -> None:
    draft, knowing = opened({"start": 20}), Drafts(Rules(), lambda _: WITH_DEFAULT)
    knowing.fill(draft, Opening("gig", "42", {"end": 23, "fee": 1}), origin())
    assert draft.data == {"start": 20, "fee": 1}
    (conflict,) = draft.conflicts
    assert conflict["group"] == ["/start", "/end"]
    assert conflict["ours"]["values"] == {"/start": 20}
    assert conflict["theirs"][0]["values"] == {"/end": 23}


def test_a_conflict_of_filling_names_any_field_by_its_pointer() -> None:
    draft = opened({"a/b": 1})
    DRAFTS.fill(draft, Opening("gig", "42", {"a/b": 2}), origin())
    assert draft.conflicts[0]["paths"] == ["/a~1b"]


def test_filling_takes_the_step_where_there_is_none() -> None:
    draft = opened({"fee": 1})
    there = Opening("gig", "42", {"fee": 1}, "venue", ("basic",))
    DRAFTS.fill(draft, there, origin())
    DRAFTS.fill(draft, replace(there, step="pay", completed_steps=()), origin())
    assert (draft.version, draft.step, draft.completed_steps) == (2, "venue", ["basic"])


@pytest.mark.parametrize(
    ("held", "sent", "shared"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": ""}, {"a": ""}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"c": "EUR"}, {"c": "EUR"}, False),
    ],
)
def test_two_forms_share_a_field_if_one_that_is_not_empty_is_equal(
    held: Data, sent: Data, shared: bool
) -> None:
    assert shares_a_field(held, sent, WITH_DEFAULT) is shared


# -- restoring and undoing


def test_restoring_records_what_changes_and_which_version_it_was() -> None:
    draft = with_history([{"fee": 1}, {"fee": 2, "new": 1}])
    answer = DRAFTS.restore(draft, 1, {"fee": 1}, origin(minutes=1))
    changes = [replaced("/fee", 2, 1), {"op": "remove", "path": "/new", "before": 1}]
    assert told(draft) == [{"act": "restored", "changes": changes, "version": 1}]
    assert answer == recorded(draft, changes=[by(ANN, 3, change) for change in changes])
    assert draft.data == {"fee": 1}


def test_restoring_some_paths_leaves_the_others() -> None:
    draft = with_history([{"fee": 1, "title": "a"}, {"fee": 2, "title": "b"}])
    DRAFTS.restore(draft, 1, {"fee": 1, "title": "a"}, origin(), paths=["/fee"])
    assert told(draft) == [
        {
            "act": "restored",
            "changes": [replaced("/fee", 2, 1)],
            "version": 1,
            "paths": ("/fee",),
        }
    ]


def test_restoring_what_is_there_records_nothing() -> None:
    draft = with_history([{"fee": 1}])
    assert DRAFTS.restore(draft, 1, {"fee": 1}, origin()) == receipt(draft)
    assert told(draft) == []


def test_restoring_a_path_that_never_was_is_refused() -> None:
    draft = with_history([{"fee": 1}, {"fee": 2}])
    before = inside(draft)
    with pytest.raises(CannotApply):
        DRAFTS.restore(draft, 1, {"fee": 1}, origin(), paths=["/fee", "/nothing"])
    assert inside(draft) == before


def test_undoing_a_version_keeps_what_came_later_and_tells_of_each_path() -> None:
    draft = with_history([{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 2, "b": 3, "c": 1}])
    answer = DRAFTS.undo(draft, Step(2, 2, {"a": 1, "b": 1}, {"a": 2, "b": 2}), origin(minutes=1))
    outcomes = ({"path": "/a", "outcome": "undone"}, {"path": "/b", "outcome": "superseded"})
    assert told(draft) == [
        {
            "act": "undone",
            "changes": [replaced("/a", 2, 1)],
            "version": 2,
            "through": 2,
            "outcomes": outcomes,
        }
    ]
    assert answer == recorded(draft, changes=[by(ANN, 4, replaced("/a", 2, 1))], outcomes=outcomes)
    assert draft.data == {"a": 1, "b": 3, "c": 1}


def test_undoing_what_was_changed_again_since_records_nothing_and_says_so() -> None:
    draft = with_history([{"a": 1}, {"a": 2}, {"a": 3}])
    answer = DRAFTS.undo(draft, Step(2, 2, {"a": 1}, {"a": 2}), origin())
    assert told(draft) == []
    superseded = ({"path": "/a", "outcome": "superseded"},)
    assert answer == receipt(draft, outcomes=superseded)


def undo_second(draft: Draft, **more: Any) -> Answer:
    return DRAFTS.undo(draft, Step(2, 2, {"fee": 1}, {"fee": 2}), origin(minutes=1), **more)


def restore_first(draft: Draft, **more: Any) -> Answer:
    return DRAFTS.restore(draft, 1, {"fee": 1}, origin(minutes=1), **more)


@pytest.mark.parametrize("command", [undo_second, restore_first])
def test_a_dry_run_tells_the_changes_and_records_nothing(command: Callable[..., Answer]) -> None:
    draft = with_history([{"fee": 1}, {"fee": 2}])
    before = inside(draft)
    answer = command(draft, dry_run=True)
    assert isinstance(answer, Receipt)
    change = by(ANN, 3, replaced("/fee", 2, 1))
    assert (answer.recorded, answer.version, answer.changes) == (False, 2, [change])
    assert inside(draft) == before


# -- all that leaves the data as it is


def test_a_version_gets_a_name_another_name_and_loses_it() -> None:
    draft = opened()
    DRAFTS.label(draft, 1, "first", origin())
    DRAFTS.label(draft, 1, "1st", origin())
    DRAFTS.label(draft, 2, "named", origin())
    DRAFTS.unlabel(draft, 1, origin())
    assert told(draft) == [
        {"act": "labelled", "version": 1, "label": "first"},
        {"act": "labelled", "version": 1, "label": "1st"},
        {"act": "labelled", "version": 2, "label": "named"},
        {"act": "unlabelled", "version": 1},
    ]
    assert draft.labels == {2: "named"}


def test_the_name_that_a_version_has_and_the_loss_of_none_record_nothing() -> None:
    draft = opened()
    DRAFTS.label(draft, 1, "first", origin())
    saved(draft)
    assert DRAFTS.label(draft, 1, "first", origin()) == receipt(draft)
    assert DRAFTS.unlabel(draft, 2, origin()) == receipt(draft)
    assert told(draft) == []


@pytest.mark.parametrize("version", [0, -1, 3])
def test_a_version_that_is_not_there_gets_no_name(version: int) -> None:
    draft = with_history([{}, {"a": 1}])
    with pytest.raises(VersionNotFound) as refused:
        DRAFTS.label(draft, version, "x", origin())
    assert refused.value.last_version == 2


def test_extending_moves_the_expiry_to_the_full_time_from_now() -> None:
    draft = opened()
    answer = DRAFTS.extend(draft, origin(minutes=60))
    assert told(draft) == [{"act": "extended", "expiry_days": 30}]
    assert answer == recorded(draft)
    assert draft.expires_at == MONDAY + timedelta(days=30, minutes=60)


def test_a_submitted_draft_is_finished() -> None:
    draft = opened()
    answer = DRAFTS.submit(draft, origin())
    assert (told(draft), answer) == ([{"act": "submitted"}], recorded(draft))
    assert draft.status == "submitted"


def test_a_discarded_draft_comes_back_with_its_slot_and_a_new_expiry() -> None:
    draft = opened()
    DRAFTS.discard(draft, origin())
    assert draft.status == "discarded"
    DRAFTS.recover(draft, origin(minutes=60))
    assert told(draft) == [
        {"act": "discarded"},
        {"act": "recovered", "expiry_days": 30, "slot": True},
    ]
    assert (draft.status, draft.slot) == ("open", True)
    assert draft.expires_at == MONDAY + timedelta(days=30, minutes=60)


def test_a_draft_that_began_without_a_slot_comes_back_without_one() -> None:
    source = opened({"fee": 1})
    another = saved(DRAFTS.open(Opening("gig", "42"), origin(), slot=False))
    fork = saved(DRAFTS.fork(source, origin(), new=ID, role="owner"))
    for draft in (another, fork):
        DRAFTS.discard(draft, origin())
        DRAFTS.recover(draft, origin())
        assert told(draft)[1] == {"act": "recovered", "expiry_days": 30, "slot": False}
        assert draft.slot is False


def test_recovering_an_open_draft_records_nothing_and_a_submitted_one_is_refused() -> None:
    draft = opened()
    assert DRAFTS.recover(draft, origin()) == receipt(draft)
    assert told(draft) == []
    DRAFTS.submit(draft, origin())
    refused = refusal(DRAFTS.recover, draft, origin())
    assert isinstance(refused, DraftClosed)
    assert refused.draft_status == "submitted"


def test_a_fork_begins_with_its_sources_data_and_belongs_to_who_made_it() -> None:
    source = opened({"fee": 1}, step="lineup", completed_steps=("basics",))
    draft = DRAFTS.fork(source, origin(BEN, minutes=1), new=EVE_ID, role="owner")
    assert told(draft) == [
        {
            "act": "forked",
            "form": "gig",
            "subject": "42",
            "data": {"fee": 1},
            "step": "lineup",
            "completed_steps": ("basics",),
            "expiry_days": 30,
            "slot": False,
            "forked_from": {"draft": str(ID), "version": 1},
        }
    ]
    assert (draft.owner, draft.slot, draft.status) == (BEN, False, "open")
    assert happened(draft)[0].originator_id == EVE_ID


EVE_ID = type(ID)(int=5)


# -- what every command checks, and in which order

CONDITIONAL: dict[str, Callable[..., Answer]] = {
    "edit": lambda d, o, m: DRAFTS.edit(d, replace(EDIT, if_match=m), o),
    "restore": lambda d, o, m: DRAFTS.restore(d, 1, {"fee": 9}, o, if_match=m),
    "undo": lambda d, o, m: DRAFTS.undo(d, Step(1, 1, {}, {"fee": 1}), o, if_match=m),
    "submit": lambda d, o, m: DRAFTS.submit(d, o, if_match=m),
    "discard": lambda d, o, m: DRAFTS.discard(d, o, if_match=m),
}


def refusal(command: Command, draft: Draft, asked: Origin) -> VariorumError:
    """The error that a command is refused with; the draft stays just as it was."""
    before = inside(draft)
    with pytest.raises(VariorumError) as refused:
        command(draft, asked)
    assert inside(draft) == before
    return refused.value


@pytest.mark.parametrize("name", COMMANDS)
def test_a_draft_looks_as_if_it_were_not_there_to_everybody_else(name: str) -> None:
    draft = opened({"fee": 1})
    assert isinstance(refusal(COMMANDS[name], draft, origin(EVE)), DraftNotFound)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_viewer_writes_nothing_and_only_the_owner_finishes_a_draft(name: str) -> None:
    draft = opened({"fee": 1})
    draft.members = {BEN: "editor", EVE: "viewer"}
    assert isinstance(refusal(COMMANDS[name], draft, origin(EVE)), Forbidden)
    if name in MANAGES:
        assert isinstance(refusal(COMMANDS[name], draft, origin(BEN)), Forbidden)
    else:
        assert isinstance(COMMANDS[name](draft, origin(BEN)), Receipt)


@pytest.mark.parametrize("status", ["submitted", "discarded", "expired"])
@pytest.mark.parametrize("name", [*WRITES, "submit", "discard"])
def test_a_finished_draft_stays_finished(name: str, status: str) -> None:
    draft = opened({"fee": 1})
    draft.leave(status, MONDAY)
    refused = refusal(COMMANDS[name], draft, origin())
    assert isinstance(refused, DraftClosed)
    assert refused.draft_status == status


@pytest.mark.parametrize("name", ANY_STATUS)
def test_versions_of_a_finished_draft_still_get_names(name: str) -> None:
    draft = opened({"fee": 1})
    DRAFTS.submit(draft, origin())
    assert isinstance(COMMANDS[name](draft, origin()), Receipt)


@pytest.mark.parametrize("name", CONDITIONAL)
def test_if_match_holds_for_the_versions_that_it_names_only(name: str) -> None:
    draft = with_history([{"fee": 1}, {"fee": 2}])
    refused = refusal(lambda d, o: CONDITIONAL[name](d, o, (1, 3)), draft, origin())
    assert isinstance(refused, VersionMismatch)
    assert refused.version == 2
    assert isinstance(CONDITIONAL[name](draft, origin(), (1, 2)), Receipt)


def used(status: str | None = None) -> Draft:
    """A draft to which the mac has sent its numbers 4 and, after a pause, 7 (version 3)."""
    draft = opened({"fee": 1})
    for seq in (4, 7):
        DRAFTS.edit(draft, fields({"n": seq}), origin(device="mac", seq=seq, digest=f"d{seq}"))
    if status is not None:
        draft.leave(status, MONDAY)
    return saved(draft)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("status", [None, "submitted"])
def test_a_repeated_request_is_told_which_version_it_was(name: str, status: str | None) -> None:
    draft = used(status)
    before = inside(draft)
    again = origin(minutes=9, device="mac", seq=7, digest="d7")
    assert COMMANDS[name](draft, again) == Repeated(3)
    earlier = origin(minutes=9, device="mac", seq=4, digest="other")
    assert COMMANDS[name](draft, earlier) == Earlier("mac", 4, "other", 7)
    assert inside(draft) == before


@pytest.mark.parametrize("name", COMMANDS)
def test_a_number_used_for_another_request_is_refused(name: str) -> None:
    refused = refusal(COMMANDS[name], used(), origin(device="mac", seq=7, digest="other"))
    assert isinstance(refused, SeqReused)
    assert refused.last_seq == 7


def test_a_repetition_is_looked_for_behind_the_gate_and_before_all_else() -> None:
    draft = used("submitted")
    again = origin(device="mac", seq=7, digest="d7")
    assert CONDITIONAL["edit"](draft, again, (99,)) == Repeated(3)
    eve = replace(again, by=EVE)
    assert isinstance(refusal(COMMANDS["edit"], draft, eve), DraftNotFound)


def test_a_closed_draft_is_closed_whatever_if_match_says() -> None:
    draft = used("discarded")
    refused = refusal(lambda d, o: CONDITIONAL["edit"](d, o, (99,)), draft, origin())
    assert isinstance(refused, DraftClosed)


def test_only_recorded_requests_use_a_number_up() -> None:
    draft = opened({"fee": 1})
    DRAFTS.edit(draft, fields({"fee": 1}), origin(device="mac", seq=1, digest="nothing new"))
    refusal(lambda d, o: DRAFTS.edit(d, fields({}, 9), o), draft, origin(device="mac", seq=1))
    DRAFTS.restore(draft, 1, {"fee": 5}, origin(device="mac", seq=1), dry_run=True)
    answer = DRAFTS.edit(draft, fields({"fee": 2}), origin(device="mac", seq=1, digest="d"))
    assert answer == recorded(draft)
    assert draft.devices == {"mac": (1, 2, "d")}


def test_each_device_counts_for_itself_and_may_leave_numbers_out() -> None:
    draft = opened()
    for device, seq in (("mac", 5), ("ipad", 1), ("mac", 50), ("ipad", 2)):
        DRAFTS.edit(draft, fields({device: seq}), origin(device=device, seq=seq, digest="d"))
    assert draft.devices == {"mac": (50, 4, "d"), "ipad": (2, 5, "d")}


# -- templates

CONTACT_HIDDEN = read_form(
    {"form": "gig", "fields": {"/contact": {"sensitive": True}, "/acts/*/fee": {"sensitive": True}}}
)
HIDING = Drafts(Rules(), lambda _: CONTACT_HIDDEN)


def test_what_a_template_hides_goes_to_its_owner_only() -> None:
    template = opened({"title": "Jazz", "contact": {"name": "Zoë"}, "acts": [{"id": 1, "fee": 9}]})
    HIDING.template(template, origin(), on=True)
    wanted = Opening("gig", "43", {"title": "Blues"})
    assert HIDING.from_template(wanted, template, ANN).data == {**template.data, "title": "Blues"}
    assert HIDING.from_template(wanted, template, BEN).data == {
        "title": "Blues",
        "acts": [{"id": 1}],
    }


def test_a_template_is_edited_by_its_editors_and_never_expires() -> None:
    template = opened({"fee": 1})
    template.members = {BEN: "editor"}
    DRAFTS.template(template, origin(), on=True)
    DRAFTS.edit(template, fields({"fee": 2}), origin(BEN, minutes=9))
    DRAFTS.extend(template, origin(minutes=10))
    assert (template.data, template.expires_at, template.version) == ({"fee": 2}, None, 3)
    DRAFTS.template(template, origin(minutes=11), on=False)
    assert template.expires_at == MONDAY + timedelta(days=30, minutes=11)

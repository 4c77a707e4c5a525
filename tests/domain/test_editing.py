"""Saves: what is recorded of an edit, on the version now or merged, and what is answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain import events
from domain.asked import Edit, Rules
from domain.diff import apply
from domain.draft import RECENT, NeedsEvents
from domain.drafts import Drafts
from domain.errors import CannotApply, Clash, Invalid
from domain.receipts import Receipt, receipt
from tests.domain.scenes import (
    ANN,
    DRAFTS,
    ID,
    MONDAY,
    by,
    fields,
    happened,
    inside,
    opened,
    origin,
    put,
    recorded,
    replaced,
    saved,
    set_to,
    told,
    with_history,
)

LONG = "The doors open at eight.\nThe band plays at nine.\nThe bar closes at ten.\n"


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

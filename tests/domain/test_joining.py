"""Another opening that comes into a draft: what it adds, and what clashes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.asked import Opening, Rules
from domain.drafts import Drafts
from domain.filling import shares_a_field
from domain.form import read_form
from domain.receipts import receipt
from domain.value import Data
from tests.domain.scenes import ANN, BEN, DRAFTS, opened, origin, recorded, told


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

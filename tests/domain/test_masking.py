"""Masking: what is hidden, from whom, and what may not come of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import diff, sharing
from domain.asked import Edit, Opening, Rules, Step
from domain.draft import Draft
from domain.drafts import Drafts
from domain.errors import Invalid
from domain.form import read_form
from domain.masking import (
    MASK,
    hides_now,
    hides_past,
    is_sensitive,
    masked,
    masked_change,
    masked_conflict,
    masks,
    with_sensitive_of,
    without_sensitive,
)
from domain.value import Data
from tests.domain.scenes import ANN, BEN, EVE, ID, fields, origin, saved, told

FORM = read_form(
    {
        "form": "gig",
        "fields": {
            "/contact": {"sensitive": True},
            "/venue/phone": {"sensitive": True},
            "/acts": {"key": "code"},
            "/acts/*/fee": {"sensitive": True},
            "/notes/*": {"sensitive": True},
        },
    }
)
PLAIN = read_form({"form": "gig", "fields": {"/contact": {"label": "Contact"}}})
GIG: Data = {
    "title": "Jazz",
    "contact": {"email": "zoe@example.org"},
    "venue": {"city": "Ghent", "phone": "12"},
    "acts": [{"code": "a", "fee": 1, "name": "Foo"}, {"code": "b", "name": "Bar"}],
    "notes": ["one", "two"],
}
DRAFTS = Drafts(Rules(), lambda _: FORM)


def test_a_mask_stands_in_every_sensitive_place_and_in_no_other() -> None:
    assert masked(GIG, FORM) == {
        "title": "Jazz",
        "contact": MASK,
        "venue": {"city": "Ghent", "phone": MASK},
        "acts": [{"code": "a", "fee": MASK, "name": "Foo"}, {"code": "b", "name": "Bar"}],
        "notes": [MASK, MASK],
    }
    assert masked(GIG, PLAIN) is GIG


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("/contact/email", "zoe", MASK),
        ("/contact", None, MASK),
        ("/venue", {"phone": "1"}, {"phone": MASK}),
        ("/venue/city", "Ghent", "Ghent"),
        ("/acts/code:a", 1, 1),
        ("/acts/id:a", {"fee": 1}, {"fee": MASK}),
        ("/acts/0/fee/amount", 1, MASK),
        ("/notes/1", "x", MASK),
        ("/notes", [], []),
    ],
)
def test_a_value_is_masked_by_where_it_is(path: str, value: Any, shown: Any) -> None:
    assert masked(value, FORM, path) == shown


def test_a_change_shows_that_it_was_and_not_what() -> None:
    text = {
        "op": "text",
        "path": "/contact",
        "before": "a",
        "after": "b",
        "segments": [{"keep": "a"}],
    }
    assert masked_change(text, FORM) == {
        "op": "text",
        "path": "/contact",
        "before": MASK,
        "after": MASK,
        "segments": [],
    }
    move = {"op": "move", "path": "/acts/id:a", "from": "/acts/0", "index": 1}
    assert masked_change(move, FORM) == move
    add = {"op": "add", "path": "/acts/id:c", "index": 2, "after": {"code": "c", "fee": 7}}
    assert masked_change(add, FORM)["after"] == {"code": "c", "fee": MASK}


def test_every_side_of_a_conflict_is_masked() -> None:
    side = {"values": {"/contact": 1, "/title": "x"}, "by": ANN, "at": "", "device": None}
    conflict: Any = {"id": "c1", "base": {"/venue": {"phone": 1}}, "ours": side, "theirs": [side]}
    hidden = masked_conflict(conflict, FORM)
    values = {"/contact": MASK, "/title": "x"}
    assert hidden["base"] == {"/venue": {"phone": MASK}}
    assert [one["values"] for one in (hidden["ours"], *hidden["theirs"])] == [values, values]


@pytest.mark.parametrize(
    ("role", "now", "past"),
    [
        ("owner", False, False),
        ("editor", False, True),
        ("viewer", True, True),
        ("auditor", True, True),
    ],
)
def test_who_may_not_edit_sees_none_and_past_ones_sees_the_owner_only(
    role: str, now: bool, past: bool
) -> None:
    assert (hides_now(FORM, role), hides_past(FORM, role)) == (now, past)
    assert not hides_now(PLAIN, role)
    assert not hides_past(PLAIN, role)


def test_paths_that_have_to_do_with_a_sensitive_place_are_told() -> None:
    for path in ("", "/contact", "/contact/email", "/venue", "/acts", "/acts/id:a/fee"):
        assert is_sensitive(FORM, path)
    for path in ("/title", "/venue/city", "/acts/id:a/name", "/contacts"):
        assert not is_sensitive(FORM, path)


# -- laws

values = st.recursive(
    st.none() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "fee", "phone", "name"]), inner, max_size=3)
    ),
    max_leaves=8,
)
data = st.dictionaries(
    st.sampled_from(["title", "contact", "venue", "acts", "notes"]), values, max_size=5
)


@given(data)
def test_nothing_sensitive_is_left_and_all_else_is(one: Data) -> None:
    assert without_sensitive(masked(one, FORM), FORM) == without_sensitive(one, FORM)
    assert with_sensitive_of(one, masked(one, FORM), FORM) == one
    assert list(masks(one, FORM)) == []
    assert bool(list(masks(masked(one, FORM), FORM))) == (masked(one, FORM) != one)


@given(data, data)
def test_what_is_kept_of_now_is_all_that_is_sensitive(now: Data, then: Data) -> None:
    kept = with_sensitive_of(now, then, FORM)
    assert kept.get("contact") == now.get("contact")
    assert with_sensitive_of(now, kept, FORM) == kept
    past = {**then, "contact": "secret", "venue": {"phone": "secret"}}
    assert "secret" not in str(with_sensitive_of(now, past, FORM))


# -- in commands


def shared(role: sharing.Role = "editor") -> Draft:
    """Ann's draft, which Ben edits, whose contact was another at version 1."""
    draft = DRAFTS.open(Opening("gig", "42", GIG), origin(), new=ID, slot=True)
    sharing.share(draft, BEN, role, origin())
    DRAFTS.edit(draft, fields({"contact": "new", "title": "Blues"}), origin())
    return saved(draft)


def test_a_restore_by_somebody_else_leaves_sensitive_places_as_they_are() -> None:
    draft = shared()
    DRAFTS.restore(draft, 1, GIG, origin(BEN))
    assert draft.data == {**GIG, "contact": "new"}
    assert [change["path"] for change in told(draft)[0]["changes"]] == ["/title"]
    saved(draft)
    DRAFTS.restore(draft, 1, GIG, origin(BEN), paths=["/contact"])
    assert told(draft) == []
    DRAFTS.restore(draft, 1, GIG, origin())
    assert draft.data == GIG


def test_an_undo_by_somebody_else_does_too() -> None:
    draft = shared()
    step = Step(3, 3, GIG, {**GIG, "contact": "new", "title": "Blues"})
    done = DRAFTS.undo(draft, step, origin(BEN))
    assert draft.data == {**GIG, "contact": "new"}
    assert getattr(done, "outcomes", None) == ({"path": "/title", "outcome": "undone"},)
    draft = shared()
    DRAFTS.undo(draft, step, origin())
    assert draft.data == GIG


@pytest.mark.parametrize(
    ("role", "past", "whole"),
    [
        ("owner", True, True),
        ("owner", False, True),
        ("editor", True, False),
        ("editor", False, True),
        ("viewer", False, False),
        ("viewer", True, False),
    ],
)
def test_a_fork_holds_what_its_maker_may_see(role: str, past: bool, whole: bool) -> None:
    draft = shared()
    fork = DRAFTS.fork(draft, origin(EVE), new=ID, role=role, past=past)
    assert fork.data == (draft.data if whole else without_sensitive(draft.data, FORM))


MASKED_EDITS = {
    "a change": Edit(changes=[{"op": "add", "path": "/contact", "value": MASK}]),
    "a change within": Edit(changes=[{"op": "add", "path": "/contact", "value": {"email": MASK}}]),
    "an item": Edit(
        changes=[{"op": "add", "path": "/acts/-", "value": {"code": "c", "fee": MASK}}]
    ),
    "the whole form": Edit(data={**GIG, "contact": MASK}, based_on=3),
    "on an old version": Edit(data={**GIG, "contact": MASK}, based_on=1),
    "a merge patch": Edit(merge_patch={"venue": {"phone": MASK}}),
    "a merge patch of an object": Edit(merge_patch={"contact": MASK}),
}


@pytest.mark.parametrize("edit", MASKED_EDITS.values(), ids=MASKED_EDITS)
def test_a_mask_that_is_sent_back_is_refused(edit: Edit) -> None:
    draft = shared()
    before = draft.data
    with pytest.raises(Invalid, match="A mask is no value"):
        DRAFTS.edit(draft, edit, origin(BEN, device="mac"))
    assert (draft.data, told(draft)) == (before, [])


def test_no_draft_begins_with_a_mask_and_none_is_filled_with_one() -> None:
    opening = Opening("gig", "42", {"contact": MASK})
    with pytest.raises(Invalid):
        DRAFTS.open(opening, origin(), slot=True)
    with pytest.raises(Invalid):
        DRAFTS.fill(shared(), opening, origin())


def test_a_mask_elsewhere_is_a_value_like_any_other() -> None:
    draft = shared()
    DRAFTS.edit(draft, fields({"title": MASK}), origin(BEN))
    assert draft.data["title"] == MASK


def test_a_value_that_became_sensitive_later_hinders_no_edit() -> None:
    draft = Drafts(Rules()).open(Opening("gig", "42", {"contact": MASK}), origin(), slot=True)
    DRAFTS.edit(draft, fields({"title": "x"}), origin())
    assert draft.data == {"contact": MASK, "title": "x"}


def test_changes_of_a_restore_apply_to_what_is_there() -> None:
    draft = shared()
    now = draft.data
    DRAFTS.restore(draft, 1, GIG, origin(BEN))
    assert diff.apply(told(draft)[0]["changes"], now) == draft.data

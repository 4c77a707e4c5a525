"""How drafts begin: what is recorded of an opening, a fork, and what comes from a template."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.asked import Opening, Rules
from domain.drafts import Drafts
from domain.errors import Invalid
from domain.form import read_form
from domain.value import Data
from tests.domain.scenes import (
    ANN,
    BEN,
    DRAFTS,
    ID,
    MONDAY,
    fields,
    happened,
    inside,
    opened,
    origin,
    saved,
    told,
)

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


# -- forking


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

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from datetime import timedelta
from typing import Any

import pytest
from eventsourcing.utils import get_topic, resolve_topic
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.asked import Edit, Opening
from domain.change import members_added
from domain.draft import RECENT, Draft, NeedsEvents
from domain.errors import DraftClosed, VariorumError
from domain.event import DraftEvent
from domain.origin import Origin
from domain.value import Data, count_members
from tests.domain.scenes import (
    ANN,
    BEN,
    COMMANDS,
    DRAFTS,
    ID,
    MONDAY,
    fields,
    happened,
    history,
    inside,
    opened,
    origin,
    saved,
    set_to,
    with_history,
)
from tests.domain.strategies import edits

TOPICS = {
    "Created": "draft.opened",
    "Forked": "draft.forked",
    "Imported": "draft.imported",
    "Edited": "draft.edited",
    "Merged": "draft.merged",
    "Restored": "draft.restored",
    "Undone": "draft.undone",
    "Resolved": "draft.resolved",
    "Labelled": "draft.labelled",
    "Unlabelled": "draft.unlabelled",
    "Shared": "draft.shared",
    "Unshared": "draft.unshared",
    "HandedOver": "draft.handed_over",
    "Extended": "draft.extended",
    "Submitted": "draft.submitted",
    "Discarded": "draft.discarded",
    "Expired": "draft.expired",
    "Recovered": "draft.recovered",
    "MadeTemplate": "draft.made_template",
    "UnmadeTemplate": "draft.unmade_template",
}


def event_classes(above: type = DraftEvent) -> Iterator[type]:
    below: type
    for below in above.__subclasses__():
        yield below
        yield from event_classes(below)


# -- stored names


def test_every_stored_event_has_the_name_that_it_has_had_since_the_first_release() -> None:
    stored = {c.__name__: get_topic(c) for c in event_classes() if hasattr(c, "TOPIC")}
    assert stored == TOPICS
    assert get_topic(Draft) == "draft"


def test_every_stored_name_leads_to_its_class() -> None:
    assert {name: resolve_topic(topic) for name, topic in TOPICS.items()} == {
        name: getattr(Draft, name) for name in TOPICS
    }


def test_the_act_of_an_event_is_the_last_part_of_its_name() -> None:
    draft = opened()
    DRAFTS.submit(draft, origin())
    assert [event.act for event in history(draft)] == ["opened", "submitted"]


def test_an_event_says_who_when_where_by_which_request_and_why() -> None:
    asked = Origin(ANN, MONDAY, "mac", 3, "d1", "req-1", "::1", "agency quote")
    draft = opened()
    DRAFTS.edit(draft, fields({"fee": 1}), asked)
    assert asdict(happened(draft)[0]) == {
        "originator_id": ID,
        "originator_version": 2,
        "timestamp": MONDAY,
        "by": ANN,
        "device": "mac",
        "seq": 3,
        "digest": "d1",
        "request": "req-1",
        "address": "::1",
        "reason": "agency quote",
        "changes": [{"op": "add", "path": "/fee", "after": 1}],
        "conflicts": None,
        "closed": None,
        "based_on": None,
        "sent": None,
        "step": None,
        "completed_steps": None,
        "expiry_days": None,
    }


# -- what it remembers


def test_a_draft_gives_the_events_after_a_version_oldest_first() -> None:
    draft = with_history([{"n": n} for n in range(4)])
    assert [event.originator_version for event in draft.since(2)] == [3, 4]
    assert draft.since(4) == []


def long_draft(versions: int) -> tuple[Draft, list[DraftEvent]]:
    """A draft with so many versions, and all its events."""
    draft = DRAFTS.open(Opening("gig"), origin(), new=ID, slot=False)
    for number in range(2, versions + 1):
        DRAFTS.edit(draft, fields({"n": number}), origin())
    return draft, [e for e in draft.collect_events() if isinstance(e, DraftEvent)]


def test_a_draft_remembers_at_least_its_last_256_events_and_asks_for_older_ones() -> None:
    draft, _ = long_draft(3 * RECENT)
    assert len(draft.recent) < 3 * RECENT
    assert [e.originator_version for e in draft.since(2 * RECENT)] == list(
        range(2 * RECENT + 1, 3 * RECENT + 1)
    )
    with pytest.raises(NeedsEvents) as asks:
        draft.since(1)
    assert asks.value.version == 1


def test_a_draft_that_is_given_older_events_remembers_them() -> None:
    draft, events = long_draft(3 * RECENT)
    draft.recall(events[1 : draft.version - len(draft.recent) + 5])
    assert draft.since(1) == events[1:]


def test_events_that_do_not_reach_what_is_known_are_no_memory() -> None:
    draft, events = long_draft(3 * RECENT)
    before = inside(draft)
    draft.recall(events[1:9])
    assert inside(draft) == before
    with pytest.raises(NeedsEvents):
        draft.since(1)


def test_what_is_known_when_it_is_recalled_is_not_forgotten_soon() -> None:
    draft, events = long_draft(2 * RECENT)
    draft.recall(events[99:])
    DRAFTS.edit(draft, fields({"m": 1}), origin())
    assert draft.since(99) == events[99:] + happened(draft)


def test_what_was_recalled_stays_known_while_the_draft_goes_on() -> None:
    draft, events = long_draft(3 * RECENT)
    draft.recall(events[1:])
    for number in range(RECENT):
        DRAFTS.edit(draft, fields({"m": number}), origin())
    assert draft.since(1) == events[1:] + happened(draft)


# -- what it is


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ({"title": "Jazz", "name": "x"}, "Jazz"),
        ({"name": "Jazz"}, "Jazz"),
        ({"title": 5, "name": "Jazz"}, "Jazz"),
        ({"title": ""}, ""),
        ({"title": None}, None),
        ({}, None),
    ],
)
def test_the_title_is_the_text_at_title_or_else_at_name(data: Data, title: str | None) -> None:
    assert opened(data).title == title


def test_a_role_is_the_owners_a_members_or_none() -> None:
    draft = opened()
    draft.members = {BEN: "viewer"}
    assert [draft.role_of(who) for who in (ANN, BEN, "")] == ["owner", "viewer", None]


def test_a_draft_that_is_not_open_says_what_it_is() -> None:
    draft = opened()
    draft.must_be_open()
    DRAFTS.discard(draft, origin())
    with pytest.raises(DraftClosed) as closed:
        draft.must_be_open()
    assert closed.value.draft_status == "discarded"


def test_a_copy_goes_its_own_way_and_leaves_the_draft_as_it_is() -> None:
    draft = opened({"acts": [{"id": "a", "fee": 1}]})
    DRAFTS.label(draft, 1, "first", origin(device="mac", seq=1))
    before = inside(saved(draft))
    copy = draft.copy()
    assert inside(copy) == before
    DRAFTS.edit(copy, Edit(changes=[{"op": "remove", "path": "/acts/0"}]), origin(device="mac"))
    DRAFTS.label(copy, 2, "second", origin(device="mac", seq=2))
    DRAFTS.submit(copy, origin())
    assert inside(draft) == before
    assert (copy.data, copy.labels, copy.status) == (
        {"acts": []},
        {1: "first", 2: "second"},
        "submitted",
    )


@given(st.lists(edits(1), min_size=1, max_size=2))
@settings(max_examples=50, deadline=None)
def test_a_draft_always_knows_how_many_members_it_has(steps: list[tuple[Data, Data]]) -> None:
    draft = opened()
    for state in (data for step in steps for data in step):
        members = draft.member_count
        DRAFTS.edit(draft, set_to(state), origin())
        changes = happened(draft)[-1].changes if happened(draft) else ()  # type: ignore[attr-defined]
        saved(draft)
        assert draft.member_count == count_members(state) == members + members_added(changes)


@given(st.lists(st.tuples(st.integers(-90, 90), st.integers(1, 60)), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_the_expiry_never_moves_back_whatever_the_clock_and_the_setting_say(
    steps: list[tuple[int, int]],
) -> None:
    draft = opened()
    for days, expiry_days in steps:
        before = draft.expires_at
        assert before is not None
        draft.put_off_expiry(MONDAY + timedelta(days=days), expiry_days)
        assert draft.expires_at == max(before, MONDAY + timedelta(days=days + expiry_days))


@given(edits(2))
@settings(max_examples=40, deadline=None)
def test_a_draft_folded_from_its_events_is_the_draft(states: tuple[Data, ...]) -> None:
    draft = with_history(states)
    folded: Any = None
    for event in history(draft):
        folded = event.mutate(folded)
    assert inside(folded) == inside(draft)


def test_every_event_says_what_its_class_knows_and_equals_one_made_by_the_library() -> None:
    for command in COMMANDS.values():
        draft = opened({"title": "Jazz", "fee": 100})
        with suppress(VariorumError):
            command(draft, origin(minutes=1, device="mac", seq=1, digest="d"))
        for event in happened(draft):
            assert set(vars(event)) <= {field.name for field in dataclass_fields(event)}
            assert event == type(event)(**vars(event))

"""The drafts that the writer holds: as many as fit into the memory that it may take."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from api.held import Held, HeldDrafts
from domain.asked import Opening, Rules
from domain.chain import FIRST
from domain.draft import Draft
from domain.drafts import Drafts
from domain.origin import Origin
from domain.recent import Recent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def draft() -> Draft:
    return Drafts(Rules()).open(Opening("gig"), Origin("k", NOON), slot=False, new=uuid4())


def test_the_least_recently_used_drafts_give_way() -> None:
    drafts = [Held(draft(), FIRST, 0, 1_000) for _ in range(4)]
    held = HeldDrafts(3 * drafts[0].weight)
    for one in drafts[:3]:
        held.put(one)
    held.get(drafts[0].draft.id)
    held.put(drafts[3])
    assert [one.draft.id in held for one in drafts] == [True, False, True, True]


def test_who_only_looks_at_a_draft_does_not_keep_it_from_giving_way() -> None:
    drafts = [Held(draft(), FIRST, 0, 1_000) for _ in range(3)]
    held = HeldDrafts(2 * drafts[0].weight)
    for one in drafts[:2]:
        held.put(one)
    assert held.peek(drafts[0].draft.id) == (drafts[0].draft, FIRST)
    held.put(drafts[2])
    assert held.peek(drafts[0].draft.id) is None


def test_a_load_never_replaces_a_newer_draft() -> None:
    held, old = HeldDrafts(10**6), draft()
    new = old.copy()
    new.version = 2
    held.put(Held(new, FIRST, 0, 0))
    held.put_if_newer(Held(old, FIRST, 0, 0))
    assert (found := held.get(old.id)) is not None
    assert found.draft.version == 2


def test_the_events_that_a_draft_remembers_weigh_too() -> None:
    light, heavy = draft(), draft()
    heavy.recent = Recent(heavy.recent[:] * 30_000)
    assert Held(heavy, FIRST, 0, 0).weight > 1_000 * Held(light, FIRST, 0, 0).weight

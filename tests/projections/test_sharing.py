"""Sharing in the registers, and what members, links and auditors read; on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from domain import sharing
from domain.draft import Draft
from domain.errors import DraftNotFound, Forbidden, SlotTaken
from domain.sharing import NewLink
from projections.rebuild import rebuild
from projections.store.base import Store, VersionFilter
from projections.store.records import LinkRow
from tests.domain.scenes import ANN, BEN, DRAFTS, EVE, MONDAY, origin
from tests.projections.histories import EVERY_DRAFT, Desk, desk, level, log_of, page, states_of

LINK = "link:a1b2"
AUDITOR = f"auditor:{EVE}"


@pytest.fixture
async def ann(store: Store) -> AsyncIterator[Desk]:
    """Ann's desk, and everybody's names."""
    for sub, key in (("ann", ANN), ("ben", BEN), ("eve", EVE)):
        await store.people.new_key(sub, key)
    async with desk(store) as opened:
        yield opened


async def share(ann: Desk, draft: UUID, principal: str, role: sharing.Role) -> None:
    await ann.run(draft, partial(sharing.share, principal=principal, role=role, origin=origin()))


async def share_by_link(ann: Desk, draft: UUID, role: sharing.Role = "viewer") -> None:
    link = NewLink("a1b2", role, "hash", MONDAY + timedelta(days=1))
    await ann.run(draft, partial(sharing.share_by_link, link=link, origin=origin()))


async def unshare(ann: Desk, draft: UUID, principal: str, by: str = ANN) -> None:
    await ann.run(draft, partial(sharing.unshare, principal=principal, origin=origin(by)))


async def roles(store: Store, draft: UUID) -> dict[str, str | None]:
    """What everybody reads the draft as; None for those to whom it is not there."""
    found: dict[str, str | None] = {}
    for principal in (ANN, BEN, EVE, LINK, AUDITOR):
        reading = await store.read(principal, draft)
        found[principal] = reading.role if reading else None
        assert await store.role(principal, draft) == found[principal]
    return found


NOBODY = dict.fromkeys((ANN, BEN, EVE, LINK))


async def test_roles_given_and_taken_hold_for_reading_at_once(store: Store, ann: Desk) -> None:
    draft = await ann.open({"n": 1})
    assert await roles(store, draft) == {**NOBODY, ANN: "owner", AUDITOR: "auditor"}
    await share(ann, draft, BEN, "viewer")
    await share(ann, draft, EVE, "editor")
    await share_by_link(ann, draft, "editor")
    assert await roles(store, draft) == {
        ANN: "owner",
        BEN: "viewer",
        EVE: "editor",
        LINK: "editor",
        AUDITOR: "editor",
    }
    await share(ann, draft, BEN, "editor")
    await unshare(ann, draft, EVE, by=EVE)
    await ann.run(draft, partial(sharing.take_link_back, link="a1b2", origin=origin()))
    assert await roles(store, draft) == {
        **NOBODY,
        ANN: "owner",
        BEN: "editor",
        AUDITOR: "auditor",
    }


async def test_of_a_draft_that_is_not_there_nobody_reads_anything(store: Store, ann: Desk) -> None:
    missing = UUID(int=9)
    assert await roles(store, missing) == {**NOBODY, AUDITOR: None}


async def test_whoever_comes_in_may_write_in_the_same_group_and_whoever_goes_before(
    store: Store, ann: Desk
) -> None:
    """Jobs that are queued at once are saved in one transaction."""
    draft = await ann.open({"n": 0})
    head = await store.log.head()
    answers: list[Awaitable[Any]] = [
        share(ann, draft, BEN, "editor"),
        ann.edit(draft, {"n": 1}, origin(BEN)),
        share(ann, draft, BEN, "viewer"),
        share(ann, draft, BEN, "editor"),
        unshare(ann, draft, BEN),
        share(ann, draft, EVE, "viewer"),
        unshare(ann, draft, EVE, by=EVE),
        share(ann, draft, EVE, "editor"),
        unshare(ann, draft, EVE, by=EVE),
        share(ann, draft, EVE, "viewer"),
    ]
    await asyncio.gather(*answers)
    assert await store.log.head() == head + len(answers)
    assert await roles(store, draft) == {
        **NOBODY,
        ANN: "owner",
        EVE: "viewer",
        AUDITOR: "viewer",
    }


async def test_a_link_is_found_by_its_id_until_it_is_taken_back(store: Store, ann: Desk) -> None:
    draft = await ann.open()
    await share_by_link(ann, draft)
    tomorrow = MONDAY + timedelta(days=1)
    assert await store.link("a1b2") == LinkRow("a1b2", draft, "viewer", "hash", tomorrow)
    await ann.run(draft, partial(sharing.take_link_back, link="a1b2", origin=origin()))
    assert await store.link("a1b2") is None
    assert await store.link("unknown") is None


async def test_a_link_writes_in_its_own_name_to_its_draft_only(store: Store, ann: Desk) -> None:
    draft, other = await ann.open(), await ann.open()
    await share_by_link(ann, draft, "editor")
    await ann.edit(draft, {"n": 1}, origin(LINK))
    with pytest.raises(DraftNotFound):
        await ann.edit(other, {"n": 1}, origin(LINK))
    (line, *_) = await store.versions(LINK, draft, VersionFilter())
    assert line[1:3] == ("edited", LINK)


async def test_the_register_stops_a_viewer_whom_the_process_takes_for_an_editor(
    store: Store, ann: Desk
) -> None:
    draft = await ann.open()
    await share(ann, draft, BEN, "viewer")
    held = ann.writer._held.get(draft)
    assert held is not None
    held.draft.members = {BEN: "editor"}
    with pytest.raises(Forbidden):
        await ann.edit(draft, {"n": 1}, origin(BEN))
    await unshare(ann, draft, BEN, by=BEN)  # leaving is all that a viewer may do
    assert [record.topic for record in await log_of(store, draft)][-1] == "draft.unshared"


# -- handing over


async def hand_over(ann: Desk, draft: UUID, to: str, by: str = ANN) -> None:
    await ann.run(draft, partial(sharing.hand_over, principal=to, origin=origin(by)))


async def test_with_a_draft_goes_its_slot(store: Store, ann: Desk) -> None:
    draft = await ann.open(subject="42", slot=True)
    await hand_over(ann, draft, BEN)
    assert await store.holder_of_slot(ANN, "gig", "42") is None
    assert await store.holder_of_slot(BEN, "gig", "42") == draft
    assert await roles(store, draft) == {
        **NOBODY,
        ANN: "editor",
        BEN: "owner",
        AUDITOR: "auditor",
    }
    again = await ann.open(subject="42", slot=True)  # the place is free
    assert await store.holder_of_slot(ANN, "gig", "42") == again


async def test_into_a_taken_slot_nothing_is_handed_over(store: Store, ann: Desk) -> None:
    draft = await ann.open(subject="42", slot=True)
    theirs = await ann.open(asked=origin(BEN), subject="42", slot=True)
    with pytest.raises(SlotTaken) as refused:
        await hand_over(ann, draft, BEN)
    assert refused.value.draft == str(theirs)
    assert await store.holder_of_slot(ANN, "gig", "42") == draft
    assert (await roles(store, draft))[ANN] == "owner"
    await ann.edit(draft, {"n": 1})


async def test_a_draft_without_a_slot_is_handed_over_beside_the_one_that_has_it(
    store: Store, ann: Desk
) -> None:
    theirs = await ann.open(asked=origin(BEN), subject="42", slot=True)
    another = await ann.open(subject="42")
    closed = await ann.open(subject="42", slot=True)
    await ann.run(closed, DRAFTS.discard, origin())
    for draft in (another, closed):
        await hand_over(ann, draft, BEN)
    assert await store.holder_of_slot(BEN, "gig", "42") == theirs
    with pytest.raises(SlotTaken):
        await ann.run(closed, DRAFTS.recover, origin(BEN))


# -- lists and what is read besides


async def test_lists_show_what_is_shared_with_somebody_and_in_which_role(
    store: Store, ann: Desk
) -> None:
    draft = await ann.open({"title": "Ours"})
    own = await ann.open(asked=origin(BEN))
    await share(ann, draft, BEN, "viewer")
    assert {(row["draft"], row["role"], row["owner"]) for row in await page(store, by=BEN)} == {
        (own, "owner", BEN),
        (draft, "viewer", ANN),
    }
    await hand_over(ann, draft, EVE)
    assert [(row["role"], row["owner"]) for row in await page(store)] == [("editor", EVE)]
    assert await store.drafts(AUDITOR, EVERY_DRAFT) == []


async def test_an_auditor_reads_every_part_of_every_draft(store: Store, ann: Desk) -> None:
    draft = await ann.open({"n": 0})
    await ann.edits(draft, [{"n": n} for n in range(1, 30)])
    await ann.run(draft, DRAFTS.label, 2, "second", origin())
    await level(store)
    everything = VersionFilter(limit=100)
    owners, auditors = [
        [
            await store.versions(who, draft, everything),
            await store.versions(who, draft, VersionFilter(path="/n", limit=100)),
            await store.sessions(who, draft, everything),
            await store.version_at(who, draft, MONDAY + timedelta(days=1)),
            await store.event(who, draft, 3),
            await store.chains.of_draft(who, draft, 0),
            await store.label_of(who, draft, 2),
        ]
        for who in (ANN, AUDITOR)
    ]
    assert auditors == owners
    for upto in (None, 3, 20):
        mine, theirs = await store.read(ANN, draft, upto), await store.read(AUDITOR, draft, upto)
        assert mine is not None
        assert theirs is not None
        assert (theirs.head, theirs.body, theirs.tail) == (mine.head, mine.body, mine.tail)


async def test_a_draft_knows_its_members_and_links_whenever_it_is_loaded(
    store: Store, ann: Desk
) -> None:
    draft = await ann.open({"n": 0})
    await share(ann, draft, BEN, "editor")
    await share_by_link(ann, draft)
    await ann.edits(draft, [{"n": n} for n in range(40)])
    ann.writer._held.drop(draft)
    loaded: Draft = await ann.writer.held(draft)
    last = states_of(await log_of(store, draft))[-1]
    assert (loaded.members, loaded.links) == (last.members, last.links) != ({}, {})
    await rebuild(store)
    assert (await roles(store, draft))[LINK] == "viewer"
    await ann.edit(draft, {"n": -1}, origin(BEN))

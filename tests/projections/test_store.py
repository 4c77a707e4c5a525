"""The writer's side of a store: groups, registers, the log; the same on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.asked import Opening
from domain.chain import FIRST
from domain.draft import Draft
from domain.errors import Forbidden
from projections.snapshot import state_of
from projections.store.base import Store
from projections.store.log import Moves
from projections.store.records import Committed, Group, Loaded, Moved, Record, Resting, Taken
from tests.domain.scenes import ANN, BEN, DRAFTS, MONDAY, fields, origin
from tests.projections.histories import (
    CHAIN,
    EVERY_VERSION,
    desk,
    group_of,
    lines,
    log_of,
    new_draft,
    saved,
)

STRANGER = "eve-key-0001"


async def everything(store: Store) -> list[Record]:
    """The whole log, in the order of commits."""
    return [line.record for line in await store.log.lines(0, 10_000)]


# -- groups


async def test_a_saved_group_stands_in_the_log_in_its_order(store: Store) -> None:
    one, other = new_draft({"n": 1}), new_draft({"n": 2})
    DRAFTS.edit(one, fields({"n": 3}), origin())
    group = group_of((one, FIRST), (other, FIRST))
    outcome = await store.save(group)
    assert isinstance(outcome, Committed)
    assert await everything(store) == group.records
    assert await store.log.head() == outcome.head
    assert (await store.log.lines(0, 10))[-1].position == outcome.head


async def test_positions_in_the_log_only_rise(store: Store) -> None:
    heads = []
    for _ in range(3):
        outcome = await store.save(group_of((new_draft(), FIRST)))
        assert isinstance(outcome, Committed)
        heads.append(outcome.head)
    positions = [line.position for line in await store.log.lines(0, 10)]
    assert positions == heads == sorted(set(heads))
    assert [line.position for line in await store.log.lines(heads[0], 1)] == [heads[1]]


async def test_moves_tell_how_far_each_draft_came_in_a_stretch_of_the_log(store: Store) -> None:
    one, other = new_draft({"n": 1}), new_draft({"n": 2})
    DRAFTS.edit(one, fields({"n": 3}), origin())
    await store.save(group_of((one, FIRST), (other, FIRST)))
    first, second, third = [line.position for line in await store.log.lines(0, 10)]
    assert await store.log.moves(0, 10) == Moves(third, 3, {one.id: 2, other.id: 1})
    assert await store.log.moves(0, 1) == Moves(first, 1, {one.id: 1})
    assert await store.log.moves(first, 1) == Moves(second, 1, {one.id: 2})
    assert await store.log.moves(third, 10) == Moves(0, 0, {})


async def test_an_empty_log_has_no_head_no_lines_and_no_drafts(store: Store) -> None:
    assert (await store.log.head(), await store.log.lines(0, 10)) == (0, [])
    assert await store.log.count_drafts() == 0
    assert await store.log.draft_ids(UUID(int=0), 10) == []


async def seen_elsewhere(store: Store) -> tuple[Draft, bytes, Draft]:
    """A stored draft, its link, and the same draft as a process sees it that lags behind."""
    draft = new_draft({"fee": 1}, slot=True)
    link = await saved(store, draft)
    behind = draft.copy()
    DRAFTS.edit(draft, fields({"fee": 2}), origin())
    await store.save(group_of((draft, link)))
    return draft, link, behind


async def test_a_group_that_saw_an_older_version_saves_nothing_and_names_the_draft(
    store: Store,
) -> None:
    draft, link, behind = await seen_elsewhere(store)
    before = await everything(store)
    DRAFTS.submit(behind, origin())
    innocent = new_draft({"n": 1})
    outcome = await store.save(group_of((innocent, FIRST), (behind, link)))
    assert outcome == Moved([draft.id])
    assert await everything(store) == before
    assert await store.holder_of_slot(ANN, "gig", None) == draft.id
    assert await store.read(ANN, innocent.id) is None


async def test_a_group_that_records_nothing_is_told_what_moved_as_well(store: Store) -> None:
    draft, _, behind = await seen_elsewhere(store)
    other = uuid4()
    assert await store.save(Group(seen={draft.id: 2, other: 0})) == Committed(0)
    assert await store.save(Group(seen={behind.id: 1, other: 0})) == Moved([draft.id])
    assert await store.save(Group(seen={draft.id: 3, other: 1})) == Moved([draft.id, other])


async def test_a_draft_begins_once(store: Store) -> None:
    first = new_draft({"n": 1})
    second = DRAFTS.open(Opening("gig"), origin(BEN), new=first.id, slot=False)
    await saved(store, first)
    assert await store.save(group_of((second, FIRST))) == Moved([first.id])


async def test_an_event_by_somebody_without_access_is_refused_with_its_whole_group(
    store: Store,
) -> None:
    draft, other = new_draft({"fee": 1}), new_draft()
    link = await saved(store, draft)
    draft.members = {STRANGER: "editor"}
    DRAFTS.edit(draft, fields({"fee": 2}), origin(STRANGER))
    before = await everything(store)
    with pytest.raises(Forbidden):
        await store.save(group_of((other, FIRST), (draft, link)))
    assert await everything(store) == before
    assert await store.read(ANN, other.id) is None
    assert await store.holder_of_slot(ANN, "gig", None) is None


async def test_a_kept_state_takes_the_place_of_a_resting_one(store: Store) -> None:
    draft = new_draft({"fee": 1})
    link = await saved(store, draft)
    await store.read_models.rest([(state_of(draft, link, resting=True), Resting("1"))])
    assert await _kept(store, draft.id) == 0
    DRAFTS.edit(draft, fields({"fee": 2}), origin())
    group = group_of((draft, link))
    last = group.records[-1].hash
    await store.read_models.rest([(state_of(draft, last, resting=True), Resting("2"))])
    group.states = [state_of(draft, last)]
    await store.save(group)
    assert await _kept(store, draft.id) == 2


async def _kept(store: Store, draft: UUID) -> int:
    loaded = await store.load(draft)
    assert loaded is not None
    return loaded.kept


# -- registers


async def test_opening_takes_the_slot_and_leaving_open_gives_it_free(store: Store) -> None:
    async with desk(store) as ann:
        draft = await ann.open(subject="42", slot=True)
        assert await store.holder_of_slot(ANN, "gig", "42") == draft
        await ann.run(draft, DRAFTS.submit, origin())
        assert await store.holder_of_slot(ANN, "gig", "42") is None
        draft = await ann.open(subject="42", slot=True)
        await ann.run(draft, DRAFTS.discard, origin())
        assert await store.holder_of_slot(ANN, "gig", "42") is None
        await ann.run(draft, DRAFTS.recover, origin())
        assert await store.holder_of_slot(ANN, "gig", "42") == draft


async def test_each_owner_form_and_subject_has_a_slot_of_its_own(store: Store) -> None:
    places = [
        (by, form, subject)
        for by in (ANN, BEN)
        for form in ("gig", "venue")
        for subject in (None, "", "42", "null")
    ]
    async with desk(store) as both:
        holders = [
            await both.open({}, origin(by), form=form, subject=subject, slot=True)
            for by, form, subject in places
        ]
    assert [await store.holder_of_slot(*place) for place in places] == holders


async def test_a_taken_slot_names_its_holder_and_saves_nothing(store: Store) -> None:
    holder = new_draft(subject="42", slot=True)
    await saved(store, holder)
    before = await everything(store)
    other, innocent = new_draft(subject="42", slot=True), new_draft()
    outcome = await store.save(group_of((innocent, FIRST), (other, FIRST)))
    assert outcome == Taken([holder.id])
    assert await everything(store) == before
    assert await store.read(ANN, innocent.id) is None


async def test_recovering_into_a_taken_slot_names_its_holder(store: Store) -> None:
    draft = new_draft(subject="42", slot=True)
    DRAFTS.discard(draft, origin())
    link = await saved(store, draft)
    holder = new_draft(subject="42", slot=True)
    await saved(store, holder)
    DRAFTS.recover(draft, origin())
    assert await store.save(group_of((draft, link))) == Taken([holder.id])


async def test_forks_and_further_drafts_take_no_slot(store: Store) -> None:
    async with desk(store) as ann:
        draft = await ann.open({"fee": 1}, subject="42", slot=True)
        await ann.open({"fee": 1}, subject="42")
        fork = DRAFTS.fork(new_draft({"fee": 1}, subject="42"), origin(), new=uuid4(), role="owner")
        await saved(store, fork)
    assert await store.holder_of_slot(ANN, "gig", "42") == draft


async def test_labels_stand_beside_their_versions(store: Store) -> None:
    async with desk(store) as ann:
        draft = await ann.open({"fee": 1})
        await ann.edit(draft, {"fee": 2})
        for version, label in ((1, "first"), (2, "second"), (1, "1st")):
            await ann.run(draft, DRAFTS.label, version, label, origin())
        await ann.run(draft, DRAFTS.unlabel, 2, origin())
    assert [await store.label_of(ANN, draft, n) for n in (1, 2, 3, 99)] == ["1st", None, None, None]
    assert await store.label_of(BEN, draft, 1) is None


async def test_a_version_may_get_its_label_in_the_group_that_saves_it(store: Store) -> None:
    draft = new_draft({"fee": 1})
    DRAFTS.label(draft, 1, "first", origin())
    DRAFTS.edit(draft, fields({"fee": 2}), origin())
    DRAFTS.label(draft, 3, "third", origin())
    DRAFTS.unlabel(draft, 1, origin())
    await saved(store, draft)
    rows = await store.versions(ANN, draft.id, EVERY_VERSION)
    assert {row[0]: row[6] for row in rows} == {1: None, 2: None, 3: "third", 4: None, 5: None}


# -- the log of one draft


async def test_a_draft_that_is_not_there_loads_as_none(store: Store) -> None:
    assert await store.load(uuid4()) is None
    assert await store.events(uuid4(), 0, 9) == []


async def test_loading_gives_the_newest_whole_state_and_all_after_it(store: Store) -> None:
    draft = new_draft({"fee": 1})
    link = await saved(store, draft)
    first = await log_of(store, draft.id)
    assert await store.load(draft.id) == Loaded(None, first, 0)
    state = state_of(draft, link)
    DRAFTS.edit(draft, fields({"fee": 2}), origin())
    await store.save(replace(group_of((draft, link)), states=[state]))
    second = await log_of(store, draft.id)
    assert await store.load(draft.id) == Loaded(state, second[1:], 1)
    resting = state_of(draft, second[-1].hash, resting=True)
    await store.read_models.rest([(resting, Resting("2"))])
    assert await store.load(draft.id) == Loaded(resting, [], 1)


async def test_events_are_those_after_a_version_up_to_another(store: Store) -> None:
    async with desk(store) as ann:
        draft = await ann.open({"n": 1})
        await ann.edits(draft, [{"n": n} for n in range(2, 8)])
    numbers = {
        span: [record.version for record in await store.events(draft, *span)]
        for span in ((0, 3), (2, 2), (5, 99), (7, 9), (3, 1))
    }
    assert numbers == {(0, 3): [1, 2, 3], (2, 2): [], (5, 99): [6, 7], (7, 9): [], (3, 1): []}


async def test_a_devices_number_leads_to_its_version(store: Store) -> None:
    big = 2**53 - 1
    async with desk(store) as ann:
        draft = await ann.open({}, origin(device="mac", seq=0, digest="a"))
        await ann.edit(draft, {"n": 1}, origin(device="mac", seq=7, digest="b"))
        await ann.edit(draft, {"n": 2}, origin(device="ipad", seq=7, digest="c"))
        await ann.edit(draft, {"n": 3}, origin(device="ipad", seq=big, digest="d"))
        await ann.edit(draft, {"n": 4}, origin(device="mac"))
    asked = [("mac", 0), ("mac", 7), ("ipad", 7), ("ipad", big), ("mac", 8), ("Mac", 7)]
    found = [await store.version_of_seq(draft, *place) for place in asked]
    assert found == [1, 2, 3, 4, None, None]
    assert await store.version_of_seq(uuid4(), "mac", 7) is None


async def test_every_event_is_linked_to_the_one_before(store: Store) -> None:
    async with desk(store) as ann:
        draft = await ann.open({"n": 1})
        await ann.edits(draft, [{"n": n} for n in range(2, 5)])
        await ann.edit(draft, {"n": 9})
    previous = FIRST
    for record in await log_of(store, draft):
        link = CHAIN.link(previous, draft, record.version, record.topic, record.state)
        assert record.hash == link
        previous = record.hash


# -- people


async def test_a_name_gets_one_key_whoever_asks_first(store: Store) -> None:
    assert await store.people.key_of("ann") is None
    assert await store.people.new_key("ann", ANN) == ANN
    assert await store.people.new_key("ann", BEN) == ANN
    assert await store.people.key_of("ann") == ANN
    assert await store.people.new_key("Ann", BEN) == BEN
    assert await store.people.subs_of([ANN, BEN, STRANGER]) == {ANN: "ann", BEN: "Ann"}
    assert await store.people.subs_of([]) == {}


async def test_any_text_may_be_a_name(store: Store) -> None:
    for number, sub in enumerate(("é'\";--", "a" * 500, "👩‍👧", " ", "link:1")):
        key = f"key-{number:08d}"
        assert await store.people.new_key(sub, key) == key
        assert await store.people.subs_of([key]) == {key: sub}


# -- form definitions


async def test_of_each_form_the_definition_kept_last_is_the_newest(store: Store) -> None:
    assert await store.forms.newest(0) == []
    kept = [("gig", "{}"), ("venue", '{"é": "\'"}'), ("gig", '{"label": "Gig"}')]
    for form, definition in kept:
        await store.forms.keep(form, definition, ANN, MONDAY)
    rows = await store.forms.newest(0)
    assert [(row.form, row.definition) for row in rows] == kept[1:]
    first, second = (row.number for row in rows)
    assert 0 < first < second
    assert await store.forms.newest(first) == rows[1:]
    assert await store.forms.newest(second) == []


# -- drafts of the log


async def test_drafts_are_listed_by_their_ids_in_pages(store: Store) -> None:
    drafts = sorted([new_draft() for _ in range(5)], key=lambda draft: draft.id)
    for draft in drafts:
        DRAFTS.edit(draft, fields({"n": 1}), origin())
        await saved(store, draft)
    ids = [draft.id for draft in drafts]
    assert await store.log.count_drafts() == 5
    assert await store.log.draft_ids(UUID(int=0), 3) == ids[:3]
    assert await store.log.draft_ids(ids[2], 3) == ids[3:]


async def test_times_keep_their_microseconds(store: Store) -> None:
    at = MONDAY + timedelta(microseconds=123_456)
    draft = new_draft({}, replace(origin(), at=at))
    await saved(store, draft)
    (row,) = lines(await store.versions(ANN, draft.id, EVERY_VERSION))
    assert row[3] == at
    assert (await log_of(store, draft.id))[0].event().timestamp == at

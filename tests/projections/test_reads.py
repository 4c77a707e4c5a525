"""What a principal reads of drafts, versions, sessions and the drafts page; the same on both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from projections.snapshot import fold
from projections.store.base import DraftFilter, Store, VersionFilter
from tests.domain.scenes import ANN, BEN, DRAFTS, EVE, MONDAY, fields, origin
from tests.projections.histories import (
    EVERY_VERSION,
    Desk,
    desk,
    facts,
    group_of,
    level,
    lines,
    log_of,
    page,
    states_of,
)


@pytest.fixture
async def ann(store: Store) -> AsyncIterator[Desk]:
    """Ann's desk, and everybody's names."""
    for sub, key in (("ann", ANN), ("ben", BEN), ("eve", EVE)):
        await store.people.new_key(sub, key)
    async with desk(store) as opened:
        yield opened


async def share(store: Store, draft: UUID, by: str, role: str) -> None:
    """Give somebody a role, as a later issue will: with the register, beside an event."""
    loaded = await log_of(store, draft)
    state = states_of(loaded)[-1]
    DRAFTS.label(state, 1, f"shared with {by}", origin(state.owner))
    group = group_of((state, loaded[-1].hash))
    group.registers.append(
        {"draft": str(draft), "register": "grant", "principal": by, "role": role}
    )
    await store.save(group)


# -- one draft


async def test_a_draft_is_read_as_it_is_now_and_as_it_was(store: Store, ann: Desk) -> None:
    draft = await ann.open({"n": 1})
    await ann.edits(draft, [{"n": n} for n in range(2, 40)])
    await level(store)
    states = states_of(await log_of(store, draft))
    for version, state in enumerate(states, 1):
        reading = await store.read(ANN, draft, version)
        assert reading is not None
        assert (reading.role, reading.head) == ("owner", 39)
        assert fold(draft, reading).data == state.data
    for upto in (None, 39, 99):
        reading = await store.read(ANN, draft, upto)
        assert reading is not None
        assert (reading.head, fold(draft, reading).data) == (39, {"n": 39})


async def test_somebody_elses_draft_looks_as_if_it_were_not_there(store: Store, ann: Desk) -> None:
    draft = await ann.open({"n": 1})
    await ann.run(draft, DRAFTS.label, 1, "first", origin())
    for by, which in ((BEN, draft), ("", draft), (ANN, uuid4())):
        assert await store.read(by, which) is None
        assert await store.read(by, which, 1) is None
        assert await store.version_at(by, which, MONDAY + timedelta(days=1)) is None
        assert list(await store.versions(by, which, EVERY_VERSION)) == []
        assert list(await store.versions(by, which, VersionFilter(act="opened"))) == []
        assert list(await store.sessions(by, which, EVERY_VERSION)) == []
        assert await store.event(by, which, 1) is None
        assert await store.label_of(by, which, 1) is None
    await level(store)
    for by in (BEN, ""):
        assert list(await store.drafts(by, DraftFilter())) == []
        assert list(await store.drafts(by, DraftFilter(q="n"))) == []


async def test_a_shared_draft_is_read_in_the_readers_role(store: Store, ann: Desk) -> None:
    draft = await ann.open({"n": 1})
    await share(store, draft, BEN, "viewer")
    mine, theirs = await store.read(ANN, draft), await store.read(BEN, draft)
    assert mine is not None
    assert theirs == replace(mine, role="viewer")
    assert await store.versions(BEN, draft, EVERY_VERSION) == await store.versions(
        ANN, draft, EVERY_VERSION
    )


async def test_a_moment_leads_to_the_last_version_saved_by_then(store: Store, ann: Desk) -> None:
    draft = await ann.open({}, origin(minutes=10))
    for number, minutes in enumerate((20, 20, 30)):
        await ann.edit(draft, {"n": number}, origin(minutes=minutes))
    found = {
        seconds: await store.version_at(ANN, draft, MONDAY + timedelta(seconds=seconds))
        for seconds in (0, 599, 600, 1199, 1200, 1799, 1800, 10**8)
    }
    assert found == {0: None, 599: None, 600: 1, 1199: 1, 1200: 3, 1799: 3, 1800: 4, 10**8: 4}
    just_before = MONDAY + timedelta(minutes=20) - timedelta(microseconds=1)
    assert await store.version_at(ANN, draft, just_before) == 1


async def test_one_event_is_read_as_it_stands_in_the_log(store: Store, ann: Desk) -> None:
    draft = await ann.open({"n": 1})
    await ann.edit(draft, {"n": 2})
    found = [await store.event(ANN, draft, version) for version in (0, 1, 2, 3)]
    assert found == [None, *await log_of(store, draft), None]


# -- the history


@pytest.fixture
async def draft(ann: Desk, store: Store) -> UUID:
    """A draft with a history of eight versions by two people on three devices."""
    steps: list[tuple[str, float, str | None, dict[str, Any]]] = [
        (ANN, 1, "mac", {"fee": 1}),
        (ANN, 2, "mac", {"acts": [{"id": "a/b", "fee": 1}]}),
        (BEN, 3, "ipad", {"acts": [{"id": "a/b", "fee": 2}]}),
        (ANN, 4, None, {"feet": 1, "a.c": 1}),
        (BEN, 5, "mac", {"abc": 1, "été": 1}),
        (ANN, 6, "mac", {"fee": {"net": 5}}),
    ]
    made = await ann.open({"fee": 0}, origin(device="mac", reason="a start"))
    await share(ann.store, made, BEN, "editor")
    held = ann.writer._held
    for by, minutes, device, values in steps:
        held.drop(made)
        await _as(ann, made, by, minutes, device, values)
    return made


async def _as(
    ann: Desk, draft: UUID, by: str, minutes: float, device: str | None, values: dict[str, Any]
) -> None:
    """An edit by a member: until there is sharing, the aggregate is told of its members by hand."""

    def by_member(d: Any) -> Any:
        d.members = {BEN: "editor"}
        try:
            return DRAFTS.edit(d, fields(values), origin(by, minutes, device=device))
        finally:
            d.members = {}

    await ann.run(draft, by_member)


PATHS = {
    8: "/fee",
    7: "/abc\n/été",
    6: "/feet\n/a.c",
    5: "/acts/id:a~1b/fee",
    4: "/acts",
    3: "/fee",
    2: None,
    1: None,
}


async def test_a_line_of_the_history_tells_all_but_the_values(store: Store, draft: UUID) -> None:
    rows = lines(await store.versions(ANN, draft, EVERY_VERSION))
    assert [row[0] for row in rows] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert {row[0]: row[5] for row in rows} == PATHS
    ipad = MONDAY + timedelta(minutes=3)
    assert rows[3] == (5, "edited", BEN, ipad, "ipad", "/acts/id:a~1b/fee", None, None)
    first = (1, "opened", ANN, MONDAY, "mac", None, f"shared with {BEN}", "a start")
    assert rows[-1] == first


HISTORY: list[tuple[VersionFilter, list[int]]] = [
    (VersionFilter(limit=3), [8, 7, 6]),
    (VersionFilter(before=4), [3, 2, 1]),
    (VersionFilter(before=4, limit=2), [3, 2]),
    (VersionFilter(before=1), []),
    (VersionFilter(before=0), []),
    (VersionFilter(before=99, limit=1), [8]),
    (VersionFilter(by=BEN), [7, 5]),
    (VersionFilter(by=BEN.upper()), []),
    (VersionFilter(by="ben"), []),
    (VersionFilter(device="mac"), [8, 7, 4, 3, 1]),
    (VersionFilter(device="mac", by=BEN), [7]),
    (VersionFilter(act="opened"), [1]),
    (VersionFilter(act="labelled"), [2]),
    (VersionFilter(act="edited", before=7, limit=2), [6, 5]),
    (VersionFilter(since=MONDAY + timedelta(minutes=4)), [8, 7, 6]),
    (VersionFilter(until=MONDAY + timedelta(minutes=1)), [3, 2, 1]),
    (VersionFilter(since=MONDAY + timedelta(minutes=3, microseconds=1), by=BEN), [7]),
    (VersionFilter(path="/fee"), [8, 3, 1]),
    (VersionFilter(path="/fee/net"), [8]),
    (VersionFilter(path="/fe"), []),
    (VersionFilter(path="/feet"), [6]),
    (VersionFilter(path="/acts"), [5, 4]),
    (VersionFilter(path="/acts/id:a~1b"), [5, 4]),
    (VersionFilter(path="/acts/id:a"), []),
    (VersionFilter(path="/a.c"), [6]),
    (VersionFilter(path="/abc"), [7]),
    (VersionFilter(path="/été"), [7]),
    (VersionFilter(path="/.*"), []),
    (VersionFilter(path="/%"), []),
    (VersionFilter(path="/fee", device="mac", act="edited", limit=1), [8]),
]


async def test_the_history_is_filtered(store: Store, draft: UUID) -> None:
    every = {row[0]: row for row in lines(await store.versions(ANN, draft, EVERY_VERSION))}
    for wanted, found in HISTORY:
        rows = lines(await store.versions(ANN, draft, wanted))
        assert rows == [every[number] for number in found], wanted


async def test_sessions_end_with_a_pause_of_over_thirty_minutes(store: Store, ann: Desk) -> None:
    draft = await ann.open({}, origin(device="mac"))
    half_an_hour = [0.0, 30.0, 60.0, 90 + 1e-3 / 60]
    for number, minutes in enumerate(half_an_hour):
        await ann.edit(draft, {"n": number}, origin(minutes=minutes, device="mac"))
    await ann.edit(draft, {"x": 1}, origin(minutes=91, device="ipad"))
    await ann.run(draft, DRAFTS.label, 1, "first", origin(minutes=92, device="mac"))
    at = [MONDAY + timedelta(minutes=minutes) for minutes in (*half_an_hour, 91, 92)]

    def session(first: int, last: int, span: Any, device: str, versions: int, acts: Any) -> Any:
        return {
            "from_version": first,
            "to_version": last,
            "from_at": span[0],
            "to_at": span[1],
            "by": ANN,
            "device": device,
            "versions": versions,
            "acts": acts,
            "paths": ["/x"] if device == "ipad" else ["/n"],
        }

    assert [facts(row) for row in await store.sessions(ANN, draft, EVERY_VERSION)] == [
        session(5, 7, (at[3], at[5]), "mac", 2, ["edited", "labelled"]),
        session(6, 6, (at[4], at[4]), "ipad", 1, ["edited"]),
        session(1, 4, (at[0], at[2]), "mac", 4, ["edited", "opened"]),
    ]


async def test_sessions_are_each_persons_on_each_device(store: Store, draft: UUID) -> None:
    rows = [facts(row) for row in await store.sessions(ANN, draft, EVERY_VERSION)]
    told = [(r["to_version"], r["from_version"], r["by"], r["device"], r["versions"]) for r in rows]
    assert told == [
        (8, 1, ANN, "mac", 4),
        (7, 7, BEN, "mac", 1),
        (6, 2, ANN, None, 2),
        (5, 5, BEN, "ipad", 1),
    ]


SESSIONS: list[tuple[VersionFilter, list[int]]] = [
    (VersionFilter(limit=2), [8, 7]),
    (VersionFilter(before=7), [6, 5]),
    (VersionFilter(before=8, limit=1), [7]),
    (VersionFilter(by=BEN), [7, 5]),
    (VersionFilter(path="/acts"), [5, 4]),
    (VersionFilter(act="opened"), [1]),
]


async def test_sessions_are_filtered_and_paged_by_their_last_version(
    store: Store, draft: UUID
) -> None:
    for wanted, found in SESSIONS:
        rows = await store.sessions(ANN, draft, wanted)
        assert [row["to_version"] for row in rows] == found, wanted


# -- the drafts page


async def test_a_line_of_the_drafts_page_tells_all_but_the_data(store: Store, ann: Desk) -> None:
    source = await ann.open({"title": "Jazz night"}, subject="42", slot=True)
    await ann.edit(source, {"fee": 1}, origin(minutes=5, device="mac"))
    (row,) = await page(store)
    saved_at = MONDAY + timedelta(minutes=5)
    assert row.pop("sort_key").startswith("2026-03-02T09:05:00.000000")
    assert row == {
        "draft": source,
        "owner": ANN,
        "role": "owner",
        "form": "gig",
        "subject": "42",
        "title": "Jazz night",
        "status": "open",
        "template": False,
        "version": 2,
        "step": None,
        "completed_steps": "[]",
        "conflicts": 0,
        "created_at": MONDAY,
        "saved_at": saved_at,
        "saved_by": ANN,
        "saved_device": "mac",
        "expires_at": saved_at + timedelta(days=30),
        "forked_from": None,
        "from_template": None,
        "filled": None,
        "fields": None,
        "resume": None,
    }


@pytest.fixture
async def shelf(ann: Desk, store: Store) -> dict[str, UUID]:
    """Ann's drafts by their titles, and one of Ben's that he shares with her."""
    made: dict[str, UUID] = {}
    for number, (title, form, subject) in enumerate(
        [
            ("Blues", "gig", "42"),
            ("jazz night", "gig", None),
            ("Été", "venue", "42"),
            ("100% Jazz_", "venue", None),
        ]
    ):
        data = {"title": title, "notes": f"Fee {number}50 for ÉLAN"}
        made[title] = await ann.open(data, origin(minutes=10 - number), form=form, subject=subject)
    made["none"] = await ann.open({"fee": 1, "late": True}, origin(minutes=30))
    made["Ben's"] = await ann.open({"title": "Ben's"}, origin(BEN, minutes=-5))
    await share(store, made["Ben's"], ANN, "viewer")
    await ann.run(made["Blues"], DRAFTS.submit, origin(minutes=11))
    await ann.run(made["Été"], DRAFTS.discard, origin(minutes=8.5))
    return made


PAGE: list[tuple[DraftFilter, list[str]]] = [
    (DraftFilter(), ["none", "Blues", "jazz night", "Été", "100% Jazz_", "Ben's"]),
    (DraftFilter(limit=2), ["none", "Blues"]),
    (
        DraftFilter(sort="expires"),
        ["Ben's", "100% Jazz_", "Été", "jazz night", "Blues", "none"],
    ),
    (DraftFilter(sort="title"), ["none", "100% Jazz_", "Ben's", "Blues", "jazz night", "Été"]),
    (DraftFilter(status="open"), ["none", "jazz night", "100% Jazz_", "Ben's"]),
    (DraftFilter(status="submitted"), ["Blues"]),
    (DraftFilter(status="discarded"), ["Été"]),
    (DraftFilter(form="venue"), ["Été", "100% Jazz_"]),
    (DraftFilter(subject="42"), ["Blues", "Été"]),
    (DraftFilter(form="gig", subject="42"), ["Blues"]),
    (DraftFilter(template=True), []),
    (DraftFilter(template=False, limit=1), ["none"]),
    (DraftFilter(shared=True), ["Ben's"]),
    (DraftFilter(shared=False), ["none", "Blues", "jazz night", "Été", "100% Jazz_"]),
    (DraftFilter(q="JAZZ"), ["jazz night", "100% Jazz_"]),
    (DraftFilter(q="élan"), ["Blues", "jazz night", "Été", "100% Jazz_"]),
    (DraftFilter(q="0%"), ["100% Jazz_"]),
    (DraftFilter(q="z_"), ["100% Jazz_"]),
    (DraftFilter(q="150"), ["jazz night"]),
    (DraftFilter(q="jazz", form="venue"), ["100% Jazz_"]),
    (DraftFilter(q="late"), []),
]


async def test_the_drafts_page_is_filtered_and_sorted(store: Store, shelf: dict[str, UUID]) -> None:
    await (await level(store)).rest_all(ANN)
    titles = {draft: title for title, draft in shelf.items()}
    for wanted, found in PAGE:
        rows = await store.drafts(ANN, wanted)
        assert [titles[row["draft"]] for row in rows] == found, wanted


async def test_pages_of_drafts_go_on_where_the_last_one_ended(
    store: Store, shelf: dict[str, UUID], ann: Desk
) -> None:
    for number in range(5):  # all the same to every sort, but for their ids
        await ann.open({"title": "Blues", "n": number}, origin(minutes=10))
    for sort in ("saved", "expires", "title"):
        whole = await page(store, DraftFilter(sort=sort))
        assert len(whole) == 11
        assert await paged(store, sort) == whole


async def paged(store: Store, sort: str) -> list[Any]:
    """The drafts page, three at a time."""
    after, found = None, []
    while rows := await store.drafts(ANN, DraftFilter(sort=sort, after=after, limit=3)):
        found += [facts(row) for row in rows]
        after = (rows[-1]["sort_key"], str(rows[-1]["draft"]))
    return found


async def test_titles_are_sorted_without_regard_to_case_in_any_script(
    store: Store, ann: Desk
) -> None:
    titles = ["b", "A", "Ä", "ä", "É", "e", "Ω", "ω", "", "中"]
    for number, title in enumerate(titles):
        await ann.open({"title": title}, origin(minutes=number))
    rows = await page(store, DraftFilter(sort="title"))
    assert [row["title"].lower() for row in rows] == sorted(title.lower() for title in titles)


async def test_a_search_finds_what_was_typed_in_any_script(store: Store, ann: Desk) -> None:
    texts = ["ΟΔΟΣ", "STRASSE", "İstanbul", "Éire", "中", "back\\slash", "it's", "100%"]
    drafts = {text: await ann.open({"title": text}) for text in texts}
    await (await level(store)).rest_all(ANN)
    for text, draft in drafts.items():
        for asked in (text, text.lower()):
            assert [row["draft"] for row in await store.drafts(ANN, DraftFilter(q=asked))] == [
                draft
            ]

"""Drafts that lie in a browser are adopted: what becomes of each entry, once however often sent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from api.app import create_app
from api.settings import Settings
from tests.api.calls import Caller, Document, add, caller, pointers, problem, replace
from tests.running import Clock, calling, serving

IMPORT = "/v1/imports/local-storage"
NEW, EDIT = "gig-create-draft", "gig-edit-42"
JAZZ = {"title": "Jazz", "fee": 100}


async def sends(ann: Caller, entries: dict[str, Any], **members: Any) -> dict[str, Document]:
    """The reports by key; what is no text goes as JSON."""
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in entries.items()}
    answer = await ann.asks("POST", IMPORT, json={"entries": texts, **members})
    assert answer.status_code == 200, answer.text
    return {item["key"]: item for item in answer.json()["items"]}


async def adopts(ann: Caller, key: str, value: Any, **members: Any) -> Document:
    """The report on one entry."""
    return (await sends(ann, {key: value}, **members))[key]


async def test_each_entry_becomes_a_draft_that_was_imported(ann: Caller) -> None:
    entries = {
        NEW: {**JAZZ, "currentStep": "venue", "completedSteps": ["basic"]},
        EDIT: {"formData": {"title": "Blues"}, "lastSaved": "2026-02-01T10:00:00Z", "gigId": 42},
    }

    reports = await sends(ann, entries, device="firefox")

    new, edited = [await ann.draft(reports[key]["draft"]) for key in (NEW, EDIT)]
    assert [(one["outcome"], one["left_out"]) for one in reports.values()] == [("imported", [])] * 2
    assert (new["form"], new["subject"], new["data"]) == ("gig", None, JAZZ)
    assert (new["step"], new["completed_steps"]) == ("venue", ["basic"])
    assert (edited["subject"], edited["data"]) == ("42", {"title": "Blues"})
    first = await ann.version(edited, 1)
    assert (first["act"], first["device"]) == ("imported", "firefox")
    assert first["text"] == "Ann imported the draft with Title"
    assert first["about"]["imported"] == {
        "id": reports[EDIT]["draft"],
        "key": EDIT,
        "saved_at": "2026-02-01T10:00:00Z",
    }
    assert (await ann.open(subject="42"))["id"] == edited["id"]
    assert (await ann.open())["id"] == new["id"]


@pytest.mark.parametrize(
    ("value", "data", "left_out"),
    [
        ({"form_data": JAZZ, "current_step": 2}, JAZZ, []),
        ({"formData": JAZZ, "mood": "good"}, JAZZ, ["mood"]),
        ({"data": JAZZ, "timestamp": 1_772_366_400_000, "step": 1}, JAZZ, []),
        ({"values": JAZZ}, JAZZ, []),
        ({"values": JAZZ, "title": "x"}, {"values": JAZZ, "title": "x"}, []),
        ({"data": "x", "title": "y"}, {"data": "x", "title": "y"}, []),
        ({**JAZZ, "step": "a field", "lastSaved": 1}, {**JAZZ, "step": "a field"}, []),
    ],
)
async def test_the_data_lie_at_the_top_or_under_a_member(
    ann: Caller, value: Document, data: Document, left_out: list[str]
) -> None:
    report = await adopts(ann, NEW, value)

    assert (await ann.data(report["draft"]), report["left_out"]) == (data, left_out)


async def test_the_same_entries_again_record_nothing_also_after_edits(
    ann: Caller, clock: Clock
) -> None:
    held = await ann.open({"title": "Jazz"}, subject="42")
    entries = {NEW: JAZZ, EDIT: {"title": "Jazz", "venue": "Hall"}, "gig-edit-43": JAZZ}
    first = await sends(ann, entries)
    assert [one["outcome"] for one in first.values()] == ["imported", "filled", "imported"]
    for draft in (first[NEW]["draft"], held["id"]):
        await ann.save(draft, replace("/title", "Other"), add("/venue", "Elsewhere"))
    await ann.submit(first["gig-edit-43"]["draft"])
    before = [await ann.draft(one["draft"]) for one in first.values()]
    clock.tick(60)

    again = await sends(ann, entries)

    assert [one["outcome"] for one in again.values()] == ["known"] * 3
    assert [one["draft"] for one in again.values()] == [one["draft"] for one in first.values()]
    assert [await ann.draft(one["draft"]) for one in first.values()] == before
    assert len((await ann.lists())["items"]) == 3


async def test_only_what_counts_makes_an_entry_another_one(ann: Caller) -> None:
    first = await adopts(ann, NEW, {**JAZZ, "lastSaved": 1})
    assert (await adopts(ann, NEW, {"fee": 100, **JAZZ, "lastSaved": 2}))["outcome"] == "known"

    later = await adopts(ann, NEW, {**JAZZ, "venue": "Hall", "lastSaved": 3})

    assert (later["outcome"], later["draft"]) == ("filled", first["draft"])
    assert (await ann.data(first["draft"]))["venue"] == "Hall"


async def test_an_entry_fills_the_open_draft_and_clashes_stay_as_conflicts(ann: Caller) -> None:
    draft = await ann.open({"title": "Jazz", "fee": 250}, subject="42", step="pay")

    report = await adopts(ann, EDIT, {**JAZZ, "venue": "Hall", "note": "", "current_step": 1})

    assert (report["outcome"], report["draft"], report["conflicts"]) == ("filled", draft["id"], 1)
    filled = await ann.draft(draft)
    assert filled["data"] == {"title": "Jazz", "fee": 250, "venue": "Hall"}
    assert (filled["step"], filled["version"]) == ("pay", 2)
    (conflict,) = filled["conflicts"]
    assert (conflict["ours"]["values"], conflict["theirs"][0]["values"]) == (
        {"/fee": 250},
        {"/fee": 100},
    )
    version = await ann.version(draft, 2)
    assert version["about"]["imported"]["key"] == EDIT
    assert version["text"].startswith("Ann imported what lay in a browser: ")


async def test_an_entry_with_nothing_new_is_remembered_all_the_same(ann: Caller) -> None:
    draft = await ann.open(JAZZ, subject="42")
    assert (await adopts(ann, EDIT, JAZZ))["outcome"] == "filled"
    await ann.save(draft, replace("/fee", 300))

    assert (await adopts(ann, EDIT, JAZZ))["outcome"] == "known"

    now = await ann.draft(draft)
    assert (now["data"]["fee"], now["conflicts"], now["version"]) == (300, [], 3)


@pytest.mark.parametrize("key", [NEW, EDIT])
async def test_an_entry_that_shares_nothing_stands_apart(ann: Caller, key: str) -> None:
    draft = await ann.open({"title": "Soul", "fee": 1}, subject="42" if key == EDIT else None)

    report = await adopts(ann, key, JAZZ)

    assert (report["outcome"], report["beside"]) == ("imported", draft["id"])
    assert await ann.data(draft) == {"title": "Soul", "fee": 1}
    assert await ann.data(report["draft"]) == JAZZ


async def test_an_empty_open_draft_is_filled(ann: Caller) -> None:
    draft = await ann.open()
    report = await adopts(ann, NEW, JAZZ)
    assert (report["outcome"], report["draft"]) == ("filled", draft["id"])


@pytest.mark.parametrize(
    ("key", "text", "outcome"),
    [
        (NEW, '{"title": "Ja', "broken"),
        (NEW, "", "broken"),
        (NEW, "null", "broken"),
        (NEW, '"a text"', "broken"),
        (NEW, '{"fee": NaN}', "broken"),
        (NEW, '{"a": 1, "a": 2}', "broken"),
        (NEW, "[" * 100_000, "broken"),
        (NEW, '{"a":' * 40 + "1" + "}" * 40, "broken"),
        (NEW, '{"fee": 90071992547409931}', "broken"),
        (NEW, "{}", "empty"),
        (NEW, '{"title": "", "acts": [], "currentStep": 1}', "empty"),
        (NEW, json.dumps({"a": list(range(20_000))}), "refused"),
        ("theme", '{"title": "dark"}', "ignored"),
        ("gig-edit-", '{"title": "x"}', "ignored"),
        ("my-gig-create-draft", '{"title": "x"}', "ignored"),
    ],
    ids=range(15),
)
async def test_what_is_no_draft_is_reported_and_left_alone(
    ann: Caller, key: str, text: str, outcome: str
) -> None:
    reports = await sends(ann, {key: text, "gig-edit-7": JAZZ})

    assert (reports[key]["outcome"], reports[key]["draft"]) == (outcome, None)
    assert (reports[key]["detail"] is None) == (outcome in ("empty", "ignored"))
    assert "body" not in (reports[key]["detail"] or "")
    assert reports["gig-edit-7"]["outcome"] == "imported"
    assert len((await ann.lists())["items"]) == 1


async def test_rubbish_of_10_mb_is_refused_as_a_whole(ann: Caller) -> None:
    answer = await ann.asks("POST", IMPORT, json={"entries": {NEW: "x" * 10_000_000}})
    problem(answer, 413, "too-large")
    many = {f"gig-edit-{n}": "{}" for n in range(1_001)}
    answer = await ann.asks("POST", IMPORT, json={"entries": many})
    assert pointers(problem(answer, 422, "invalid")) == ["/entries"]
    answer = await ann.asks("POST", IMPORT, json={"entries": {NEW: {"title": "no text"}}})
    problem(answer, 422, "invalid")
    assert (await ann.lists())["items"] == []


async def test_everybody_adopts_alone(ann: Caller, ben: Caller) -> None:
    mine, his = await adopts(ann, NEW, JAZZ), await adopts(ben, NEW, JAZZ)
    assert (mine["outcome"], his["outcome"]) == ("imported", "imported")
    assert mine["draft"] != his["draft"]
    problem(await ben.asks("GET", mine["draft"]), 404, "draft-not-found")


async def test_the_keys_are_a_setting(settings: Settings, clock: Clock) -> None:
    keys = ("concert=concert:new", "concert=concert:{subject}:draft")
    own = settings.model_copy(update={"import_keys": keys})
    async with serving(create_app(own, clock=clock)) as app, calling(app) as client:
        ann = caller(client, own, "ann")
        reports = await sends(ann, {"concert:new": JAZZ, "concert:a:b:draft": JAZZ, NEW: JAZZ})
        assert [one["outcome"] for one in reports.values()] == ["imported", "imported", "ignored"]
        draft = await ann.draft(reports["concert:a:b:draft"]["draft"])
        assert (draft["form"], draft["subject"]) == ("concert", "a:b")


async def test_two_tabs_at_once_adopt_once(ann: Caller) -> None:
    held = await ann.open({"title": "Jazz"}, subject="42")
    found = await asyncio.gather(*(sends(ann, {NEW: JAZZ, EDIT: JAZZ}) for _ in range(5)))
    for key, outcome in ((NEW, "imported"), (EDIT, "filled")):
        outcomes = sorted(one[key]["outcome"] for one in found)
        assert outcomes == [outcome, *["known"] * 4]
        assert len({one[key]["draft"] for one in found}) == 1
    assert (await ann.draft(held))["version"] == 2

"""Forms in several steps over HTTP: what was done when and by whom, and where to go on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.calls import Caller, Document, add, replace
from tests.running import Clock


async def steps(ann: Caller, draft: Document) -> Document:
    """The report on a draft, its steps by their ids."""
    report = (await ann.asks("GET", f"{draft['id']}/completeness")).json()
    return {**report, "steps": {step["id"]: step for step in report["steps"]}}


async def test_each_step_tells_when_and_by_whom_it_was_done(ann: Caller, clock: Clock) -> None:
    draft = await ann.open({"title": "Jazz"}, step="basic")
    clock.tick(60)
    await ann.save(draft, completed_steps=["basic"], step="venue")
    clock.tick(60)
    await ann.save(draft, add("/fee", 9), completed_steps=["basic", "venue"], step="lineup")

    report = await steps(ann, draft)

    told = (await ann.version(draft, 2))["text"]
    assert told == "Ann marked as completed: Basics and went to the step Venue"
    assert (report["step"], report["resume"]) == ("lineup", "lineup")
    assert report["steps"]["basic"] == {
        "id": "basic",
        "label": "Basics",
        "complete": False,
        "completed": True,
        "done_at": "2026-03-01T12:01:00Z",
        "done_by": "ann",
        "done_in": 2,
    }
    assert report["steps"]["venue"]["done_at"] == "2026-03-01T12:02:00Z"
    assert report["steps"]["pay"] == {
        "id": "pay",
        "label": "Pay",
        "complete": True,
        "completed": False,
        "done_at": None,
        "done_by": None,
        "done_in": None,
    }


async def test_a_step_done_again_is_done_when_it_was_done_last(ann: Caller, clock: Clock) -> None:
    draft = await ann.open(completed_steps=["basic", "venue"])
    clock.tick(60)
    await ann.save(draft, completed_steps=["venue"])
    clock.tick(60)
    await ann.save(draft, completed_steps=["venue", "basic"])

    found = (await steps(ann, draft))["steps"]

    assert (found["venue"]["done_in"], found["basic"]["done_in"]) == (1, 3)
    undone, done = await ann.version(draft, 2), await ann.version(draft, 3)
    assert undone["text"] == "Ann marked as not completed any more: Basics"
    assert done["text"] == "Ann marked as completed: Basics"
    assert (done["about"]["steps_done"], done["about"]["steps_undone"]) == (["basic"], [])


async def test_old_versions_know_what_was_done_by_then(ann: Caller, clock: Clock) -> None:
    draft = await ann.open()
    for number in range(2, 60):
        clock.tick(60)
        await ann.save(draft, add("/fee", number), completed_steps=["basic"])
    assert (await steps(ann, draft))["steps"]["basic"]["done_in"] == 2
    assert (await ann.draft(draft, version=1))["completed_steps"] == []


@pytest.mark.parametrize(
    ("data", "members", "resume"),
    [
        ({}, {"step": "pay"}, "pay"),
        ({}, {}, "basic"),
        ({"title": "J", "date": "2026-03-01", "start": "20:00"}, {}, "venue"),
        ({"title": "J", "date": "2026-03-01", "start": "20:00"}, {"step": "gone"}, "venue"),
        (
            {
                "title": "J",
                "date": "2026-03-01",
                "start": "20:00",
                "venue": {"name": "Hall", "city": "Ghent"},
                "acts": [{"name": "Foo"}],
            },
            {},
            "pay",
        ),
    ],
    ids=["recorded", "the-first", "the-first-incomplete", "recorded-is-unknown", "none-incomplete"],
)
async def test_the_step_to_go_on_with(
    ann: Caller, data: Document, members: dict[str, Any], resume: str
) -> None:
    draft = await ann.open(data, **members)

    assert (await steps(ann, draft))["resume"] == resume
    await ann.lists(q="x")  # lets every draft come to rest
    (line,) = (await ann.lists())["items"]
    assert line["resume"] == resume


async def test_a_form_without_a_definition_has_the_steps_that_its_drafts_name(
    ann: Caller,
) -> None:
    draft = await ann.open(form="concert", step="two", completed_steps=["one"])

    report = await steps(ann, draft)

    assert (report["resume"], report["filled"], report["fields"]) == ("two", None, None)
    assert report["steps"]["one"]["done_by"] == "ann"
    (line,) = (await ann.lists())["items"]
    shown = ("step", "step_label", "step_number", "steps", "resume", "filled", "fields")
    assert [line[name] for name in shown] == ["two", None, None, None, "two", None, None]


async def test_a_line_tells_how_far_the_form_is(ann: Caller) -> None:
    data = {"title": "Jazz", "fee": 0, "venue": {"name": "Hall", "city": ""}, "tags": []}
    draft = await ann.open({**data, "contact": {"name": ""}, "stray": 1}, step="lineup")

    (line,) = (await ann.lists())["items"]

    assert (line["step_label"], line["step_number"], line["steps"]) == ("Line-up", 3, 5)
    assert (line["filled"], line["fields"]) == (3, 22)
    assert (await steps(ann, draft))["filled"] == 3
    await ann.save(draft, replace("/venue/city", "Ghent"))
    (line,) = (await ann.lists())["items"]
    assert line["filled"] == 4

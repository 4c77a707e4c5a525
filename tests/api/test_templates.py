"""Templates over HTTP: made, started from, edited, and made drafts again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from tests.api.calls import DRAFTS, Caller, Document, problem, replace
from tests.running import Clock

JAZZ = {"title": "Jazz night", "fee": 100, "contact": {"name": "Zoë"}}


async def template(ann: Caller, data: Document | None = None, **members: Any) -> Document:
    """A template of Ann's."""
    draft = await ann.open(JAZZ if data is None else data, another=True, **members)
    await ann.template(draft, on=True)
    return await ann.draft(draft)


async def test_a_template_gives_its_place_free_and_never_expires(ann: Caller, clock: Clock) -> None:
    draft = await ann.open(JAZZ, subject="42")

    receipt = await ann.template(draft, on=True)

    assert (receipt["version"], receipt["recorded"], receipt["expires_at"]) == (2, True, None)
    made = await ann.draft(draft)
    assert (made["template"], made["status"], made["expires_at"]) == (True, "open", None)
    fresh = await ann.open(subject="42")
    assert (fresh["id"] != draft["id"], fresh["data"]) == (True, {})
    clock.tick(60)
    saved = await ann.save(draft, replace("/fee", 120))
    assert (saved["recorded"], saved["expires_at"]) == (True, None)


async def test_what_it_is_already_records_nothing(ann: Caller) -> None:
    draft = await ann.open(JAZZ)
    assert (await ann.template(draft, on=False))["recorded"] is False
    await ann.template(draft, on=True)
    again = await ann.template(draft, on=True)
    assert (again["version"], again["recorded"]) == (2, False)


async def test_a_template_becomes_a_draft_beside_the_one_that_has_its_place(
    ann: Caller, clock: Clock
) -> None:
    made = await ann.open(JAZZ, subject="42")
    await ann.template(made, on=True)
    held = await ann.open(subject="42")
    clock.tick(60)

    await ann.template(made, on=False)

    again = await ann.draft(made)
    assert (again["template"], again["expires_at"]) == (
        False,
        (clock.now + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    assert (await ann.open(subject="42"))["id"] == held["id"]
    acts = [line["act"] for line in (await ann.versions(made))["items"]]
    assert acts == ["unmade_template", "made_template", "opened"]


async def test_a_draft_starts_from_a_template_and_says_so(ann: Caller) -> None:
    jazz = await template(ann)
    await ann.save(jazz, replace("/fee", 150))

    draft = await ann.open({"title": "Late jazz"}, subject="43", from_template=jazz["id"])

    assert draft["data"] == {**JAZZ, "fee": 150, "title": "Late jazz"}
    assert draft["from_template"] == {"draft": jazz["id"], "version": 3}
    assert (draft["template"], draft["version"], draft["forked_from"]) == (False, 1, None)
    begun = await ann.version(draft, 1)
    assert begun["about"] == {"from_template": draft["from_template"]}
    assert begun["text"] == "Ann started the draft from a template"
    await ann.save(jazz, replace("/fee", 200))
    assert (await ann.draft(draft))["data"]["fee"] == 150


async def test_where_a_draft_is_open_the_template_changes_nothing(ann: Caller) -> None:
    jazz = await template(ann)
    held = await ann.open({"title": "Mine"}, subject="43")

    answer = await ann.asks(
        "POST", DRAFTS, json={"form": "gig", "subject": "43", "from_template": jazz["id"]}
    )

    assert (answer.status_code, answer.json()) == (200, held)
    other = await ann.open(subject="43", from_template=jazz["id"], another=True)
    assert other["data"] == JAZZ


async def test_a_start_from_a_template_is_repeatable_by_its_id(ann: Caller) -> None:
    jazz = await template(ann)
    wanted = {"subject": "43", "from_template": jazz["id"], "id": str(uuid4())}

    first = await ann.open(**wanted)
    await ann.save(jazz, replace("/fee", 200))

    assert await ann.open(**wanted) == first


async def test_only_a_template_of_that_form_can_be_started_from(ann: Caller, ben: Caller) -> None:
    draft, jazz = await ann.open(JAZZ), await template(ann)
    body = {"form": "gig", "subject": "43"}

    answer = await ann.asks("POST", DRAFTS, json={**body, "from_template": draft["id"]})
    (error,) = problem(answer, 422, "invalid")["errors"]
    assert error["pointer"] == "/from_template"
    answer = await ann.asks(
        "POST", DRAFTS, json={**body, "form": "concert", "from_template": jazz["id"]}
    )
    problem(answer, 422, "invalid")
    answer = await ann.asks("POST", DRAFTS, json={**body, "from_template": str(uuid4())})
    problem(answer, 404, "draft-not-found")
    answer = await ben.asks("POST", DRAFTS, json={**body, "from_template": jazz["id"]})
    problem(answer, 404, "draft-not-found")


async def test_a_template_stands_in_the_list_among_templates(ann: Caller) -> None:
    jazz, draft = await template(ann), await ann.open({"title": "Blues"})

    (line,) = (await ann.lists(template="true"))["items"]
    assert (line["id"], line["template"], line["expires_at"]) == (jazz["id"], True, None)
    assert [one["id"] for one in (await ann.lists(template="false"))["items"]] == [draft["id"]]
    by_expiry = (await ann.lists(sort="expires"))["items"]
    assert [one["id"] for one in by_expiry] == [draft["id"], jazz["id"]]
    first = await ann.lists(sort="expires", limit=1)
    second = await ann.lists(sort="expires", limit=1, cursor=first["next_cursor"])
    assert [one["id"] for one in second["items"]] == [jazz["id"]]


async def test_a_finished_draft_is_made_no_template(ann: Caller) -> None:
    draft = await ann.open(JAZZ)
    await ann.submit(draft)

    answer = await ann.asks("PUT", f"{draft['id']}/template", json={"on": True})

    problem(answer, 409, "draft-closed")


async def test_a_template_goes_to_the_trash_and_comes_back_as_one(ann: Caller) -> None:
    jazz = await template(ann, subject="42")
    await ann.discard(jazz)
    await ann.recover(jazz)
    again = await ann.draft(jazz)
    assert (again["status"], again["template"], again["expires_at"]) == ("open", True, None)

"""GET /v1/drafts/{id}/blame and /lineage: who set each value, and every value that a path had."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.settings import Settings
from tests.api.calls import (
    Caller,
    Document,
    add,
    id_of,
    pointers,
    problem,
    remove,
    replace,
    with_role,
)
from tests.api.test_audit import FORM
from tests.running import Clock


async def blames(somebody: Caller, draft: Document | str) -> dict[str, Document]:
    """Who set what, by path."""
    answer = await somebody.asks("GET", f"{id_of(draft)}/blame")
    assert answer.status_code == 200, answer.text
    return {one["path"]: one for one in answer.json()["paths"]}


async def traces(somebody: Caller, draft: Document | str, path: str, **asked: Any) -> Document:
    """A page of the values that a path had."""
    params = {"path": path, **asked}
    answer = await somebody.asks("GET", f"{id_of(draft)}/lineage", params=params)
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


def said(one: Document) -> tuple[str, int, str]:
    return one["by"], one["version"], one["act"]


def values(page: Document) -> list[Any]:
    return [item["value"] for item in page["items"]]


@pytest.fixture
def auditor(client: httpx.AsyncClient, settings: Settings) -> Caller:
    """Somebody who may read everything."""
    return with_role(client, settings, "olga", "auditor")


async def test_blame_tells_of_each_value_who_set_it_and_who_first_wrote_it(
    ann: Caller, clock: Clock
) -> None:
    draft = await ann.open({"fee": 100, "acts": [{"id": "a5", "name": "Foo"}]})
    clock.tick(60)
    await ann.save(draft, replace("/fee", 250), device="mac")
    clock.tick(60)
    await ann.restore(draft, 1, paths=["/fee"])
    found = await blames(ann, draft)
    fee = found["/fee"]
    assert (said(fee), said(fee["first"])) == (("ann", 3, "restored"), ("ann", 1, "opened"))
    assert (fee["value"], fee["at"], fee["label"]) == (100, "2026-03-01T12:02:00Z", "Fee")
    assert fee["text"] == "Ann set Fee in version 3; first written by Ann in version 1"
    name = found["/acts/id:a5/name"]
    assert (name["label"], said(name)) == ("Name of 'Foo'", ("ann", 1, "opened"))
    assert name["text"] == "Ann set Name of 'Foo' in version 1"


async def test_blame_follows_a_merge_to_who_wrote_it_in_the_fork_and_a_fork_to_its_source(
    ann: Caller,
) -> None:
    draft = await ann.open({"fee": 100, "title": "Jazz"})
    fork = await ann.fork(draft)
    assert said((await blames(ann, fork))["/fee"]) == ("ann", 1, "forked")
    first = (await blames(ann, fork))["/fee"]["first"]
    assert (said(first), first["draft"]) == (("ann", 1, "opened"), draft["id"])
    await ann.save(fork, replace("/fee", 300))
    await ann.asks("POST", f"{draft['id']}/merge", json={"fork": fork["id"]})
    fee = (await blames(ann, draft))["/fee"]
    assert (said(fee), said(fee["first"])) == (("ann", 2, "merged"), ("ann", 2, "edited"))
    assert (fee["draft"], fee["first"]["draft"]) == (draft["id"], fork["id"])
    assert fee["text"].endswith("first written by Ann in version 2 of another draft")
    title = (await blames(ann, draft))["/title"]
    assert said(title["first"]) == ("ann", 1, "opened")


async def test_what_came_from_a_template_is_traced_as_far_as_the_caller_may_read_it(
    ann: Caller, ben: Caller
) -> None:
    template = await ann.open({"fee": 100})
    await ann.save(template, replace("/fee", 250))
    await ann.asks("PUT", f"{template['id']}/template", json={"on": True})
    begun = await ann.open(None, from_template=template["id"], subject="7")
    assert said((await blames(ann, begun))["/fee"]) == ("ann", 1, "opened")
    first = (await blames(ann, begun))["/fee"]["first"]
    assert (said(first), first["draft"]) == (("ann", 2, "edited"), template["id"])
    assert values(await traces(ann, begun, "/fee")) == [250, 100]


async def test_lineage_has_every_value_newest_first_with_who_ended_it(
    ann: Caller, clock: Clock
) -> None:
    draft = await ann.open({"fee": 100})
    for fee in (250, 300):
        clock.tick(60)
        await ann.save(draft, replace("/fee", fee))
    clock.tick(60)
    await ann.save(draft, remove("/fee"))
    await ann.save(draft, add("/title", "Jazz"))
    clock.tick(60)
    await ann.undo(draft, 4)
    page = await traces(ann, draft, "/fee")
    assert [(item["value"], *said(item)) for item in page["items"]] == [
        (300, "ann", 6, "undone"),
        (300, "ann", 3, "edited"),
        (250, "ann", 2, "edited"),
        (100, "ann", 1, "opened"),
    ]
    now, before, *_ = page["items"]
    assert (now["until"], said(now["first"])) == (None, ("ann", 3, "edited"))
    assert (said(before["until"]), before["until"]["at"]) == (
        ("ann", 4, "edited"),
        "2026-03-01T12:03:00Z",
    )
    assert before["text"] == "Ann set Fee in version 3 until Ann changed it in version 4"
    assert values(await traces(ann, draft, "/nowhere")) == []
    assert values(await traces(ann, draft, "", limit=2)) == [
        {"title": "Jazz", "fee": 300},
        {"title": "Jazz"},
    ]


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_of_a_lineage_give_every_value_once_also_across_drafts(
    ann: Caller, limit: int
) -> None:
    draft = await ann.open({"fee": 0})
    for fee in range(1, 5):
        await ann.save(draft, replace("/fee", fee))
    fork = await ann.fork(draft, version=4)
    for fee in range(10, 13):
        await ann.save(fork, replace("/fee", fee))
    whole = (await traces(ann, fork, "/fee"))["items"]
    assert [item["value"] for item in whole] == [12, 11, 10, 3, 2, 1, 0]
    assert whole[3]["draft"] == draft["id"]
    found: list[Document] = []
    cursor: dict[str, str] = {}
    while True:
        page = await traces(ann, fork, "/fee", limit=limit, **cursor)
        found += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == whole


async def test_an_auditor_sees_who_wrote_sensitive_values_and_not_the_values(
    ann: Caller, auditor: Caller, client: httpx.AsyncClient, settings: Settings
) -> None:
    admin = with_role(client, settings, "ada", "admin")
    assert (await admin.asks("PUT", "/v1/forms/show", json=FORM)).is_success
    draft = await ann.open({"title": "Jazz", "contact": {"phone": "12345"}}, form="show")
    await ann.save(draft, replace("/contact", {"phone": "67890"}))
    assert (await blames(ann, draft))["/contact/phone"]["value"] == "67890"
    hidden = (await blames(auditor, draft))["/contact/phone"]
    assert (hidden["value"], said(hidden)) == ({"masked": True}, ("ann", 2, "edited"))
    page = await traces(auditor, draft, "/contact")
    assert values(page) == [{"masked": True}] * 2
    assert values(await traces(ann, draft, "/contact")) == [{"phone": "67890"}, {"phone": "12345"}]


async def test_a_draft_of_somebody_else_is_not_there(ann: Caller, ben: Caller) -> None:
    draft = (await ann.open({"fee": 1}))["id"]
    for path in ("blame", "lineage?path=/fee"):
        problem(await ben.asks("GET", f"{draft}/{path}"), 404, "draft-not-found")
        problem(await ann.asks("GET", f"jazz/{path}"), 404, "draft-not-found")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"path": "fee"}, "?path"),
        ({"path": "/a~2"}, "?path"),
        ({"path": "/a\0"}, "?path"),
        ({"path": "/fee", "limit": "0"}, "?limit"),
        ({"path": "/fee", "limit": "201"}, "?limit"),
        ({"path": "/fee", "cursor": "x"}, "?cursor"),
        ({"path": "/fee", "cursor": "WyJ4IiwxXQ"}, "?cursor"),
    ],
)
async def test_a_wrong_question_is_named(ann: Caller, asked: dict[str, str], pointer: str) -> None:
    draft = (await ann.open({"fee": 1}))["id"]
    answer = await ann.asks("GET", f"{draft}/lineage", params=asked)
    assert pointers(problem(answer, 422, "invalid")) == [pointer]

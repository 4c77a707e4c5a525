"""The same request twice is one, by device, seq and digest, whatever came between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import httpx
import pytest

from tests.api.calls import (
    DRAFTS,
    JSON_PATCH,
    MERGE_PATCH,
    Caller,
    Document,
    add,
    edit,
    problem,
    replace,
)
from tests.running import Clock

GIG: Document = {"title": "Jazz night", "fee": 100, "acts": [{"id": "a5", "name": "Foo"}]}
MAC: Document = {"device": "mac", "seq": 7}

Request: TypeAlias = tuple[str, str, Document]

# Each is recorded on a draft at version 3: Foo became Bar on the mac, then fee 200 on an iPad.
NUMBERED: dict[str, Request] = {
    "edited": ("PATCH", "", edit(replace("/fee", 250), **MAC)),
    "edited, the whole form": ("PATCH", "", {"data": {"fee": 9}, "based_on": 3, **MAC}),
    "edited, the step alone": ("PATCH", "", {"step": "lineup", **MAC}),
    "merged": ("PATCH", "", edit(replace("/title", "Blues"), based_on=1, **MAC)),
    "merged, partly known": (
        "PATCH",
        "",
        edit(replace("/fee", 200), add("/acts/-", {"id": "x"}), based_on=2, **MAC),
    ),
    "restored": ("POST", "/restore", {"version": 1, **MAC}),
    "restored, a path": ("POST", "/restore", {"version": 1, "paths": ["/fee"], **MAC}),
    "undone": ("POST", "/undo", {"version": 2, **MAC}),
    "undone, a run": ("POST", "/undo", {"version": 2, "through": 3, **MAC}),
    "labelled": ("PUT", "/versions/1/label", {"label": "first", **MAC}),
    "extended": ("POST", "/extend", MAC),
    "forked": ("POST", "/fork", {"version": 2, **MAC}),
    "forked, from now": ("POST", "/fork", MAC),
    "submitted": ("POST", "/submit", MAC),
}


@pytest.fixture
async def draft(ann: Caller, clock: Clock) -> Document:
    """A draft at version 3."""
    opened = await ann.open(GIG)
    clock.tick()
    await ann.save(opened, replace("/acts/id:a5/name", "Bar"), device="mac", seq=1)
    clock.tick()
    await ann.save(opened, replace("/fee", 200), device="ipad", seq=1)
    clock.tick()
    return await ann.draft(opened)


async def send(ann: Caller, draft: Document, request: Request, **members: Any) -> httpx.Response:
    method, path, body = request
    return await ann.asks(method, draft["id"] + path, json={**body, **members})


numbered = pytest.mark.parametrize("request_", NUMBERED.values(), ids=NUMBERED)


@numbered
async def test_a_repetition_gets_the_first_answer(
    ann: Caller, draft: Document, clock: Clock, request_: Request
) -> None:
    first = await send(ann, draft, request_)
    assert first.is_success
    held = await ann.draft(draft)
    clock.tick()

    assert (await send(ann, draft, request_)).content == first.content
    assert await ann.draft(draft) == held

    if held["status"] == "open":
        await ann.save(draft, add("/title", "Rock"), device="ipad", seq=2)
        await ann.submit(draft)
        clock.tick()
        again = await send(ann, draft, request_)
        assert (again.status_code, again.content) == (first.status_code, first.content)


@numbered
async def test_the_order_of_the_members_does_not_make_another_request(
    ann: Caller, draft: Document, request_: Request
) -> None:
    first = await send(ann, draft, request_)
    method, path, body = request_

    again = await send(ann, draft, (method, path, dict(reversed(body.items()))))

    assert again.content == first.content


@numbered
async def test_another_request_under_the_same_seq_is_refused(
    ann: Caller, draft: Document, request_: Request
) -> None:
    await send(ann, draft, request_)
    held, listed = await ann.draft(draft), await ann.lists()

    answer = await send(ann, draft, request_, reason="another one")

    assert problem(answer, 409, "seq-reused")["last_seq"] == 7
    assert await ann.draft(draft) == held
    assert await ann.lists() == listed


async def test_equal_bodies_to_two_addresses_are_two_requests(ann: Caller, draft: Document) -> None:
    await send(ann, draft, NUMBERED["restored"])

    for method, path in (("POST", "/undo"), ("PUT", "/versions/1/label")):
        body = {"label": "x", **MAC} if path.endswith("label") else {"version": 1, **MAC}
        answer = await send(ann, draft, (method, path, body))
        problem(answer, 409, "seq-reused")


async def test_an_edit_is_the_same_in_a_queue_and_alone(ann: Caller, draft: Document) -> None:
    body = edit(replace("/fee", 250), based_on=3, **MAC)

    (queued,) = await ann.sends(draft, body)

    assert await ann.save(draft, **body) == queued


@pytest.mark.parametrize(
    ("headers", "body", "other"),
    [
        (JSON_PATCH, [replace("/fee", 250)], [replace("/fee", 251)]),
        (MERGE_PATCH, {"fee": 250}, {"fee": 251}),
        (MERGE_PATCH, {"fee": 250}, {"fee": 250, "data": None}),
    ],
)
async def test_patch_documents_are_numbered_in_the_address(
    ann: Caller, draft: Document, headers: dict[str, str], body: Any, other: Any
) -> None:
    query = {"device": "mac", "seq": 7, "based_on": 3}

    async def patch(sent: Any) -> httpx.Response:
        return await ann.asks("PATCH", draft["id"], json=sent, params=query, headers=headers)

    first = await patch(body)
    await ann.save(draft, replace("/title", "Rock"), device="ipad", seq=2)

    assert first.json()["recorded"]
    assert (await patch(body)).content == first.content
    problem(await patch(other), 409, "seq-reused")


async def test_a_lower_seq_that_was_recorded_gets_its_receipt_too(
    ann: Caller, draft: Document, clock: Clock
) -> None:
    edits = [edit(add(f"/f{seq}", seq), device="mac", seq=seq, based_on=3) for seq in (5, 6, 9)]
    receipts = []
    for body in edits:
        clock.tick()
        receipts.append(await ann.save(draft, **body))

    assert [await ann.save(draft, **body) for body in edits] == receipts
    answer = await ann.tries(draft, **{**edits[0], "reason": "another"})
    assert problem(answer, 409, "seq-reused")["last_seq"] == 9


async def test_a_lower_seq_that_was_never_recorded_was_skipped(
    ann: Caller, draft: Document
) -> None:
    await ann.save(draft, replace("/fee", 250), device="mac", seq=9)

    answer = await ann.tries(draft, replace("/fee", 300), device="mac", seq=8)

    assert problem(answer, 409, "seq-skipped")["last_seq"] == 9
    assert await ann.data(draft) == {**draft["data"], "fee": 250}


async def test_what_records_nothing_does_not_use_a_seq_up(ann: Caller, draft: Document) -> None:
    same = await ann.save(draft, replace("/fee", 200), device="mac", seq=2)
    tried = await ann.restore(draft, 1, dry_run=True, device="mac", seq=2)
    clash = await ann.tries(
        draft, replace("/fee", 1), device="mac", seq=2, based_on=2, on_conflict="reject"
    )
    labelled = await ann.label(draft, 1, "first")
    again = await ann.label(draft, 1, "first", device="mac", seq=2)

    other = await ann.save(draft, replace("/fee", 250), device="mac", seq=2)

    assert [same["recorded"], tried["recorded"], again["recorded"]] == [False] * 3
    assert clash.status_code == 409
    assert (other["recorded"], other["version"]) == (True, labelled["version"] + 1)


async def test_a_seq_counts_per_device_and_draft(ann: Caller, draft: Document) -> None:
    other = await ann.open(GIG, another=True)

    for one in (draft, other):
        for device in ("a", "b"):
            receipt = await ann.save(one, add(f"/{device}", 1), device=device, seq=0)
            assert receipt["recorded"]


async def test_a_seq_may_be_as_large_as_a_number_in_a_browser(ann: Caller, draft: Document) -> None:
    last = {"device": "mac", "seq": 2**53 - 1}

    receipt = await ann.save(draft, replace("/fee", 250), **last)

    assert await ann.save(draft, replace("/fee", 250), **last) == receipt


async def test_a_repetition_comes_before_if_match_and_before_the_status(
    ann: Caller, draft: Document
) -> None:
    body, tag = edit(replace("/fee", 250), **MAC), {"if-match": '"3"'}
    first = await ann.tries(draft, headers=tag, **body)
    assert first.status_code == 200

    assert (await ann.tries(draft, headers=tag, **body)).content == first.content
    await ann.discard(draft)
    assert (await ann.tries(draft, headers=tag, **body)).content == first.content


async def test_a_repetition_may_prefer_the_whole_draft_as_it_is_now(
    ann: Caller, draft: Document
) -> None:
    body = edit(replace("/fee", 250), **MAC)
    receipt = await ann.save(draft, **body)
    await ann.save(draft, replace("/title", "Rock"))

    again = await ann.tries(draft, headers={"prefer": "return=representation"}, **body)

    assert again.json() == {**receipt, "draft": await ann.draft(draft)}


async def test_a_request_sent_many_times_at_once_is_recorded_once(
    ann: Caller, draft: Document
) -> None:
    for body in (edit(replace("/fee", 250), **MAC), {"step": "x", "device": "ipad", "seq": 2}):
        answers = await asyncio.gather(*(ann.tries(draft, **body) for _ in range(20)))
        assert len({answer.content for answer in answers}) == 1

    assert (await ann.draft(draft))["version"] == 5


async def test_a_fork_sent_many_times_at_once_is_one_fork(ann: Caller, draft: Document) -> None:
    answers = await asyncio.gather(*(send(ann, draft, NUMBERED["forked"]) for _ in range(10)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len((await ann.lists())["items"]) == 2


async def test_an_opening_sent_again_finds_its_draft(ann: Caller, clock: Clock) -> None:
    openings: list[Callable[[], Document]] = [
        lambda: {"form": "gig", "data": GIG, **MAC},
        lambda: {"form": "gig", "subject": "42", "data": GIG, **MAC},
        lambda: {"form": "gig", "data": GIG, "another": True, "id": str(UUID(int=5)), **MAC},
    ]
    for opening in openings:
        first = await ann.asks("POST", DRAFTS, json=opening())
        clock.tick()
        again = await ann.asks("POST", DRAFTS, json=opening())
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.content == first.content


async def test_what_filled_a_draft_fills_it_once(ann: Caller) -> None:
    draft = await ann.open({"title": "Jazz"}, subject="42")
    filling = {"form": "gig", "subject": "42", "data": {"fee": 100}, **MAC}
    filled = await ann.asks("POST", DRAFTS, json=filling)
    await ann.save(draft, replace("/fee", 250))

    again = await ann.asks("POST", DRAFTS, json=filling)

    assert (filled.json()["version"], again.status_code) == (2, 200)
    assert again.json()["data"] == {"title": "Jazz", "fee": 250}


async def test_an_id_opens_one_draft_however_often_at_once(ann: Caller) -> None:
    wanted = {"form": "gig", "data": GIG, "another": True, "id": str(uuid4())}

    answers = await asyncio.gather(*(ann.asks("POST", DRAFTS, json=wanted) for _ in range(10)))

    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.content for answer in answers}) == 1

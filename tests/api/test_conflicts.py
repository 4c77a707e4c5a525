"""Conflicts over HTTP: kept, shown to everybody, settled on any device, and forks brought back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.calls import Caller, Document, add, edit, pointers, problem, replace
from tests.api.receiving import received

GIG = {"title": "Jazz night", "fee": 100}


@pytest.fixture
async def draft(ann: Caller) -> Document:
    """A draft in which the mac's fee is 250, and the iPad's is 300."""
    opened = await ann.open(GIG, subject="42")
    await ann.save(opened, replace("/fee", 250), device="mac", seq=1, based_on=1)
    await ann.save(opened, replace("/fee", 300), device="ipad", seq=1, based_on=1)
    return opened


async def settle(ann: Caller, draft: Document, conflict: str, **decision: Any) -> Document:
    answer = await ann.asks("POST", f"{draft['id']}/conflicts/{conflict}/resolve", json=decision)
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


async def open_ones(ann: Caller, draft: Document, **page: Any) -> Document:
    answer = await ann.asks("GET", f"{draft['id']}/conflicts", params=page)
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


def side(value: Any, device: str, version: int, at: str) -> Document:
    return {
        "values": {"/fee": value},
        "by": "ann",
        "at": at,
        "device": device,
        "version": version,
    }


async def test_a_conflict_is_in_the_receipt_the_draft_and_its_list(
    ann: Caller, draft: Document
) -> None:
    at = draft["saved_at"]
    conflict = {
        "id": "c1",
        "paths": ["/fee"],
        "group": None,
        "base": {"/fee": 100},
        "ours": side(250, "mac", 2, at),
        "theirs": [side(300, "ipad", 3, at)],
    }
    again = await ann.save(draft, replace("/fee", 300), device="ipad", seq=1, based_on=1)
    assert again["conflicts"] == [conflict]
    assert (await ann.draft(draft))["conflicts"] == [conflict]
    text = "Ann's edit of Fee on ipad clashed with the one on mac: €250 or €300"
    listed = {"items": [{**conflict, "text": text}], "next_cursor": None}
    assert await open_ones(ann, draft) == listed
    assert (await ann.lists())["items"][0]["conflicts"] == 1
    assert (await ann.draft(draft, version=2))["conflicts"] == []
    assert (await ann.draft(draft, version=3))["conflicts"] == [conflict]


async def test_the_receipts_changes_lead_from_what_was_sent_to_what_the_draft_holds(
    ann: Caller, draft: Document
) -> None:
    receipt = await ann.save(
        draft, replace("/fee", 400), add("/venue", "Hall"), device="phone", based_on=1
    )
    assert (receipt["recorded"], receipt["merged"]) == (True, True)
    sent = {**GIG, "fee": 400, "venue": "Hall"}
    assert received(receipt["changes"], sent) == await ann.data(draft)
    assert await ann.data(draft) == {**GIG, "fee": 250, "venue": "Hall"}


@pytest.mark.parametrize(
    ("decision", "fee"),
    [
        ({"take": "ours"}, 250),
        ({"take": "theirs"}, 300),
        ({"take": "theirs", "which": "ipad"}, 300),
        ({"take": "theirs", "which": 0}, 300),
        ({"take": "base"}, 100),
        ({"take": "value", "value": 275}, 275),
        ({"take": "value", "value": None}, None),
    ],
)
async def test_a_conflict_is_settled_on_any_device(
    ann: Caller, draft: Document, decision: Document, fee: Any
) -> None:
    tried = await settle(ann, draft, "c1", dry_run=True, **decision)
    receipt = await settle(ann, draft, "c1", device="phone", seq=1, **decision)
    assert await settle(ann, draft, "c1", device="phone", seq=1, **decision) == receipt
    assert (tried["recorded"], tried["changes"]) == (False, receipt["changes"])
    assert (receipt["recorded"], receipt["version"], receipt["conflicts"]) == (True, 4, [])
    assert await ann.data(draft) == {**GIG, "fee": fee}
    assert (await ann.draft(draft))["conflicts"] == []
    assert (await ann.version(draft, 4))["act"] == "resolved"


async def test_several_conflicts_are_settled_as_one_version(ann: Caller) -> None:
    draft = await ann.open({"a": 0, "b": 0, "c": 0})
    for device, value in (("mac", 1), ("ipad", 2)):
        await ann.save(draft, *[replace(f"/{n}", value) for n in "abc"], device=device, based_on=1)
    first = await open_ones(ann, draft, limit=2)
    rest = await open_ones(ann, draft, limit=2, cursor=first["next_cursor"])
    ids = [one["id"] for one in [*first["items"], *rest["items"]]]
    assert (ids, rest["next_cursor"]) == (["c1", "c2", "c3"], None)
    items = [{"id": "c3", "take": "theirs"}, {"id": "c1", "take": "base"}]
    answer = await ann.asks("POST", f"{draft['id']}/conflicts/resolve", json={"items": items})
    receipt = answer.json()
    assert receipt["version"] == 4
    assert [one["id"] for one in receipt["conflicts"]] == ["c2"]
    assert await ann.data(draft) == {"a": 0, "b": 1, "c": 2}


@pytest.mark.parametrize(
    ("decision", "pointer"),
    [
        ({}, "/take"),
        ({"take": "mine"}, "/take"),
        ({"take": "value"}, ""),
        ({"take": "ours", "value": 1}, ""),
        ({"take": "ours", "which": "mac"}, ""),
        ({"take": "theirs", "which": "phone"}, "/which"),
        ({"take": "theirs", "which": 1}, "/which"),
        ({"take": "theirs", "which": -1}, "/which"),
        ({"take": "theirs", "which": []}, "/which"),
        ({"take": "ours", "colour": "red"}, "/colour"),
    ],
)
async def test_a_decision_that_names_nothing_is_refused(
    ann: Caller, draft: Document, decision: Document, pointer: str
) -> None:
    before = await ann.draft(draft)
    answer = await ann.asks("POST", f"{draft['id']}/conflicts/c1/resolve", json=decision)
    assert pointer in pointers(problem(answer, 422, "invalid"))
    assert await ann.draft(draft) == before


async def test_a_settled_conflict_and_one_that_never_was_are_told_apart(
    ann: Caller, draft: Document
) -> None:
    await settle(ann, draft, "c1", take="ours")
    for conflict, status, slug in (
        ("c1", 409, "conflict-closed"),
        ("c2", 404, "conflict-not-found"),
        ("no", 404, "conflict-not-found"),
    ):
        path = f"{draft['id']}/conflicts/{conflict}/resolve"
        answer = await ann.asks("POST", path, json={"take": "theirs"})
        assert problem(answer, status, slug)["conflict"] == conflict


async def test_a_strangers_conflicts_are_as_if_they_were_not_there(
    ann: Caller, ben: Caller, draft: Document
) -> None:
    for method, path, body in (
        ("GET", "conflicts", None),
        ("POST", "conflicts/c1/resolve", {"take": "ours"}),
        ("POST", "merge", {"fork": draft["id"]}),
    ):
        answer = await ben.asks(method, f"{draft['id']}/{path}", json=body)
        problem(answer, 404, "draft-not-found")
    assert (await ann.draft(draft))["version"] == 3


async def test_if_match_holds_a_decision_back(ann: Caller, draft: Document) -> None:
    answer = await ann.asks(
        "POST",
        f"{draft['id']}/conflicts/c1/resolve",
        json={"take": "ours"},
        headers={"if-match": '"2"'},
    )
    problem(answer, 412, "version-mismatch")


async def test_a_queue_keeps_what_clashes_and_goes_on(ann: Caller, draft: Document) -> None:
    queue = [
        edit(replace("/fee", 410), device="phone", seq=1, based_on=1),
        edit(replace("/fee", 420), device="phone", seq=2, based_on=1),
        edit(add("/venue", "Hall"), device="phone", seq=3, based_on=1),
    ]
    results = await ann.sends(draft, *queue)
    assert [r["version"] for r in results] == [4, 5, 6]
    assert await ann.data(draft) == {**GIG, "fee": 250, "venue": "Hall"}
    (conflict,) = (await ann.draft(draft))["conflicts"]
    assert [one["values"]["/fee"] for one in conflict["theirs"]] == [300, 420]
    assert await ann.sends(draft, *queue) == results


async def test_undoing_a_decision_opens_the_conflict_again(ann: Caller, draft: Document) -> None:
    before = (await ann.draft(draft))["conflicts"]
    await settle(ann, draft, "c1", take="theirs")
    receipt = await ann.undo(draft, 4)
    assert receipt["conflicts"] == before
    assert await ann.data(draft) == {**GIG, "fee": 250}


async def test_a_conflict_outlives_a_restart_of_everything_held(
    ann: Caller, draft: Document
) -> None:
    """Many versions later the draft comes from a stored state, with its conflict."""
    for number in range(40):
        await ann.save(draft, add("/n", number), device="mac")
    assert [one["id"] for one in (await ann.draft(draft))["conflicts"]] == ["c1"]
    await settle(ann, draft, "c1", take="theirs")
    assert (await ann.data(draft))["fee"] == 300


async def test_a_fork_is_merged_back_as_often_as_it_has_something_new(
    ann: Caller, draft: Document
) -> None:
    fork = await ann.fork(draft)
    await ann.save(fork, add("/venue", "Hall"))
    await ann.save(draft, replace("/title", "Blues"), device="mac")

    async def merge(**members: Any) -> Document:
        body = {"fork": fork["id"], **members}
        answer = await ann.asks("POST", f"{draft['id']}/merge", json=body)
        assert answer.status_code == 200, answer.text
        document: Document = answer.json()
        return document

    first = await merge(device="mac", seq=9)
    assert await merge(device="mac", seq=9) == first
    assert (first["recorded"], first["merged"]) == (True, True)
    (change,) = first["changes"]
    assert (change["path"], change["after"], change["version"]) == ("/venue", "Hall", 5)
    assert change["text"] == "Ann set Venue to 'Hall'"
    assert await ann.data(draft) == {"title": "Blues", "fee": 250, "venue": "Hall"}
    assert (await merge())["recorded"] is False
    await ann.save(fork, replace("/venue", "Club"))
    await merge()
    assert (await ann.data(draft))["venue"] == "Club"


async def test_only_a_fork_of_the_draft_can_be_merged(ann: Caller, draft: Document) -> None:
    other = await ann.open(GIG, another=True)
    answer = await ann.asks("POST", f"{draft['id']}/merge", json={"fork": other["id"]})
    problem(answer, 422, "not-its-fork")


async def test_what_is_in_conflict_is_told_in_a_refusal_by_name(
    ann: Caller, draft: Document
) -> None:
    late = edit(replace("/fee", 1), device="phone", based_on=1, on_conflict="reject")
    (clash,) = problem(await ann.asks("PATCH", draft["id"], json=late), 409, "clash")["conflicts"]
    assert (clash["ours"]["by"], clash["theirs"][0]["by"]) == ("ann", "ann")
    (result,) = await ann.sends(draft, late)
    assert result["conflicts"] == [clash]

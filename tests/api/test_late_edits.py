"""Late edits: what a device sends to a finished draft goes to a fork of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.calls import (
    Caller,
    Document,
    Process,
    add,
    id_of,
    pointers,
    problem,
    remove,
    replace,
)

ACTS = [{"id": "a5", "name": "Foo"}]


def late(*changes: Document, **members: Any) -> Document:
    """An edit that asks for a fork."""
    return {"changes": list(changes), "device": "mac", "on_closed": "fork", **members}


async def sends(who: Caller, draft: Document, edit: Document) -> Document:
    answer = await who.asks("PATCH", id_of(draft), json=edit)
    assert answer.is_success, answer.text
    receipt: Document = answer.json()
    return receipt


@pytest.fixture
async def finished(ann: Caller) -> Document:
    """A draft that was saved on two devices and then submitted, as the mac saw it first."""
    draft = await ann.open({"title": "Jazz", "fee": 100, "acts": ACTS}, subject="42")
    await ann.save(draft, replace("/fee", 250), based_on=1, device="mac", seq=1)
    await ann.save(draft, replace("/title", "Blues"), based_on=1, device="ipad", seq=1)
    await ann.submit(draft)
    return draft


async def test_the_first_late_edit_makes_a_fork_of_what_its_device_held(
    ann: Caller, finished: Document
) -> None:
    before = await ann.draft(finished)
    receipt = await sends(
        ann, finished, late(replace("/acts/id:a5/name", "Foo Fighters"), based_on=1, seq=2)
    )
    assert receipt["id"] != finished["id"]
    assert (receipt["version"], receipt["recorded"], receipt["changes"]) == (2, True, [])
    fork = await ann.draft(receipt["id"])
    assert fork["data"] == {
        "title": "Jazz",  # the mac had not seen the ipad's
        "fee": 250,  # its own
        "acts": [{"id": "a5", "name": "Foo Fighters"}],
    }
    assert fork["forked_from"] == {"draft": finished["id"], "version": 1}
    assert (fork["owner"], fork["status"], fork["subject"]) == ("ann", "open", "42")
    assert (await ann.version(fork, 2))["device"] == "mac"
    assert await ann.draft(finished) == before


async def test_later_ones_go_to_the_same_fork_and_other_devices_have_their_own(
    ann: Caller, finished: Document
) -> None:
    first = await sends(ann, finished, late(replace("/fee", 300), based_on=1, seq=2))
    second = await sends(ann, finished, late(add("/note", "x"), based_on=1, seq=3))
    other = await sends(ann, finished, late(add("/note", "y"), device="ipad", based_on=4, seq=2))
    assert (second["id"], second["version"]) == (first["id"], 3)
    assert other["id"] not in (first["id"], finished["id"])
    assert (await ann.data(first["id"])) == {"title": "Jazz", "fee": 300, "acts": ACTS, "note": "x"}
    assert (await ann.data(other["id"]))["title"] == "Blues"


async def test_a_late_edit_sent_again_gets_its_first_receipt(
    ann: Caller, finished: Document
) -> None:
    edits = [late(replace("/fee", 300 + n), based_on=1, seq=2 + n) for n in range(3)]
    receipts = [await sends(ann, finished, edit) for edit in edits]
    assert [await sends(ann, finished, edit) for edit in edits] == receipts
    assert (await ann.draft(receipts[0]["id"]))["version"] == 4
    other = {**edits[2], "changes": [replace("/fee", 1)]}
    problem(await ann.asks("PATCH", id_of(finished), json=other), 409, "seq-reused")
    recorded = await ann.asks(
        "PATCH",
        id_of(finished),
        json={"changes": [replace("/fee", 250)], "based_on": 1, "device": "mac", "seq": 1},
    )
    assert (recorded.json()["id"], recorded.json()["version"]) == (finished["id"], 2)


async def test_an_offline_queue_goes_on_in_the_fork(ann: Caller, finished: Document) -> None:
    queue = [
        {"changes": [replace("/fee", 250)], "based_on": 1, "device": "mac", "seq": 1},
        late(replace("/fee", 300), based_on=1, seq=2),
        late(replace("/nowhere", 1), based_on=1, seq=3),
        late(add("/note", "x"), based_on=1, seq=4),
        late(add("/note", "y"), device="ipad", based_on=1, seq=2),
        {"changes": [replace("/fee", 1)], "based_on": 1, "device": "mac", "seq": 9},
    ]
    results = await ann.sends(finished, *queue)
    fork = results[1]["id"]
    assert results[0]["id"] == finished["id"]
    assert [result.get("id") for result in results[1:4]] == [fork, None, fork]
    assert results[2]["type"] == "/problems/cannot-apply"
    assert results[4]["id"] not in (fork, finished["id"])
    assert results[5]["draft_status"] == "submitted"
    assert await ann.data(fork) == {"title": "Jazz", "fee": 300, "acts": ACTS, "note": "x"}
    again = await ann.sends(finished, *queue)
    recorded = [n for n, result in enumerate(results) if "id" in result]
    assert [again[n] for n in recorded] == [results[n] for n in recorded]


async def test_an_edit_on_another_base_than_the_first_brings_only_what_it_changed(
    ann: Caller, finished: Document
) -> None:
    first = await sends(ann, finished, late(replace("/fee", 300), based_on=1, seq=2))
    second = await sends(
        ann, finished, late(add("/note", "x"), remove("/acts/id:a5"), based_on=4, seq=3)
    )
    assert second["id"] == first["id"]
    assert await ann.data(first["id"]) == {"title": "Jazz", "fee": 300, "acts": [], "note": "x"}
    third = await sends(ann, finished, late(replace("/fee", 400), based_on=4, seq=4))
    assert third["conflicts"] == []
    assert (await ann.data(first["id"]))["fee"] == 400
    now = await sends(ann, finished, late(replace("/fee", 500)))
    assert (await ann.data(now["id"]))["fee"] == 500


async def test_a_fork_that_is_finished_has_its_late_edits_too(
    ann: Caller, finished: Document
) -> None:
    first = await sends(ann, finished, late(replace("/fee", 300), based_on=1, seq=2))
    await ann.submit(first["id"])
    answer = await ann.asks("PATCH", id_of(finished), json=late(add("/note", 1), based_on=1, seq=3))
    problem(answer, 409, "draft-closed")
    third = await sends(ann, first, late(add("/note", 1), based_on=2, seq=3))
    assert await ann.data(third["id"]) == {"title": "Jazz", "fee": 300, "acts": ACTS, "note": 1}


async def test_after_a_fork_was_purged_its_device_gets_another(
    ann: Caller, finished: Document
) -> None:
    forks = []
    for seq in (2, 3, 4):
        receipt = await sends(ann, finished, late(replace("/fee", seq), based_on=1, seq=seq))
        assert (receipt["version"], (await ann.data(receipt["id"]))["fee"]) == (2, seq)
        forks.append(receipt["id"])
        await ann.discard(receipt["id"])
        assert (await ann.asks("POST", f"{receipt['id']}/purge")).is_success
    assert len(set(forks)) == 3


async def test_what_is_refused_or_changes_nothing_makes_no_fork(
    ann: Caller, finished: Document
) -> None:
    before = await ann.lists()

    async def refused(edit: Document, status: int, slug: str) -> Document:
        return problem(await ann.asks("PATCH", id_of(finished), json=edit), status, slug)

    await refused(late(replace("/nowhere", 1), based_on=1), 422, "cannot-apply")
    await refused(late(replace("/fee", 250), based_on=1), 409, "draft-closed")
    assert pointers(await refused(late(add("/n", 1), based_on=99), 422, "invalid")) == ["/based_on"]
    await refused(late(add("/n", 1), based_on=1, on_closed="reject"), 409, "draft-closed")
    nobodys = {**late(add("/n", 1), based_on=1), "device": None}
    await refused(nobodys, 422, "invalid")
    assert await ann.lists() == before


async def test_an_open_draft_takes_such_an_edit_itself(ann: Caller) -> None:
    draft = await ann.open({"fee": 100})
    receipt = await sends(ann, draft, late(replace("/fee", 250), based_on=1))
    assert (receipt["id"], receipt["version"]) == (draft["id"], 2)


async def test_a_stranger_forks_nothing(ann: Caller, ben: Caller, finished: Document) -> None:
    answer = await ben.asks("PATCH", id_of(finished), json=late(add("/n", 1), based_on=1))
    problem(answer, 404, "draft-not-found")
    assert (await ben.lists())["items"] == []


async def test_a_discarded_draft_that_comes_back_takes_its_forks_in(ann: Caller) -> None:
    draft = await ann.open({"title": "Jazz", "fee": 100})
    await ann.discard(draft)
    fork = (await sends(ann, draft, late(replace("/fee", 300), based_on=1, seq=1)))["id"]
    await ann.recover(draft)
    merged = await ann.asks("POST", f"{id_of(draft)}/merge", json={"fork": fork})
    assert merged.is_success
    assert await ann.data(draft) == {"title": "Jazz", "fee": 300}


async def test_many_late_edits_at_once_through_several_processes_make_one_fork(
    processes: list[Process],
) -> None:
    ann = processes[0].ann
    draft = await ann.open({"title": "Jazz"})
    await ann.submit(draft)
    edits = [late(add(f"/n{n}", n), based_on=1) for n in range(10)]
    receipts = await asyncio.gather(
        *(sends(processes[n % len(processes)].ann, draft, edit) for n, edit in enumerate(edits))
    )
    assert len({receipt["id"] for receipt in receipts}) == 1
    assert sorted(receipt["version"] for receipt in receipts) == list(range(2, 12))
    fork = await ann.draft(receipts[0]["id"])
    assert fork["data"] == {"title": "Jazz", **{f"n{n}": n for n in range(10)}}
    assert fork["conflicts"] == []

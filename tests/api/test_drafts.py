"""A draft's life over HTTP: opened, filled, read, put off, forked, finished and brought back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.api.calls import (
    DRAFTS,
    Caller,
    Document,
    add,
    problem,
    replace,
    without,
)
from tests.running import Clock

GIG: Document = {"title": "Jazz night", "fee": 100, "acts": [{"id": "a5", "name": "Foo"}]}


def text_of(clock: Clock, *, days: int = 0) -> str:
    return (clock.now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- opening


async def test_a_new_draft_is_created_whole(ann: Caller, clock: Clock) -> None:
    wanted = {
        "form": "gig",
        "subject": "42",
        "data": GIG,
        "step": "lineup",
        "completed_steps": ["basic"],
    }

    answer = await ann.asks("POST", DRAFTS, json=wanted)

    assert answer.status_code == 201
    draft = answer.json()
    assert without(draft, "id") == {
        "form": "gig",
        "subject": "42",
        "title": "Jazz night",
        "template": False,
        "status": "open",
        "version": 1,
        "data": GIG,
        "step": "lineup",
        "completed_steps": ["basic"],
        "owner": "ann",
        "role": "owner",
        "conflicts": [],
        "created_at": text_of(clock),
        "saved_at": text_of(clock),
        "expires_at": text_of(clock, days=30),
        "forked_from": None,
        "from_template": None,
    }
    assert answer.headers["location"] == f"{DRAFTS}/{UUID(draft['id'])}"
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["cache-control"] == "private, no-cache"
    assert await ann.draft(draft) == draft


async def test_opening_again_finds_the_draft_that_is_open(ann: Caller, clock: Clock) -> None:
    first = await ann.open(GIG, subject="42")
    clock.tick()

    again = await ann.asks("POST", DRAFTS, json={"form": "gig", "subject": "42"})

    assert (again.status_code, again.json()) == (200, first)
    assert again.headers["etag"] == '"1"'
    assert "location" not in again.headers


async def test_a_missing_subject_counts_as_one(ann: Caller) -> None:
    without_subject = await ann.open()
    with_subject = await ann.open(subject="42")

    assert without_subject["id"] != with_subject["id"]
    assert await ann.open() == without_subject
    assert await ann.open(subject=None) == without_subject


async def test_each_form_and_each_owner_has_a_draft_of_its_own(ann: Caller, ben: Caller) -> None:
    drafts = [
        await ann.open(subject="42"),
        await ann.open(subject="42", form="venue"),
        await ben.open(subject="42"),
    ]

    assert len({draft["id"] for draft in drafts}) == 3
    assert [draft["owner"] for draft in drafts] == ["ann", "ann", "ben"]


async def test_another_draft_can_be_opened_beside_the_first(ann: Caller) -> None:
    first = await ann.open(subject="42")

    further = await ann.open(subject="42", another=True)

    assert further["id"] != first["id"]
    assert await ann.open(subject="42") == first


async def test_a_clients_id_makes_an_opening_repeatable(ann: Caller) -> None:
    wanted = {"form": "gig", "data": GIG, "id": str(uuid4()), "another": True}

    first = await ann.asks("POST", DRAFTS, json=wanted)
    again = await ann.asks("POST", DRAFTS, json=wanted)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == wanted["id"]
    assert again.content == first.content
    assert len((await ann.lists())["items"]) == 1


async def test_an_id_that_somebody_else_uses_is_taken_without_details(
    ann: Caller, ben: Caller
) -> None:
    draft = await ann.open(GIG)

    answer = await ben.asks("POST", DRAFTS, json={"form": "gig", "id": draft["id"]})

    refusal = problem(answer, 409, "id-taken")
    assert sorted(refusal) == ["detail", "request_id", "status", "title", "type"]
    assert await ann.draft(draft) == draft


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ({"title": "Jazz", "name": "Blues"}, "Jazz"),
        ({"name": "Blues"}, "Blues"),
        ({"title": {"de": "Jazz"}, "name": "Blues"}, "Blues"),
        ({"title": 5}, None),
        ({}, None),
    ],
)
async def test_the_title_is_derived_from_the_data(
    ann: Caller, data: Document, title: str | None
) -> None:
    assert (await ann.open(data))["title"] == title


# -- filling


async def test_data_for_an_open_draft_fills_what_it_lacks(ann: Caller, clock: Clock) -> None:
    draft = await ann.open({"title": "Jazz", "fee": 100}, subject="42")
    clock.tick()

    filled = await ann.open({"title": "Jazz", "venue": "Hall"}, subject="42")

    assert (filled["id"], filled["version"]) == (draft["id"], 2)
    assert filled["data"] == {"title": "Jazz", "fee": 100, "venue": "Hall"}
    assert filled["saved_at"] == text_of(clock)


@pytest.mark.parametrize("empty", [None, "", [], {}])
async def test_an_equal_or_an_empty_member_changes_nothing(ann: Caller, empty: Any) -> None:
    draft = await ann.open({"title": "Jazz", "fee": 100}, subject="42")

    assert await ann.open({"fee": empty, "venue": empty, "title": "Jazz"}, subject="42") == draft
    assert await ann.open({"fee": 100.0}, subject="42") == draft


@pytest.mark.parametrize("held", [None, "", [], {}, False, 0])
async def test_another_value_is_a_conflict_even_where_the_drafts_own_is_empty(
    ann: Caller, held: Any
) -> None:
    draft = await ann.open({"title": "Jazz", "fee": held}, subject="42")

    filled = await ann.open({"fee": 250, "venue": "Hall"}, subject="42", device="ipad")

    side = {"by": "ann", "at": draft["saved_at"]}
    assert filled["data"] == {"title": "Jazz", "fee": held, "venue": "Hall"}
    assert filled["conflicts"] == [
        {
            "id": "c1",
            "paths": ["/fee"],
            "group": None,
            "base": {},
            "ours": {"values": {"/fee": held}, **side, "device": None, "version": 1},
            "theirs": [{"values": {"/fee": 250}, **side, "device": "ipad", "version": 2}],
        }
    ]


async def test_without_a_subject_data_that_shares_no_field_becomes_a_further_draft(
    ann: Caller,
) -> None:
    draft = await ann.open({"title": "Jazz", "fee": None})

    further = await ann.open({"title": "Blues", "fee": None})
    filled = await ann.open({"title": "Jazz", "venue": "Hall"})

    assert further["id"] != draft["id"]
    assert further["data"] == {"title": "Blues", "fee": None}
    assert filled["id"] == draft["id"]
    assert filled["data"] == {"title": "Jazz", "fee": None, "venue": "Hall"}


async def test_an_empty_draft_without_a_subject_is_filled(ann: Caller) -> None:
    draft = await ann.open()

    filled = await ann.open(GIG)

    assert (filled["id"], filled["version"], filled["data"]) == (draft["id"], 2, GIG)


# -- reading


@pytest.mark.parametrize("tag", ['"2"', 'W/"2"', '"1", "2"', "*", '"no", W/"2"'])
async def test_a_caller_who_has_the_version_gets_304(ann: Caller, tag: str) -> None:
    draft = await ann.open(GIG)
    await ann.save(draft, replace("/fee", 250))

    answer = await ann.asks("GET", draft["id"], headers={"if-none-match": tag})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == '"2"'
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("tag", ['"1"', "2", '"two"', '"2', "", '"99999999999999999999"'])
async def test_a_caller_who_has_another_version_gets_the_draft(ann: Caller, tag: str) -> None:
    draft = await ann.open(GIG)
    await ann.save(draft, replace("/fee", 250))

    answer = await ann.asks("GET", draft["id"], headers={"if-none-match": tag})

    assert answer.status_code == 200
    assert answer.json()["version"] == 2


async def test_every_version_stays_as_it_was(ann: Caller, clock: Clock) -> None:
    draft = await ann.open(GIG)
    shown = [draft]
    for fee in range(40):
        clock.tick()
        await ann.save(draft, replace("/fee", -fee), add("/acts/-", {"id": f"b{fee}"}))
        shown.append(await ann.draft(draft))

    assert [await ann.draft(draft, version=n) for n in range(1, 42)] == shown


async def test_a_version_is_tagged_with_its_number(ann: Caller) -> None:
    draft = await ann.open(GIG)
    await ann.save(draft, replace("/fee", 250))

    answer = await ann.asks("GET", f"{draft['id']}?version=1")
    known = await ann.asks("GET", f"{draft['id']}?version=1", headers={"if-none-match": '"1"'})

    assert (answer.headers["etag"], answer.json()) == ('"1"', draft)
    assert known.status_code == 304


async def test_a_version_that_is_not_there_is_not_found(ann: Caller) -> None:
    draft = await ann.open(GIG)

    answer = await ann.asks("GET", f"{draft['id']}?version=2")

    assert problem(answer, 404, "version-not-found")["last_version"] == 1


async def test_a_moment_shows_the_last_version_saved_by_then(ann: Caller, clock: Clock) -> None:
    draft = await ann.open(GIG)
    clock.tick(0.5)
    await ann.save(draft, replace("/fee", 2))
    await ann.save(draft, replace("/fee", 3))
    clock.tick(10)
    await ann.save(draft, replace("/fee", 4))

    moments = {
        "2026-03-01T12:00:00Z": 1,
        "2026-03-01T12:00:00.499999Z": 1,
        "2026-03-01T12:00:00.5Z": 3,
        "2026-03-01T13:00:05+01:00": 3,
        "2026-03-01T07:00:10.500-05:00": 4,
        "2999-01-01T00:00:00Z": 4,
    }
    assert {at: (await ann.draft(draft, at=at))["version"] for at in moments} == moments


@pytest.mark.parametrize("at", ["2026-03-01T11:59:59.999999Z", "0001-01-01T00:00:00Z"])
async def test_before_the_first_version_there_was_nothing(ann: Caller, at: str) -> None:
    draft = await ann.open(GIG)

    answer = await ann.asks("GET", draft["id"], params={"at": at})

    problem(answer, 404, "version-not-found")


async def test_saved_at_never_goes_back(ann: Caller, clock: Clock) -> None:
    draft = await ann.open(GIG)
    clock.tick(-3_600)

    receipt = await ann.save(draft, replace("/fee", 250))

    assert receipt["saved_at"] == draft["saved_at"]
    assert receipt["expires_at"] == draft["expires_at"]


# -- expiry


async def test_each_save_moves_the_expiry_and_a_label_does_not(ann: Caller, clock: Clock) -> None:
    draft = await ann.open(GIG)
    clock.tick(86_400)
    saved = await ann.save(draft, replace("/fee", 250))
    clock.tick(86_400)
    labelled = await ann.label(draft, 1, "first")

    assert saved["expires_at"] == text_of(clock, days=29)
    assert labelled["expires_at"] == saved["expires_at"]


async def test_extending_is_a_version_that_puts_the_expiry_off(ann: Caller, clock: Clock) -> None:
    draft = await ann.open(GIG)
    clock.tick(86_400)

    receipt = await ann.extend(draft)

    assert receipt == {
        "id": draft["id"],
        "version": 2,
        "recorded": True,
        "merged": False,
        "saved_at": text_of(clock),
        "expires_at": text_of(clock, days=30),
        "changes": [],
        "conflicts": [],
    }
    assert (await ann.draft(draft))["data"] == GIG
    assert (await ann.version(draft, 2))["act"] == "extended"


# -- forking


async def test_a_fork_starts_from_a_version_and_leaves_its_source_alone(
    ann: Caller, clock: Clock
) -> None:
    draft = await ann.open(GIG, subject="42", step="lineup", completed_steps=["basic"])
    await ann.save(draft, replace("/fee", 250), step="money")
    now = await ann.draft(draft)
    clock.tick()

    answer = await ann.asks("POST", f"{draft['id']}/fork", json={"version": 1})

    fork = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{DRAFTS}/{fork['id']}"
    assert fork == {
        **draft,
        "id": fork["id"],
        "created_at": text_of(clock),
        "saved_at": text_of(clock),
        "expires_at": text_of(clock, days=30),
        "forked_from": {"draft": draft["id"], "version": 1},
    }
    assert await ann.draft(draft) == now
    assert await ann.open(subject="42") == now


async def test_without_a_version_a_fork_starts_from_now(ann: Caller) -> None:
    draft = await ann.open(GIG)
    await ann.save(draft, replace("/fee", 250))

    fork = await ann.fork(draft)
    without_body = (await ann.asks("POST", f"{draft['id']}/fork")).json()

    assert fork["data"] == without_body["data"] == {**GIG, "fee": 250}
    assert fork["forked_from"] == {"draft": draft["id"], "version": 2}


# -- finishing


@pytest.fixture(params=["submitted", "discarded"])
async def closed(request: pytest.FixtureRequest, ann: Caller) -> Document:
    """A draft that was closed, as it was shown then."""
    draft = await ann.open(GIG, subject="42", device="mac", seq=1)
    await ann.save(draft, replace("/fee", 250), device="mac", seq=2)
    await (ann.submit(draft) if request.param == "submitted" else ann.discard(draft))
    shown = await ann.draft(draft)
    assert shown["status"] == request.param
    return shown


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"changes": [replace("/fee", 1)]}),
        ("PATCH", "", {"changes": []}),
        ("POST", "/restore", {"version": 1}),
        ("POST", "/restore", {"version": 1, "dry_run": True}),
        ("POST", "/undo", {"version": 2}),
        ("POST", "/extend", {}),
        ("POST", "/submit", {}),
        ("DELETE", "", None),
    ],
)
async def test_a_closed_draft_takes_nothing_and_says_what_it_is(
    ann: Caller, closed: Document, method: str, path: str, body: Document | None
) -> None:
    answer = await ann.asks(method, closed["id"] + path, json=body)

    assert problem(answer, 409, "draft-closed")["draft_status"] == closed["status"]
    assert await ann.draft(closed) == closed


async def test_a_closed_draft_refuses_each_edit_of_a_queue(ann: Caller, closed: Document) -> None:
    results = await ann.sends(closed, {"changes": [replace("/fee", 1)]}, {"step": "x"})

    assert [(r["status"], r["draft_status"]) for r in results] == [(409, closed["status"])] * 2
    assert await ann.draft(closed) == closed


async def test_a_closed_draft_can_be_labelled_and_forked(ann: Caller, closed: Document) -> None:
    assert (await ann.label(closed, 1, "first"))["recorded"]
    assert (await ann.fork(closed))["status"] == "open"


async def test_a_closed_draft_gives_its_place_free(ann: Caller, closed: Document) -> None:
    new = await ann.open(subject="42")

    assert (new["id"] != closed["id"], new["data"]) == (True, {})


async def test_out_of_the_trash_a_draft_is_as_it_was(ann: Caller, clock: Clock) -> None:
    draft = await ann.open(GIG, subject="42")
    await ann.discard(draft)
    clock.tick(86_400)

    receipt = await ann.recover(draft)

    assert (receipt["version"], receipt["recorded"]) == (3, True)
    assert await ann.draft(draft) == {
        **draft,
        "version": 3,
        "saved_at": text_of(clock),
        "expires_at": text_of(clock, days=30),
    }
    assert (await ann.open(subject="42"))["id"] == draft["id"]
    assert not (await ann.recover(draft))["recorded"]


async def test_submitting_gives_a_receipt_with_the_final_form_and_its_proof(ann: Caller) -> None:
    draft = await ann.open(GIG, subject="42")
    await ann.save(draft, replace("/fee", 250))
    body = {"device": "mac", "seq": 1}
    receipt = (await ann.asks("POST", f"{draft['id']}/submit", json=body)).json()
    assert (receipt["version"], receipt["recorded"]) == (3, True)
    assert receipt["draft"] == await ann.draft(draft)
    assert receipt["draft"]["status"] == "submitted"
    assert receipt["head"] == (await ann._gets("GET", f"{draft['id']}/verify"))["head"]
    await ann.label(draft, 3, "as submitted")
    again = await ann.asks("POST", f"{draft['id']}/submit", json=body)
    assert again.json() == receipt


async def test_a_submitted_draft_is_not_in_the_trash(ann: Caller) -> None:
    draft = await ann.open(GIG)
    await ann.submit(draft)

    answer = await ann.asks("POST", f"{draft['id']}/recover")

    assert problem(answer, 409, "draft-closed")["draft_status"] == "submitted"


async def test_a_draft_does_not_come_back_to_a_place_that_is_taken(ann: Caller) -> None:
    draft = await ann.open(GIG, subject="42")
    await ann.discard(draft)
    other = await ann.open(subject="42")

    answer = await ann.asks("POST", f"{draft['id']}/recover")

    assert problem(answer, 409, "slot-taken")["draft"] == other["id"]
    assert (await ann.draft(draft))["status"] == "discarded"


async def test_a_further_draft_comes_back_beside_the_first(ann: Caller) -> None:
    first = await ann.open(GIG, subject="42")
    further = await ann.open(GIG, subject="42", another=True)
    await ann.discard(further)

    assert (await ann.recover(further))["recorded"]
    assert await ann.open(subject="42") == first


async def test_discarding_answers_204_with_nothing(ann: Caller) -> None:
    draft = await ann.open(GIG)

    answer = await ann.asks("DELETE", draft["id"])

    assert (answer.status_code, answer.content) == (204, b"")


async def test_of_two_that_come_back_at_once_one_gets_the_place(ann: Caller, ben: Caller) -> None:
    drafts = []
    for _ in range(2):
        drafts.append(await ann.open(subject="42"))
        await ann.discard(drafts[-1])
    bystander = await ben.open(GIG)

    *comers, saved = await asyncio.gather(
        *(ann.asks("POST", f"{draft['id']}/recover") for draft in drafts),
        ben.tries(bystander, replace("/fee", 250)),
    )

    assert sorted(answer.status_code for answer in comers) == [200, 409]
    assert saved.status_code == 200
    assert len((await ann.lists(status="open"))["items"]) == 1


async def test_of_many_openings_at_once_one_makes_the_draft(ann: Caller) -> None:
    wanted = {"form": "gig", "subject": "42", "data": GIG}

    answers = await asyncio.gather(*(ann.asks("POST", DRAFTS, json=wanted) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.content for answer in answers}) == 1


async def test_an_opening_while_the_draft_is_finished_gets_an_open_one(ann: Caller) -> None:
    """With data it may be told of the draft that took the data before it was finished."""
    for number in range(10):
        wanted: Document = {"form": "gig", "subject": f"closing {number}"}
        first = await ann.open(**wanted)
        with_data = [ann.asks("POST", DRAFTS, json={**wanted, "data": {"fee": 1}}) for _ in "ab"]
        without = [ann.asks("POST", DRAFTS, json=wanted) for _ in "ab"]
        submitted = ann.asks("POST", f"{first['id']}/submit")
        answers = await asyncio.gather(*without, *with_data, submitted)
        assert [answer.status_code // 100 for answer in answers] == [2] * 5
        assert [answer.json()["status"] for answer in answers[:2]] == ["open"] * 2

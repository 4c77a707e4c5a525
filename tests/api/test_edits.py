"""Saving over HTTP: edits in their forms, merging, If-Match, Prefer and offline queues."""

from __future__ import annotations

import asyncio

import pytest

from tests.api.calls import (
    Caller,
    Document,
    add,
    copy,
    edit,
    expect,
    move,
    problem,
    remove,
    replace,
    without,
)
from tests.api.receiving import received
from tests.running import Clock

GIG: Document = {
    "title": "Jazz night",
    "fee": 100,
    "tags": ["a", "b"],
    "acts": [{"id": "a5", "name": "Foo"}, {"id": "a6", "name": "Bar"}],
}


@pytest.fixture
async def draft(ann: Caller) -> Document:
    """A draft of Ann's, at version 1."""
    return await ann.open(GIG)


# -- the forms of an edit


async def test_a_save_is_answered_with_a_receipt(
    ann: Caller, draft: Document, clock: Clock
) -> None:
    clock.tick()

    answer = await ann.tries(draft, replace("/fee", 250), device="mac", seq=1)

    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    assert answer.json() == {
        "id": draft["id"],
        "version": 2,
        "recorded": True,
        "merged": False,
        "saved_at": "2026-03-01T12:00:01Z",
        "expires_at": "2026-03-31T12:00:01Z",
        "changes": [],
        "conflicts": [],
    }
    assert await ann.data(draft) == {**GIG, "fee": 250}


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (add("/venue", {"city": "Ghent"}), {**GIG, "venue": {"city": "Ghent"}}),
        (add("/title", "Blues"), {**GIG, "title": "Blues"}),
        (replace("/fee", None), {**GIG, "fee": None}),
        (remove("/tags"), without(GIG, "tags")),
        (add("/tags/-", "c"), {**GIG, "tags": ["a", "b", "c"]}),
        (add("/tags/0", "c"), {**GIG, "tags": ["c", "a", "b"]}),
        (remove("/tags/0"), {**GIG, "tags": ["b"]}),
        (move("/tags/1", "/tags/0"), {**GIG, "tags": ["b", "a"]}),
        (move("/fee", "/price"), {**without(GIG, "fee"), "price": 100}),
        (copy("/tags/0", "/tags/-"), {**GIG, "tags": ["a", "b", "a"]}),
        (copy("/fee", "/price"), {**GIG, "price": 100}),
        (remove("/acts/id:a5"), {**GIG, "acts": [{"id": "a6", "name": "Bar"}]}),
        (
            replace("/acts/id:a6/name", "Baz"),
            {**GIG, "acts": [{"id": "a5", "name": "Foo"}, {"id": "a6", "name": "Baz"}]},
        ),
        (
            move("/acts/id:a6", "/acts/0"),
            {**GIG, "acts": [{"id": "a6", "name": "Bar"}, {"id": "a5", "name": "Foo"}]},
        ),
        (add("/a~1b~0", 1), {**GIG, "a/b~": 1}),
        (add("/", 1), {**GIG, "": 1}),
        (replace("", {"title": "New"}), {"title": "New"}),
    ],
)
async def test_each_operation_does_what_it_says(
    ann: Caller, draft: Document, change: Document, after: Document
) -> None:
    assert (await ann.save(draft, expect("/fee", 100), change))["version"] == 2
    assert await ann.data(draft) == after

    patched = await ann.patches(draft, change, based_on=1)

    assert patched.json()["recorded"] is False, "the same once more, based on the same"


@pytest.mark.parametrize("with_base", [False, True])
async def test_all_forms_of_an_edit_mean_the_same(ann: Caller, with_base: bool) -> None:
    drafts = [await ann.open(GIG, another=True) for _ in range(4)]
    changes = [replace("/fee", 250), remove("/tags"), add("/venue", {"city": "Ghent"})]
    base = {"based_on": 1} if with_base else {}
    after = {**without(GIG, "tags"), "fee": 250, "venue": {"city": "Ghent"}}

    await ann.save(drafts[0], *changes, **base)
    await ann.save(drafts[1], data=after, based_on=1)
    await ann.patches(drafts[2], *changes, **base)
    await ann.merges(drafts[3], {"fee": 250, "tags": None, "venue": {"city": "Ghent"}}, **base)

    assert [await ann.data(one) for one in drafts] == [after] * 4
    recorded = [(await ann.version(one, 2))["changes"] for one in drafts]
    assert recorded == [recorded[0]] * 4


async def test_a_merge_patch_goes_into_objects_and_replaces_lists(
    ann: Caller, draft: Document
) -> None:
    await ann.merges(draft, {"venue": {"city": "Ghent", "hall": "A"}, "acts": []})

    await ann.merges(draft, {"venue": {"hall": None, "zip": "9000"}, "tags": {"a": None}})

    venue = {"city": "Ghent", "zip": "9000"}
    assert await ann.data(draft) == {**GIG, "venue": venue, "acts": [], "tags": {}}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"changes": []},
        {"changes": None, "data": None},
        {"changes": [replace("/fee", 100)]},
        {"changes": [replace("/fee", 100.0)]},
        {"changes": [expect("/fee", 100)]},
        {"changes": [replace("/fee", 1), replace("/fee", 100)]},
        {"data": dict(reversed(GIG.items())), "based_on": 1},
        {"step": None},
        {"completed_steps": []},
        {"reason": "none at all"},
    ],
)
async def test_an_edit_that_changes_nothing_records_nothing(
    ann: Caller, draft: Document, clock: Clock, body: Document
) -> None:
    clock.tick()

    receipt = await ann.save(draft, **body)

    assert (receipt["recorded"], receipt["version"]) == (False, 1)
    assert (receipt["saved_at"], receipt["expires_at"]) == (draft["saved_at"], draft["expires_at"])
    assert await ann.draft(draft) == draft


async def test_true_is_not_1(ann: Caller) -> None:
    draft = await ann.open({"fee": 1, "list": [0]})

    assert (await ann.save(draft, replace("/fee", True)))["recorded"]
    assert (await ann.save(draft, replace("/list", [False])))["recorded"]
    assert await ann.data(draft) == {"fee": True, "list": [False]}
    assert (await ann.data(draft))["fee"] is True


async def test_a_step_is_saved_beside_the_data(ann: Caller, draft: Document) -> None:
    receipt = await ann.save(draft, step="lineup", completed_steps=["basic"], reason="on the bus")

    now = await ann.draft(draft)
    assert receipt["recorded"]
    assert now == {**draft, "version": 2, "step": "lineup", "completed_steps": ["basic"]}
    version = await ann.version(draft, 2)
    assert (version["reason"], version["changes"]) == ("on the bus", [])
    assert version["about"] == {
        "step": "lineup",
        "completed_steps": ["basic"],
        "steps_done": ["basic"],
        "steps_undone": [],
    }
    assert not (await ann.save(draft, step="lineup", completed_steps=["basic"]))["recorded"]


async def test_a_change_that_does_not_fit_changes_nothing(ann: Caller, draft: Document) -> None:
    answer = await ann.tries(draft, replace("/fee", 250), expect("/title", "Blues"))

    refusal = problem(answer, 422, "cannot-apply")
    assert (refusal["index"], refusal["path"]) == (1, "/title")
    assert await ann.draft(draft) == draft


# -- merging


async def test_edits_of_different_fields_are_merged(ann: Caller, draft: Document) -> None:
    await ann.save(draft, replace("/fee", 250), device="mac", based_on=1)

    receipt = await ann.save(draft, replace("/title", "Blues"), device="ipad", based_on=1)

    assert without(receipt, "saved_at", "expires_at") == {
        "id": draft["id"],
        "version": 3,
        "recorded": True,
        "merged": True,
        "changes": [
            {
                "op": "replace",
                "path": "/fee",
                "before": 100,
                "after": 250,
                "by": "ann",
                "version": 2,
                "label": "Fee",
                "text": "Ann changed Fee from €100 to €250",
            }
        ],
        "conflicts": [],
    }
    assert await ann.data(draft) == {**GIG, "title": "Blues", "fee": 250}
    version = await ann.version(draft, 3)
    assert (version["act"], version["about"]) == ("merged", {"based_on": 1})
    (change,) = version["changes"]
    assert (change["path"], change["before"], change["after"]) == ("/title", "Jazz night", "Blues")


TEXT = "One morning the band came to Ghent and played until the night was over. " * 4


@pytest.mark.parametrize(
    ("data", "ours", "theirs", "merged"),
    [
        pytest.param(
            {"text": TEXT},
            replace("/text", TEXT.replace("One morning", "One evening", 1)),
            replace("/text", TEXT + "The end."),
            {"text": TEXT.replace("One morning", "One evening", 1) + "The end."},
            id="long text by words",
        ),
        pytest.param(
            {"acts": [{"id": 1, "fee": 1}, {"id": 2, "fee": 2}]},
            replace("/acts/id:1/fee", 10),
            replace("/acts/id:2/fee", 20),
            {"acts": [{"id": 1, "fee": 10}, {"id": 2, "fee": 20}]},
            id="list items by id",
        ),
        pytest.param(
            {"acts": [{"id": 1, "fee": 1}, {"id": 2, "fee": 2}]},
            move("/acts/1", "/acts/0"),
            replace("/acts/1/fee", 20),
            {"acts": [{"id": 2, "fee": 20}, {"id": 1, "fee": 1}]},
            id="order apart from content",
        ),
        pytest.param(
            {"tags": ["a", "b", "c"]},
            remove("/tags/0"),
            add("/tags/-", "d"),
            {"tags": ["b", "c", "d"]},
            id="lists of scalars as sequences",
        ),
        pytest.param(
            {"venue": {"city": "Ghent", "hall": "A"}},
            replace("/venue/city", "Bruges"),
            replace("/venue/hall", "B"),
            {"venue": {"city": "Bruges", "hall": "B"}},
            id="objects by member",
        ),
        pytest.param(
            {"fee": 100}, replace("/fee", 250), replace("/fee", 250.0), {"fee": 250}, id="the same"
        ),
        pytest.param({"fee": 1}, remove("/fee"), remove("/fee"), {}, id="both removed"),
    ],
)
async def test_what_does_not_clash_is_merged(
    ann: Caller, data: Document, ours: Document, theirs: Document, merged: Document
) -> None:
    draft = await ann.open(data)
    await ann.save(draft, ours, device="mac", based_on=1)
    sent = await ann.open(data, another=True)
    await ann.save(sent, theirs)

    receipt = await ann.save(draft, theirs, device="ipad", based_on=1)

    assert await ann.data(draft) == merged
    assert received(receipt["changes"], await ann.data(sent)) == merged


async def test_every_clash_is_listed_and_nothing_is_saved(ann: Caller, draft: Document) -> None:
    await ann.save(draft, replace("/fee", 250), remove("/tags"), device="mac", based_on=1)
    before = await ann.draft(draft)
    theirs = [replace("/fee", 300), add("/tags/-", "c"), replace("/title", "Blues")]

    answer = await ann.tries(draft, *theirs, device="ipad", seq=1, based_on=1, on_conflict="reject")

    ours = {"by": "ann", "at": before["saved_at"], "device": "mac", "version": 2}
    its = {"by": "ann", "at": before["saved_at"], "device": "ipad", "version": 3}
    assert problem(answer, 409, "clash")["conflicts"] == [
        {
            "paths": ["/fee"],
            "group": None,
            "base": {"/fee": 100},
            "ours": {"values": {"/fee": 250}, **ours},
            "theirs": [{"values": {"/fee": 300}, **its}],
        },
        {
            "paths": ["/tags"],
            "group": None,
            "base": {"/tags": ["a", "b"]},
            "ours": {"values": {}, **ours},
            "theirs": [{"values": {"/tags": ["a", "b", "c"]}, **its}],
        },
    ]
    assert await ann.draft(draft) == before


async def test_the_choice_based_on_the_newest_version_stands(ann: Caller, draft: Document) -> None:
    await ann.save(draft, replace("/fee", 250), device="mac")
    await ann.save(draft, replace("/fee", 300), device="ipad", based_on=1)

    await ann.save(draft, replace("/fee", 300), device="ipad", based_on=3)

    assert await ann.data(draft) == {**GIG, "fee": 300}
    assert (await ann.draft(draft))["conflicts"] == []


async def test_ones_own_edits_never_clash(ann: Caller, draft: Document) -> None:
    for seq, fee in enumerate((1, 2, 3)):
        receipt = await ann.save(draft, replace("/fee", fee), device="mac", seq=seq, based_on=1)
        assert (receipt["merged"], receipt["changes"]) == (False, [])

    assert await ann.data(draft) == {**GIG, "fee": 3}


async def test_ones_own_edits_do_not_clash_when_others_came_between(
    ann: Caller, draft: Document
) -> None:
    await ann.save(draft, replace("/fee", 1), device="mac", based_on=1)
    await ann.save(draft, replace("/title", "Blues"), device="ipad", based_on=2)
    await ann.save(draft, replace("/fee", 2), add("/tags/-", "c"), device="mac", based_on=1)
    await ann.save(draft, add("/venue", "Hall"), device="ipad", based_on=3)

    receipt = await ann.save(draft, replace("/fee", 3), remove("/tags/2"), device="mac", based_on=1)

    assert await ann.data(draft) == {**GIG, "fee": 3, "title": "Blues", "venue": "Hall"}
    assert receipt["changes"] == [
        {
            "op": "replace",
            "path": "/title",
            "before": "Jazz night",
            "after": "Blues",
            "by": "ann",
            "version": 3,
            "label": "Title",
            "text": "Ann changed Title from 'Jazz night' to 'Blues'",
        },
        {
            "op": "add",
            "path": "/venue",
            "after": "Hall",
            "by": "ann",
            "version": 5,
            "label": "Venue",
            "text": "Ann set Venue to 'Hall'",
        },
    ]


async def test_without_a_device_nothing_since_is_ones_own(ann: Caller, draft: Document) -> None:
    await ann.save(draft, replace("/fee", 1), based_on=1)

    late = await ann.tries(draft, replace("/fee", 2), based_on=1, on_conflict="reject")
    problem(late, 409, "clash")


async def test_versions_without_changes_do_not_matter_to_a_base(
    ann: Caller, draft: Document
) -> None:
    await ann.label(draft, 1, "first")
    await ann.extend(draft)

    receipt = await ann.save(draft, replace("/fee", 1), device="mac", based_on=1)

    assert (receipt["merged"], receipt["version"]) == (False, 4)


async def test_the_whole_form_on_an_old_version_undoes_nothing(
    ann: Caller, draft: Document
) -> None:
    await ann.save(draft, replace("/fee", 250), add("/venue", "Hall"), device="mac")

    receipt = await ann.save(draft, data={**GIG, "title": "Blues"}, device="ipad", based_on=1)

    held = {**GIG, "title": "Blues", "fee": 250, "venue": "Hall"}
    assert await ann.data(draft) == held
    assert received(receipt["changes"], {**GIG, "title": "Blues"}) == held


async def test_a_base_far_back_is_merged_as_well(ann: Caller, draft: Document) -> None:
    for fee in range(300):
        await ann.save(draft, replace("/fee", fee), device="mac")

    receipt = await ann.save(draft, replace("/title", "Blues"), device="ipad", based_on=1)

    assert (receipt["version"], receipt["merged"]) == (302, True)
    assert await ann.data(draft) == {**GIG, "title": "Blues", "fee": 299}


async def test_saves_at_once_are_all_kept(ann: Caller, draft: Document) -> None:
    saves = [ann.save(draft, add(f"/f{n}", n), device=f"d{n}", based_on=1) for n in range(30)]

    receipts = await asyncio.gather(*saves)

    assert sorted(receipt["version"] for receipt in receipts) == list(range(2, 32))
    assert await ann.data(draft) == {**GIG, **{f"f{n}": n for n in range(30)}}


# -- If-Match and Prefer


@pytest.mark.parametrize("tag", ['"2"', '"1", "2"', "*", '"2", W/"3"'])
async def test_a_save_with_the_right_version_is_taken(
    ann: Caller, draft: Document, tag: str
) -> None:
    await ann.save(draft, replace("/fee", 250))

    answer = await ann.tries(draft, replace("/fee", 300), headers={"if-match": tag})

    assert (answer.status_code, answer.json()["version"]) == (200, 3)


@pytest.mark.parametrize("tag", ['"1"', 'W/"2"', "2", '"two"', "", '"' + "9" * 30 + '"'])
async def test_a_save_with_another_version_is_refused_with_412(
    ann: Caller, draft: Document, tag: str
) -> None:
    await ann.save(draft, replace("/fee", 250))
    before = await ann.draft(draft)

    answer = await ann.tries(draft, replace("/venue", 1), headers={"if-match": tag})

    assert problem(answer, 412, "version-mismatch")["version"] == 2
    assert await ann.draft(draft) == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/restore", {"version": 1}),
        ("POST", "/undo", {"version": 2}),
        ("POST", "/submit", None),
        ("DELETE", "", None),
    ],
)
async def test_other_writes_mind_if_match_too(
    ann: Caller, draft: Document, method: str, path: str, body: Document | None
) -> None:
    await ann.save(draft, replace("/fee", 250))
    tags = [{"if-match": '"1"'}, {"if-match": '"2"'}]

    late, right = [
        await ann.asks(method, draft["id"] + path, json=body, headers=tag) for tag in tags
    ]

    assert problem(late, 412, "version-mismatch")["version"] == 2
    assert right.is_success


@pytest.mark.parametrize(
    "prefer", ["return=representation", "respond-async, Return=Representation"]
)
async def test_a_receipt_can_carry_the_whole_draft(
    ann: Caller, draft: Document, prefer: str
) -> None:
    answer = await ann.tries(draft, replace("/fee", 250), headers={"prefer": prefer})

    receipt = answer.json()
    assert receipt["draft"] == await ann.draft(draft)
    assert receipt["version"] == 2
    assert answer.headers["preference-applied"] == "return=representation"


@pytest.mark.parametrize("prefer", ["return=minimal", "respond-async", ""])
async def test_otherwise_it_does_not(ann: Caller, draft: Document, prefer: str) -> None:
    answer = await ann.tries(draft, replace("/fee", 250), headers={"prefer": prefer})

    assert "draft" not in answer.json()
    assert "preference-applied" not in answer.headers


# -- offline queues


async def test_a_queue_is_saved_in_order_each_edit_with_its_answer(
    ann: Caller, draft: Document
) -> None:
    await ann.save(draft, replace("/title", "Blues"), device="ipad", based_on=1)
    queue: list[Document] = [
        edit(replace("/fee", 1), device="mac", seq=1, based_on=1),
        edit(remove("/nothing"), device="mac", seq=2, based_on=1),
        edit(replace("/title", "Rock"), device="mac", seq=3, based_on=1, on_conflict="reject"),
        edit(replace("/fee", 2), device="mac", seq=4, based_on=1),
        edit(replace("/fee", 3), based_on=99),
        edit(replace("/fee", 2), device="mac", seq=5),
    ]

    results = await ann.sends(draft, *queue)

    shown = [(r.get("version"), r.get("recorded"), r.get("type")) for r in results]
    assert shown == [
        (3, True, None),
        (None, None, "/problems/cannot-apply"),
        (None, None, "/problems/clash"),
        (4, True, None),
        (None, None, "/problems/invalid"),
        (4, False, None),
    ]
    assert await ann.data(draft) == {**GIG, "title": "Blues", "fee": 2}
    assert await ann.sends(draft, queue[0], queue[3]) == [results[0], results[3]]


async def test_a_queue_does_what_its_edits_do_one_by_one(ann: Caller) -> None:
    queue = [edit(add(f"/f{n}", n), device="mac", seq=n, based_on=1) for n in range(5)]
    drafts = [await ann.open(GIG, another=True) for _ in range(2)]
    for one in drafts:
        await ann.save(one, replace("/title", "Blues"), device="ipad")

    queued = await ann.sends(drafts[0], *queue)
    single = [await ann.save(drafts[1], **body) for body in queue]

    assert [without(r, "id") for r in queued] == [without(r, "id") for r in single]
    assert await ann.data(drafts[0]) == await ann.data(drafts[1])


async def test_an_empty_queue_has_no_results(ann: Caller, draft: Document) -> None:
    assert await ann.sends(draft) == []
    assert await ann.draft(draft) == draft


async def test_a_queue_goes_on_from_an_edit_that_somebody_else_had_made_before(
    ann: Caller, draft: Document
) -> None:
    tags = await ann.open({"tags": ["a", "b", "c"]}, another=True)
    await ann.save(tags, remove("/tags/0"), device="mac")
    first = edit(remove("/tags/0"), device="ipad", seq=1, based_on=1)
    second = edit(remove("/tags/0"), device="ipad", seq=2, based_on=1)

    receipts = await ann.sends(tags, first, second)

    assert await ann.data(tags) == {"tags": ["c"]}, "the iPad removed a, as the mac had, and then b"
    assert [receipt["changes"] for receipt in receipts] == [[], []]


async def test_a_receipt_lists_its_changes_in_one_order(ann: Caller) -> None:
    drafts = [await ann.open(GIG, another=True) for _ in range(2)]
    for one in drafts:
        await ann.save(one, remove("/tags"), add("/a", {"y": 1, "x": 1}), replace("/title", "B"))
    form = {**GIG, "fee": 250}

    receipts = [
        await ann.save(one, data=data, based_on=1, device="ipad", seq=1)
        for one, data in zip(drafts, (form, dict(reversed(form.items()))), strict=True)
    ]

    assert receipts[0]["changes"] == receipts[1]["changes"]
    assert [change["path"] for change in receipts[0]["changes"]] == ["/tags", "/title", "/a"]

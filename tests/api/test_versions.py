"""History over HTTP: listed, filtered, grouped, named, compared, brought back and taken back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.calls import Caller, Document, add, problem, remove, replace, without
from tests.api.receiving import received
from tests.running import Clock

GIG: Document = {"title": "Jazz night", "fee": 100, "acts": [{"id": "a5", "name": "Foo"}]}


@pytest.fixture
async def draft(ann: Caller) -> Document:
    """A draft of Ann's, at version 1."""
    return await ann.open(GIG)


@pytest.fixture
async def storied(ann: Caller, draft: Document, clock: Clock) -> Document:
    """The draft after seven versions on two devices, with a lunch between the fifth and sixth."""
    clock.tick(60)
    await ann.save(draft, replace("/fee", 200), device="mac", reason="agency quote")
    clock.tick(60)
    await ann.save(draft, replace("/acts/0/name", "Bar"), add("/venue", {}), device="ipad")
    clock.tick(60)
    await ann.label(draft, 2, "sent to the band")
    clock.tick(60)
    await ann.save(draft, replace("/title", "Blues"), device="mac")
    clock.tick(1_801)
    await ann.save(draft, replace("/fee", 300), device="mac")
    await ann.restore(draft, 2, paths=["/fee"], device="mac")
    return draft


def numbers(page: Document) -> list[int]:
    return [line["version"] for line in page["items"]]


# -- the history


async def test_the_history_is_listed_newest_first(ann: Caller, storied: Document) -> None:
    page = await ann.versions(storied)

    def line(version: int, act: str, at: str, paths: list[str], **more: Any) -> Document:
        nothing = {"device": None, "label": None, "reason": None}
        moment = f"2026-03-01T12:{at}Z"
        return {
            **nothing,
            "version": version,
            "act": act,
            "by": "ann",
            "at": moment,
            "paths": paths,
            **more,
        }

    assert page == {
        "items": [
            line(7, "restored", "34:01", ["/fee"], device="mac"),
            line(6, "edited", "34:01", ["/fee"], device="mac"),
            line(5, "edited", "04:00", ["/title"], device="mac"),
            line(4, "labelled", "03:00", []),
            line(3, "edited", "02:00", ["/acts/id:a5/name", "/venue"], device="ipad"),
            line(
                2,
                "edited",
                "01:00",
                ["/fee"],
                device="mac",
                label="sent to the band",
                reason="agency quote",
            ),
            line(1, "opened", "00:00", []),
        ],
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"by": "ann"}, [7, 6, 5, 4, 3, 2, 1]),
        ({"by": "ben"}, []),
        ({"device": "mac"}, [7, 6, 5, 2]),
        ({"device": "ipad"}, [3]),
        ({"act": "edited"}, [6, 5, 3, 2]),
        ({"act": "restored"}, [7]),
        ({"path": "/fee"}, [7, 6, 2, 1]),
        ({"path": "/acts"}, [3, 1]),
        ({"path": "/acts/id:a5"}, [3, 1]),
        ({"path": "/acts/id:a5/name"}, [3, 1]),
        ({"path": "/ven"}, []),
        ({"path": "/.*"}, []),
        ({"path": "fee"}, []),
        ({"from": "2026-03-01T12:03:00Z"}, [7, 6, 5, 4]),
        ({"to": "2026-03-01T12:03:00Z"}, [4, 3, 2, 1]),
        ({"from": "2026-03-01T13:01:00+01:00", "to": "2026-03-01T12:02:59.9Z"}, [3, 2]),
        ({"device": "mac", "path": "/fee", "act": "edited"}, [6, 2]),
        ({"grouped": "false", "device": "ipad"}, [3]),
    ],
)
async def test_the_history_can_be_filtered(
    ann: Caller, storied: Document, wanted: Document, found: list[int]
) -> None:
    assert numbers(await ann.versions(storied, **wanted)) == found


async def test_the_pages_of_a_history_have_no_gap_and_no_double(
    ann: Caller, draft: Document, clock: Clock
) -> None:
    for n in range(2, 24):
        await ann.save(draft, replace("/fee", n), device="mac" if n % 2 else "ipad")

    assert await walk(ann, draft, limit=5) == list(range(23, 0, -1))
    assert await walk(ann, draft, limit=1) == list(range(23, 0, -1))
    assert await walk(ann, draft, limit=3, device="mac") == list(range(23, 2, -2))
    assert await walk(ann, draft, limit=23) == list(range(23, 0, -1))
    assert len((await ann.versions(draft, limit=22))["items"]) == 22


async def walk(ann: Caller, draft: Document, **wanted: Any) -> list[int]:
    """The versions on all pages; saves that come meanwhile do not move them."""
    page = await ann.versions(draft, **wanted)
    found = numbers(page)
    while page["next_cursor"] is not None:
        assert len(page["items"]) == wanted["limit"]
        page = await ann.versions(draft, **wanted, cursor=page["next_cursor"])
        found += numbers(page)
    return found


async def test_a_page_stays_the_same_while_new_versions_come(ann: Caller, draft: Document) -> None:
    for n in range(10):
        await ann.save(draft, replace("/fee", n))
    first = await ann.versions(draft, limit=4)
    second = await ann.versions(draft, limit=4, cursor=first["next_cursor"])

    await ann.save(draft, replace("/fee", 99))

    assert await ann.versions(draft, limit=4, cursor=first["next_cursor"]) == second


async def test_a_grouped_history_has_a_line_per_session(ann: Caller, storied: Document) -> None:
    page = await ann.versions(storied, grouped="true")

    def line(first: int, last: int, at: tuple[str, str], **more: Any) -> Document:
        start, end = (f"2026-03-01T12:{moment}Z" for moment in at)
        common = {"from": first, "to": last, "from_at": start, "to_at": end, "by": "ann"}
        return {**common, "device": None, "versions": 1, "acts": ["edited"], **more}

    items = [without(one, "paths", "text") for one in page["items"]]
    assert [(one["text"], one["paths"]) for one in page["items"]] == [
        ("Ann changed Fee in 2 saves on mac", ["/fee"]),
        ("Ann changed Fee and Title in 2 saves on mac", ["/fee", "/title"]),
        ("Ann labelled and opened the draft", []),
        (
            "Ann changed Name of 'Bar' and Venue in 1 save on ipad",
            ["/acts/id:a5/name", "/venue"],
        ),
    ]
    assert {**page, "items": items} == {
        "items": [
            line(6, 7, ("34:01", "34:01"), device="mac", versions=2, acts=["edited", "restored"]),
            line(2, 5, ("01:00", "04:00"), device="mac", versions=2),
            line(1, 4, ("00:00", "03:00"), versions=2, acts=["labelled", "opened"]),
            line(3, 3, ("02:00", "02:00"), device="ipad"),
        ],
        "next_cursor": None,
    }


async def test_a_pause_of_just_30_minutes_does_not_end_a_session(
    ann: Caller, draft: Document, clock: Clock
) -> None:
    for n, pause in enumerate((0, 1_800, 1_800, 1_800.001)):
        clock.tick(pause)
        await ann.save(draft, replace("/fee", n), device="mac")

    page = await ann.versions(draft, grouped="true", device="mac")

    assert [(s["from"], s["to"]) for s in page["items"]] == [(5, 5), (2, 4)]


async def test_the_pages_of_sessions_have_no_gap_and_no_double(
    ann: Caller, draft: Document, clock: Clock
) -> None:
    for n in range(12):
        clock.tick(1_000 if n % 3 else 2_000)
        await ann.save(draft, replace("/fee", n), device="mac" if n % 2 else "ipad")
    whole = (await ann.versions(draft, grouped="true"))["items"]

    pages: list[Document] = []
    cursor: Document = {}
    while True:
        page = await ann.versions(draft, grouped="true", limit=2, **cursor)
        pages += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert pages == whole
    assert sum(line["versions"] for line in whole) == 13


# -- one version


async def test_a_version_shows_what_it_changed(ann: Caller, storied: Document) -> None:
    third = await ann.version(storied, 3)

    assert third == {
        "version": 3,
        "act": "edited",
        "by": "ann",
        "at": "2026-03-01T12:02:00Z",
        "device": "ipad",
        "reason": None,
        "about": {},
        "label": None,
        "text": "Ann changed Name of 'Foo' and Venue",
        "changes": [
            {
                "op": "replace",
                "path": "/acts/id:a5/name",
                "before": "Foo",
                "after": "Bar",
                "by": "ann",
                "version": 3,
                "label": "Name of 'Foo'",
                "text": "Ann changed Name of 'Foo' from 'Foo' to 'Bar'",
            },
            {
                "op": "add",
                "path": "/venue",
                "after": {},
                "by": "ann",
                "version": 3,
                "label": "Venue",
                "text": "Ann added Venue: empty",
            },
        ],
    }


async def test_the_first_version_added_everything(ann: Caller, draft: Document) -> None:
    first = await ann.version(draft, 1)

    assert (first["act"], first["about"]) == ("opened", {})
    assert first["text"] == "Ann opened the draft with Title and 2 other fields"
    words = ("by", "version", "label", "text")
    assert [without(change, *words) for change in first["changes"]] == [
        {"op": "add", "path": f"/{name}", "after": value} for name, value in GIG.items()
    ]
    assert [change["text"] for change in first["changes"]] == [
        "Ann set Title to 'Jazz night'",
        "Ann set Fee to €100",
        "Ann added Line-up: 'Foo'",
    ]


async def test_each_act_says_what_it_was_about(ann: Caller, storied: Document) -> None:
    await ann.undo(storied, 5)
    await ann.unlabel(storied, 2)
    fork = await ann.fork(storied, version=2)
    shown = {n: await ann.version(storied, n) for n in (4, 7, 8, 9)}

    assert {n: (version["act"], version["about"]) for n, version in shown.items()} == {
        4: ("labelled", {"version": 2, "label": "sent to the band"}),
        7: ("restored", {"version": 2, "paths": ["/fee"]}),
        8: (
            "undone",
            {"version": 5, "through": 5, "outcomes": [{"path": "/title", "outcome": "undone"}]},
        ),
        9: ("unlabelled", {"version": 2}),
    }
    begun = await ann.version(fork, 1)
    assert begun["act"] == "forked"
    assert begun["about"] == {"forked_from": {"draft": storied["id"], "version": 2}}
    assert [version["text"] for version in (*shown.values(), begun)] == [
        "Ann named version 2 'sent to the band'",
        "Ann restored Fee from version 2: €300 to €200",
        "Ann undid version 5",
        "Ann took the name off version 2",
        "Ann started this draft from version 2 of another",
    ]


async def test_a_long_text_is_shown_whole_and_by_segments(ann: Caller) -> None:
    text = "the band came to Ghent and played " * 10
    draft = await ann.open({"text": text})
    await ann.save(draft, replace("/text", text.replace("Ghent", "Bruges", 1)))

    (change,) = (await ann.version(draft, 2))["changes"]

    segments = change.pop("segments")
    assert change == {
        "op": "text",
        "path": "/text",
        "before": text,
        "after": text.replace("Ghent", "Bruges", 1),
        "by": "ann",
        "version": 2,
        "label": "Text",
        "text": "Ann changed 'Ghent' to 'Bruges' in Text",
    }
    assert {name for segment in segments for name in segment} == {"keep", "insert", "delete"}
    both = [{**s, **dict.fromkeys(("before", "after"), s.get("keep", ""))} for s in segments]
    assert "".join(s.get("delete", s["before"]) for s in both) == change["before"]
    assert "".join(s.get("insert", s["after"]) for s in both) == change["after"]


@pytest.mark.parametrize("number", [3, 100, 2**53 - 1])
async def test_a_version_to_come_is_not_found(ann: Caller, draft: Document, number: int) -> None:
    await ann.save(draft, replace("/fee", 1))
    paths = [f"versions/{number}", f"compare/1...{number}", f"compare/{number}...1"]

    answers = [await ann.asks("GET", f"{draft['id']}/{path}") for path in paths]
    body = {"version": number}
    answers += [
        await ann.asks("POST", f"{draft['id']}/{path}", json=body)
        for path in ("restore", "undo", "fork")
    ]
    answers.append(
        await ann.asks("PUT", f"{draft['id']}/versions/{number}/label", json={"label": "x"})
    )

    for answer in answers:
        refusal = problem(answer, 404, "version-not-found")
        assert refusal["last_version"] == 2
        assert f"no version {number};" in refusal["detail"]


# -- labels


async def test_a_label_is_a_version_of_its_own(ann: Caller, draft: Document, clock: Clock) -> None:
    clock.tick()

    receipt = await ann.label(draft, 1, "as it began")

    assert without(receipt, "saved_at", "expires_at") == {
        "id": draft["id"],
        "version": 2,
        "recorded": True,
        "merged": False,
        "changes": [],
        "conflicts": [],
    }
    assert (await ann.version(draft, 1))["label"] == "as it began"
    assert (await ann.version(draft, 2))["label"] is None
    assert (await ann.data(draft)) == GIG


async def test_a_label_can_be_changed_and_taken_away(ann: Caller, draft: Document) -> None:
    await ann.label(draft, 1, "one")
    await ann.label(draft, 1, "two")
    same = await ann.label(draft, 1, "two")
    labels = [line["label"] for line in (await ann.versions(draft))["items"]]
    await ann.unlabel(draft, 1)

    assert (same["recorded"], same["version"]) == (False, 3)
    assert labels == [None, None, "two"]
    assert (await ann.version(draft, 1))["label"] is None


async def test_taking_away_a_label_that_is_not_there_records_nothing(
    ann: Caller, draft: Document
) -> None:
    answer = await ann.asks("DELETE", f"{draft['id']}/versions/1/label")

    assert (answer.status_code, answer.content) == (204, b"")
    assert await ann.draft(draft) == draft


# -- comparing


async def test_a_comparison_tells_what_differs(ann: Caller, storied: Document) -> None:
    assert await ann.compare(storied, 1, 3) == {
        "from": 1,
        "to": 3,
        "changes": [
            {
                "op": "replace",
                "path": "/fee",
                "before": 100,
                "after": 200,
                "label": "Fee",
                "text": "Changed Fee from €100 to €200",
            },
            {
                "op": "replace",
                "path": "/acts/id:a5/name",
                "before": "Foo",
                "after": "Bar",
                "label": "Name of 'Foo'",
                "text": "Changed Name of 'Foo' from 'Foo' to 'Bar'",
            },
            {
                "op": "add",
                "path": "/venue",
                "after": {},
                "label": "Venue",
                "text": "Added Venue: empty",
            },
        ],
    }


async def test_a_comparison_leads_from_any_version_to_any_other(
    ann: Caller, storied: Document
) -> None:
    shown = {n: await ann.data(storied, version=n) for n in range(1, 8)}

    for a in shown:
        for b in shown:
            changes = (await ann.compare(storied, a, b))["changes"]
            assert received(changes, shown[a]) == shown[b]
            assert a != b or changes == []


async def test_earliest_and_latest_are_versions(ann: Caller, storied: Document) -> None:
    assert await ann.compare(storied, "earliest", "latest") == await ann.compare(storied, 1, 7)
    assert await ann.compare(storied, "latest", 2) == await ann.compare(storied, 7, 2)


# -- restoring


async def test_restoring_gives_just_what_the_version_shows(
    ann: Caller, storied: Document, clock: Clock
) -> None:
    now = await ann.draft(storied)
    clock.tick()

    receipt = await ann.restore(storied, 1)

    restored = await ann.draft(storied)
    assert restored == {
        **now,
        "version": 8,
        "title": "Jazz night",
        "data": GIG,
        "saved_at": receipt["saved_at"],
        "expires_at": receipt["expires_at"],
    }
    assert (receipt["version"], receipt["recorded"]) == (8, True)
    assert received(receipt["changes"], now["data"]) == GIG


async def test_restoring_does_not_touch_the_step(ann: Caller, draft: Document) -> None:
    await ann.save(draft, replace("/fee", 1), step="money", completed_steps=["basic"])

    await ann.restore(draft, 1)

    now = await ann.draft(draft)
    assert (now["step"], now["completed_steps"]) == ("money", ["basic"])


async def test_restoring_what_is_there_already_records_nothing(
    ann: Caller, storied: Document
) -> None:
    receipt = await ann.restore(storied, 7)

    assert (receipt["recorded"], receipt["version"], receipt["changes"]) == (False, 7, [])


@pytest.mark.parametrize(
    ("paths", "after"),
    [
        (["/fee"], {"fee": 100, "title": "Blues"}),
        (["/title", "/gone"], {"fee": 250, "title": "Jazz night", "gone": 1}),
        (["/new"], {"fee": 250, "title": "Blues", "new": None}),
        (["/acts/id:a6"], {"acts": [{"id": "a5", "name": "Foo"}, {"id": "a6", "name": "Bar"}]}),
        (
            ["/acts/id:a6/name"],
            {"acts": [{"id": "a5", "name": "Foo"}, {"id": "a6", "name": "Bar"}]},
        ),
        ([""], {"fee": 100, "title": "Jazz night", "gone": 1, "new": None}),
    ],
)
async def test_some_paths_can_be_restored_alone(
    ann: Caller, paths: list[str], after: Document
) -> None:
    acts = [{"id": "a5", "name": "Foo"}, {"id": "a6", "name": "Bar"}]
    draft = await ann.open({"title": "Jazz night", "fee": 100, "gone": 1, "acts": acts})
    changes = [replace("/fee", 250), replace("/title", "Blues"), remove("/gone"), add("/new", 2)]
    await ann.save(draft, *changes, remove("/acts/id:a6"))
    now = await ann.data(draft)
    expected = {**now, **after}
    if paths == [""]:
        expected["acts"] = acts
    if paths in (["/new"], [""]):
        del expected["new"]

    receipt = await ann.restore(draft, 1, paths=paths)

    assert await ann.data(draft) == expected
    assert received(receipt["changes"], now) == expected


# -- undoing


async def test_undoing_keeps_what_came_later(ann: Caller, storied: Document) -> None:
    now = await ann.data(storied)

    receipt = await ann.undo(storied, 3)

    kept = without({**now, "acts": GIG["acts"]}, "venue")
    assert await ann.data(storied) == kept
    assert received(receipt["changes"], now) == kept
    assert receipt["outcomes"] == [
        {"path": "/acts/id:a5/name", "outcome": "undone"},
        {"path": "/venue", "outcome": "undone"},
    ]


async def test_what_was_changed_again_is_superseded(ann: Caller, draft: Document) -> None:
    await ann.save(draft, replace("/fee", 200), replace("/title", "Blues"))
    await ann.save(draft, replace("/fee", 300))

    receipt = await ann.undo(draft, 2)

    assert receipt["outcomes"] == [
        {"path": "/title", "outcome": "undone"},
        {"path": "/fee", "outcome": "superseded"},
    ]
    assert await ann.data(draft) == {**GIG, "fee": 300}


async def test_what_lost_its_list_item_is_dependent(ann: Caller, draft: Document) -> None:
    await ann.save(draft, replace("/acts/id:a5/name", "Bar"))
    await ann.save(draft, remove("/acts/id:a5"))

    receipt = await ann.undo(draft, 2)

    assert receipt["outcomes"] == [{"path": "/acts/id:a5/name", "outcome": "dependent"}]
    assert (receipt["recorded"], receipt["version"], receipt["changes"]) == (False, 3, [])


async def test_an_undo_can_be_undone(ann: Caller, storied: Document) -> None:
    now = await ann.data(storied)
    undone = await ann.undo(storied, 3)
    assert await ann.data(storied) != now

    receipt = await ann.undo(storied, undone["version"])

    assert await ann.data(storied) == now
    assert {one["outcome"] for one in receipt["outcomes"]} == {"undone"}


async def test_a_run_of_versions_is_undone_as_one(ann: Caller, storied: Document) -> None:
    now = await ann.data(storied)

    receipt = await ann.undo(storied, 2, through=5)

    assert await ann.data(storied) == {**GIG, "fee": now["fee"]} | {"fee": 100}
    assert receipt["version"] == 8


async def test_only_some_paths_can_be_undone(ann: Caller, storied: Document) -> None:
    now = await ann.data(storied)

    receipt = await ann.undo(storied, 3, paths=["/venue"])

    assert receipt["outcomes"] == [{"path": "/venue", "outcome": "undone"}]
    assert await ann.data(storied) == without(now, "venue")


async def test_the_first_version_can_be_undone(ann: Caller, draft: Document) -> None:
    await ann.save(draft, add("/venue", "Hall"))

    await ann.undo(draft, 1)

    assert await ann.data(draft) == {"venue": "Hall"}


@pytest.mark.parametrize("version", [4])
async def test_undoing_a_version_without_changes_does_nothing(
    ann: Caller, storied: Document, version: int
) -> None:
    receipt = await ann.undo(storied, version)

    assert (receipt["recorded"], receipt["outcomes"]) == (False, [])


# -- trying


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("restore", {"version": 1}),
        ("restore", {"version": 1, "paths": ["/fee", "/title"]}),
        ("undo", {"version": 3}),
        ("undo", {"version": 2, "through": 5}),
    ],
)
async def test_a_dry_run_tells_all_and_changes_nothing(
    ann: Caller, storied: Document, clock: Clock, route: str, body: Document
) -> None:
    held, history = await ann.draft(storied), await ann.versions(storied)

    async def bring_back(**more: Any) -> Document:
        answer = await ann.asks("POST", f"{storied['id']}/{route}", json={**body, **more})
        receipt: Document = answer.json()
        return receipt

    tried = await bring_back(dry_run=True)
    assert (await ann.draft(storied), await ann.versions(storied)) == (held, history)
    done = await bring_back()

    assert (tried["recorded"], tried["version"]) == (False, 7)
    assert tried["changes"] == done["changes"] != []
    assert tried.get("outcomes") == done.get("outcomes")

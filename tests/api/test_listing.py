"""The drafts page over HTTP: whose drafts it shows, filtered, searched, sorted and in pages."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from tests.api.calls import Caller, Document, add, replace, without
from tests.running import Clock


@pytest.fixture
async def drafts(ann: Caller, ben: Caller, clock: Clock) -> dict[str, str]:
    """Ann's five drafts by a short name, oldest first; Ben has one too."""

    async def opened(title: str | None, **members: Any) -> str:
        clock.tick(60)
        data = {} if title is None else {"title": title}
        draft = await ann.open({**data, **members.pop("data", {})}, another=True, **members)
        return str(draft["id"])

    found = {
        "jazz": await opened("Jazz night", subject="42", data={"venue": "Blue Hall", "fee": 250}),
        "blues": await opened("blues", subject="43", data={"acts": [{"name": "ÉLAN 5%_x"}]}),
        "rock": await opened("Rock", form="concert", data={"done": True}),
        "untitled": await opened(None),
        "tango": await opened("Tango", subject="42", form="concert"),
    }
    clock.tick(60)
    await ben.open({"title": "Jazz of Ben's"})
    await ann.submit(found["rock"])
    await ann.discard(found["tango"])
    return found


async def names(ann: Caller, drafts: dict[str, str], **wanted: Any) -> list[str]:
    """The short names of what a page shows."""
    by_id = {id_: name for name, id_ in drafts.items()}
    return [by_id[line["id"]] for line in (await ann.lists(**wanted))["items"]]


async def test_a_line_tells_all_but_the_data(ann: Caller, clock: Clock) -> None:
    draft = await ann.open(
        {"title": "Jazz"}, subject="42", step="lineup", completed_steps=["basic"]
    )
    clock.tick()
    await ann.save(draft, add("/fee", 250), device="mac")
    fork = await ann.fork(draft, version=1)
    clock.tick()

    page = await ann.lists(sort="title")

    shown = without(await ann.draft(draft), "data")
    more = {"conflicts": 0, "saved_by": "ann", "saved_device": "mac", "shared_by": None}
    more |= {"step_label": "Line-up", "step_number": 3, "steps": 5, "resume": "lineup"}
    more |= {"filled": 2, "fields": 22}
    assert {line["id"]: line for line in page["items"]} == {
        draft["id"]: {**shown, **more},
        fork["id"]: {**without(fork, "data"), **more, "saved_device": None, "filled": 1},
    }
    assert page["next_cursor"] is None


async def test_filters_and_sorts(ann: Caller, drafts: dict[str, str]) -> None:
    newest = ["tango", "rock", "untitled", "blues", "jazz"]
    expected: list[tuple[Document, list[str]]] = [
        ({}, newest),
        ({"sort": "saved"}, newest),
        ({"sort": "expires"}, ["jazz", "blues", "rock", "untitled", "tango"]),
        ({"sort": "title"}, ["untitled", "blues", "jazz", "rock", "tango"]),
        ({"status": "open"}, ["untitled", "blues", "jazz"]),
        ({"status": "submitted"}, ["rock"]),
        ({"status": "discarded"}, ["tango"]),
        ({"status": "expired"}, []),
        ({"status": "trash"}, ["tango"]),
        ({"form": "concert"}, ["tango", "rock"]),
        ({"form": "concert", "status": "open"}, []),
        ({"subject": "42"}, ["tango", "jazz"]),
        ({"subject": "42", "form": "gig"}, ["jazz"]),
        ({"subject": "4"}, []),
        ({"template": "false"}, newest),
        ({"template": "true"}, []),
        ({"shared": "false"}, newest),
        ({"shared": "true"}, []),
        ({"q": "jazz"}, ["jazz"]),
        ({"q": "HALL"}, ["jazz"]),
        ({"q": "250"}, ["jazz"]),
        ({"q": "élan"}, ["blues"]),
        ({"q": "5%_"}, ["blues"]),
        ({"q": "%"}, ["blues"]),
        ({"q": "_"}, ["blues"]),
        ({"q": "venue"}, []),
        ({"q": "true"}, []),
        ({"q": "an", "sort": "title"}, ["blues", "tango"]),
        ({"q": ""}, newest),
        ({"q": "a", "status": "open", "sort": "expires"}, ["jazz", "blues"]),
    ]

    for wanted, found in expected:
        shown = await names(ann, drafts, **wanted)
        if wanted.get("sort", "saved") == "saved":
            # Rock and Tango were saved at the same moment.
            shown, found = _as_saved(shown), _as_saved(found)
        assert shown == found, wanted


def _as_saved(found: list[str]) -> list[str]:
    return sorted(found[:2]) + found[2:] if {"rock", "tango"} == set(found[:2]) else found


async def test_a_page_shows_what_was_saved_just_now(ann: Caller) -> None:
    draft = await ann.open({"title": "Jazz"})
    for n in range(5):
        await ann.save(draft, replace("/title", f"Jazz {n}"))
        (line,) = (await ann.lists(q=f"jazz {n}"))["items"]
        assert (line["title"], line["version"]) == (f"Jazz {n}", n + 2)
        assert (await ann.lists(q=f"jazz {n - 1}"))["items"] == []


async def test_nobody_sees_somebody_elses_drafts(
    ann: Caller, ben: Caller, drafts: dict[str, str]
) -> None:
    (line,) = (await ben.lists())["items"]

    assert (line["owner"], line["title"]) == ("ben", "Jazz of Ben's")
    assert [one["owner"] for one in (await ann.lists(q="jazz"))["items"]] == ["ann"]


async def test_whoever_never_wrote_has_no_drafts(ben: Caller) -> None:
    assert await ben.lists() == {"items": [], "next_cursor": None}


async def test_the_pages_have_no_gap_and_no_double(ann: Caller, clock: Clock) -> None:
    chance = random.Random(5)
    titles = [chance.choice(["Jazz", "jazz", "Blues", "", "é"]) for _ in range(23)]
    for title in titles:
        clock.tick(chance.choice([0, 0, 0.000001, 60]))
        await ann.open({"title": title} if title else {}, another=True)

    for sort in ("saved", "expires", "title"):
        whole = (await ann.lists(sort=sort, limit=23))["items"]
        assert len({line["id"] for line in whole}) == 23
        for limit in (1, 4, 22):
            assert await _walk(ann, sort=sort, limit=limit) == whole
        filtered = [line for line in whole if line["title"] and "a" in line["title"]]
        assert await _walk(ann, sort=sort, limit=4, q="a") == filtered


async def _walk(ann: Caller, **wanted: Any) -> list[Document]:
    page = await ann.lists(**wanted)
    found: list[Document] = page["items"]
    while page["next_cursor"] is not None:
        assert len(page["items"]) == wanted["limit"]
        page = await ann.lists(**wanted, cursor=page["next_cursor"])
        found += page["items"]
    return found


async def test_a_walk_by_title_misses_nothing_while_others_are_saved(
    ann: Caller, clock: Clock
) -> None:
    drafts = [await ann.open({"title": f"t{n}"}, another=True) for n in range(8)]
    first = await ann.lists(sort="title", limit=4)
    clock.tick()

    await ann.save(drafts[0], add("/fee", 1))
    await ann.open({"title": "t0"}, another=True)
    second = await ann.lists(sort="title", limit=4, cursor=first["next_cursor"])

    shown = [line["id"] for line in first["items"] + second["items"]]
    assert shown == [draft["id"] for draft in drafts]


SECRET = {"form": "gig", "fields": {"/contact": {"sensitive": True}, "/fee": {}}}


async def test_a_search_sees_nothing_sensitive_whenever_it_became_so(
    ann: Caller, ada: Caller
) -> None:
    contact = {"name": "Zoë", "phone": "0123"}
    draft = await ann.open({"title": "Jazz", "contact": contact, "fee": 77})
    concert = await ann.open({"title": "Jazz", "contact": contact}, form="concert")
    for hidden, found in (("zoë", [concert]), ("0123", [concert]), ("77", [draft])):
        assert [line["id"] for line in (await ann.lists(q=hidden))["items"]] == [
            one["id"] for one in found
        ]

    definition = {**SECRET, "form": "concert", "title": "/contact/name"}
    await ada.asks("PUT", "/v1/forms/concert", json=definition)

    for hidden in ("zoë", "0123"):
        assert (await ann.lists(q=hidden))["items"] == []
    (line,) = (await ann.lists(form="concert"))["items"]
    assert (line["filled"], line["fields"]) == (1, 2)


async def test_a_sensitive_title_stands_in_no_line(ann: Caller, ada: Caller) -> None:
    definition = {**SECRET, "form": "concert", "title": "/contact/name"}
    await ada.asks("PUT", "/v1/forms/concert", json=definition)
    await ann.open({"contact": {"name": "Zoë"}}, form="concert")

    (line,) = (await ann.lists())["items"]

    assert line["title"] is None
    assert (await ann.lists(q="zoë"))["items"] == []


async def titles(somebody: Caller) -> list[str | None]:
    """The titles in somebody's list."""
    return [line["title"] for line in (await somebody.lists(sort="title"))["items"]]


async def become(somebody: Caller, *wanted: str) -> bool:
    """Whether the titles in somebody's list are these soon."""
    for _ in range(200):
        if await titles(somebody) == [*wanted]:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_titles_follow_a_changed_definition_by_themselves(ann: Caller, ada: Caller) -> None:
    for name, place in (("Jazz", "Attic"), ("Blues", "Cellar")):
        data = {"name": name, "venue": {"place": place}}
        await ann.open(data, form="concert", another=True)
    other = await ann.open({"name": "Other", "venue": {"place": "Roof"}}, form="gig")
    assert await become(ann, "Blues", "Jazz", "Other")

    await ada.asks("PUT", "/v1/forms/concert", json={"form": "concert", "title": "/venue/place"})
    assert await become(ann, "Attic", "Cellar", "Other")
    assert (await ann.lists(q="attic", sort="title"))["items"][0]["title"] == "Attic"

    await ada.asks("PUT", "/v1/forms/concert", json={"form": "concert"})
    assert await become(ann, "Blues", "Jazz", "Other")
    assert (await ann.draft(other))["title"] == "Other"


async def test_a_title_that_becomes_sensitive_is_shown_no_more_and_comes_back(
    ann: Caller, ada: Caller
) -> None:
    definition: Document = {"form": "concert", "title": "/contact/name"}
    await ada.asks("PUT", "/v1/forms/concert", json=definition)
    for name in ("Zoë", "Ida"):
        await ann.open({"contact": {"name": name}}, form="concert", another=True)
    assert await become(ann, "Ida", "Zoë")

    hidden = {**definition, "fields": {"/contact": {"sensitive": True}}}
    await ada.asks("PUT", "/v1/forms/concert", json=hidden)
    assert await titles(ann) == [None, None]
    await asyncio.sleep(0.2)
    assert await titles(ann) == [None, None]

    await ada.asks("PUT", "/v1/forms/concert", json=definition)
    assert await become(ann, "Ida", "Zoë")

"""Form definitions over HTTP, and what a draft lacks by its own."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from api.app import create_app
from api.security import make_token
from api.settings import ConfigurationError, Settings
from tests.api.calls import Caller, Document, add, pointers, problem
from tests.commands import Operator
from tests.running import NOON, Clock, calling, serving

FORMS = "/v1/forms"
STEP = ("id", "label", "complete")
GIG = json.loads((Path(__file__).parents[2] / "domain" / "forms" / "gig.json").read_text())
VENUE = {
    "form": "venue",
    "label": "Venue",
    "title": "/name",
    "steps": [{"id": "place", "label": "Place", "paths": ["/name"]}],
    "fields": {"/name": {"label": "Name"}, "/rooms": {"key": "nr", "item": "/name"}},
    "groups": [["/lat", "/lon"]],
    "schema": {"required": ["name"], "properties": {"name": {"minLength": 1}}},
}


def admin_token(settings: Settings) -> str:
    return make_token(settings.keys.jwt, "ada", ["admin"], timedelta(days=3_650), now=NOON)


async def gets(caller: Caller, path: str, **wanted: Any) -> Document:
    answer = await caller.asks("GET", path, params=wanted)
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


async def defines(ada: Caller, definition: Document) -> Document:
    answer = await ada.asks("PUT", f"{FORMS}/{definition['form']}", json=definition)
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


async def lacks(caller: Caller, draft: Document) -> Document:
    return await gets(caller, f"{draft['id']}/completeness")


# -- definitions


async def test_the_gig_form_is_there_for_everybody(ann: Caller) -> None:
    assert await gets(ann, FORMS) == {
        "items": [{"form": "gig", "label": "Gig", "source": "shipped"}],
        "next_cursor": None,
    }
    assert await gets(ann, f"{FORMS}/gig") == GIG


async def test_what_an_admin_sends_is_answered_kept_and_given_as_it_was_sent(
    ada: Caller, ann: Caller
) -> None:
    assert await defines(ada, VENUE) == VENUE
    assert await gets(ann, f"{FORMS}/venue") == VENUE
    await defines(ada, {"form": "gig", "label": "Ours"})
    assert await gets(ann, f"{FORMS}/gig") == {"form": "gig", "label": "Ours"}
    assert (await gets(ann, FORMS))["items"] == [
        {"form": "gig", "label": "Ours", "source": "stored"},
        {"form": "venue", "label": "Venue", "source": "stored"},
    ]


async def test_another_process_shows_it_at_once_and_a_new_one_too(
    ada: Caller, settings: Settings, clock: Clock
) -> None:
    async with serving(create_app(settings, clock=clock)) as app, calling(app) as client:
        await defines(ada, VENUE)
        assert await gets(Caller(client, ada.token), f"{FORMS}/venue") == VENUE
    async with serving(create_app(settings, clock=clock)) as app, calling(app) as client:
        assert await gets(Caller(client, ada.token), f"{FORMS}/venue") == VENUE


async def test_the_list_comes_in_pages(ada: Caller) -> None:
    names = ["gig", "a", "b/c", "ü", "z"]
    for name in names[1:]:
        await defines(ada, {"form": name})
    page = await gets(ada, FORMS, limit=2)
    found = page["items"]
    while page["next_cursor"] is not None:
        assert len(page["items"]) == 2
        page = await gets(ada, FORMS, limit=2, cursor=page["next_cursor"])
        found += page["items"]
    assert [line["form"] for line in found] == sorted(names)


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"limit": 0}, "?limit"),
        ({"limit": 201}, "?limit"),
        ({"cursor": "x"}, "?cursor"),
        ({"cursor": "WzFd"}, "?cursor"),
        ({"form": "gig"}, "?form"),
    ],
)
async def test_a_list_that_cannot_be_is_refused(
    ann: Caller, wanted: dict[str, Any], pointer: str
) -> None:
    refusal = problem(await ann.asks("GET", FORMS, params=wanted), 422, "invalid")
    assert pointers(refusal) == [pointer]


async def test_a_form_without_a_definition_is_not_found_and_works_all_the_same(
    ann: Caller,
) -> None:
    problem(await ann.asks("GET", f"{FORMS}/unheard-of"), 404, "form-not-found")
    draft = await ann.open({"fee": 1}, form="unheard-of")
    assert (await lacks(ann, draft))["complete"] is None


async def test_only_an_admin_defines_forms(ann: Caller, ada: Caller, settings: Settings) -> None:
    auditor = make_token(settings.keys.jwt, "kim", ["auditor"], timedelta(days=1), now=NOON)
    for caller in (ann, Caller(ann.client, auditor)):
        for body in (VENUE, {"form": 1}):
            answer = await caller.asks("PUT", f"{FORMS}/venue", json=body)
            assert "admin" in problem(answer, 403, "forbidden")["detail"]
    nobody = await ada.asks("PUT", f"{FORMS}/venue", json=VENUE, headers={"authorization": ""})
    problem(nobody, 401, "unauthenticated")
    problem(await ada.asks("GET", f"{FORMS}/venue"), 404, "form-not-found")


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"form": "gig"}, ["/form"]),
        ({"form": None}, ["/form"]),
        ({"colour": "red", "label": 7}, ["/label", "/colour"]),
        ({"json_schema": {}}, ["/json_schema"]),
        ({"label": ""}, ["/label"]),
        ({"title": "name"}, ["/title"]),
        ({"fields": {"name": {}}}, ["/fields/name"]),
        ({"fields": {"/a/b": {"merge": "words"}}}, ["/fields/~1a~1b/merge"]),
        ({"fields": {"/a": {"sensitive": 1}}}, ["/fields/~1a/sensitive"]),
        ({"fields": {"/~": {}}}, ["/fields/~1~0"]),
        ({"steps": [{"label": "no id"}]}, ["/steps/0/id"]),
        ({"steps": [{"id": "a"}, {"id": "a"}]}, [""]),
        ({"fields": {f"/f{n}": {} for n in range(2_001)}}, ["/fields"]),
        ({"groups": [["/lat"]]}, [""]),
        ({"groups": [["/lat", "lon"]]}, ["/groups/0/1"]),
        ({"schema": {"type": "text", "items": 1}}, ["/schema/type", "/schema/items"]),
        (
            {"schema": {"properties": {"a/b": {"$ref": "http://far/"}}}},
            ["/schema/properties/a~1b/$ref"],
        ),
        ({"schema": {"pattern": "(?=a)"}}, ["/schema/pattern"]),
        ({"schema": []}, ["/schema"]),
    ],
)
async def test_what_is_wrong_with_a_definition_is_named_and_nothing_is_kept(
    ada: Caller, wrong: Document, at: list[str]
) -> None:
    answer = await ada.asks("PUT", f"{FORMS}/venue", json={**VENUE, **wrong})
    refusal = problem(answer, 422, "invalid")
    assert pointers(refusal) == at
    problem(await ada.asks("GET", f"{FORMS}/venue"), 404, "form-not-found")


async def test_a_definition_is_strict_json(ada: Caller) -> None:
    kind = {"content-type": "application/json"}
    for body in (b'{"form": "venue", "form": "venue"}', b"", b'{"form": NaN}', b"\xff"):
        answer = await ada.asks("PUT", f"{FORMS}/venue", content=body, headers=kind)
        assert answer.status_code in (400, 422), body
    text = await ada.asks(
        "PUT", f"{FORMS}/venue", content=b"{}", headers={"content-type": "text/plain"}
    )
    problem(text, 415, "unsupported-media-type")


async def test_a_form_is_addressed_by_its_name_whatever_characters_it_has(ada: Caller) -> None:
    for name in ("a/b", "a b", "ü", "%2F", "..", "a?b#c"):
        quoted = "".join(f"%{byte:02X}" for byte in name.encode())
        answer = await ada.asks("PUT", f"{FORMS}/{quoted}", json={"form": name})
        assert answer.json() == {"form": name}, answer.text
        assert await gets(ada, f"{FORMS}/{quoted}") == {"form": name}


async def test_metrics_know_the_route_as_the_documentation_has_it(ann: Caller) -> None:
    await gets(ann, f"{FORMS}/gig")
    said = (await ann.client.get("/metrics")).text
    assert 'route="/v1/forms/{form}"' in said
    assert "{form:path}" not in said


async def test_a_folder_of_definitions_is_read_at_the_start(
    settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "venue.json").write_text(json.dumps(VENUE))
    app = create_app(settings.model_copy(update={"forms": tmp_path}), clock=clock)
    async with serving(app), calling(app) as client:
        shown = await gets(Caller(client, admin_token(settings)), FORMS)
    assert [line["source"] for line in shown["items"]] == ["shipped", "folder"]


def test_a_broken_file_of_the_folder_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "venue.json").write_text('{"form": "venue", "colour": "red"}')
    with pytest.raises(ConfigurationError, match=r"venue\.json .*at /colour: .*VARIORUM_FORMS"):
        create_app(settings.model_copy(update={"forms": tmp_path}))


def test_the_command_says_which_file_and_which_place(operator: Operator) -> None:
    folder = operator.folder / "forms"
    folder.mkdir()
    (folder / "venue.json").write_text('{"form": "venue", "colour": "red"}')
    broken = operator.having(VARIORUM_FORMS="forms")
    assert "forms/venue.json is no form definition: at /colour" in broken.runs("serve").refusal
    assert "FAIL forms/venue.json" in broken.runs("doctor").out
    (folder / "venue.json").write_text('{"form": "venue"}')
    assert "ok   the form definitions can be read: gig, venue" in broken.succeeds("doctor")


async def test_the_doctor_knows_what_an_admin_sent(operator: Operator, ada: Caller) -> None:
    await defines(ada, VENUE)
    assert "ok   the form definitions can be read: gig, venue" in operator.succeeds("doctor")


# -- completeness


async def test_a_draft_lacks_less_the_more_is_filled_in(ann: Caller) -> None:
    draft = await ann.open({"title": "Jazz", "acts": [{"id": "a5"}], "sponsor": "Foo"})
    shown = await lacks(ann, draft)
    assert (shown["id"], shown["version"], shown["complete"]) == (draft["id"], 1, False)
    assert shown["detail"] is None
    assert [gap["path"] for gap in shown["gaps"]] == [
        "/date",
        "/start",
        "/venue",
        "/acts/id:a5/name",
    ]
    assert shown["gaps"][0] == {
        "path": "/date",
        "label": "Date",
        "text": "Date is missing",
        "step": "basic",
    }
    assert [{n: one[n] for n in STEP} for one in shown["steps"][:3]] == [
        {"id": "basic", "label": "Basics", "complete": False},
        {"id": "venue", "label": "Venue", "complete": False},
        {"id": "lineup", "label": "Line-up", "complete": False},
    ]
    assert shown["unknown"] == [{"path": "/sponsor", "label": "Sponsor"}]

    venue = {"name": "Blue Room", "city": "Berlin"}
    rest = (("/date", "2026-11-22"), ("/start", "20:00"), ("/venue", venue))
    await ann.save(draft, *(add(path, value) for path, value in rest))
    await ann.save(draft, add("/acts/id:a5/name", "Foo Trio"))
    shown = await lacks(ann, draft)
    assert (shown["version"], shown["complete"], shown["gaps"]) == (3, True, [])


async def test_nothing_of_it_is_ever_enforced_or_shown_in_the_draft(
    ada: Caller, ann: Caller
) -> None:
    await defines(
        ada, {"form": "gig", "schema": {"required": ["a"], "additionalProperties": False}}
    )
    draft = await ann.open({"b": 1})
    before = await ann.draft(draft)
    assert (await lacks(ann, draft))["complete"] is False
    assert await ann.draft(draft) == before
    assert before.keys().isdisjoint({"gaps", "complete", "unknown"})
    await ann.submit(draft)
    assert (await ann.draft(draft))["status"] == "submitted"


async def test_the_report_goes_by_the_definition_in_force_now(ada: Caller, ann: Caller) -> None:
    draft = await ann.open({"name": ""}, form="venue")
    assert (await lacks(ann, draft))["complete"] is None
    await defines(ada, VENUE)
    shown = await lacks(ann, draft)
    assert [gap["text"] for gap in shown["gaps"]] == ["Name is empty"]
    await defines(ada, {"form": "venue", "schema": {}})
    assert (await lacks(ann, draft))["complete"] is True


async def test_a_draft_of_somebody_else_lacks_nothing_that_can_be_seen(
    ann: Caller, ben: Caller
) -> None:
    draft = await ann.open({"title": "Jazz"})
    await ben.open({})
    for id_ in (draft["id"], str(uuid4())):
        problem(await ben.asks("GET", f"{id_}/completeness"), 404, "draft-not-found")

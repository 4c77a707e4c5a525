"""One example body of every answer, pinned in `examples/`: later work extends, never changes one.

Time stands still and the draft's id is the client's, so that the same story gives the same answers
on both engines; ids that the service makes, cursors and request ids are left out.
`VARIORUM_WRITE_EXAMPLES=1` writes the files that are missing, never others.
"""

from __future__ import annotations

import json
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from api.security import make_token
from tests.api.calls import Caller
from tests.api.streams import streaming
from tests.commands import KEYS
from tests.running import NOON, Clock

EXAMPLES = Path(__file__).parent / "examples"
WRITING = bool(os.environ.get("VARIORUM_WRITE_EXAMPLES"))  # the settings of a test hide it
DRAFT = "7b2e0a52-6c0f-4d3e-9a55-3f8b1c2d4e5f"
ANOTHER = "11111111-6c0f-4d3e-9a55-3f8b1c2d4e5f"
SHARED = "5ba7ed00-0000-4000-8000-00000000c1a5"
AUDITED = "a0d17000-0000-4000-8000-00000000a0d1"
CONTESTED = "c0ffee00-0000-4000-8000-00000000c1a5"
GIG = {
    "title": "Jazz night",
    "fee": 100,
    "acts": [{"id": "a5", "name": "Foo"}, {"id": "a6", "name": "Bar"}],
    "description": "Doors at eight.\nMusic from nine.",
}
VENUE = {
    "form": "venue",
    "label": "Venue",
    "title": "/name",
    "steps": [{"id": "place", "label": "Place", "paths": ["/name", "/rooms"]}],
    "fields": {
        "/name": {"label": "Name"},
        "/rooms": {"label": "Rooms", "key": "number", "item": "/name"},
        "/about": {"label": "About", "merge": "text"},
        "/kinds": {"label": "Kinds", "merge": "set"},
        "/owner": {"label": "Owner", "merge": "atomic", "sensitive": True},
    },
    "groups": [["/rent", "/currency"]],
    "schema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string", "minLength": 1}},
    },
}
YEARS = timedelta(days=3_650)
NO_BODY = {
    ("DELETE", "/v1/drafts/{draft_id}"),
    ("PUT", "/v1/drafts/{draft_id}/presence"),
    ("DELETE", "/v1/drafts/{draft_id}/presence"),
    ("DELETE", "/v1/drafts/{draft_id}/members/{user}"),
    ("DELETE", "/v1/drafts/{draft_id}/links/{link}"),
    ("DELETE", "/v1/drafts/{draft_id}/versions/{version}/label"),
}
MADE_UP = {"head": "<link>", "hash": "<link>", "request": "<request>", "number": 1}
NO_STORY = {"/metrics", "/livez", "/readyz"}


UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


TOKEN = re.compile("vl_[0-9a-f]{16}_[A-Za-z0-9_-]{43}")
LINK = re.compile('"[0-9a-f]{16}"')


def _made_up(found: re.Match[str]) -> str:
    """An id that the service made, which is another one each time."""
    return found[0] if found[0] in (DRAFT, SHARED) else "<id>"


class Story:
    """Calls the service and keeps every answer under a name."""

    def __init__(self, ann: Caller, clock: Clock, service: ASGIApp) -> None:
        self.ann, self.clock, self._service = ann, clock, service
        self.answers: dict[str, Any] = {}
        self.asked: set[tuple[str, str]] = set()

    async def tells(self, name: str, method: str, path: str, **request: Any) -> httpx.Response:
        """One call a minute; `path` is relative to the drafts."""
        self.clock.tick(60)
        answer = await self.ann.asks(method, path, **request)
        self.asked.add((method, str(answer.request.url.path)))
        if answer.content:
            text = LINK.sub('"<link>"', TOKEN.sub("<token>", answer.text))
            document = json.loads(UUID.sub(_made_up, text))
            document.pop("request_id", None)
            if document.get("next_cursor"):
                document["next_cursor"] = "<cursor>"
            for one in (document, document.get("tombstone", {}), *document.get("items", ())):
                one |= {name: made for name, made in MADE_UP.items() if one.get(name) is not None}
            self.answers[name] = {"status": answer.status_code, "body": document}
        return answer

    async def watches(self, name: str, draft: str, last: int) -> None:
        """The events of a stream since a version, and how it stands then."""
        async with streaming(self._service, self.ann, draft, last=last) as stream:
            told = [vars(event) for event in stream.events]
        self.asked.add(("GET", f"/v1/drafts/{draft}/events"))
        self.answers[name] = {"status": stream.status, "body": told}


def edit(path: str, value: Any, **members: Any) -> dict[str, Any]:
    return {"changes": [{"op": "replace", "path": path, "value": value}], **members}


async def told(ann: Caller, clock: Clock, service: ASGIApp) -> Story:
    """The story of one draft, from its opening to the trash, with what may go wrong on the way."""
    story = Story(ann, clock, service)
    tells = story.tells
    opening = {"form": "gig", "subject": "42", "data": GIG, "id": DRAFT, "step": "basic"}
    await tells("open", "POST", "/v1/drafts", json=opening)
    await tells("open-again", "POST", "/v1/drafts", json={"form": "gig", "subject": "42"})
    first = edit("/fee", 250, based_on=1, device="mac", seq=1, reason="agency quote")
    await tells("save", "PATCH", DRAFT, json=first)
    second = edit("/acts/id:a5/name", "Foo Fighters", based_on=1, device="ipad", seq=1)
    await tells("save-merged", "PATCH", DRAFT, json=second)
    await tells("save-nothing", "PATCH", DRAFT, json=edit("/fee", 250))
    doors = "Doors at seven.\nMusic from nine."
    whole = {"prefer": "return=representation"}
    await tells("save-whole", "PATCH", DRAFT, json=edit("/description", doors), headers=whole)
    queue = [edit("/fee", 260, device="mac", seq=2), edit("/nowhere", 1, device="mac", seq=3)]
    await tells("edits", "POST", f"{DRAFT}/edits", json={"edits": queue})
    await tells("draft", "GET", DRAFT)
    await tells("label", "PUT", f"{DRAFT}/versions/2/label", json={"label": "as sent"})
    await tells("versions", "GET", f"{DRAFT}/versions", params={"limit": 4})
    await tells("sessions", "GET", f"{DRAFT}/versions", params={"grouped": "true"})
    await tells("version", "GET", f"{DRAFT}/versions/4")
    await tells("compare", "GET", f"{DRAFT}/compare/1...latest")
    await tells("undo", "POST", f"{DRAFT}/undo", json={"version": 3})
    await tells("restore", "POST", f"{DRAFT}/restore", json={"version": 1, "paths": ["/fee"]})
    await tells("fork", "POST", f"{DRAFT}/fork", json={"version": 2, "device": "mac", "seq": 9})
    await tells("extend", "POST", f"{DRAFT}/extend")
    await tells("list", "GET", "/v1/drafts", params={"limit": 1})
    await problems(story)
    await tells("unlabel", "DELETE", f"{DRAFT}/versions/2/label")
    await tells("discard", "DELETE", DRAFT)
    await tells("recover", "POST", f"{DRAFT}/recover")
    await tells("submit", "POST", f"{DRAFT}/submit")
    await tells("problem-draft-closed", "PATCH", DRAFT, json=edit("/fee", 1))
    await conflicts(story)
    await tells("verify", "GET", f"{DRAFT}/verify")
    await live(story)
    await forms(story)
    await templates(story)
    await imports(story)
    await sharing(story)
    await audit(story)
    return story


async def sharing(story: Story) -> None:
    """A draft that Ann shares with others by name and by a link, and hands over."""
    tells, story.clock.now = story.tells, NOON + timedelta(days=2)
    opening = {"form": "gig", "subject": "shared", "id": SHARED, "data": {"title": "Jazz"}}
    await story.ann._gets("POST", "/v1/drafts", json=opening)
    editor = {"role": "editor", "device": "mac", "seq": 1}
    await tells("share", "PUT", f"{SHARED}/members/ben", json=editor)
    await tells("members", "GET", f"{SHARED}/members")
    day = {"role": "viewer", "expires_in": 86_400}
    link = (await tells("share-by-link", "POST", f"{SHARED}/links", json=day)).json()["id"]
    await tells("links", "GET", f"{SHARED}/links")
    await tells("version-shared", "GET", f"{SHARED}/versions/2")
    await tells("version-shared-by-link", "GET", f"{SHARED}/versions/3")
    await tells("take-link-back", "DELETE", f"{SHARED}/links/{link}")
    await tells("hand-over", "PUT", f"{SHARED}/owner", json={"user": "ben"})
    await tells("version-handed-over", "GET", f"{SHARED}/versions/5")
    await tells("leave", "DELETE", f"{SHARED}/members/ann")


async def audit(story: Story) -> None:
    """Who wrote what in a draft of its own, seen by its owner and by an auditor, days later."""
    tells, story.clock.now = story.tells, NOON + timedelta(days=9)
    opening = {"form": "gig", "another": True, "id": AUDITED, "data": {"title": "Jazz", "fee": 100}}
    assert (await story.ann.asks("POST", "/v1/drafts", json=opening)).is_success
    save = edit("/fee", 250, device="mac", reason="agency quote")
    assert (await story.ann.asks("PATCH", AUDITED, json=save)).is_success
    assert (await story.ann.asks("POST", f"{AUDITED}/restore", json={"version": 1})).is_success
    await tells("blame", "GET", f"{AUDITED}/blame")
    await tells("lineage", "GET", f"{AUDITED}/lineage", params={"path": "/fee", "limit": 2})
    await tells("problem-audit-reads", "GET", "/v1/audit/reads")
    token = make_token(KEYS["VARIORUM_JWT_SECRET"].encode(), "olga", ["auditor"], YEARS, now=NOON)
    auditor = {"authorization": f"Bearer {token}"}
    await tells("audit", "GET", "/v1/audit", params={"draft": AUDITED}, headers=auditor)
    await tells("audit-reads", "GET", "/v1/audit/reads", params={"limit": 1}, headers=auditor)


async def templates(story: Story) -> None:
    """A template, and a draft that starts from it, the next day."""
    tells, story.clock.now = story.tells, NOON + timedelta(days=1)
    made = (await story.ann.open({"title": "Jazz", "fee": 100}, another=True))["id"]
    await tells("template", "PUT", f"{made}/template", json={"on": True})
    begun = {"form": "gig", "subject": "44", "from_template": made}
    await tells("open-from-template", "POST", "/v1/drafts", json=begun)


async def imports(story: Story) -> None:
    """What lies in a browser, two days later."""
    story.clock.now = NOON + timedelta(days=2)
    kept = {"formData": {"title": "Open mic"}, "currentStep": 2, "lastSaved": 1772366400000}
    entries = {"gig-create-draft": json.dumps(kept), "gig-edit-48": '{"title":', "theme": "dark"}
    await story.tells("import", "POST", "/v1/imports/local-storage", json={"entries": entries})


async def live(story: Story) -> None:
    """Who is at the first draft, and what its stream tells, at a time of its own."""
    before, story.clock.now = story.clock.now, NOON + timedelta(days=7)
    here = {"device": "mac", "path": "/fee", "idle": False}
    await story.tells("presence", "PUT", f"{DRAFT}/presence", json=here)
    await story.watches("events", DRAFT, 2)
    await story.watches("events-reset", DRAFT, 999)
    await story.tells("presence-left", "DELETE", f"{DRAFT}/presence", params={"device": "mac"})
    story.clock.now = before


async def conflicts(story: Story) -> None:
    """What clashes in another draft, and how it is settled."""
    tells, draft = story.tells, CONTESTED
    opening = {"form": "gig", "another": True, "id": draft, "data": {"title": "Jazz", "fee": 100}}
    await tells("open-another", "POST", "/v1/drafts", json=opening)
    fork = (await tells("fork-another", "POST", f"{draft}/fork")).json()["id"]
    for device, fee, title in (("mac", 250, "Blues"), ("ipad", 300, "Soul")):
        changes = [{"op": "replace", "path": "/fee", "value": fee}]
        changes += [{"op": "replace", "path": "/title", "value": title}]
        both = {"changes": changes, "based_on": 1, "device": device, "seq": 1}
        await tells(f"save-on-{device}", "PATCH", draft, json=both)
    await tells("conflicts", "GET", f"{draft}/conflicts")
    one = {"take": "theirs", "which": "ipad"}
    await tells("resolve", "POST", f"{draft}/conflicts/c1/resolve", json=one)
    await tells("problem-conflict-closed", "POST", f"{draft}/conflicts/c1/resolve", json=one)
    await tells("problem-conflict-not-found", "POST", f"{draft}/conflicts/c9/resolve", json=one)
    items = [{"id": "c2", "take": "value", "value": "Late jazz"}]
    await tells("resolve-several", "POST", f"{draft}/conflicts/resolve", json={"items": items})
    await tells("version-resolved", "GET", f"{draft}/versions/4")
    await tells("save-on-fork", "PATCH", fork, json={"data": {"title": "Jazz"}, "based_on": 1})
    await tells("merge", "POST", f"{draft}/merge", json={"fork": fork})
    await tells("problem-not-its-fork", "POST", f"{fork}/merge", json={"fork": draft})


async def forms(story: Story) -> None:
    """How an admin defines a form, and what the first draft lacks by its own."""
    tells = story.tells
    token = make_token(KEYS["VARIORUM_JWT_SECRET"].encode(), "ada", ["admin"], YEARS, now=NOON)
    admin = {"authorization": f"Bearer {token}"}
    await tells("problem-forbidden", "PUT", "/v1/forms/venue", json=VENUE)
    await tells("define-form", "PUT", "/v1/forms/venue", json=VENUE, headers=admin)
    wrong = {**VENUE, "fields": {"name": {}}, "schema": {"type": "text"}}
    await tells("problem-form-invalid", "PUT", "/v1/forms/venue", json=wrong, headers=admin)
    wrong = {**VENUE, "schema": {"properties": {"name": {"type": "text"}}}}
    await tells("problem-schema-invalid", "PUT", "/v1/forms/venue", json=wrong, headers=admin)
    await tells("form", "GET", "/v1/forms/venue")
    await tells("forms", "GET", "/v1/forms")
    await tells("problem-form-not-found", "GET", "/v1/forms/unheard-of")
    await tells("completeness", "GET", f"{DRAFT}/completeness")
    await gone(story, admin)


async def gone(story: Story, admin: dict[str, str]) -> None:
    """How drafts end for good, and what callers' systems say of what is gone there."""
    tells = story.tells
    await tells("problem-draft-open", "POST", f"{CONTESTED}/purge")
    await tells("purge", "POST", f"{DRAFT}/purge")
    await tells("problem-draft-purged", "GET", DRAFT)
    opening = {"form": "gig", "subject": "43"}
    await tells("open-for-a-while", "POST", "/v1/drafts", json=opening)
    await tells("problem-not-an-admin", "DELETE", "/v1/subjects/gig/43")
    await tells("delete-subject", "DELETE", "/v1/subjects/gig/43", headers=admin)
    await tells("delete-user", "DELETE", "/v1/users/ann", headers=admin)


async def problems(story: Story) -> None:
    """What the same draft refuses."""
    tells = story.tells
    clash = edit("/title", "Other", based_on=1, device="phone", on_conflict="reject")
    await tells("retitle", "PATCH", DRAFT, json=edit("/title", "Late jazz"))
    await tells("problem-clash", "PATCH", DRAFT, json=clash)
    await tells("problem-seq-reused", "PATCH", DRAFT, json=edit("/fee", 1, device="mac", seq=2))
    await tells("problem-seq-skipped", "PATCH", DRAFT, json=edit("/fee", 1, device="mac", seq=0))
    match = {"if-match": '"1"'}
    await tells("problem-if-match", "PATCH", DRAFT, json=edit("/fee", 1), headers=match)
    await tells("problem-cannot-apply", "PATCH", DRAFT, json=edit("/acts/id:none/name", 1))
    await tells("problem-invalid", "PATCH", DRAFT, json={"chnages": [], "seq": -1})
    await tells("problem-draft-not-found", "GET", ANOTHER)
    await tells("problem-version-not-found", "GET", DRAFT, params={"version": 99})
    broken = {"content": b'{"a": 1, "a": 2}', "headers": {"content-type": "application/json"}}
    await tells("problem-bad-json", "PATCH", DRAFT, **broken)
    media = {"content": b"fee=1", "headers": {"content-type": "text/plain"}}
    await tells("problem-media-type", "PATCH", DRAFT, **media)
    await tells("problem-no-token", "GET", DRAFT, headers={"authorization": ""})


def keeps(pinned: Any, now: Any) -> bool:
    """Whether everything pinned still stands; members may have come, none may have gone."""
    if isinstance(pinned, dict) and isinstance(now, dict):
        return all(name in now and keeps(value, now[name]) for name, value in pinned.items())
    if isinstance(pinned, list) and isinstance(now, list) and len(pinned) == len(now):
        return all(map(keeps, pinned, now))
    return type(pinned) is type(now) and bool(pinned == now)


async def test_every_answer_is_still_what_its_example_shows(
    ann: Caller, clock: Clock, service: ASGIApp
) -> None:
    story = await told(ann, clock, service)
    for name, answer in story.answers.items():
        file = EXAMPLES / f"{name}.json"
        if WRITING and not file.exists():
            file.write_text(json.dumps(answer, indent=2, ensure_ascii=False) + "\n", "utf-8")
        pinned = json.loads(file.read_text("utf-8"))
        assert keeps(pinned, answer), f"{name}: {json.dumps(answer, indent=2)}"
    assert {file.stem for file in EXAMPLES.glob("*.json")} == set(story.answers)


async def test_every_route_has_an_example(ann: Caller, clock: Clock, service: ASGIApp) -> None:
    document = (await ann.asks("GET", "/openapi.json")).json()
    routes = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if path not in NO_STORY
    }
    story = await told(ann, clock, service)
    told_of = {(method, route_of(path, routes)) for method, path in story.asked}
    assert routes - told_of == set()
    assert routes >= NO_BODY


def route_of(path: str, routes: set[tuple[str, str]]) -> str:
    """The template that an address belongs to."""
    parts = path.split("/")

    def fits(template: str) -> bool:
        names = template.split("/")
        same = zip(names, parts, strict=False)
        return len(names) == len(parts) and all(n.startswith("{") or n == p for n, p in same)

    return next(template for _, template in routes if fits(template))


@pytest.mark.parametrize(
    ("pinned", "now", "stands"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {}, False),
        ([1, 2], [1], False),
    ],
)
def test_an_example_may_be_extended_and_not_changed(pinned: Any, now: Any, *, stands: bool) -> None:
    assert keeps(pinned, now) is stands

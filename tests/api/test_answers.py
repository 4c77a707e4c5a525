"""One example body of every answer, pinned: later work extends an example and never changes it.

Every file in `answers/` is the body of one answer. The time of the service stands still while they
are made, so times are as they are; what else differs from run to run is replaced:

- a draft's id that the client did not choose is `<draft 1>`, `<draft 2>` … in order of appearance,
- a request's id is `<request>`, the place in a cursor is `<cursor>`.

Every member of an example must be in the answer, with the same value; an answer may have more
members. Lists must have the same length. An example that is not there yet is written by
`WRITE_EXAMPLES=1 pytest tests/api/test_answers.py`; none is ever written over.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.problems import PAGES, problem_bytes
from domain.errors import Busy, Forbidden, StoreUnavailable
from tests.api.calls import (
    DRAFTS,
    JSON_PATCH,
    Caller,
    Document,
    add,
    edit,
    move,
    remove,
    replace,
)
from tests.api.test_contract import ROUTES, operation
from tests.running import Clock

EXAMPLES = Path(__file__).with_name("answers")
ID = "7b2e0000-0000-4000-8000-000000000001"
DISCARDED, OTHER = (f"{ID[:-1]}{n}" for n in (2, 3))

DESCRIPTION = (
    "The Foo Fighters play the songs that everybody knows, and some that nobody has heard before. "
    "Doors open at seven, the first band begins at eight, and the last song ends before midnight. "
    "Bring warm clothes, since the hall has no heating."
)
FORM: Document = {
    "title": "Jazz night",
    "fee": 100,
    "description": DESCRIPTION,
    "acts": [{"id": "a5", "name": "Foo Fighters", "fee": 100}, {"id": "a6", "name": "Bar"}],
}


@dataclass
class Answers:
    """What the service answered, by the example's name."""

    ann: Caller
    ben: Caller
    client: httpx.AsyncClient
    found: dict[str, Any] = field(default_factory=dict)
    routes: dict[str, str] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    async def keep(self, name: str, route: str, by: Caller | None = None, **request: Any) -> Any:
        """Ask, and keep the answer under a name; `route` is a method and an address."""
        method, path = route.split(" ")
        path = path if path.startswith("/") else f"{DRAFTS}/{ID}{path and '/'}{path}"
        answer = await (by or self.ann).asks(method, path, **request)
        self.take(name, f"{method} {_template(path)} {answer.status_code}", answer.json())
        return answer.json()

    def take(self, name: str, route: str, body: Any) -> None:
        """Keep a body under a name."""
        assert name not in self.found
        self.found[name], self.routes[name] = self._normal(body), route

    def _normal(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._normal(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self._normal(item) for item in value]
        if name == "next_cursor" and value is not None:
            return "<cursor>"
        if name == "request_id":
            return "<request>"
        return _UUID.sub(self._named, value) if isinstance(value, str) else value

    def _named(self, found: re.Match[str]) -> str:
        if found[0] in (ID, DISCARDED, OTHER):
            return found[0]
        return self._ids.setdefault(found[0], f"<draft {len(self._ids) + 1}>")


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _template(path: str) -> str:
    path = re.sub(r"/compare/[^/?]+", "/compare/{span}", path.partition("?")[0])
    path = re.sub(r"/versions/\d+", "/versions/{version}", path)
    return _UUID.sub("{draft_id}", path)


@pytest.fixture
async def answers(ann: Caller, ben: Caller, client: httpx.AsyncClient, clock: Clock) -> Answers:
    """Every answer there is, in the course of one story."""
    told = Answers(ann, ben, client)
    await _beginning(told, clock)
    await _editing(told, clock)
    await _history(told, clock)
    await _refusals(told)
    await _ending(told, clock)
    await _around(told)
    return told


async def _beginning(told: Answers, clock: Clock) -> None:
    opening = {"form": "gig", "subject": "42", "data": FORM, "id": ID, "step": "lineup"}
    opening |= {"completed_steps": ["basic"]}
    await told.keep("draft-opened", f"POST {DRAFTS}", json=opening)
    clock.tick(60)
    filling = {"form": "gig", "subject": "42", "data": {"venue": "Hall", "fee": None}}
    await told.keep("draft-found", f"POST {DRAFTS}", json=filling)
    await told.ann.open({"title": "Blues"}, another=True, id=DISCARDED)


async def _editing(told: Answers, clock: Clock) -> None:
    clock.tick(60)
    first = edit(replace("/fee", 250), device="mac", seq=1, based_on=2, reason="agency quote")
    await told.keep("receipt", "PATCH ", json=first)
    clock.tick(60)
    longer = DESCRIPTION.replace("at seven", "at half past six")
    changes = [
        replace("/description", longer),
        replace("/acts/id:a5/fee", 250),
        move("/acts/1", "/acts/0"),
        add("/acts/-", {"id": "a7", "name": "Baz"}),
        remove("/venue"),
        add("/tags", ["loud"]),
    ]
    prefer = {"prefer": "return=representation"}
    sent = edit(*changes, device="mac", seq=2, based_on=3, step="money")
    await told.keep("receipt-with-draft", "PATCH ", json=sent, headers=prefer)
    clock.tick(60)
    title = edit(replace("/title", "Blues night"), device="ipad", seq=1, based_on=2)
    await told.keep("receipt-merged", "PATCH ", json=title)
    patch = [replace("/title", "Blues night")]
    await told.keep("receipt-of-nothing", "PATCH ", json=patch, headers=JSON_PATCH)
    clock.tick(60)
    queue = [
        edit(replace("/fee", 300), device="mac", seq=3, based_on=5),
        edit(remove("/nothing"), device="mac", seq=4, based_on=5),
    ]
    await told.keep("results", "POST edits", json={"edits": queue})


async def _history(told: Answers, clock: Clock) -> None:
    clock.tick(3_600)
    await told.keep("receipt-labelled", "PUT versions/3/label", json={"label": "sent to the band"})
    await told.keep("version-opened", "GET versions/1")
    await told.keep("version", "GET versions/3")
    await told.keep("version-with-every-change", "GET versions/4")
    await told.keep("version-merged", "GET versions/5")
    await told.keep("version-labelled", "GET versions/7")
    await told.keep("versions", "GET versions?limit=5")
    await told.keep("versions-grouped", "GET versions?grouped=true&limit=2")
    await told.keep("compare", "GET compare/1...latest")
    tried = {"version": 3, "dry_run": True}
    await told.keep("receipt-of-a-trial", "POST restore", json=tried)
    await told.keep("receipt-restored", "POST restore", json={"version": 3, "paths": ["/title"]})
    clock.tick(60)
    await told.keep("receipt-undone", "POST undo", json={"version": 4})
    await told.keep("version-restored", "GET versions/8")
    await told.keep("version-undone", "GET versions/9")
    clock.tick(60)
    await told.keep("receipt-extended", "POST extend", json={})
    await told.keep("draft", "GET ")
    await told.keep("draft-at-a-version", "GET ", params={"version": 3})
    fork = await told.keep("draft-forked", "POST fork", json={"version": 3})
    await told.keep("version-forked", f"GET {DRAFTS}/{fork['id']}/versions/1")
    await told.keep("drafts", f"GET {DRAFTS}?sort=title&limit=2")


async def _refusals(told: Answers) -> None:
    async def refused(slug: str, route: str, **request: Any) -> None:
        await told.keep(f"problem-{slug}", route, **request)

    json_ = {"content-type": "application/json"}
    await refused("bad-json", "PATCH ", content=b'{"data": {"fee": 1e999}}', headers=json_)
    wrong = {"based_on": 0, "chnages": [], "device": ""}
    await refused("invalid", "PATCH ", json=wrong)
    await refused("cannot-apply", "PATCH ", json=edit(add("/x", 1), replace("/no/where", 1)))
    await refused("too-large", "PATCH ", content=b" " * 1_048_577, headers=json_)
    await refused("unsupported-media-type", "PATCH ", content=b"<xml/>")
    await refused("unauthenticated", "GET ", by=Caller(told.client, "nonsense"))
    await refused("draft-not-found", "GET ", by=told.ben)
    await refused("version-not-found", "GET versions/99")
    await refused("not-found", "GET /v1/nothing")
    await refused("method-not-allowed", "PUT ", json={})
    clash = edit(replace("/fee", 1), remove("/acts/id:a6"), device="phone", based_on=1)
    await refused("clash", "PATCH ", json=clash)
    reused = edit(replace("/fee", 1), device="mac", seq=3)
    await refused("seq-reused", "PATCH ", json=reused)
    await refused("seq-skipped", "PATCH ", json=edit(replace("/fee", 1), device="mac", seq=0))
    stale = {"headers": {"if-match": '"1"'}, "json": edit(replace("/fee", 1))}
    await refused("version-mismatch", "PATCH ", **stale)
    await refused("id-taken", f"POST {DRAFTS}", by=told.ben, json={"form": "gig", "id": ID})
    for error in (Forbidden("You may read this draft, and not change it."), Busy("Try again.")):
        _unreachable(told, error)
    _unreachable(told, StoreUnavailable("The database cannot be reached; try again."))


def _unreachable(told: Answers, error: Exception) -> None:
    """What no request brings about by itself."""
    body = json.loads(problem_bytes(error, "a-1").body)
    slug = body["type"].rpartition("/")[2]
    told.take(f"problem-{slug}", f"PATCH {DRAFTS}/{{draft_id}} {body['status']}", body)


async def _ending(told: Answers, clock: Clock) -> None:
    clock.tick(60)
    await told.ann.asks("DELETE", ID)
    await told.ann.open(subject="42", id=OTHER)
    await told.keep("problem-slot-taken", "POST recover")
    await told.ann.asks("DELETE", OTHER)
    await told.keep("receipt-recovered", "POST recover")
    clock.tick(60)
    await told.keep("receipt-submitted", "POST submit")
    await told.keep("problem-draft-closed", "PATCH ", json=edit(replace("/fee", 1)))
    await told.keep("draft-submitted", "GET ")


async def _around(told: Answers) -> None:
    await told.keep("livez", "GET /livez")
    answer = await told.client.get("/readyz")
    ready = {**answer.json(), "projections": sorted(answer.json()["projections"])}
    told.take("readyz", "GET /readyz 200", ready)


def agree(example: Any, answer: Any) -> bool:
    """Whether all that an example has is in an answer, with the same values."""
    if isinstance(example, dict) and isinstance(answer, dict):
        return all(name in answer and agree(item, answer[name]) for name, item in example.items())
    if isinstance(example, list) and isinstance(answer, list):
        return len(example) == len(answer) and all(map(agree, example, answer))
    return type(example) is type(answer) and bool(example == answer)


async def test_every_answer_is_as_it_was_on_the_day_its_route_was_made(answers: Answers) -> None:
    for name, body in answers.found.items():
        file = EXAMPLES / f"{name}.json"
        if not file.exists() and os.environ.get("WRITE_EXAMPLES"):
            file.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", "utf-8")
        assert file.exists(), f"there is no example {name}; see this module's first words"
        example = json.loads(file.read_text("utf-8"))
        assert agree(example, body), f"{name}: {json.dumps(body, indent=2)}"


async def test_every_example_is_one_of_an_answer(answers: Answers) -> None:
    assert {file.stem for file in EXAMPLES.glob("*.json")} == answers.found.keys()


async def test_every_route_and_every_problem_has_an_example(answers: Answers) -> None:
    shown = {f"{method} {path}" for method, path, _ in map(str.split, answers.routes.values())}
    problems = {name.removeprefix("problem-") for name in answers.found if "problem-" in name}

    without_a_body = {"GET /metrics", f"DELETE {DRAFTS}/{{draft_id}}"}
    without_a_body |= {f"DELETE {DRAFTS}/{{draft_id}}/versions/{{version}}/label"}
    assert set(ROUTES) - shown == without_a_body
    assert PAGES.keys() - problems == {"internal-error"}


async def test_every_examples_status_is_described(
    answers: Answers, client: httpx.AsyncClient
) -> None:
    document = (await client.get("/openapi.json")).json()

    for method, path, status in map(str.split, answers.routes.values()):
        if f"{method} {path}" in ROUTES:
            assert status in operation(document, f"{method} {path}")["responses"], (path, status)


def test_an_example_may_be_extended_and_not_changed() -> None:
    example = {"version": 1, "changes": [{"op": "add"}], "title": None}

    assert agree(example, {**example, "changes": [{"op": "add", "by": "ann"}], "more": 1})
    for changed in (
        {**example, "version": 2},
        {**example, "version": True},
        {**example, "changes": []},
        {**example, "title": "x"},
        {"version": 1, "title": None},
    ):
        assert not agree(example, changed)

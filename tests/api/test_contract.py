"""The OpenAPI document and the service say the same: every route, every status, every gate."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as trying
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.settings import Settings
from tests.api.calls import (
    PROBLEM,
    Blocking,
    Caller,
    Document,
    add,
    problem,
    replace,
    with_role,
    without,
)

# psycopg's pool uses `random` in the service's thread while Hypothesis draws (see test_laws.py).
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

# The rows of contract.md that stand; whoever adds a route adds it here.
ROUTES = [
    "POST /v1/drafts",
    "GET /v1/drafts",
    "GET /v1/drafts/{draft_id}",
    "PATCH /v1/drafts/{draft_id}",
    "DELETE /v1/drafts/{draft_id}",
    "POST /v1/drafts/{draft_id}/edits",
    "GET /v1/drafts/{draft_id}/versions",
    "GET /v1/drafts/{draft_id}/versions/{version}",
    "PUT /v1/drafts/{draft_id}/versions/{version}/label",
    "DELETE /v1/drafts/{draft_id}/versions/{version}/label",
    "GET /v1/drafts/{draft_id}/compare/{span}",
    "GET /v1/drafts/{draft_id}/verify",
    "GET /v1/drafts/{draft_id}/blame",
    "GET /v1/drafts/{draft_id}/lineage",
    "GET /v1/audit",
    "GET /v1/audit/reads",
    "POST /v1/drafts/{draft_id}/restore",
    "POST /v1/drafts/{draft_id}/undo",
    "POST /v1/drafts/{draft_id}/fork",
    "POST /v1/drafts/{draft_id}/merge",
    "GET /v1/drafts/{draft_id}/conflicts",
    "POST /v1/drafts/{draft_id}/conflicts/resolve",
    "POST /v1/drafts/{draft_id}/conflicts/{conflict}/resolve",
    "POST /v1/drafts/{draft_id}/submit",
    "POST /v1/drafts/{draft_id}/extend",
    "POST /v1/drafts/{draft_id}/recover",
    "PUT /v1/drafts/{draft_id}/template",
    "GET /v1/drafts/{draft_id}/members",
    "PUT /v1/drafts/{draft_id}/members/{user}",
    "DELETE /v1/drafts/{draft_id}/members/{user}",
    "PUT /v1/drafts/{draft_id}/owner",
    "GET /v1/drafts/{draft_id}/links",
    "POST /v1/drafts/{draft_id}/links",
    "DELETE /v1/drafts/{draft_id}/links/{link}",
    "POST /v1/drafts/{draft_id}/purge",
    "GET /v1/drafts/{draft_id}/events",
    "PUT /v1/drafts/{draft_id}/presence",
    "DELETE /v1/drafts/{draft_id}/presence",
    "GET /v1/drafts/{draft_id}/completeness",
    "POST /v1/imports/local-storage",
    "GET /v1/forms",
    "GET /v1/forms/{form}",
    "PUT /v1/forms/{form}",
    "DELETE /v1/subjects/{form}/{subject}",
    "DELETE /v1/users/{user}",
    "GET /livez",
    "GET /readyz",
    "GET /metrics",
]
OF_A_DRAFT = [route for route in ROUTES if "{draft_id}" in route]


CONFLICT = "c1"
FORK = "f0f0f0f0-0000-4000-8000-000000000001"


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Document:
    """The OpenAPI document."""
    answer = await client.get("/openapi.json")
    described: Document = answer.json()
    return described


def operation(document: Document, route: str) -> Document:
    method, path = route.split()
    found: Document = document["paths"][path][method.lower()]
    return found


def body_for(document: Document, route: str) -> Any:
    """The smallest body that the route takes, by its schema; None if it takes none."""
    content = operation(document, route).get("requestBody", {}).get("content", {})
    if not content:
        return None
    return _smallest(document, content["application/json"]["schema"])


def _smallest(document: Document, schema: Document) -> Any:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("type", "object") == "object":
        named = schema.get("required", [])
        return {name: _smallest(document, schema["properties"][name]) for name in named}
    if schema["type"] == "array":
        return [_smallest(document, schema["items"])] * schema.get("minItems", 0)
    if schema.get("format") == "uuid":
        return FORK
    text = schema.get("enum", [CONFLICT])[0]
    return {"string": text, "integer": 1, "boolean": True}[schema["type"]]


def address(route: str, draft: str) -> str:
    path = route.split()[1].replace("{draft_id}", draft)
    path = path.replace("{version}", "1").replace("{span}", "1...1").replace("{form}", "gig")
    path = path.replace("{user}", "eve").replace("{link}", "none")
    return path.replace("{conflict}", CONFLICT)


async def test_every_route_stands_in_the_openapi(document: Document) -> None:
    described = {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
    }

    assert described == set(ROUTES)


async def test_every_route_says_what_it_does_and_what_may_go_wrong(document: Document) -> None:
    for route in ROUTES:
        described = operation(document, route)
        assert described["description"].endswith("."), route
        statuses = described["responses"].keys()
        assert any(status.startswith("2") for status in statuses), route
        if "/v1/" not in route:
            continue
        assert described["security"] == [{"HTTPBearer": []}], route
        assert {"401", "422", "503"} <= statuses, route
        assert "404" in statuses or "{draft_id}" not in route, route
        if not route.startswith("GET"):
            of_a_draft = {"404", "409"} if "/drafts" in route else {"403"}
            of_a_draft -= {"409"} if "/presence" in route else set()  # of no version
            assert {"400", "413", "415", *of_a_draft} <= statuses, route
        for status in [one for one in statuses if one >= "400"]:
            (media_type,) = described["responses"][status]["content"]
            assert media_type == PROBLEM


async def test_every_problem_that_is_declared_has_a_page(
    client: httpx.AsyncClient, document: Document
) -> None:
    declared = {
        slug
        for route in ROUTES
        for status, answer in operation(document, route)["responses"].items()
        if status >= "400" and "/v1/" in route
        for slug in re.findall("`([a-z-]+)`", answer["description"])
    }

    assert {"clash", "invalid", "bad-json", "draft-not-found", "version-mismatch"} < declared
    for slug in declared:
        page = await client.get(f"/problems/{slug}")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


EXAMPLES = {"at": "2026-03-01T12:00:00Z", "from": "2026-03-01T12:00:00Z", "cursor": None}
EXAMPLES |= {"to": "2026-03-01T12:00:00Z", "seq": "1", "path": "/fee", "draft": FORK}


async def test_every_parameter_that_is_described_is_taken(
    ann: Caller, document: Document, client: httpx.AsyncClient, settings: Settings
) -> None:
    auditor = with_role(client, settings, "olga", "auditor")
    draft = await ann.open({"fee": 1})
    for route in [one for one in ROUTES if "/v1/" in one]:
        for parameter in operation(document, route).get("parameters", []):
            name = parameter["name"]
            value = EXAMPLES.get(name, _example(parameter["schema"]))
            if parameter["in"] != "query" or value is None:
                continue
            asks = auditor if route == "GET /v1/audit/reads" else ann
            answer = await _patch_or_get(asks, address(route, draft["id"]), route, name, value)
            assert answer.is_success, (route, name, answer.text)


def _example(schema: Document) -> str:
    kinds = schema.get("anyOf", [schema])
    first = kinds[0]
    if "enum" in first:
        return str(first["enum"][0])
    return {"integer": "1", "boolean": "true", "string": "x"}[first["type"]]


async def _patch_or_get(
    ann: Caller, path: str, route: str, name: str, value: str
) -> httpx.Response:
    if not route.startswith("PATCH"):
        return await ann.asks(route.split()[0], path, params={name: value})
    patch = {"content-type": "application/merge-patch+json"}
    given = {name: value} | ({"device": "mac"} if name == "seq" else {})
    return await ann.asks("PATCH", path, params=given, json={}, headers=patch)


# -- the gate


async def test_to_everybody_else_a_draft_looks_as_if_it_were_not_there(
    ann: Caller, ben: Caller, document: Document
) -> None:
    draft = await ann.open({"fee": 1})
    await ann.save(draft, add("/venue", "Hall"))
    held = await ann.draft(draft)
    await ben.open({"fee": 1})

    for route in OF_A_DRAFT:
        method, body = route.split()[0], body_for(document, route)
        answers = []
        for id_ in (draft["id"], str(uuid4())):
            answer = await ben.asks(method, address(route, id_), json=body)
            refusal = problem(answer, 404, "draft-not-found")
            headers = without(dict(answer.headers), "x-request-id", "content-length")
            answers.append((without(refusal, "request_id"), headers))
        assert answers[0] == answers[1], route
    assert await ann.draft(draft) == held


async def test_neither_does_a_stranger_who_never_wrote_see_it(
    ann: Caller, ben: Caller, document: Document
) -> None:
    draft = await ann.open({"fee": 1})

    for route in OF_A_DRAFT:
        body = body_for(document, route)
        answer = await ben.asks(route.split()[0], address(route, draft["id"]), json=body)
        problem(answer, 404, "draft-not-found")


async def test_without_a_token_no_route_says_anything(
    ann: Caller, client: httpx.AsyncClient, document: Document
) -> None:
    draft = await ann.open({"fee": 1})
    tokens: list[dict[str, str]] = [{}, {"authorization": f"Bearer {ann.token[:-4]}AAAA"}]

    for route in [one for one in ROUTES if "/v1/" in one]:
        for headers in tokens:
            for id_ in (draft["id"], str(uuid4()), "x"):
                body = body_for(document, route)
                answer = await client.request(
                    route.split()[0], address(route, id_), json=body, headers=headers
                )
                problem(answer, 401, "unauthenticated")


async def test_the_owner_gets_through_every_gate(ann: Caller, document: Document) -> None:
    for route in OF_A_DRAFT:
        draft = await ann.open({"fee": 1}, another=True)
        fork = await ann.fork(draft)
        for device, fee in (("mac", 2), ("ipad", 3)):
            await ann.save(draft, replace("/fee", fee), device=device, based_on=1)
        body = body_for(document, route)
        if body and "fork" in body:
            body["fork"] = fork["id"]
        if route.endswith("/purge"):
            await ann.discard(draft)
        answer = await ann.asks(route.split()[0], address(route, draft["id"]), json=body)
        assert answer.is_success, (route, answer.text)


# -- anything at all

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
BRIEFLY = trying(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
ANYTHING = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


def fuzz(ann: Blocking, route: str, mode: GenerationMode, how_long: trying) -> None:
    """Send what Schemathesis makes of a route's description, to a draft that is there."""
    method, path = route.split()
    described = schemathesis.openapi.from_dict(ann.asks("GET", "/openapi.json").json())[path][
        method
    ]
    draft = ann.open({"fee": 1, "acts": [{"id": "a"}]}, another=True)
    known = {"draft_id": draft["id"], "version": 1, "span": "1...1"}
    if mode.is_negative:
        known = {"draft_id": draft["id"]}
    named = {name: value for name, value in known.items() if f"{{{name}}}" in path}

    @how_long
    @given(described.as_strategy(mode, path_parameters=named))
    def send(case: Any) -> None:
        case.validate_response(_sent(ann, case), checks=CHECKS)

    send()
    assert ann.asks("GET", "/livez").status_code == 200


def _sent(ann: Blocking, case: Any) -> httpx.Response:
    # Schemathesis speaks through requests; what it would send goes to the app in this process.
    kwargs = case.as_transport_kwargs(base_url="http://variorum.test")
    wire = requests.Request(**kwargs).prepare()
    headers = {
        name: value if isinstance(value, bytes) else value.encode("latin-1")
        for name, value in wire.headers.items()
        if name.lower() not in ("authorization", "content-length", "x-request-id")
    }
    answer: httpx.Response = ann.asks(
        wire.method, wire.path_url, content=wire.body or b"", headers=headers
    )
    return answer


@pytest.mark.parametrize("route", [route for route in ROUTES if "/v1/" in route])
def test_whatever_is_sent_gets_an_answer_that_is_described(
    blocking_ann: Blocking, route: str
) -> None:
    for mode in ANYTHING:
        fuzz(blocking_ann, route, mode, BRIEFLY)

"""HEAD: the answer of GET without its body, at every address that has one."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from api.settings import Settings
from tests.api.calls import Caller, Document, replace, with_role

DRAFT, PATIENCE = "/v1/drafts/{draft_id}", 10.0
PLACES = {"version": "1", "span": "1...2", "form": "gig"}
ASKED = {f"{DRAFT}/lineage": {"path": "/fee"}}
DIFFERS = {"x-request-id", "transfer-encoding"}
GROWS = {"/metrics", "/v1/audit/reads"}  # what is asked for changes what is there


@pytest.fixture
async def draft(ann: Caller) -> Document:
    """A draft of Ann's, saved once."""
    draft = await ann.open({"title": "Jazz night", "fee": 100})
    await ann.save(draft, replace("/fee", 250))
    return draft


@pytest.fixture
def auditor(client: httpx.AsyncClient, settings: Settings) -> Caller:
    """Somebody who may read everything."""
    return with_role(client, settings, "olga", "auditor")


def told(answer: httpx.Response, *but: str) -> dict[str, str]:
    return {n: v for n, v in answer.headers.items() if n not in DIFFERS and n not in but}


async def test_head_has_the_status_and_headers_of_get_at_every_address_and_no_body(
    client: httpx.AsyncClient, ann: Caller, auditor: Caller, draft: Document
) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    routes = [path for path, methods in paths.items() if "get" in methods]
    assert len(routes) >= 20
    for route in (*routes, "/openapi.json", "/docs", "/problems/clash"):
        somebody = auditor if route == "/v1/audit/reads" else ann
        path = route.format(draft_id=draft["id"], **PLACES)
        asked = {"params": ASKED.get(route, {})}
        async with asyncio.timeout(PATIENCE):
            whole = await somebody.asks("GET", path, **asked)
            head = await somebody.asks("HEAD", path, **asked)
        assert (head.status_code, head.content) == (whole.status_code, b""), route
        assert whole.status_code == 200, route
        but = ("content-length",) if route in GROWS else ()
        assert told(head, *but) == told(whole, *but), route


async def test_the_head_of_a_refusal_is_that_of_get(
    client: httpx.AsyncClient, ann: Caller, ben: Caller, draft: Document
) -> None:
    nobody = Caller(client, "")
    for somebody, path, status in (
        (nobody, draft["id"], 401),
        (ben, draft["id"], 404),
        (ben, f"{draft['id']}/events", 404),
        (ann, f"{draft['id']}/submit", 405),
        (ann, "/nowhere", 404),
        (ann, "/v1/audit?path=/fee&who=ann", 422),
    ):
        whole, head = [await somebody.asks(method, path) for method in ("GET", "HEAD")]
        assert (head.status_code, head.content) == (status, b"")
        # The id of the request stands in the body, and ids grow.
        assert told(head, "content-length") == told(whole, "content-length")


async def test_what_a_client_holds_is_not_modified_for_head_either(
    ann: Caller, draft: Document
) -> None:
    answer = await ann.asks("HEAD", draft["id"], headers={"if-none-match": '"2"'})
    assert (answer.status_code, answer.headers["etag"]) == (304, '"2"')


@pytest.mark.parametrize("kind", ["text/csv", "application/x-ndjson"])
async def test_a_long_table_is_not_made_for_its_head(
    ann: Caller, draft: Document, kind: str
) -> None:
    await ann.sends(draft, *({"changes": [replace("/fee", fee)]} for fee in range(300)))
    answer = await ann.asks("HEAD", "/v1/audit", headers={"accept": kind})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.content == b""


async def test_the_head_of_a_stream_holds_none_open(ann: Caller, draft: Document) -> None:
    for _ in range(3):
        async with asyncio.timeout(PATIENCE):
            answer = await ann.asks("HEAD", f"{draft['id']}/events")
        assert answer.headers["content-type"] == "text/event-stream"
    assert (await ann.asks("GET", "/readyz")).json()["streams"] == 0


async def test_what_an_auditor_asks_the_head_of_is_noted(auditor: Caller, draft: Document) -> None:
    await auditor.asks("HEAD", draft["id"])
    noted = (await auditor.asks("GET", "/v1/audit/reads")).json()["items"]
    assert [read["path"] for read in noted] == [f"/v1/drafts/{draft['id']}"]

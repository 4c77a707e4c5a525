"""Problems: every error has its answer, every answer its page, and none tells too much."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Header, Query
from starlette.exceptions import HTTPException

from api.answers import with_length
from api.problem_documents import document, problem_bytes
from api.problem_routes import Problem, install_problems
from api.problems import INTERNAL, KINDS, PAGES, kind_of, problems
from domain import errors

DRAFT = UUID("7b2e0000-0000-4000-8000-000000000001")
CLASH = {"paths": ["/fee"], "ours": {}, "theirs": []}

EXAMPLES: list[tuple[errors.VariorumError, int, dict[str, Any]]] = [
    (errors.BadJson("Not JSON."), 400, {}),
    (
        errors.BadJson("No.", errors=[errors.Fault("/a", "No.")]),
        400,
        {"errors": [{"pointer": "/a", "detail": "No."}]},
    ),
    (
        errors.Invalid.one("/a", "Wrong."),
        422,
        {"errors": [{"pointer": "/a", "detail": "Wrong."}]},
    ),
    (errors.CannotApply("no", index=2, path="/a"), 422, {"index": 2, "path": "/a"}),
    (errors.TooLarge(10), 413, {"limit": 10}),
    (errors.UnsupportedMediaType(["a/b"]), 415, {"accepted": ["a/b"]}),
    (errors.Unauthenticated("No."), 401, {}),
    (errors.Forbidden("No."), 403, {}),
    (errors.NotFound("No."), 404, {}),
    (errors.DraftNotFound(), 404, {}),
    (errors.VersionNotFound(9, 3), 404, {"last_version": 3}),
    (errors.VersionNotFound("then"), 404, {}),
    (errors.DraftClosed("submitted"), 409, {"draft_status": "submitted"}),
    (errors.DraftOpen(), 409, {}),
    (errors.DraftPurged({"versions": 3}), 410, {"tombstone": {"versions": 3}}),
    (errors.Clash([CLASH]), 409, {"conflicts": [CLASH]}),
    (errors.ConflictClosed("c1"), 409, {"conflict": "c1"}),
    (errors.ConflictNotFound("c9"), 404, {"conflict": "c9"}),
    (errors.FormNotFound("venue"), 404, {}),
    (errors.NotItsFork(), 422, {}),
    (errors.SeqReused(7), 409, {"last_seq": 7}),
    (errors.SeqSkipped(7), 409, {"last_seq": 7}),
    (errors.IdTaken(), 409, {}),
    (errors.SlotTaken(DRAFT), 409, {"draft": str(DRAFT)}),
    (errors.VersionMismatch(5), 412, {"version": 5}),
    (errors.Busy("Busy."), 503, {}),
    (errors.RateExceeded("1 per 1 second", 1), 429, {}),
    (errors.TooManyStreams(50), 429, {"limit": 50}),
    (errors.IssuerUnavailable(5), 503, {}),
    (errors.StoreUnavailable("Gone."), 503, {}),
]


def leaves(base: type[errors.VariorumError]) -> Iterator[type[errors.VariorumError]]:
    for child in base.__subclasses__():
        yield from leaves(child)
    if not base.__subclasses__() and base.__module__ == errors.__name__:
        yield base


def test_every_error_of_the_tree_is_in_the_table() -> None:
    assert [c for c in leaves(errors.VariorumError) if c not in KINDS] == []


def test_every_error_of_the_table_has_an_example_here() -> None:
    assert set(KINDS) == {type(error) for error, _, _ in EXAMPLES}


def test_every_error_in_the_module_stands_in_its_drawing() -> None:
    classes = inspect.getmembers(errors, inspect.isclass)
    names = [name for name, c in classes if issubclass(c, errors.VariorumError)]

    assert [name for name in names if name not in (errors.__doc__ or "")] == []


def test_no_two_kinds_share_a_name() -> None:
    assert len({kind.slug for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize(("error", "status", "members"), EXAMPLES)
def test_an_error_becomes_a_document_with_its_members(
    error: errors.VariorumError, status: int, members: dict[str, Any]
) -> None:
    answer = problem_bytes(error, "r-1")
    body = json.loads(answer.body)

    assert answer.status == status
    assert body == {
        "type": f"/problems/{kind_of(error).slug}",
        "title": kind_of(error).title,
        "status": status,
        "detail": str(error),
        "request_id": "r-1",
        **members,
    }
    assert body == Problem(**body).model_dump(exclude_unset=True)
    headers = dict(with_length(answer))
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"content-length"] == str(len(answer.body)).encode()
    assert headers[b"cache-control"] == b"no-store"


def test_an_error_that_is_not_in_the_table_is_answered_as_its_base() -> None:
    class MoreSpecial(errors.DraftNotFound):
        """Some later error."""

    assert kind_of(MoreSpecial()) is KINDS[errors.DraftNotFound]


def test_an_unforeseen_error_tells_nothing_of_itself() -> None:
    answer = problem_bytes(KeyError("Kafka"), "r-1")

    assert answer.status == 500
    assert b"Kafka" not in answer.body
    assert json.loads(answer.body)["type"] == "/problems/internal-error"


def test_whoever_should_try_again_is_told_when() -> None:
    assert (b"retry-after", b"3") in problem_bytes(errors.Busy("Busy.", retry_after=3)).headers


def test_whoever_is_not_signed_in_is_told_how() -> None:
    assert (b"www-authenticate", b"Bearer") in problem_bytes(errors.Unauthenticated("No")).headers


def test_half_a_surrogate_pair_in_an_error_still_becomes_json() -> None:
    answer = problem_bytes(errors.Invalid.one("/\ud800", "Unknown."))

    assert json.loads(answer.body)["errors"][0]["pointer"] == "/\ud800"


def test_a_document_without_a_request_id_leaves_it_out() -> None:
    assert "request_id" not in document(errors.IdTaken())


def app() -> FastAPI:
    made = FastAPI()
    drafts = APIRouter(prefix="/v1/drafts")

    @drafts.get("/{draft_id}", responses=problems(404, 409))
    async def read(
        draft_id: UUID,
        limit: Annotated[int, Query(le=200)] = 1,
        if_match: Annotated[int, Header()] = 1,
    ) -> None:
        raise errors.Clash([CLASH])

    @drafts.put("/{draft_id}")
    async def write(draft_id: UUID, body: dict[str, int]) -> None:
        raise HTTPException(418, "A teapot.")

    @drafts.post("/boom")
    async def boom() -> None:
        raise KeyError("Kafka")

    made.include_router(drafts)
    install_problems(made)
    return made


def call(method: str, path: str, **request: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, **request)

    return asyncio.run(ask())


def test_an_error_raised_in_a_route_is_answered_with_its_document() -> None:
    answer = call("GET", f"/v1/drafts/{DRAFT}")

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["conflicts"] == [CLASH]


def test_faults_outside_the_body_are_told_apart_by_how_their_pointer_begins() -> None:
    answer = call("GET", "/v1/drafts/x?limit=500", headers={"If-Match": "x"})

    assert answer.status_code == 422
    assert [e["pointer"] for e in answer.json()["errors"]] == ["{draft_id}", "?limit", "if-match"]


def test_faults_in_the_body_are_told_by_json_pointer_and_quote_nothing() -> None:
    answer = call("PUT", f"/v1/drafts/{DRAFT}", json={"a/b": "Kafka"})

    assert answer.status_code == 422
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/a~1b"]
    assert "Kafka" not in answer.text


def test_a_body_that_fastapi_cannot_read_is_no_json() -> None:
    headers = {"content-type": "application/json"}

    answer = call("PUT", f"/v1/drafts/{DRAFT}", content=b'{"Kafka', headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-json")
    assert "Kafka" not in answer.text


def test_an_address_that_leads_nowhere_is_a_problem_too() -> None:
    answer = call("GET", "/v1/nothing")

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


def test_a_method_that_an_address_does_not_take_is_answered_with_those_it_takes() -> None:
    answer = call("DELETE", f"/v1/drafts/{DRAFT}")

    assert (answer.status_code, answer.json()["type"]) == (405, "/problems/method-not-allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT"}


def test_another_status_of_the_framework_means_no_more_than_itself() -> None:
    answer = call("PUT", f"/v1/drafts/{DRAFT}", json={})

    assert (answer.status_code, answer.json()["type"]) == (418, "about:blank")
    assert answer.json()["detail"] == "A teapot."


def test_what_nobody_foresaw_is_answered_without_its_message() -> None:
    answer = call("POST", "/v1/drafts/boom")

    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")
    assert "Kafka" not in answer.text


@pytest.mark.parametrize("slug", sorted(PAGES))
def test_every_kind_of_problem_has_a_page_in_words(slug: str) -> None:
    page = call("GET", f"/problems/{slug}")

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<h1>{PAGES[slug].title}</h1>" in page.text


def test_a_kind_that_there_is_not_has_no_page() -> None:
    assert call("GET", "/problems/kafka").status_code == 404


def test_the_internal_error_is_one_of_the_kinds_with_a_page() -> None:
    assert PAGES[INTERNAL.slug] is INTERNAL


def test_the_openapi_names_problems_with_their_media_type_and_schema() -> None:
    described = call("GET", "/openapi.json").json()
    responses = described["paths"]["/v1/drafts/{draft_id}"]["get"]["responses"]
    reference = {"$ref": "#/components/schemas/Problem"}

    for status in ("404", "409", "422"):
        assert responses[status]["content"] == {"application/problem+json": {"schema": reference}}
    assert "draft-not-found" in responses["404"]["description"]
    assert "HTTPValidationError" not in json.dumps(described)
    assert set(described["components"]["schemas"]) == {"Problem", "ProblemError"}

"""Problems on FastAPI's side: its exceptions as our answers, their OpenAPI and their pages."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from api.answers import Answer, with_length
from api.problem_documents import no_such_method, no_such_route, plain_problem, problem_bytes
from api.problems import KINDS, MEDIA_TYPE, METHOD_NOT_ALLOWED, NOT_FOUND, PAGES, problems
from api.requests import request_faults
from domain.errors import BadJson, DraftPurged, Invalid, RateExceeded, VariorumError

_INVALID = KINDS[Invalid].status
_RATE_EXCEEDED = KINDS[RateExceeded].status


class ProblemError(BaseModel):
    """One thing wrong with a request."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """A problem document (RFC 9457); the members beyond `detail` depend on the type."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[ProblemError] | None = None
    conflicts: list[dict[str, Any]] | None = None
    conflict: str | None = None
    draft_status: str | None = None
    draft: str | None = None
    version: int | None = None
    last_version: int | None = None
    last_seq: int | None = None
    index: int | None = None
    path: str | None = None
    limit: int | None = None
    accepted: list[str] | None = None
    tombstone: dict[str, Any] | None = None


def install_problems(app: FastAPI) -> None:
    """Answer every error of the app with a problem document, describe it, and serve its page."""
    app.add_exception_handler(VariorumError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_error)
    app.add_api_route("/problems/{slug}", problem_page, include_in_schema=False)
    app.openapi = _with_problems(app.openapi)  # type: ignore[method-assign]


async def problem_page(slug: str, request: Request) -> Response:
    """What a kind of problem means, for a person."""
    if kind := PAGES.get(slug):
        title, meaning = html.escape(kind.title), html.escape(kind.meaning)
        return HTMLResponse(_PAGE.format(title=title, status=kind.status, meaning=meaning))
    return response(no_such_route(_request_id(request)))


async def _on_error(request: Request, error: Exception) -> Response:
    return response(problem_bytes(error, _request_id(request)))


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return await _on_error(request, _as_ours(error))


def _as_ours(error: RequestValidationError) -> VariorumError:
    found = error.errors()
    if any(e["type"] == "json_invalid" for e in found):
        return BadJson("The body is not JSON.")
    return Invalid(request_faults(found, error.body))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return response(_http_answer(error, request))


def _http_answer(error: HTTPException, request: Request) -> Answer:
    request_id = _request_id(request)
    if error.status_code == NOT_FOUND.status:
        return no_such_route(request_id)
    if error.status_code == METHOD_NOT_ALLOWED.status:
        return no_such_method(_allowed(request, error), request_id)
    return plain_problem(error.status_code, str(error.detail), request_id)


def _allowed(request: Request, error: HTTPException) -> str:
    """The methods of the address: the exception knows those of one of its routes only."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    here = [methods for path, methods in paths.items() if _regex(path).match(request.url.path)]
    known = sorted(_with_head({method.upper() for methods in here for method in methods}))
    return ", ".join(known) or (error.headers or {}).get("Allow", "")


def _with_head(methods: set[str]) -> set[str]:
    """HEAD is answered wherever GET is, and stands in no route."""
    return methods | {"HEAD"} if "GET" in methods else methods


@lru_cache
def _regex(path: str) -> re.Pattern[str]:
    return compile_path(path)[0]


def response(answer: Answer) -> Response:
    """A whole answer as Starlette has it."""
    made = Response(answer.body, answer.status)
    made.raw_headers = with_length(answer)
    return made


def _request_id(request: Request) -> str | None:
    state: dict[str, Any] = request.scope.get("state", {})
    return state.get("request_id")


def _with_problems(openapi: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """FastAPI's document with the schema of problems, those that every route has, and our 422."""

    def complete() -> dict[str, Any]:
        document = openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            schemas.update(_schemas())
            _replace_defaults(document)
        return document

    return complete


def _schemas() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Problem": schema}


def _replace_defaults(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _replace_default(operation["responses"])
            operation["responses"].update(_OF_A_DRAFT if "{draft_id}" in path else _EVERYWHERE)
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


_EVERYWHERE = {str(status): answer for status, answer in problems(_RATE_EXCEEDED).items()}
_OF_A_DRAFT = {
    **_EVERYWHERE,
    **{str(status): answer for status, answer in problems(KINDS[DraftPurged].status).items()},
}


def _replace_default(responses: dict[str, Any]) -> None:
    declared = responses.get(str(_INVALID))
    if declared and MEDIA_TYPE not in declared["content"]:
        responses[str(_INVALID)] = problems(_INVALID)[_INVALID]


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<body style="max-width: 40rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.5 sans-serif">
<h1>{title}</h1>
<p>{meaning}</p>
<p>Status {status}</p>
</body>
</html>
"""

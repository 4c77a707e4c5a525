"""The routes of the audit: every change to every draft that somebody may see, and who looked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api.addresses import query_of, to_id
from api.answers import json_answer, place, within
from api.auditing import Asked, Place
from api.drafts import INTEGER, TEXT, TIME
from api.parts import Parts
from api.problems import problems
from api.reading import parse_place
from api.routing import PartsDep, ReaderDep, StrictRoute, parameter, response
from api.tables import CSV, JSON, NDJSON, as_csv, as_ndjson, chosen
from domain.access import Reader, is_auditor, require_person
from domain.errors import Forbidden, Invalid
from projections.audit import COLUMNS, Line
from projections.store.audit import AuditFilter

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=StrictRoute)

PAGE = 50  # lines, if nobody asks for another number
_TEXTS, _TIMES = ("draft", "owner", "by", "path", "act", "q", "cursor"), ("from", "to")
_PARAMETERS: dict[str, type] = {
    **dict.fromkeys(_TEXTS, str),
    **dict.fromkeys(_TIMES, datetime),
    "limit": int,
}


@router.get(
    "",
    responses={
        200: {"description": "The lines, newest first.", "content": {CSV: {}, NDJSON: {}}},
        **problems(401, 403, 422, 503),
    },
    openapi_extra={
        "parameters": [
            *(parameter(name, TEXT) for name in _TEXTS),
            *(parameter(name, TIME) for name in _TIMES),
            parameter("limit", INTEGER),
            parameter("Accept", TEXT, "header"),
        ]
    },
)
async def audit(request: Request, reader: ReaderDep, parts: PartsDep) -> Response:
    """Every change, newest first, in words and values: of all, or of one's own drafts.

    `Accept` chooses a page of JSON, with how many lines there are and of how many drafts, or all of
    them as NDJSON or CSV. A version that changed nothing (shared, labelled, submitted, …) is one
    line. `q` is looked for in titles, the labels of fields, the words of a change and its reason.
    """
    return await _audit(request, reader, parts)


@router.get(
    "/reads",
    responses=problems(401, 403, 422, 503),
    openapi_extra={"parameters": [parameter("cursor", TEXT), parameter("limit", INTEGER)]},
)
async def audit_reads(request: Request, reader: ReaderDep, parts: PartsDep) -> Response:
    """What auditors read, newest first: who, when, which draft or which lines. For auditors."""
    return await _reads(request, reader, parts)


async def _audit(request: Request, reader: Reader, parts: Parts) -> Response:
    require_person(reader)
    kind = chosen(request.headers.get("accept"))
    given = query_of(request.scope["query_string"], _PARAMETERS)
    asked = await _asked(given, parts)
    if kind == JSON:
        limit = _page(given["limit"], parts.limits.page)
        return response(json_answer(await parts.auditing.page(reader, asked, limit), 200, VARY))
    lines = await _begun(parts.auditing.lines(reader, asked))
    body = as_csv(lines, COLUMNS) if kind == CSV else as_ndjson(lines)
    return StreamingResponse(body, media_type=kind, headers=_HEADERS[kind])


async def _reads(request: Request, reader: Reader, parts: Parts) -> Response:
    if not is_auditor(reader):
        raise Forbidden("Who read what as an auditor is shown to auditors.")
    given = query_of(request.scope["query_string"], {"cursor": str, "limit": int})
    limit = _page(given["limit"], parts.limits.page)
    return response(
        json_answer(await parts.reads.page(reader, parse_place(given["cursor"]), limit))
    )


VARY = [(b"vary", b"accept")]
_PLAIN = {"cache-control": "private, no-cache", "vary": "accept"}
_HEADERS = {
    NDJSON: _PLAIN,
    CSV: {**_PLAIN, "content-disposition": 'attachment; filename="variorum-audit.csv"'},
}


async def _asked(given: dict[str, Any], parts: Parts) -> Asked:
    wanted = AuditFilter(
        draft=_draft(given["draft"]),
        owner=await _person(given["owner"], parts),
        by=await _person(given["by"], parts),
        path=given["path"],
        act=given["act"],
        since=given["from"],
        until=given["to"],
    )
    return Asked(wanted, given["q"] or None, _place(given["cursor"]), given["limit"])


def _draft(text: str | None) -> UUID | None:
    if text is None:
        return None
    if (draft := to_id(text)) is None:
        raise Invalid.one("?draft", "Must be the id of a draft.")
    return draft


async def _person(name: str | None, parts: Parts) -> str | None:
    """A person's key; a name that nobody has is as good as any key that nobody has."""
    return name and (await parts.people.key_of(name) or name)


def _place(text: str | None) -> Place | None:
    if text is None:
        return None
    at, draft, version, number = place(text, (str, str, int, int))
    try:
        return datetime.fromisoformat(at), UUID(draft), version, number
    except ValueError:
        raise Invalid.one("?cursor", "Take the cursor from the answer before, as it is.") from None


def _page(limit: int | None, largest: int) -> int:
    return min(PAGE, largest) if limit is None else within(limit, largest)


async def _begun(lines: AsyncIterator[Line]) -> AsyncIterator[Line]:
    """The same lines, with the first one found: what goes wrong until then is still a problem."""
    first = await anext(lines, None)

    async def all_() -> AsyncIterator[Line]:
        if first is not None:
            yield first
            async for line in lines:
                yield line

    return all_()

"""The routes of drafts: open, list, fetch, save, finish."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, StringConstraints

from api import schemas
from api.answers import json_answer, place
from api.edits import read_queue
from api.problems import problems
from api.requests import JSON_PATCH, MERGE_PATCH
from api.routing import (
    SIGNED_IN,
    CallerDep,
    DraftId,
    HotDep,
    PartsDep,
    ReaderDep,
    StrictRequest,
    StrictRoute,
    WishesDep,
    origin_of,
    parameter,
    response,
)
from domain.errors import Invalid
from projections.store.base import DraftFilter

router = APIRouter(prefix="/v1/drafts", tags=["drafts"], route_class=StrictRoute)


def _storable(text: str | None) -> str | None:
    if text and "\0" in text:
        raise ValueError("Text may not hold the character U+0000")
    return text


Text = Annotated[str | None, StringConstraints(max_length=200), AfterValidator(_storable)]
NOTHING, NO_FORK = schemas.Repeatable(), schemas.Fork()
READ = problems(401, 404, 422, 503)
WRITE = problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 503)
EDIT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Edit"}},
            JSON_PATCH: {
                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Operation"}}
            },
            MERGE_PATCH: {"schema": {"type": "object"}},
        },
    }
}


OPEN = {200: {"description": "It was open."}, **WRITE, **problems(410)}


@router.post("", status_code=201, responses=OPEN)
async def open_draft(
    wanted: schemas.Opening, request: Request, caller: CallerDep, parts: PartsDep
) -> Response:
    """Open a draft, or find the one that is open for this form and subject."""
    origin = await origin_of(request, caller, wanted, "open")
    return response(await parts.beginning.open(wanted, origin))


@router.get("", responses=problems(401, 403, 422, 503))
async def list_drafts(
    reader: ReaderDep,
    parts: PartsDep,
    status: Literal["open", "submitted", "discarded", "expired", "trash"] | None = None,
    form: Text = None,
    subject: Text = None,
    q: Text = None,
    template: bool | None = None,
    shared: bool | None = None,
    sort: Literal["saved", "expires", "title"] = "saved",
    cursor: Text = None,
    limit: Annotated[int, Query(ge=1)] = 50,
) -> Response:
    """Own and shared drafts, without their data."""
    if limit > parts.limits.page:
        raise Invalid.one("?limit", f"Must be from 1 to {parts.limits.page}.")
    after = None if cursor is None else _after(cursor)
    wanted = DraftFilter(status, form, subject, q or None, template, shared, sort, after, limit)
    return response(json_answer(await parts.reading.drafts(reader, wanted)))


def _after(cursor: str) -> tuple[str, str]:
    key, draft = place(cursor, (str, str))
    try:
        return key, str(UUID(draft))
    except ValueError:
        raise Invalid.one("?cursor", "Take the cursor from the answer before, as it is.") from None


INTEGER, TIME, TEXT = (
    {"type": "integer", "minimum": 1},
    {"type": "string", "format": "date-time"},
    {"type": "string"},
)
ONE_DRAFT = "/{draft_id}"


@router.get(
    ONE_DRAFT,
    responses={304: {"description": "The caller has this version."}, **READ},
    dependencies=[SIGNED_IN],
    openapi_extra={
        "parameters": [
            parameter("version", INTEGER),
            parameter("at", TIME),
            parameter("If-None-Match", TEXT, "header"),
        ]
    },
)
async def fetch_draft(draft: DraftId, request: Request, hot: HotDep) -> Response:
    """The snapshot now, at a version, or at a moment."""
    return response(await hot.fetch(draft, request.scope, request.receive))


@router.patch(
    ONE_DRAFT,
    responses=WRITE,
    dependencies=[SIGNED_IN],
    openapi_extra={
        **EDIT_BODY,
        "parameters": [
            parameter("based_on", INTEGER),
            parameter("device", TEXT),
            parameter("seq", {"type": "integer", "minimum": 0}),
            parameter("If-Match", TEXT, "header"),
            parameter("Prefer", TEXT, "header"),
        ],
    },
)
async def save_draft(draft: DraftId, request: Request, hot: HotDep) -> Response:
    """Save the fields that changed, merged with anyone else's edits."""
    return response(await hot.save(draft, request.scope, request.receive))


@router.post(ONE_DRAFT + "/edits", responses=WRITE)
async def save_edits(
    draft: DraftId,
    wanted: schemas.Edits,  # noqa: ARG001 - checks the whole queue and shows it in the OpenAPI
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
) -> Response:
    """Save an offline queue, in order; a receipt or a problem for each edit."""
    sent = cast("StrictRequest", request).parsed["edits"]
    edits = await read_queue(parts, sent, caller, request.scope)
    origin = await origin_of(request, caller, NOTHING, "edits")
    return response(json_answer(await parts.saving.edits(draft, edits, origin)))


@router.post(ONE_DRAFT + "/fork", status_code=201, responses=WRITE)
async def fork_draft(
    draft: DraftId,
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
    wanted: schemas.Fork = NO_FORK,
) -> Response:
    """Start a draft of one's own from a version of this one."""
    origin = await origin_of(request, caller, wanted, "fork")
    return response(await parts.beginning.fork(draft, wanted, origin))


@router.post(ONE_DRAFT + "/merge", responses=WRITE)
async def merge_fork(
    draft: DraftId,
    wanted: schemas.Merge,
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
    wishes: WishesDep,
) -> Response:
    """Bring a fork back: what it changed since it was made, or merged last."""
    origin = await origin_of(request, caller, wanted, "merge")
    return response(await parts.saving.merge(draft, wanted, origin, wishes))


@router.post(ONE_DRAFT + "/extend", responses=WRITE)
async def extend_draft(
    draft: DraftId,
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
    wanted: schemas.Repeatable = NOTHING,
) -> Response:
    """Put the expiry off to the full time from now."""
    return response(
        await parts.saving.extend(draft, await origin_of(request, caller, wanted, "extend"))
    )


@router.post(ONE_DRAFT + "/submit", responses=WRITE)
async def submit_draft(
    draft: DraftId,
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
    wishes: WishesDep,
    wanted: schemas.Repeatable = NOTHING,
) -> Response:
    """Finish the draft; the receipt has the final form and its link in the chain, to be kept."""
    origin = await origin_of(request, caller, wanted, "submit")
    return response(await parts.saving.submit(draft, origin, wishes))


@router.delete(ONE_DRAFT, status_code=204, responses=WRITE)
async def discard_draft(
    draft: DraftId, request: Request, caller: CallerDep, parts: PartsDep, wishes: WishesDep
) -> Response:
    """Put the draft in the trash."""
    origin = await origin_of(request, caller, NOTHING, "discard")
    return response(await parts.saving.discard(draft, origin, wishes))


@router.post(ONE_DRAFT + "/recover", responses=WRITE)
async def recover_draft(
    draft: DraftId,
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
    wanted: schemas.Repeatable = NOTHING,
) -> Response:
    """Take the draft out of the trash."""
    return response(
        await parts.saving.recover(draft, await origin_of(request, caller, wanted, "recover"))
    )


@router.put(ONE_DRAFT + "/template", responses=WRITE)
async def make_template(
    draft: DraftId,
    wanted: schemas.Template,
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
) -> Response:
    """Make the draft a template to start from, which never expires, or a draft again."""
    origin = await origin_of(request, caller, wanted, "template")
    return response(await parts.saving.template(draft, origin, on=wanted.on))


@router.post(ONE_DRAFT + "/purge", responses=WRITE)
async def purge_draft(
    draft: DraftId,
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
    wishes: WishesDep,
    wanted: schemas.Repeatable = NOTHING,
) -> Response:
    """End the draft for good; the answer is what is left: a tombstone."""
    origin = await origin_of(request, caller, wanted, "purge")
    return response(json_answer(await parts.ending.purge(draft, origin, wishes.if_match)))

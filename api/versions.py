"""The routes of versions: history, one version, labels, compare, restore, undo."""

from __future__ import annotations

from fastapi import APIRouter, Path, Request, Response

from api import schemas
from api.answers import json_answer
from api.drafts import INTEGER, NOTHING, READ, TEXT, TIME, WRITE
from api.routing import (
    SIGNED_IN,
    CallerDep,
    DraftId,
    HotDep,
    PartsDep,
    ReaderDep,
    StrictRoute,
    WishesDep,
    origin_of,
    parameter,
    response,
)

router = APIRouter(prefix="/v1/drafts/{draft_id}", tags=["versions"], route_class=StrictRoute)

VERSION = Path(ge=1, le=2**53 - 1)


@router.get(
    "/versions",
    responses=READ,
    dependencies=[SIGNED_IN],
    openapi_extra={
        "parameters": [
            *(parameter(name, TEXT) for name in ("by", "path", "device", "act", "cursor")),
            *(parameter(name, TIME) for name in ("from", "to")),
            parameter("grouped", {"type": "boolean"}),
            parameter("limit", INTEGER),
        ]
    },
)
async def list_versions(draft: DraftId, request: Request, hot: HotDep) -> Response:
    """The version history, newest first; `grouped` gives one line per editing session."""
    return response(await hot.versions(draft, request.scope, request.receive))


@router.get("/versions/{version}", responses=READ)
async def fetch_version(
    draft: DraftId, reader: ReaderDep, parts: PartsDep, version: int = VERSION
) -> Response:
    """One version: who, when, on which device, and what it changed."""
    return response(json_answer(await parts.reading.version(draft, reader, version)))


@router.put("/versions/{version}/label", responses=WRITE)
async def label_version(
    draft: DraftId,
    wanted: schemas.Label,
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
    version: int = VERSION,
) -> Response:
    """Name a version."""
    origin = await origin_of(request, caller, wanted, "label")
    return response(await parts.saving.label(draft, version, wanted.label, origin))


@router.delete("/versions/{version}/label", status_code=204, responses=WRITE)
async def unlabel_version(
    draft: DraftId, request: Request, caller: CallerDep, parts: PartsDep, version: int = VERSION
) -> Response:
    """Take a version's name away."""
    origin = await origin_of(request, caller, NOTHING, "unlabel")
    return response(await parts.saving.unlabel(draft, version, origin))


@router.get("/compare/{span}", responses=READ)
async def compare_versions(
    draft: DraftId,
    reader: ReaderDep,
    parts: PartsDep,
    span: str = Path(
        description="Two versions, as `3...7`; `earliest` and `latest` are versions too.",
        pattern=r"^(\d{1,16}|earliest|latest)\.\.\.(\d{1,16}|earliest|latest)$",
    ),
) -> Response:
    """What differs between two versions."""
    start, _, end = span.partition("...")
    return response(json_answer(await parts.reading.compare(draft, reader, start, end)))


@router.post("/restore", responses=WRITE)
async def restore_version(
    draft: DraftId,
    wanted: schemas.Restore,
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
    wishes: WishesDep,
) -> Response:
    """Bring back a version, or some paths of it, as a new version."""
    origin = await origin_of(request, caller, wanted, "restore")
    return response(await parts.saving.restore(draft, wanted, origin, wishes))


@router.post("/undo", responses=WRITE)
async def undo_version(
    draft: DraftId,
    wanted: schemas.Undo,
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
    wishes: WishesDep,
) -> Response:
    """Take one version, or a run of versions, back and keep all later ones."""
    origin = await origin_of(request, caller, wanted, "undo")
    return response(await parts.saving.undo(draft, wanted, origin, wishes))

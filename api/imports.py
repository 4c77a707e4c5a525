"""The route by which a browser hands over the drafts that it kept by itself."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api import schemas
from api.adopting import Adopting
from api.answers import json_answer
from api.problems import problems
from api.routing import CallerDep, StrictRoute, origin_of, response

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=StrictRoute)

IMPORT = problems(400, 401, 403, 413, 415, 422, 503)


@router.post("/local-storage", responses=IMPORT)
async def import_local_storage(
    wanted: schemas.LocalStorage, request: Request, caller: CallerDep
) -> Response:
    """Adopt the drafts that lie in a browser, each once, with a report on each entry."""
    adopting: Adopting = request.app.state.adopting
    sender = schemas.Repeatable(device=wanted.device, reason=wanted.reason)
    origin = await origin_of(request, caller, sender, "import")
    return response(json_answer(await adopting.adopt(wanted.entries, origin)))

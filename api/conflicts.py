"""The routes of conflicts: what clashed, and settling one or several."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api import schemas
from api.answers import json_answer
from api.drafts import READ, WRITE, Text
from api.reading import parse_place
from api.routing import (
    CallerDep,
    DraftId,
    PartsDep,
    ReaderDep,
    StrictRoute,
    WishesDep,
    origin_of,
    response,
)
from domain.choices import Choice
from domain.errors import Invalid
from domain.path import ABSENT

router = APIRouter(
    prefix="/v1/drafts/{draft_id}/conflicts", tags=["conflicts"], route_class=StrictRoute
)


@router.get("", responses=READ)
async def list_conflicts(
    draft: DraftId,
    reader: ReaderDep,
    parts: PartsDep,
    cursor: Text = None,
    limit: Annotated[int, Query(ge=1)] = 50,
) -> Response:
    """The open conflicts, the oldest first, each with every value and whose it is."""
    if limit > parts.limits.page:
        raise Invalid.one("?limit", f"Must be from 1 to {parts.limits.page}.")
    after = parse_place(cursor) or 0
    return response(json_answer(await parts.reading.conflicts(draft, reader, after, limit)))


@router.post("/resolve", responses=WRITE)
async def resolve_conflicts(
    draft: DraftId,
    wanted: schemas.ResolveSeveral,
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
    wishes: WishesDep,
) -> Response:
    """Settle several conflicts, as one version."""
    origin = await origin_of(request, caller, wanted, "resolve")
    choices = {f"/items/{place}": choice_of(one.id, one) for place, one in enumerate(wanted.items)}
    return response(await parts.saving.resolve(draft, choices, wanted, origin, wishes))


@router.post("/{conflict}/resolve", responses=WRITE)
async def resolve_conflict(
    draft: DraftId,
    wanted: schemas.Resolve,
    request: Request,
    caller: CallerDep,
    parts: PartsDep,
    wishes: WishesDep,
    conflict: str = Path(max_length=200),
) -> Response:
    """Settle a conflict: take ours, theirs, the base or another value."""
    origin = await origin_of(request, caller, wanted, "resolve")
    choices = {"": choice_of(conflict, wanted)}
    return response(await parts.saving.resolve(draft, choices, wanted, origin, wishes))


def choice_of(conflict: str, decision: schemas.Decision) -> Choice:
    """The decision as the domain takes it."""
    value = decision.value if decision.take == "value" else ABSENT
    return Choice(conflict, decision.take, decision.which, value)

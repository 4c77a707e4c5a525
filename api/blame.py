"""The routes of blame and lineage: who set each value, and every value that a path had."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from api.addresses import to_id
from api.answers import json_answer, place, within
from api.drafts import READ, Text
from api.routing import DraftId, PartsDep, ReaderDep, StrictRoute, response
from domain.errors import CannotApply, Invalid
from domain.path import parse


def _pointer(path: str) -> str:
    if "\0" in path:
        raise ValueError("Text may not hold the character U+0000")
    try:
        parse(path)
    except CannotApply as misfit:
        raise ValueError(misfit.detail) from None
    return path


def _start(cursor: str | None) -> tuple[UUID, int] | None:
    if cursor is None:
        return None
    draft, version = place(cursor, (str, int))
    if (known := to_id(draft)) is None or not 1 <= version < 2**53:
        raise Invalid.one("?cursor", "Take the cursor from the answer before, as it is.")
    return known, version


router = APIRouter(prefix="/v1/drafts/{draft_id}", tags=["audit"], route_class=StrictRoute)


@router.get("/blame", responses=READ)
async def blame_values(draft: DraftId, reader: ReaderDep, parts: PartsDep) -> Response:
    """Of each value: who set it last, when and by which act, and who first wrote it.

    A value that was restored, undone to, merged from a fork or taken over from a template or
    another draft was first written by whoever wrote it there, as far as the caller may read that.
    """
    return response(json_answer(await parts.blaming.blame(draft, reader)))


@router.get("/lineage", responses=READ)
async def trace_value(
    draft: DraftId,
    reader: ReaderDep,
    parts: PartsDep,
    path: Annotated[str, Query(max_length=2_000), AfterValidator(_pointer)] = "",
    cursor: Text = None,
    limit: Annotated[int, Query(ge=1)] = 50,
) -> Response:
    """Every value that a path had, newest first: who set it, who first wrote it, and until when.

    `path` is a JSON Pointer, in which `id:<id>` names a list item; without it all is about the
    whole form. It goes back into the draft that this one was forked from, or its template, as far
    as the caller may read that.
    """
    page = within(limit, parts.limits.page)
    return response(
        json_answer(await parts.blaming.lineage(draft, reader, path, _start(cursor), page))
    )

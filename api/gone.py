"""The routes by which a caller's system says that something or somebody is gone there."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Request, Response

from api.answers import json_answer
from api.problems import problems
from api.routing import CallerDep, PartsDep, StrictRoute, origin_of, response
from api.schemas import Repeatable
from api.security import Principal
from domain.errors import Forbidden, Invalid

router = APIRouter(prefix="/v1", tags=["gone"], route_class=StrictRoute)

ADMIN = "admin"
NOTHING = Repeatable()
LONGEST = 200  # characters of a name
SUBJECTS = "/v1/subjects/"
ANSWERS = problems(400, 401, 403, 413, 415, 422, 503)


def _admin(caller: CallerDep) -> Principal:
    if ADMIN not in caller.roles:
        raise Forbidden("Only an admin, or an API key with the role admin, may say so.")
    return caller


def _subject(form: str, subject: str, request: Request) -> tuple[str, str]:
    """Form and subject as they were sent: either may hold a slash, written as %2F."""
    raw = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    first, _, second = raw.partition(SUBJECTS)[2].partition("/")
    del form, subject  # cut where the first slash was, which may be one of the form's
    return _name("{form}", unquote(first)), _name("{subject}", unquote(second))


def _user(user: str) -> str:
    return _name("{user}", user)


def _name(where: str, text: str) -> str:
    if not text or len(text) > LONGEST or "\0" in text:
        raise Invalid.one(where, f"Must have 1 to {LONGEST} characters, and no U+0000.")
    return text


AdminDep = Annotated[Principal, Depends(_admin)]


@router.delete("/subjects/{form}/{subject:rest}", responses=ANSWERS)
async def delete_subject(
    caller: AdminDep,
    subject: Annotated[tuple[str, str], Depends(_subject)],
    request: Request,
    parts: PartsDep,
) -> Response:
    """The thing edited is gone: its open drafts, of all owners, go to the trash."""
    origin = await origin_of(request, caller, NOTHING, "withdraw")
    return response(json_answer({"drafts": await parts.ending.withdraw(*subject, origin)}))


@router.delete("/users/{user:rest}", responses=ANSWERS)
async def delete_user(
    caller: AdminDep,
    user: Annotated[str, Depends(_user)],
    request: Request,
    parts: PartsDep,
) -> Response:
    """The person is gone: the drafts are purged, and a pseudonym is left for the name."""
    origin = await origin_of(request, caller, NOTHING, "forget")
    return response(json_answer({"drafts": await parts.ending.forget(user, origin) or 0}))

"""The routes of form definitions, and of what a draft lacks by its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import cursor, json_answer, page, place
from api.drafts import READ, Text
from api.parts import Parts
from api.problems import problems
from api.routing import CallerDep, DraftId, PartsDep, ReaderDep, StrictRoute, response
from api.security import Principal
from domain.errors import Forbidden, Invalid
from domain.form import Form, checked
from projections.forms import Definition, Forms, document

router = APIRouter(prefix="/v1", tags=["forms"], route_class=StrictRoute)

ADMIN = "admin"
PUT = problems(400, 401, 403, 413, 415, 422, 503)


async def _current_forms(request: Request) -> Forms:
    forms: Forms = request.app.state.forms
    await forms.refresh()
    return forms


def _admin(caller: CallerDep) -> Principal:
    if ADMIN not in caller.roles:
        raise Forbidden("Only an admin may define a form; the token must have the role admin.")
    return caller


FormsDep = Annotated[Forms, Depends(_current_forms)]
AdminDep = Annotated[Principal, Depends(_admin)]
ONE_FORM = "/forms/{form:rest}"  # a form's name may have a slash


@router.get("/forms", responses=problems(401, 422, 503))
async def list_forms(
    _: CallerDep,
    parts: PartsDep,
    forms: FormsDep,
    cursor: Text = None,
    limit: Annotated[int, Query(ge=1)] = 50,
) -> Response:
    """The form definitions in force, in the order of the forms' names."""
    return response(json_answer(_listed(forms, cursor, limit, parts.limits.page)))


@router.get(ONE_FORM, responses=READ)
async def fetch_form(_: CallerDep, forms: FormsDep, form: str) -> Response:
    """The definition of a form that is in force, as it was sent or lies in its file."""
    return response(json_answer(document(forms.named(form))))


@router.put(ONE_FORM, responses=PUT)
async def define_form(
    wanted: Form, caller: AdminDep, parts: PartsDep, forms: FormsDep, form: str
) -> Response:
    """Define a form from now on; what happened to its drafts stays as it is."""
    return response(json_answer(await _defined(form, wanted, caller, parts, forms)))


@router.get("/drafts/{draft_id}/completeness", responses=READ)
async def report_completeness(
    draft: DraftId, reader: ReaderDep, parts: PartsDep, forms: FormsDep
) -> Response:
    """What the draft lacks by its form's definition, and the fields that it does not know."""
    return response(json_answer(await parts.reading.completeness(draft, reader, forms)))


def _listed(forms: Forms, after: str | None, limit: int, most: int) -> dict[str, Any]:
    if limit > most:
        raise Invalid.one("?limit", f"Must be from 1 to {most}.")
    start = "" if after is None else place(after, (str,))[0]
    found = forms.listed(start, limit + 1)
    return page([_line(known) for known in found], limit, lambda line: cursor(line["form"]))


def _line(known: Definition) -> Mapping[str, Any]:
    return {"form": known.form.form, "label": known.form.label, "source": known.source}


async def _defined(
    address: str, wanted: Form, caller: Principal, parts: Parts, forms: Forms
) -> dict[str, Any]:
    if wanted.form != address:
        raise Invalid.one("/form", "Must be the form that the address names.")
    by = await parts.people.key_for(caller.sub)
    await forms.put(checked(wanted), by, parts.clock())
    return document(wanted)

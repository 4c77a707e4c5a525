"""The steps of a form in several pages: which one to go on with, and how much is filled in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypedDict

from domain.form import Fields, Form
from domain.value import Data, Json


class StepDone(TypedDict):
    """When and by whom (a key) a step was marked as completed, and in which version."""

    version: int
    at: str
    by: str


@dataclass(frozen=True, slots=True)
class Filled:
    """How many of the fields that a definition names hold something; None if it names none."""

    filled: int | None = None
    fields: int | None = None


def filled(form: Form, data: Data) -> Filled:
    """How much of a form is filled in; a list, and what merges as a whole, is one field.

    >>> form = Form(form="gig", fields={"/title": {}, "/venue/name": {}, "/acts/*/fee": {}})
    >>> filled(form, {"title": "Jazz", "venue": {"name": ""}, "acts": [{"fee": 0}]})
    Filled(filled=2, fields=3)
    """
    if not (known := form.known):
        return Filled()
    return Filled(_held(data, known), form.how_many)


def resume(form: Form, step: str | None, incomplete: Collection[str]) -> str | None:
    """The step to go on with: the recorded one, else the first incomplete one, else the last.

    A recorded step that the definition does not name any more counts only if it names none.
    """
    ids = [one.id for one in form.steps]
    if not ids or step in ids:
        return step
    return next((id_ for id_ in ids if id_ in incomplete), ids[-1])


def unfinished(form: Form, completed: Collection[str]) -> list[str]:
    """The steps that nobody has marked as completed."""
    return [step.id for step in form.steps if step.id not in completed]


def _held(data: Data, known: Fields) -> int:
    found = 0
    for name, below in known.items():
        value = data.get(name)
        if not below:
            found += not _nothing(value)
        elif isinstance(value, dict):
            found += _held(value, below)
    return found


def _nothing(value: Json) -> bool:
    """Whether a value holds nothing that anybody filled in: members alone are nothing."""
    if type(value) is dict:
        return all(map(_nothing, value.values()))
    return value is None or value == "" or value == []

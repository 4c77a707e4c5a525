"""Completeness: what a draft lacks by its form definition, step by step; shown, never enforced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from domain.drift import unknown
from domain.fitting import Allowance, Misfit, TooCostly, misfits
from domain.form import ANY_ITEM, Form, Step
from domain.identity import own_ids
from domain.path import id_token, join, parse
from domain.value import Data, Json
from projections.wording.gaps import lacks
from projections.wording.places import Places

PATIENCE: Final = 1.0  # seconds of work that a report may cost
NO_SCHEMA: Final = "The form's definition says nothing of what a draft needs."
TOO_COSTLY: Final = (
    "The form's definition takes too long to be checked; its author should simplify it."
)

Token = str | int
Tokens = Sequence[Token]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing or does not fit, in words; `step` is where it is filled in."""

    path: str
    label: str
    text: str
    step: str | None


@dataclass(frozen=True, slots=True)
class StepReport:
    """Whether a step lacks nothing; None if that is not known."""

    id: str
    label: str | None
    complete: bool | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A field that the definition does not know."""

    path: str
    label: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """What a draft lacks; where `complete` is None, `detail` says why that is not known."""

    complete: bool | None
    detail: str | None
    gaps: Sequence[Gap]
    steps: Sequence[StepReport]
    unknown: Sequence[Unknown]


def completeness(form: Form, data: Data, patience: float = PATIENCE) -> Completeness:
    """What the data lacks by the form's JSON Schema, and what the definition does not know.

    It takes milliseconds for common forms, and never much longer than `patience` in seconds.
    """
    if form.json_schema is None:
        return _not_known(form, NO_SCHEMA)
    allowance = Allowance(patience)
    try:
        found = misfits(form.json_schema, data, allowance)
        strays = unknown(form, data, allowance)
    except TooCostly:
        return _not_known(form, TOO_COSTLY)
    return _Report(form, data).on(found, strays)


def _not_known(form: Form, why: str) -> Completeness:
    steps = [StepReport(step.id, step.label, None) for step in form.steps]
    return Completeness(None, why, [], steps, [])


class _Report:
    """The report on one draft."""

    def __init__(self, form: Form, data: Data) -> None:
        self._form, self._data = form, data
        self._places = Places(form, data, data)
        self._ids: dict[int, list[str]] = {}

    def on(self, found: Sequence[Misfit], strays: Sequence[Tokens]) -> Completeness:
        """The report on these misfits, and on these places that the definition does not know."""
        gaps = list(dict.fromkeys(map(self._gap, found)))
        lacking = {gap.step for gap in gaps}
        steps = [StepReport(s.id, s.label, s.id not in lacking) for s in self._form.steps]
        seen = [self._unknown(place) for place in strays if not self._hides(place)]
        return Completeness(not gaps, None, gaps, steps, seen)

    def _gap(self, misfit: Misfit) -> Gap:
        place = self._shown(misfit.place)
        path = self._path(place)
        called = self._places.at(path)
        text = lacks(called, misfit.keyword, misfit.wanted)
        return Gap(path, called.label, text, _step_of(self._form.steps, place))

    def _unknown(self, place: Tokens) -> Unknown:
        path = self._path(place)
        return Unknown(path, self._places.at(path).label)

    def _hides(self, place: Tokens) -> bool:
        return len(self._shown(place)) < len(place)

    def _shown(self, place: Tokens) -> Tokens:
        """The place, or the sensitive one that it lies in: what is in that is nobody's business."""
        node = self._form.root
        for depth, token in enumerate(place, 1):
            node = node.below(str(token))
            if node.rule.sensitive:
                return place[:depth]
        return place

    def _path(self, place: Tokens) -> str:
        return join(*self._tokens(place))

    def _tokens(self, place: Tokens) -> Iterator[str]:
        value: Json = self._data
        node = self._form.root
        for token in place:
            yield self._lasting(value, token, node.rule.key)
            value = _below(value, token)
            node = node.below(str(token))

    def _lasting(self, value: Json, token: Token, key: str | None) -> str:
        """An index as the id of the item there, if the list's items have ids."""
        if not isinstance(value, list) or not isinstance(token, int):
            return str(token)
        if id(value) not in self._ids:
            self._ids[id(value)] = own_ids(value, key)[1]
        ids = self._ids[id(value)]
        return id_token(ids[token]) if ids else str(token)


def _below(value: Json, token: Token) -> Json:
    if isinstance(value, list) and isinstance(token, int):
        return value[token]
    return value.get(token) if isinstance(value, dict) else None


def _step_of(steps: Sequence[Step], place: Tokens) -> str | None:
    """The step whose paths lead to a place, or else into it."""
    tokens = tuple(map(str, place))
    paths = [(step.id, parse(path)) for step in steps for path in step.paths]
    inside = (id_ for id_, path in paths if _leads_to(path, tokens))
    return next(inside, next((id_ for id_, path in paths if _leads_to(tokens, path)), None))


def _leads_to(path: Sequence[str], other: Sequence[str]) -> bool:
    met = zip(path, other, strict=False)
    return len(path) <= len(other) and all(a == b or ANY_ITEM in (a, b) for a, b in met)

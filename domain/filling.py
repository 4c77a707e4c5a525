"""Filling a draft that is there already with the data of another opening of its form."""

from __future__ import annotations

from domain.form import Form
from domain.groups import settle
from domain.merge import ABSENT, Merged, clash_at
from domain.path import child
from domain.value import Data, Json, same


def filling(data: Data, given: Data, form: Form) -> Merged:
    """The draft's data with what it lacks of what is given, never what is empty.

    What it holds otherwise clashes, ours being the draft's; fields that belong together come
    together or not at all.
    """
    news = _news(given, form)
    merged = {**data, **{k: v for k, v in news.items() if k not in data}}
    clashes = [
        clash_at(child("", k), ABSENT, data[k], v)
        for k, v in news.items()
        if k in data and not same(data[k], v)
    ]
    for group in form.root.groups:
        merged = settle("", group, ({}, data, news), merged, clashes)
    return Merged(merged, tuple(clashes))


def shares_a_field(data: Data, given: Data, form: Form) -> bool:
    """Whether both have an equal member that is not empty."""
    return any(k in data and same(data[k], v) for k, v in _news(given, form).items())


def holds_nothing(data: Data, form: Form) -> bool:
    """Whether every member is empty."""
    return not _news(data, form)


def _news(given: Data, form: Form) -> Data:
    return {k: v for k, v in given.items() if not _empty(v, form.default(k))}


def _empty(value: Json, default: Json) -> bool:
    return value is None or value in ("", [], {}) or same(value, default)

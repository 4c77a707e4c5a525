"""Filling a draft that is there already with the data of another opening of its form."""

from __future__ import annotations

from domain.form import Form
from domain.value import Data, Json, same


def filling(data: Data, given: Data, form: Form) -> tuple[Data, Data]:
    """What a draft lacks of what is given, and what it holds otherwise; never what is empty."""
    news = {k: v for k, v in given.items() if not _empty(v, form.default(k))}
    lacking = {k: v for k, v in news.items() if k not in data}
    clashing = {k: v for k, v in news.items() if k in data and not same(data[k], v)}
    return lacking, clashing


def shares_a_field(data: Data, given: Data) -> bool:
    """Whether both have an equal member that is not empty."""
    return any(k in data and not _empty(v) and same(data[k], v) for k, v in given.items())


def _empty(value: Json, default: Json = None) -> bool:
    return value is None or value in ("", [], {}) or same(value, default)

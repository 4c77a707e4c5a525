"""A row of the table in which a system before this one kept its drafts, as an opening."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from domain.asked import Import, Opening
from domain.legacy import LONGEST, step_of, steps_of, time_of

COLUMNS: Final = (
    "id",
    "user_id",
    "gig_id",
    "form_data",
    "current_step",
    "completed_steps",
    "last_saved_at",
    "expires_at",
    "created_at",
)
_ROWS: Final = UUID("3d7c1f0e-2f4b-5a6e-8c11-77a0d1c2b3e4")  # the namespace of rows' ids
_RESERVED: Final = ("link:", "key:", "forgotten:")  # begin what no person is called

Parse = Callable[[str], Any]
"""JSON as a draft may hold it; a ValueError says why it is none."""


class Unfit(Exception):
    """A row cannot be taken over; `str()` says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Row:
    """A draft of the older table: whose it is, and when it was saved."""

    id: UUID
    owner: str
    saved_at: datetime
    opening: Opening


def row_of(columns: Mapping[str, Any], table: str, form: str, parse: Parse) -> Row:
    """The row as an opening, by an id made of the row's own, so that it is always the same.

    Raises:
        Unfit: A column holds what no draft can.
    """
    number = name_of(columns)
    draft = uuid5(_ROWS, f"{table}\n{number}")
    saved_at = _time(columns, "last_saved_at") or _time(columns, "created_at")
    if saved_at is None:
        raise Unfit("it has no last_saved_at")
    imported = Import(
        str(draft),
        {"table": table, "row": number},
        expires_at=_time(columns, "expires_at"),
        created_at=_time(columns, "created_at"),
    )
    opening = Opening(
        form,
        _subject(columns),
        _data(columns, parse),
        step_of(columns.get("current_step") or None),
        steps_of(_list(columns.get("completed_steps"), parse)),
        imported=imported,
    )
    return Row(draft, _owner(columns), saved_at, opening)


def name_of(columns: Mapping[str, Any]) -> str:
    """What a row is called.

    Raises:
        Unfit: It has no id.
    """
    if not (number := _text(columns.get("id"))):
        raise Unfit("it has no id")
    return number


def _owner(columns: Mapping[str, Any]) -> str:
    owner = _text(columns.get("user_id"))
    if not owner or len(owner) > LONGEST or owner.startswith(_RESERVED):
        raise Unfit("its user_id names no person")
    return owner


def _subject(columns: Mapping[str, Any]) -> str | None:
    subject = _text(columns.get("gig_id"))
    if len(subject) > LONGEST:
        raise Unfit(f"its gig_id has more than {LONGEST} characters")
    return subject or None


def _data(columns: Mapping[str, Any], parse: Parse) -> dict[str, Any]:
    held = columns.get("form_data")
    try:
        data = parse(held) if isinstance(held, str) else held
    except ValueError as why:
        raise Unfit(f"its form_data cannot be read: {why}") from None
    if not isinstance(data, dict):
        raise Unfit("its form_data is no JSON object")
    return data


def _list(held: Any, parse: Parse) -> Any:
    """A list of any kind: of JSON, or `{a,b}` as PostgreSQL writes its arrays."""
    if not isinstance(held, str) or not held:
        return held
    if held.startswith("{") and held.endswith("}"):
        return next(csv.reader([held[1:-1]]), [])
    try:
        return parse(held)
    except ValueError:
        raise Unfit("its completed_steps are no list") from None


def _time(columns: Mapping[str, Any], name: str) -> datetime | None:
    held = columns.get(name)
    moment = None if held is None or held == "" else time_of(held)
    if moment is None and held not in (None, ""):
        raise Unfit(f"its {name} is no time")
    return moment


def _text(held: Any) -> str:
    """An id as a text; an id may be a number."""
    text = "" if held is None else str(held)
    return text if "\0" not in text else ""

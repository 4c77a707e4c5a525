"""Drafts as a system before this one kept them: entries in a browser, rows of a table.

Of an entry the form's data lie under `form_data` or `formData`; under `data` or `values` if nothing
but bookkeeping stands beside it; else they are the whole entry without its bookkeeping.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from domain.value import Data, Json

SUBJECT: Final = "{subject}"
LONGEST: Final = 200  # characters of a form, a subject or a step
_STEPS: Final = 200

_DATA: Final = ("form_data", "formData")
_DATA_ALONE: Final = ("data", "values")
_STEP: Final = ("current_step", "currentStep")
_COMPLETED: Final = ("completed_steps", "completedSteps")
_SAVED: Final = ("last_saved_at", "lastSavedAt", "lastSaved")
# Beside the data these too are bookkeeping; among the data they may be fields of the form.
_BESIDE: Final = {
    "step": _STEP,
    "saved": (*_SAVED, "saved_at", "savedAt", "timestamp"),
    "more": ("expires_at", "expiresAt", "created_at", "createdAt", "version"),
    "ids": ("id", "user_id", "userId", "gig_id", "gigId"),
}


@dataclass(frozen=True, slots=True)
class KeyPattern:
    """Which keys of a browser hold drafts of a form; `{subject}` stands for the subject."""

    form: str
    expression: re.Pattern[str]

    def subject_of(self, key: str) -> tuple[bool, str | None]:
        """Whether a key is one of these, and the subject that it names, if it names one."""
        found = self.expression.fullmatch(key)
        return found is not None, found.groupdict().get("subject") if found else None


def key_pattern(text: str) -> KeyPattern:
    """A pattern as it is set.

    >>> key_pattern("gig=gig-edit-{subject}").subject_of("gig-edit-42")
    (True, '42')

    Raises:
        ValueError: It is none; the sentence says how one looks.
    """
    form, equals, key = text.partition("=")
    if not (form and equals and key) or len(form) > LONGEST or key.count(SUBJECT) > 1:
        raise ValueError("must be a form and its keys, as gig=gig-edit-{subject}")
    before, named, after = key.partition(SUBJECT)
    subject = f"(?P<subject>.{{1,{LONGEST}}})" if named else ""
    return KeyPattern(form, re.compile(re.escape(before) + subject + re.escape(after), re.DOTALL))


@dataclass(frozen=True, slots=True)
class Place:
    """What a key says: the form, and the subject, None for a new one."""

    form: str
    subject: str | None


def place_of(key: str, patterns: Iterable[KeyPattern]) -> Place | None:
    """What a key says by the first pattern that it is of; None if it holds no draft."""
    for pattern in patterns:
        fits, subject = pattern.subject_of(key)
        if fits:
            return Place(pattern.form, subject)
    return None


@dataclass(frozen=True, slots=True)
class Entry:
    """What was in an entry or a row; `left_out` are its members that are none of a draft's."""

    data: Data
    step: str | None = None
    completed_steps: tuple[str, ...] = ()
    saved_at: datetime | None = None
    left_out: tuple[str, ...] = ()


def entry_of(value: Data) -> Entry:
    """An entry of a browser, read by the rule at the top.

    >>> entry_of({"formData": {"title": "Jazz"}, "currentStep": 2, "mood": "good"})
    Entry(data={'title': 'Jazz'}, step='2', completed_steps=(), saved_at=None, left_out=('mood',))
    """
    beside = {name for names in _BESIDE.values() for name in names} | {"step", *_COMPLETED}
    for name in (*_DATA, *_DATA_ALONE):
        others = [other for other in value if other != name]
        if isinstance(value.get(name), dict) and (name in _DATA or beside.issuperset(others)):
            steps, saved = ("step", *_STEP), _BESIDE["saved"]
            return _entry(value[name], value, steps, saved, [o for o in others if o not in beside])
    own = {*_STEP, *_COMPLETED, *_SAVED}
    return _entry({n: v for n, v in value.items() if n not in own}, value, _STEP, _SAVED, ())


def _entry(
    data: Data,
    beside: Mapping[str, Json],
    steps: Collection[str],
    saved: Collection[str],
    left_out: Sequence[str],
) -> Entry:
    def first(names: Iterable[str]) -> Json:
        return next((beside[name] for name in names if beside.get(name) is not None), None)

    return Entry(
        data,
        step_of(first(steps)),
        steps_of(first(_COMPLETED)),
        time_of(first(saved)),
        tuple(left_out),
    )


def step_of(value: Any) -> str | None:
    """A step as a text: older systems numbered them."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST else None


def steps_of(value: Any) -> tuple[str, ...]:
    """Steps as texts, each once; what is none is left out.

    >>> steps_of([1, "venue", None, 1])
    ('1', 'venue')
    """
    found = map(step_of, value if isinstance(value, list | tuple) else ())
    return tuple(dict.fromkeys(step for step in found if step is not None))[:_STEPS]


def time_of(value: Any) -> datetime | None:
    """A time of an older system, in UTC: RFC 3339, milliseconds since 1970, or none.

    >>> time_of(1772366400000) == time_of("2026-03-01T13:00:00+01:00"), time_of("soon")
    (True, None)
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1_000, UTC)
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None

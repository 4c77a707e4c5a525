"""The drafts page: what a draft's line shows, and what a search looks through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import orjson

from domain.draft import Draft
from domain.event import DraftEvent
from domain.form import Form
from domain.masking import is_sensitive, without_sensitive
from domain.path import find
from domain.steps import filled, resume, unfinished
from domain.title import title_at
from projections.completeness import completeness
from projections.store.records import Resting

SEARCHED = 20_000  # characters of a draft that a search sees, title first
PATIENCE = 0.005  # seconds that looking for the step to go on with may cost


def line_of(draft: Draft, last: DraftEvent | None, form: Form) -> dict[str, Any]:
    """A draft's line, as the store keeps it."""
    much = filled(form, draft.data)
    return {
        "draft": draft.id,
        "owner": draft.owner,
        "form": draft.form,
        "subject": draft.subject,
        "title": _title(draft, form),
        "status": draft.status,
        "template": draft.template,
        "version": draft.version,
        "step": draft.step,
        "completed_steps": orjson.dumps(draft.completed_steps).decode(),
        "conflicts": len(draft.conflicts),
        "created_at": draft.created_on,
        "saved_at": draft.modified_on,
        "saved_by": last.by if last else draft.owner,
        "saved_device": last.device if last else None,
        "expires_at": draft.expires_at,
        "closed_at": draft.closed_at,
        "forked_from": _lineage(draft.forked_from),
        "from_template": _lineage(draft.from_template),
        "filled": much.filled,
        "fields": much.fields,
    }


def _lineage(source: Mapping[str, Any] | None) -> str | None:
    return orjson.dumps(source).decode() if source else None


def _title(draft: Draft, form: Form) -> str | None:
    """The title by the definition in force, if it is nothing sensitive: all see the same line.

    An answer about the draft itself goes by the definition that it was opened with, since nothing
    in that may change without a new version.
    """
    path = title_at(draft.data, form.title or draft.title_path)
    if path is None or (form.root.hides and is_sensitive(form, path)):
        return None
    return cast("str", find(draft.data, path))


def resting_of(draft: Draft, form: Form) -> Resting:
    """What is known of a draft once it is quiet."""
    much = filled(form, draft.data)
    return Resting(
        search_text(draft, form),
        _next_step(draft, form),
        much.filled,
        much.fields,
        _title(draft, form),
    )


def _next_step(draft: Draft, form: Form) -> str | None:
    """The step to go on with; only where none is recorded, the draft is looked through for it."""
    if not form.steps or draft.step in {step.id for step in form.steps}:
        return draft.step
    report = completeness(form, draft.data, PATIENCE)
    incomplete = [step.id for step in report.steps if step.complete is False]
    known = report.complete is not None
    return resume(
        form, draft.step, incomplete if known else unfinished(form, draft.completed_steps)
    )


def search_text(draft: Draft, form: Form) -> str:
    """The texts and numbers of a draft in lower case, a line each, up to a limit.

    Nothing sensitive is among them.
    """
    parts, left = [], SEARCHED
    for part in _scalars([_title(draft, form), without_sensitive(draft.data, form)]):
        parts.append(part[:left].lower())
        if (left := left - len(part) - 1) <= 0:
            break
    return "\n".join(parts)


def _scalars(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)

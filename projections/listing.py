"""The drafts page: what a draft's line shows, and what a search looks through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from domain.draft import Draft, DraftEvent

SEARCHED = 20_000  # characters of a draft that a search sees, title first


def line_of(draft: Draft, last: DraftEvent | None) -> dict[str, Any]:
    """A draft's line, as the store keeps it."""
    return {
        "draft": draft.id,
        "owner": draft.owner,
        "form": draft.form,
        "subject": draft.subject,
        "title": draft.title,
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
        "forked_from": _lineage(draft.forked_from),
        "from_template": _lineage(draft.from_template),
    }


def _lineage(source: Mapping[str, Any] | None) -> str | None:
    return orjson.dumps(source).decode() if source else None


def search_text(draft: Draft) -> str:
    """The texts and numbers of a draft in lower case, a line each, up to a limit."""
    parts, left = [], SEARCHED
    for part in _scalars([draft.title, draft.data]):
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

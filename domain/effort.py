"""How long an edit may take to be decided: a quick look, so that heavy ones go beside the loop."""

from __future__ import annotations

from typing import Final

from domain.draft import Draft
from domain.drafts import Edit
from domain.value import Json

# About 5 ms each, measured on 2 shared cores.
MANY_VERSIONS: Final = 300
"""Versions that the edit's base lies behind: each is turned back and gone over again."""

MUCH_TEXT: Final = 20_000
"""Characters sent in one text: it is compared, and merged, word by word."""

MANY_MEMBERS: Final = 2_000
"""Members and items of a draft that is compared whole."""

MANY_STEPS: Final = 100_000
"""Changes, each of which may have to be looked for among all items."""


def is_heavy(draft: Draft, edit: Edit) -> bool:
    """Whether deciding on the edit is likely to take more than 5 ms."""
    behind = 0 if edit.based_on is None else draft.version - edit.based_on
    if behind > MANY_VERSIONS:
        return True
    compared = behind > 0 or edit.changes is None
    if compared and draft.member_count > MANY_MEMBERS:
        return True
    if edit.changes is None:
        return _longest_text(edit.data or edit.merge_patch) > MUCH_TEXT
    if len(edit.changes) * draft.member_count > MANY_STEPS:
        return True
    return any(_longest_text(change.get("value")) > MUCH_TEXT for change in edit.changes)


def _longest_text(value: Json) -> int:
    if type(value) is str:
        return len(value)
    if type(value) is dict:
        return max(map(_longest_text, value.values()), default=0)
    return max(map(_longest_text, value), default=0) if type(value) is list else 0

"""Heavy edits: seen by a quick look before they are decided, and decided in another process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection, parent_process
from typing import Any, Final

from domain.asked import Edit
from domain.draft import Draft
from domain.drafts import Drafts
from domain.errors import CannotApply
from domain.event import DraftEvent
from domain.path import find
from domain.text import common_end, common_start
from domain.value import Data, Json

# About 5 ms each, measured on 2 shared cores.
MANY_VERSIONS: Final = 300
"""Versions that the edit's base lies behind: each is turned back and gone over again."""

MUCH_TEXT: Final = 20_000
"""Characters of a text that is merged, or of what is new in one that is sent: it goes by words."""

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
    if edit.changes is not None and len(edit.changes) * draft.member_count > MANY_STEPS:
        return True
    return any(
        _longest_text(sent) > MUCH_TEXT and (behind > 0 or _new_beside(sent, held()) > MUCH_TEXT)
        for sent, held in _sent(draft.data, edit)
    )


def _sent(data: Data, edit: Edit) -> Iterable[tuple[Json, Callable[[], Json]]]:
    """Each value that the edit sends, and how to find what the draft holds there."""
    if edit.changes is None:
        return [(edit.data or edit.merge_patch, lambda: data)]
    return [(one.get("value"), partial(_held, data, one["path"])) for one in edit.changes]


def _held(data: Data, path: str) -> Json:
    try:
        return find(data, path)
    except CannotApply:  # the edit will be refused for it
        return None


def is_large(draft: Draft) -> bool:
    """Whether comparing or merging the whole draft is likely to take more than 5 ms."""
    return draft.member_count > MANY_MEMBERS or _longest_text(draft.data) > MUCH_TEXT


@dataclass(frozen=True, slots=True)
class Decided:
    """A command's answer, and the events that it recorded on a copy of the draft."""

    answer: Any
    events: Sequence[DraftEvent]


def decide(command: Callable[[Drafts, Draft], Any], drafts: Drafts, draft: Draft) -> Decided:
    """Run a command on a draft of one's own; raises what it raises."""
    answer = command(drafts, draft)
    return Decided(answer, [e for e in draft.collect_events() if isinstance(e, DraftEvent)])


def live_as_long_as_the_parent() -> None:
    """In a process that decides: end when the service does, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if (parent := parent_process()) is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _new_beside(sent: Json, held: Json) -> int:
    """The most characters that one text differs in from the text that is held in its place.

    Whoever writes a long text saves it every second, and little of it is new.
    """
    if type(sent) is str:
        return _differing(sent, held) if type(held) is str and len(sent) > MUCH_TEXT else 0
    if type(sent) is dict:
        there = held if type(held) is dict else {}
        return max((_new_beside(one, there.get(name)) for name, one in sent.items()), default=0)
    if type(sent) is list and type(held) is list:
        return max(map(_new_beside, sent, held), default=0)
    return 0


def _differing(a: str, b: str) -> int:
    start = common_start(a, b)
    longer = max(len(a), len(b)) - start
    return longer and longer - common_end(a[start:], b[start:])


def _longest_text(value: Json) -> int:
    if type(value) is str:
        return len(value)
    if type(value) is dict:
        return max(map(_longest_text, value.values()), default=0)
    return max(map(_longest_text, value), default=0) if type(value) is list else 0

"""A stored body with later edits laid over it: an old version, without making the draft.

A read of an old version folds eight events on average; as aggregate and events, with all that only
a decision needs, that took twice as long as everything else in the read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from domain import events
from domain.diff import apply
from domain.title import title_of

_KINDS = (events.Edited, events.Merged, events.Restored, events.Undone, events.Resolved)
_PLAIN = frozenset(kind.TOPIC for kind in _KINDS)
"""The topics of events that change data as their `changes` say, and maybe more."""

_MORE = frozenset(
    {"conflicts", "closed", "step", "completed_steps", "expiry_days", "class_version"}
)
"""Members of an event by which it does more than change data, or is of an older release."""


def overlaid(body: bytes, rest: bytes, tail: Sequence[tuple[str, bytes]]) -> bytes | None:
    """The body as it is after some events; None if one of them does more than change data."""
    later = [orjson.loads(state) for topic, state in tail if topic in _PLAIN]
    if len(later) < len(tail) or not all(_MORE.isdisjoint(event) for event in later):
        return None
    shown, more = orjson.loads(body), orjson.loads(rest)
    changes = [change for event in later for change in event["changes"]]
    shown["data"] = apply(changes, shown["data"])
    shown["title"] = title_of(shown["data"], more["title_path"])
    shown["version"] += len(later)
    shown["saved_at"] = later[-1]["timestamp"]
    if not shown["template"]:  # which never expires
        moments = [datetime.fromisoformat(event["timestamp"]) for event in later]
        expiry = max(moments) + timedelta(days=more["expiry_days"])
        was = shown["expires_at"]
        shown["expires_at"] = expiry if was is None else max(datetime.fromisoformat(was), expiry)
    return orjson.dumps(shown, option=orjson.OPT_UTC_Z)

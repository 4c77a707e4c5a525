"""A version as streams tell it: made once for all who may see the same of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from domain.form import Form
from domain.masking import hides_now, hides_past, masked_change, masked_conflict, title_is_sensitive


@dataclass(frozen=True, slots=True)
class Told:
    """What happened, as the history shows it, and the draft without its data as it was then."""

    version: int
    act: str
    status_is_new: bool
    document: Mapping[str, Any]
    outline: Mapping[str, Any]
    form: Form
    _frames: dict[tuple[str, bool], bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """About how many bytes it takes up."""
        return len(self.frame("owner", is_now=True))

    def frame(self, role: str, *, is_now: bool) -> bytes:
        """The event for somebody in this role; `is_now` if no later version is known."""
        if (made := self._frames.get((role, is_now))) is None:
            made = self._frames[role, is_now] = self._made(role, is_now=is_now)
        return made

    def _made(self, role: str, *, is_now: bool) -> bytes:
        shown = outline_for(role, self.outline, self.form, is_now=is_now)
        hidden = hides_past(self.form, role)
        changes = self.document["changes"]
        if hidden:
            new = is_now and not hides_now(self.form, role)
            changes = [_hidden(change, self.form, new=new) for change in changes]
        data = {**self.document, "changes": changes, "draft": shown}
        status = event("status", shown, self.version) if self.status_is_new else b""
        return event("version", data, self.version) + status


def outline_for(
    role: str, outline: Mapping[str, Any], form: Form, *, is_now: bool = True
) -> dict[str, Any]:
    """A draft without its data as somebody in this role sees it."""
    shown = {**outline, "role": role}
    if (hides_now if is_now else hides_past)(form, role):
        shown["conflicts"] = [masked_conflict(one, form) for one in outline["conflicts"]]
        if title_is_sensitive(form):
            shown["title"] = None
    return shown


def event(name: str, data: Any, number: int | None = None) -> bytes:
    """A server-sent event; its id is a version."""
    id_ = b"" if number is None else b"id: %d\n" % number
    body = orjson.dumps(data, option=orjson.OPT_UTC_Z)
    return b"event: %b\n%bdata: %b\n\n" % (name.encode(), id_, body)


def _hidden(change: Mapping[str, Any], form: Form, *, new: bool) -> dict[str, Any]:
    """A change without what was before, and without what is `new` unless it may be seen."""
    shown = masked_change(change, form)
    return {**shown, "after": change["after"]} if new and "after" in change else shown

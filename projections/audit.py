"""The auditors' lines: one for each change, in words and values; of a version without any, one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeAlias

from domain import diff
from domain.event import Beginning, DataEvent, DraftEvent
from domain.form import Form
from domain.masking import is_sensitive, masked, masked_change
from domain.value import Data
from projections.inside import ANYWHERE, Inside, alters_inside, opening
from projections.store.audit import AuditRow
from projections.store.records import Record
from projections.wording import Served, Version, Wording

Line: TypeAlias = dict[str, Any]

COLUMNS: Final = (
    "at",
    "draft",
    "title",
    "owner",
    "form",
    "version",
    "act",
    "by",
    "text",
    "op",
    "path",
    "label",
    "before",
    "after",
    "device",
    "address",
    "request",
    "reason",
    "hash",
)
"""The members of a line, in the order of an export's columns."""

NEAR: Final = 64  # versions between two that are wanted which are rather read than skipped
MOST: Final = 256  # versions that are gone through in one stretch
MANY: Final = 1_000  # changes that are put in words before they are handed on

_NO_CHANGE: Final = {"op": None, "path": None, "label": None, "before": None, "after": None}


@dataclass(frozen=True, slots=True)
class Audited:
    """A version as it stands in the log, the data before it, and what it is called in words.

    `hides`: whether sensitive values are hidden from whoever asks.
    """

    row: AuditRow
    owner: str
    record: Record
    event: DraftEvent
    before: Data
    version: Version
    form: Form
    hides: bool

    def lines(self, path: str | None = None, inside: Inside = ANYWHERE) -> list[Line]:
        """Its lines; with a path only those of changes there or below, or that altered it."""
        about = self._about()
        changes = self.event.changes if isinstance(self.event, DataEvent) else ()
        if not changes:
            is_about = path is None or self._begins_with(path, inside)
            return [{**about, **self._whole()}] if is_about else []
        wording = Wording(self.form, self.before, diff.apply(changes, self.before))
        return [
            {**about, **self._change(change, wording)}
            for change in diff.serve(changes, self.before)
            if path is None or _within(change["path"], path) or alters_inside(change, path, inside)
        ]

    def _begins_with(self, path: str, inside: Inside) -> bool:
        """Whether this is an opening that gave a path its first value."""
        first = self.event.data if isinstance(self.event, Beginning) else None
        return first is not None and alters_inside(opening(first), path, inside)

    def _about(self) -> Line:
        event, row = self.event, self.row
        return dict.fromkeys(COLUMNS) | {
            "at": event.timestamp,
            "draft": row.draft,
            "title": None if self.hides and _title_hides(self.form) else row.title,
            "owner": self.owner,
            "form": row.form,
            "version": row.version,
            "act": event.act,
            "by": self.version.by,
            "device": event.device,
            "address": event.address,
            "request": event.request,
            "reason": event.reason,
            "hash": self.record.hash.hex(),
        }

    def _change(self, change: Served, wording: Wording) -> Line:
        shown = masked_change(change, self.form) if self.hides else change
        return {
            "op": change["op"],
            "path": change["path"],
            "label": wording.label_of(change),
            "before": shown.get("before"),
            "after": shown.get("after"),
            "text": wording.line(self.version, change),
        }

    def _whole(self) -> Line:
        """A version that changed nothing; or the first one, which is about the whole form."""
        if not isinstance(self.event, Beginning) or not (data := self.event.data):
            wording = Wording(self.form, self.before, self.before)
            return {**_NO_CHANGE, "text": wording.headline(self.version)}
        wording = Wording(self.form, {}, data)
        fields = diff.serve(diff.diff({}, data), {})
        named = Version(self.version.act, self.version.by, changes=fields, about=self.version.about)
        return {
            "op": "add",
            "path": "",
            "label": wording.label(""),
            "before": None,
            "after": masked(data, self.form) if self.hides else data,
            "text": wording.headline(named),
        }


def matches(line: Line, q: str) -> bool:
    """Whether a text stands in a line's title, label, words or reason, whatever the case."""
    wanted = q.casefold()
    return any(
        wanted in text.casefold()
        for text in (line["title"], line["label"], line["text"], line["reason"])
        if text is not None
    )


def stretches(versions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of a draft's versions, given in order, that are gone through at once: first and last.

    >>> list(stretches([3, 5, 200, 201]))
    [(3, 5), (200, 201)]
    """
    first = versions[0]
    for one, other in pairwise(versions):
        if other - one > NEAR or other - first >= MOST:
            yield first, one
            first = other
    yield first, versions[-1]


def portions(rows: Sequence[AuditRow]) -> Iterator[list[AuditRow]]:
    """The rows, some at a time, so that those with many changes are not all in memory at once."""
    portion, changes = list[AuditRow](), 0
    for row in rows:
        portion.append(row)
        changes += 1 + (row.paths or "").count("\n")
        if changes >= MANY:
            yield portion
            portion, changes = [], 0
    if portion:
        yield portion


def _within(path: str, wanted: str) -> bool:
    return path == wanted or path.startswith(f"{wanted}/")


def _title_hides(form: Form) -> bool:
    places = ("/title", "/name") if form.title is None else (form.title, "/title", "/name")
    return any(is_sensitive(form, place) for place in places)

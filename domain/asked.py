"""What is asked of drafts, as values: an edit, an opening, versions to take back; and the rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from domain.conflict import Conflict
from domain.form import Form
from domain.identity import Keys
from domain.masking import is_sensitive, with_sensitive_of
from domain.patch import merge_patch, patch
from domain.path import related
from domain.value import Data


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator may set: expiry in days, and how large a draft may grow."""

    expiry_days: int = 30
    max_depth: int = 32
    max_members: int = 10_000


@dataclass(frozen=True, slots=True)
class Edit:
    """What a client sends: `changes` (RFC 6902 operations), the whole `data`, or a `merge_patch`.

    Exactly one of the three is given, or none for an edit of the step alone. `based_on` is the
    version that the client held; without it the changes mean the version now.
    """

    based_on: int | None = None
    changes: Sequence[dict[str, Any]] | None = None
    data: Data | None = None
    merge_patch: Data | None = None
    step: str | None = None
    completed_steps: Sequence[str] | None = None
    if_match: Collection[int] | None = None
    on_conflict: Literal["keep", "reject"] = "keep"
    on_closed: Literal["reject", "fork"] = "reject"

    def applied_to(self, base: Data, keys: Keys | None = None) -> Data:
        """The data as the client sees it: the edit over its base.

        Raises:
            CannotApply: A change does not fit the base.
        """
        if self.changes is not None:
            return patch(base, self.changes, keys)
        if self.merge_patch is not None:
            return merge_patch(base, self.merge_patch)
        return base if self.data is None else self.data


@dataclass(frozen=True, slots=True)
class Step:
    """Some versions to take back: the data and the open conflicts before and after them."""

    version: int
    through: int
    before: Data
    after: Data
    conflicts_before: Sequence[Conflict] = ()
    conflicts_after: Sequence[Conflict] = ()

    def without_sensitive(self, form: Form) -> Step:
        """The step as if the versions had left every sensitive place as it was."""
        before, after = (
            [c for c in side if not any(is_sensitive(form, path) for path in c["paths"])]
            for side in (self.conflicts_before, self.conflicts_after)
        )
        kept = with_sensitive_of(self.after, self.before, form)
        return replace(self, before=kept, conflicts_before=before, conflicts_after=after)

    def within(self, paths: Sequence[str] | None) -> tuple[Sequence[Conflict], Sequence[Conflict]]:
        """The conflicts before and after, of these paths only, if any are given."""
        if paths is None:
            return self.conflicts_before, self.conflicts_after
        before, after = (
            [c for c in side if any(related(p, q) for p in c["paths"] for q in paths)]
            for side in (self.conflicts_before, self.conflicts_after)
        )
        return before, after


@dataclass(frozen=True, slots=True)
class Import:
    """What an opening was taken from: `id` tells it apart, `source` says to people what it was.

    Of a row of a table, `expires_at` and `created_at` are as they were there.
    """

    id: str
    source: Mapping[str, Any]
    expires_at: datetime | None = None
    created_at: datetime | None = None

    def told(self) -> dict[str, Any]:
        """As an event says it."""
        return {"id": self.id, **self.source}


@dataclass(frozen=True, slots=True)
class Opening:
    """What a client sends to open a draft."""

    form: str
    subject: str | None = None
    data: Data = field(default_factory=dict)
    step: str | None = None
    completed_steps: Sequence[str] = ()
    from_template: Mapping[str, Any] | None = None  # the template's id and version
    imported: Import | None = None

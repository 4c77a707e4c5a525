"""Makes every read model anew from the log, draft by draft, while the service runs.

What: each draft's version rows, whole states and line are replaced in one transaction.
Why: readers see the old rows or the new ones, never half of them; it can be stopped and begun
again. Else considered: filling a second set of tables and swapping them, which needs rights over
the schema that the service's login must not have, and room for everything twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from domain.draft import Draft
from domain.errors import Unavailable
from domain.event import DraftEvent
from domain.form import Definitions, undefined
from projections.listing import line_of, resting_of
from projections.snapshot import kept_every, state_of
from projections.store.base import Store
from projections.store.records import Record, Resting, State, VersionRow, to_row

log = logging.getLogger("variorum.rebuild")

CHUNK = 1_000  # events read at once
PAGE = 500  # drafts listed at once


@dataclass(slots=True)
class Rebuilt:
    """All rows of one draft's read models, up to its version when it was read."""

    draft: UUID
    head: int = 0
    rows: list[tuple[Record, VersionRow]] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)
    states: list[State] = field(default_factory=list)
    resting: State | None = None
    quiet: Resting = Resting()  # noqa: RUF009 - frozen
    line: dict[str, Any] = field(default_factory=dict)


async def rebuild(
    store: Store,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    *,
    forms: Definitions = undefined,
) -> int:
    """Rebuild everything; answers how many drafts there were. `progress` gets done and total."""
    total, done, last = await store.log.count_drafts(), 0, UUID(int=0)
    while drafts := await store.log.draft_ids(last, PAGE):
        for draft in drafts:
            await _rebuild_one(store, draft, forms)
            progress(done := done + 1, total)
        last = drafts[-1]
    await store.read_models.remove_strays()
    return done


async def _rebuild_one(store: Store, draft: UUID, forms: Definitions) -> None:
    """A draft whose log cannot be read keeps the rows that it has, and stays set aside."""
    try:
        await store.read_models.replace(await read_again(store, draft, forms))
    except Unavailable:
        raise
    except Exception as problem:
        log.error("draft %s cannot be rebuilt: %s", draft, type(problem).__name__)


async def read_again(store: Store, draft: UUID, forms: Definitions = undefined) -> Rebuilt:
    """A draft's read models, from its first event on."""
    rebuilt = Rebuilt(draft)
    folding = Folding(rebuilt)
    while records := await store.events(draft, rebuilt.head, rebuilt.head + CHUNK):
        folding.take(records)
    folding.finish(forms)
    return rebuilt


class Folding:
    """Goes through a draft's events once and collects the rows."""

    def __init__(self, rebuilt: Rebuilt) -> None:
        self._rebuilt = rebuilt
        self._draft: Draft | None = None
        self._last: tuple[DraftEvent, Record] | None = None
        self._kept, self._size = 0, 0

    def take(self, records: Sequence[Record]) -> None:
        """The next events."""
        for record in records:
            event = record.event()
            self._draft = event.mutate(self._draft)
            self._last = event, record
            self._rebuilt.rows.append((record, to_row(event)))
            self._rebuilt.head = record.version
            self._keep(record)

    def _keep(self, record: Record) -> None:
        if record.version - self._kept >= kept_every(self._size):
            assert self._draft is not None
            state = state_of(self._draft, record.hash)
            self._kept, self._size = state.version, len(state.body)
            self._rebuilt.states.append(state)

    def finish(self, forms: Definitions) -> None:
        """The rows that show the draft as it is now."""
        if self._draft is None or self._last is None:
            return
        event, record = self._last
        if self._kept != record.version:
            self._rebuilt.resting = state_of(self._draft, record.hash, resting=True)
        self._rebuilt.labels = self._draft.labels
        form = forms(self._draft.form)
        self._rebuilt.line = line_of(self._draft, event, form)
        self._rebuilt.quiet = resting_of(self._draft, form)

"""Takes the rows of an older table of drafts over, each as a draft of one version; safe to repeat.

A row becomes a draft whose first version was imported when the row was saved last. Its id is made
of the row's own: a row that was taken over is left alone, whatever became of it here or there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import jiter

from domain.chain import FIRST, Chain
from domain.draft import Draft
from domain.drafts import Drafts
from domain.errors import BadInput
from domain.event import DraftEvent
from domain.origin import Origin
from domain.rows import COLUMNS, Row, Unfit, name_of, row_of
from domain.value import find_fault
from projections.store.base import Store
from projections.store.records import (
    Committed,
    Group,
    Outcome,
    Taken,
    to_record,
    to_registers,
    to_row,
)
from projections.verify import Progress, Tell

_DEEPEST = 128


class Rows(Protocol):
    """Where the rows are."""

    async def count(self) -> int:
        """How many there are."""

    def read(self) -> AsyncIterator[Mapping[str, Any]]:
        """Each row, as its columns by their names."""


@dataclass(slots=True)
class Taking:
    """How rows become drafts here: of which form, for whom, by which rules."""

    table: str
    form: str
    drafts: Drafts
    chain: Chain
    key_for: Callable[[str], Awaitable[str]]
    now: datetime


@dataclass(slots=True)
class RowsImported:
    """What became of the rows; those `beside` are new too, beside an open draft."""

    new: int = 0
    beside: int = 0
    known: int = 0
    refused: int = 0
    left_out: tuple[str, ...] = ()


async def import_rows(
    store: Store, rows: Rows, how: Taking, tell: Tell, progress: Progress
) -> RowsImported:
    """Take over every row that can be; `tell` gets a sentence for each that cannot."""
    total, done, imported = await rows.count(), 0, RowsImported()
    async for columns in rows.read():
        imported.left_out = imported.left_out or tuple(filter(_is_strange, columns))
        try:
            row = row_of(columns, how.table, how.form, _parse)
            await _Importing(store, how, row, imported, tell).take()
        except (Unfit, BadInput) as why:
            imported.refused += 1
            tell(f"{_called(columns, done + 1)} is left: {str(why).rstrip('.')}")
        progress(done := done + 1, total)
    return imported


@dataclass(slots=True)
class _Importing:
    """One row on its way into a draft."""

    store: Store
    how: Taking
    row: Row
    imported: RowsImported
    tell: Tell

    async def take(self) -> None:
        """Add the draft, if it is not there yet.

        Raises:
            Unfit: It was purged here, or holds what no draft may.
        """
        if await self.store.imported_as(self.row.id) is not None:
            self.imported.known += 1
            return
        by = await self.how.key_for(self.row.owner)
        outcome = await self._add(by, slot=True)
        if isinstance(outcome, Taken):
            holder = outcome.drafts[0]
            outcome = await self._add(by, slot=False)
            self.imported.beside += 1
            self.tell(f"row {self._name} stands beside draft {holder}, open for the same subject")
        if not isinstance(outcome, Committed):
            raise Unfit("its draft was purged here")
        self.imported.new += 1

    @property
    def _name(self) -> str:
        assert self.row.opening.imported is not None
        return str(self.row.opening.imported.source["row"])

    async def _add(self, by: str, *, slot: bool) -> Outcome:
        opening = replace(self.row.opening, data=_sound(self.row.opening.data))
        origin = Origin(by, min(self.row.saved_at, self.how.now))
        draft = self.how.drafts.open(opening, origin, slot=slot, new=self.row.id)
        return await self.store.save(_group(draft, self.how.chain))


def _group(draft: Draft, chain: Chain) -> Group:
    (event,) = draft.collect_events()
    assert isinstance(event, DraftEvent)
    return Group(
        seen={draft.id: 0},
        records=[to_record(event, chain, FIRST)],
        rows=[to_row(event)],
        registers=to_registers(event, draft),
    )


def _is_strange(name: str | None) -> bool:
    """Whether a column is none that we know; what is over in a line of CSV has no name."""
    return name is not None and name not in COLUMNS


def _called(columns: Mapping[str, Any], number: int) -> str:
    try:
        return f"row {name_of(columns)}"
    except Unfit:
        return f"the row at place {number}"


def _parse(text: str) -> Any:
    return jiter.from_json(text.encode(), catch_duplicate_keys=True, allow_inf_nan=False)


def _sound(data: dict[str, Any]) -> dict[str, Any]:
    """The data, if a draft may hold them.

    Raises:
        Unfit: A value cannot be kept; it is named by its pointer.
    """
    if (fault := find_fault(data, max_depth=_DEEPEST)) is not None:
        raise Unfit(f"its form_data has, at {fault[0] or '/'}, {fault[1]}")
    return data

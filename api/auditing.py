"""The audit: lines of changes over many drafts, found by the thin rows and made out of the log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from api.answers import cursor
from api.people import People
from api.reading import Reading
from domain.access import Reader, is_auditor
from domain.event import Beginning
from domain.masking import hides_past
from projections.audit import Audited, Line, matches, portions, stretches
from projections.catch_up import CatchUp
from projections.forms import Forms
from projections.inside import inside_of
from projections.snapshot import fold
from projections.store.audit import AuditFilter, AuditRow
from projections.store.base import Store
from projections.turns import Turns

ROWS = 256  # versions found at once
SEARCHED = 1_000  # versions that a page looks through for a text: a fraction of a second

Place: TypeAlias = tuple[datetime, UUID, int, int]
"""Where a list goes on: a time, draft and version, and how many of its lines were given."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an audit is asked for: the versions, a text, and where to go on."""

    wanted: AuditFilter
    q: str | None = None
    place: Place | None = None
    limit: int | None = None

    def takes(self, line: Line) -> bool:
        """Whether a line is one of those asked for."""
        return self.q is None or matches(line, self.q)

    def is_given(self, row: AuditRow, number: int) -> bool:
        """Whether an earlier page had this line of a version."""
        return self.place is not None and (_key(row) == self.place[:3] and number < self.place[3])


class Auditing:
    """Finds and words the lines that somebody may see."""

    def __init__(
        self,
        store: Store,
        people: People,
        catch_up: CatchUp,
        reading: Reading,
        forms: Forms,
    ) -> None:
        self._store, self._people, self._catch_up = store, people, catch_up
        self._reading, self._forms = reading, forms

    async def page(self, reader: Reader, asked: Asked, limit: int) -> dict[str, Any]:
        """A page of lines, newest first, with how many there are and of how many drafts.

        A text is looked for in so many versions at a time: where there are more, a page may have
        fewer lines than asked for and yet a next one, and the totals are null.
        """
        await self._catch_up.level()
        asked = self._narrowed(reader, asked)
        items, following = await self._some(reader, asked, limit)
        total, drafts = await self._total(reader, asked)
        next_cursor = following and cursor(
            following[0].isoformat(), str(following[1]), *following[2:]
        )
        return {"items": items, "next_cursor": next_cursor, "total": total, "drafts": drafts}

    async def lines(self, reader: Reader, asked: Asked) -> AsyncIterator[Line]:
        """All lines, newest first, one after the other: no more than some are ever in memory."""
        await self._catch_up.level()
        asked = self._narrowed(reader, asked)
        given = 0
        async for row, lines in self._found(reader, asked):
            for number, line in enumerate(lines):
                if asked.takes(line) and not asked.is_given(row, number):
                    yield line
                    given += 1
                    if given == asked.limit:
                        return

    async def _some(
        self, reader: Reader, asked: Asked, limit: int
    ) -> tuple[list[Line], Place | None]:
        items, looked = list[Line](), 0
        async for row, lines in self._found(reader, asked):
            if asked.q is not None and looked == SEARCHED:
                return items, (*_key(row), 0)
            for number, line in enumerate(lines):
                if asked.takes(line) and not asked.is_given(row, number):
                    if len(items) == limit:
                        return items, (*_key(row), number)
                    items.append(line)
            looked += 1
        return items, None

    async def _total(self, reader: Reader, asked: Asked) -> tuple[int | None, int | None]:
        if asked.q is None:
            return await self._store.audit.total(reader, asked.wanted)
        count, drafts, looked = 0, set[UUID](), 0
        async for row, lines in self._found(reader, replace(asked, place=None)):
            if (looked := looked + 1) > SEARCHED:
                return None, None
            if taken := sum(map(asked.takes, lines)):
                count += taken
                drafts.add(row.draft)
        return count, len(drafts)

    # -- the steps

    def _narrowed(self, reader: Reader, asked: Asked) -> Asked:
        """What is asked, with how its path may be looked for: owners may look into their own."""
        wanted = asked.wanted
        if wanted.path is None:
            return asked
        forms = self._forms.every()
        inside = inside_of(forms, wanted.path, hides=is_auditor(reader))
        return replace(asked, wanted=replace(wanted, inside=inside))

    async def _found(
        self, reader: Reader, asked: Asked
    ) -> AsyncIterator[tuple[AuditRow, list[Line]]]:
        """The versions, newest first, each with its lines."""
        upto = None if asked.place is None else asked.place[:3]
        while True:
            wanted = replace(asked.wanted, upto=upto, limit=ROWS + 1)
            rows = await self._store.audit.found(reader, wanted)
            for portion in portions(rows[:ROWS]):
                made = await self._worded(reader, portion, asked.wanted)
                for row in portion:
                    yield row, made.get((row.draft, row.version), [])
            if len(rows) <= ROWS:
                return
            upto = _key(rows[ROWS])

    async def _worded(
        self, reader: Reader, rows: Sequence[AuditRow], wanted: AuditFilter
    ) -> dict[tuple[UUID, int], list[Line]]:
        """The lines of these versions; of what was purged meanwhile, none."""
        by_draft = dict[UUID, dict[int, AuditRow]]()
        for row in rows:
            by_draft.setdefault(row.draft, {})[row.version] = row
        owners = await self._people.subs_of({row.owner for row in rows})
        made, turns = dict[tuple[UUID, int], list[Line]](), Turns()
        for own in by_draft.values():
            for first, last in stretches(sorted(own)):
                async for audited in self._stretch(reader, own, owners, first, last):
                    lines = audited.lines(wanted.path, wanted.inside)
                    made[audited.record.draft, audited.record.version] = lines
                    await turns.pause()
        return made

    async def _stretch(
        self,
        reader: Reader,
        rows: dict[int, AuditRow],
        owners: Any,
        first: int,
        last: int,
    ) -> AsyncIterator[Audited]:
        """Those of a draft's versions that are wanted, from the first to the last."""
        draft = rows[first].draft
        read = await self._store.read(reader, draft, max(first - 1, 1))
        if read is None:
            return
        earlier: Any = fold(draft, read)
        form = self._forms.of(earlier.form)
        hides = hides_past(form, read.role)
        for record in await self._store.span(reader, draft, first - 1, last):
            event = record.event()
            if (row := rows.get(record.version)) is not None:
                _, version = await self._reading.seen(event, earlier)
                before = {} if isinstance(event, Beginning) else earlier.data
                owner = owners[row.owner]
                yield Audited(row, owner, record, event, before, version, form, hides)
            if not isinstance(event, Beginning):
                earlier = event.mutate(earlier)


def _key(row: AuditRow) -> tuple[datetime, UUID, int]:
    return row.at, row.draft, row.version

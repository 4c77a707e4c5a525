"""Blame and lineage as answers: who set each value and who first wrote it, with names and words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from api.answers import cursor
from api.people import People
from domain.access import Reader
from domain.errors import DraftNotFound
from domain.form import Form
from domain.masking import hides_past, masked
from projections.lineage import Held
from projections.provenance import Sought, Writing
from projections.snapshot import body_at
from projections.store.base import Store
from projections.store.records import Reading
from projections.tracing import Tracing
from projections.turns import Turns
from projections.wording import By, Wording


class Blaming:
    """Answers who wrote what."""

    def __init__(self, store: Store, people: People, forms: Callable[[str], Form]) -> None:
        self._store, self._people, self._forms = store, people, forms

    async def blame(self, draft: UUID, reader: Reader) -> dict[str, Any]:
        """Every value of a draft: who set it last, when, by which act, and who first wrote it."""
        read, told = await self._told(draft, reader)
        found = await Tracing(self._store, reader).blame(draft, read, told.form.keys)
        names = await self._names(w for one in found for w in (one.last, one.first))
        paths, turns = list[dict[str, Any]](), Turns()
        for sought in found:
            if sought.last is not None:  # else the draft is gone meanwhile
                paths.append(told.blame(sought, names))
                await turns.pause()
        return {"id": draft, "version": read.head, "paths": paths}

    async def lineage(
        self, draft: UUID, reader: Reader, path: str, start: tuple[UUID, int] | None, limit: int
    ) -> dict[str, Any]:
        """Every value that a path had, newest first, back into the drafts that it came from.

        `start` is the draft and version of the last value that was shown before.
        """
        _, told = await self._told(draft, reader)
        where, version = start or (draft, None)
        again = int(start is not None)  # the last one is found once more
        tracing = Tracing(self._store, reader)
        found = await tracing.lineage(where, version, path, told.form.keys, limit + again + 1)
        held = found[again:]
        names = await self._names(w for h in held for w in (h.since, h.sought.first, h.until))
        hidden = {
            h.since.draft for h in held if await self._hides(h.since.draft, reader, told.form)
        }
        items = [told.held(h, names, hides=h.since.draft in hidden) for h in held[:limit]]
        last = held[limit - 1].since if len(held) > limit else None
        return {
            "id": draft,
            "path": path,
            "items": items,
            "next_cursor": last and cursor(str(last.draft), last.version),
        }

    async def _told(self, draft: UUID, reader: Reader) -> tuple[Reading, _Told]:
        read = await self._store.read(reader, draft)
        if read is None:
            raise DraftNotFound
        now = orjson.loads(body_at(draft, read))
        form = self._forms(now["form"])
        wording = Wording(form, now["data"], now["data"])
        return read, _Told(draft, form, wording, hides_past(form, read.role))

    async def _hides(self, draft: UUID, reader: Reader, form: Form) -> bool:
        """Whether past values of a draft are hidden from the reader."""
        role = await self._store.role(reader, draft)
        return role is None or hides_past(form, role)

    async def _names(self, writings: Iterable[Writing | None]) -> Mapping[str, str]:
        return await self._people.subs_of({one.by for one in writings if one is not None})


@dataclass(frozen=True, slots=True)
class _Told:
    """How the values of one draft are told of."""

    draft: UUID
    form: Form
    wording: Wording
    hides: bool

    def blame(self, sought: Sought, names: Mapping[str, str]) -> dict[str, Any]:
        return self._value(sought, names, hides=self.hides) | self._words(sought, names)

    def held(self, held: Held, names: Mapping[str, str], *, hides: bool) -> dict[str, Any]:
        shown = self._value(held.sought, names, hides=hides)
        until = None if held.until is None else _writing(held.until, names)
        return {**shown, "until": until, **self._words(held.sought, names, held.until)}

    def _value(self, sought: Sought, names: Mapping[str, str], *, hides: bool) -> dict[str, Any]:
        assert sought.last is not None
        assert sought.first is not None
        value = masked(sought.value, self.form, sought.path) if hides else sought.value
        return {
            "path": sought.path,
            "value": value,
            **_writing(sought.last, names),
            "first": _writing(sought.first, names),
        }

    def _words(
        self, sought: Sought, names: Mapping[str, str], until: Writing | None = None
    ) -> dict[str, str]:
        assert sought.last is not None
        assert sought.first is not None
        said = (self._by(sought.last, names), self._by(sought.first, names))
        ended = None if until is None else self._by(until, names)
        return {
            "label": self.wording.label(sought.path),
            "text": self.wording.blame(sought.path, *said, ended),
        }

    def _by(self, writing: Writing, names: Mapping[str, str]) -> By:
        return By(names[writing.by], writing.version, writing.draft != self.draft)


def _writing(writing: Writing, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "draft": writing.draft,
        "version": writing.version,
        "act": writing.act,
        "by": names[writing.by],
        "at": writing.at,
        "device": writing.device,
    }

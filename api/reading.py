"""Every read of the contract, for one principal."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from api.answers import Answer, cursor, draft_answer, page, place
from api.people import NOBODY, People
from api.summaries import completeness_answer, summary
from api.telling import (
    conflicts_in_words,
    difference_in_words,
    sessions_in_words,
    version_in_words,
)
from domain import access, diff, events
from domain.access import LINK, Reader, is_link, may
from domain.draft import Draft
from domain.errors import DraftNotFound, VersionNotFound
from domain.event import Beginning, DataEvent, DraftEvent
from domain.form import Form
from domain.masking import hides_now, hides_past, masked_change, masked_conflict
from projections.catch_up import CatchUp
from projections.completeness import completeness
from projections.forms import Forms
from projections.inside import inside_of
from projections.snapshot import body_at, conflicts_of, fold, form_of, masked_body
from projections.store.base import DraftFilter, Store, VersionFilter, VersionLine
from projections.store.records import Reading as Row
from projections.wording import Version


class Reading:
    """The reads of the API."""

    def __init__(
        self, store: Store, people: People, catch_up: CatchUp, forms: Callable[[str], Form]
    ) -> None:
        self._store, self._people, self._catch_up = store, people, catch_up
        self._forms = forms

    async def draft(
        self, draft: UUID, by: Reader, version: int | None = None, at: datetime | None = None
    ) -> Answer:
        """The snapshot now, at a version, or at a moment."""
        if at is not None:
            version = await self._version_at(draft, by, at)
        row = await self._row(draft, by, version)
        body = self._shown(body_at(draft, row), row.role, past=version not in (None, row.head))
        return draft_answer(await self._people.served(body, row.role), version or row.head)

    def _shown(self, body: bytes, role: str, *, past: bool = False) -> bytes:
        """A body without what is hidden from a role; the ready bytes for whoever sees it all."""
        if may(role, "manage" if past else "write"):
            return body
        form = self._forms(form_of(body))
        return masked_body(body, form) if form.root.hides else body

    async def versions(
        self, draft: UUID, by: Reader, wanted: VersionFilter, *, grouped: bool
    ) -> dict[str, Any]:
        """A page of the version history, newest first; `grouped` by editing session."""
        wanted = await self._by_principal(wanted)
        if wanted.path is not None:
            wanted = await self._narrowed(draft, by, wanted, wanted.path)
        if grouped:
            found = await self._sessions(draft, by, wanted)
        else:
            lines = await self._store.versions(by, draft, _one_more(wanted))
            names = await self._people.subs_of({line[2] for line in lines})
            found = page(
                [_line(line, names) for line in lines], wanted.limit, lambda v: cursor(v["version"])
            )
        if not found["items"]:
            await self._row(draft, by, 1)
        return found

    async def _by_principal(self, wanted: VersionFilter) -> VersionFilter:
        """The filter with the principal behind the name that it asks for."""
        if wanted.by is None:
            return wanted
        return replace(wanted, by=await self._people.key_of(wanted.by) or NOBODY)

    async def _narrowed(
        self, draft: UUID, by: Reader, wanted: VersionFilter, path: str
    ) -> VersionFilter:
        """The filter with how its path may be looked for, by the draft's form."""
        row = await self._row(draft, by, None)
        form = self._forms(form_of(body_at(draft, row)))
        return replace(wanted, inside=inside_of([form], path, hides=hides_past(form, row.role)))

    async def _sessions(self, draft: UUID, by: str, wanted: VersionFilter) -> dict[str, Any]:
        spells = await self._store.sessions(by, draft, _one_more(wanted))
        if not spells:
            return page([], wanted.limit, None)
        now = orjson.loads(body_at(draft, await self._row(draft, by, None)))
        names = await self._people.subs_of({spell["by"] for spell in spells})
        named = [{**spell, "by": names[spell["by"]]} for spell in spells]
        lines = await to_thread(sessions_in_words, self._forms(now["form"]), now["data"], named)
        return page(lines, wanted.limit, lambda line: cursor(line["to"]))

    async def version(self, draft: UUID, by: Reader, version: int) -> dict[str, Any]:
        """One version: who, when, act, device, and what it changed, in words and values."""
        row = await self._row(draft, by, max(version - 1, 1), wanted=version)
        record = await self._store.event(by, draft, version)
        if record is None:
            raise VersionNotFound(version, row.head)
        earlier = fold(draft, row)
        said, form = await self.told(record.event(), earlier), self._forms(earlier.form)
        if hides_past(form, row.role):
            said["changes"] = [masked_change(change, form) for change in said["changes"]]
        return {**said, "label": await self._store.label_of(by, draft, version)}

    async def told(self, event: DraftEvent, earlier: Draft) -> dict[str, Any]:
        """What somebody did to the draft as it was, in words and values.

        To the first event belongs the draft that it made: there was none before.
        """
        about, named = await self.seen(event, earlier)
        said = await to_thread(
            version_in_words,
            self._forms(earlier.form),
            {} if isinstance(event, Beginning) else earlier.data,
            _changes(event),
            event.originator_version,
            named,
        )
        return {**about, **said}

    async def compare(self, draft: UUID, by: Reader, start: str, end: str) -> dict[str, Any]:
        """What differs between two versions."""
        row = await self._row(draft, by, 1)
        head, role = row.head, row.role
        first, second = (_number(text, head) for text in (start, end))
        before = fold(draft, await self._row(draft, by, first))
        after = fold(draft, await self._row(draft, by, second))
        form = self._forms(after.form)
        changes = await to_thread(difference_in_words, form, before.data, after.data)
        if hides_past(form, role):
            changes = [masked_change(change, form) for change in changes]
        return {"from": first, "to": second, "changes": changes}

    async def conflicts(self, draft: UUID, by: Reader, after: int, limit: int) -> dict[str, Any]:
        """A page of the open conflicts, the oldest first."""
        row = await self._row(draft, by, None)
        body = body_at(draft, row)
        later = [one for one in conflicts_of(body) if int(one["id"][1:]) > after]
        found = page(later[: limit + 1], limit, lambda one: cursor(int(one["id"][1:])))
        named, now = await self._people.named(found["items"]), orjson.loads(body)
        form = self._forms(now["form"])
        if hides_now(form, row.role):
            named = [masked_conflict(conflict, form) for conflict in named]
        return {**found, "items": await to_thread(conflicts_in_words, form, now["data"], named)}

    async def completeness(self, draft: UUID, by: Reader, forms: Forms) -> dict[str, Any]:
        """What the draft lacks by its form's definition; in a thread, for it may take long."""
        row = await self._row(draft, by, None)
        held = fold(draft, row)
        form = forms.of(held.form)
        report = await to_thread(completeness, form, held.data)
        names = await self._people.subs_of(done["by"] for done in held.steps_done.values())
        return {"id": draft, "version": row.head, **completeness_answer(report, form, held, names)}

    async def drafts(self, by: Reader, wanted: DraftFilter) -> dict[str, Any]:
        """A page of the caller's drafts, own and shared."""
        access.require_person(by)
        mine = access.member(by)
        await self._catch_up.level()
        if wanted.q is not None:
            await self._catch_up.rest_all(mine)
        lines = await self._store.drafts(mine, _one_more(wanted))
        found = page(lines, wanted.limit, lambda line: cursor(line["sort_key"], str(line["draft"])))
        keys = {line[who] for line in found["items"] for who in ("owner", "saved_by")}
        names = await self._people.subs_of(keys)
        items = [summary(line, self._forms(line["form"]), names) for line in found["items"]]
        return {**found, "items": items}

    async def seen(self, event: DraftEvent, earlier: Draft) -> tuple[dict[str, Any], Version]:
        """A version's facts with the names of people, and the version as wording sees it."""
        about = await self._about(event)
        about["about"] |= _steps(event, earlier)
        return about, await self._named(event, about, earlier)

    # -- the steps

    async def _row(
        self, draft: UUID, by: str, version: int | None, *, wanted: int | None = None
    ) -> Row:
        """The state at a version, which is on the way to the wanted one if that is another."""
        row = await self._store.read(by, draft, version)
        if row is None:
            raise DraftNotFound
        if version is not None and version > row.head:
            raise VersionNotFound(wanted or version, row.head)
        return row

    async def _version_at(self, draft: UUID, by: str, moment: datetime) -> int:
        version = await self._store.version_at(by, draft, moment)
        if version is None:
            await self._row(draft, by, 1)
            raise VersionNotFound(f"at {moment.isoformat()}")
        return version

    async def _about(self, event: DraftEvent) -> dict[str, Any]:
        facts = {name: getattr(event, name, None) for name in _FACTS}
        return {
            "version": event.originator_version,
            "act": event.act,
            "by": await self._people.sub_of(event.by),
            "at": event.timestamp,
            "device": event.device,
            "reason": event.reason,
            "about": {
                _FACTS[name]: value
                for name, value in facts.items()
                if value is not None and (value or not isinstance(event, Beginning))
            }
            | await self._whom(event),
        }

    async def _whom(self, event: DraftEvent) -> dict[str, str]:
        """Whom a sharing is about, by name, or which link."""
        if isinstance(event, events.HandedOver):
            return {"user": await self._people.sub_of(event.to)}
        if not isinstance(event, events.Shared | events.Unshared):
            return {}
        if is_link(event.principal):
            return {"link": event.principal.removeprefix(LINK)}
        return {"user": await self._people.sub_of(event.principal)}

    async def _named(self, event: DraftEvent, about: Mapping[str, Any], earlier: Draft) -> Version:
        """A version as wording sees it: what it was about, and its conflicts, with names."""
        opened = event.conflicts or () if isinstance(event, DataEvent) else ()
        return Version(
            about["act"],
            about["by"],
            about["device"],
            about=about["about"],
            held=await self._people.named(earlier.conflicts),
            conflicts=await self._people.named(opened),
        )


# What an act is about besides changes, by its member in the event and in the answer.
_FACTS = {
    "version": "version",
    "through": "through",
    "paths": "paths",
    "outcomes": "outcomes",
    "label": "label",
    "based_on": "based_on",
    "step": "step",
    "completed_steps": "completed_steps",
    "forked_from": "forked_from",
    "from_template": "from_template",
    "imported": "imported",
    "fork": "fork",
    "fork_version": "fork_version",
    "taken": "taken",
    "role": "role",
    "expires_at": "expires_at",
}


def _steps(event: DraftEvent, earlier: Draft) -> dict[str, Any]:
    """Which steps were marked as completed just then, and which no more."""
    if not isinstance(event, DataEvent) or event.completed_steps is None:
        return {}
    before, after = earlier.completed_steps, event.completed_steps
    return {
        "steps_done": [step for step in after if step not in before],
        "steps_undone": [step for step in before if step not in after],
    }


def parse_place(text: str | None) -> int | None:
    """The version that a cursor of the history names."""
    return None if text is None else int(place(text, (int,))[0])


def _changes(event: DraftEvent) -> Sequence[diff.Change]:
    if isinstance(event, Beginning):
        return diff.diff({}, event.data or {})
    return event.changes if isinstance(event, DataEvent) else ()


def _number(text: str, head: int) -> int:
    if text in ("earliest", "latest"):
        return 1 if text == "earliest" else head
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:18]) <= head:
        raise VersionNotFound(text[:20], head)
    return int(text)


def _one_more(wanted: Any) -> Any:
    return replace(wanted, limit=wanted.limit + 1)


def _line(line: VersionLine, names: Mapping[str, str]) -> dict[str, Any]:
    version, act, by, at, device, paths, label, reason = line
    return {
        "version": version,
        "act": act,
        "by": names[by],
        "at": at,
        "device": device,
        "paths": paths.split("\n") if paths else [],
        "label": label,
        "reason": reason,
    }

"""Takes the drafts of an export over, with all versions and links as they are; safe to repeat.

What: the file is read twice. First all of it is looked at: chains, names, whether this release can
read the events. Then each draft that passed is added, or what it has more than it has here.
Why: a link names the key that made it, so an old key goes on proving what came from elsewhere; and
an import that was stopped goes on where it was when it is called again.
Else considered: new links under this database's key (they would prove what the importer wrote, not
what was once recorded).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, BinaryIO
from uuid import UUID

from domain.chain import FIRST, Keyring, Verdict
from domain.draft import Draft
from domain.errors import Forbidden
from domain.form import Definitions, undefined
from projections.export import Person, tombstones
from projections.rebuild import read_again
from projections.sealed import NotSealed, Sealed
from projections.snapshot import aggregate
from projections.store.base import Store
from projections.store.chains import PAGE_BYTES, PAGE_EVENTS
from projections.store.records import Committed, Group, Record, to_registers, to_row
from projections.verify import Progress, Tell, Verification, entries, flaws_of

_SLOTS = ("take_slot", "free_slot")


@dataclass(slots=True)
class Imported:
    """What became of the drafts of an export; `versions` is how many were added."""

    new: int = 0
    continued: int = 0
    known: int = 0
    refused: int = 0
    versions: int = 0


class _Refusal(Exception):
    """A draft cannot be taken over; `str()` says why, after its name."""


async def import_drafts(
    store: Store,
    file: BinaryIO,
    size: int,
    keyring: Keyring,
    tell: Tell,
    progress: Progress,
    *,
    unverified: bool = False,
    forms: Definitions = undefined,
) -> Imported:
    """Take over every draft that can be; `tell` gets a sentence for each that cannot.

    `unverified` takes also what is not proved by its chain or by the file's seal. `progress` gets
    bytes, of two readings.

    Raises:
        NotSealed: The file is no export, or it was altered; nothing was written.
    """
    survey = _Survey(store, keyring, unverified=unverified)
    await survey.look(Sealed(file, "export", keyring), lambda: progress(file.tell(), 2 * size))
    file.seek(0)
    for person in survey.people:
        await store.people.new_key(person.sub, person.key)
    purged = {head.draft async for head in tombstones(store)}
    imported, records = Imported(), _records(Sealed(file, "export", keyring))
    for draft, own in groupby(records, key=attrgetter("draft")):
        try:
            if (why := survey.refused.get(draft)) is not None:
                raise _Refusal(why)
            if draft in purged:
                raise _Refusal("it was purged here")
            await _take_over(store, draft, own, imported, tell, forms)
        except _Refusal as refusal:
            imported.refused += 1
            tell(f"draft {draft}: {refusal}")
        progress(size + file.tell(), 2 * size)
    return imported


def _records(sealed: Sealed) -> Iterator[Record]:
    return (entry for _, entry in entries(sealed) if isinstance(entry, Record))


class _Survey:
    """Looks a whole export through before anything of it is written."""

    def __init__(self, store: Store, keyring: Keyring, *, unverified: bool) -> None:
        self._store, self._unverified = store, unverified
        self._verification = Verification(keyring, self._judge)
        self._strangers: dict[bytes, str] = {}
        self.people: list[Person] = []
        self.refused: dict[UUID, str] = {}

    async def look(self, sealed: Sealed, progress: Callable[[], None]) -> None:
        """Look at every line."""
        for number, entry in entries(sealed):
            if entry is None:
                self._distrust(f"line {number} cannot be read")
            elif isinstance(entry, Person):
                await self._meet(entry)
            elif isinstance(entry, Record):
                self._examine(entry)
            if number % 1_000 == 0:
                progress()
        self._verification.end(())
        if sealed.fault is not None:
            self._distrust(sealed.fault)

    def _distrust(self, fault: str) -> None:
        if not self._unverified:
            raise NotSealed(f"cannot be relied on: {fault}")

    async def _meet(self, person: Person) -> None:
        """Whoever is known here by another key, or the key by another name, is not let in."""
        name = (await self._store.people.subs_of([person.key])).get(person.key, person.sub)
        key = await self._store.people.key_of(person.sub) or person.key
        if (name, key) == (person.sub, person.key):
            self.people.append(person)
        else:
            why = f"{person.sub} is known here by another key, as a person of another database"
            self._strangers[person.key.encode()] = why

    def _examine(self, record: Record) -> None:
        self._verification.take(record)
        for key, why in self._strangers.items():
            if key in record.state:
                self.refused.setdefault(record.draft, why)
        try:
            record.event()
        except Exception:  # whatever a mapper says to what it does not know
            why = f"this release cannot read version {record.version}"
            self.refused.setdefault(record.draft, why)

    def _judge(self, verdict: Verdict) -> None:
        if not verdict.intact and not self._unverified:
            self.refused[verdict.draft] = flaws_of(verdict)


async def _take_over(
    store: Store,
    draft: UUID,
    records: Iterator[Record],
    imported: Imported,
    tell: Tell,
    forms: Definitions,
) -> None:
    loaded = await store.load(draft)
    here, link = aggregate(draft, loaded, reach=1) if loaded else (None, FIRST)
    growing = _Growing(store, draft, here, link)
    try:
        for record in records:
            await growing.take(record)
        await growing.end()
    finally:
        if growing.added:
            await store.read_models.replace(await read_again(store, draft, forms))
    if growing.beside is not None:
        tell(f"draft {draft}: imported beside {growing.beside}, open for the same subject")
    imported.versions += growing.added
    imported.new += here is None
    imported.continued += here is not None and growing.added > 0
    imported.known += growing.added == 0


class _Growing:
    """A draft that takes events over: those that it has must be the same, the others are added.

    They are saved in groups, as they were first: each with the register of access as it was then.
    """

    def __init__(self, store: Store, draft: UUID, here: Draft | None, link: bytes) -> None:
        self._store, self._id, self._draft, self._link = store, draft, here, link
        self._before = here.version if here else 0
        self._same: Record | None = None  # the last one that is here too
        self._group, self._size = Group(), 0
        self.added = 0
        self.beside: UUID | None = None  # the open draft that holds the slot of this one

    async def take(self, record: Record) -> None:
        """The next event.

        Raises:
            _Refusal: It does not go on from what is here.
        """
        if record.version <= self._before:
            self._same = record
            if record.version == self._before:
                _must_be_the_same(record, self._link)
        else:
            await self._add(record)

    async def _add(self, record: Record) -> None:
        reached = self._draft.version if self._draft else 0
        if record.version != reached + 1 or (self._same is None) != (self._before == 0):
            raise _Refusal(f"version {record.version} does not follow version {reached}")
        event = record.event()
        draft = self._draft = event.mutate(self._draft)
        draft.reach = 1
        registers = [r for r in to_registers(event, draft) if r["register"] not in _SLOTS]
        if registers or len(self._group.records) == PAGE_EVENTS or self._size > PAGE_BYTES:
            await self._save()
        self._group.seen.setdefault(self._id, reached)
        self._group.records.append(record)
        self._group.rows.append(to_row(event))
        self._group.registers += registers
        self._size += len(record.state)

    async def end(self) -> None:
        """There are no more events; only now the draft takes its slot, or gives it free.

        Raises:
            _Refusal: The draft has gone another way here.
        """
        if self._same is not None and self._same.version < self._before:
            (record,) = await self._store.events(
                self._id, self._same.version - 1, self._same.version
            )
            _must_be_the_same(self._same, record.hash)
        if self._draft is not None and self._group.records:
            self._group.registers += await self._slot(self._draft)
        await self._save()

    async def _slot(self, draft: Draft) -> list[dict[str, Any]]:
        """What becomes of the slot, if another draft does not hold it."""
        about = {"draft": str(self._id)}
        if draft.status != "open" or not draft.slot:
            return [{**about, "register": "free_slot"}]
        holder = await self._store.holder_of_slot(draft.owner, draft.form, draft.subject)
        if holder is None:
            slot = {"owner": draft.owner, "form": draft.form, "subject": draft.subject}
            return [{**about, **slot, "register": "take_slot"}]
        self.beside = holder if holder != self._id else None
        return []

    async def _save(self) -> None:
        if not (group := self._group).records:
            return
        try:
            outcome = await self._store.save(group)
        except Forbidden:
            raise _Refusal("it has versions by somebody who had no access") from None
        if not isinstance(outcome, Committed):
            raise _Refusal("somebody is saving to it; import it again")
        self.added += len(group.records)
        self._group, self._size = Group(), 0


def _must_be_the_same(record: Record, link: bytes) -> None:
    if record.hash != link:
        raise _Refusal(f"it has another history here, at version {record.version} or before")

"""Checks the chains of all drafts, in the database or in an export, also against a checkpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

import orjson

from domain.chain import FIRST, Flaw, Keyring, Problem, Verdict, Walk
from projections.checkpoint import Checkpoint
from projections.export import BadLine, Entry, pages, read_line, tombstones
from projections.sealed import Sealed
from projections.store.base import Store
from projections.store.chains import Head
from projections.store.records import Record

Progress = Callable[[int, int], None]
Tell = Callable[[str], None]

_SAID: dict[Problem, str] = {
    "altered": "altered",
    "misattributed": "under another author than the event names",
    "missing": "missing",
    "repeated": "there twice or out of order",
    "rewritten": "not as the checkpoint has it",
    "unchecked": "not checked, since the key {key} is not known",
}


@dataclass(slots=True)
class Tally:
    """How much was checked, and how much of it is not as it should be.

    `purged` drafts are in the checkpoint, and a tombstone stands in their place; `faults` are those
    of a file as a whole.
    """

    events: int = 0
    drafts: int = 0
    broken: int = 0
    unchecked: int = 0
    purged: int = 0
    faults: int = 0

    @property
    def intact(self) -> bool:
        """Whether everything could be checked and is as it was recorded."""
        return not (self.broken or self.unchecked or self.faults)


class Verification:
    """Takes events draft by draft and tells of every draft what became of checking it."""

    def __init__(
        self, keyring: Keyring, tell: Callable[[Verdict], None], heads: Iterable[Head] = ()
    ) -> None:
        self.tally = Tally()
        self._keyring, self._tell = keyring, tell
        self._heads = iter(heads)
        self._next = next(self._heads, None)
        self._gone: dict[UUID, Head] = {}
        self._walk: Walk | None = None
        self._expected: Head | None = None

    def take(self, record: Record) -> None:
        """The next event."""
        walk = self._walk
        if walk is None or walk.draft != record.draft:
            walk = self._begin(record)
        check(walk, record)
        if _contradicts(record, self._expected):
            walk.note("rewritten", record.version)
        self.tally.events += 1

    def end(self, purged: Iterable[Head]) -> None:
        """There are no more events; these are the tombstones."""
        self._close()
        self._head_of(None)
        for tombstone in purged:
            head = self._gone.get(tombstone.draft)
            if head is not None and _reaches(tombstone, head):
                del self._gone[tombstone.draft]
                self.tally.purged += 1
        for head in self._gone.values():
            flaw = Flaw("missing", 1, head.version)
            self._judge(Verdict(head.draft, 0, FIRST, (flaw,)))

    def _begin(self, record: Record) -> Walk:
        before = self._walk.draft if self._walk is not None else None
        self._close()
        self._walk = Walk(self._keyring, record.draft)
        if before is not None and record.draft < before:
            self._walk.note("repeated", record.version)
        self._expected = self._head_of(record.draft)
        return self._walk

    def _head_of(self, draft: UUID | None) -> Head | None:
        """What the checkpoint says of a draft; the drafts that it has before this one are gone."""
        while (head := self._next) is not None and (draft is None or head.draft <= draft):
            self._next = next(self._heads, None)
            if head.draft == draft:
                return head
            self._gone[head.draft] = head
        return None

    def _close(self) -> None:
        if (walk := self._walk) is None:
            return
        if self._expected is not None and walk.version < self._expected.version:
            walk.note("missing", walk.version + 1, self._expected.version)
        self.tally.drafts += 1
        self._judge(walk.verdict())

    def _judge(self, verdict: Verdict) -> None:
        self.tally.broken += verdict.intact is False
        self.tally.unchecked += verdict.intact is None
        self._tell(verdict)


def check(walk: Walk, record: Record) -> None:
    """The next event of a draft: its link, and whether the table names the author that it names."""
    fits = walk.take(record.version, record.topic, record.state, record.hash)
    if fits and _author(record.state) != record.by:
        walk.note("misattributed", record.version)


def _author(state: bytes) -> object:
    try:
        return orjson.loads(state)["by"]
    except (ValueError, TypeError, KeyError):
        return None


def _contradicts(record: Record, head: Head | None) -> bool:
    return head is not None and head.version == record.version and head.hash != record.hash


def _reaches(tombstone: Head, head: Head) -> bool:
    """Whether a purged draft had come to what the checkpoint has of it."""
    return tombstone == head or tombstone.version > head.version


async def verify_draft(
    draft: UUID, found: AsyncIterator[Sequence[Record]], keyring: Keyring
) -> Verdict:
    """Check one draft, which is known to be there, by the pages of its events."""
    walk = Walk(keyring, draft)
    async for page in found:
        for record in page:
            check(walk, record)
    if walk.version == 0:
        walk.note("missing", 1)
    return walk.verdict()


async def verify_log(
    store: Store,
    keyring: Keyring,
    tell: Tell,
    progress: Progress,
    checkpoint: Checkpoint | None = None,
) -> Tally:
    """Check everything in the log; `tell` gets a sentence for each draft that is not intact."""
    heads = checkpoint.heads() if checkpoint else ()
    verification = Verification(keyring, _telling(tell), heads)
    total = await store.log.head()
    async for page in pages(store):
        for record in page:
            verification.take(record)
        progress(verification.tally.events, total)
    verification.end([purged async for purged in tombstones(store)])
    return verification.tally


def verify_file(
    file: BinaryIO,
    size: int,
    keyring: Keyring,
    tell: Tell,
    progress: Progress,
    checkpoint: Checkpoint | None = None,
) -> Tally:
    """Check an export by itself; `progress` gets bytes.

    Raises:
        NotSealed: The file is no export.
    """
    sealed, purged = Sealed(file, "export", keyring), list[Head]()
    heads = checkpoint.heads() if checkpoint else ()
    verification = Verification(keyring, _telling(tell), heads)
    for number, entry in entries(sealed):
        if entry is None:
            verification.tally.faults += 1
            tell(f"line {number}: cannot be read")
        elif isinstance(entry, Record):
            verification.take(entry)
        elif isinstance(entry, Head):
            purged.append(entry)
        if number % 1_000 == 0:
            progress(file.tell(), size)
    verification.end(purged)
    if sealed.fault is not None:
        verification.tally.faults += 1
        tell(f"the file: {sealed.fault}")
    return verification.tally


def entries(sealed: Sealed) -> Iterator[tuple[int, Entry | None]]:
    """What the lines of an export tell of, each with its number; None if one cannot be read."""
    for number, line in enumerate(sealed, 2):
        try:
            yield number, read_line(line)
        except BadLine:
            yield number, None


def _telling(tell: Tell) -> Callable[[Verdict], None]:
    return lambda verdict: None if verdict.intact else tell(told(verdict))


def told(verdict: Verdict) -> str:
    """A sentence on a draft that is not intact, or may not be."""
    if verdict.versions == 0:
        return f"draft {verdict.draft}: gone, and the checkpoint has it"
    return f"draft {verdict.draft}: {flaws_of(verdict)}"


def flaws_of(verdict: Verdict) -> str:
    """What is wrong with a draft, in words."""
    return ", ".join(map(_phrase, verdict.flaws))


def _phrase(flaw: Flaw) -> str:
    several = f"versions {flaw.first} to {flaw.last}"
    run = f"version {flaw.first}" if flaw.first == flaw.last else several
    return f"{run} {_SAID[flaw.problem].format(key=flaw.key)}"

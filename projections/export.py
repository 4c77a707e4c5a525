"""The whole history of drafts as a sealed file of JSON lines, and such a file read again.

What: after the header, draft by draft in the order of their ids, one event a line, oldest first;
the stored bytes of the event stand as they are at the end of its line. A person's name stands
before the first event that knows the person by key. An export of everything ends with what is left
of purged drafts.
Why: these bytes are what the links are made over, so that the file proves itself without a
database; and they are JSON, so that people and programs can read it.
Else considered: the bytes in base64 (a third longer, and nobody could search it).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from domain.chain import ChainKey
from projections.sealed import Sealing
from projections.snapshot import KEY_LENGTH
from projections.store.base import BEGINNING, Store
from projections.store.chains import Head
from projections.store.records import Record

Progress = Callable[[int, int], None]

ASKED = 1_000  # names at once; a form may hold many texts that could be keys
_STATE = (
    b',"state":'  # cannot stand in what is before it: there every quote within a text is escaped
)
_KEYS = re.compile(rb'"([A-Za-z0-9_-]{%d})"' % KEY_LENGTH)


@dataclass(frozen=True, slots=True)
class Person:
    """The name behind a key."""

    key: str
    sub: str


Entry = Record | Person | Head  # a head is what is left of a purged draft


class BadLine(Exception):
    """A line of an export cannot be read."""


class NoSuchDraft(Exception):
    """A draft that was asked for is not in the log."""

    def __init__(self, draft: UUID) -> None:
        super().__init__(f"There is no draft {draft}.")


async def export(
    store: Store,
    drafts: Sequence[UUID],
    key: ChainKey,
    write: Callable[[bytes], Any],
    progress: Progress,
) -> int:
    """Write these drafts, or everything if none is named; answers how many events there were.

    Raises:
        NoSuchDraft: One of them is not in the log.
    """
    sealing = Sealing(write, "export", key)
    total, count, told = await store.log.head(), 0, set[str]()
    async for page in _chosen(store, drafts) if drafts else pages(store):
        for person in await _people(store, page, told):
            sealing.line(orjson.dumps({"person": person.key, "sub": person.sub}))
        for record in page:
            sealing.line(line_of(record))
        progress(count := count + len(page), total)
    if not drafts:
        async for purged in tombstones(store):
            sealing.line(_line_of_purged(purged))
    sealing.close()
    return count


async def pages(store: Store) -> AsyncIterator[Sequence[Record]]:
    """The whole log, draft by draft."""
    after = (BEGINNING, 0)
    while page := await store.chains.of_drafts(after):
        yield page
        after = (page[-1].draft, page[-1].version)


async def pages_of(store: Store, draft: UUID) -> AsyncIterator[Sequence[Record]]:
    """The events of one draft."""
    version = 0
    while page := await store.chains.of_drafts((draft, version), draft):
        yield page
        version = page[-1].version


async def tombstones(store: Store) -> AsyncIterator[Head]:
    """What is left of purged drafts."""
    after = BEGINNING
    while page := await store.chains.tombstones(after):
        for purged in page:
            yield purged
        after = page[-1].draft


async def _chosen(store: Store, drafts: Sequence[UUID]) -> AsyncIterator[Sequence[Record]]:
    for draft in sorted(set(drafts)):
        missing = True
        async for page in pages_of(store, draft):
            missing = False
            yield page
        if missing:
            raise NoSuchDraft(draft)


async def _people(store: Store, page: Iterable[Record], told: set[str]) -> list[Person]:
    """The people whom these events know by key, wherever in them, and who were not told of yet."""
    found = {key.decode() for record in page for key in _KEYS.findall(record.state)}
    keys, names = sorted(found - told), dict[str, str]()
    for start in range(0, len(keys), ASKED):
        names |= await store.people.subs_of(keys[start : start + ASKED])
    told.update(names)
    return [Person(key, names[key]) for key in sorted(names)]


def line_of(record: Record) -> bytes:
    """An event as a line; nothing of its stored bytes is touched."""
    return orjson.dumps(
        {
            "draft": record.draft,
            "version": record.version,
            "topic": record.topic,
            "hash": record.hash.hex(),
            "state": orjson.Fragment(record.state),
        }
    )


def _line_of_purged(head: Head) -> bytes:
    return orjson.dumps({"purged": head.draft, "version": head.version, "hash": head.hash.hex()})


def read_line(line: bytes) -> Entry:
    """What a line tells of.

    Raises:
        BadLine: It is not a line of an export.
    """
    about, found, state = line.rstrip(b"\r\n").partition(_STATE)
    try:
        if found:
            return _record(orjson.loads(about + b"}"), state)
        return _person_or_purged(orjson.loads(about))
    except (ValueError, TypeError, KeyError, AttributeError) as wrong:
        raise BadLine from wrong


def _record(facts: Any, rest: bytes) -> Record:
    if not rest.endswith(b"}"):
        raise ValueError(rest[-20:])
    state = rest[:-1]
    by = orjson.loads(state)["by"]
    head = _head(facts, "draft")
    return Record(head.draft, head.version, _text(facts["topic"]), state, _text(by), head.hash)


def _person_or_purged(facts: Any) -> Person | Head:
    if "person" in facts:
        return Person(_text(facts["person"]), _text(facts["sub"]))
    return _head(facts, "purged")


def _head(facts: Any, member: str) -> Head:
    version = facts["version"]
    if type(version) is not int or version < 1:
        raise ValueError(version)
    return Head(UUID(facts[member]), version, bytes.fromhex(facts["hash"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value

"""What is stored for good: events of every release are read for ever, by us and by the library."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch
from uuid import UUID

import psycopg
import pytest
from eventsourcing.application import Repository
from eventsourcing.persistence import ApplicationRecorder, EventStore, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore
from hypothesis import given
from hypothesis import strategies as st

from api.settings import Settings
from domain.chain import FIRST
from domain.draft import Draft
from projections.snapshot import body_of, rest_of
from projections.store.base import Store
from projections.store.records import MAPPER, Group, Record, to_registers, to_row
from tests.domain.scenes import DRAFTS, origin
from tests.domain.test_draft import TOPICS
from tests.projections.histories import CHAIN, desk, log_of, states_of

FIXTURES = Path(__file__).parent / "fixtures"
RELEASES = ["0.1"]


def frozen(release: str) -> dict[UUID, list[Record]]:
    """The events that a release stored, by their drafts."""
    drafts: dict[UUID, list[Record]] = {}
    for line in (FIXTURES / f"events-{release}.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        draft, link = UUID(row["draft"]), bytes.fromhex(row["hash"])
        record = Record(draft, row["version"], row["topic"], row["state"].encode(), row["by"], link)
        drafts.setdefault(draft, []).append(record)
    return drafts


def folded(release: str) -> dict[UUID, Any]:
    """What they fold to."""
    pinned = json.loads((FIXTURES / f"events-{release}.folded.json").read_text("utf-8"))
    return {UUID(draft): known for draft, known in pinned.items()}


@pytest.mark.parametrize("release", RELEASES)
def test_events_of_every_release_fold_to_what_they_always_did(release: str) -> None:
    for draft, pinned in folded(release).items():
        state = states_of(frozen(release)[draft])[-1]
        for part, known in (("body", body_of(state)), ("rest", rest_of(state))):
            now = json.loads(known)
            assert {name: now[name] for name in pinned[part]} == pinned[part]


def test_the_first_release_has_every_event_once() -> None:
    stored = {record.topic for records in frozen("0.1").values() for record in records}
    assert stored == set(TOPICS.values())


@pytest.mark.parametrize("release", RELEASES)
def test_a_fork_holds_what_the_frozen_draft_held_at_that_version(release: str) -> None:
    drafts = frozen(release)
    (fork,) = [d for d in map(_last, drafts.values()) if d.forked_from is not None]
    assert fork.forked_from is not None
    source = drafts[UUID(fork.forked_from["draft"])]
    assert states_of(source)[fork.forked_from["version"] - 1].data == fork.data


def _last(records: Sequence[Record]) -> Draft:
    return states_of(records)[-1]


@pytest.mark.parametrize("release", RELEASES)
def test_a_stored_event_read_and_stored_again_has_the_same_bytes(release: str) -> None:
    for records in frozen(release).values():
        for record in records:
            again = MAPPER.to_stored_event(record.event())
            assert (again.topic, again.state) == (record.topic, record.state)


# -- the chain


def first_break(records: Sequence[Record]) -> int | None:
    """The place of the first event that does not follow from the one before it."""
    previous = FIRST
    for place, record in enumerate(records):
        if record.version != place + 1:
            return place
        link = CHAIN.link(previous, record.draft, record.version, record.topic, record.state)
        if link != record.hash:
            return place
        previous = link
    return None


FROZEN = max(frozen("0.1").values(), key=len)


@pytest.mark.parametrize("release", RELEASES)
def test_each_event_follows_from_the_one_before(release: str) -> None:
    assert {first_break(records) for records in frozen(release).values()} == {None}


@given(st.data())
def test_an_altered_event_breaks_the_chain_where_it_stands(drawn: st.DataObject) -> None:
    place = drawn.draw(st.integers(0, len(FROZEN) - 1))
    record, part = FROZEN[place], drawn.draw(st.sampled_from(["state", "topic", "hash", "draft"]))
    value = getattr(record, part)
    raw = bytearray(
        value.bytes if part == "draft" else value.encode() if part == "topic" else value
    )
    at = drawn.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= 1
    changed: Any = bytes(raw)
    if part != "state" and part != "hash":
        changed = UUID(bytes=changed) if part == "draft" else changed.decode()
    altered = [*FROZEN[:place], record._replace(**{part: changed}), *FROZEN[place + 1 :]]
    assert first_break(altered) == place


@given(st.integers(0, len(FROZEN) - 1), st.integers(0, len(FROZEN) - 1))
def test_a_removed_a_doubled_and_a_swapped_event_break_it(one: int, other: int) -> None:
    removed = FROZEN[:one] + FROZEN[one + 1 :]
    renumbered = [record._replace(version=n) for n, record in enumerate(removed, 1)]
    doubled = [r._replace(version=n) for n, r in enumerate([*FROZEN[: one + 1], *FROZEN[one:]], 1)]
    if one < len(FROZEN) - 1:  # the last one's absence shows in the head only
        assert first_break(removed) == first_break(renumbered) == one
    assert first_break(doubled) == one + 1
    swapped = list(FROZEN)
    swapped[one], swapped[other] = FROZEN[other], FROZEN[one]
    assert first_break(swapped) == (None if one == other else min(one, other))


# -- in the stores


async def test_frozen_events_are_stored_and_read_as_they_are(store: Store) -> None:
    drafts = frozen("0.1")
    group = Group(seen=dict.fromkeys(drafts, 0))
    for records in drafts.values():
        for record, state in zip(records, states_of(records), strict=True):
            group.records.append(record)
            group.rows.append(to_row(record.event()))
            group.registers += to_registers(record.event(), state)
    await store.save(group)
    for draft, records in drafts.items():
        assert await log_of(store, draft) == records


@contextmanager
def recorder(settings: Settings) -> Iterator[ApplicationRecorder]:
    """The library's own recorder on the test's database, by the service's login."""
    if settings.on_sqlite:
        sqlite = SQLiteDatastore(str(settings.sqlite_path))
        yield SQLiteApplicationRecorder(sqlite)
        sqlite.close()
        return
    login = psycopg.conninfo.conninfo_to_dict(settings.database_url)
    named = {name: str(login[name]) for name in ("dbname", "host", "port", "user", "password")}
    as_worker = {"PGOPTIONS": "-c role=variorum_worker"}  # the login alone may read nothing
    with (
        patch.dict(os.environ, as_worker),
        PostgresDatastore(**named, schema="variorum") as postgres,  # type: ignore[arg-type]
    ):
        yield PostgresApplicationRecorder(postgres)


async def test_the_librarys_recorders_read_our_log(store: Store, settings: Settings) -> None:
    async with desk(store) as ann:
        drafts = [await ann.open({"title": f"Gig {n}", "acts": []}) for n in range(3)]
        for draft in drafts:
            await ann.edits(draft, [{"fee": 1}, {"acts": [{"id": "a", "fee": 2.5}]}, {"é": None}])
            await ann.run(draft, DRAFTS.submit, origin(minutes=1, device="mac", seq=1))
    with recorder(settings) as library:
        for draft in drafts:
            assert plain(library.select_events(draft)) == await stored(store, draft)
        lines = await store.log.lines(0, 100)
        notified = library.select_notifications(1, 100)
        assert [n.id for n in notified] == [line.position for line in lines]
        assert plain(notified) == [row for line in lines for row in [as_stored(line.record)]]
        assert library.max_notification_id() == await store.log.head()


async def stored(store: Store, draft: UUID) -> list[tuple[Any, ...]]:
    return [as_stored(record) for record in await log_of(store, draft)]


def as_stored(record: Record) -> tuple[Any, ...]:
    return (record.draft, record.version, record.topic, record.state)


def plain(events: Sequence[StoredEvent]) -> list[tuple[Any, ...]]:
    """Stored events as tuples; SQLite's recorder gives ids as text."""
    return [
        (UUID(str(e.originator_id)), e.originator_version, e.topic, bytes(e.state)) for e in events
    ]


async def test_the_librarys_mapper_and_repository_give_our_events_and_drafts(
    store: Store, settings: Settings
) -> None:
    async with desk(store) as ann:
        draft = await ann.open({"title": "Gig"})
        await ann.edits(draft, [{"fee": 1}, {"fee": 2}])
        await ann.run(draft, DRAFTS.label, 1, "first", origin(minutes=1))
    records = await log_of(store, draft)
    with recorder(settings) as library:
        events = EventStore(MAPPER, library)
        assert list(events.get(draft)) == [record.event() for record in records]
        found = cast("Draft", Repository(events).get(draft))
        assert vars(found) == vars(states_of(records)[-1])

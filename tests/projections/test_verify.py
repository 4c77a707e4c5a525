"""Whatever is altered in the database or in an export, checking the chains finds and names it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from uuid import UUID

import orjson
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from api.service import open_store
from api.settings import Settings
from domain.chain import Chain, ChainKey, Keyring
from projections.checkpoint import Checkpoint, write_checkpoint
from projections.export import export
from projections.sealed import NotSealed
from projections.store.base import Store
from projections.store.chains import Chains
from projections.store.records import Record
from projections.verify import Tally, verify_draft, verify_file, verify_log
from tests.domain.scenes import ANN, BEN, DRAFTS, origin
from tests.projections.histories import desk, log_of, started
from tests.tampering import Tamper

KEY = ChainKey(b"made up for tests, links their events")
RING = Keyring([KEY])
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
IDS = [UUID(int=number) for number in (5, 2**70 + 1, 2**127 + 1)]


async def history(store: Store) -> None:
    """Three drafts of two people, with versions of several kinds."""
    for sub, key in (("ann", ANN), ("ben", BEN)):
        await store.people.new_key(sub, key)
    async with desk(store) as ann:
        for by, draft in zip((ANN, BEN, ANN), IDS, strict=True):
            await ann.open({"title": "Jazz", "text": "naïve 🎷 " * 30}, origin(by), id=draft)
            for number in range(8):
                await ann.edit(draft, {"n": number, "last": str(number)}, origin(by, number))
            await ann.run(draft, DRAFTS.label, 3, "third", origin(by, 9))
        await ann.run(IDS[2], DRAFTS.submit, origin(ANN, 10))


async def checkpoint_of(store: Store) -> bytes:
    """A checkpoint of all that is there."""
    file = BytesIO()
    await write_checkpoint(store, KEY, AT, file.write)
    return file.getvalue()


async def exported(store: Store, *drafts: UUID, key: ChainKey = KEY) -> bytes:
    """An export."""
    file = BytesIO()
    await export(store, drafts, key, file.write, lambda _done, _total: None)
    return file.getvalue()


async def verified(
    store: Store, checkpoint: bytes | None = None, ring: Keyring = RING
) -> tuple[Tally, list[str]]:
    """What comes of checking the log."""
    told: list[str] = []
    against = None if checkpoint is None else Checkpoint(BytesIO(checkpoint), ring)
    tally = await verify_log(store, ring, told.append, lambda _done, _total: None, against)
    return tally, told


def verified_file(
    content: bytes, checkpoint: bytes | None = None, ring: Keyring = RING
) -> tuple[Tally, list[str]]:
    """What comes of checking an export."""
    told: list[str] = []
    against = None if checkpoint is None else Checkpoint(BytesIO(checkpoint), ring)
    file = BytesIO(content)
    tally = verify_file(file, len(content), ring, told.append, lambda _d, _t: None, against)
    return tally, told


# -- the database


async def test_an_untouched_log_is_intact(store: Store) -> None:
    await history(store)
    progress: list[tuple[int, int]] = []
    tally = await verify_log(store, RING, pytest.fail, lambda *so_far: progress.append(so_far))
    assert tally == Tally(events=31, drafts=3)
    assert tally.intact
    assert progress[-1] == (31, 31)
    assert await verified(store, await checkpoint_of(store)) == (tally, [])


async def test_a_log_that_went_on_since_a_checkpoint_is_intact(store: Store) -> None:
    await history(store)
    checkpoint = await checkpoint_of(store)
    async with desk(store) as ann:
        await ann.edit(IDS[0], {"n": "later"})
        await ann.open({"n": 1})
    tally, told = await verified(store, checkpoint)
    assert (tally.intact, tally.drafts, told) == (True, 4, [])


class InTurns:
    """A store that lets others save before each page of its chains."""

    def __init__(self, store: Store) -> None:
        self._store, self.chains = store, ChainsInTurns(store.chains)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class ChainsInTurns:
    """The chains of such a store."""

    def __init__(self, chains: Chains) -> None:
        self._chains, self.tombstones = chains, chains.tombstones

    async def of_drafts(self, *asked: Any) -> Sequence[Record]:
        await asyncio.sleep(0.005)
        return await self._chains.of_drafts(*asked)


async def test_while_others_save_nothing_is_taken_for_altered(store: Store) -> None:
    await history(store)
    checkpoint, ending = await checkpoint_of(store), asyncio.Event()
    in_turns: Any = InTurns(store)
    async with desk(store) as ann:

        async def keep_saving(draft: UUID, by: str) -> None:
            number = 0
            while not ending.is_set():
                number += 1
                await ann.edit(draft, {"n": f"{number}"}, origin(by, 20))

        await ann.edits(IDS[0], [{"n": f"long {number}"} for number in range(1_200)], 15)
        people = zip(IDS[:2], (ANN, BEN), strict=True)
        saving = [asyncio.create_task(keep_saving(draft, by)) for draft, by in people]
        for _ in range(5):
            tally, told = await verified(in_turns, checkpoint)
            assert (tally.intact, told) == (True, [])
            assert verified_file(await exported(in_turns), checkpoint)[0].intact
            checkpoint = await checkpoint_of(store)
        ending.set()
        await asyncio.gather(*saving)
    assert tally.events > 1_240


@dataclass
class Bench:
    """A database to tamper with, and all that is needed to find it out and to undo it."""

    portal: BlockingPortal
    store: Store
    tamper: Tamper
    checkpoint: bytes = b""
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def verify(self) -> tuple[Tally, list[str]]:
        """Check the log against the checkpoint."""
        return self.portal.call(verified, self.store, self.checkpoint)

    def mend(self) -> None:
        """Put every event back as it was."""
        identity = "" if self.store.name == "sqlite" else "OVERRIDING SYSTEM VALUE"
        there = set(self.tamper("SELECT * FROM stored_events"))
        number = "rowid" if self.store.name == "sqlite" else "notification_id"
        for row in there - set(self.rows):
            place = row[0] if self.store.name == "sqlite" else row[4]
            self.tamper(f"DELETE FROM stored_events WHERE {number} = %s", place)
        for row in set(self.rows) - there:
            self.tamper(
                f"INSERT INTO stored_events {identity} VALUES (%s, %s, %s, %s, %s, %s, %s)", *row
            )

    def event(self, place: int) -> Record:
        """One of the events as it was stored."""
        return self.records[place % len(self.records)]

    def set(self, record: Record, column: str, value: Any) -> None:
        """Write another value into a row."""
        self.tamper(
            f"UPDATE stored_events SET {column} = %s "
            "WHERE originator_id = %s AND originator_version = %s",
            value,
            record.draft,
            record.version,
        )

    def __post_init__(self) -> None:
        self.portal.call(history, self.store)
        self.checkpoint = self.portal.call(checkpoint_of, self.store)
        self.rows = self.tamper("SELECT * FROM stored_events")
        self.records = [
            record for draft in IDS for record in self.portal.call(log_of, self.store, draft)
        ]


@pytest.fixture
def bench(settings: Settings, tamper: Tamper) -> Iterator[Bench]:
    """For tests that are no coroutines: what Hypothesis raises must not pass through one."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(started(open_store(settings))) as store,
    ):
        yield Bench(portal, store, tamper)


Tampering = Callable[[Bench, Record, int], None]


def another_byte(value: bytes, at: int) -> bytes:
    """The value with one byte altered by one bit or more."""
    at, bits = (at // 255) % len(value), at % 255 + 1
    return value[:at] + bytes([value[at] ^ bits]) + value[at + 1 :]


def another_letter(value: str, at: int) -> str:
    """The text with one letter altered; it is still a text to a database."""
    at %= len(value)
    return f"{value[:at]}{'x' if value[at] != 'x' else 'y'}{value[at + 1 :]}"


def alter_state(bench: Bench, record: Record, at: int) -> None:
    bench.set(record, "state", another_byte(record.state, at))


def alter_link(bench: Bench, record: Record, at: int) -> None:
    bench.set(record, "hash", another_byte(record.hash, at))


def alter_topic(bench: Bench, record: Record, at: int) -> None:
    bench.set(record, "topic", another_letter(record.topic, at))


def alter_author(bench: Bench, record: Record, at: int) -> None:
    bench.set(record, "by", another_letter(record.by, at))


def alter_time(bench: Bench, record: Record, at: int) -> None:
    time = b'{"timestamp":"2026-03-02T09:'
    assert record.state.startswith(time)
    bench.set(record, "state", b'{"timestamp":"2026-03-02T08:' + record.state[len(time) :])


def put_another_authors_name_into_both(bench: Bench, record: Record, at: int) -> None:
    other = BEN if record.by == ANN else ANN
    bench.set(record, "state", record.state.replace(record.by.encode(), other.encode()))
    bench.set(record, "by", other)


def shorten_link(bench: Bench, record: Record, at: int) -> None:
    bench.set(record, "hash", record.hash[: at % 36])


def move_version(bench: Bench, record: Record, at: int) -> None:
    bench.set(record, "originator_version", record.version + 100)


def remove(bench: Bench, record: Record, at: int) -> None:
    bench.tamper(
        "DELETE FROM stored_events WHERE originator_id = %s AND originator_version = %s",
        record.draft,
        record.version,
    )


def cut_tail(bench: Bench, record: Record, at: int) -> None:
    bench.tamper(
        "DELETE FROM stored_events WHERE originator_id = %s AND originator_version >= %s",
        record.draft,
        record.version,
    )


def cut_beginning(bench: Bench, record: Record, at: int) -> None:
    bench.tamper(
        "DELETE FROM stored_events WHERE originator_id = %s AND originator_version <= %s",
        record.draft,
        record.version,
    )


def remove_draft(bench: Bench, record: Record, at: int) -> None:
    bench.tamper("DELETE FROM stored_events WHERE originator_id = %s", record.draft)


def swap(bench: Bench, record: Record, at: int) -> None:
    other = next(r for r in bench.records[at % 31 :] + bench.records if r.state != record.state)
    for one, two in ((record, other), (other, record)):
        for column in ("state", "topic", "by"):
            bench.set(one, column, getattr(two, column))


def swap_with_links(bench: Bench, record: Record, at: int) -> None:
    other = next(r for r in bench.records[at % 31 :] + bench.records if r.state != record.state)
    for one, two in ((record, other), (other, record)):
        for column in ("state", "topic", "by", "hash"):
            bench.set(one, column, getattr(two, column))


def move_to_another_draft(bench: Bench, record: Record, at: int) -> None:
    bench.set(record, "originator_version", 99)
    last = next(r for r in bench.records if r.draft != record.draft)
    bench.tamper(
        "UPDATE stored_events SET originator_id = %s WHERE originator_version = 99", last.draft
    )


def insert_at_the_end(bench: Bench, record: Record, at: int) -> None:
    last = [r for r in bench.records if r.draft == record.draft][-1]
    bench.tamper(
        "INSERT INTO stored_events (originator_id, originator_version, topic, state, by, hash) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        *(record.draft, last.version + 1, record.topic, record.state, record.by, record.hash),
    )


TAMPERINGS: dict[str, Tampering] = {
    function.__name__: function
    for function in (
        alter_state,
        alter_link,
        alter_topic,
        alter_author,
        alter_time,
        put_another_authors_name_into_both,
        shorten_link,
        move_version,
        remove,
        cut_tail,
        cut_beginning,
        remove_draft,
        swap,
        swap_with_links,
        move_to_another_draft,
        insert_at_the_end,
    )
}


def test_each_kind_of_tampering_is_found_wherever_it_is_done(bench: Bench) -> None:
    for tampering in TAMPERINGS:
        for place in (0, 1, 5, 9, 10, 15, 29, 30):
            check_found(bench, tampering, place, at=7 * place + 3)


@how(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_tampering_is_missed_and_the_draft_is_named(bench: Bench, data: st.DataObject) -> None:
    tampering = data.draw(st.sampled_from(["alter_state"] * 8 + list(TAMPERINGS)))
    check_found(bench, tampering, data.draw(st.integers(0, 30)), data.draw(st.integers(0, 10**6)))


def check_found(bench: Bench, tampering: str, place: int, at: int) -> None:
    """After this tampering the log is not intact, and the report names the draft."""
    record = bench.event(place)
    TAMPERINGS[tampering](bench, record, at)
    try:
        tally, told = bench.verify()
        assert not tally.intact
        assert tally.broken >= 1, told
        assert any(line.startswith(f"draft {record.draft}: ") for line in told), told
    finally:
        bench.mend()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_no_value_that_a_column_should_not_have_stops_the_check(bench: Bench) -> None:
    values = {
        "originator_id": ["", "x", "7" * 31, "Z" * 32, "ABCDEF" + "0" * 26, 7, b"\xff" * 32],
        "originator_version": ["two", "", 1.5, b"\x02", 0, -1, 2**62],
        "topic": ["", 7, b"draft.edited\xff"],
        "state": ["text", 7, 0.5, b""],
        "by": ["", 7, b"\xff"],
        "hash": ["text", 7, b"", b"\0" * 36],
    }
    for column, others in values.items():
        for other in others:
            bench.set(bench.event(4), column, other)
            tally, told = bench.verify()
            bench.mend()
            assert tally.broken >= 1, (column, other)
            assert any(line.startswith(f"draft {IDS[0]}: ") for line in told), (column, other)


def test_what_is_mended_is_intact_again(bench: Bench) -> None:
    bench.tamper("DELETE FROM stored_events WHERE originator_version > 3")
    bench.tamper("UPDATE stored_events SET state = %s", b"{}")
    bench.mend()
    assert bench.verify() == (Tally(events=31, drafts=3), [])


SAYINGS: dict[str, str] = {
    "alter_state": "version 6 altered",
    "alter_link": "versions 6 to 7 altered",
    "alter_topic": "version 6 altered",
    "alter_author": "version 6 under another author than the event names",
    "alter_time": "version 6 altered",
    "remove": "version 6 missing",
    "cut_tail": "versions 6 to 10 missing",
    "cut_beginning": "versions 1 to 6 missing",
    "remove_draft": "gone, and the checkpoint has it",
    "move_version": "version 6 missing, versions 11 to 105 missing",
}


def test_the_report_says_what_is_wrong_with_which_versions(bench: Bench) -> None:
    record = next(r for r in bench.records if (r.draft, r.version) == (IDS[0], 6))
    for tampering, said in SAYINGS.items():
        TAMPERINGS[tampering](bench, record, 1)
        tally, told = bench.verify()
        bench.mend()
        assert told == [f"draft {IDS[0]}: {said}"]
        assert (tally.broken, tally.unchecked, tally.faults) == (1, 0, 0)


async def test_only_a_checkpoint_finds_that_a_tail_was_cut_or_a_draft_removed(
    store: Store, tamper: Tamper
) -> None:
    await history(store)
    checkpoint = await checkpoint_of(store)
    tamper("DELETE FROM stored_events WHERE originator_id = %s", IDS[0])
    cut = "DELETE FROM stored_events WHERE originator_id = %s AND originator_version > 8"
    tamper(cut, IDS[1])
    assert (await verified(store))[0] == Tally(events=19, drafts=2)
    tally, told = await verified(store, checkpoint)
    assert tally == Tally(events=19, drafts=2, broken=2)
    assert told == [
        f"draft {IDS[1]}: versions 9 to 10 missing",
        f"draft {IDS[0]}: gone, and the checkpoint has it",
    ]


async def test_whoever_rewrites_a_history_with_the_key_is_found_by_a_checkpoint(
    store: Store, tamper: Tamper
) -> None:
    await history(store)
    checkpoint = await checkpoint_of(store)
    last = (await log_of(store, IDS[0]))[-1]
    before = (await log_of(store, IDS[0]))[-2].hash
    state = last.state.replace(b"third", b"fourth")
    link = Chain(KEY).link(before, IDS[0], last.version, last.topic, state)
    where = "WHERE originator_id = %s AND originator_version = %s"
    tamper(f"UPDATE stored_events SET state = %s, hash = %s {where}", state, link, IDS[0], 10)
    assert (await verified(store))[0].intact
    _, told = await verified(store, checkpoint)
    assert told == [f"draft {IDS[0]}: version 10 not as the checkpoint has it"]


@pytest.mark.parametrize(
    ("version", "link", "enough"),
    [(10, None, True), (11, b"l" * 36, True), (9, None, False), (10, b"l" * 36, False)],
)
async def test_a_purged_draft_is_not_missed_if_its_tombstone_reaches_the_checkpoint(
    store: Store, tamper: Tamper, version: int, link: bytes | None, enough: bool
) -> None:
    await history(store)
    checkpoint = await checkpoint_of(store)
    head = (await log_of(store, IDS[1]))[-1].hash
    tamper("DELETE FROM stored_events WHERE originator_id = %s", IDS[1])
    tamper(
        "INSERT INTO tombstones (draft, owner, versions, head, by, at) "
        "VALUES (%s, %s, %s, %s, %s, '2026-03-02T11:00:00Z')",
        *(IDS[1], BEN, version, link or head, BEN),
    )
    tally, told = await verified(store, checkpoint)
    assert (tally.intact, tally.purged) == (enough, int(enough))
    assert told == ([] if enough else [f"draft {IDS[1]}: gone, and the checkpoint has it"])


# -- keys


NEW_KEY = ChainKey(b"another key, of the year after, of tests")


async def test_links_of_an_unknown_key_are_not_broken_but_cannot_be_checked(store: Store) -> None:
    await history(store)
    tally, told = await verified(store, ring=Keyring([NEW_KEY]))
    assert tally == Tally(events=31, drafts=3, unchecked=3)
    assert not tally.intact
    key = KEY.id.hex()
    assert told[0] == (
        f"draft {IDS[0]}: versions 1 to 10 not checked, since the key {key} is not known"
    )
    assert await verified(store, ring=Keyring([NEW_KEY, KEY])) == (Tally(events=31, drafts=3), [])


async def test_one_draft_is_checked_by_the_pages_of_its_events(store: Store) -> None:
    await history(store)
    records = await log_of(store, IDS[0])

    async def in_pages() -> AsyncIterator[Sequence[Record]]:
        yield records[:4]
        yield records[4:]

    verdict = await verify_draft(IDS[0], in_pages(), RING)
    assert (verdict.intact, verdict.versions, verdict.head) == (True, 10, records[-1].hash)


# -- checkpoints


async def test_a_checkpoint_has_the_head_of_every_draft_under_a_signature(store: Store) -> None:
    await history(store)
    lines = [orjson.loads(line) for line in (await checkpoint_of(store)).splitlines()]
    assert lines[0] == {
        "variorum": "checkpoint",
        "format": 1,
        "key": KEY.id.hex(),
        "at": "2026-03-02T10:00:00Z",
    }
    heads = [(await log_of(store, draft))[-1] for draft in IDS]
    assert lines[1:-1] == [
        {"draft": str(head.draft), "version": head.version, "hash": head.hash.hex()}
        for head in heads
    ]
    assert list(lines[-1]) == ["signature"]
    assert Checkpoint(BytesIO(await checkpoint_of(store)), RING).at == "2026-03-02T10:00:00Z"


@how(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_checkpoint_with_any_other_byte_is_refused(bench: Bench, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(bench.checkpoint) * 255 - 1))
    altered = another_byte(bench.checkpoint, at)
    with pytest.raises(NotSealed):
        Checkpoint(BytesIO(altered), RING)


def test_a_checkpoint_that_lost_lines_or_got_more_is_refused(bench: Bench) -> None:
    lines = bench.checkpoint.splitlines(keepends=True)
    for altered, why in (
        (lines[:-1], "cannot be relied on: it is cut"),
        (lines[:2] + lines[3:], "cannot be relied on: its signature does not hold"),
        ([*lines, lines[1]], "cannot be relied on: it goes on after"),
        ([], "is no checkpoint of Variorum"),
    ):
        with pytest.raises(NotSealed, match=why):
            Checkpoint(BytesIO(b"".join(altered)), RING)
    with pytest.raises(NotSealed, match=f"the key {KEY.id.hex()} is not known"):
        Checkpoint(BytesIO(bench.checkpoint), Keyring([NEW_KEY]))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no checkpoint of Variorum"),
        (b"SQLite format 3\0" * 100, "is no checkpoint of Variorum"),
        (b"[]\n", "is no checkpoint of Variorum"),
        (b'{"variorum":"export","format":2,"key":"00"}\n', "is no checkpoint of Variorum"),
        (b'{"variorum":"checkpoint","format":9,"key":"00"}\n', "has format 9, and this release"),
        (b'{"variorum":"checkpoint","format":1}\n', "does not name the key"),
        (b'{"variorum":"checkpoint","format":1,"key":7}\n', "does not name the key"),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(NotSealed, match=why):
        Checkpoint(BytesIO(content), RING)


# -- exports


async def test_an_export_is_verified_by_itself(store: Store) -> None:
    await history(store)
    content = await exported(store)
    assert verified_file(content) == (Tally(events=31, drafts=3), [])
    assert verified_file(content, await checkpoint_of(store))[0].intact
    assert verified_file(await exported(store, IDS[1])) == (Tally(events=10, drafts=1), [])


@how(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_byte_of_an_export_can_be_altered_unnoticed(bench: Bench, data: st.DataObject) -> None:
    content = bench.portal.call(exported, bench.store)
    at = data.draw(st.integers(0, len(content) * 255 - 1))
    try:
        assert not verified_file(another_byte(content, at))[0].intact
    except NotSealed:
        assert at // 255 < content.index(b"\n") + 1


async def test_an_export_that_lost_lines_or_got_others_is_not_intact(store: Store) -> None:
    await history(store)
    lines = (await exported(store)).splitlines(keepends=True)
    cut = "the file: it is cut: the line with its signature is missing"
    altered = "the file: its signature does not hold: lines were altered, added or removed"
    for content, said in (
        (lines[:20], [cut]),
        ([*lines[:-2], lines[-1]], [altered]),
        (lines[:-1] + lines[1:], [f"draft {IDS[0]}: version 1 there twice", altered]),
        ([*lines[:4], b'{"a": 1}\n', *lines[4:]], ["line 5: cannot be read", altered]),
        ([*lines[:4], b"no JSON\n", *lines[4:]], ["line 5: cannot be read", altered]),
        ([*lines[:1], *lines[22:-1], *lines[1:22], lines[-1]], ["there twice or out of", altered]),
    ):
        tally, told = verified_file(b"".join(content))
        assert not tally.intact
        assert [any(one in line for line in told) for one in said] == [True] * len(said), told


async def test_an_export_that_lost_a_name_or_got_another_is_not_intact(store: Store) -> None:
    await history(store)
    content = await exported(store)
    for other in (b'"sub":"eve"', b'"sub":"ann "'):
        tally, told = verified_file(content.replace(b'"sub":"ann"', other))
        assert (tally.broken, tally.faults, len(told)) == (0, 1, 1)


async def test_an_export_is_held_against_a_checkpoint_as_the_database_is(
    store: Store, tamper: Tamper
) -> None:
    await history(store)
    checkpoint = await checkpoint_of(store)
    tamper("DELETE FROM stored_events WHERE originator_id = %s", IDS[0])
    head = (await log_of(store, IDS[1]))[-1].hash
    tamper("DELETE FROM stored_events WHERE originator_id = %s", IDS[1])
    tamper(
        "INSERT INTO tombstones (draft, owner, versions, head, by, at) "
        "VALUES (%s, %s, %s, %s, %s, '2026-03-02T11:00:00Z')",
        *(IDS[1], BEN, 10, head, BEN),
    )
    tally, told = verified_file(await exported(store), checkpoint)
    assert tally == Tally(events=11, drafts=1, broken=1, purged=1)
    assert told == [f"draft {IDS[0]}: gone, and the checkpoint has it"]


async def test_an_export_under_an_unknown_key_is_not_broken_but_cannot_be_checked(
    store: Store,
) -> None:
    await history(store)
    tally, told = verified_file(await exported(store), ring=Keyring([]))
    assert tally == Tally(events=31, drafts=3, unchecked=3, faults=1)
    key = KEY.id.hex()
    assert told[-1] == f"the file: its signature cannot be checked: the key {key} is not known"


async def test_of_a_tampered_log_the_export_tells_the_same(store: Store, tamper: Tamper) -> None:
    await history(store)
    where = "WHERE originator_id = %s AND originator_version = %s"
    tamper(f"UPDATE stored_events SET state = %s {where}", b'{"by":"eve-key-0001"}', IDS[0], 2)
    tamper(f"UPDATE stored_events SET state = %s {where}", b"no\nJSON", IDS[1], 3)
    tally, told = verified_file(await exported(store))
    assert told[0] == f"draft {IDS[0]}: version 2 altered"
    assert f"draft {IDS[1]}: version 3 missing" in told
    assert tally.broken == 2

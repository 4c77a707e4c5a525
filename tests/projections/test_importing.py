"""Whole histories move between databases of any engine, with every link as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from domain.chain import ChainKey, Keyring
from projections.catch_up import CatchUp
from projections.export import export
from projections.importing import Imported, import_drafts
from projections.sealed import NotSealed
from projections.snapshot import fold
from projections.store.base import DraftFilter, Store
from projections.store.sqlite import SqliteStore, migrate
from projections.verify import verify_log
from tests.domain.scenes import ANN, BEN, DRAFTS, origin
from tests.projections.histories import (
    EVERY_DRAFT,
    EVERY_VERSION,
    Desk,
    desk,
    facts,
    knows,
    level,
    lines,
    log_of,
    started,
    states_of,
)
from tests.tampering import Tamper

KEY = ChainKey(b"made up for tests, links their events")
RING = Keyring([KEY])
FIRST_ID, SECOND_ID, LONG_ID = (UUID(int=number) for number in (5, 2**70 + 1, 2**127 + 1))
LONG = 1_100  # versions: several groups of an import


@pytest.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[Store]:
    """Another database, on SQLite, in which the drafts come to be."""
    migrate(tmp_path / "elsewhere.db")
    async with started(SqliteStore(tmp_path / "elsewhere.db")) as store:
        for sub, key in (("ann", ANN), ("ben", BEN)):
            await store.people.new_key(sub, key)
        yield store


@pytest.fixture
async def ann(elsewhere: Store) -> AsyncIterator[Desk]:
    """Somebody who writes there, with three drafts."""
    async with desk(elsewhere) as ann:
        asked = origin(device="mac", seq=1, digest="d1")
        await ann.open({"title": "Jazz", "n": 0}, asked, id=FIRST_ID, subject="42", slot=True)
        for number in range(1, 40):
            again = origin(minutes=number, device="mac", seq=number + 1, digest=f"d{number}")
            await ann.edit(FIRST_ID, {"n": number}, again)
        await ann.run(FIRST_ID, DRAFTS.label, 3, "third", origin(minutes=60))
        await ann.open({"title": "Blues"}, origin(BEN), id=SECOND_ID, subject="42", slot=True)
        await ann.run(SECOND_ID, DRAFTS.submit, origin(BEN, 8))
        await ann.open({"n": 0}, id=LONG_ID, subject="7", slot=True)
        await ann.edits(LONG_ID, [{"n": number} for number in range(1, LONG)])
        yield ann


async def exported(store: Store, *drafts: UUID) -> bytes:
    """An export."""
    file = BytesIO()
    await export(store, drafts, KEY, file.write, lambda _done, _total: None)
    return file.getvalue()


async def imported(
    store: Store, content: bytes, *, ring: Keyring = RING, unverified: bool = False
) -> tuple[Imported, list[str]]:
    """What came of an import, and what was said."""
    told: list[str] = []
    done = await import_drafts(
        store,
        BytesIO(content),
        len(content),
        ring,
        told.append,
        lambda _done, _total: None,
        unverified=unverified,
    )
    return done, told


async def page_of(store: Store, by: str) -> list[dict[str, object]]:
    """Somebody's drafts; what they are sorted by is each engine's own."""
    rows = [facts(row) for row in await store.drafts(by, EVERY_DRAFT)]
    return [{name: value for name, value in row.items() if name != "sort_key"} for row in rows]


async def everything(store: Store) -> dict[str, object]:
    """All that readers see, once the read models are level."""
    catch_up = await level(store)
    for by in (ANN, BEN):
        await catch_up.rest_all(by)
    drafts = (FIRST_ID, SECOND_ID, LONG_ID)
    readings = {(by, draft): await store.read(by, draft) for by in (ANN, BEN) for draft in drafts}
    return {
        "now": {who: knows(fold(who[1], read)) for who, read in readings.items() if read},
        "roles": {who: read and read.role for who, read in readings.items()},
        "pages": {by: await page_of(store, by) for by in (ANN, BEN)},
        "found": [row["draft"] for row in await store.drafts(ANN, DraftFilter(q="jazz"))],
        "versions": {
            draft: lines(await store.versions(by, draft, EVERY_VERSION))
            for by, draft in zip((ANN, BEN, ANN), drafts, strict=True)
        },
        "log": {draft: await log_of(store, draft) for draft in drafts},
        "slots": [
            await store.holder_of_slot(by, "gig", subject)
            for by, subject in ((ANN, "42"), (BEN, "42"), (ANN, "7"))
        ],
        "seq": [await store.version_of_seq(FIRST_ID, "mac", seq) for seq in (1, 7, 41)],
        "names": await store.people.subs_of([ANN, BEN]),
    }


async def test_an_import_brings_everything_that_can_be_seen(
    store: Store, elsewhere: Store, ann: Desk
) -> None:
    done, told = await imported(store, await exported(elsewhere))
    assert told == []
    assert done == Imported(new=3, versions=41 + 2 + LONG)
    assert await everything(store) == await everything(elsewhere)
    tally = await verify_log(store, RING, pytest.fail, lambda _done, _total: None)
    assert (tally.events, tally.intact) == (43 + LONG, True)


async def test_there_and_back_the_export_is_the_same_to_the_byte(
    store: Store, elsewhere: Store, ann: Desk, tmp_path: Path
) -> None:
    content = await exported(elsewhere)
    await imported(store, content)
    there = await exported(store)
    migrate(tmp_path / "back.db")
    async with started(SqliteStore(tmp_path / "back.db")) as back:
        await imported(back, there)
        assert there == content == await exported(back)


async def test_every_version_reads_as_it_did(store: Store, elsewhere: Store, ann: Desk) -> None:
    await imported(store, await exported(elsewhere))
    for draft in (FIRST_ID, LONG_ID):
        states = states_of(await log_of(elsewhere, draft))
        for version in {1, 2, 17, len(states) // 2, len(states)}:
            reading = await store.read(ANN, draft, version)
            assert reading is not None
            assert knows(fold(draft, reading)) == knows(states[version - 1])
            assert len(reading.tail) < 300


async def test_an_import_can_be_repeated_and_does_nothing_then(
    store: Store, elsewhere: Store, ann: Desk
) -> None:
    content = await exported(elsewhere)
    await imported(store, content)
    before, head = await everything(store), await store.log.head()
    assert await imported(store, content) == (Imported(known=3), [])
    assert (await everything(store), await store.log.head()) == (before, head)


async def test_a_longer_history_continues_a_draft_and_a_shorter_one_changes_nothing(
    store: Store, elsewhere: Store, ann: Desk
) -> None:
    early = await exported(elsewhere)
    await ann.edit(FIRST_ID, {"n": "later"}, origin(minutes=70))
    await ann.run(FIRST_ID, DRAFTS.label, 41, "last", origin(minutes=71))
    await ann.run(FIRST_ID, DRAFTS.submit, origin(minutes=72))
    await imported(store, early)
    late = await exported(elsewhere)
    assert await imported(store, late) == (Imported(continued=1, known=2, versions=3), [])
    assert await everything(store) == await everything(elsewhere)
    assert await imported(store, early) == (Imported(known=3), [])
    assert await everything(store) == await everything(elsewhere)


async def test_a_draft_that_went_another_way_here_is_refused_and_the_others_are_taken(
    store: Store, elsewhere: Store, ann: Desk
) -> None:
    early = await exported(elsewhere, FIRST_ID)
    await imported(store, early)
    async with desk(store) as here:
        await here.edit(FIRST_ID, {"n": "here"}, origin(minutes=70))
    await ann.edit(FIRST_ID, {"n": "there"}, origin(minutes=70))
    before = await log_of(store, FIRST_ID)
    done, told = await imported(store, await exported(elsewhere))
    assert done == Imported(new=2, refused=1, versions=2 + LONG)
    assert told == [f"draft {FIRST_ID}: it has another history here, at version 42 or before"]
    assert await log_of(store, FIRST_ID) == before
    assert await imported(store, early) == (Imported(known=1), [])
    async with desk(store) as here:
        await here.edit(FIRST_ID, {"n": "on"}, origin(minutes=71))
    done, told = await imported(store, await exported(elsewhere, FIRST_ID))
    assert told == [f"draft {FIRST_ID}: it has another history here, at version 42 or before"]


async def test_a_draft_goes_on_after_an_import_as_ever(
    store: Store, elsewhere: Store, ann: Desk
) -> None:
    await imported(store, await exported(elsewhere))
    async with desk(store) as here:
        done = await here.edit(FIRST_ID, {"n": "on"}, origin(minutes=70, device="mac", seq=99))
        assert done.version == 42
        await here.run(FIRST_ID, DRAFTS.submit, origin(minutes=71))
    assert await store.holder_of_slot(ANN, "gig", "42") is None
    tally = await verify_log(store, RING, pytest.fail, lambda _done, _total: None)
    assert tally.intact


async def test_an_import_that_was_stopped_goes_on_where_it_was(
    store: Store, elsewhere: Store, ann: Desk
) -> None:
    class Stopped(Exception):
        pass

    class Stopping:
        """A store that stops in the middle of the long draft."""

        groups = 0

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        async def save(self, group: object) -> object:
            self.groups += 1
            if self.groups == 5:
                raise Stopped
            return await store.save(group)  # type: ignore[arg-type]

    content = await exported(elsewhere)
    with pytest.raises(Stopped):
        await imported(Stopping(), content)  # type: ignore[arg-type]
    assert 0 < len(await log_of(store, LONG_ID)) < LONG
    done, told = await imported(store, content)
    assert (done.new, done.continued, done.known, told) == (0, 1, 2, [])
    assert await everything(store) == await everything(elsewhere)


async def test_while_the_service_follows_the_log_an_import_disturbs_nothing(
    store: Store, elsewhere: Store, ann: Desk
) -> None:
    catch_up = CatchUp(store)
    catch_up.start()
    await imported(store, await exported(elsewhere))
    catch_up.wake()
    await catch_up.level()
    await catch_up.stop()
    assert await everything(store) == await everything(elsewhere)
    assert list(await store.read_models.set_aside()) == []


# -- what is refused


async def test_a_draft_whose_slot_is_taken_here_is_imported_beside_the_other(
    store: Store, elsewhere: Store, ann: Desk
) -> None:
    await store.people.new_key("ann", ANN)
    async with desk(store) as here:
        other = await here.open({"title": "Here"}, subject="42", slot=True)
    done, told = await imported(store, await exported(elsewhere))
    assert done == Imported(new=3, versions=43 + LONG)
    assert told == [f"draft {FIRST_ID}: imported beside {other}, open for the same subject"]
    assert await store.holder_of_slot(ANN, "gig", "42") == other
    async with desk(store) as here:
        await here.run(FIRST_ID, DRAFTS.submit, origin(minutes=80))
    assert await store.holder_of_slot(ANN, "gig", "42") == other


async def test_an_export_that_was_altered_is_refused_whole(
    store: Store, elsewhere: Store, ann: Desk
) -> None:
    content = await exported(elsewhere)
    for altered in (content.replace(b"Jazz", b"Rock"), content[: len(content) // 2]):
        with pytest.raises(NotSealed, match="cannot be relied on"):
            await imported(store, altered)
        assert await store.log.head() == 0
    with pytest.raises(NotSealed, match="cannot be relied on: line 2 cannot be read"):
        await imported(store, content.replace(b'{"person"', b'{"preson"', 1))


async def test_a_draft_whose_chain_does_not_hold_is_refused_unless_told_to_take_it(
    store: Store, elsewhere: Store, ann: Desk, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "elsewhere.db") as file:
        file.execute(
            "UPDATE stored_events SET state = CAST(replace(state, 'Jazz', 'Rock') AS BLOB) "
            "WHERE originator_id = ?",
            (FIRST_ID.hex,),
        )
    file.close()
    content = await exported(elsewhere)
    done, told = await imported(store, content)
    assert (done.new, done.refused) == (2, 1)
    assert told == [f"draft {FIRST_ID}: version 1 altered"]
    assert await log_of(store, FIRST_ID) == []
    done, told = await imported(store, content, unverified=True)
    assert (done.new, done.known, done.refused, told) == (1, 2, 0, [])
    assert await log_of(store, FIRST_ID) == await log_of(elsewhere, FIRST_ID)
    said: list[str] = []
    await verify_log(store, RING, said.append, lambda _done, _total: None)
    assert said == [f"draft {FIRST_ID}: version 1 altered"]


async def test_links_of_an_unknown_key_are_refused_until_the_key_is_known(
    store: Store, elsewhere: Store, ann: Desk
) -> None:
    content = await exported(elsewhere)
    other = ChainKey(b"the key of this database, another one")
    with pytest.raises(NotSealed, match=f"the key {KEY.id.hex()} is not known"):
        await imported(store, content, ring=Keyring([other]))
    done, told = await imported(store, content, ring=Keyring([other, KEY]))
    assert (done.new, told) == (3, [])


async def test_what_was_purged_here_is_not_brought_back(
    store: Store, elsewhere: Store, ann: Desk, tamper: Tamper
) -> None:
    tamper(
        "INSERT INTO tombstones (draft, owner, versions, head, by, at) "
        "VALUES (%s, %s, 41, %s, %s, '2026-03-02T11:00:00Z')",
        *(FIRST_ID, ANN, b"h" * 36, ANN),
    )
    done, told = await imported(store, await exported(elsewhere))
    assert (done.new, done.refused) == (2, 1)
    assert told == [f"draft {FIRST_ID}: it was purged here"]


@pytest.mark.parametrize(
    ("sub", "key"), [("ann", "another-0001"), ("somebody else", ANN)], ids=["key", "name"]
)
async def test_drafts_of_somebody_who_is_known_here_otherwise_are_refused(
    store: Store, elsewhere: Store, ann: Desk, sub: str, key: str
) -> None:
    await store.people.new_key(sub, key)
    done, told = await imported(store, await exported(elsewhere))
    assert (done.new, done.refused) == (1, 2)
    why = "ann is known here by another key, as a person of another database"
    assert told == [f"draft {FIRST_ID}: {why}", f"draft {LONG_ID}: {why}"]
    assert await store.people.subs_of([key]) == {key: sub}


async def test_an_event_that_this_release_does_not_know_is_refused_with_its_draft(
    store: Store, elsewhere: Store, ann: Desk, tmp_path: Path
) -> None:
    content = await exported(elsewhere)
    later = content.replace(b'"topic":"draft.submitted"', b'"topic":"draft.teleported"')
    done, told = await imported(store, later, unverified=True)
    assert (done.new, done.refused) == (2, 1)
    assert told == [f"draft {SECOND_ID}: this release cannot read version 2"]


async def test_versions_that_do_not_follow_are_refused_even_unverified(
    store: Store, elsewhere: Store, ann: Desk
) -> None:
    content = (await exported(elsewhere, FIRST_ID)).splitlines(keepends=True)
    gap = b"".join([*content[:5], *content[6:]])
    done, told = await imported(store, gap, unverified=True)
    assert done.refused == 1
    assert told[0].startswith(f"draft {FIRST_ID}: version ")
    assert "does not follow" in told[0]


# -- the lines of an export


async def test_an_export_names_each_person_before_their_first_event_and_once(
    elsewhere: Store, ann: Desk
) -> None:
    facts = [orjson.loads(line) for line in (await exported(elsewhere)).splitlines()]
    assert facts[0] == {"variorum": "export", "format": 2, "key": KEY.id.hex()}
    named = [(fact["person"], fact["sub"]) for fact in facts if "person" in fact]
    assert sorted(named) == [(ANN, "ann"), (BEN, "ben")]
    known: set[str] = set()
    for fact in facts[1:-1]:
        if "person" in fact:
            known.add(fact["person"])
        else:
            assert fact["state"]["by"] in known


async def test_an_export_holds_the_stored_bytes_of_every_event(elsewhere: Store, ann: Desk) -> None:
    content = (await exported(elsewhere, SECOND_ID)).splitlines()
    for line, record in zip(content[2:-1], await log_of(elsewhere, SECOND_ID), strict=True):
        about = orjson.loads(line)
        assert line.endswith(b',"state":%b}' % record.state)
        assert (about["draft"], about["version"]) == (str(SECOND_ID), record.version)
        assert (about["topic"], about["hash"]) == (record.topic, record.hash.hex())


async def test_many_texts_that_could_be_keys_are_no_people(
    store: Store, elsewhere: Store, ann: Desk
) -> None:
    texts = [f"text-{number:07d}" for number in range(2_500)]
    draft = await ann.open({"texts": texts})
    content = await exported(elsewhere, draft)
    assert content.count(b'{"person"') == 1
    assert (await imported(store, content))[0].new == 1


async def test_an_export_of_an_empty_database_is_one_too(store: Store) -> None:
    content = await exported(store)
    assert len(content.splitlines()) == 2
    assert await imported(store, content) == (Imported(), [])

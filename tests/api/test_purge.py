"""A purge leaves a tombstone and nothing else: in no table, no file, no memory, for nobody."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
import pytest

from api import proving
from api.service import Service
from api.settings import Settings
from projections.rebuild import read_again, rebuild
from projections.store.base import Store
from tests import postgres
from tests.api.calls import Caller, Document, add, problem, replace
from tests.api.services import DAY, beside
from tests.api.test_contract import OF_A_DRAFT, address, body_for
from tests.domain.scenes import ANN
from tests.projections.histories import desk, level
from tests.running import NOON, Clock
from tests.tampering import Tamper

MARK = "xyzzy-7f3a-geheim"


@pytest.fixture
async def other(settings: Settings, clock: Clock) -> AsyncIterator[Service]:
    """Another process of the service."""
    async with beside(settings, clock) as service:
        yield service


async def full_of_marks(ann: Caller) -> Document:
    """A draft that has been through everything and holds its mark wherever something is kept."""
    held = {"title": f"{MARK} title", "acts": [{"id": "a", "name": MARK}], "text": f"{MARK}\n" * 9}
    draft = await ann.open(
        held, subject=f"{MARK} subject", step=f"{MARK} step", device=f"{MARK} device", seq=1
    )
    for number in range(40):
        await ann.save(draft, add(f"/{MARK}{number}", [MARK * 3]), reason=f"{MARK} reason")
    for device in ("mac", "ipad"):
        await ann.save(draft, replace("/title", f"{MARK} {device}"), device=device, based_on=1)
    await ann.label(draft, 2, f"{MARK} label")
    await ann.lists(q=MARK)  # puts it to rest, and its search text down
    return draft


async def purges(ann: Caller, draft: Document) -> httpx.Response:
    return await ann.asks("POST", f"{draft['id']}/purge")


async def discarded(ann: Caller, draft: Document) -> Document:
    await ann.discard(draft)
    return draft


# -- what it answers


async def test_a_purge_answers_what_is_left(ann: Caller, clock: Clock) -> None:
    draft = await discarded(ann, await ann.open({"fee": 1}))
    head = (await ann._gets("GET", f"{draft['id']}/verify"))["head"]
    clock.tick(DAY)
    answer = await purges(ann, draft)
    tombstone = {
        "draft": draft["id"],
        "owner": "ann",
        "versions": 2,
        "head": head,
        "by": "ann",
        "at": clock().isoformat().replace("+00:00", "Z"),
    }
    assert (answer.status_code, answer.json()) == (200, tombstone)
    again = problem(await purges(ann, draft), 410, "draft-purged")
    assert again["tombstone"] == tombstone


async def test_an_open_draft_is_not_purged_and_a_submitted_one_is(ann: Caller) -> None:
    draft = await ann.open({"fee": 1})
    problem(await purges(ann, draft), 409, "draft-open")
    assert (await ann.draft(draft))["version"] == 1
    await ann.submit(draft)
    match = {"if-match": '"1"'}
    answer = await ann.asks("POST", f"{draft['id']}/purge", headers=match)
    assert problem(answer, 412, "version-mismatch")["version"] == 2
    assert (await purges(ann, draft)).status_code == 200


async def test_nobody_else_purges_a_draft(ann: Caller, ben: Caller) -> None:
    draft = await discarded(ann, await ann.open({"fee": 1}))
    await ben.open()
    problem(await purges(ben, draft), 404, "draft-not-found")
    assert (await ann.draft(draft))["status"] == "discarded"


async def test_every_route_says_gone_to_the_owner_and_not_there_to_all_others(
    ann: Caller, ben: Caller
) -> None:
    document = (await ann.asks("GET", "/openapi.json")).json()
    draft = await discarded(ann, await ann.open({"fee": 1}))
    await ben.open()
    await purges(ann, draft)
    for route in OF_A_DRAFT:
        method, path = route.split()[0], address(route, draft["id"])
        body = body_for(document, route)
        problem(await ann.asks(method, path, json=body), 410, "draft-purged")
        problem(await ben.asks(method, path, json=body), 404, "draft-not-found")


async def test_the_id_of_a_purged_draft_is_never_used_again(ann: Caller, ben: Caller) -> None:
    draft = await discarded(ann, await ann.open({"fee": 1}))
    await purges(ann, draft)
    again: Document = {"form": "gig", "id": draft["id"], "data": {"fee": 2}}
    problem(await ann.asks("POST", "/v1/drafts", json=again), 410, "draft-purged")
    problem(await ben.asks("POST", "/v1/drafts", json=again), 409, "id-taken")
    assert (await ann.lists())["items"] == []


# -- what is left


async def test_nothing_of_the_content_is_found_in_any_file_or_table(
    ann: Caller, settings: Settings, request: pytest.FixtureRequest, store: Store
) -> None:
    other = [await ann.open({"n": n, "text": "kept " * 200}, another=True) for n in range(30)]
    draft = await full_of_marks(ann)
    for kept in other:  # pages are split, and rows moved, with the marks in between
        await ann.save(kept, add("/more", "kept " * 100))
    assert MARK.encode() in everything(settings, request)
    await ann.discard(draft)
    await purges(ann, draft)
    await store.trash.scrub()
    assert MARK.encode() not in everything(settings, request)
    assert {(await ann.draft(kept))["version"] for kept in other} == {2}


async def test_many_purges_among_other_drafts_leave_nothing(
    settings: Settings, request: pytest.FixtureRequest, ann: Caller, store: Store
) -> None:
    drafts = []
    for number in range(60):
        text = f"{MARK if number % 2 else 'kept'} {number} " * (1 + number * 7 % 90)
        drafts.append(await ann.open({"text": text}, another=True))
    for turn in range(4):
        for number, draft in enumerate(drafts):
            mark = MARK if number % 2 else "kept"
            await ann.save(draft, add(f"/more{turn}", f"{mark} " * (number * 13 % 60)))
    await ann.lists(q="kept")
    for number, draft in enumerate(drafts):
        if number % 2:
            await ann.discard(draft)
            await purges(ann, draft)
    await store.trash.scrub()
    assert MARK.encode() not in everything(settings, request)
    assert {(await ann.draft(kept))["version"] for kept in drafts[::2]} == {5}


@pytest.mark.long
async def test_what_was_moved_about_in_the_file_is_gone_from_where_it_stood(
    store: Store, settings: Settings, request: pytest.FixtureRequest
) -> None:
    chance, held = random.Random(7), list[tuple[UUID, str]]()
    await store.people.new_key("ann", ANN)
    async with desk(store) as writer:
        for number in range(1_500):
            word = MARK if number % 2 else "kept"
            text = {"t": f"{word} {number} " * chance.randrange(1, 120)}
            held.append((await writer.open(text, subject=f"{word}{number}"), word))
            for _ in range(chance.randrange(4)):
                draft, word = chance.choice(held)
                text = {f"f{chance.randrange(9)}": f"{word} " * chance.randrange(1, 200)}
                await writer.edit(draft, text)
        await (await level(store)).rest_all(ANN)
    for draft, word in held:
        if word == MARK:
            assert await store.trash.purge(draft, None, ANN, NOON)
    await store.trash.scrub()
    assert MARK.encode() not in everything(settings, request)
    assert await store.log.count_drafts() == 750


def everything(settings: Settings, request: pytest.FixtureRequest) -> bytes:
    """All bytes of an SQLite database's files, or all rows of PostgreSQL's tables, unpacked."""
    if (path := settings.sqlite_path) is not None:
        files = [path, *path.parent.glob(f"{path.name}-*")]
        return b"".join(file.read_bytes() for file in files)
    server: postgres.Server = request.getfixturevalue("postgres_server")
    database: postgres.Database = request.getfixturevalue("postgres_database")
    with psycopg.connect(server.url(postgres.SUPERUSER, database.name)) as above:
        names = above.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'variorum'::regnamespace "
            "AND relkind = 'r'"
        ).fetchall()
        rows = [above.execute(f'SELECT * FROM variorum."{name}"').fetchall() for (name,) in names]
    return repr(rows).encode()


async def test_every_table_that_knows_drafts_is_emptied_of_them(
    ann: Caller, tamper: Tamper, settings: Settings
) -> None:
    draft = await full_of_marks(ann)
    tables = of_drafts(tamper, settings)
    assert {"states", "versions", "drafts", "access", "slots"} <= tables
    await ann.discard(draft)
    await purges(ann, draft)
    left = {
        table
        for table in tables
        if tamper(f"SELECT 1 FROM {table} WHERE draft = %s", UUID(draft["id"]))
    }
    assert left == {"tombstones"}
    assert not tamper("SELECT 1 FROM stored_events WHERE originator_id = %s", UUID(draft["id"]))


def of_drafts(tamper: Tamper, settings: Settings) -> set[str]:
    """The tables with a column that names a draft, whoever made them."""
    on_sqlite = (
        "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c "
        "WHERE m.type = 'table' AND c.name = 'draft'"
    )
    on_postgres = (
        "SELECT table_name FROM information_schema.columns "
        "WHERE table_schema = 'variorum' AND column_name = 'draft'"
    )
    return {name for (name,) in tamper(on_sqlite if settings.on_sqlite else on_postgres)}


async def test_the_chains_and_checkpoints_still_hold(
    ann: Caller, settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    kept = await ann.open({"fee": 1}, another=True)
    draft = await discarded(ann, await ann.open({"fee": 1}))
    checkpoint, said = tmp_path / "checkpoint.json", list[str]()
    with checkpoint.open("wb") as file:
        await proving.checkpoint(settings, clock(), file.write)
    await purges(ann, draft)
    tally = await proving.verify_log(settings, checkpoint, said.append, lambda *_: None)
    assert (tally.intact, tally.drafts, tally.purged, said) == (True, 1, 1, [])
    assert (await ann._gets("GET", f"{kept['id']}/verify"))["intact"]


# -- at the same moment


async def test_another_process_lets_go_of_a_purged_draft(
    ann: Caller, other: Service, clock: Clock
) -> None:
    draft = await discarded(ann, await ann.open({"fee": 1}))
    id_ = UUID(draft["id"])
    await other.letting_go.start()
    await other.writer.held(id_)
    await other.catch_up.drain()
    await other.catch_up._load(id_)
    await purges(ann, draft)
    await other.letting_go.look()
    assert id_ not in other.writer._held
    assert id_ not in other.catch_up._known
    await other.letting_go.stop()


async def test_a_save_to_what_another_process_purged_finds_it_gone(
    ann: Caller, other: Service, store: Store
) -> None:
    draft = await ann.open({"fee": 1})
    id_ = UUID(draft["id"])
    await ann.save(draft, replace("/fee", 2))  # so that ann's process holds it
    assert await store.trash.purge(id_, 2, "ada-key-0001", other.parts.clock())
    problem(await ann.tries(draft, replace("/fee", 3)), 410, "draft-purged")
    problem(await ann.tries(draft, replace("/fee", 3)), 410, "draft-purged")
    assert await store.load(id_) is None


async def test_saves_during_a_purge_are_before_it_or_refused(
    ann: Caller, other: Service, clock: Clock, store: Store
) -> None:
    for _ in range(10):
        draft = await ann.open({"n": 0}, another=True)
        id_ = UUID(draft["id"])
        saves = [asyncio.create_task(ann.tries(draft, replace("/n", n))) for n in range(5)]
        assert await store.trash.purge(id_, None, "ada-key-0001", clock())
        answers = await asyncio.gather(*saves)
        assert {answer.status_code for answer in answers} <= {200, 410}
        problem(await ann.asks("GET", draft["id"]), 410, "draft-purged")
        await ann.lists()
        assert await store.load(id_) is None


async def test_a_purge_while_the_read_models_catch_up_leaves_nothing(
    ann: Caller, store: Store, other: Service, clock: Clock, tamper: Tamper
) -> None:
    drafts = [UUID((await ann.open({"title": MARK}, another=True))["id"]) for _ in range(30)]
    key = await store.people.key_of("ann")
    assert key is not None

    async def purge_all() -> None:
        for draft in drafts:
            await store.trash.purge(draft, None, key, clock())

    async def catch_up() -> None:
        for _ in range(5):
            await other.catch_up.drain()
            await other.catch_up.rest_all(key)

    await asyncio.gather(purge_all(), catch_up(), catch_up(), ann.lists(q=MARK))
    await ann.lists(q=MARK)
    for table in ("drafts", "states", "versions"):
        assert tamper(f"SELECT draft FROM {table}") == []


async def test_what_was_read_for_a_rebuild_is_not_written_after_a_purge(
    ann: Caller, store: Store, clock: Clock, tamper: Tamper
) -> None:
    kept = await ann.open({"title": "kept"}, another=True)
    draft = UUID((await full_of_marks(ann))["id"])
    rebuilt = await read_again(store, draft)
    assert await store.trash.purge(draft, None, "ada-key-0001", clock())
    await store.read_models.replace(rebuilt)
    await rebuild(store)
    for table in ("drafts", "states", "versions"):
        assert {row[0] for row in tamper(f"SELECT draft FROM {table}")} <= {
            UUID(kept["id"]),
            UUID(kept["id"]).hex,
        }

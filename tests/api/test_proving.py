"""Histories verified, checkpointed, moved out and in, each command as a real process."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from domain.chain import FIRST, Chain, ChainKey
from projections.store.base import Store
from tests import postgres
from tests.api.calls import Caller, Document, replace
from tests.api.stories import everything_about, some_history
from tests.commands import KEYS, Operator, command
from tests.domain.scenes import ANN
from tests.projections.histories import desk
from tests.tampering import Tamper

CHAIN_KEY = KEYS["VARIORUM_CHAIN_KEY"]
NEW_KEY = "made up for tests, the key of the next year"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def auditor(tmp_path: Path) -> Operator:
    """Somebody with the key of the chain and no database, beside the operator's files."""
    return Operator(tmp_path, {"VARIORUM_CHAIN_KEY": CHAIN_KEY})


@pytest.fixture
def elsewhere(postgres_server: postgres.Server, tmp_path: Path) -> Iterator[Operator]:
    """An operator with an empty PostgreSQL database, and another key of the chain."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    keys = {**KEYS, "VARIORUM_CHAIN_KEY": NEW_KEY, "VARIORUM_OLD_CHAIN_KEYS": CHAIN_KEY}
    with postgres.fresh_database(postgres_server) as database:
        owner = {"VARIORUM_OWNER_URL": database.owner_url}
        yield Operator(folder, {"DATABASE_URL": database.service_url, **owner, **keys})


# -- export


async def test_an_export_has_every_event_once_draft_by_draft_as_it_was_stored(
    operator: Operator, ann: Caller, ben: Caller, store: Store
) -> None:
    drafts = sorted(draft for _, draft in await some_history(ann, ben))
    records = [r for draft in drafts for r in await store.events(UUID(draft), 0, 1_000)]

    lines = operator.succeeds("export").encode().splitlines()

    facts = [orjson.loads(line) for line in lines]
    key = ChainKey(CHAIN_KEY.encode())
    assert facts[0] == {"variorum": "export", "format": 2, "key": key.id.hex()}
    assert {fact["sub"] for fact in facts if "person" in fact} == {"ann", "ben"}
    assert list(facts[-1]) == ["signature"]
    events = [(line, fact) for line, fact in zip(lines, facts, strict=True) if "draft" in fact]
    assert [(fact["draft"], fact["version"], fact["topic"]) for _, fact in events] == [
        (str(r.draft), r.version, r.topic) for r in records
    ]
    for (line, _), record in zip(events, records, strict=True):
        assert line.endswith(b',"state":%b}' % record.state)
    assert [bytes.fromhex(fact["hash"]) for _, fact in events] == links_of(events, Chain(key))


async def test_an_export_of_chosen_drafts_has_these_and_each_once(
    operator: Operator, ann: Caller, ben: Caller
) -> None:
    one, other, *_ = [draft for _, draft in await some_history(ann, ben)]
    everything = operator.exports()

    chosen = operator.exports(other, one, other)

    assert chosen == [event for event in everything if event["draft"] in (one, other)]


async def test_an_export_never_overwrites_a_file_and_leaves_none_that_is_half_done(
    operator: Operator, ann: Caller
) -> None:
    draft = await ann.open({"title": "Jazz"})
    file = operator.folder / "drafts.jsonl"

    unknown = operator.runs("export", draft["id"], NOBODY, "-o", "drafts.jsonl")
    assert unknown.refusal == f"There is no draft {NOBODY}."
    assert not file.exists()

    assert operator.runs("export", "-o", "drafts.jsonl").err == "Wrote 1 event.\n"
    written = file.read_bytes()
    again = operator.runs("export", "-o", "drafts.jsonl")
    assert again.refusal == "drafts.jsonl exists already; name another file."
    assert file.read_bytes() == written


def test_an_export_of_what_is_no_id_is_refused(operator: Operator) -> None:
    assert operator.runs("export", "jazz").refusal == "jazz is not the id of a draft."


# -- import


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_drafts_move_to_postgresql_and_back_and_are_what_they_were(
    operator: Operator, elsewhere: Operator, ann: Caller, ben: Caller
) -> None:
    drafts = await some_history(ann, ben)
    before = [await everything_about(*one) for one in drafts]
    file = operator.folder / "drafts.jsonl"
    operator.succeeds("export", "-o", file)
    elsewhere.succeeds("migrate")

    said = elsewhere.succeeds("import", file)

    versions = sum(len(one[1]["items"]) for one in before)
    assert said == (
        f"Imported {versions} versions: {len(drafts)} new drafts,"
        " 0 continued, 0 already here, 0 refused.\n"
    )
    assert elsewhere.succeeds("verify").endswith(": all as recorded.\n")
    with elsewhere.serves() as serving:
        async with (
            serving.called_by(ann.token) as ann_there,
            serving.called_by(ben.token) as ben_there,
        ):
            there = {ann: ann_there, ben: ben_there}
            assert [await everything_about(there[who], id_) for who, id_ in drafts] == before
            await ann_there.save(drafts[0][1], replace("/fee", "after the move"))
    assert elsewhere.succeeds("import", file).endswith("0 refused.\n")

    elsewhere.succeeds("export", "-o", elsewhere.folder / "back.jsonl")
    back = operator.having(VARIORUM_OLD_CHAIN_KEYS=NEW_KEY)
    said = back.succeeds("import", elsewhere.folder / "back.jsonl")

    assert said == (
        f"Imported 1 version: 0 new drafts, 1 continued, {len(drafts) - 1} already here,"
        " 0 refused.\n"
    )
    assert back.exports() == elsewhere.exports()
    assert (await ann.draft(drafts[0][1]))["data"]["fee"] == "after the move"
    assert back.succeeds("verify").endswith(": all as recorded.\n")


async def test_drafts_of_a_trial_on_sqlite_move_with_the_key_in_its_secret_file(
    newcomer: Operator, on_postgres: Operator
) -> None:
    token = newcomer.succeeds("token", "ann").strip()
    with newcomer.serves() as serving:
        async with serving.called_by(token) as trying:
            await trying.open({"title": "Jazz"})
    newcomer.succeeds("export", "-o", "trial.jsonl")
    file = newcomer.folder / "trial.jsonl"

    refusal = on_postgres.runs("import", file).refusal
    secret = (newcomer.folder / "variorum.db.secret").read_text()
    said = on_postgres.having(VARIORUM_OLD_CHAIN_KEYS=secret).succeeds("import", file)

    assert re.search(r"trial\.jsonl cannot be relied on: .* the key \w{8} is not known\.$", refusal)
    assert said.startswith("Imported 1 version: 1 new draft, ")


async def test_an_import_names_what_it_refuses_and_exits_with_1(
    operator: Operator, ann: Caller, ben: Caller, tamper: Tamper
) -> None:
    gig = await ann.open({"title": "Jazz"})
    await ben.open({"title": "Blues"})
    operator.succeeds("export", "-o", "early.jsonl")
    tamper("DELETE FROM stored_events WHERE originator_id = %s", UUID(gig["id"]))
    tamper(
        "INSERT INTO tombstones (draft, owner, versions, head, by, at) "
        "VALUES (%s, 'k', 1, %s, 'k', '2026-03-02T11:00:00Z')",
        *(UUID(gig["id"]), b"h" * 36),
    )

    done = operator.runs("import", "early.jsonl")

    assert done.code == 1
    assert done.out.splitlines() == [
        f"draft {gig['id']}: it was purged here",
        "Imported 0 versions: 0 new drafts, 0 continued, 1 already here, 1 refused.",
    ]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_is_no_export_is_refused_in_one_sentence(operator: Operator) -> None:
    operator.succeeds("checkpoint", "-o", "checkpoint")
    for name, file, why in (
        ("verify", "nowhere", "nowhere cannot be used: No such file or directory."),
        ("import", ".", ". cannot be used: Is a directory."),
        ("verify", "variorum.db", "variorum.db is no export of Variorum."),
        ("import", "checkpoint", "checkpoint is no export of Variorum."),
    ):
        assert operator.runs(name, file).refusal == why


# -- verify


async def test_verify_names_what_was_altered_and_exits_with_1(
    operator: Operator, auditor: Operator, ann: Caller, ben: Caller, tamper: Tamper
) -> None:
    drafts = [draft for _, draft in await some_history(ann, ben)]
    untouched = operator.succeeds("verify")
    events = untouched.split()[1]
    assert untouched == f"Checked {events} events of 4 drafts: all as recorded.\n"
    assert operator.runs("checkpoint", "-o", "c").err == "Wrote the heads of 4 drafts.\n"
    where = "WHERE originator_id = %s AND originator_version"
    tamper(f"UPDATE stored_events SET state = %s {where} = 4", b'{"by":"x"}', UUID(drafts[0]))
    tamper(f"DELETE FROM stored_events {where} = 2", UUID(drafts[1]))
    operator.succeeds("export", "-o", "e")

    alone, held_against = operator.runs("verify"), operator.runs("verify", "--checkpoint", "c")
    offline = auditor.runs("verify", "e", "--checkpoint", "c")

    altered = f"draft {drafts[0]}: version 4 altered"
    cut = f"draft {drafts[1]}: version 2 missing"
    left = int(events) - 1
    assert (alone.code, held_against.code, offline.code) == (1, 1, 1)
    assert alone.out.splitlines() == [
        altered,
        f"Checked {left} events of 4 drafts: 1 draft not as recorded.",
    ]
    for done in (held_against, offline):
        assert sorted(done.out.splitlines()) == sorted(
            [altered, cut, f"Checked {left} events of 4 drafts: 2 drafts not as recorded."]
        )


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_an_export_is_verified_with_the_key_and_nothing_else(
    operator: Operator, auditor: Operator, ann: Caller, ben: Caller
) -> None:
    await some_history(ann, ben)
    operator.succeeds("export", "-o", "e")
    for file in operator.folder.glob("variorum.db*"):
        file.unlink()
    before = set(operator.folder.iterdir())

    assert auditor.succeeds("verify", "e").endswith("of 4 drafts: all as recorded.\n")
    stranger = auditor.having(VARIORUM_CHAIN_KEY=NEW_KEY).runs("verify", "e")
    assert stranger.code == 1
    assert "1 fault in the file" in stranger.out
    assert "4 drafts could not be checked" in stranger.out
    nobody = Operator(operator.folder).runs("verify", "e")
    assert nobody.refusal == "Set VARIORUM_CHAIN_KEY to the key that the file was made with."
    assert set(operator.folder.iterdir()) == before


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_changed_key_is_asked_for_until_it_is_listed_as_an_old_one(
    operator: Operator, ann: Caller
) -> None:
    draft = await ann.open({"title": "Jazz"})
    later = operator.having(VARIORUM_CHAIN_KEY=NEW_KEY)
    with later.serves() as serving:
        async with serving.called_by(ann.token) as again:
            await again.save(draft, replace("/title", "Late jazz"))

    done = later.runs("verify")
    assert done.code == 1
    assert done.out.endswith("Checked 2 events of 1 draft: 1 draft could not be checked.\n")
    key = ChainKey(CHAIN_KEY.encode()).id.hex()
    assert f"version 1 not checked, since the key {key} is not known\n" in done.out
    both = later.having(VARIORUM_OLD_CHAIN_KEYS=CHAIN_KEY)
    assert both.succeeds("verify").endswith(": all as recorded.\n")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_checkpoint_that_was_altered_is_refused(operator: Operator, ann: Caller) -> None:
    await ann.open({"title": "Jazz"})
    operator.succeeds("checkpoint", "-o", "c")
    file = operator.folder / "c"
    file.write_text(file.read_text().replace('"version":1', '"version":2'))

    refusal = operator.runs("verify", "--checkpoint", "c").refusal

    assert refusal == (
        "c cannot be relied on: its signature does not hold: lines were altered, added or removed."
    )


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_database_that_is_damaged_is_named_in_one_sentence(operator: Operator) -> None:
    file = operator.folder / "variorum.db"
    operator.succeeds("verify")
    content = file.read_bytes()
    file.write_bytes(content[:4_096] + b"\xff" * (len(content) - 4_096))

    assert "variorum.db cannot be used as a database: " in operator.runs("verify").refusal


# -- much at once


@pytest.mark.long
async def test_100_000_changes_are_exported_and_verified_in_constant_memory(
    operator: Operator, store: Store
) -> None:
    few = await peaks(operator, store, 1_000)
    many = await peaks(operator, store, 100_000)
    assert [name for name in few if many[name] - few[name] > 16] == [], (few, many)


async def peaks(operator: Operator, store: Store, changes: int) -> dict[str, int]:
    """The megabytes that each command takes with a draft of so many changes."""
    await store.people.new_key("ann", ANN)
    async with desk(store) as ann:
        draft = await ann.open({"n": 0, "text": "word " * 100})
        for start in range(0, changes, 1_000):
            await ann.edits(draft, [{"n": n, "m": f"{n}"} for n in range(start, start + 1_000)])
    file = operator.folder / f"{changes}.jsonl"
    used = {"export": peak_of(operator, "export", "-o", file)}
    used["checkpoint"] = peak_of(operator, "checkpoint", "-o", operator.folder / f"{changes}.c")
    used["verify"] = peak_of(operator, "verify", "--checkpoint", operator.folder / f"{changes}.c")
    used["verify FILE"] = peak_of(operator, "verify", file)
    return used


def peak_of(operator: Operator, *arguments: str | Path) -> int:
    """The most memory that a command held, in megabytes; it must end well."""
    process = subprocess.Popen(
        command(*arguments),
        cwd=operator.folder,
        env=operator.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_maxrss // 1_024


# -- the words of these tests


def links_of(events: list[tuple[bytes, Document]], chain: Chain) -> list[bytes]:
    """The links that the events of an export must have, made again from its lines."""
    last: dict[str, bytes] = {}
    links = []
    for line, event in events:
        state = line.partition(b',"state":')[2][:-1]
        draft, version, topic = event["draft"], event["version"], event["topic"]
        link = chain.link(last.get(draft, FIRST), UUID(draft), version, topic, state)
        links.append(link)
        last[draft] = link
    return links

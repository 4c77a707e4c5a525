"""Both engines give the same answers: one history, played on each, and everything read of both."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.writer import AlreadyBegun
from domain.asked import Edit
from domain.errors import VariorumError
from projections.catch_up import CatchUp
from projections.rebuild import rebuild
from projections.snapshot import body_at
from projections.store.base import DraftFilter, Store, VersionFilter
from projections.store.postgres import PostgresStore
from projections.store.sqlite import SqliteStore
from tests import postgres
from tests.domain.scenes import ANN, BEN, DRAFTS, MONDAY, origin, put
from tests.projections.histories import Desk, desk, facts, lines, log_of, started

PEOPLE = {"ann": ANN, "ben": BEN}
DEVICES = (None, "mac", "ipad")
WORDS = ("jazz", "Blues", "Été", "100%", "a\tb", "", "it's", "中", "night and day")


@pytest.fixture
async def desks(
    sqlite_file: Path, postgres_database: postgres.Database
) -> AsyncIterator[tuple[Desk, Desk]]:
    """A writer on each engine."""
    stores: tuple[Store, Store] = (
        SqliteStore(sqlite_file),
        PostgresStore(postgres_database.service_url),
    )
    async with AsyncExitStack() as stack:
        made = []
        for store in stores:
            await stack.enter_async_context(started(store))
            for sub, key in PEOPLE.items():
                await store.people.new_key(sub, key)
            made.append(await stack.enter_async_context(desk(store)))
        yield made[0], made[1]


KINDS = (
    *["open", "unlabel", "extend", "discard"] * 2,
    *["edit"] * 30,
    *["label", "restore"] * 5,
    *["recover"] * 15,
    "submit",
)


class History:
    """A random history: the same steps for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.drafts = [UUID(int=self.chance.getrandbits(128)) for _ in range(6)]
        self.owners = {draft: self.chance.choice([ANN, BEN]) for draft in self.drafts}
        self.unopened = [*self.drafts]
        self.minutes = 0.0

    def step(self) -> Any:
        """One step: what a desk is asked, as a function of the desk."""
        chance, self.minutes = self.chance, self.minutes + self.chance.choice([0, 1, 9, 30, 31])
        draft = self.unopened.pop() if self.unopened else chance.choice(self.drafts)
        by = self.owners[draft] if chance.random() < 0.97 else chance.choice([ANN, BEN])
        device, seq = chance.choice(DEVICES), chance.randint(0, 60)
        asked = origin(by, self.minutes, device=device, reason=chance.choice([None, "because"]))
        if device is not None and chance.random() < 0.5:
            asked = replace(asked, seq=seq, digest=f"d{seq % 3}")
        kind = chance.choice(KINDS) if self.minutes and len(self.unopened) == 0 else "open"
        return getattr(self, f"_{kind}")(draft, asked)

    def _open(self, draft: UUID, asked: Any) -> Any:
        data = {"title": self.chance.choice(WORDS), "n": 0, "acts": [{"id": "a"}], "text": "x\ny"}
        form, subject = self.chance.choice(["gig", "venue"]), self.chance.choice([None, "", "42"])
        slot = self.chance.random() < 0.6
        return lambda d: d.open(data, asked, form=form, subject=subject, slot=slot, id=draft)

    def _edit(self, draft: UUID, asked: Any) -> Any:
        chance = self.chance
        changes = [
            put("/title", chance.choice(WORDS), "add"),
            put("/n", chance.randint(0, 3), "add"),
            put("/acts/-", {"id": chance.choice("bcde"), "fee": chance.random()}, "add"),
            put("/text", f"a line\n{chance.choice(WORDS)}\n" * chance.randint(1, 40), "add"),
            put("/a~1b", {"deep": [chance.randint(0, 9), None, True]}, "add"),
            {"op": "remove", "path": "/acts/0"},
        ]
        based_on = chance.choice([None, None, chance.randint(1, 9)])
        edit = Edit(based_on, chance.sample(changes, chance.randint(1, 3)))
        edit = replace(edit, step=chance.choice([None, None, "lineup"]))
        return lambda d: d.ask(draft, DRAFTS.edit, edit, asked)

    def _label(self, draft: UUID, asked: Any) -> Any:
        version, label = self.chance.randint(1, 12), self.chance.choice(WORDS)
        return lambda d: d.ask(draft, DRAFTS.label, version, label, asked)

    def _unlabel(self, draft: UUID, asked: Any) -> Any:
        version = self.chance.randint(1, 12)
        return lambda d: d.ask(draft, DRAFTS.unlabel, version, asked)

    def _restore(self, draft: UUID, asked: Any) -> Any:
        data = {"title": self.chance.choice(WORDS), "n": self.chance.randint(0, 5)}
        return lambda d: d.ask(draft, DRAFTS.restore, 1, data, asked)

    def _extend(self, draft: UUID, asked: Any) -> Any:
        return lambda d: d.ask(draft, DRAFTS.extend, asked)

    def _submit(self, draft: UUID, asked: Any) -> Any:
        return lambda d: d.ask(draft, DRAFTS.submit, asked)

    def _discard(self, draft: UUID, asked: Any) -> Any:
        return lambda d: d.ask(draft, DRAFTS.discard, asked)

    def _recover(self, draft: UUID, asked: Any) -> Any:
        return lambda d: d.ask(draft, DRAFTS.recover, asked)


async def answer(asked: Any, at: Desk) -> Any:
    """What a desk answers: the receipt, or the error by its name and its sentence."""
    try:
        return await asked(at)
    except (VariorumError, AlreadyBegun) as refused:
        return type(refused).__name__, str(refused)


MOMENTS = [MONDAY + timedelta(minutes=minutes) for minutes in (-1, 0, 1, 60, 600, 10**5)]
VERSIONS = [
    VersionFilter(limit=999),
    VersionFilter(limit=7),
    VersionFilter(before=9, limit=5),
    VersionFilter(by=ANN),
    VersionFilter(by=BEN),
    VersionFilter(device="mac", limit=9),
    VersionFilter(act="edited", limit=99),
    VersionFilter(act="labelled"),
    VersionFilter(path="/acts"),
    VersionFilter(path="/acts/id:b"),
    VersionFilter(path="/a~1b", limit=999),
    *(VersionFilter(path=path) for path in ("/acts/id:a", "/acts/id:b/fee", "/a~1b/deep/1", "")),
    VersionFilter(path="/t"),
    VersionFilter(since=MOMENTS[3], until=MOMENTS[4], limit=99),
    VersionFilter(by=ANN, path="/title", before=20, limit=3),
]
PAGES = [
    DraftFilter(),
    DraftFilter(sort="title"),
    DraftFilter(sort="expires"),
    DraftFilter(status="open"),
    DraftFilter(status="discarded", sort="title"),
    DraftFilter(form="gig"),
    DraftFilter(subject="42"),
    DraftFilter(subject=""),
    DraftFilter(template=False, shared=False, limit=2),
    DraftFilter(shared=True),
    *(DraftFilter(q=word) for word in ("JAZZ", "é", "%", "'", "day", "中", "9")),
]


def plain(rows: Any) -> Any:
    """Lines of the drafts page without what only the engine that made it understands."""
    return [{n: v for n, v in facts(row).items() if n != "sort_key"} for row in rows]


async def everything(store: Store, drafts: list[UUID]) -> dict[str, Any]:
    """All that can be asked of a store."""
    told: dict[str, Any] = {
        "count": await store.log.count_drafts(),
        "ids": await store.log.draft_ids(UUID(int=0), 99),
        "order": [line.record for line in await store.log.lines(0, 10_000)],
        "aside": await store.read_models.set_aside(),
    }
    for draft in drafts:
        head = len(await log_of(store, draft))
        told[f"{draft} head"] = head
        told[f"{draft} seq"] = [
            await store.version_of_seq(draft, device, seq)
            for device in ("mac", "ipad")
            for seq in range(61)
        ]
        for by in (ANN, BEN):
            told[f"{draft} {by}"] = await of_draft(store, draft, by, head)
    for by in (ANN, BEN):
        told[f"pages {by}"] = [plain(await store.drafts(by, wanted)) for wanted in PAGES]
        told[f"slots {by}"] = [
            await store.holder_of_slot(by, form, subject)
            for form in ("gig", "venue")
            for subject in (None, "", "42")
        ]
    return told


async def of_draft(store: Store, draft: UUID, by: str, head: int) -> Any:
    """All that somebody can ask of a draft."""
    readings = [await store.read(by, draft, version) for version in (*range(1, head + 2), None)]
    return {
        "bodies": [None if r is None else body_at(draft, r) for r in readings],
        "roles": [None if r is None else (r.role, r.head, len(r.tail)) for r in readings],
        "moments": [await store.version_at(by, draft, moment) for moment in MOMENTS],
        "events": [await store.event(by, draft, version) for version in range(head + 2)],
        "labels": [await store.label_of(by, draft, version) for version in range(head + 2)],
        "versions": [lines(await store.versions(by, draft, wanted)) for wanted in VERSIONS],
        "sessions": [
            [facts(row) for row in await store.sessions(by, draft, wanted)] for wanted in VERSIONS
        ],
    }


async def play(desks: tuple[Desk, Desk], seed: int, steps: int) -> None:
    """A history on both engines, compared at every answer, at times and at its end."""
    history = History(seed)
    catch_ups = [CatchUp(at.store) for at in desks]
    for number in range(steps):
        asked = history.step()
        first, second = [await answer(asked, at) for at in desks]
        assert first == second
        if history.chance.random() < 0.1:
            for catch_up in catch_ups:
                await catch_up.level()
                await catch_up.rest_all(history.chance.choice([ANN]))
        if number == steps // 2:
            for at in desks:
                await rebuild(at.store)
    for catch_up in catch_ups:
        while await catch_up._take_batch():
            pass
        for by in (ANN, BEN):
            await catch_up.rest_all(by)
    first, second = [await everything(at.store, history.drafts) for at in desks]
    assert first.keys() == second.keys()
    for name in first:
        assert first[name] == second[name], name


@pytest.mark.parametrize("seed", [1, 2])
async def test_one_history_reads_the_same_on_both_engines(
    desks: tuple[Desk, Desk], seed: int
) -> None:
    await play(desks, seed, steps=200)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 18))
async def test_many_long_histories_read_the_same_on_both_engines(
    desks: tuple[Desk, Desk], seed: int
) -> None:
    await play(desks, seed, steps=500)

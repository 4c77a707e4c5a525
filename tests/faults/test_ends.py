"""Services and sweeps are killed while drafts begin and end: none is there twice or half-done."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from api import proving
from api.settings import Settings
from domain.draft import Draft
from domain.origin import SERVICE, Origin
from projections.snapshot import aggregate
from projections.store.base import BEGINNING, Store
from tests.commands import KEYS, Operator, command
from tests.domain.scenes import DRAFTS
from tests.faults.test_kills import Service
from tests.projections.histories import desk, log_of
from tests.tampering import Tamper

pytestmark = pytest.mark.long

OLD = datetime.now(UTC) - timedelta(days=31)
DUE, IN_TRASH = 200, 100  # drafts whose time is over, of either kind
SUBJECTS, KILLS = 3, 4


@pytest.fixture
def operator(tmp_path: Path, database_url: str) -> Operator:
    """Somebody with a migrated database of either engine."""
    return Operator(
        tmp_path, {"DATABASE_URL": database_url, "VARIORUM_LOG_LEVEL": "warning", **KEYS}
    )


async def test_whatever_is_killed_no_draft_is_open_twice_or_ended_by_halves(
    operator: Operator, store: Store, settings: Settings, tamper: Tamper
) -> None:
    due, in_trash = await long_ago(store, settings)
    async with Service.of(operator) as service:
        callers = [asyncio.create_task(begins_and_ends(service, n)) for n in range(4)]
        for _ in range(KILLS):
            await killed_in_the_middle(operator, store)
            service.crash()
        await asyncio.to_thread(operator.succeeds, "sweep")
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
    await asyncio.to_thread(operator.succeeds, "sweep")

    drafts = await all_drafts(store)
    for draft in due:
        acts = [record.topic for record in await log_of(store, draft)]
        assert acts == ["draft.opened", "draft.expired"]
    assert not set(in_trash) & drafts.keys()
    for table in ("access", "slots", "states", "versions", "drafts"):
        rows = {UUID(str(row[0])) for row in tamper(f"SELECT draft FROM {table}")}
        assert not set(in_trash) & rows, table
    tombs = {UUID(str(row[0])) for row in tamper("SELECT draft FROM tombstones")}
    assert tombs == set(in_trash)

    holding = [d for d in drafts.values() if d.status == "open" and d.slot]
    places = [(d.owner, d.form, d.subject) for d in holding]
    assert len(set(places)) == len(places)
    slots = {UUID(str(row[0])) for row in tamper("SELECT draft FROM slots")}
    assert slots == {d.id for d in holding}
    tally = await proving.verify_log(settings, None, print, lambda *_: None)
    assert tally.intact
    assert tally.drafts == len(drafts)


async def long_ago(store: Store, settings: Settings) -> tuple[list[UUID], list[UUID]]:
    """Drafts that were opened, and others that were discarded, more than 30 days ago."""
    at = Origin(await store.people.new_key("old", "old-key-0001"), OLD)
    async with desk(store) as writer:
        due = [await writer.open({"n": n}, at, subject=f"due {n}", slot=True) for n in range(DUE)]
        trash = [await writer.open({"n": n}, at) for n in range(IN_TRASH)]
        for draft in trash:
            await writer.run(draft, DRAFTS.discard, at)
    return due, trash


async def begins_and_ends(service: Service, number: int) -> None:
    """Open, save and finish drafts about a few subjects, whatever becomes of the service."""
    chance = random.Random(number)
    while True:
        subject = {"form": "gig", "subject": str(chance.randrange(SUBJECTS))}
        try:
            draft = (await service.asks("POST", json={**subject, "data": {}}))["id"]
            await asyncio.sleep(chance.uniform(0, 0.05))
            method, path = chance.choice((("POST", f"/{draft}/submit"), ("DELETE", f"/{draft}")))
            await service.http.request(
                method,
                f"{service._drafts}{path}",
                headers={"authorization": f"Bearer {service.token}"},
            )
        except httpx.TransportError:
            await asyncio.sleep(0.02)


async def killed_in_the_middle(operator: Operator, store: Store) -> None:
    """Begin a sweep, and kill it once it has done something."""
    before = await ended(store)
    sweep = await asyncio.create_subprocess_exec(
        *command("sweep"),
        cwd=operator.folder,
        env=operator.environment(),
        stdout=asyncio.subprocess.DEVNULL,
    )
    while sweep.returncode is None and await ended(store) == before:  # noqa: ASYNC110
        await asyncio.sleep(0.002)
    if sweep.returncode is None:
        sweep.kill()
    await sweep.wait()


async def ended(store: Store) -> int:
    """How many events and tombstones a sweep has left so far, about."""
    gone = await store.trash.last_gone()
    by_service = [line for line in await store.log.lines(0, 100_000) if line.record.by == SERVICE]
    return gone.tombstone + len(by_service)


async def all_drafts(store: Store) -> dict[UUID, Draft]:
    """Every draft as the log has it."""
    found: dict[UUID, Draft] = {}
    after = BEGINNING
    while ids := await store.log.draft_ids(after, 500):
        for draft in ids:
            loaded = await store.load(draft)
            assert loaded is not None
            found[draft] = aggregate(draft, loaded, reach=0)[0]
        after = ids[-1]
    return found

"""The life of a draft by the clock: expiry, trash and purge, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from api.service import Service
from api.settings import Settings
from api.sweeping import Swept
from domain.origin import SERVICE
from tests.api.calls import Caller, Document, problem, replace
from tests.api.services import DAY, beside
from tests.running import Clock
from tests.tampering import Tamper

NOTHING = Swept(0, 0)


@pytest.fixture
async def other(settings: Settings, clock: Clock) -> AsyncIterator[Service]:
    """Another process, which sweeps."""
    async with beside(settings, clock) as service:
        yield service


async def swept(service: Service, clock: Clock) -> Swept:
    """What a sweep did now."""
    done = await service.sweep.run(clock())
    assert done is not None, "another one is at it"
    return done


async def acts(ann: Caller, draft: Document) -> list[tuple[str, str]]:
    """What happened to a draft and by whom, the newest first."""
    return [(v["act"], v["by"]) for v in (await ann.versions(draft))["items"]]


async def test_a_draft_goes_through_expiry_and_trash_to_its_end(
    ann: Caller, ben: Caller, other: Service, clock: Clock
) -> None:
    draft = await ann.open({"fee": 1}, subject="42")
    clock.tick(30 * DAY - 1)
    assert await swept(other, clock) == NOTHING
    clock.tick(1)
    assert (await ann.draft(draft))["status"] == "open"  # until the sweep records it

    assert await swept(other, clock) == Swept(1, 0)
    assert await swept(other, clock) == NOTHING
    expired = await ann.draft(draft)
    assert (expired["status"], expired["data"], expired["version"]) == ("expired", {"fee": 1}, 2)
    assert await acts(ann, draft) == [("expired", SERVICE), ("opened", "ann")]
    late = await ann.tries(draft, replace("/fee", 2))
    assert problem(late, 409, "draft-closed")["draft_status"] == "expired"

    clock.tick(30 * DAY - 1)
    assert await swept(other, clock) == NOTHING
    clock.tick(1)
    assert await swept(other, clock) == Swept(0, 1)
    tombstone = problem(await ann.asks("GET", draft["id"]), 410, "draft-purged")["tombstone"]
    assert (tombstone["owner"], tombstone["by"], tombstone["versions"]) == ("ann", SERVICE, 2)
    problem(await ben.asks("GET", draft["id"]), 404, "draft-not-found")
    assert (await ann.lists())["items"] == []


async def test_a_save_and_an_extension_put_the_expiry_off(
    ann: Caller, other: Service, clock: Clock
) -> None:
    saved, extended = await ann.open({"fee": 1}), await ann.open(another=True)
    clock.tick(29 * DAY)
    await ann.save(saved, replace("/fee", 2))
    await ann.extend(extended)
    clock.tick(29 * DAY)
    assert await swept(other, clock) == NOTHING
    clock.tick(DAY)
    assert await swept(other, clock) == Swept(2, 0)


async def test_an_expired_draft_comes_back_for_its_full_time(
    ann: Caller, other: Service, clock: Clock
) -> None:
    draft = await ann.open({"fee": 1}, subject="42")
    clock.tick(30 * DAY)
    await swept(other, clock)
    clock.tick(29 * DAY)
    await ann.recover(draft)
    clock.tick(29 * DAY)
    assert await swept(other, clock) == NOTHING
    assert (await ann.open(subject="42"))["id"] == draft["id"]
    clock.tick(DAY)
    assert await swept(other, clock) == Swept(1, 0)
    clock.tick(29 * DAY)
    assert await swept(other, clock) == NOTHING, "the trash counts from the second time"


async def test_an_expired_draft_does_not_come_back_to_a_place_that_is_taken(
    ann: Caller, other: Service, clock: Clock
) -> None:
    draft = await ann.open({"fee": 1}, subject="42")
    clock.tick(30 * DAY)
    await swept(other, clock)
    new = await ann.open(subject="42")
    assert new["id"] != draft["id"]
    answer = await ann.asks("POST", f"{draft['id']}/recover")
    assert problem(answer, 409, "slot-taken")["draft"] == new["id"]


async def test_what_is_done_to_a_draft_in_the_trash_does_not_keep_it_there(
    ann: Caller, other: Service, clock: Clock
) -> None:
    draft = await ann.open({"fee": 1})
    await ann.discard(draft)
    clock.tick(20 * DAY)
    await ann.label(draft, 1, "was nice")
    clock.tick(10 * DAY)
    assert await swept(other, clock) == Swept(0, 1)


async def test_submitted_drafts_are_kept(ann: Caller, other: Service, clock: Clock) -> None:
    draft = await ann.open({"fee": 1})
    await ann.submit(draft)
    clock.tick(3_000 * DAY)
    assert await swept(other, clock) == NOTHING
    assert (await ann.draft(draft))["status"] == "submitted"


async def test_many_drafts_go_in_one_sweep(ann: Caller, other: Service, clock: Clock) -> None:
    for number in range(120):
        await ann.open({"n": number}, another=True)
    clock.tick(30 * DAY)
    told: list[tuple[int, int]] = []
    done = await other.sweep.run(clock(), lambda *far: told.append(far))
    assert done == Swept(120, 0)
    assert told == [(50, 120), (100, 120), (120, 120)]
    clock.tick(30 * DAY)
    await other.catch_up.drain()
    assert await other.sweep.due(clock()) == Swept(0, 120)
    assert await swept(other, clock) == Swept(0, 120)


async def test_a_save_at_the_moment_of_the_sweep_wins_or_loses_as_a_whole(
    ann: Caller, other: Service, clock: Clock
) -> None:
    drafts = [await ann.open({"n": 0}, another=True) for _ in range(40)]
    clock.tick(30 * DAY)
    saves = [ann.tries(draft, replace("/n", 1), device="mac", seq=1) for draft in drafts]
    sweep = asyncio.create_task(swept(other, clock))
    answers = await asyncio.gather(*saves)
    await sweep
    for draft, answer in zip(drafts, answers, strict=True):
        now = await ann.draft(draft)
        if answer.status_code == 200:
            # Saved before the sweep came to it, so that it stays; or never the other way round.
            assert (now["status"], now["data"], now["version"]) == ("open", {"n": 1}, 2)
        else:
            assert problem(answer, 409, "draft-closed")["draft_status"] == "expired"
            assert (now["status"], now["data"], now["version"]) == ("expired", {"n": 0}, 2)


async def test_two_sweeps_at_once_do_the_work_once(
    ann: Caller, settings: Settings, other: Service, clock: Clock
) -> None:
    drafts = [await ann.open({"n": n}, another=True) for n in range(60)]
    clock.tick(30 * DAY)
    async with beside(settings, clock) as third:
        done = await asyncio.gather(other.sweep.run(clock()), third.sweep.run(clock()))
        assert sum(one.expired for one in done if one is not None) == 60
        assert None in done, "the second waits for no lock"
    for draft in drafts[::20]:
        assert await acts(ann, draft) == [("expired", SERVICE), ("opened", "ann")]


class Killed(Exception):
    """The process ended."""


async def test_a_sweep_that_is_killed_half_way_is_finished_by_the_next(
    ann: Caller, settings: Settings, clock: Clock
) -> None:
    drafts = [await ann.open({"n": n}, subject=str(n)) for n in range(60)]
    for days, status in ((30, "expired"), (30, None)):
        clock.tick(days * DAY)
        async with beside(settings, clock) as dying:
            with pytest.raises(Killed):
                await dying.sweep.run(clock(), _killing)
        async with beside(settings, clock) as other:
            rest = await swept(other, clock)
            assert 0 < rest.total < 60, "one batch was done before"
            assert await swept(other, clock) == NOTHING
        answers = [await ann.asks("GET", draft["id"]) for draft in drafts]
        if status is not None:
            assert {a.json()["status"] for a in answers} == {status}
            assert {a.json()["version"] for a in answers} == {2}
        else:
            assert {a.status_code for a in answers} == {410}
    assert [len(await acts(ann, await ann.open(subject=str(n)))) for n in (0, 59)] == [1, 1]


def _killing(done: int, total: int) -> None:
    raise Killed


async def test_a_draft_that_cannot_be_read_keeps_no_other_from_its_end(
    ann: Caller, other: Service, clock: Clock, tamper: Tamper
) -> None:
    broken, sound = await ann.open(another=True), await ann.open(another=True)
    await ann.lists(q="rests both of them")
    tamper("UPDATE stored_events SET state = %s WHERE originator_id = %s", b"{", UUID(broken["id"]))
    tamper("DELETE FROM states WHERE draft = %s", UUID(broken["id"]))
    clock.tick(30 * DAY)
    assert await swept(other, clock) == Swept(1, 0)
    assert (await ann.draft(sound))["status"] == "expired"

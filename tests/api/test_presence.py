"""Who is at a draft: told to those who read it, known for a moment, kept nowhere."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from starlette.types import ASGIApp

from api.presence import DEVICES, Asked, Here, Presence, heard, said
from tests.api.calls import Caller, Document, Process, id_of, problem
from tests.api.streams import PATIENCE, streaming
from tests.running import NOON, Clock


async def comes(who: Caller, draft: Document, device: str, **where: object) -> httpx.Response:
    """A device says where it is."""
    body = {"device": device, **where}
    return await who.asks("PUT", f"{id_of(draft)}/presence", json=body)


def line(device: str, path: str | None = None, *, idle: bool = False, since: int = 0) -> Document:
    """How somebody who is there is shown."""
    at = (NOON + timedelta(seconds=since)).isoformat().replace("+00:00", "Z")
    return {"user": "ann", "device": device, "path": path, "idle": idle, "since": at}


async def test_a_device_is_shown_at_its_field_until_it_leaves(
    service: ASGIApp, ann: Caller, clock: Clock
) -> None:
    draft = await ann.open({"fee": 100})
    async with streaming(service, ann, draft) as stream:
        answer = await comes(ann, draft, "mac", path="/fee")
        assert (answer.status_code, answer.content) == (204, b"")
        clock.tick(5)
        await comes(ann, draft, "ipad")
        await comes(ann, draft, "mac", path="/title", idle=True)
        await stream.tells("presence", 4)
        leaving = await ann.asks("DELETE", f"{id_of(draft)}/presence", params={"device": "mac"})
        assert leaving.status_code == 204
        await stream.tells("presence", 5)
        assert [event.data["present"] for event in stream.named("presence")] == [
            [],
            [line("mac", "/fee")],
            [line("mac", "/fee"), line("ipad", since=5)],
            [line("mac", "/title", idle=True), line("ipad", since=5)],
            [line("ipad", since=5)],
        ]
        assert stream.versions == []


async def test_who_is_there_already_is_told_to_whoever_comes(service: ASGIApp, ann: Caller) -> None:
    draft = await ann.open({"fee": 100})
    async with streaming(service, ann, draft):
        await comes(ann, draft, "mac")
        async with streaming(service, ann, draft) as stream:
            assert stream.named("presence")[0].data == {"present": [line("mac")]}


async def test_saying_the_same_again_is_no_news_and_keeps_a_device_there(
    service: ASGIApp, ann: Caller, clock: Clock
) -> None:
    draft = await ann.open({"fee": 100})
    async with streaming(service, ann, draft) as stream:
        await comes(ann, draft, "mac")
        clock.tick(40)
        await comes(ann, draft, "mac")
        clock.tick(40)
        await comes(ann, draft, "ipad")
        await stream.tells("presence", 3)
        assert stream.named("presence")[2].data == {
            "present": [line("mac"), line("ipad", since=80)]
        }
        clock.tick(6)
        await stream.tells("presence", 4)
        assert stream.named("presence")[3].data == {"present": [line("ipad", since=80)]}


async def test_a_device_is_gone_with_the_stream_that_names_it(
    service: ASGIApp, ann: Caller
) -> None:
    draft = await ann.open({"fee": 100})
    async with streaming(service, ann, draft) as stream:
        async with streaming(service, ann, draft, device="mac"):
            await comes(ann, draft, "mac")
            await comes(ann, draft, "ipad")
            await stream.tells("presence", 3)
        await stream.tells("presence", 4)
        assert stream.named("presence")[3].data == {"present": [line("ipad")]}


async def test_a_stranger_is_at_no_draft(service: ASGIApp, ann: Caller, ben: Caller) -> None:
    draft = await ann.open({"fee": 100})
    async with streaming(service, ann, draft) as stream:
        problem(await comes(ben, draft, "spy"), 404, "draft-not-found")
        await comes(ann, draft, "mac")
        await stream.tells("presence", 2)
        assert stream.named("presence")[1].data == {"present": [line("mac")]}
        gone = {"id": "11111111-6c0f-4d3e-9a55-3f8b1c2d4e5f"}
        problem(await comes(ann, gone, "mac"), 404, "draft-not-found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"device": ""},
        {"device": "x" * 201},
        {"device": "mac", "path": "/" + "x" * 1_000},
        {"device": "mac", "path": 1},
        {"device": "mac", "idle": "yes"},
        {"device": "mac", "where": "/fee"},
    ],
)
async def test_presence_that_cannot_be_taken_is_refused_by_name(
    ann: Caller, body: Document
) -> None:
    draft = await ann.open({"fee": 100})
    answer = await ann.asks("PUT", f"{id_of(draft)}/presence", json=body)
    assert problem(answer, 422, "invalid")["errors"]


async def test_all_devices_of_somebody_leave_at_once_and_may_never_have_been_there(
    service: ASGIApp, ann: Caller
) -> None:
    draft = await ann.open({"fee": 100})
    path = f"{id_of(draft)}/presence"
    assert (await ann.asks("DELETE", path, params={"device": "mac"})).status_code == 204
    for device in ("mac", "ipad"):
        await comes(ann, draft, device)
    async with streaming(service, ann, draft) as stream:
        assert len(stream.named("presence")[0].data["present"]) == 2
        assert (await ann.asks("DELETE", path)).status_code == 204
        await stream.until(lambda: stream.named("presence")[-1].data == {"present": []})


# -- between processes


async def test_a_device_is_seen_by_way_of_every_process(processes: list[Process]) -> None:
    first, last = processes[0], processes[-1]
    draft = await first.ann.open({"fee": 100})
    async with streaming(first.app, first.ann, draft) as stream:
        async with asyncio.timeout(PATIENCE):
            while len(stream.named("presence")) < 2:  # as soon as the process listens
                await comes(last.ann, draft, "ipad")
                await asyncio.sleep(0.05)
        assert stream.named("presence")[1].data == {"present": [line("ipad")]}
        async with streaming(last.app, last.ann, draft) as late:
            await late.until(lambda: late.named("presence")[-1].data["present"])
            assert late.named("presence")[-1].data == {"present": [line("ipad")]}
        await last.ann.asks("DELETE", f"{id_of(draft)}/presence", params={"device": "ipad"})
        await stream.tells("presence", 3)
        assert stream.named("presence")[2].data == {"present": []}


def test_what_one_process_says_another_hears() -> None:
    here = Here(uuid4(), "ann-key-0001", 'Ann\'s "mac"\n', "/a~1b", True, NOON, NOON)
    assert heard(said(here)) == here
    assert heard(said(Asked(here.draft))) == Asked(here.draft)


@pytest.mark.parametrize(
    "noise", ["", "x", "1", "null", "[]", "{}", '{"draft": "x"}', '{"draft": 1}']
)
def test_anything_else_that_is_heard_is_noise(noise: str) -> None:
    assert heard(noise) is None


def test_what_is_said_of_the_longest_names_fits_into_a_notification() -> None:
    here = Here(uuid4(), "k" * 50, "\x01" * 200, "\x01" * 1_000, False, NOON, NOON)
    assert len(said(here).encode()) < 8_000


def test_many_devices_at_one_draft_take_the_place_of_those_that_were_silent_longest() -> None:
    presence, draft = Presence(Clock()), uuid4()
    for number in range(DEVICES + 10):
        presence.take(presence.came(draft, "ann", f"mac {number}", None, idle=False))
    there = {here.device for here in presence.at(draft)}
    assert there == {f"mac {number}" for number in range(10, DEVICES + 10)}


def test_nothing_is_kept_of_a_draft_that_everybody_left() -> None:
    clock, drafts = Clock(), [uuid4() for _ in range(3)]
    presence = Presence(clock)
    for draft in drafts:
        presence.take(presence.came(draft, "ann", "mac", None, idle=False))
    presence.take(presence.gone(presence.at(drafts[0])[0]))
    clock.tick(46)
    assert presence.fall_silent() == set(drafts[1:])
    assert vars(presence)["_here"] == {}
    assert all(presence.at(draft) == [] for draft in (*drafts, UUID(int=0)))

"""The event stream: what a reader is told, in which order, from where on, and when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st
from starlette.types import ASGIApp

from api.api_keys import ApiKeys
from api.app import create_app
from api.security import make_token
from api.settings import Settings
from domain.value import same
from projections.store.base import Store
from tests.api.calls import Blocking, Caller, Document, caller, id_of, replace, without
from tests.api.receiving import received
from tests.api.streams import streaming
from tests.domain.strategies import edited, forms
from tests.running import NOON, Clock, calling, serving


class Telling:
    """Ann for tests that are no coroutines, and what a stream tells her."""

    def __init__(self, app: ASGIApp, ann: Caller, portal: BlockingPortal) -> None:
        self.ann, self._app, self._caller, self._portal = Blocking(ann, portal), app, ann, portal

    def all_since(self, draft: Document, version: int, last: int) -> list[Document]:
        """The data of the events from one version to another."""
        return self._portal.call(self._read, draft, version, last)

    async def _read(self, draft: Document, version: int, last: int) -> list[Document]:
        async with streaming(self._app, self._caller, draft, last=version) as stream:
            await stream.until(lambda: last == version or last in stream.versions)
            return [event.data for event in stream.named("version")]


@pytest.fixture
def told(settings: Settings, clock: Clock) -> Iterator[Telling]:
    app = create_app(settings, clock=clock)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(app)),
        portal.wrap_async_context_manager(calling(app)) as client,
    ):
        yield Telling(app, caller(client, settings, "ann"), portal)


def copied(event: Document, copy: Document) -> Document:
    """A client's copy of a draft, one version later."""
    return {**event["draft"], "data": received(event["changes"], copy["data"])}


# -- what is told


async def test_without_a_last_event_the_stream_tells_how_the_draft_stands_and_who_is_there(
    service: ASGIApp, ann: Caller
) -> None:
    draft = await ann.open({"fee": 100})
    await ann.save(draft, replace("/fee", 250))
    async with streaming(service, ann, draft) as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        status, presence = stream.events
        assert (status.name, status.id) == ("status", "2")
        assert status.data == without(await ann.draft(draft), "data")
        assert (presence.name, presence.id, presence.data) == ("presence", None, {"present": []})


async def test_a_save_is_told_to_others_with_what_it_changed_in_words(
    service: ASGIApp, ann: Caller
) -> None:
    draft = await ann.open({"fee": 100})
    async with streaming(service, ann, draft) as stream:
        await ann.save(draft, replace("/fee", 250), device="mac", seq=1, reason="agency")
        event = await stream.tells("version")
        assert event.id == "2"
        told = await ann.version(draft, 2)
        assert without(event.data, "draft") == without(told, "label")
        assert told["text"] == "Ann changed Fee from €100 to €250"
        now = await ann.draft(draft)
        assert event.data["draft"] == without(now, "data")
        assert copied(event.data, draft) == now


async def test_everything_that_makes_a_version_is_told(service: ASGIApp, ann: Caller) -> None:
    draft = await ann.open({"fee": 100, "title": "Jazz"})
    async with streaming(service, ann, draft) as stream:
        for device, fee in (("mac", 250), ("ipad", 300)):
            await ann.save(draft, replace("/fee", fee), based_on=1, device=device, seq=1)
        await ann.asks("POST", f"{id_of(draft)}/conflicts/c1/resolve", json={"take": "theirs"})
        await ann.save(draft, step="lineup", completed_steps=["basic"])
        await ann.undo(draft, 2)
        await ann.restore(draft, 1)
        await ann.label(draft, 2, "as sent")
        await ann.extend(draft)
        last = (await ann.draft(draft))["version"]
        await stream.reaches(last)
        events = [event.data for event in stream.named("version")]
        assert [event["version"] for event in events] == list(range(2, last + 1))
        copy = draft
        for event in events:
            copy = copied(event, copy)
            assert without(copy, "saved_at", "expires_at") == without(
                await ann.draft(draft, version=copy["version"]), "saved_at", "expires_at"
            )
        assert [len(event["draft"]["conflicts"]) for event in events][:3] == [0, 1, 0]
        assert events[3]["draft"]["step"] == "lineup"


async def test_a_draft_that_is_finished_or_comes_back_tells_its_status(
    service: ASGIApp, ann: Caller
) -> None:
    draft = await ann.open({"fee": 100})
    async with streaming(service, ann, draft) as stream:
        await ann.discard(draft)
        await ann.recover(draft)
        await ann.submit(draft)
        await stream.tells("status", 4)
        assert [e.data["status"] for e in stream.named("status")] == [
            "open",
            "discarded",
            "open",
            "submitted",
        ]
        assert [event.id for event in stream.named("status")] == ["1", "2", "3", "4"]
        assert stream.versions == [2, 3, 4]


async def test_only_the_draft_that_is_watched_is_told(service: ASGIApp, ann: Caller) -> None:
    draft, other = await ann.open({"n": 1}), await ann.open({"n": 1}, another=True)
    async with streaming(service, ann, draft) as stream, streaming(service, ann, other) as second:
        await ann.save(other, replace("/n", 2))
        await second.reaches(2)
        await ann.save(draft, replace("/n", 3))
        await stream.reaches(2)
        assert stream.versions == [2]
        assert stream.named("version")[0].data["changes"][0]["after"] == 3


@trying(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@given(st.data())
def test_data_and_the_next_event_give_the_data_of_the_next_version(
    told: Telling, data: st.DataObject
) -> None:
    """Of every random history, from its first version to its last."""
    ann = told.ann
    draft = ann.open(data.draw(forms()), another=True)
    for _ in range(data.draw(st.integers(1, 6))):
        now = ann.draft(draft)
        ann.save(draft, data=data.draw(edited(now["data"])), based_on=now["version"])
    last = ann.draft(draft)["version"]
    copy = draft
    for event in told.all_since(draft, 1, last):
        copy = copied(event, copy)
        assert same(copy["data"], ann.data(draft, version=copy["version"]))
    assert copy["version"] == last


# -- from where on


async def test_a_reader_that_comes_again_is_told_everything_since(
    service: ASGIApp, ann: Caller
) -> None:
    draft = await ann.open({"n": 0})
    for n in range(1, 6):
        await ann.save(draft, replace("/n", n))
    async with streaming(service, ann, draft, last=3) as stream:
        assert [(event.name, event.id) for event in stream.events] == [
            ("version", "4"),
            ("version", "5"),
            ("version", "6"),
            ("status", "6"),
            ("presence", None),
        ]
    async with streaming(service, ann, draft, last_event_id=5) as stream:
        assert stream.versions == [6]
    async with streaming(service, ann, draft, last=6) as stream:
        assert stream.versions == []


async def test_what_lies_further_back_than_is_remembered_is_told_as_well(
    service: ASGIApp, ann: Caller
) -> None:
    draft = await ann.open({"n": 0})
    async with streaming(service, ann, draft) as first:
        for start in range(1, 101, 50):
            edits = [{"changes": [replace("/n", n)]} for n in range(start, start + 50)]
            await ann.sends(draft, *edits)
        await first.reaches(101)
        async with streaming(service, ann, draft, last=1) as late:
            assert late.versions == first.versions == list(range(2, 102))
            told = [event.data for event in first.named("version")]
            assert [event.data for event in late.named("version")] == told


@pytest.mark.parametrize("last", ["0", "7", "-1", "2.0", "x", "9" * 40, "²"])
async def test_an_unknown_event_id_is_answered_with_one_reset(
    service: ASGIApp, ann: Caller, last: str
) -> None:
    draft = await ann.open({"n": 0})
    await ann.save(draft, replace("/n", 1))
    async with streaming(service, ann, draft, last_event_id=last) as stream:
        assert [(event.name, event.id) for event in stream.events] == [
            ("reset", "2"),
            ("status", "2"),
            ("presence", None),
        ]
        assert stream.events[0].data == {"version": 2}
        await ann.save(draft, replace("/n", 2))
        await stream.reaches(3)


# -- who may, and until when


async def test_nobody_else_may_watch(service: ASGIApp, ann: Caller, ben: Caller) -> None:
    draft = await ann.open({"n": 0})
    async with streaming(service, ben, draft) as stream:
        assert stream.status == 404
        assert stream.problem["type"] == "/problems/draft-not-found"
    async with streaming(service, Caller(ann.client, "no token"), draft) as stream:
        assert stream.status == 401
    async with streaming(service, ann, "11111111-6c0f-4d3e-9a55-3f8b1c2d4e5f") as stream:
        assert stream.status == 404
    async with streaming(service, ann, draft, since=1) as stream:
        assert stream.status == 422


async def test_a_stream_ends_with_the_token_before_anything_more_is_told(
    service: ASGIApp, ann: Caller, settings: Settings, clock: Clock
) -> None:
    draft = await ann.open({"n": 0})
    token = make_token(settings.keys.jwt, "ann", (), timedelta(minutes=5), now=NOON)
    async with streaming(service, Caller(ann.client, token), draft) as stream:
        clock.tick(300 + settings.jwt_leeway - 1)
        await ann.save(draft, replace("/n", 1))
        await stream.reaches(2)
        clock.tick(1)
        await ann.save(draft, replace("/n", 2))
        await stream.ends()
        assert stream.versions == [2]


async def test_a_stream_ends_when_its_token_ends_although_nothing_happens(
    service: ASGIApp, ann: Caller, settings: Settings, clock: Clock
) -> None:
    draft = await ann.open({"n": 0})
    token = make_token(settings.keys.jwt, "ann", (), timedelta(seconds=1), now=NOON)
    clock.tick(settings.jwt_leeway + 0.7)
    async with streaming(service, Caller(ann.client, token), draft) as stream:
        clock.tick(0.3)
        await stream.ends()


async def test_a_stream_gives_signs_of_life_and_ends_with_a_revoked_key(
    settings: Settings, clock: Clock, store: Store
) -> None:
    app, keys = create_app(settings, clock=clock, beat=0.05), ApiKeys(store, clock)
    async with serving(app), calling(app) as client:
        token = await keys.create("backend", None, None)
        machine = Caller(client, token)
        draft = await machine.open({"n": 0})
        async with streaming(app, machine, draft) as stream:
            await stream.until(lambda: stream.beats >= 2)
            await keys.revoke(token.split("_")[1])
            await stream.ends()


# -- how many


async def test_one_caller_has_so_many_streams_and_the_process_so_many(
    settings: Settings, clock: Clock
) -> None:
    app = create_app(
        settings.model_copy(update={"max_streams": 3, "max_streams_caller": 2}), clock=clock
    )
    async with serving(app), calling(app) as client, AsyncExitStack() as streams:
        ann, ben = caller(client, settings, "ann"), caller(client, settings, "ben")
        mine, his = await ann.open({"n": 0}), await ben.open({"n": 0})
        for who, draft in ((ann, mine), (ann, mine), (ben, his)):
            await streams.enter_async_context(streaming(app, who, draft))
        async with streaming(app, ann, mine) as refused:
            assert (refused.status, refused.problem["limit"]) == (429, 2)
            assert int(refused.headers["retry-after"]) > 0
        async with streaming(app, ben, his) as refused:
            assert refused.status == 503
            assert int(refused.headers["retry-after"]) > 0
        assert (await ann.asks("GET", "/readyz")).json()["streams"] == 3
        await streams.aclose()
        async with streaming(app, ann, mine) as stream:
            assert stream.status == 200
        assert (await ann.asks("GET", "/readyz")).json()["streams"] == 0


async def test_stopping_ends_every_stream(settings: Settings, clock: Clock) -> None:
    app = create_app(settings, clock=clock)
    async with AsyncExitStack() as streams:
        async with serving(app), calling(app) as client:
            ann = caller(client, settings, "ann")
            draft = await ann.open({"n": 0})
            opened = [
                await streams.enter_async_context(streaming(app, ann, draft)) for _ in range(3)
            ]
        for stream in opened:
            await stream.ends()


async def test_a_stream_ends_with_its_draft_and_tells_the_owner_what_is_left(
    service: ASGIApp, ann: Caller
) -> None:
    draft = await ann.open({"n": 0})
    await ann.discard(draft)
    async with streaming(service, ann, draft) as stream:
        assert (await ann.asks("POST", f"{id_of(draft)}/purge")).is_success
        await stream.ends()
    async with streaming(service, ann, draft) as stream:
        assert stream.status == 410

"""The webhook: what it is told and when, and what becomes of what the receiver does not take."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from api.operations import Failed
from api.posting import NotDelivered, Receiver, is_public
from api.service import Service, open_store
from api.settings import Settings, load_settings
from api.webhook_commands import _as_line, _id
from api.webhook_commands import _listed as listed
from api.webhook_commands import _replay as replay
from api.webhooks import DELAYS
from projections.store.base import Store
from projections.webhooks import PAUSE
from tests.api.calls import Caller, add, replace
from tests.api.hooks import OK, SECRET, Host, is_signed, listening, telling_of, tells
from tests.api.services import DAY
from tests.running import Clock

MINUTE = 60


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with listening() as host:
        yield host


@pytest.fixture
async def telling(settings: Settings, clock: Clock, host: Host) -> AsyncIterator[Service]:
    """A process of the service that tells the host."""
    async with telling_of(settings, clock, host) as service:
        yield service


# -- what is told


async def test_a_message_says_what_happened_to_which_draft_and_proves_its_sender(
    ann: Caller, telling: Service, host: Host, clock: Clock
) -> None:
    draft = await ann.open({"title": "not to be told"}, subject="42")
    await ann.submit(draft)
    await tells(telling)
    (head,), (body,) = host.heads, host.bodies
    at = clock().isoformat().replace("+00:00", "Z")
    assert json.loads(body) == {
        "type": "draft.submitted",
        "timestamp": at,
        "data": {
            "id": draft["id"],
            "form": "gig",
            "subject": "42",
            "owner": "ann",
            "version": 2,
            "status": "submitted",
        },
    }
    assert head[""] == "POST /hook?key=1 HTTP/1.1"
    assert head["webhook-timestamp"] == str(int(clock().timestamp()))
    assert is_signed(head, body)
    assert not is_signed(head, body.replace(b"submitted", b"discarded"))
    await tells(telling)
    assert len(host.bodies) == 1


async def test_saves_are_told_once_for_each_session_that_is_over(
    ann: Caller, telling: Service, host: Host, clock: Clock
) -> None:
    draft = await ann.open({"n": 0})
    for number in range(5):
        await ann.save(draft, replace("/n", number + 1), device="mac")
        await ann.save(draft, add(f"/m{number}", 1), device="ipad")
        await tells(telling)
        clock.tick(29 * MINUTE)
    assert host.events() == []
    await ann.save(draft, replace("/n", 9), device="mac")
    clock.tick(2 * MINUTE)
    await tells(telling)
    assert [(t["type"], t["data"]["from_version"], t["data"]["version"]) for t in host.told] == [
        ("draft.saved", 3, 11)  # the ipad's
    ]
    clock.tick(PAUSE.total_seconds())
    await tells(telling)
    assert [t["data"]["version"] for t in host.told] == [11, 12]
    await tells(telling)
    assert len(host.told) == 2


async def test_a_long_pause_that_nobody_watched_parts_sessions_too(
    ann: Caller, telling: Service, host: Host, clock: Clock
) -> None:
    draft = await ann.open({"n": 0})
    for number in (1, 2):
        await ann.save(draft, replace("/n", number), device="mac")
        clock.tick(31 * MINUTE)
    await tells(telling)
    assert [t["data"]["version"] for t in host.told] == [2, 3]


async def test_the_end_of_a_draft_ends_its_sessions_first(
    ann: Caller, telling: Service, host: Host, clock: Clock
) -> None:
    draft = await ann.open({"n": 0})
    await ann.save(draft, replace("/n", 1), device="mac")
    await ann.discard(draft)
    await tells(telling)
    assert host.events() == ["saved", "discarded"]


async def test_of_its_expiry_and_its_purge_a_draft_is_told_once(
    ann: Caller, telling: Service, host: Host, clock: Clock
) -> None:
    await ann.open({"n": 0}, subject="42")
    happened: list[list[str]] = []
    for days in (22, 1, 1, 6, 29, 1):
        clock.tick(days * DAY)
        await telling.sweep.run(clock())
        await tells(telling)
        happened.append(host.events())
    assert happened == [[], ["expiring"], [], ["expired"], [], ["purged"]]


async def test_after_a_save_a_draft_is_warned_of_its_new_expiry(
    ann: Caller, telling: Service, host: Host, clock: Clock
) -> None:
    draft, told = await ann.open({"n": 0}), list[str]()
    for days in (23, 1, 23):
        clock.tick(days * DAY)
        await telling.sweep.run(clock())
        if days == 1:
            await ann.save(draft, add("/late", 1))
        await tells(telling)
        told += host.events()
    assert told == ["expiring", "expiring", "saved"]


async def test_what_is_told_of_a_purged_draft_names_neither_form_nor_subject(
    ann: Caller, telling: Service, host: Host
) -> None:
    draft = await ann.open({"n": 0}, subject="a secret subject")
    await ann.discard(draft)
    assert telling.webhooks is not None
    await telling.webhooks.take_in()
    await ann.asks("POST", f"{draft['id']}/purge")
    await tells(telling)
    assert [t["data"]["status"] for t in host.told] == ["discarded", "purged"]
    for one in host.told:
        assert (one["data"]["form"], one["data"]["subject"]) == (None, None)
        assert one["data"]["owner"] == "ann"


async def test_what_happened_before_is_not_told(
    ann: Caller, settings: Settings, clock: Clock, host: Host, store: Store
) -> None:
    draft = await ann.open()
    await ann.submit(draft)
    await store.outbox.begin()
    other = await ann.open()
    await ann.submit(other)
    await store.outbox.begin()  # a restart
    told = {"webhook_url": host.url, "webhook_secret": SECRET, "webhook_private": True}
    set_ = Settings.model_validate({**settings.model_dump(), **told})
    service = Service(set_, open_store(set_), clock)
    async with service.working():
        await tells(service)
    assert [t["data"]["id"] for t in host.told] == [other["id"]]


async def test_two_processes_tell_it_once(
    ann: Caller, settings: Settings, clock: Clock, host: Host, telling: Service
) -> None:
    other = Service(telling.settings, open_store(telling.settings), clock)
    async with other.working():
        for _ in range(5):
            draft = await ann.open(another=True)
            await ann.submit(draft)
            await asyncio.gather(tells(telling), tells(other))
    await tells(telling)
    assert host.events() == ["submitted"] * 5


# -- a receiver that does not take it

ANSWERS: dict[str, tuple[bytes | None, str]] = {
    "hangs": (None, "it did not answer within 0.2 seconds"),
    "500": (b"HTTP/1.1 500 No\r\n\r\n", "it answered 500"),
    "redirects": (
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n",
        "it answered 302, and redirects are not followed",
    ),
    "babbles": (b"I am no HTTP\r\n\r\n", "what it answered is not HTTP"),
    "hangs up": (b"", "what it answered is not HTTP"),
    "never ends a line": (b"x" * 200_000, "what it answered is not HTTP"),
}


@pytest.mark.parametrize("how", ANSWERS)
async def test_a_post_that_is_not_taken_says_why(host: Host, how: str, clock: Clock) -> None:
    host.answer, why = ANSWERS[how]
    receiver = Receiver(host.url, SECRET, private=True, timeout=0.2)
    with pytest.raises(NotDelivered) as refused:
        await receiver.post("msg_1", b"{}", clock())
    assert str(refused.value) == why
    assert len(host.bodies) == 1, "nothing was followed"


async def test_an_answer_may_come_after_others(host: Host, clock: Clock) -> None:
    host.answer = b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
    await Receiver(host.url, SECRET, private=True).post("msg_1", b"{}", clock())


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "10.0.0.1"])
async def test_a_private_address_is_refused_however_it_is_written(
    host: Host, clock: Clock, name: str
) -> None:
    with pytest.raises(NotDelivered, match="its address is a private one"):
        await Receiver(f"http://{name}:{host.port}/", SECRET).post("msg_1", b"{}", clock())
    assert host.bodies == []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1",
     "0.0.0.0", "224.0.0.1", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1",
     "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1"],
)  # fmt: skip
def test_addresses_within_are_not_public(address: str) -> None:
    assert not is_public(address)
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1::1")


async def test_nobody_there_is_said_so(clock: Clock) -> None:
    with pytest.raises(NotDelivered, match="it cannot be reached"):
        await Receiver("http://127.0.0.1:1/", SECRET, private=True).post("m", b"", clock())
    with pytest.raises(NotDelivered, match="it cannot be reached"):
        await Receiver("http://nowhere.invalid/", SECRET).post("m", b"", clock())


async def test_a_message_is_tried_for_hours_then_given_up_and_replayed(
    ann: Caller, telling: Service, host: Host, clock: Clock
) -> None:
    await ann.submit(await ann.open())
    host.answer = b"HTTP/1.1 500 No\r\n\r\n"
    for delay in (0, *DELAYS):
        clock.tick(delay * 1.2)
        await tells(telling)
        await tells(telling)  # not before its time
    assert len(host.bodies) == 1 + len(DELAYS)
    assert len({head["webhook-id"] for head in host.heads}) == 1
    assert len(set(host.bodies)) == 1
    (waiting,) = await telling.store.outbox.listed()
    assert (waiting.due_at, waiting.attempts) == (None, 8)
    assert waiting.problem == "it answered 500"
    clock.tick(10 * DAY)
    await tells(telling)
    assert len(host.events()) == 8

    host.answer = OK
    assert await telling.store.outbox.replay(UUID(int=0), clock()) == 0
    assert await telling.store.outbox.replay(None, clock()) == 1
    await tells(telling)
    assert host.events() == ["submitted"]
    assert await telling.store.outbox.listed() == []


async def test_one_that_fails_keeps_the_others_from_nothing(
    ann: Caller, telling: Service, host: Host, clock: Clock
) -> None:
    for _ in range(3):
        await ann.submit(await ann.open(another=True))
    host.answer = b"HTTP/1.1 500 No\r\n\r\n"
    await tells(telling)
    host.answer = OK
    await tells(telling)
    clock.tick(6)
    await tells(telling)
    assert host.events() == ["submitted"] * 4
    assert await telling.store.outbox.listed() == []


async def test_the_commands_list_and_replay(
    ann: Caller, telling: Service, host: Host, clock: Clock
) -> None:
    await ann.submit(await ann.open())
    host.answer = b"HTTP/1.1 500 No\r\n\r\n"
    await tells(telling)
    (waiting,) = await listed(telling.settings)
    id_ = f"msg_{waiting.message.id.hex}"
    assert _as_line(waiting).startswith(f"{id_}  submitted  draft {waiting.message.draft}")
    assert _as_line(waiting).endswith("  it answered 500")
    assert await replay(telling.settings, _id(id_)) == 1
    assert await replay(telling.settings, None) == 0, "none was given up"
    with pytest.raises(Failed, match="is no id"):
        _id("x")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"webhook_url": "https://a.example/"}, "set both"),
        ({"webhook_secret": SECRET}, "set both"),
        ({"webhook_url": "ftp://a.example/", "webhook_secret": SECRET}, "VARIORUM_WEBHOOK_URL"),
        ({"webhook_url": "https://a:b/", "webhook_secret": SECRET}, "VARIORUM_WEBHOOK_URL"),
        ({"webhook_url": "https://a/", "webhook_secret": "short"}, "VARIORUM_WEBHOOK_SECRET"),
        ({"webhook_url": "https://a/", "webhook_secret": "whsec_" + "!" * 40}, "base64"),
    ],
)
def test_settings_that_cannot_work_are_refused(given: dict[str, str], named: str) -> None:
    with pytest.raises(Exception, match=named):
        load_settings(_env_file=None, **given)

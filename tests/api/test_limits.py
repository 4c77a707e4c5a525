"""Rates: who asks too often is told when to go on, and nobody else notices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.api_keys import ApiKeys
from api.limits import Rate, Rates, Windows
from api.security import Principal, make_token
from api.settings import Settings, load_settings
from domain.errors import RateExceeded
from projections.store.base import Store
from tests.api.calls import Caller, problem
from tests.running import NOON, Clock

MINUTE = 60
LATER = NOON + timedelta(days=1)


class Seconds:
    """A clock in seconds, which moves only when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def engine() -> str:
    """No store makes a difference here."""
    return "sqlite"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Low rates."""
    return settings.model_copy(
        update={"rate_user": "5/minute", "rate_key": "3/minute", "rate_address": "4/minute"}
    )


def from_address(client: httpx.AsyncClient, address: str) -> httpx.AsyncClient:
    """The same service, called from elsewhere."""
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    elsewhere = httpx.ASGITransport(transport.app, client=(address, 123))
    return httpx.AsyncClient(transport=elsewhere, base_url="http://variorum.test")


@pytest.fixture
async def elsewhere(client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    async with from_address(client, "192.0.2.7") as http:
        yield http


async def statuses(caller: Caller, times: int, method: str = "GET", path: str = "") -> list[int]:
    """What a caller is answered, one time after the other."""
    return [(await caller.asks(method, path or "/v1/drafts")).status_code for _ in range(times)]


# -- users


async def test_a_user_who_asks_too_often_is_told_when_to_go_on(ann: Caller, clock: Clock) -> None:
    assert await statuses(ann, 2) == [200] * 2
    clock.tick(20)
    assert await statuses(ann, 3) == [200] * 3

    answer = await ann.asks("GET", "/v1/drafts")

    assert problem(answer, 429, "rate-exceeded")["detail"] == (
        "That is more than 5 per 1 minute; go on after 40 seconds."
    )
    assert answer.headers["retry-after"] == "40"
    clock.tick(39)
    assert await statuses(ann, 1) == [429]
    clock.tick(1)
    assert await statuses(ann, 6) == [200] * 5 + [429]


async def test_another_user_at_the_same_address_does_not_notice(ann: Caller, ben: Caller) -> None:
    await statuses(ann, 20)

    assert await statuses(ben, 5) == [200] * 5


async def test_a_user_is_one_with_any_number_of_tokens_and_from_any_address(
    ann: Caller, client: httpx.AsyncClient, elsewhere: httpx.AsyncClient, settings: Settings
) -> None:
    token = make_token(settings.keys.jwt, "ann", ["auditor"], timedelta(days=1), now=NOON)
    await statuses(ann, 3)

    assert await statuses(Caller(elsewhere, token), 3) == [200, 200, 429]
    assert await statuses(ann, 1) == [429]


async def test_every_route_counts_once_whatever_it_answers(ann: Caller, clock: Clock) -> None:
    draft = await ann.open({"fee": 1})
    for method, path in (
        ("GET", draft["id"]),
        ("GET", f"{draft['id']}/versions"),
        ("PATCH", draft["id"]),
        ("GET", "00000000-0000-4000-8000-000000000000"),
        ("GET", draft["id"].upper()),
        ("POST", f"{draft['id']}/restore"),
        ("GET", "/v1/drafts?nonsense=1"),
    ):
        clock.tick(MINUTE)
        answers = await statuses(ann, 6, method, path)
        assert 429 not in answers[:5], path
        assert answers[5] == 429, path


async def test_a_refused_request_changes_nothing(ann: Caller, clock: Clock) -> None:
    await statuses(ann, 5)

    problem(await ann.asks("POST", "/v1/drafts", json={"form": "gig"}), 429, "rate-exceeded")

    clock.tick(MINUTE)
    assert (await ann.lists())["items"] == []


# -- links and keys


def test_each_kind_of_caller_has_a_rate_of_its_own() -> None:
    given = {"rate_user": "1/minute", "rate_link": "2/minute", "rate_key": "3/minute"}
    rates = Rates(load_settings(database_url="sqlite://", **given), Seconds())

    for kind, allowed in (("user", 1), ("link", 2), ("key", 3)):
        caller = Principal(f"{kind}:a", frozenset(), LATER, kind)  # type: ignore[arg-type]
        other = Principal(f"{kind}:b", frozenset(), LATER, kind)  # type: ignore[arg-type]
        for _ in range(allowed):
            rates.count(caller)
        with pytest.raises(RateExceeded):
            rates.count(caller)
        rates.count(other)


async def test_a_key_is_counted_by_its_own_rate(
    client: httpx.AsyncClient, store: Store, clock: Clock
) -> None:
    keys = ApiKeys(store, clock)
    one, other = [Caller(client, await keys.create("x", None, None)) for _ in range(2)]

    assert await statuses(one, 4) == [200] * 3 + [429]
    assert await statuses(other, 1) == [200]


# -- addresses


@pytest.mark.parametrize("path", ["/livez", "/openapi.json", "/docs", "/problems/clash", "/no"])
async def test_what_needs_no_token_is_counted_by_address(
    client: httpx.AsyncClient, elsewhere: httpx.AsyncClient, ann: Caller, path: str
) -> None:
    answers = [await client.get(path) for _ in range(5)]

    assert 429 not in [answer.status_code for answer in answers[:4]]
    problem(answers[4], 429, "rate-exceeded")
    assert (await elsewhere.get(path)).status_code == answers[0].status_code
    assert await statuses(ann, 1) == [200]


async def test_tokens_that_do_not_hold_are_counted_by_address_and_those_that_do_are_not(
    client: httpx.AsyncClient, elsewhere: httpx.AsyncClient, ann: Caller, clock: Clock
) -> None:
    assert await statuses(Caller(client, "nonsense"), 6) == [401] * 4 + [429] * 2
    assert await statuses(Caller(elsewhere, "nonsense"), 1) == [401]

    assert await statuses(ann, 5) == [200] * 5
    clock.tick(MINUTE)
    assert await statuses(Caller(client, "nonsense"), 1) == [401]


async def test_keys_are_not_tried_out_faster_either(client: httpx.AsyncClient) -> None:
    callers = [Caller(client, f"vk_{n:012x}_{'A' * 43}") for n in range(6)]

    answers = [(await statuses(caller, 1))[0] for caller in callers]

    assert answers == [401] * 4 + [429] * 2


async def test_the_addresses_of_one_ipv6_network_are_one(client: httpx.AsyncClient) -> None:
    answers = []
    for host in ("2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::", "2001:db8::3", "2001:db8::9"):
        async with from_address(client, host) as http:
            answers.append((await http.get("/livez")).status_code)
    async with from_address(client, "2001:db8:0:1::1") as http:
        neighbour = (await http.get("/livez")).status_code

    assert (answers, neighbour) == ([200] * 4 + [429], 200)


async def test_an_ipv4_address_is_the_same_over_ipv6(client: httpx.AsyncClient) -> None:
    answers = []
    for host in ("192.0.2.1", "::ffff:192.0.2.1") * 3:
        async with from_address(client, host) as http:
            answers.append((await http.get("/livez")).status_code)

    assert answers == [200] * 4 + [429] * 2


# -- counters


def test_a_rate_that_is_off_lets_everything_through() -> None:
    rate = Rate("off", Seconds())

    for _ in range(10_000):
        rate.count("ann")


def test_only_so_many_callers_are_counted_and_the_oldest_window_goes_first() -> None:
    clock = Seconds()
    windows = Windows(clock, MINUTE, most=100)

    for n in range(1_000):
        windows.of(f"user {n}").count += 1

    assert len(windows) == 100
    assert windows.of("user 900").count == 1
    assert windows.of("user 899").count == 0


def test_windows_that_ended_are_forgotten_by_and_by() -> None:
    clock = Seconds()
    windows = Windows(clock, MINUTE, most=10_000)
    for n in range(5_000):
        windows.of(f"user {n}")

    clock.now += MINUTE
    for n in range(5_000):
        windows.of("ann" if n % 2 else f"new {n}")

    assert len(windows) <= 2_502


def test_a_clock_that_is_set_back_shuts_nobody_out() -> None:
    clock = Seconds()
    rate = Rate("1/minute", clock)
    rate.count("ann")

    clock.now -= 86_400

    rate.count("ann")


@given(
    amount=st.integers(1, 5),
    steps=st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30)), max_size=60),
)
def test_no_window_ever_lets_more_through_than_the_rate_and_none_waits_too_long(
    amount: int, steps: list[tuple[str, float]]
) -> None:
    clock = Seconds()
    rate = Rate(f"{amount}/minute", clock)
    began: dict[str, float] = {}
    counted: dict[str, int] = {}
    for caller, pause in steps:
        clock.now += pause
        if clock.now >= began.get(caller, -1e9) + MINUTE:
            began[caller], counted[caller] = clock.now, 0
        counted[caller] += 1
        if counted[caller] <= amount:
            rate.count(caller)
            continue
        with pytest.raises(RateExceeded) as refused:
            rate.count(caller)
        left = began[caller] + MINUTE - clock.now
        assert left <= refused.value.retry_after < left + 1.001


# -- settings


@pytest.mark.parametrize("text", ["20/second", "5 per 10 minutes", "1000/hour", "off"])
def test_a_rate_is_written_as_people_say_it(text: str) -> None:
    assert load_settings(database_url="sqlite://", rate_user=text).rate_user == text


@pytest.mark.parametrize("text", ["", "0/minute", "-1/minute", "many", "5", "5/", "5/fortnight"])
def test_what_is_no_rate_is_refused_with_an_example(text: Any) -> None:
    with pytest.raises(Exception, match="VARIORUM_RATE_LINK: must be a number of requests"):
        load_settings(database_url="sqlite://", rate_link=text)

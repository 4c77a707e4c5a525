"""Tokens signed with an issuer's keys: rotation, outages, tokens of Supabase, and known attacks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest

from api.jwks import OLD_AFTER, PAUSE, PAUSE_AFTER_FAILURE
from api.security import REMEMBERED_FOR
from api.settings import Settings
from tests.api.calls import problem
from tests.api.issuer import (
    Issuer,
    ec_key,
    hs256,
    issuing,
    public_jwk,
    public_pem,
    rsa_key,
    signed,
    supabase_claims,
)
from tests.running import NOON, Clock

SECRET = "made up for tests, signs their tokens"
OUTAGE = "issuer-unavailable"


@pytest.fixture
def engine() -> str:
    """No store makes a difference here."""
    return "sqlite"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer with a key of each kind."""
    with issuing(first=rsa_key(), curve=ec_key()) as issuer:
        yield issuer


@pytest.fixture
def settings(settings: Settings, issuer: Issuer, request: pytest.FixtureRequest) -> Settings:
    """The settings of a service that trusts this issuer; a parameter names the algorithms."""
    return settings.model_copy(
        update={
            "jwt_algorithms": getattr(request, "param", ()),
            "jwks_url": issuer.url,
            "jwt_issuer": issuer.name,
            "jwt_audience": "authenticated",
            "jwt_roles": "/app_metadata/roles",
        }
    )


async def asks(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.get("/v1/drafts", headers={"authorization": f"Bearer {token}"})


async def status(client: httpx.AsyncClient, token: str) -> int:
    return (await asks(client, token)).status_code


async def refusal(client: httpx.AsyncClient, token: str) -> str:
    """Why a token is refused."""
    answer = await asks(client, token)
    assert answer.headers["www-authenticate"] == "Bearer"
    return str(problem(answer, 401, "unauthenticated")["detail"])


async def owner(client: httpx.AsyncClient, token: str) -> str:
    """Who a token says is calling."""
    answer = await client.post(
        "/v1/drafts", json={"form": "gig"}, headers={"authorization": f"Bearer {token}"}
    )
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["owner"])


# -- who is taken


@pytest.mark.parametrize("kid", ["first", "curve"])
async def test_a_token_by_a_key_that_the_issuer_shows_holds(
    client: httpx.AsyncClient, issuer: Issuer, kid: str
) -> None:
    assert await owner(client, issuer.token(kid, sub="ann")) == "ann"


@pytest.mark.parametrize("kid", ["first", "curve"])
async def test_a_token_that_supabase_issues_holds(
    client: httpx.AsyncClient, issuer: Issuer, kid: str
) -> None:
    assert await owner(client, issuer.supabase_token(kid)) == supabase_claims("")["sub"]


@pytest.mark.parametrize("role", ["anon", "service_role"])
async def test_supabases_tokens_for_programs_are_nobody(
    client: httpx.AsyncClient, issuer: Issuer, role: str
) -> None:
    token = issuer.token("curve", ref="abcdefghijklmnopqrst", role=role, sub=None)

    assert "who it is for" in await refusal(client, token)
    assert "another issuer" in await refusal(client, issuer.token("curve", iss="supabase"))


async def test_what_a_key_is_good_for_is_what_it_says_itself(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    issuer.more = [
        public_jwk(rsa_key(1), "said nothing", alg=None, use=None),
        public_jwk(rsa_key(1), "for encryption", use="enc"),
        public_jwk(rsa_key(1), "for RS512", alg="RS512"),
        public_jwk(rsa_key(1, 1024), "short"),
        {"kty": "oct", "k": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg", "kid": "oct"},
        {"kty": "EC", "crv": "P-256", "x": "eA", "y": "eA", "kid": "no point", "alg": "ES256"},
        {"kty": ["RSA"], "kid": "odd"},
        {"kid": {}},
        7,
    ]
    said = {"iss": issuer.name, "aud": "authenticated"}

    assert await status(client, signed(rsa_key(1), "RS256", "said nothing", **said)) == 200
    for kid in ("for encryption", "for RS512", "no point", "odd"):
        token = signed(rsa_key(1), "RS256", kid, **said)
        assert "does not show" in await refusal(client, token), kid
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        weak = signed(rsa_key(1, 1024), "RS256", "short", **said)
    assert "too short" in await refusal(client, weak)
    assert "not signed with RS256 or ES256" in await refusal(
        client, signed("x" * 32, "HS256", "oct", **said)
    )


# -- attacks

BOTH_WAYS = ("HS256", "RS256", "ES256")
WAYS = [pytest.param((), id="keys"), pytest.param(BOTH_WAYS, id="keys and secret")]


@pytest.mark.parametrize("settings", WAYS, indirect=True)
async def test_what_everybody_knows_signs_nothing(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    """A public key as the secret of HS256 (CVE-2015-9235), in each form in which it is known."""
    claims = {"iss": issuer.name, "aud": "authenticated"}
    for kid, key in issuer.keys.items():
        shown = json.dumps(public_jwk(key, kid)).encode()
        known = (public_pem(key), public_pem(key).strip(), shown, b"", b"null", b"\0" * 32)
        for secret in known:
            for header in ({"kid": kid}, {"kid": ""}, {}):
                assert await status(client, hs256(secret, header, claims)) == 401


@pytest.mark.parametrize("settings", WAYS, indirect=True)
async def test_what_a_token_says_of_its_key_changes_nothing(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    mallory = rsa_key(66)
    claims = {"iss": issuer.name, "aud": "authenticated", "sub": "ann"}
    whole = {**claims, "exp": NOON.timestamp() + 60}
    own = public_jwk(mallory, "first")
    with issuing(first=mallory) as evil:
        headers: list[dict[str, Any]] = [
            {"kid": "first"},
            {"kid": "curve"},
            {"kid": "first", "jwk": own},
            {"kid": "first", "jku": evil.url},
            {"kid": "first", "x5u": evil.url, "x5c": ["MIIB"]},
            {"kid": evil.url},
            {"kid": "../../first"},
            {"kid": "first' OR '1'='1"},
            {"kid": ""},
            {"kid": "k" * 4_000},
            {},
        ]
        for header in headers:
            token = jwt.encode(whole, mallory, algorithm="RS256", headers=header)
            assert await status(client, token) == 401, header
        assert evil.asked == 0
    for algorithm in ("none", "None", "RS512", "PS256", "ES512", "EdDSA", "HS512", ""):
        token = hs256(b"x", {"alg": algorithm, "kid": "first"}, claims)
        assert "not signed with" in await refusal(client, token), algorithm


async def test_a_key_signs_in_its_own_way_only(client: httpx.AsyncClient, issuer: Issuer) -> None:
    claims = {"iss": issuer.name, "aud": "authenticated"}

    assert await status(client, signed(rsa_key(), "RS256", "curve", **claims)) == 401
    assert await status(client, signed(ec_key(), "ES256", "first", **claims)) == 401
    assert await status(client, signed(rsa_key(), "PS256", "first", **claims)) == 401


@pytest.mark.parametrize("settings", [BOTH_WAYS], indirect=True)
async def test_while_the_issuer_changes_its_way_tokens_of_both_hold(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    claims = {"iss": issuer.name, "aud": "authenticated"}

    assert await status(client, hs256(SECRET.encode(), {"typ": "JWT"}, claims)) == 200
    assert await status(client, issuer.token("curve")) == 200


async def test_with_an_issuers_keys_the_secret_alone_signs_nothing(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    token = hs256(SECRET.encode(), {}, {"iss": issuer.name, "aud": "authenticated"})

    assert "not signed with RS256 or ES256" in await refusal(client, token)


async def test_issuer_audience_and_times_are_checked_as_for_any_token(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    for wrong, why in (
        ({"iss": "https://other.supabase.co/auth/v1"}, "another issuer"),
        ({"aud": "anon"}, "another audience"),
        ({"aud": None}, "lacks"),
        ({"exp": NOON.timestamp() - 60}, "expired"),
        ({"nbf": NOON.timestamp() + 60}, "not valid yet"),
        ({"sub": "key:abc"}, "key:"),
    ):
        assert why in await refusal(client, issuer.supabase_token("curve", **wrong))


# -- rotation


async def test_a_new_key_holds_when_the_issuer_was_asked_again(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    assert await status(client, issuer.token("first")) == 200
    issuer.keys["second"] = rsa_key(2)

    clock.tick(PAUSE.total_seconds() - 1)
    assert "does not show" in await refusal(client, issuer.token("second"))
    assert issuer.asked == 1
    clock.tick(1)
    assert await status(client, issuer.token("second")) == 200
    assert issuer.asked == 2
    assert await status(client, issuer.token("first")) == 200


async def test_a_key_that_is_withdrawn_ends_when_the_keys_are_old(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    token = issuer.token("first")
    assert await status(client, token) == 200
    del issuer.keys["first"]

    clock.tick(OLD_AFTER.total_seconds())
    assert await status(client, token) == 200  # the old keys serve while new ones are fetched
    await until(lambda: issuer.asked == 2)
    clock.tick(REMEMBERED_FOR.total_seconds())
    assert "does not show" in await refusal(client, token)


async def test_keys_without_ids_are_never_taken(client: httpx.AsyncClient, issuer: Issuer) -> None:
    issuer.more = [{**public_jwk(rsa_key(3), "third"), "kid": None}]

    token = signed(rsa_key(3), "RS256", None, iss=issuer.name, aud="authenticated")

    assert "must name the key" in await refusal(client, token)
    assert issuer.asked <= 1


async def test_made_up_keys_make_nobody_ask_the_issuer_more_than_once(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    mallory = rsa_key(66)
    tokens = [signed(mallory, "RS256", str(uuid4()), iss=issuer.name) for _ in range(60)]

    answers = await asyncio.gather(*(status(client, token) for token in tokens[:30]))
    answers += [await status(client, token) for token in tokens[30:]]

    assert set(answers) == {401}
    assert issuer.asked == 1
    clock.tick(PAUSE.total_seconds())
    assert await status(client, tokens[0]) == 401
    assert issuer.asked == 2


async def test_those_who_come_with_a_new_key_together_ask_once(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    issuer.delay = 0.2
    tokens = [issuer.token("first", sub=f"user {n}") for n in range(20)]

    assert set(await asyncio.gather(*(status(client, token) for token in tokens))) == {200}
    assert issuer.asked == 1


async def test_a_slow_issuer_holds_up_only_whom_nobody_knows(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    assert await status(client, issuer.token("first")) == 200
    issuer.delay, issuer.keys["second"] = 1, rsa_key(2)
    clock.tick(OLD_AFTER.total_seconds())

    began = time.perf_counter()
    new = asyncio.create_task(status(client, issuer.token("second")))
    assert await status(client, issuer.token("first", sub="ben")) == 200
    assert time.perf_counter() - began < 0.5
    assert not new.done()
    assert await new == 200


# -- outages


async def test_while_the_issuer_is_out_known_keys_hold_and_others_are_put_off(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    assert await status(client, issuer.token("first")) == 200
    new = signed(rsa_key(2), "RS256", "second", iss=issuer.name, aud="authenticated")
    issuer.is_down()

    for _ in range(5):
        clock.tick(OLD_AFTER.total_seconds())
        assert await status(client, issuer.token("first", sub=str(uuid4()))) == 200
        answer = await asks(client, new)
        problem(answer, 503, OUTAGE)
        assert "www-authenticate" not in answer.headers

    issuer.keys["second"] = rsa_key(2)
    issuer.is_well()
    clock.tick(int(answer.headers["retry-after"]))
    assert await status(client, new) == 200


async def test_during_an_outage_the_issuer_is_asked_seldom(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    issuer.is_down()
    tokens = [issuer.token("first", sub=f"user {n}") for n in range(30)]

    answers = await asyncio.gather(*(asks(client, token) for token in tokens))

    assert {answer.status_code for answer in answers} == {503}
    pause = int(PAUSE_AFTER_FAILURE.total_seconds())
    assert {answer.headers["retry-after"] for answer in answers} == {str(pause)}
    assert issuer.asked == 1
    clock.tick(2)
    assert (await asks(client, tokens[0])).headers["retry-after"] == str(pause - 2)
    assert issuer.asked == 1
    issuer.is_well()
    clock.tick(pause - 2)
    assert await status(client, tokens[0]) == 200


WRONG_ANSWERS = {
    "html": (b"<html>Maintenance</html>", 200),
    "error": (b"{}", 500),
    "not found": (b'{"keys": []}', 404),
    "no keys": (b'{"keys": []}', 200),
    "no list": (b'{"keys": {"kid": "first"}}', 200),
    "no object": (b"[]", 200),
    "null": (b"null", 200),
    "no UTF-8": (b'{"keys": "\xff"}', 200),
    "deep": (b"[" * 100_000, 200),
    "strange": (b'{"keys": [{"kty": "RSA", "n": 1, "e": "AQAB", "kid": "first"}]}', 200),
    "odd ways": (b'{"keys": [{"kty": "RSA", "kid": "first", "alg": ["RS256"]}]}', 200),
    "odd ids": (b'{"keys": [{"kty": "RSA", "kid": [1], "n": "AQAB", "e": "AQAB"}]}', 200),
    "nothing": (b"", 200),
    "a number": (b"9" * 10_000, 200),
}


@pytest.mark.parametrize("wrong", WRONG_ANSWERS)
async def test_an_answer_without_keys_is_an_outage_and_leaves_those_that_are_known(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock, wrong: str
) -> None:
    assert await status(client, issuer.token("first")) == 200
    issuer.says(*WRONG_ANSWERS[wrong])
    clock.tick(OLD_AFTER.total_seconds())

    new = signed(rsa_key(2), "RS256", "second", iss=issuer.name, aud="authenticated")

    problem(await asks(client, new), 503, OUTAGE)
    assert await status(client, issuer.token("first", sub="ben")) == 200


async def test_nobody_follows_the_issuer_elsewhere(
    client: httpx.AsyncClient, issuer: Issuer
) -> None:
    with issuing(first=rsa_key(66)) as evil:
        issuer.says(b"", 302, Location=evil.url)
        token = signed(rsa_key(66), "RS256", "first", iss=issuer.name, aud="authenticated")
        assert await status(client, token) == 503
        assert evil.asked == 0


async def test_a_clock_that_is_set_back_does_not_keep_new_keys_out(
    client: httpx.AsyncClient, issuer: Issuer, clock: Clock
) -> None:
    assert await status(client, issuer.token("first")) == 200
    clock.tick(-86_400)
    issuer.keys["second"] = rsa_key(2)

    assert await status(client, issuer.token("second")) == 200


# -- the words of these tests


async def until(happens: Callable[[], bool]) -> None:
    """Wait for what goes on in the background, and for what follows from it."""
    deadline = time.monotonic() + 10
    while not happens():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)

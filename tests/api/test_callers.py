"""Every route asks who is calling, and whatever is sent in the place of a token is a 401."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from api.api_keys import ApiKeys
from api.app import create_app
from api.security import make_token
from api.settings import Settings
from projections.store.base import Store
from tests.api.calls import Blocking, Caller, Document, caller, problem
from tests.api.issuer import hs256, issuing, public_pem, rsa_key, signed
from tests.commands import Operator
from tests.running import NOON, Clock, calling, serving

METHODS = ("get", "put", "post", "patch", "delete")
HOUR = timedelta(hours=1)


@pytest.fixture
def engine() -> str:
    """Who is calling does not depend on the store; for keys see test_api_keys.py."""
    return "sqlite"


async def routes(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    """Every route that the service describes and that needs a token."""
    document: Document = (await client.get("/openapi.json")).json()
    found = [
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if method in METHODS and path.startswith("/v1/")
    ]
    assert len(found) > 15
    return found


def address(path: str, draft: str) -> str:
    """An address of a route; what stands in other places does not matter here."""
    filled = path.replace("{draft_id}", draft).replace("{span}", "1...1")
    return "/".join("1" if part.startswith("{") else part for part in filled.split("/"))


async def bad_tokens(settings: Settings, store: Store, clock: Clock) -> dict[str, str]:
    """One token of each kind that does not hold."""
    secret, keys = settings.keys.jwt, ApiKeys(store, clock)
    revoked = await keys.create("revoked", "admin", None)
    await keys.revoke(revoked.split("_")[1])
    good = make_token(secret, "ann", ["admin"], HOUR, now=NOON)
    return {
        "expired": make_token(secret, "ann", ["admin"], HOUR, now=NOON - 2 * HOUR),
        "wrong signature": make_token(b"x" * 32, "ann", ["admin"], HOUR, now=NOON),
        "altered": good[:-3] + ("AAA" if good[-3:] != "AAA" else "BBB"),
        "alg none": hs256(b"", {"alg": "none"}, {"sub": "ann"}).rpartition(".")[0] + ".",
        "HS256 with the public key": hs256(public_pem(rsa_key()), {"kid": "first"}, {}),
        "RS256": signed(rsa_key(66), "RS256", "first"),
        "passing for a link": hs256(secret, {}, {"sub": "link:1"}),
        "passing for a key": hs256(secret, {}, {"sub": f"key:{revoked.split('_')[1]}"}),
        "a revoked key": revoked,
        "no key": f"vk_0123456789ab_{'A' * 43}",
        "nonsense": "nonsense",
        "nothing": "",
    }


@asynccontextmanager
async def by_secret(settings: Settings, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(settings, clock=clock)) as app, calling(app) as client:
        yield client


@asynccontextmanager
async def by_keys(settings: Settings, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    with issuing(first=rsa_key()) as issuer:
        update = {"jwks_url": issuer.url, "jwt_algorithms": ("HS256", "RS256")}
        async with by_secret(settings.model_copy(update=update), clock) as client:
            yield client


@pytest.mark.parametrize("how", [by_secret, by_keys])
async def test_no_route_takes_a_token_that_does_not_hold(
    settings: Settings, store: Store, clock: Clock, how: Any
) -> None:
    tokens = await bad_tokens(settings, store, clock)
    async with how(settings, clock) as client:
        ann = caller(client, settings, "ann")
        draft = await ann.open({"fee": 1})
        for method, path in await routes(client):
            for id_ in (draft["id"], str(uuid4())):
                for name, token in tokens.items():
                    answer = await Caller(client, token).asks(method, address(path, id_), json={})
                    assert answer.status_code == 401, (name, method, path, answer.text)
                    problem(answer, 401, "unauthenticated")
                    assert answer.headers["www-authenticate"] == "Bearer"
                    assert not token or token not in answer.text
        assert await ann.draft(draft) == draft


async def test_every_route_says_that_there_is_a_limit_to_how_often(
    client: httpx.AsyncClient,
) -> None:
    document: Document = (await client.get("/openapi.json")).json()

    for method, path in await routes(client):
        answer = document["paths"][path][method.lower()]["responses"]["429"]
        assert "`rate-exceeded`" in answer["description"]


@pytest.mark.parametrize("first_good", [True, False])
async def test_of_several_authorization_headers_none_is_taken(
    ann: Caller, client: httpx.AsyncClient, first_good: bool
) -> None:
    draft = await ann.open()
    good = ("Authorization", f"Bearer {ann.token}")
    both = [good, ("Authorization", "Bearer nonsense")]
    for headers in (both if first_good else both[::-1], [good, good]):
        for path in ("/v1/drafts", f"/v1/drafts/{draft['id']}"):
            problem(await client.get(path, headers=headers), 401, "unauthenticated")


@trying(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(header=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_whatever_bytes_stand_in_the_header_the_answer_is_a_401(
    blocking_ann: Blocking, header: bytes
) -> None:
    for sent in (header, b"Bearer " + header, b"Bearer vk_" + header, b"bearer\t" + header):
        answer = blocking_ann.asks("GET", "/v1/drafts", headers={"authorization": sent})
        problem(answer, 401, "unauthenticated")


PARTS = st.sampled_from(["", ".", "..", "e30", "eyJhbGciOiJIUzI1NiJ9", "bnVsbA", "W10", "IiI", "x"])


@trying(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(parts=st.lists(PARTS | st.text("abcXYZ019-_=", max_size=20), max_size=6))
def test_whatever_looks_like_a_token_and_is_none_is_a_401(
    blocking_ann: Blocking, parts: list[str]
) -> None:
    headers = {"authorization": f"Bearer {'.'.join(parts)}"}

    answer = blocking_ann.asks("GET", "/v1/drafts", headers=headers)

    problem(answer, 401, "unauthenticated")


async def test_no_token_and_no_key_is_ever_in_the_logs(newcomer: Operator) -> None:
    operator = newcomer.having(VARIORUM_LOG_LEVEL="debug")
    with operator.serves() as service:
        tokens = [
            operator.succeeds("token", "ann").strip(),
            operator.succeeds("key", "create", "importer").strip(),
            make_token(b"made up, and not the one of this service", "ann", [], HOUR, now=NOON),
            f"vk_0123456789ab_{'A' * 43}",
            "c2VjcmV0LWxvb2tpbmctbm9uc2Vuc2U",
        ]
        for token in tokens:
            async with service.called_by(token) as someone:
                for method, path in (("GET", "/v1/drafts"), ("GET", "nonsense"), ("POST", "x/y")):
                    await someone.asks(method, path)
                await someone.client.get(f"/v1/drafts?token={token}")
                await someone.client.get("/v1/drafts", headers={"authorization": f"Basic {token}"})
    logged = service.err.read_text()

    assert logged.count("\n") >= 5 * len(tokens)
    secrets = [part for token in tokens for part in token.replace("_", ".").split(".")]
    assert [part for part in secrets if len(part) > 12 and part in logged] == []

"""API keys: made once, looked up with every request, ended at once; and kept as digests only."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.api_keys import ApiKeys
from projections.store.api_keys import ApiKey
from projections.store.base import Store
from tests.api.calls import Caller, problem
from tests.running import NOON, Clock

DAY = timedelta(days=1)


@pytest.fixture
def keys(store: Store, clock: Clock) -> ApiKeys:
    """What `variorum key` works with, beside the service."""
    return ApiKeys(store, clock)


def id_in(key: str) -> str:
    return key.split("_")[1]


async def refusal(client: httpx.AsyncClient, key: str) -> str:
    """Why a key is refused."""
    answer = await Caller(client, key).asks("GET", "/v1/drafts")
    assert answer.headers["www-authenticate"] == "Bearer"
    return str(problem(answer, 401, "unauthenticated")["detail"])


async def test_a_machine_with_a_key_is_a_user_of_the_keys_name(
    client: httpx.AsyncClient, keys: ApiKeys, ann: Caller
) -> None:
    machine = Caller(client, await keys.create("importer", None, None))

    draft = await machine.open({"title": "Jazz"})

    assert draft["owner"] == f"key:{id_in(machine.token)}"
    assert (await machine.lists())["items"][0]["id"] == draft["id"]
    problem(await ann.asks("GET", draft["id"]), 404, "draft-not-found")


async def test_two_keys_of_one_name_are_two_machines(
    client: httpx.AsyncClient, keys: ApiKeys
) -> None:
    one, other = [await keys.create("importer", None, None) for _ in range(2)]

    draft = await Caller(client, one).open()

    assert one != other
    problem(await Caller(client, other).asks("GET", draft["id"]), 404, "draft-not-found")


async def test_a_key_ends_with_its_revocation_at_once_and_for_good(
    client: httpx.AsyncClient, keys: ApiKeys, store: Store, clock: Clock
) -> None:
    key = await keys.create("importer", "admin", None)
    assert (await Caller(client, key).asks("GET", "/v1/drafts")).status_code == 200

    assert await keys.revoke(id_in(key))
    assert await refusal(client, key) == "The API key was revoked."

    clock.tick(60)
    assert await keys.revoke(id_in(key))
    (kept,) = await store.api_keys.listed()
    assert kept.revoked_at == NOON


async def test_a_key_that_there_is_not_cannot_be_revoked(keys: ApiKeys) -> None:
    assert not await keys.revoke("0123456789ab")


async def test_a_key_with_an_end_ends_then(
    client: httpx.AsyncClient, keys: ApiKeys, clock: Clock
) -> None:
    machine = Caller(client, await keys.create("importer", None, DAY))

    clock.tick(86_399)
    assert (await machine.asks("GET", "/v1/drafts")).status_code == 200
    clock.tick(1)
    assert await refusal(client, machine.token) == "The API key has expired."


@pytest.mark.parametrize("role", [None, "auditor", "admin"])
async def test_a_key_has_the_role_it_was_made_with_and_its_own_kind(
    keys: ApiKeys, role: str | None
) -> None:
    key = await keys.create("importer", role, None)

    principal = await keys.principal(key)

    assert (principal.sub, principal.kind) == (f"key:{id_in(key)}", "key")
    assert principal.roles == ({role} if role else set())


async def test_of_a_key_a_digest_is_kept_and_nothing_else(keys: ApiKeys, store: Store) -> None:
    key = await keys.create("importer", "auditor", DAY)

    assert await store.api_keys.listed() == [
        ApiKey(
            id_in(key),
            "importer",
            "auditor",
            hashlib.sha256(key.encode()).digest(),
            NOON,
            NOON + DAY,
            None,
        )
    ]
    assert await store.api_keys.find(id_in(key)) == (await store.api_keys.listed())[0]
    assert await store.api_keys.find("0123456789ab") is None


async def test_keys_are_listed_in_the_order_in_which_they_were_made(
    keys: ApiKeys, store: Store, clock: Clock
) -> None:
    made = []
    for _ in range(5):
        made.append(id_in(await keys.create("importer", None, None)))
        clock.tick()

    assert [key.id for key in await store.api_keys.listed()] == made


async def test_whoever_knows_the_id_knows_nothing_of_the_key(
    client: httpx.AsyncClient, keys: ApiKeys
) -> None:
    key = await keys.create("importer", None, None)
    known, secret = key[: len("vk_0123456789ab_")], key[len("vk_0123456789ab_") :]
    flipped = ("B" if secret[0] == "A" else "A") + secret[1:]
    unknown = await refusal(client, f"vk_0123456789ab_{secret}")

    for wrong in (flipped, secret[::-1], "A" * 43, secret.swapcase()):
        assert await refusal(client, known + wrong) == unknown
    await keys.revoke(id_in(key))
    assert await refusal(client, known + flipped) == unknown


MALFORMED: list[Any] = [
    "vk_",
    "vk__",
    "vk_0123456789ab",
    "vk_0123456789ab_",
    "vk_0123456789ab_" + "A" * 42,
    "vk_0123456789ab_" + "A" * 44,
    "vk_0123456789AB_" + "A" * 43,
    "vk_0123456789ab_" + "A" * 42 + "=",
    "vk_0123456789ab_" + "A" * 43 + "\t",
    "vk_" + "0" * 8_000,
    "vk_%00" + "A" * 43,
    "vk_' OR '1'='1",
    "vk_../../etc/passwd",
]


@pytest.mark.parametrize("key", MALFORMED)
async def test_what_is_no_key_is_refused_as_one_that_there_is_not(
    client: httpx.AsyncClient, keys: ApiKeys, key: str
) -> None:
    await keys.create("importer", None, None)

    assert await refusal(client, key) == (
        "There is no such API key; get one with `variorum key create`."
    )

"""GET /v1/drafts/{id}/verify: whether every version of a draft is as it was recorded."""

from __future__ import annotations

import asyncio
from uuid import UUID

from pydantic import SecretStr

from api.app import create_app
from api.settings import Settings
from projections.store.base import Store
from tests.api.calls import Caller, Document, caller, problem, replace
from tests.running import Clock, calling, serving
from tests.tampering import Tamper

NEW_KEY = "made up for tests, the key of the next year"


async def verifies(somebody: Caller, draft: str) -> Document:
    """The answer of the route."""
    answer = await somebody.asks("GET", f"{draft}/verify")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "private, no-cache"
    document: Document = answer.json()
    return document


def having(settings: Settings, **others: SecretStr) -> Settings:
    """The settings with some others in their place."""
    return Settings(_env_file=None, **{**settings.model_dump(), **others})  # type: ignore[call-arg]


async def some_draft(ann: Caller, versions: int = 5) -> str:
    """A draft with so many versions."""
    draft = await ann.open({"fee": 0})
    for fee in range(1, versions):
        await ann.save(draft, replace("/fee", fee))
    return str(draft["id"])


async def test_an_untouched_draft_is_intact_and_its_head_is_its_last_link(
    ann: Caller, store: Store
) -> None:
    draft = await some_draft(ann)
    records = await store.events(UUID(draft), 0, 100)
    assert await verifies(ann, draft) == {
        "intact": True,
        "versions": 5,
        "head": records[-1].hash.hex(),
    }


async def test_the_answer_goes_along_with_the_draft(ann: Caller) -> None:
    draft = await some_draft(ann)
    before = await verifies(ann, draft)
    await ann.label(draft, 1, "first")
    after = await verifies(ann, draft)
    assert (after["intact"], after["versions"]) == (True, 6)
    assert after["head"] != before["head"]


async def test_a_draft_of_somebody_else_is_not_there(ann: Caller, ben: Caller) -> None:
    draft = await some_draft(ann)
    problem(await ben.asks("GET", f"{draft}/verify"), 404, "draft-not-found")
    await ben.open({})
    problem(await ben.asks("GET", f"{draft}/verify"), 404, "draft-not-found")
    nowhere = "00000000-0000-4000-8000-000000000000"
    problem(await ann.asks("GET", f"{nowhere}/verify"), 404, "draft-not-found")
    problem(await ann.asks("GET", "jazz/verify"), 404, "draft-not-found")
    nobody = {"authorization": ""}
    problem(await ann.asks("GET", f"{draft}/verify", headers=nobody), 401, "unauthenticated")


async def test_what_was_altered_is_named_by_its_versions(ann: Caller, tamper: Tamper) -> None:
    draft = await some_draft(ann, 8)
    head = (await verifies(ann, draft))["head"]
    where = "WHERE originator_id = %s AND originator_version"
    tamper(f"UPDATE stored_events SET state = %s {where} = 3", b'{"by":"x"}', UUID(draft))
    tamper(f"DELETE FROM stored_events {where} IN (5, 6)", UUID(draft))
    assert await verifies(ann, draft) == {
        "intact": False,
        "versions": 8,
        "head": head,
        "flaws": [
            {"problem": "altered", "from": 3, "to": 3},
            {"problem": "missing", "from": 5, "to": 6},
        ],
    }


async def test_a_draft_that_lost_its_beginning_or_everything_still_has_an_answer(
    ann: Caller, tamper: Tamper
) -> None:
    draft = await some_draft(ann)
    remove = "DELETE FROM stored_events WHERE originator_id = %s"
    tamper(f"{remove} AND originator_version < 3", UUID(draft))
    flaws = [{"problem": "missing", "from": 1, "to": 2}]
    assert (await verifies(ann, draft))["flaws"] == flaws
    tamper(remove, UUID(draft))
    answer = await verifies(ann, draft)
    assert (answer["intact"], answer["versions"]) == (False, 0)
    assert answer["flaws"] == [{"problem": "missing", "from": 1, "to": 1}]


async def test_versions_before_a_change_of_keys_are_proved_by_the_old_key(
    ann: Caller, settings: Settings, clock: Clock
) -> None:
    draft = await some_draft(ann)
    old = settings.chain_key
    assert old is not None
    later = having(settings, chain_key=SecretStr(NEW_KEY))
    async with serving(create_app(later, clock=clock)) as app, calling(app) as client:
        again = caller(client, settings, "ann")
        await again.save(draft, replace("/fee", "new"))
        answer = await verifies(again, draft)
        key = answer["flaws"][0].pop("key")
        assert (answer["intact"], answer["versions"]) == (None, 6)
        assert answer["flaws"] == [{"problem": "unchecked", "from": 1, "to": 5}]
    assert answer["head"][:8] != key
    both = having(later, old_chain_keys=old)
    async with serving(create_app(both, clock=clock)) as app, calling(app) as client:
        answer = await verifies(caller(client, settings, "ann"), draft)
        assert (answer["intact"], answer["versions"]) == (True, 6)


async def test_others_are_served_while_a_long_draft_is_checked(ann: Caller, ben: Caller) -> None:
    draft = await ann.open({"fee": 0})
    edits = [{"changes": [replace("/fee", fee)]} for fee in range(1, 3_000)]
    await ann.sends(draft, *edits)
    checking = asyncio.create_task(verifies(ann, draft["id"]))
    served = 0
    while not checking.done():
        assert (await ben.asks("GET", "/v1/drafts")).status_code == 200
        served += 1
    assert served >= 2
    assert (await checking)["versions"] == 3_000

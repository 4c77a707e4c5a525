"""What happens here when a subject or a person is gone in the caller's system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest

from api.api_keys import ApiKeys
from api.security import make_token
from api.service import Service
from api.settings import Settings
from domain.origin import SERVICE, Origin
from domain.sharing import NewLink, hand_over, share, share_by_link
from projections.store.base import Store
from tests.api.calls import Caller, Document, add, problem, replace
from tests.api.services import beside
from tests.api.test_purge import everything
from tests.running import NOON, Clock
from tests.tampering import Tamper


@pytest.fixture
def ada(client: httpx.AsyncClient, settings: Settings) -> Caller:
    """An admin."""
    lifetime = timedelta(days=3_650)
    return Caller(client, make_token(settings.keys.jwt, "ada", ["admin"], lifetime, now=NOON))


@pytest.fixture
async def other(settings: Settings, clock: Clock) -> AsyncIterator[Service]:
    """Another process of the service."""
    async with beside(settings, clock) as service:
        yield service


async def deletes(caller: Caller, path: str) -> int:
    """How many drafts it was."""
    count: int = (await caller._gets("DELETE", path))["drafts"]
    return count


# -- a subject


async def test_the_drafts_of_all_owners_about_a_subject_go_to_the_trash(
    ann: Caller, ben: Caller, ada: Caller
) -> None:
    drafts = [await who.open({"fee": 1}, subject="42") for who in (ann, ben)]
    further = await ann.open({"fee": 1}, subject="42", another=True)
    kept = [await ann.open(subject="43"), await ann.open(form="venue", subject="42")]
    kept += [await ann.open()]
    submitted = await ann.open(form="gig", subject="42", another=True)
    await ann.submit(submitted)
    assert await deletes(ada, "/v1/subjects/gig/42") == 3
    assert await deletes(ada, "/v1/subjects/gig/42") == 0
    for who, draft in ((ann, drafts[0]), (ben, drafts[1]), (ann, further)):
        assert (await who.draft(draft))["status"] == "discarded"
    version = (await ann.versions(drafts[0]))["items"][0]
    assert (version["act"], version["by"]) == ("discarded", SERVICE)
    assert version["reason"].startswith("The subject was deleted by ")
    assert {(await ann.draft(draft))["status"] for draft in kept} == {"open"}
    assert (await ann.draft(submitted))["status"] == "submitted"
    assert (await ann.recover(drafts[0]))["recorded"]


async def test_names_with_slashes_are_told_apart(ann: Caller, ada: Caller) -> None:
    one = await ann.open(form="a/b", subject="c")
    two = await ann.open(form="a", subject="b/c")
    assert await deletes(ada, "/v1/subjects/a%2Fb/c") == 1
    assert [(await ann.draft(draft))["status"] for draft in (one, two)] == ["discarded", "open"]
    assert await deletes(ada, "/v1/subjects/a/b%2Fc") == 1
    assert await deletes(ada, "/v1/subjects/a/b/c") == 0


async def test_a_name_may_have_line_breaks(ann: Caller, ada: Caller) -> None:
    for subject in ("a\nb", "\na", "a\n", "a/\n"):
        draft = await ann.open(form="gig", subject=subject)
        assert await deletes(ada, f"/v1/subjects/gig/{quote(subject, safe='')}") == 1
        assert (await ann.draft(draft))["status"] == "discarded"
    assert await deletes(ada, "/v1/users/no%0Abody") == 0


async def test_edits_while_a_subject_goes_are_saved_or_refused(ann: Caller, ada: Caller) -> None:
    draft = await ann.open({"n": 0}, subject="42")
    saves = [ann.tries(draft, replace("/n", n)) for n in range(1, 6)]
    gone = asyncio.create_task(deletes(ada, "/v1/subjects/gig/42"))
    answers = await asyncio.gather(*saves)
    assert await gone == 1
    saved = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (await ann.draft(draft))["version"] == 2 + len(saved)


@pytest.mark.parametrize("path", ["/v1/subjects/gig/42", "/v1/users/ann"])
async def test_only_an_admin_says_so(
    ann: Caller,
    ben: Caller,
    client: httpx.AsyncClient,
    settings: Settings,
    store: Store,
    clock: Clock,
    path: str,
) -> None:
    draft = await ann.open({"fee": 1}, subject="42")
    for who in (ann, ben):
        problem(await who.asks("DELETE", path), 403, "forbidden")
    keys = ApiKeys(store, clock)
    plain = Caller(client, await keys.create("plain", None, None))
    problem(await plain.asks("DELETE", path), 403, "forbidden")
    assert (await ann.draft(draft))["status"] == "open"
    backend = Caller(client, await keys.create("backend", "admin", None))
    assert await deletes(backend, path) == 1


@pytest.mark.parametrize(
    "path", ["/v1/users/%00", "/v1/subjects/gig/%00", f"/v1/users/{'x' * 201}", "/v1/subjects/gig/"]
)
async def test_a_name_that_cannot_be_one_is_refused(ada: Caller, path: str) -> None:
    problem(await ada.asks("DELETE", path), 422, "invalid")


# -- a person


async def shared(
    service: Service, store: Store, draft: Document, owner: str, whom: str
) -> tuple[str, str]:
    """Share a draft with a person; the keys of both."""
    by, key = await store.people.key_of(owner), await store.people.key_of(whom)
    assert by is not None
    assert key is not None
    origin = Origin(by, service.parts.clock())
    await service.writer.run(UUID(draft["id"]), lambda d: share(d, key, "editor", origin))
    return by, key


async def test_a_forgotten_persons_drafts_are_purged_and_the_name_leaves_all_others(
    ann: Caller,
    ben: Caller,
    ada: Caller,
    other: Service,
    store: Store,
    settings: Settings,
    request: pytest.FixtureRequest,
) -> None:
    own = [await ben.open({"text": "of ben alone " * 9}, another=True) for _ in range(3)]
    draft = await ann.open({"fee": 1})
    await shared(other, store, draft, "ann", "ben")
    await ben.save(draft, replace("/fee", 2))
    await ann.save(draft, replace("/fee", 3), based_on=1)  # a conflict names ben
    assert (await ann.draft(draft))["conflicts"][0]["ours"]["by"] == "ben"

    assert await deletes(ada, "/v1/users/ben") == 3
    assert await deletes(ada, "/v1/users/ben") == 0

    now = await ann.draft(draft)
    pseudonym = now["conflicts"][0]["ours"]["by"]
    assert pseudonym.startswith("forgotten:")
    history = [(v["act"], v["by"]) for v in (await ann.versions(draft))["items"]]
    assert history[:1] == [("unshared", SERVICE)]
    assert ("edited", pseudonym) in history
    assert now["data"] == {"fee": 2}, "what was typed into a draft of Ann's is Ann's"
    await store.trash.scrub()
    found = everything(settings, request)
    assert b"of ben alone" not in found
    assert b"'ben'" not in found
    for one in own:  # who has the name now is somebody else
        problem(await ben.asks("GET", one["id"]), 404, "draft-not-found")
    problem(await ben.asks("GET", draft["id"]), 404, "draft-not-found")
    assert (await ann._gets("GET", f"{draft['id']}/verify"))["intact"]
    assert (await ada.asks("GET", own[0]["id"])).status_code == 404


async def test_links_that_the_person_made_end(
    ann: Caller, ben: Caller, ada: Caller, other: Service, store: Store
) -> None:
    draft = await ben.open({"fee": 1})
    await ann.open(another=True)
    by, key = await shared(other, store, draft, "ben", "ann")
    origin = Origin(by, other.parts.clock())
    link, id_ = NewLink("aZ09bY18cX27", "viewer", "0" * 64), UUID(draft["id"])
    await other.writer.run(id_, lambda d: share_by_link(d, link, origin))
    await other.writer.run(id_, lambda d: hand_over(d, key, origin))
    assert await deletes(ada, "/v1/users/ben") == 0
    acts = [(v["act"], v["by"]) for v in (await ann.versions(draft))["items"]]
    assert acts[:2] == [("unshared", SERVICE)] * 2
    assert await store.role("link:aZ09bY18cX27", UUID(draft["id"])) is None


async def test_another_process_forgets_the_name_too(
    ann: Caller, ben: Caller, ada: Caller, other: Service, store: Store
) -> None:
    await ben.open()
    key = await store.people.key_of("ben")
    assert key is not None
    await other.letting_go.start()
    assert await other.people.sub_of(key) == "ben"
    assert await other.people.key_of("ben") == key
    await deletes(ada, "/v1/users/ben")
    await other.letting_go.look()
    assert (await other.people.sub_of(key)).startswith("forgotten:")
    assert await other.people.key_of("ben") is None
    await other.letting_go.stop()


async def test_a_draft_begun_by_a_process_that_had_not_heard_is_swept(
    ann: Caller, ben: Caller, ada: Caller, other: Service, store: Store, clock: Clock
) -> None:
    await ben.open()
    key = await store.people.key_of("ben")
    assert key is not None
    await store.trash.forget(key, "forgotten:0", clock())  # and stopped just here
    late = await ben.open({"fee": 1}, another=True)  # by the key that the process remembers
    assert (await other.sweep.run(clock())) is not None
    assert await store.load(UUID(late["id"])) is None


async def test_forgetting_leaves_the_drafts_of_everybody_else(
    ann: Caller, ben: Caller, ada: Caller, tamper: Tamper
) -> None:
    draft = await ann.open({"fee": 1})
    await ann.save(draft, add("/x", 1))
    await ben.open()
    assert await deletes(ada, "/v1/users/ben") == 1
    assert await deletes(ada, "/v1/users/nobody") == 0
    assert (await ann.draft(draft))["data"] == {"fee": 1, "x": 1}

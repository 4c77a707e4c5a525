"""What those see live with whom a draft is shared, and when they see no more of it."""

from __future__ import annotations

import httpx
import pytest
from starlette.types import ASGIApp

from api.settings import Settings
from tests.api.calls import Caller, Document, Process, caller, id_of, problem, replace
from tests.api.streams import streaming

MASK = {"masked": True}


@pytest.fixture
async def draft(ann: Caller) -> Document:
    """Ann's draft, with a sensitive contact."""
    return await ann.open({"fee": 100, "contact": "0170 1"})


async def test_members_are_told_until_they_are_no_members(
    service: ASGIApp, ann: Caller, ben: Caller, draft: Document
) -> None:
    await ann.share(draft, "ben", "editor")
    async with streaming(service, ben, draft) as his, streaming(service, ann, draft) as hers:
        await ann.save(draft, replace("/fee", 250))
        await his.reaches(3)
        await ben.asks("PUT", f"{id_of(draft)}/presence", json={"device": "bens"})
        await hers.tells("presence", 2)
        await ann.unshare(draft, "ben")
        await ann.save(draft, replace("/fee", 300))
        await his.ends()
        assert his.versions == [3]
        await hers.reaches(5)
        await hers.tells("presence", 3)
        shown = [event.data["present"] for event in hers.named("presence")]
        assert [[one["user"] for one in present] for present in shown] == [[], ["ben"], []]
    async with streaming(service, ben, draft, last=3) as stream:
        assert stream.status == 404


async def test_a_new_role_is_told_as_the_reader_s_status(
    service: ASGIApp, ann: Caller, ben: Caller, draft: Document
) -> None:
    await ann.share(draft, "ben", "viewer")
    async with streaming(service, ben, draft) as stream:
        await ann.share(draft, "ben", "editor")
        await stream.tells("status", 2)
        assert (await ann.asks("PUT", f"{id_of(draft)}/owner", json={"user": "ben"})).is_success
        await stream.tells("status", 3)
        roles = [event.data["role"] for event in stream.named("status")]
        assert roles == ["viewer", "editor", "owner"]
        assert stream.named("version")[-1].data["draft"]["owner"] == "ben"


async def test_a_link_is_told_until_it_is_taken_back(
    service: ASGIApp, ann: Caller, client: httpx.AsyncClient, draft: Document
) -> None:
    path = f"{id_of(draft)}/links"
    link = (await ann.asks("POST", path, json={"role": "viewer"})).json()
    guest = Caller(client, link["token"])
    async with streaming(service, guest, draft) as stream:
        await ann.save(draft, replace("/fee", 250))
        await stream.reaches(3)
        said = await guest.asks("PUT", f"{id_of(draft)}/presence", json={"device": "guest"})
        assert said.status_code == 204
        present = (await stream.tells("presence", 2)).data["present"]
        assert [one["user"] for one in present] == [f"link:{link['id']}"]
        await ann.asks("DELETE", f"{path}/{link['id']}")
        await ann.save(draft, replace("/fee", 300))
        await stream.ends()
        assert stream.versions == [3]


async def test_a_member_of_one_process_is_revoked_through_another(
    processes: list[Process], settings: Settings
) -> None:
    first, last = processes[0], processes[-1]
    ben = caller(first.ann.client, settings, "ben")
    draft = await first.ann.open({"fee": 100})
    await first.ann.share(draft, "ben", "viewer")
    async with streaming(first.app, ben, draft) as stream:
        await last.ann.unshare(draft, "ben")
        await last.ann.save(draft, replace("/fee", 250))
        await stream.ends()
        assert stream.versions == []


@pytest.mark.parametrize(
    ("role", "before", "after"),
    [("owner", "0170 1", "0170 2"), ("editor", MASK, "0170 2"), ("viewer", MASK, MASK)],
)
async def test_what_is_sensitive_is_masked_for_whom_it_is_hidden(
    service: ASGIApp,
    ann: Caller,
    ben: Caller,
    draft: Document,
    role: str,
    before: object,
    after: object,
) -> None:
    if role != "owner":
        await ann.share(draft, "ben", role)
    reader = ann if role == "owner" else ben
    async with streaming(service, reader, draft) as stream:
        await ann.save(draft, replace("/contact", "0170 2"))
        event = await stream.tells("version")
        (change,) = event.data["changes"]
        assert (change["before"], change["after"]) == (before, after)
        assert "0170" not in change["text"] + event.data["text"]
    version = event.data["version"]
    await ann.save(draft, replace("/contact", "0170 3"))
    async with streaming(service, reader, draft, last=version - 1) as stream:
        then = [event.data["changes"][0]["after"] for event in stream.named("version")]
        shown = {"owner": ["0170 2", "0170 3"], "editor": [MASK, "0170 3"]}
        assert then == shown.get(role, [MASK, MASK])


async def test_an_auditor_is_told_what_happens_to_any_draft_and_nothing_sensitive(
    service: ASGIApp, ann: Caller, client: httpx.AsyncClient, settings: Settings, draft: Document
) -> None:
    auditor = caller(client, settings, "ada", "auditor")
    async with streaming(service, auditor, draft) as stream:
        await ann.save(draft, replace("/contact", "0170 2"))
        event = await stream.tells("version")
        assert event.data["draft"]["role"] == "auditor"
        assert event.data["changes"][0]["after"] == MASK
        said = await auditor.asks("PUT", f"{id_of(draft)}/presence", json={"device": "desk"})
        problem(said, 403, "forbidden")


async def test_late_edits_of_members_and_links_go_to_whose_they_should_be(
    ann: Caller, ben: Caller, client: httpx.AsyncClient, draft: Document
) -> None:
    await ann.share(draft, "ben", "editor")
    made = await ann.asks("POST", f"{id_of(draft)}/links", json={"role": "editor"})
    guest, link = Caller(client, made.json()["token"]), f"link:{made.json()['id']}"
    await ann.submit(draft)
    edit = {"changes": [replace("/fee", 250)], "based_on": 1, "on_closed": "fork"}

    bens = (await ben.asks("PATCH", id_of(draft), json={**edit, "device": "bens"})).json()
    fork = await ben.draft(bens["id"])
    assert (fork["owner"], fork["role"], fork["data"]) == ("ben", "owner", {"fee": 250})

    answers = [
        await guest.asks("PATCH", id_of(draft), json={**edit, "device": "guest", "seq": seq})
        for seq in (1, 1)
    ]
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    assert answers[0].json() == answers[1].json()
    fork = await ann.draft(answers[0].json()["id"])
    assert (fork["owner"], fork["role"]) == ("ann", "owner")
    assert (await ann.version(fork, 2))["by"] == link
    assert fork["data"]["fee"] == 250
    members = (await ann.asks("GET", f"{fork['id']}/members")).json()["items"]
    assert {"user": "ann", "role": "owner"} in members

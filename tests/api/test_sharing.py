"""Sharing over HTTP: by name, by link, leaving and handing over; and who sees what of it."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from api.settings import Settings
from projections.store.base import Store
from tests.api.calls import DRAFTS, Caller, Document, caller, pointers, problem, replace
from tests.running import Clock

GIG = {"title": "Jazz night", "fee": 100}


@pytest.fixture
async def draft(ann: Caller) -> Document:
    """Ann's draft."""
    return await ann.open(GIG)


@pytest.fixture
def auditor(client: httpx.AsyncClient, settings: Settings) -> Caller:
    return caller(client, settings, "ada", "auditor")


async def status(somebody: Caller, draft: Document) -> int:
    """What the draft answers to somebody."""
    return (await somebody.asks("GET", draft["id"])).status_code


# -- by name


async def test_an_editor_sees_and_saves_and_a_viewer_only_sees(
    ann: Caller, ben: Caller, draft: Document
) -> None:
    assert await status(ben, draft) == 404
    receipt = await ann.share(draft, "ben", "viewer")
    assert (receipt["version"], receipt["recorded"]) == (2, True)
    seen = await ben.draft(draft)
    assert (seen["owner"], seen["role"], seen["data"]) == ("ann", "viewer", GIG)
    refused = problem(await ben.tries(draft, replace("/fee", 1)), 403, "forbidden")
    assert "viewer" in refused["detail"]

    await ann.share(draft, "ben", "editor")
    assert (await ben.save(draft, replace("/fee", 250)))["version"] == 4
    assert (await ann.versions(draft))["items"][0]["by"] == "ben"

    await ann.unshare(draft, "ben")
    assert await status(ben, draft) == 404
    problem(await ben.tries(draft, replace("/fee", 1)), 404, "draft-not-found")


async def test_lists_show_what_is_shared_with_me(ann: Caller, ben: Caller, draft: Document) -> None:
    own = await ben.open()
    await ann.share(draft, "ben", "viewer")
    shared = (await ben.lists(shared="true"))["items"]
    assert [(d["id"], d["owner"], d["role"]) for d in shared] == [(draft["id"], "ann", "viewer")]
    assert [d["id"] for d in (await ben.lists(shared="false"))["items"]] == [own["id"]]
    assert (await ann.lists(shared="true"))["items"] == []
    assert len((await ben.lists())["items"]) == 2


async def test_history_tells_of_every_grant_and_revocation(
    ann: Caller, ben: Caller, draft: Document
) -> None:
    await ann.share(draft, "ben", "viewer")
    link = await ann.share_by_link(draft, "editor", expires_in=60)
    await ann.asks("DELETE", f"{draft['id']}/links/{link['id']}")
    await ben.unshare(draft, "ben")
    await ann.share(draft, "eve", "editor")
    await ann.unshare(draft, "eve")
    await ann.hand_over(draft, "ben")
    told = [await ann.version(draft, number) for number in range(2, 9)]
    assert [(one["act"], one["by"], one["about"], one["text"]) for one in told] == [
        (
            "shared",
            "ann",
            {"user": "ben", "role": "viewer"},
            "Ann shared the draft with Ben as viewer",
        ),
        (
            "shared",
            "ann",
            {"link": link["id"], "role": "editor", "expires_at": link["expires_at"]},
            "Ann shared the draft by a link as editor",
        ),
        ("unshared", "ann", {"link": link["id"]}, "Ann took a link to the draft back"),
        ("unshared", "ben", {"user": "ben"}, "Ben left the draft"),
        (
            "shared",
            "ann",
            {"user": "eve", "role": "editor"},
            "Ann shared the draft with Eve as editor",
        ),
        ("unshared", "ann", {"user": "eve"}, "Ann stopped sharing the draft with Eve"),
        ("handed_over", "ann", {"user": "ben"}, "Ann handed the draft over to Ben"),
    ]
    acts = [line["act"] for line in (await ann.versions(draft))["items"]]
    assert acts == [one["act"] for one in reversed(told)] + ["opened"]
    assert "ed hash" not in str(told)
    assert "token_hash" not in str(told)


async def test_members_are_listed_to_members(ann: Caller, ben: Caller, draft: Document) -> None:
    for user, role in (("zoe", "viewer"), ("ben", "editor")):
        await ann.share(draft, user, role)
    everybody = [
        {"user": "ann", "role": "owner"},
        {"user": "ben", "role": "editor"},
        {"user": "zoe", "role": "viewer"},
    ]
    for somebody in (ann, ben):
        listed = await somebody.asks("GET", f"{draft['id']}/members")
        assert listed.json() == {"items": everybody, "next_cursor": None}
    address: dict[str, Any] = {"limit": 2}
    first = (await ann.asks("GET", f"{draft['id']}/members", params=address)).json()
    address["cursor"] = first["next_cursor"]
    second = (await ann.asks("GET", f"{draft['id']}/members", params=address)).json()
    assert first["items"] + second["items"] == everybody
    assert second["next_cursor"] is None


async def test_a_member_leaves_and_nobody_else_takes_a_role_away(
    ann: Caller, ben: Caller, draft: Document
) -> None:
    await ann.share(draft, "ben", "editor")
    await ann.share(draft, "eve", "viewer")
    problem(await ben.asks("DELETE", f"{draft['id']}/members/eve"), 403, "forbidden")
    await ben.unshare(draft, "ben")
    assert await status(ben, draft) == 404
    problem(await ben.asks("DELETE", f"{draft['id']}/members/ben"), 404, "draft-not-found")
    problem(await ann.asks("DELETE", f"{draft['id']}/members/ann"), 422, "invalid")


@pytest.mark.parametrize("user", ["link:a1b2", "key:", " ", "x" * 201, "a%00b", "key:xyz"])
async def test_nobody_is_called_so(ann: Caller, draft: Document, user: str) -> None:
    answer = await ann.asks("PUT", f"{draft['id']}/members/{user}", json={"role": "viewer"})
    assert pointers(problem(answer, 422, "invalid")) == ["{user}"]
    body = {"user": user.replace("%00", "\x01")}
    answer = await ann.asks("PUT", f"{draft['id']}/owner", json=body)
    assert pointers(problem(answer, 422, "invalid")) == ["/user"]


@pytest.mark.parametrize("user", ["a/b", "zoë", "auth0|5f", "key:0123456789ab", "a@example.org"])
async def test_names_are_as_issuers_make_them(ann: Caller, draft: Document, user: str) -> None:
    await ann.share(draft, user, "viewer")
    members = (await ann.asks("GET", f"{draft['id']}/members")).json()["items"]
    assert {"user": user, "role": "viewer"} in members
    await ann.unshare(draft, user)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/role"), ({"role": "owner"}, "/role"), ({"role": "viewer", "x": 1}, "/x")],
)
async def test_a_role_that_there_is_not_is_refused(
    ann: Caller, draft: Document, body: Document, pointer: str
) -> None:
    answer = await ann.asks("PUT", f"{draft['id']}/members/ben", json=body)
    assert pointers(problem(answer, 422, "invalid")) == [pointer]
    answer = await ann.asks("POST", f"{draft['id']}/links", json=body)
    assert pointers(problem(answer, 422, "invalid")) == [pointer]


async def test_a_stranger_makes_nobody_known_by_naming_them(
    ann: Caller, ben: Caller, draft: Document, store: Store
) -> None:
    for method, path, body in (
        ("PUT", "members/mallory", {"role": "editor"}),
        ("PUT", "owner", {"user": "mallory"}),
    ):
        answer = await ben.asks(method, f"{draft['id']}/{path}", json=body)
        problem(answer, 404, "draft-not-found")
    assert await store.people.key_of("mallory") is None


# -- handing over


async def test_a_draft_is_handed_over_with_its_place(
    ann: Caller, ben: Caller, clock: Clock
) -> None:
    draft = await ann.open(GIG, subject="42")
    receipt = await ann.hand_over(draft, "ben")
    assert (receipt["version"], receipt["recorded"]) == (2, True)
    assert [(await who.draft(draft))["role"] for who in (ann, ben)] == ["editor", "owner"]
    assert (await ben.draft(draft))["owner"] == "ben"
    assert (await ben.open(subject="42"))["id"] == draft["id"]
    assert (await ann.open(subject="42"))["id"] != draft["id"]
    problem(await ann.asks("DELETE", draft["id"]), 403, "forbidden")
    problem(await ann.asks("PUT", f"{draft['id']}/owner", json={"user": "ann"}), 403, "forbidden")


async def test_where_the_new_owner_has_a_draft_already_it_is_named(
    ann: Caller, ben: Caller
) -> None:
    draft, theirs = await ann.open(GIG, subject="42"), await ben.open(subject="42")
    answer = await ann.asks("PUT", f"{draft['id']}/owner", json={"user": "ben"})
    assert problem(answer, 409, "slot-taken")["draft"] == theirs["id"]
    assert (await ann.draft(draft))["role"] == "owner"


# -- by link


async def test_a_link_needs_no_account_and_is_named_in_history(
    ann: Caller, client: httpx.AsyncClient, draft: Document
) -> None:
    made = await ann.share_by_link(draft, "editor")
    link = Caller(client, made["token"])
    assert made["url"] == f"http://variorum.test/drafts/{draft['id']}#token={made['token']}"
    assert (made["role"], made["expires_at"], made["version"]) == ("editor", None, 2)
    assert (await link.draft(draft))["role"] == "editor"
    await link.save(draft, replace("/fee", 250), device="kiosk", seq=1)
    again = await link.save(draft, replace("/fee", 250), device="kiosk", seq=1)
    assert (again["version"], again["recorded"]) == (3, True)
    told = await ann.version(draft, 3)
    assert (told["by"], told["text"]) == (
        f"link:{made['id']}",
        "Somebody with a link changed Fee from €100 to €250",
    )
    named = await ann.versions(draft, by=f"link:{made['id']}")
    assert [line["version"] for line in named["items"]] == [3]


async def test_a_link_ends_when_it_is_taken_back_at_once(
    ann: Caller, client: httpx.AsyncClient, draft: Document
) -> None:
    made = await ann.share_by_link(draft, "viewer")
    link = Caller(client, made["token"])
    assert await status(link, draft) == 200
    answer = await ann.asks("DELETE", f"{draft['id']}/links/{made['id']}")
    assert answer.status_code == 204
    refused = problem(await link.asks("GET", draft["id"]), 401, "unauthenticated")
    assert "taken back" in refused["detail"]
    assert (await ann.asks("DELETE", f"{draft['id']}/links/{made['id']}")).status_code == 204
    assert (await ann.draft(draft))["version"] == 3


async def test_a_link_expires(ann: Caller, draft: Document, clock: Clock) -> None:
    link = await ann.by_link(draft, "viewer", expires_in=60)
    clock.tick(59)
    assert await status(link, draft) == 200
    clock.tick()
    refused = problem(await link.asks("GET", draft["id"]), 401, "unauthenticated")
    assert "expired" in refused["detail"]


@pytest.mark.parametrize("expires_in", [0, -1, 1.5, "60", 315_360_001])
async def test_a_link_lasts_whole_seconds(ann: Caller, draft: Document, expires_in: Any) -> None:
    body = {"role": "viewer", "expires_in": expires_in}
    answer = await ann.asks("POST", f"{draft['id']}/links", json=body)
    assert pointers(problem(answer, 422, "invalid")) == ["/expires_in"]


async def test_of_a_link_only_a_hash_is_kept(
    ann: Caller, draft: Document, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = await ann.share_by_link(draft, "viewer")
    row = await store.link(made["id"])
    assert row is not None
    secret = made["token"].split("_", 2)[2]
    kept = [record.state.decode() for record in await store.events(row.draft, 0, 10)]
    assert secret not in str((row, kept, caplog.text))
    listed = (await ann.asks("GET", f"{draft['id']}/links")).json()["items"]
    assert listed == [
        {
            "id": made["id"],
            "role": "viewer",
            "expires_at": None,
            "by": "ann",
            "created_at": draft["created_at"],
        }
    ]


@pytest.mark.parametrize("alter", ["secret", "id", "form"])
async def test_a_token_that_is_not_of_a_link_is_refused(
    ann: Caller, client: httpx.AsyncClient, draft: Document, alter: str
) -> None:
    token = (await ann.share_by_link(draft, "editor"))["token"]
    wrong = {
        "secret": token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
        "id": "vl_" + "0" * 16 + token[19:],
        "form": token + "x",
    }
    answer = await Caller(client, wrong[alter]).asks("GET", draft["id"])
    problem(answer, 401, "unauthenticated")


async def test_a_link_repeated_is_the_same_link_with_the_same_token(
    ann: Caller, draft: Document
) -> None:
    body = {"role": "editor", "expires_in": 60, "device": "mac", "seq": 1}
    first, again = [await ann.asks("POST", f"{draft['id']}/links", json=body) for _ in range(2)]
    assert first.json() == again.json()
    assert (first.status_code, again.status_code) == (201, 201)
    await ann.share(draft, "ben", "viewer", device="mac", seq=2)
    assert (await ann.asks("POST", f"{draft['id']}/links", json=body)).json() == first.json()
    other = {**body, "role": "viewer"}
    problem(await ann.asks("POST", f"{draft['id']}/links", json=other), 409, "seq-reused")
    assert (await ann.draft(draft))["version"] == 3


async def test_a_link_opens_its_draft_and_nothing_else(ann: Caller, draft: Document) -> None:
    other = await ann.open(GIG, another=True)
    link = await ann.by_link(draft, "editor")
    assert await status(link, other) == 404
    for method, path, body in (
        ("GET", DRAFTS, None),
        ("POST", DRAFTS, {"form": "gig"}),
        ("POST", f"{draft['id']}/fork", {}),
        ("PUT", f"{draft['id']}/template", {"on": True}),
        ("GET", f"{draft['id']}/members", None),
        ("PUT", f"{draft['id']}/members/eve", {"role": "viewer"}),
        ("DELETE", f"{draft['id']}/members/ann", None),
        ("PUT", f"{draft['id']}/owner", {"user": "eve"}),
        ("GET", f"{draft['id']}/links", None),
        ("POST", f"{draft['id']}/links", {"role": "viewer"}),
        ("DELETE", f"{draft['id']}/links/x", None),
        ("POST", f"{draft['id']}/submit", {}),
        ("DELETE", draft["id"], None),
    ):
        answer = await link.asks(method, path, **({} if body is None else {"json": body}))
        problem(answer, 403, "forbidden")


async def test_a_link_goes_on_when_its_maker_hands_the_draft_over(
    ann: Caller, ben: Caller, draft: Document
) -> None:
    link = await ann.by_link(draft, "viewer")
    await ann.hand_over(draft, "ben")
    assert await status(link, draft) == 200
    made = (await ben.asks("GET", f"{draft['id']}/links")).json()["items"][0]
    assert made["by"] == "ann"
    problem(await ann.asks("GET", f"{draft['id']}/links"), 403, "forbidden")


async def test_a_link_that_late_edits_came_by_loses_their_fork_by_its_name(
    ann: Caller, draft: Document
) -> None:
    link = await ann.by_link(draft, "editor")
    await ann.submit(draft)
    late = {"device": "kiosk", "seq": 1, "based_on": 1, "on_closed": "fork"}
    fork = await link.save(draft, replace("/fee", 9), **late)
    assert (await ann.draft(fork))["role"] == "owner"
    members = (await ann.asks("GET", f"{fork['id']}/members")).json()["items"]
    (name,) = [one["user"] for one in members if one["user"].startswith("link:")]
    await ann.unshare(fork, name)
    assert (await status(link, fork), await status(link, draft)) == (404, 200)


# -- auditors


async def test_an_auditor_reads_everything_and_writes_only_as_a_member(
    ann: Caller, auditor: Caller, draft: Document
) -> None:
    await ann.save(draft, replace("/fee", 250))
    seen = await auditor.draft(draft)
    assert (seen["role"], seen["owner"], seen["data"]["fee"]) == ("auditor", "ann", 250)
    assert (await auditor.version(draft, 2))["by"] == "ann"
    assert len((await auditor.versions(draft))["items"]) == 2
    assert (await auditor.asks("GET", f"{draft['id']}/verify")).json()["intact"] is True
    assert (await auditor.asks("GET", f"{draft['id']}/members")).status_code == 200
    assert (await auditor.lists())["items"] == []
    for method, path, body in (
        ("PATCH", "", {"changes": [replace("/fee", 1)]}),
        ("POST", "/edits", {"edits": []}),
        ("POST", "/fork", {}),
        ("POST", "/restore", {"version": 1}),
        ("PUT", "/members/ada", {"role": "editor"}),
        ("GET", "/links", None),
    ):
        answer = await auditor.asks(
            method, f"{draft['id']}{path}", **({} if body is None else {"json": body})
        )
        problem(answer, 403, "forbidden")
    assert (await auditor.asks("GET", "6f1c0e0a-5d0e-4b5e-9f43-0d8a6c1f7b21")).status_code == 404

    await ann.share(draft, "ada", "editor")
    assert (await auditor.draft(draft))["role"] == "editor"
    assert (await auditor.save(draft, replace("/fee", 1)))["recorded"] is True
    assert (await auditor.lists())["items"][0]["role"] == "editor"


# -- rates


async def test_all_who_have_a_link_share_its_rate(
    ann: Caller, client: httpx.AsyncClient, draft: Document, settings: Settings
) -> None:
    link, other = await ann.by_link(draft, "viewer"), await ann.by_link(draft, "viewer")
    answers = [await status(Caller(client, link.token), draft) for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert await status(other, draft) == 200
    assert await status(ann, draft) == 200


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """A low rate for links, where it is about rates."""
    low = "rate" in request.node.name
    return settings.model_copy(update={"rate_link": "3/minute" if low else "off"})

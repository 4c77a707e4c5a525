"""Masking over HTTP, by the example form: whose eyes see a contact now, and one of the past."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.settings import Settings
from tests.api.calls import Caller, Document, caller, problem, replace
from tests.projections import conftest
from tests.projections.conftest import Ask

MASK = {"masked": True}
OLD, NEW = {"email": "old@example.org"}, {"email": "new@example.org"}
ask = conftest.ask  # looks into the tables beside the service
SECRETS = ("old@example.org", "new@example.org", "other@example.org")


@pytest.fixture
async def draft(ann: Caller) -> Document:
    """Ann's gig, whose contact was another at first; and two devices disagree on the fee."""
    opened = await ann.open({"title": "Jazz", "fee": 1, "contact": OLD})
    await ann.save(opened, replace("/contact", NEW), device="mac", seq=1)
    await ann.share(opened, "ben", "editor")
    await ann.share(opened, "vic", "viewer")
    return await ann.draft(opened)


@pytest.fixture
async def everybody(
    client: httpx.AsyncClient, settings: Settings, ann: Caller, ben: Caller, draft: Document
) -> dict[str, Caller]:
    """Everybody who may read the draft."""
    return {
        "owner": ann,
        "editor": ben,
        "viewer": caller(client, settings, "vic"),
        "auditor": caller(client, settings, "ada", "auditor"),
        "link to edit": await ann.by_link(draft, "editor"),
        "link to view": await ann.by_link(draft, "viewer"),
    }


SEES_NOW = ("owner", "editor", "link to edit")


async def test_current_values_are_masked_for_those_who_may_not_edit(
    everybody: dict[str, Caller], draft: Document
) -> None:
    for who, somebody in everybody.items():
        shown = (await somebody.draft(draft))["data"]
        assert shown == {"title": "Jazz", "fee": 1, "contact": NEW if who in SEES_NOW else MASK}
        last = await somebody.draft(draft, version=(await somebody.draft(draft))["version"])
        assert last["data"] == shown


async def test_past_values_are_masked_for_all_but_the_owner(
    everybody: dict[str, Caller], draft: Document
) -> None:
    for who, somebody in everybody.items():
        past, first = await somebody.draft(draft, version=1), await somebody.version(draft, 1)
        changed, compared = await somebody.version(draft, 2), await somebody.compare(draft, 1, 2)
        told = (past, first, changed, compared)
        if who == "owner":
            assert past["data"]["contact"] == OLD
            assert changed["changes"][0]["after"] == NEW["email"]
            continue
        assert past["data"] == {"title": "Jazz", "fee": 1, "contact": MASK}
        for one in (changed["changes"][0], compared["changes"][0]):
            assert (one["path"], one["before"], one["after"]) == ("/contact/email", MASK, MASK)
        assert not any(secret in str(told) for secret in SECRETS)


async def test_words_lists_and_searches_hold_nothing_of_them(
    everybody: dict[str, Caller], draft: Document
) -> None:
    for who in ("owner", "editor", "viewer"):
        somebody = everybody[who]
        assert (await somebody.lists(q="example.org"))["items"] == []
        told: list[Any] = [
            await somebody.lists(q="jazz"),
            await somebody.versions(draft),
            await somebody.versions(draft, grouped="true"),
            [change["text"] for change in (await somebody.version(draft, 2))["changes"]],
            (await somebody.asks("GET", f"{draft['id']}/completeness")).json(),
        ]
        assert len(told[0]["items"]) == 1
        assert not any(secret in str(told) for secret in SECRETS)


async def test_a_conflict_on_a_sensitive_field_is_for_those_who_may_settle_it(
    everybody: dict[str, Caller], draft: Document
) -> None:
    other = replace("/contact", {"email": "other@example.org"})
    await everybody["owner"].save(draft, other, device="ipad", based_on=1)
    for who, somebody in everybody.items():
        held = (await somebody.draft(draft))["conflicts"]
        listed = (await somebody.asks("GET", f"{draft['id']}/conflicts")).json()["items"]
        for (conflict,) in (held, listed):
            shown = [side["values"]["/contact"] for side in (conflict["ours"], *conflict["theirs"])]
            if who in SEES_NOW:
                assert shown == [NEW, {"email": "other@example.org"}]
            else:
                assert (shown, conflict["base"]) == ([MASK, MASK], {"/contact": MASK})
        if who not in SEES_NOW:
            assert not any(secret in str((held, listed)) for secret in SECRETS)


async def test_a_restore_and_an_undo_by_an_editor_leave_them_as_they_are(
    everybody: dict[str, Caller], draft: Document
) -> None:
    ann, ben = everybody["owner"], everybody["editor"]
    await ann.save(draft, replace("/fee", 2))
    restored = await ben.restore(draft, 1)
    assert [change["path"] for change in restored["changes"]] == ["/fee"]
    assert (await ann.data(draft)) == {"title": "Jazz", "fee": 1, "contact": NEW}
    assert (await ben.undo(draft, 2))["recorded"] is False
    assert (await ann.restore(draft, 1))["recorded"] is True
    assert (await ann.data(draft))["contact"] == OLD


async def test_a_fork_takes_along_what_its_maker_sees(
    everybody: dict[str, Caller], draft: Document
) -> None:
    ben, vic = everybody["editor"], everybody["viewer"]
    assert (await ben.fork(draft))["data"]["contact"] == NEW
    for fork in (await ben.fork(draft, version=1), await vic.fork(draft)):
        assert fork["data"] == {"title": "Jazz", "fee": 1}
    assert (await everybody["owner"].fork(draft, version=1))["data"]["contact"] == OLD


async def test_a_fork_without_them_takes_nothing_away_when_it_is_merged(
    everybody: dict[str, Caller], draft: Document
) -> None:
    ben = everybody["editor"]
    fork = await ben.fork(draft, version=1)
    await ben.save(fork, replace("/fee", 9))
    await ben.asks("POST", f"{draft['id']}/merge", json={"fork": fork["id"]})
    assert (await ben.data(draft)) == {"title": "Jazz", "fee": 9, "contact": NEW}


async def test_a_mask_that_is_sent_back_is_refused(
    everybody: dict[str, Caller], draft: Document
) -> None:
    ben = everybody["editor"]
    seen = await ben.data(draft, version=1)
    for body in (
        {"data": {**seen, "fee": 2}, "based_on": 1},
        {"changes": [replace("/contact", MASK)]},
        {"changes": [replace("/contact", {"email": MASK})]},
    ):
        refused = problem(await ben.asks("PATCH", draft["id"], json=body), 422, "invalid")
        assert "/contact" in refused["detail"]
    problem(await ben.merges(draft, {"contact": MASK}), 422, "invalid")
    opening = {"form": "gig", "data": {"contact": MASK}}
    problem(await ben.asks("POST", "/v1/drafts", json=opening), 422, "invalid")
    assert await ben.data(draft) == {"title": "Jazz", "fee": 1, "contact": NEW}


async def test_a_receipt_that_somebody_else_had_is_told_without_the_past(
    everybody: dict[str, Caller], draft: Document
) -> None:
    """Whoever sends the same request under the same number gets the receipt of it."""
    ann, ben = everybody["owner"], everybody["editor"]
    body: dict[str, Any] = {"version": 1, "device": "mac", "seq": 2}
    first = await ann.restore(draft, **body)
    assert first["changes"][0]["before"] == NEW["email"]
    again = await ben.restore(draft, **body)
    assert again["changes"] == [{**first["changes"][0], "before": MASK, "after": MASK}]
    assert (await ann.restore(draft, **body))["changes"] == first["changes"]


async def test_the_definition_in_force_decides(
    everybody: dict[str, Caller], draft: Document, client: httpx.AsyncClient, settings: Settings
) -> None:
    admin, vic = caller(client, settings, "adi", "admin"), everybody["viewer"]
    for sensitive, shown in ((False, 1), (True, MASK)):
        definition = {"form": "gig", "fields": {"/fee": {"sensitive": sensitive}}}
        answer = await admin.asks("PUT", "/v1/forms/gig", json=definition)
        assert answer.status_code == 200
        assert await vic.data(draft) == {"title": "Jazz", "fee": shown, "contact": NEW}


async def test_a_title_made_of_a_sensitive_value_is_left_out(
    ann: Caller, ben: Caller, client: httpx.AsyncClient, settings: Settings
) -> None:
    admin = caller(client, settings, "adi", "admin")
    definition = {"form": "case", "title": "/who", "fields": {"/who": {"sensitive": True}}}
    await admin.asks("PUT", "/v1/forms/case", json=definition)
    draft = await ann.open({"who": "Zoë"}, form="case")
    await ann.share(draft, "ben", "viewer")
    assert (await ann.draft(draft))["title"] == "Zoë"
    assert "Zoë" not in str([await ben.draft(draft), await ben.lists(), await ann.lists()])


async def test_what_becomes_sensitive_is_found_by_no_search_any_more(
    ann: Caller, client: httpx.AsyncClient, settings: Settings, ask: Ask
) -> None:
    admin = caller(client, settings, "adi", "admin")
    draft = await ann.open({"title": "Jazz", "note": "secret words"}, form="case")
    found = (await ann.lists(q="secret"))["items"]
    assert [line["id"] for line in found] == [draft["id"]]
    definition = {"form": "case", "fields": {"/note": {"sensitive": True}}}
    await admin.asks("PUT", "/v1/forms/case", json=definition)
    assert ask("SELECT search FROM drafts") == [("",)]
    assert (await ann.lists(q="secret"))["items"] == []
    assert (await ann.lists(q="jazz"))["items"][0]["id"] == draft["id"]
    assert "secret" not in str(ask("SELECT search FROM drafts"))

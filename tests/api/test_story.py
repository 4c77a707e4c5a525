"""One draft through its whole life, on two devices and by two people, as they would live it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from starlette.types import ASGIApp

from api.service import Service
from api.settings import Settings
from tests.api.calls import DRAFTS, Caller, Document, add, problem, replace
from tests.api.hooks import Host, is_signed, listening, telling_of, tells
from tests.api.services import DAY
from tests.api.streams import streaming
from tests.running import Clock

GIG = {"form": "gig", "subject": "42"}


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    """The caller's own system, which is told what happens to drafts."""
    async with listening() as host:
        yield host


@pytest.fixture
async def upkeep(settings: Settings, clock: Clock, host: Host) -> AsyncIterator[Service]:
    """Another process, which sweeps, and tells the host."""
    async with telling_of(settings, clock, host) as service:
        yield service


async def line_of(somebody: Caller, draft: Document, **wanted: str) -> Document | None:
    """The draft's line in somebody's list."""
    lines = (await somebody.lists(**wanted))["items"]
    return next((line for line in lines if line["id"] == draft["id"]), None)


async def test_a_draft_from_the_first_key_to_the_trash_and_beyond(
    service: ASGIApp,
    ann: Caller,
    ben: Caller,
    ada: Caller,
    upkeep: Service,
    host: Host,
    clock: Clock,
) -> None:
    draft = await opens_on_two_devices(ann, clock)
    await goes_through_its_steps(ann, draft, clock)
    await takes_in_what_an_old_browser_kept(ann, draft)
    await is_shared_and_watched_live(service, ann, ben, draft, clock)
    await goes_its_ways_apart_and_comes_together(ann, ben, draft, clock)
    await is_a_template_for_another(ann, ben, draft)
    await expires_and_comes_back(ann, ben, upkeep, draft, clock)
    await is_submitted_and_stays_so(ann, draft, clock)
    await the_system_behind_is_told_so(ann, upkeep, host, draft)
    await a_fresh_one_is_discarded_and_ends(ann, ben, ada, upkeep, draft, clock)


async def opens_on_two_devices(ann: Caller, clock: Clock) -> Document:
    """The phone opens the form; the laptop, offline, had opened it too and fills the same draft."""
    phone = {"title": "Jazz night", "fee": 100, "pay": {"currency": "EUR"}}
    draft = await ann.open(phone, subject="42", step="basic", device="phone")
    clock.tick(60)
    laptop = {"title": "Jazz night", "fee": 250, "date": "2026-05-01", "tags": []}

    filled = await ann.open(laptop, subject="42", device="laptop")

    assert filled["id"] == draft["id"]
    assert filled["data"] == {**phone, "date": "2026-05-01"}
    (conflict,) = filled["conflicts"]
    assert conflict["ours"]["device"] == "phone"
    assert conflict["theirs"][0]["device"] == "laptop"
    line = await line_of(ann, draft, status="open")
    assert line is not None
    assert (line["conflicts"], line["saved_device"]) == (1, "laptop")
    settled = await ann.asks(
        "POST", f"{draft['id']}/conflicts/c1/resolve", json={"take": "theirs", "device": "phone"}
    )
    assert settled.json()["conflicts"] == []
    return await ann.draft(draft)


async def goes_through_its_steps(ann: Caller, draft: Document, clock: Clock) -> None:
    """The laptop goes on, offline, while the phone saves; then both know which step is next."""
    base = (await ann.draft(draft))["version"]
    clock.tick(60)
    await ann.save(draft, add("/start", "20:00"), device="phone", seq=1, based_on=base)
    venue = add("/venue", {"name": "Blue Hall", "city": "Ghent"})
    queue = [
        {"changes": [venue], "based_on": base, "device": "laptop", "seq": 1, "step": "venue"},
        {
            "changes": [add("/acts", [{"id": "a", "name": "Foo"}])],
            "based_on": base,
            "device": "laptop",
            "seq": 2,
            "step": "lineup",
            "completed_steps": ["basic", "venue"],
        },
    ]
    sent = await ann.sends(draft, *queue)
    assert [answer["recorded"] for answer in sent] == [True, True]
    assert [answer["version"] for answer in await ann.sends(draft, *queue)] == [
        answer["version"] for answer in sent
    ]

    report = (await ann.asks("GET", f"{draft['id']}/completeness")).json()
    steps = {step["id"]: step for step in report["steps"]}
    assert (report["resume"], report["complete"]) == ("lineup", True)
    assert (steps["venue"]["done_by"], steps["venue"]["complete"]) == ("ann", True)
    line = await line_of(ann, draft, q="blue hall")
    assert line is not None
    assert (line["step_label"], line["step_number"], line["steps"]) == ("Line-up", 3, 5)
    assert (line["filled"], line["fields"]) == (8, 22)


async def takes_in_what_an_old_browser_kept(ann: Caller, draft: Document) -> None:
    """An old browser still has the form: what is new goes in, once."""
    kept = {"formData": {"title": "Jazz night", "description": "Doors at eight."}, "lastSaved": 1}
    body = {"entries": {"gig-edit-42": json.dumps(kept), "gig-create-draft": "{"}}
    outcomes = []
    for _ in range(2):
        answer = await ann.asks("POST", "/v1/imports/local-storage", json=body)
        outcomes.append([item["outcome"] for item in answer.json()["items"]])
    assert outcomes == [["filled", "broken"], ["known", "broken"]]
    assert (await ann.data(draft))["description"] == "Doors at eight."


async def is_shared_and_watched_live(
    service: ASGIApp, ann: Caller, ben: Caller, draft: Document, clock: Clock
) -> None:
    """Ben does not know the draft, then edits it; Ann sees it come."""
    problem(await ben.asks("GET", draft["id"]), 404, "draft-not-found")
    await ann.share(draft, "ben", "editor")
    now = (await ann.draft(draft))["version"]
    clock.tick(60)
    async with streaming(service, ann, draft, last=now) as stream:
        await ben.save(draft, replace("/acts/id:a/name", "Foo Fighters"), device="ipad", seq=1)
        told = (await stream.tells("version")).data
        here = {"device": "ipad", "path": "/fee"}
        await ben.asks("PUT", f"{draft['id']}/presence", json=here)
        await stream.until(lambda: any("ben" in str(e.data) for e in stream.named("presence")))
    assert (told["version"], told["by"]) == (now + 1, "ben")
    assert (await ann.data(draft))["acts"][0]["name"] == "Foo Fighters"
    line = await line_of(ben, draft, shared="true")
    assert line is not None
    assert (line["role"], line["shared_by"], line["saved_by"]) == ("editor", "ann", "ben")


async def goes_its_ways_apart_and_comes_together(
    ann: Caller, ben: Caller, draft: Document, clock: Clock
) -> None:
    """Ben tries something in a fork of an old version; Ann edits on; the fork is merged."""
    first = await ann.label(draft, 3, "agreed on")
    fork = await ben.fork(draft, version=first["version"])
    clock.tick(60)
    await ben.save(fork, add("/end", "23:00"), device="ipad")
    await ann.save(draft, replace("/fee", 300), device="laptop")
    merged = await ben.asks("POST", f"{draft['id']}/merge", json={"fork": fork["id"]})
    assert (merged.json()["recorded"], merged.json()["conflicts"]) == (True, [])
    again = await ben.asks("POST", f"{draft['id']}/merge", json={"fork": fork["id"]})
    assert again.json()["recorded"] is False
    data = await ann.data(draft)
    assert (data["start"], data["end"], data["fee"]) == ("20:00", "23:00", 300)
    await ann.undo(draft, merged.json()["version"])
    assert "end" not in await ann.data(draft)
    await ann.restore(draft, merged.json()["version"], paths=["/end"])
    assert (await ann.data(draft))["end"] == "23:00"


async def is_a_template_for_another(ann: Caller, ben: Caller, draft: Document) -> None:
    """Ann keeps a copy as a template; Ben, who may see it, starts from it without the contact."""
    await ann.save(draft, add("/contact", {"name": "Zoë"}))
    copy = await ann.fork(draft)
    await ann.template(copy, on=True)
    await ann.share(copy, "ben", "viewer")
    assert (await line_of(ben, copy, template="true")) is not None
    begun = await ben.open({"title": "Ben's"}, subject="77", from_template=copy["id"])
    held = await ann.data(copy)
    assert begun["data"] == {**{n: v for n, v in held.items() if n != "contact"}, "title": "Ben's"}
    assert begun["from_template"]["draft"] == copy["id"]


async def expires_and_comes_back(
    ann: Caller, ben: Caller, upkeep: Service, draft: Document, clock: Clock
) -> None:
    """Nobody saves for a month; the templates stay, the draft goes to the trash and comes back."""
    before = await ann.data(draft)
    clock.tick(29 * DAY)
    await ann.extend(draft)
    clock.tick(2 * DAY)
    await upkeep.sweep.run(clock())
    assert (await ann.draft(draft))["status"] == "open"
    clock.tick(28 * DAY)
    await upkeep.sweep.run(clock())
    assert (await ann.draft(draft))["status"] == "expired"
    late = await ben.tries(draft, replace("/fee", 1), device="ipad", seq=9)
    assert problem(late, 409, "draft-closed")["draft_status"] == "expired"
    assert (await line_of(ann, draft, status="trash")) is not None
    assert len((await ann.lists(template="true"))["items"]) == 1
    other = await ann.open({"title": "Another"}, subject="42")
    taken = problem(await ann.asks("POST", f"{draft['id']}/recover"), 409, "slot-taken")
    assert taken["draft"] == other["id"]
    await ann.discard(other)
    await ann.recover(draft)
    again = await ann.draft(draft)
    assert (again["status"], again["data"]) == ("open", before)
    assert (await ann.open(subject="42"))["id"] == draft["id"]


async def is_submitted_and_stays_so(ann: Caller, draft: Document, clock: Clock) -> None:
    """Ann hands the form in; what comes late is refused, and the next opening is a fresh one."""
    clock.tick(60)
    receipt = await ann.submit(draft)
    final = await ann.draft(draft)
    assert (final["status"], final["version"]) == ("submitted", receipt["version"])
    late = await ann.tries(draft, replace("/fee", 1), device="phone", seq=9)
    assert problem(late, 409, "draft-closed")["draft_status"] == "submitted"
    verified = (await ann.asks("GET", f"{draft['id']}/verify")).json()
    assert (verified["intact"], verified["versions"]) == (True, receipt["version"])
    acts = {line["act"] for line in (await ann.versions(draft, limit=200))["items"]}
    assert acts >= {
        *("opened", "merged", "resolved", "edited", "shared", "labelled", "undone", "restored"),
        *("expired", "recovered", "submitted"),
    }


async def the_system_behind_is_told_so(
    ann: Caller, upkeep: Service, host: Host, draft: Document
) -> None:
    """It hears once of the submission, after all that came before, signed and without content."""
    await tells(upkeep)
    assert all(map(is_signed, host.heads, host.bodies))
    assert not any(b"Jazz night" in body for body in host.bodies)
    final = await ann.draft(draft)
    heard = [told for told in host.told if told["data"]["id"] == draft["id"]]
    kinds = [told["type"].removeprefix("draft.") for told in heard]
    assert [kind for kind in kinds if kind != "saved"] == ["expired", "submitted"]
    names = ("id", "form", "subject", "owner", "version", "status")
    assert heard[-1]["data"] == {name: final[name] for name in names}
    fetched = await ann.asks("GET", final["id"], headers={"if-none-match": f'"{final["version"]}"'})
    assert fetched.status_code == 304  # what was told of is what is there


async def a_fresh_one_is_discarded_and_ends(
    ann: Caller, ben: Caller, ada: Caller, upkeep: Service, draft: Document, clock: Clock
) -> None:
    """The next draft of the subject is new, is handed over, thrown away and purged in the end."""
    answer = await ann.asks("POST", DRAFTS, json=GIG)
    fresh = answer.json()
    assert (answer.status_code, fresh["data"]) == (201, {})
    await ann.hand_over(fresh, "ben")
    assert (await ann.draft(fresh))["role"] == "editor"
    assert (await ann.asks("POST", DRAFTS, json=GIG)).status_code == 201
    await ben.discard(fresh)
    clock.tick(31 * DAY)
    await upkeep.sweep.run(clock())
    problem(await ben.asks("GET", fresh["id"]), 410, "draft-purged")
    problem(await ann.asks("GET", fresh["id"]), 404, "draft-not-found")
    assert (await ann.draft(draft))["status"] == "submitted"
    gone = await ada.asks("DELETE", "/v1/subjects/gig/42")
    assert gone.json() == {"drafts": 1}
    assert len((await ann.lists(status="trash", subject="42"))["items"]) >= 1

"""GET /v1/audit: every change to every draft that somebody may see, in words, and who looked."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import httpx
import orjson
import pytest

from api.settings import Settings
from projections.store.base import Store
from tests.api.calls import Caller, Document, add, pointers, problem, replace, with_role
from tests.api.test_purge import everything
from tests.running import Clock

FORM = {
    "form": "show",
    "title": "/title",
    "fields": {
        "/fee": {"label": "Fee", "format": "currency:EUR"},
        "/acts": {"label": "Line-up", "key": "id", "item": "/name"},
        "/acts/*/fee": {"label": "Fee"},
        "/contact": {"label": "Contact", "merge": "atomic", "sensitive": True},
    },
}
ROW = {"title": "Jazz night", "fee": 100, "acts": [{"id": "a5", "name": "Foo", "fee": 10}]}


@pytest.fixture
def auditor(client: httpx.AsyncClient, settings: Settings) -> Caller:
    """Somebody who may read everything."""
    return with_role(client, settings, "olga", "auditor")


@pytest.fixture
async def _defined(client: httpx.AsyncClient, settings: Settings) -> None:
    admin = with_role(client, settings, "ada", "admin")
    answer = await admin.asks("PUT", "/v1/forms/show", json=FORM)
    assert answer.is_success, answer.text


async def audits(somebody: Caller, **asked: Any) -> Document:
    """A page of the audit."""
    params = {name.rstrip("_"): value for name, value in asked.items()}
    answer = await somebody.asks("GET", "/v1/audit", params=params)
    assert answer.status_code == 200, answer.text
    document: Document = answer.json()
    return document


async def texts(somebody: Caller, **asked: Any) -> list[str]:
    return [line["text"] for line in (await audits(somebody, **asked))["items"]]


async def a_story(ann: Caller, clock: Clock) -> str:
    """A draft of Ann's with changes of several kinds."""
    draft = await ann.open(ROW, form="show")
    clock.tick(60)
    await ann.save(draft, replace("/fee", 250), replace("/acts/id:a5/fee", 20), reason="agency")
    clock.tick(60)
    await ann.save(draft, add("/contact", {"phone": "12345"}), device="mac")
    clock.tick(60)
    await ann.restore(draft, 1, paths=["/fee"])
    clock.tick(60)
    await ann.label(draft, 2, "sent out")
    clock.tick(60)
    await ann.submit(draft)
    return str(draft["id"])


# -- the lines


@pytest.mark.usefixtures("_defined")
async def test_a_line_tells_of_each_change_in_words_and_values_newest_first(
    ann: Caller, clock: Clock
) -> None:
    draft = await a_story(ann, clock)
    page = await audits(ann)
    assert [line["text"] for line in page["items"]] == [
        "Ann submitted the draft",
        "Ann named version 2 'sent out'",
        "Ann changed Fee from €250 to €100 (restored version 1)",
        "Ann changed Contact",
        "Ann changed Fee from €100 to €250",
        "Ann changed Fee of 'Foo' from 10 to 20",
        "Ann opened the draft with Title and 2 other fields",
    ]
    assert (page["total"], page["drafts"], page["next_cursor"]) == (7, 1, None)
    line = page["items"][4]
    assert len(line.pop("hash")) == 72
    assert line.pop("request")
    assert line == {
        "at": "2026-03-01T12:01:00Z",
        "draft": draft,
        "title": "Jazz night",
        "owner": "ann",
        "form": "show",
        "version": 2,
        "act": "edited",
        "by": "ann",
        "text": "Ann changed Fee from €100 to €250",
        "op": "replace",
        "path": "/fee",
        "label": "Fee",
        "before": 100,
        "after": 250,
        "device": None,
        "address": "127.0.0.1",
        "reason": "agency",
    }
    opened = page["items"][-1]
    assert (opened["op"], opened["path"], opened["after"]) == ("add", "", ROW)
    labelled = page["items"][1]
    assert (labelled["op"], labelled["before"], labelled["after"]) == (None, None, None)


async def test_owners_see_their_own_drafts_auditors_all_and_others_none(
    ann: Caller, ben: Caller, auditor: Caller
) -> None:
    await ann.open({"fee": 1})
    assert await audits(ben) == {"items": [], "next_cursor": None, "total": 0, "drafts": 0}
    await ben.open({"fee": 2})
    assert [line["owner"] for line in (await audits(ben))["items"]] == ["ben"]
    page = await audits(auditor)
    assert ({line["owner"] for line in page["items"]}, page["drafts"]) == ({"ann", "ben"}, 2)


@pytest.mark.usefixtures("_defined")
async def test_sensitive_values_are_masked_for_all_but_the_owner(
    ann: Caller, auditor: Caller, clock: Clock
) -> None:
    await ann.open({"title": "Jazz", "contact": {"phone": "1"}}, form="show")
    await a_story(ann, clock)
    masked = {"masked": True}
    of_auditor = await audits(auditor, path="/contact")
    assert [(x["before"], x["after"]) for x in of_auditor["items"]] == [
        (None, masked),
        (None, {"title": "Jazz", "contact": masked}),
    ]
    assert (await audits(ann, path="/contact"))["items"][0]["after"] == {"phone": "12345"}
    everything = (await auditor.asks("GET", "/v1/audit")).text
    assert "12345" not in everything
    assert '"phone"' not in everything


# -- filters


@pytest.mark.usefixtures("_defined")
async def test_filters_choose_by_draft_person_path_act_and_time(
    ann: Caller, ben: Caller, auditor: Caller, clock: Clock
) -> None:
    draft = await a_story(ann, clock)
    clock.tick(3_600)
    other = await ben.open({"fee": 5}, form="show")
    assert len(await texts(auditor, draft=other["id"])) == 1
    assert len(await texts(auditor, draft=draft)) == 7
    assert len(await texts(auditor, owner="ben")) == 1
    assert len(await texts(auditor, by="ann")) == 7
    assert await texts(auditor, by="nobody") == []
    assert await texts(auditor, act="submitted") == ["Ann submitted the draft"]
    assert await texts(auditor, path="/acts") == [
        "Ann changed Fee of 'Foo' from 10 to 20",
        "Ann opened the draft with Title and 2 other fields",
    ]
    assert (await audits(auditor, path="/acts"))["total"] == 2
    assert len(await texts(auditor, path="/fee")) == 4
    assert await texts(auditor, from_="2026-03-01T12:30:00Z") == ["Ben opened the draft with Fee"]
    within = {"from_": "2026-03-01T12:01:00Z", "to": "2026-03-01T12:01:00Z"}
    assert len(await texts(auditor, **within)) == 2
    assert await texts(auditor, draft="00000000-0000-4000-8000-000000000000") == []


@pytest.mark.usefixtures("_defined")
async def test_a_text_is_looked_for_in_titles_labels_words_and_reasons(
    ann: Caller, auditor: Caller, clock: Clock
) -> None:
    await a_story(ann, clock)
    await ann.open({"title": "Other", "fee": 1}, form="show", another=True)
    assert await texts(auditor, q="OTHER") == [
        "Ann opened the draft with Title and Fee",
        "Ann opened the draft with Title and 2 other fields",
    ]
    page = await audits(auditor, q="sent out")
    assert (page["total"], page["drafts"], len(page["items"])) == (1, 1, 1)
    assert len(await texts(auditor, q="agency")) == 2
    assert len(await texts(auditor, q="jazz")) == 7
    assert await texts(auditor, q="12345") == []


# -- who set a value


@pytest.mark.usefixtures("_defined")
async def test_who_first_set_a_value_is_found_also_if_by_opening_the_draft_or_with_all_around_it(
    ann: Caller, ben: Caller, auditor: Caller, clock: Clock
) -> None:
    draft = await ann.open(ROW, form="show")
    clock.tick(1)
    await ann.open({"title": "Blues"}, form="show", another=True)
    clock.tick(1)
    fork = (await ann.fork(draft))["id"]
    clock.tick(1)
    await ann.save(draft, add("/acts/-", {"id": "b6", "name": "Bar", "fee": 5}))
    for path, expected in {
        "/fee": [(fork, 1), (draft["id"], 1)],
        "/acts/id:a5/fee": [(fork, 1), (draft["id"], 1)],
        "/acts/id:b6/fee": [(draft["id"], 2)],
        "/acts/id:c7/fee": [],
        "/fee/x": [],
        "fee": [],
    }.items():
        page = await audits(auditor, path=path)
        assert [(line["draft"], line["version"]) for line in page["items"]] == expected, path
        drafts = len({draft for draft, _ in expected})
        assert (page["total"], page["drafts"]) == (len(expected), drafts), path
    opened = ["Ann opened the draft with Title and 2 other fields"]
    assert await texts(auditor, path="/fee", act="opened") == opened
    assert await texts(auditor, path="/fee", draft=draft["id"]) == opened
    assert await texts(ann, path="/fee", q="opened") == opened
    assert await texts(ben, path="/fee") == []


@pytest.mark.usefixtures("_defined")
async def test_tables_hold_the_openings_that_set_a_value_too(
    ann: Caller, auditor: Caller, clock: Clock
) -> None:
    await a_story(ann, clock)
    lines = (await audits(auditor, path="/fee"))["items"]
    assert [line["version"] for line in lines] == [4, 2, 1]
    for kind in ("application/x-ndjson", "text/csv"):
        asked = {"params": {"path": "/fee"}, "headers": {"accept": kind}}
        table = (await auditor.asks("GET", "/v1/audit", **asked)).text
        assert [table.count(line["hash"]) for line in lines] == [1, 1, 1]


@pytest.mark.usefixtures("_defined")
async def test_what_is_in_a_masked_value_is_not_found_out_by_asking_for_it(
    ann: Caller, auditor: Caller
) -> None:
    contact = {"phone": "12345", "tags": [{"id": "secret"}]}
    await ann.open({"title": "Jazz", "contact": contact}, form="show")
    for path in ("/contact/phone", "/contact/fax", "/contact/tags/id:secret", "/contact/tags/id:x"):
        page = await audits(auditor, path=path)
        assert (page["total"], len(page["items"])) == (1, 1), path
        assert page["items"][0]["after"] == {"title": "Jazz", "contact": {"masked": True}}
        known = path in ("/contact/phone", "/contact/tags/id:secret")
        assert len(await texts(ann, path=path)) == known, path


@pytest.mark.usefixtures("_defined")
async def test_audit_history_and_blame_say_the_same_of_who_set_a_value(
    ann: Caller, auditor: Caller, clock: Clock
) -> None:
    await a_story(ann, clock)
    draft = await ann.open({**ROW, "venue": {"city": "Ulm"}}, form="show", another=True)
    await ann.save(draft, add("/acts/-", {"id": "b6", "name": "Bar", "fee": 5}))
    await ann.save(draft, replace("/venue", {"city": "Bonn", "hall": {"seats": 9}}))
    blame = (await ann.asks("GET", f"{draft['id']}/blame")).json()["paths"]
    assert len(blame) > 7
    for one in blame:
        history = (await ann.versions(draft, path=one["path"]))["items"]
        lines = (await audits(auditor, path=one["path"], draft=draft["id"]))["items"]
        for found in (history, lines):
            assert one["version"] == max(line["version"] for line in found), one["path"]
        assert {line["version"] for line in history} == {line["version"] for line in lines}


# -- pages


async def test_pages_give_every_line_once_also_from_the_middle_of_a_version(
    ann: Caller, ben: Caller, auditor: Caller, clock: Clock
) -> None:
    for somebody in (ann, ben):
        draft = await somebody.open({"n": 0})
        for number in range(1, 4):
            clock.tick(number % 2)
            await somebody.save(draft, *(add(f"/f{n}", number) for n in range(3)))
    whole = (await audits(auditor))["items"]
    assert len(whole) == 20
    for limit in (1, 2, 3, 7):
        found: list[Document] = []
        cursor: dict[str, str] = {}
        while True:
            page = await audits(auditor, limit=limit, **cursor)
            assert (page["total"], page["drafts"]) == (20, 2)
            found += page["items"]
            if page["next_cursor"] is None:
                break
            assert len(page["items"]) == limit
            cursor = {"cursor": page["next_cursor"]}
        assert found == whole


# -- tables


@pytest.mark.usefixtures("_defined")
async def test_the_same_lines_come_as_ndjson_and_csv(
    ann: Caller, auditor: Caller, clock: Clock
) -> None:
    await a_story(ann, clock)
    whole = (await audits(auditor))["items"]
    ndjson = await auditor.asks("GET", "/v1/audit", headers={"accept": "application/x-ndjson"})
    assert ndjson.headers["content-type"] == "application/x-ndjson"
    assert [orjson.loads(line) for line in ndjson.text.splitlines()] == whole
    table = await auditor.asks("GET", "/v1/audit", headers={"accept": "text/csv"})
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in table.headers["content-disposition"]
    assert table.headers["vary"] == "accept"
    rows = list(csv.DictReader(StringIO(table.text, newline="")))
    assert [row["text"] for row in rows] == [line["text"] for line in whole]
    assert (rows[4]["before"], rows[4]["after"], rows[4]["op"]) == ("100", "250", "replace")
    assert table.text.count("\r\n") == len(whole) + 1
    few = {"limit": 2, "q": "fee"}
    some = await auditor.asks("GET", "/v1/audit", params=few, headers={"accept": "text/csv"})
    assert len(some.text.splitlines()) == 3


async def test_no_text_of_a_draft_becomes_a_formula_in_a_spreadsheet(ann: Caller) -> None:
    draft = await ann.open({"note": "x", "fee": 1})
    for dangerous in ('=HYPERLINK("http://x")', "+1", "-1", "@x", "\tx", 'say "hi", twice'):
        await ann.save(draft, replace("/note", dangerous))
    await ann.save(draft, replace("/fee", -5))
    table = await ann.asks("GET", "/v1/audit", headers={"accept": "text/csv"})
    after = [row["after"] for row in csv.DictReader(StringIO(table.text, newline=""))]
    assert after[:7] == [
        "-5",
        'say "hi", twice',
        "'\tx",
        "'@x",
        "'-1",
        "'+1",
        '\'=HYPERLINK("http://x")',
    ]


# -- what is refused


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"draft": "x"}, "?draft"),
        ({"from": "yesterday"}, "?from"),
        ({"to": "2026-03-01T12:00:00"}, "?to"),
        ({"limit": "0"}, "?limit"),
        ({"limit": "201"}, "?limit"),
        ({"cursor": "x"}, "?cursor"),
        ({"cursor": "WyJ4IiwgInkiLCAxLCAxXQ"}, "?cursor"),
        ({"who": "ann"}, "?who"),
        ({"q": "a\0"}, "?q"),
    ],
)
async def test_a_wrong_filter_is_named(ann: Caller, asked: dict[str, str], pointer: str) -> None:
    answer = await ann.asks("GET", "/v1/audit", params=asked)
    assert pointers(problem(answer, 422, "invalid")) == [pointer]


async def test_nobody_sees_no_audit(client: httpx.AsyncClient) -> None:
    problem(await client.get("/v1/audit"), 401, "unauthenticated")


# -- who looked


async def test_what_an_auditor_reads_is_noted_with_who_when_and_what(
    ann: Caller, auditor: Caller, clock: Clock
) -> None:
    draft = (await ann.open({"fee": 1}))["id"]
    await ann.save(draft, replace("/fee", 2))
    clock.tick(60)
    await audits(auditor, by="ann", q="fee")
    for path in ("", "/versions?limit=1", "/versions/2", "/compare/1...2", "/verify", "/blame"):
        assert (await auditor.asks("GET", f"{draft}{path}")).is_success, path
    assert not (await auditor.asks("GET", f"{draft}/versions/9")).is_success
    noted = (await auditor.asks("GET", "/v1/audit/reads")).json()
    assert [(read["path"], read["asked"]) for read in noted["items"]] == [
        (f"/v1/drafts/{draft}/blame", {}),
        (f"/v1/drafts/{draft}/verify", {}),
        (f"/v1/drafts/{draft}/compare/1...2", {}),
        (f"/v1/drafts/{draft}/versions/2", {}),
        (f"/v1/drafts/{draft}/versions", {"limit": "1"}),
        (f"/v1/drafts/{draft}", {}),
        ("/v1/audit", {"by": "ann", "q": {"masked": True}}),
    ]
    first = noted["items"][0]
    assert (first["by"], first["at"], first["draft"]) == ("olga", "2026-03-01T12:01:00Z", draft)
    page = (await auditor.asks("GET", "/v1/audit/reads", params={"limit": 2})).json()
    rest = await auditor.asks("GET", "/v1/audit/reads", params={"cursor": page["next_cursor"]})
    assert page["items"] + rest.json()["items"] == noted["items"]


async def test_of_what_an_auditor_typed_nothing_is_noted_that_may_have_to_be_forgotten(
    ann: Caller,
    ben: Caller,
    auditor: Caller,
    client: httpx.AsyncClient,
    settings: Settings,
    store: Store,
    request: pytest.FixtureRequest,
) -> None:
    kept = {"owner": "ben", "act": "edited", "from": "2026-03-01T00:00:00Z", "limit": "9"}
    draft = (await ben.open({"guest": "Zoë Müller", "acts": [{"id": "zoe@example.org"}]}))["id"]
    await ann.open()
    await audits(auditor, **kept, path="/acts/id:zoe@example.org/fee", q="Zoë Müller")
    await audits(auditor, by="Zoë Müller", act="Zoë Müller")
    listed = {"device": "Zoë Müller", "path": "/acts/id:zoe@example.org"}
    await auditor._gets("GET", f"{draft}/versions", params=listed)
    admin = with_role(client, settings, "ada", "admin")

    assert (await admin.asks("DELETE", "/v1/users/ben")).json() == {"drafts": 1}
    await audits(auditor, owner="ben")

    masked = {"masked": True}
    noted = (await auditor.asks("GET", "/v1/audit/reads")).json()["items"]
    assert noted[3]["asked"].pop("owner").startswith("forgotten:")
    del kept["owner"]
    assert [read["asked"] for read in noted] == [
        {"owner": masked},
        {"device": masked, "path": "/acts/id:*"},
        {"by": masked, "act": masked},
        {**kept, "path": "/acts/id:*/fee", "q": masked},
    ]
    await store.trash.scrub()
    found = everything(settings, request)
    assert "Zoë".encode() not in found
    assert b"zoe@example.org" not in found


async def test_reads_of_others_are_not_noted_and_the_log_is_for_auditors(
    ann: Caller, auditor: Caller
) -> None:
    draft = await ann.open({"fee": 1})
    await ann.draft(draft)
    await audits(ann)
    problem(await ann.asks("GET", "/v1/audit/reads"), 403, "forbidden")
    assert (await auditor.asks("GET", "/v1/audit/reads")).json()["items"] == []


@pytest.mark.long
async def test_where_a_text_would_be_looked_for_in_too_many_versions_pages_go_on_without_totals(
    ann: Caller,
) -> None:
    draft = await ann.open({"n": 0, "note": "rare"})
    edits = [{"changes": [replace("/n", number)]} for number in range(1, 1_200)]
    await ann.sends(draft, *edits)
    page = await audits(ann, q="note")
    assert (page["items"], page["total"], page["drafts"]) == ([], None, None)
    page = await audits(ann, q="note", cursor=page["next_cursor"])
    assert [line["version"] for line in page["items"]] == [1]
    assert page["next_cursor"] is None
    assert (await audits(ann))["total"] == 1_200

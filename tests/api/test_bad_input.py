"""What nobody should send: refused in words, with the place named, and nothing recorded."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.api.calls import (
    DRAFTS,
    JSON_PATCH,
    MERGE_PATCH,
    PROBLEM,
    Caller,
    Document,
    add,
    copy,
    edit,
    expect,
    move,
    pointers,
    problem,
    remove,
    replace,
)

GIG: Document = {"title": "Jazz", "tags": ["a", "b"], "acts": [{"id": "a5", "name": "Foo"}]}
JSON = {"content-type": "application/json"}
MIB = 1_048_576


class Tried:
    """A draft that must stay as it is, whatever is sent to it."""

    def __init__(self, ann: Caller, draft: Document) -> None:
        self.ann, self.draft, self.id = ann, draft, draft["id"]

    async def refuses(
        self, status: int, slug: str, method: str, path: str, **request: Any
    ) -> Document:
        """The problem that the request gets; the draft has not moved and the service is there."""
        answer = await self.ann.asks(method, path.replace("{id}", self.id), **request)
        refusal = problem(answer, status, slug)
        assert await self.ann.draft(self.draft) == self.draft
        return refusal

    async def refuses_body(self, status: int, slug: str, body: bytes, **request: Any) -> Document:
        """The same for a body that is sent as an edit."""
        request.setdefault("headers", JSON)
        return await self.refuses(status, slug, "PATCH", "{id}", content=body, **request)


@pytest.fixture
async def tried(ann: Caller) -> Tried:
    """A draft of Ann's, at version 1."""
    return Tried(ann, await ann.open(GIG))


# -- not JSON, or JSON that two readers could take differently

NOT_JSON = {
    "nothing": b"",
    "blanks": b" \r\n\t ",
    "cut off": b'{"changes": [{"op": "add", "path": "/fee", "val',
    "cut off in a text": b'{"reason": "on the',
    "cut off in an escape": b'{"reason": "\\u00',
    "cut off in a character": b'{"reason": "\xc3',
    "no JSON": b"changes=1",
    "single quotes": b"{'changes': []}",
    "a comma too many": b'{"changes": [],}',
    "a comment": b'{"changes": [] /* none */}',
    "two values": b'{"changes": []} {"changes": []}',
    "a bare control character": b'{"reason": "a\nb"}',
    "a wrong escape": b'{"reason": "\\x"}',
    "Latin-1": '{"reason": "é"}'.encode("latin-1"),
    "UTF-16": '{"changes": []}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"changes": []}',
    "an overlong encoding": b'{"reason": "\xc0\xaf"}',
    "an encoded surrogate": b'{"reason": "\xed\xa0\x80"}',
    "a member twice": b'{"reason": "a", "reason": "a"}',
    "a number with leading zeros": b'{"data": {"a": 01}}',
}
# Each stands for a value somewhere in the data.
NOT_STORABLE = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "an overflow": b"1e999",
    "a negative overflow": b"-1e999",
    "2**53": b"9007199254740992",
    "-2**53": b"-9007199254740992",
    "a very long number": b"1" * 5_000,
    "a very long fraction": b"1." + b"1" * 400 + b"e400",
    "a lone surrogate": b'"\\ud83d"',
    "a lone trailing surrogate": b'"\\udc00"',
    "surrogates the wrong way round": b'"\\udc00\\ud83d"',
    "U+0000": b'"a\\u0000b"',
    "U+0000 in a name": b'{"a\\u0000": 1}',
    "a lone surrogate in a name": b'{"\\ud83d": 1}',
    "a member twice": b'{"a": 1, "a": 1}',
    "a member twice, once escaped": b'{"a": 1, "\\u0061": 2}',
}


async def test_a_body_that_is_not_json_is_refused(tried: Tried) -> None:
    for name, body in NOT_JSON.items():
        for headers in (JSON, JSON_PATCH, MERGE_PATCH):
            refusal = await tried.refuses_body(400, "bad-json", body, headers=headers)
            assert len(refusal["detail"]) < 200, name


async def test_no_route_takes_a_body_that_is_not_json(tried: Tried) -> None:
    routes = ["POST /v1/drafts", "POST {id}/edits", "POST {id}/restore", "POST {id}/extend"]
    routes += ["PUT {id}/versions/1/label", "POST {id}/undo", "POST {id}/fork", "DELETE {id}"]
    for route in routes:
        method, path = route.split()
        for body in NOT_JSON.values():
            if body:  # where a body is needed, its absence is a missing member
                request = {"content": body, "headers": JSON}
                await tried.refuses(400, "bad-json", method, path, **request)


async def test_a_value_that_gets_lost_on_the_way_is_refused(tried: Tried) -> None:
    for value in NOT_STORABLE.values():
        for body in (
            b'{"changes": [{"op": "add", "path": "/x", "value": [%b]}]}' % value,
            b'{"data": {"x": {"y": %b}}, "based_on": 1}' % value,
        ):
            await tried.refuses_body(400, "bad-json", body)
        patch = b'[{"op": "add", "path": "/x", "value": %b}]' % value
        await tried.refuses_body(400, "bad-json", patch, headers=JSON_PATCH)
        await tried.refuses_body(400, "bad-json", b'{"x": %b}' % value, headers=MERGE_PATCH)
        queue = b'{"edits": [{"data": {"x": %b}, "based_on": 1}]}' % value
        await tried.refuses(400, "bad-json", "POST", "{id}/edits", content=queue, headers=JSON)
        opening = b'{"form": "gig", "another": true, "data": {"x": %b}}' % value
        await tried.refuses(400, "bad-json", "POST", DRAFTS, content=opening, headers=JSON)
    assert len((await tried.ann.lists())["items"]) == 1


async def test_the_place_of_a_value_is_named(tried: Tried) -> None:
    body = b'{"changes": [{"op": "add", "path": "/x", "value": {"a/b": [0, 9007199254740992]}}]}'

    refusal = await tried.refuses_body(400, "bad-json", body)

    assert pointers(refusal) == ["/changes/0/value/a~1b/1"]
    assert "send it as text" in refusal["detail"]


async def test_the_largest_numbers_and_the_last_characters_are_kept(ann: Caller) -> None:
    data = {"n": [2**53 - 1, 1 - 2**53, 1.7976931348623157e308, 5e-324], "t": "\U0010ffff\x01\x7f"}

    draft = await ann.open(data)

    assert await ann.data(draft) == data


# -- wrong shapes


async def test_a_body_is_an_object(tried: Tried) -> None:
    routes = {"PATCH": "{id}", "POST": DRAFTS, "PUT": "{id}/versions/1/label"}
    for root in (b"[]", b"[1]", b'"text"', b"1", b"true", b"null"):
        for method, path in routes.items():
            sent: Any = {"content": root, "headers": JSON}
            refusal = await tried.refuses(422, "invalid", method, path, **sent)
            assert pointers(refusal) == [""]
        await tried.refuses_body(422, "invalid", root, headers=MERGE_PATCH)
        if root != b"[]":
            await tried.refuses_body(422, "invalid", root, headers=JSON_PATCH)


LONG = "x" * 201
WRONG_EDITS: list[tuple[Document, list[str]]] = [
    ({"chnages": []}, ["/chnages"]),
    ({"a": 1, "b": 2}, ["/a", "/b"]),
    ({"merge_patch": {"fee": 1}}, ["/merge_patch"]),
    ({"changes": {}}, ["/changes"]),
    ({"changes": "add"}, ["/changes"]),
    ({"changes": [1]}, ["/changes/0"]),
    ({"changes": [{}]}, ["/changes/0/op", "/changes/0/path"]),
    ({"changes": [{**add("/x", 1), "op": "put"}]}, ["/changes/0/op"]),
    ({"changes": [{**add("/x", 1), "op": 1}]}, ["/changes/0/op"]),
    ({"changes": [add("/x", 1), {**add("/x", 1), "path": 1}]}, ["/changes/1/path"]),
    ({"changes": [{**add("/x", 1), "before": 1}]}, ["/changes/0/before"]),
    ({"changes": [{**move("/x", "/y"), "from": None}]}, ["/changes/0/from"]),
    ({"changes": [add("/" + "x" * 2_000, 1)]}, ["/changes/0/path"]),
    ({"data": [], "based_on": 1}, ["/data"]),
    ({"data": "text", "based_on": 1}, ["/data"]),
    ({"data": {}}, [""]),
    ({"data": {}, "changes": [], "based_on": 1}, [""]),
    ({"based_on": "1"}, ["/based_on"]),
    ({"based_on": 1.0}, ["/based_on"]),
    ({"based_on": True}, ["/based_on"]),
    ({"based_on": 0}, ["/based_on"]),
    ({"based_on": -1}, ["/based_on"]),
    ({"based_on": 2}, ["/based_on"]),
    ({"based_on": 2**53 - 1}, ["/based_on"]),
    ({"device": ""}, ["/device"]),
    ({"device": LONG}, ["/device"]),
    ({"device": 5}, ["/device"]),
    ({"seq": 1}, [""]),
    ({"seq": -1, "device": "mac"}, ["/seq"]),
    ({"seq": 1.5, "device": "mac"}, ["/seq"]),
    ({"seq": "1", "device": "mac"}, ["/seq"]),
    ({"seq": False, "device": "mac"}, ["/seq"]),
    ({"step": LONG}, ["/step"]),
    ({"step": ["lineup"]}, ["/step"]),
    ({"completed_steps": "basic"}, ["/completed_steps"]),
    ({"completed_steps": [LONG, 1]}, ["/completed_steps/0", "/completed_steps/1"]),
    ({"completed_steps": ["x"] * 201}, ["/completed_steps"]),
    ({"reason": "x" * 1_001}, ["/reason"]),
    ({"on_conflict": "win"}, ["/on_conflict"]),
    ({"on_closed": "open"}, ["/on_closed"]),
]


async def test_a_wrong_edit_is_refused_and_each_fault_named(tried: Tried) -> None:
    for body, where in WRONG_EDITS:
        refusal = await tried.refuses(422, "invalid", "PATCH", "{id}", json=body)
        assert (pointers(refusal), body) == (where, body)


async def test_a_wrong_edit_in_a_queue_is_named_with_its_place(tried: Tried) -> None:
    for body, where in WRONG_EDITS:
        if "/based_on" in where and body["based_on"] not in (0, -1):
            continue  # what a number means is said for each edit alone
        queue = {"edits": [{}, body]}
        refusal = await tried.refuses(422, "invalid", "POST", "{id}/edits", json=queue)
        assert pointers(refusal) == [f"/edits/1{pointer}" for pointer in where]


async def test_a_wrong_queue_is_refused(tried: Tried) -> None:
    wrong: list[tuple[Document, list[str]]] = [
        ({}, ["/edits"]),
        ({"edits": {}}, ["/edits"]),
        ({"edits": [1]}, ["/edits/0"]),
        ({"edits": [], "device": "mac"}, ["/device"]),
        ({"edits": [{}] * 10_001}, ["/edits"]),
    ]
    for body, where in wrong:
        refusal = await tried.refuses(422, "invalid", "POST", "{id}/edits", json=body)
        assert pointers(refusal) == where


async def test_a_wrong_patch_document_is_named_by_its_own_places(tried: Tried) -> None:
    wrong: list[tuple[dict[str, str], Any, str, list[str]]] = [
        (JSON_PATCH, [{}], "", ["/0/op", "/0/path"]),
        (JSON_PATCH, [add("/x", 1), {**add("/x", 1), "op": "put"}], "", ["/1/op"]),
        (JSON_PATCH, [1], "", ["/0"]),
        (JSON_PATCH, [add("/x", 1)] * 1_001, "", [""]),
        (JSON_PATCH, [], "?based_on=0", ["?based_on"]),
        (JSON_PATCH, [], "?based_on=2", ["?based_on"]),
        (JSON_PATCH, [], "?based_on=one", ["?based_on"]),
        (MERGE_PATCH, {}, "?based_on=-1", ["?based_on"]),
        (MERGE_PATCH, {}, "?based_on=1&based_on=1", ["?based_on"]),
        (MERGE_PATCH, {}, f"?device={LONG}", ["?device"]),
        (MERGE_PATCH, {}, "?device=a%00b", ["?device"]),
        (MERGE_PATCH, {}, "?device=", ["?device"]),
        (MERGE_PATCH, {}, "?seq=1", [""]),
        (MERGE_PATCH, {}, "?device=mac&seq=x", ["?seq"]),
        (MERGE_PATCH, {}, "?basedon=1&x", ["?basedon", "?x"]),
    ]
    for headers, body, query, where in wrong:
        refusal = await tried.refuses(
            422, "invalid", "PATCH", "{id}" + query, json=body, headers=headers
        )
        assert (pointers(refusal), body, query) == (where, body, query)


async def test_members_that_an_operation_does_not_define_are_ignored_in_a_json_patch(
    ann: Caller, tried: Tried
) -> None:
    answer = await ann.patches(tried.draft, {**add("/fee", 1), "comment": "RFC 6902, section 4"})

    assert answer.json()["recorded"]


WRONG_REQUESTS: list[tuple[str, str, Document, list[str]]] = [
    ("POST", DRAFTS, {}, ["/form"]),
    ("POST", DRAFTS, {"form": ""}, ["/form"]),
    ("POST", DRAFTS, {"form": LONG}, ["/form"]),
    ("POST", DRAFTS, {"form": None}, ["/form"]),
    ("POST", DRAFTS, {"form": "gig", "subject": LONG}, ["/subject"]),
    ("POST", DRAFTS, {"form": "gig", "subject": 42}, ["/subject"]),
    ("POST", DRAFTS, {"form": "gig", "subject": ""}, ["/subject"]),
    ("POST", DRAFTS, {"form": "gig", "data": []}, ["/data"]),
    ("POST", DRAFTS, {"form": "gig", "data": None}, ["/data"]),
    ("POST", DRAFTS, {"form": "gig", "step": LONG}, ["/step"]),
    ("POST", DRAFTS, {"form": "gig", "completed_steps": {}}, ["/completed_steps"]),
    ("POST", DRAFTS, {"form": "gig", "another": "yes"}, ["/another"]),
    ("POST", DRAFTS, {"form": "gig", "another": 1}, ["/another"]),
    ("POST", DRAFTS, {"form": "gig", "id": "7"}, ["/id"]),
    ("POST", DRAFTS, {"form": "gig", "id": 7}, ["/id"]),
    ("POST", DRAFTS, {"form": "gig", "owner": "ben", "x": 1}, ["/owner", "/x"]),
    ("POST", "{id}/restore", {}, ["/version"]),
    ("POST", "{id}/restore", {"version": 0}, ["/version"]),
    ("POST", "{id}/restore", {"version": -1}, ["/version"]),
    ("POST", "{id}/restore", {"version": "1"}, ["/version"]),
    ("POST", "{id}/restore", {"version": 1, "paths": []}, ["/paths"]),
    ("POST", "{id}/restore", {"version": 1, "paths": ["/x"] * 1_001}, ["/paths"]),
    ("POST", "{id}/restore", {"version": 1, "paths": [1]}, ["/paths/0"]),
    ("POST", "{id}/restore", {"version": 1, "paths": "/fee"}, ["/paths"]),
    ("POST", "{id}/restore", {"version": 1, "dry_run": "no"}, ["/dry_run"]),
    ("POST", "{id}/restore", {"version": 1, "dryrun": True}, ["/dryrun"]),
    ("POST", "{id}/undo", {}, ["/version"]),
    ("POST", "{id}/undo", {"version": 1, "through": 0}, ["/through"]),
    ("POST", "{id}/undo", {"version": 2, "through": 1}, [""]),
    ("POST", "{id}/undo", {"version": 1, "path": "/fee"}, ["/path"]),
    ("POST", "{id}/fork", {"version": 0}, ["/version"]),
    ("POST", "{id}/fork", {"form": "gig"}, ["/form"]),
    ("POST", "{id}/extend", {"days": 90}, ["/days"]),
    ("POST", "{id}/extend", {"seq": 1}, [""]),
    ("POST", "{id}/submit", {"reason": 1}, ["/reason"]),
    ("POST", "{id}/recover", {"device": LONG}, ["/device"]),
    ("PUT", "{id}/versions/1/label", {}, ["/label"]),
    ("PUT", "{id}/versions/1/label", {"label": ""}, ["/label"]),
    ("PUT", "{id}/versions/1/label", {"label": LONG}, ["/label"]),
    ("PUT", "{id}/versions/1/label", {"label": "x", "version": 1}, ["/version"]),
    ("PUT", "{id}/versions/0/label", {"label": "x"}, ["{version}"]),
    ("PUT", f"{{id}}/versions/{2**53}/label", {"label": "x"}, ["{version}"]),
    ("PUT", "{id}/versions/one/label", {"label": "x"}, ["{version}"]),
]


async def test_a_wrong_request_is_refused_and_each_fault_named(tried: Tried) -> None:
    for method, path, body, where in WRONG_REQUESTS:
        refusal = await tried.refuses(422, "invalid", method, path, json=body)
        assert (path, body, pointers(refusal)) == (path, body, where)


async def test_of_200_characters_everything_may_be(ann: Caller) -> None:
    full = "é" * 200
    draft = await ann.open(form=full, subject=full, step=full, completed_steps=[full], id=None)

    await ann.save(draft, add("/fee", 1), device=full, seq=1)
    await ann.label(draft, 1, full)

    assert await ann.open(form=full, subject=full) == await ann.draft(draft)
    assert (await ann.lists(form=full, subject=full))["items"][0]["saved_device"] is None
    assert [v["label"] for v in (await ann.versions(draft))["items"]] == [None, None, full]


# -- queries and addresses


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


ANY = "7b2e0000-0000-4000-8000-000000000001"
BEYOND = "9999-12-31T23:59:59-14:00"
WRONG_QUERIES: list[tuple[str, list[str]]] = [
    ("{id}?version=0", ["?version"]),
    ("{id}?version=-1", ["?version"]),
    ("{id}?version=", ["?version"]),
    ("{id}?version=1.0", ["?version"]),
    ("{id}?version=%D9%A1", ["?version"]),
    ("{id}?version=99999999999999999999", ["?version"]),
    ("{id}?version=1&version=1", ["?version"]),
    ("{id}?version=1&at=2026-03-01T12:00:00Z", ["?at"]),
    ("{id}?at=yesterday", ["?at"]),
    ("{id}?at=2026-03-01", ["?at"]),
    ("{id}?at=2026-03-01T12:00:00", ["?at"]),
    ("{id}?at=2026-02-30T12:00:00Z", ["?at"]),
    ("{id}?at=0001-01-01T00:00:00%2B14:00", ["?at"]),
    (f"{{id}}?at={BEYOND}", ["?at"]),
    ("{id}?fields=data", ["?fields"]),
    ("{id}/versions?limit=0", ["?limit"]),
    ("{id}/versions?limit=201", ["?limit"]),
    ("{id}/versions?limit=-5", ["?limit"]),
    ("{id}/versions?limit=ten", ["?limit"]),
    ("{id}/versions?grouped=1", ["?grouped"]),
    ("{id}/versions?path=a%00b", ["?path"]),
    ("{id}/versions?by=" + "x" * 2_001, ["?by"]),
    (f"{{id}}/versions?to={BEYOND}", ["?to"]),
    ("{id}/versions?from=0001-01-01T00:00:00%2B14:00", ["?from"]),
    ("{id}/versions?page=2&sort=x", ["?page", "?sort"]),
    ("{id}/versions?cursor=", ["?cursor"]),
    ("{id}/versions?cursor=garbage", ["?cursor"]),
    ("{id}/versions?cursor=%C3%A9", ["?cursor"]),
    (f"{{id}}/versions?cursor={cursor()}", ["?cursor"]),
    (f"{{id}}/versions?cursor={cursor('1')}", ["?cursor"]),
    (f"{{id}}/versions?cursor={cursor(True)}", ["?cursor"]),
    (f"{{id}}/versions?cursor={cursor(1, 2)}", ["?cursor"]),
    (f"{{id}}/versions?cursor={cursor(2**64 - 1)}", ["?cursor"]),
    (f"{{id}}/versions?grouped=true&cursor={cursor(2**63)}", ["?cursor"]),
    ("{id}/versions/0", ["{version}"]),
    ("{id}/versions/-1", ["{version}"]),
    ("{id}/versions/1.5", ["{version}"]),
    ("{id}/versions/99999999999999999999", ["{version}"]),
    ("{id}/versions/1?x=1", ["?x"]),
    ("{id}/compare/1..2", ["{span}"]),
    ("{id}/compare/1", ["{span}"]),
    ("{id}/compare/-1...2", ["{span}"]),
    ("{id}/compare/1...newest", ["{span}"]),
    ("{id}/compare/1...99999999999999999999", ["{span}"]),
    (f"{DRAFTS}?status=closed", ["?status"]),
    (f"{DRAFTS}?sort=id", ["?sort"]),
    (f"{DRAFTS}?template=perhaps", ["?template"]),
    (f"{DRAFTS}?limit=0", ["?limit"]),
    (f"{DRAFTS}?limit=201", ["?limit"]),
    (f"{DRAFTS}?limit=99999999999999999999", ["?limit"]),
    (f"{DRAFTS}?q=a%00b", ["?q"]),
    (f"{DRAFTS}?form=%00", ["?form"]),
    (f"{DRAFTS}?subject=%00", ["?subject"]),
    (f"{DRAFTS}?q={LONG}", ["?q"]),
    (f"{DRAFTS}?stauts=open", ["?stauts"]),
    (f"{DRAFTS}?status=open&status=open", ["?status", "?status"]),
    (f"{DRAFTS}?cursor=garbage", ["?cursor"]),
    (f"{DRAFTS}?cursor={cursor(1)}", ["?cursor"]),
    (f"{DRAFTS}?cursor={cursor('x', 'y')}", ["?cursor"]),
    (f"{DRAFTS}?cursor={cursor(chr(0), ANY)}", ["?cursor"]),
    (f"{DRAFTS}?cursor={cursor(chr(0xD800), ANY)}", ["?cursor"]),
]


async def test_a_wrong_query_is_refused_and_each_fault_named(tried: Tried) -> None:
    for path, where in WRONG_QUERIES:
        refusal = await tried.refuses(422, "invalid", "GET", path)
        assert (path, pointers(refusal)) == (path, where)


async def test_an_edit_takes_nothing_from_its_address(tried: Tried) -> None:
    body = edit(replace("/title", "Blues"))

    refusal = await tried.refuses(422, "invalid", "PATCH", "{id}?based_on=1", json=body)

    assert pointers(refusal) == ["?based_on"]


async def test_other_routes_refuse_unknown_parameters_too(tried: Tried) -> None:
    for route in ("POST /v1/drafts?dry=1", "POST {id}/restore?dry=1", "DELETE {id}?dry=1"):
        method, path = route.split()
        refusal = await tried.refuses(422, "invalid", method, path)
        assert "?dry" in pointers(refusal)


async def test_what_a_text_search_might_stumble_over_is_only_not_found(
    ann: Caller, tried: Tried
) -> None:
    for text in ("%ff", "%ED%A0%80", "%5C", "'", "%27)--", "%F0%9F%91%A9", "%E1%BD%88"):
        for query in (f"{DRAFTS}?q={text}", f"{DRAFTS}?form={text}"):
            assert (await ann.asks("GET", query)).json()["items"] == []
        for name in ("path", "by", "device", "act"):
            page = await ann.asks("GET", f"{tried.id}/versions?{name}={text}")
            assert page.json()["items"] == []


async def test_an_address_that_cannot_be_a_drafts_names_none(ann: Caller, tried: Tried) -> None:
    wrong = ["x", tried.id[:-1], tried.id + "0", tried.id[:-1] + "g", "%00", "null", "0" * 36]
    for id_ in wrong:
        problem(await ann.asks("GET", id_), 404, "draft-not-found")
        problem(await ann.asks("PATCH", id_, json={}), 404, "draft-not-found")
        problem(await ann.asks("GET", f"{id_}/versions"), 404, "draft-not-found")
        problem(
            await ann.asks("POST", f"{id_}/restore", json={"version": 1}), 404, "draft-not-found"
        )


# -- media types and sizes


OTHER_KINDS = [
    None,
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=latin-1",
    "application/json-patch+json; charset=utf-16",
    "application/*",
    "application/json, text/plain",
]


async def test_other_kinds_of_bodies_are_refused(tried: Tried) -> None:
    body = json.dumps(edit(replace("/title", "Blues"))).encode()
    slug = "unsupported-media-type"
    for kind in OTHER_KINDS:
        headers = {} if kind is None else {"content-type": kind}
        refusal = await tried.refuses_body(415, slug, body, headers=headers)
        assert refusal["accepted"] == [
            "application/json",
            "application/json-patch+json",
            "application/merge-patch+json",
        ]
        opening: Any = {"content": b'{"form": "x"}', "headers": headers}
        refusal = await tried.refuses(415, slug, "POST", DRAFTS, **opening)
        assert refusal["accepted"] == ["application/json"]


@pytest.mark.parametrize("kind", ["Application/JSON", "application/json;charset=UTF-8"])
async def test_a_media_type_may_be_written_in_any_case(ann: Caller, kind: str) -> None:
    request: Any = {"content": b'{"form": "gig"}', "headers": {"content-type": kind}}

    assert (await ann.asks("POST", DRAFTS, **request)).status_code == 201


async def _in_parts(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


async def test_a_body_over_the_limit_is_refused_however_it_comes(tried: Tried) -> None:
    body = b'{"reason": "' + b"x" * MIB + b'"}'

    for content in (body, _in_parts(body)):
        refusal = await tried.refuses(
            413, "too-large", "PATCH", "{id}", content=content, headers=JSON
        )
        assert refusal["limit"] == MIB
    await tried.refuses(413, "too-large", "POST", DRAFTS, content=_in_parts(body), headers=JSON)


async def test_a_body_of_just_the_limit_is_taken(ann: Caller) -> None:
    start, end = b'{"form": "gig", "data": {"text": "', b'"}}'
    body = start + b"x" * (MIB - len(start) - len(end)) + end

    for content in (body, _in_parts(body)):
        answer = await ann.asks("POST", DRAFTS, content=content, headers=JSON)
        assert answer.is_success


# -- depth, members, changes


def nested(depth: int) -> Any:
    """Containers in one another."""
    value: Any = []
    for level in range(depth - 1):
        value = [value] if level % 2 else {"x": value}
    return value


async def test_data_may_be_32_levels_deep_and_no_deeper(ann: Caller, tried: Tried) -> None:
    deepest = {"x": nested(31)}
    assert (await ann.open(deepest, form="deep"))["data"] == deepest

    for deeper in ({"x": nested(32)}, {"x": nested(100)}):
        await tried.refuses(422, "invalid", "PATCH", "{id}", json={"data": deeper, "based_on": 1})
        await tried.refuses(422, "invalid", "PATCH", "{id}", json=edit(add("/x", deeper["x"])))
        await tried.refuses(422, "invalid", "PATCH", "{id}", json=deeper, headers=MERGE_PATCH)
        await tried.refuses(422, "invalid", "POST", DRAFTS, json={"form": "x", "data": deeper})


@pytest.mark.parametrize("depth", [190, 5_000, 100_000])
async def test_a_body_of_any_depth_is_only_refused(tried: Tried, depth: int) -> None:
    for opened, closed in ((b"[", b"]"), (b'{"x":', b"}")):
        inside = opened * depth + b"1" + closed * depth
        for body in (b'{"data": {"x": %b}, "based_on": 1}' % inside, inside, opened * depth):
            answer = await tried.ann.asks("PATCH", tried.id, content=body, headers=JSON)
            assert answer.status_code in (400, 422)
            assert answer.headers["content-type"] == PROBLEM


def inmost(value: Any) -> str:
    """The path to the container that holds no other."""
    path = ""
    while value:
        token: Any = 0 if isinstance(value, list) else "x"
        path, value = f"{path}/{token}", value[token]
    return path


async def test_depth_cannot_be_reached_by_several_edits_either(ann: Caller) -> None:
    draft = await ann.open({"x": nested(20)}, form="deep")
    await ann.save(draft, add(inmost({"x": nested(20)}) + "/-", nested(11)))
    before = await ann.draft(draft)
    end = inmost(before["data"]) + "/-"

    for changes in (
        [add(end, {})],
        [copy("/x", end)],
        [add("/y", {}), move("/y", end)],
        [add("/y", []), add("/y/-", before["data"])],
        [add("/y", before["data"]["x"]), move("/y", "/z"), copy("/z", "/x/x/-")],
    ):
        problem(await ann.tries(draft, *changes), 422, "invalid")
    assert await ann.draft(draft) == before


async def test_a_draft_may_have_10000_members_and_no_more(ann: Caller) -> None:
    full = {"list": list(range(9_999))}
    more = {"list": list(range(9_998)), "one": {"more": 1}}
    answer = await ann.asks("POST", DRAFTS, json={"form": "x", "data": more})
    assert pointers(problem(answer, 422, "invalid")) == ["/data"]

    draft = await ann.open(full)
    for changes in ([add("/x", 1)], [add("/list/-", 1)], [replace("/list/0", [1])]):
        problem(await ann.tries(draft, *changes), 422, "invalid")
    problem(await ann.patches(draft, copy("/list", "/list2")), 422, "invalid")
    problem(await ann.merges(draft, {"x": {"y": 1}}), 422, "invalid")
    assert await ann.draft(draft) == draft

    await ann.save(draft, remove("/list/0"), add("/x", 1))
    problem(await ann.tries(draft, add("/y", 1)), 422, "invalid")


async def test_members_cannot_be_reached_by_several_edits_either(ann: Caller) -> None:
    draft = await ann.open({"list": []}, another=True)
    for start in range(0, 9_000, 1_000):
        await ann.save(draft, *(add("/list/-", n) for n in range(start, start + 1_000)))
    problem(await ann.tries(draft, *(add("/list/-", n) for n in range(1_000))), 422, "invalid")
    problem(await ann.tries(draft, copy("/list", "/again")), 422, "invalid")

    await ann.save(draft, *(add("/list/-", n) for n in range(999)))
    problem(await ann.tries(draft, add("/x", 1)), 422, "invalid")
    await ann.restore(draft, 1)
    await ann.save(draft, add("/x", 1))
    problem(await ann.tries(draft, *[add("/x", {"y": list(range(9_999))})]), 422, "invalid")


async def test_an_edit_may_have_1000_changes_and_no_more(ann: Caller, tried: Tried) -> None:
    changes = [add("/fee", n) for n in range(1_001)]

    refusal = await tried.refuses(422, "invalid", "PATCH", "{id}", json=edit(*changes))
    queue = {"edits": [{}, edit(*changes)]}
    queued = await tried.refuses(422, "invalid", "POST", "{id}/edits", json=queue)

    assert (pointers(refusal), pointers(queued)) == (["/changes"], ["/edits/1/changes"])
    assert (await ann.save(tried.draft, *changes[1:]))["recorded"]


# -- changes that do not fit


MISFITS = [
    add("/no/where", 1),
    add("/title/x", 1),
    add("/tags/3", 1),
    add("/tags/x", 1),
    add("/tags/01", 1),
    add("/tags/-1", 1),
    add("/tags/1e0", 1),
    add("/tags/99999999999999999999", 1),
    add("/acts/id:a5", {"id": "a5"}),
    add("/acts/id:a6", {"id": "a7"}),
    add("/acts/id:a6", 1),
    add("fee", 1),
    add("/~2", 1),
    add("/~", 1),
    replace("/fee", 1),
    replace("/tags/2", 1),
    replace("/tags/-", 1),
    replace("/acts/id:zz/name", "x"),
    remove("/fee"),
    remove("/tags/-"),
    remove("/tags/2"),
    remove(""),
    replace("", []),
    replace("", None),
    move("/fee", "/x"),
    move("/acts", "/acts/0"),
    move("/acts/0", "/acts/id:a5/x"),
    move("", "/x"),
    copy("/fee", "/x"),
    copy("/tags/-", "/x"),
    expect("/title", "Blues"),
    expect("/fee", None),
    expect("/tags/0", 0),
    {"op": "add", "path": "/x"},
    {"op": "replace", "path": "/title"},
    {"op": "test", "path": "/title"},
    {"op": "move", "path": "/x"},
    {"op": "copy", "path": "/x"},
]


async def test_a_change_that_does_not_fit_is_named(tried: Tried) -> None:
    for change in MISFITS:
        changes = [add("/new", 1), change]
        for body, headers in ((edit(*changes), JSON), (changes, JSON_PATCH)):
            request: Any = {"json": body, "headers": headers}
            refusal = await tried.refuses(422, "cannot-apply", "PATCH", "{id}", **request)
            assert (refusal["index"], refusal["path"]) == (1, change["path"])


async def test_paths_that_lead_nowhere_cannot_be_restored(tried: Tried) -> None:
    for paths in (["fee"], ["/~2"], ["/title", "/fee"], ["/tags/9"], ["/acts/id:x"]):
        body = {"version": 1, "paths": paths}
        refusal = await tried.refuses(422, "cannot-apply", "POST", "{id}/restore", json=body)
        assert refusal["path"] == paths[-1]


async def test_paths_that_are_none_cannot_be_undone(tried: Tried) -> None:
    for path in ("fee", "/~2"):
        body = {"version": 1, "paths": [path]}
        await tried.refuses(422, "cannot-apply", "POST", "{id}/undo", json=body)


# -- and at last


async def test_what_is_at_no_address_is_not_found(ann: Caller, tried: Tried) -> None:
    for path in ("/v1", "/v2/drafts", f"{DRAFTS}/{tried.id}/nothing", "/%00", "/../etc/passwd"):
        assert problem(await ann.asks("GET", path), 404, "not-found")


async def test_what_an_address_does_not_take_is_refused(ann: Caller, tried: Tried) -> None:
    for method, path in (("PUT", tried.id), ("POST", tried.id), ("DELETE", f"{DRAFTS}")):
        answer = await ann.asks(method, path, json={})
        problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"]


async def test_nobody_without_a_token_gets_anywhere(
    client: httpx.AsyncClient, tried: Tried
) -> None:
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "Basic YTpi"}):
        for method, path in (("GET", DRAFTS), ("POST", DRAFTS), ("PATCH", f"{DRAFTS}/{tried.id}")):
            answer = await client.request(method, path, headers=headers, content=b"{")
            problem(answer, 401, "unauthenticated")
            assert answer.headers["www-authenticate"] == "Bearer"

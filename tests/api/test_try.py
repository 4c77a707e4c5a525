import json, base64
import pytest
from tests.api.calls import *


async def test_it(ann, ben, clock):
    d = await ann.open(
        {"title": "Jazz", "fee": 100, "acts": [{"id": "a5", "name": "Foo"}]}, subject="42"
    )

    async def show(what, coro):
        try:
            r = await coro
            print("%-34s" % what, r.status_code, r.text[:230])
        except Exception as e:
            print("%-34s" % what, "EXC", type(e), str(e)[:300])

    g = lambda p, **k: ann.asks("GET", p, **k)
    D = d["id"]
    for q in [
        "from=0001-01-01T00:00:00%2B14:00",
        "to=9999-12-31T23:59:59-14:00",
        "from=0001-01-01T00:00:00Z",
        "path=%00",
        "path=%0a",
        "path=%ff",
        "cursor=W10",
        "cursor=" + base64.urlsafe_b64encode(b"[18446744073709551615]").decode().rstrip("="),
        "cursor=" + base64.urlsafe_b64encode(b"[-9223372036854775808]").decode().rstrip("="),
        "cursor=%C3%A9",
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=x",
        "bogus=1",
        "grouped=1",
        "device=%F0%90",
        "act=x",
        "by=" + "x" * 2001,
        "grouped=true&cursor="
        + base64.urlsafe_b64encode(b"[18446744073709551615]").decode().rstrip("="),
    ]:
        await show("versions?" + q[:30], g(f"{D}/versions?{q}"))
    for q in [
        "version=0",
        "version=-1",
        "version=9999999999999999",
        "version=99999999999999999",
        "version=x",
        "version=",
        "version=1&at=2026-03-01T12:00:00Z",
        "at=2026-03-01",
        "at=0001-01-01T00:00:00%2B14:00",
        "at=9999-12-31T23:59:59-14:00",
        "at=2026-03-01T12:00:00+02:00",
        "x=y",
        "version=1&version=1",
    ]:
        await show("get?" + q[:30], g(f"{D}?{q}"))
    cur = lambda *p: base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=")
    for q in [
        "q=%00",
        "form=%00",
        "subject=%00",
        "cursor=" + cur("\0", D),
        "cursor=" + cur("x", D),
        "cursor=" + cur("x", "y"),
        "sort=x",
        "status=x",
        "limit=0",
        "limit=201",
        "limit=99999999999999999999",
        "template=x",
        "bogus=1",
        "q=" + "x" * 201,
        "q=%ff",
        "form=%ED%A0%80",
        "cursor=" + base64.urlsafe_b64encode(b'["\\ud800","%s"]' % D.encode()).decode().rstrip("="),
    ]:
        await show("list?" + q[:30], g(f"/v1/drafts?{q}"))
    for p in [
        "versions/0",
        "versions/-1",
        "versions/99999999999999999999",
        "versions/9007199254740991",
        "versions/x",
        "compare/0...1",
        "compare/1...99",
        "compare/1..2",
        "compare/-1...2",
        "compare/²...1",
        "compare/1...99999999999999999",
        "compare/latest...earliest",
    ]:
        await show(p, g(f"{D}/{p}"))
    await show("trailing", g("/v1/drafts/"))
    await show("bad id", g("nonsense"))
    await show("bad id2", g(D[:-1] + "g"))
    await show("nul id", g("%00"))
    await show("unknown", g("/v1/nothing"))
    await show("405", ann.asks("PUT", D, json={}))
    await show("head", ann.asks("HEAD", D))
    await show("json patch bad op", ann.patches(d, {"op": "frob", "path": "/a"}))
    await show("json patch obj", ann.asks("PATCH", D, json={}, headers=JSON_PATCH))
    await show("json patch scalar", ann.asks("PATCH", D, json=[1], headers=JSON_PATCH))
    await show("json patch nopath", ann.patches(d, {"op": "add", "value": 1}))
    await show("json patch based_on=0", ann.patches(d, add("/x", 1), based_on=0))
    await show("json patch based_on=x", ann.patches(d, add("/x", 1), based_on="x"))
    await show("json patch based_on=9", ann.patches(d, add("/x", 1), based_on=9))
    await show("json patch foo", ann.patches(d, add("/x", 1), foo=9))
    await show(
        "json edit with query", ann.asks("PATCH", D + "?based_on=1&zzz=1", json={"changes": []})
    )
    await show("merge list", ann.merges(d, []))
    await show("edit list", ann.asks("PATCH", D, json=[]))
    await show(
        "edit empty",
        ann.asks("PATCH", D, content=b"", headers={"content-type": "application/json"}),
    )
    await show(
        "open empty",
        ann.asks("POST", "/v1/drafts", content=b"", headers={"content-type": "application/json"}),
    )
    await show(
        "open null",
        ann.asks(
            "POST", "/v1/drafts", content=b"null", headers={"content-type": "application/json"}
        ),
    )
    await show("open list", ann.asks("POST", "/v1/drafts", json=[]))
    await show(
        "open bogus",
        ann.asks("POST", "/v1/drafts", json={"form": "a", "bogus": 1, "data": 3, "id": "x"}),
    )
    await show("open bogus query", ann.asks("POST", "/v1/drafts?x=1", json={"form": "a"}))
    await show(
        "batch bogus",
        ann.asks("POST", D + "/edits", json={"edits": [{"changes": [{"op": "add"}]}, {"zz": 1}]}),
    )
    await show(
        "batch over",
        ann.asks("POST", D + "/edits", json={"edits": [{"changes": [add("/x", 1)] * 1001}]}),
    )
    await show("batch empty", ann.asks("POST", D + "/edits", json={"edits": []}))
    await show("root array", ann.tries(d, replace("", [])))
    await show("root obj", ann.tries(d, replace("", {"a": 1})))
    await show("remove root", ann.tries(d, remove("")))
    await show("into nothing", ann.tries(d, add("/no/where", 1)))
    await show("index", ann.tries(d, add("/a/99", 1)))
    await show("badptr", ann.tries(d, add("x", 1)))
    await show("badptr~", ann.tries(d, add("/~2", 1)))
    await show(
        "restore bad path", ann.asks("POST", D + "/restore", json={"version": 1, "paths": ["x"]})
    )
    await show(
        "restore none path",
        ann.asks("POST", D + "/restore", json={"version": 1, "paths": ["/zip"]}),
    )
    await show("restore v9", ann.asks("POST", D + "/restore", json={"version": 99}))
    await show("undo v9", ann.asks("POST", D + "/undo", json={"version": 99}))
    await show("undo thr", ann.asks("POST", D + "/undo", json={"version": 2, "through": 1}))
    await show("undo badpath", ann.asks("POST", D + "/undo", json={"version": 1, "paths": ["x"]}))
    await show(
        "undo path nothing", ann.asks("POST", D + "/undo", json={"version": 1, "paths": ["/zip"]})
    )
    await show("label", ann.asks("PUT", D + "/versions/99/label", json={"label": "x"}))
    await show("label 0", ann.asks("PUT", D + "/versions/0/label", json={"label": "x"}))
    await show("unlabel 99", ann.asks("DELETE", D + "/versions/99/label"))
    await show("label long", ann.asks("PUT", D + "/versions/1/label", json={"label": "x" * 201}))
    await show("label empty", ann.asks("PUT", D + "/versions/1/label", json={"label": ""}))
    await show("fork v", ann.asks("POST", D + "/fork", json={"version": 99}))
    await show("fork v0", ann.asks("POST", D + "/fork", json={"version": 0}))
    await show(
        "fork ct",
        ann.asks("POST", D + "/fork", content=b"{}", headers={"content-type": "text/plain"}),
    )
    await show(
        "ct charset",
        ann.asks(
            "PATCH", D, content=b"{}", headers={"content-type": "application/json; charset=latin-1"}
        ),
    )
    await show("seq w/o device", ann.tries(d, seq=3))
    await show("accept", ann.asks("GET", D, headers={"accept": "text/plain"}))

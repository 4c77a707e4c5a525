"""Every route against everybody who may call it: who gets in, and who is told 401, 403 or 404.

The routes come from the OpenAPI, so that none can be forgotten. To add one, write a row of `TABLE`:

    "PUT /v1/drafts/{draft_id}/colour": Row(WRITES, {"colour": "red"}),

The first part says who gets in (`READS`, `WRITES`, `MANAGES`, …: one line each, below), the second
is a body that is taken from whoever does; it is sent to one draft by everybody who gets in (with
`dry_run`, if it can be taken only once). Parts of the address are filled in from `PLACES`, or from
the row's own `at`. `closed=True`: the draft lies in the trash. A row may alter an answer for
somebody: `Row({**WRITES, "link to edit": 404}, …)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeAlias

import httpx
import pytest
from pydantic import SecretStr
from starlette.types import ASGIApp

from api.settings import Settings
from tests.api.calls import PROBLEM, Caller, Document, edit, id_of
from tests.api.calls import replace as put
from tests.api.issuer import Issuer, hs256, issuing, public_pem, rsa_key
from tests.api.streams import streaming
from tests.running import NOON, Clock

IN = 200  # any answer between 200 and 299
Gate: TypeAlias = Mapping[str, int]

# -- who calls

NO_TOKEN_THAT_HOLDS = (
    "nobody",
    "expired",
    "wrong signature",
    "alg none",
    "signed with the public key",
    "revoked link",
    "expired link",
)
SIGNED_IN = (
    "stranger",
    "viewer",
    "editor",
    "owner",
    "link to view",
    "link to edit",
    "auditor",
    "admin",
)
OUTSIDE = dict.fromkeys(NO_TOKEN_THAT_HOLDS, 401)

# -- who gets in

OPEN: Gate = dict.fromkeys((*NO_TOKEN_THAT_HOLDS, *SIGNED_IN), IN)
KNOWN: Gate = {**OUTSIDE, **dict.fromkeys(SIGNED_IN, IN)}
PERSONS: Gate = {**KNOWN, "link to view": 403, "link to edit": 403}
ADMINS: Gate = {**OUTSIDE, **dict.fromkeys(SIGNED_IN, 403), "admin": IN}
AUDITORS: Gate = {**OUTSIDE, **dict.fromkeys(SIGNED_IN, 403), "auditor": IN}
READS: Gate = {**KNOWN, "stranger": 404, "admin": 404}
APPEARS: Gate = {**READS, "auditor": 403}
MEMBERS: Gate = {**READS, "link to view": 403, "link to edit": 403}
FORKS: Gate = {**MEMBERS, "auditor": 403}
WRITES: Gate = {**READS, "viewer": 403, "link to view": 403, "auditor": 403}
MANAGES: Gate = {**WRITES, "editor": 403, "link to edit": 403}


@dataclass(frozen=True)
class Row:
    """What a route is sent, and who gets in."""

    gate: Gate
    body: Any = None
    at: Mapping[str, str] = field(default_factory=dict)
    closed: bool = False


PLACES = {
    "version": "1",
    "span": "1...2",
    "conflict": "c1",
    "user": "zoe",
    "link": "0123456789abcdef",
    "form": "gig",
    "subject": "42",
}
DEVICE = {"device": "mac"}
ONE = "/v1/drafts/{draft_id}"
TABLE: dict[str, Row] = {
    "GET /livez": Row(OPEN),
    "GET /readyz": Row(OPEN),
    "GET /metrics": Row(OPEN),
    "POST /v1/drafts": Row(PERSONS, {"form": "gig"}),
    "GET /v1/drafts": Row(PERSONS),
    f"GET {ONE}": Row(READS),
    f"PATCH {ONE}": Row(WRITES, edit(put("/title", "Blues"))),
    f"DELETE {ONE}": Row(MANAGES),
    f"POST {ONE}/edits": Row(WRITES, {"edits": [edit(put("/title", "Soul"))]}),
    f"POST {ONE}/fork": Row(FORKS, {}),
    f"POST {ONE}/merge": Row({**WRITES, "link to edit": 404}, {"fork": "{fork}"}),
    f"POST {ONE}/extend": Row(WRITES, {}),
    f"POST {ONE}/submit": Row(MANAGES, {}),
    f"POST {ONE}/recover": Row(MANAGES, {}, closed=True),
    f"POST {ONE}/purge": Row(MANAGES, {}, closed=True),
    f"PUT {ONE}/template": Row(MANAGES, {"on": True}),
    f"GET {ONE}/versions": Row(READS),
    f"GET {ONE}/versions/{{version}}": Row(READS),
    f"PUT {ONE}/versions/{{version}}/label": Row(WRITES, {"label": "first"}),
    f"DELETE {ONE}/versions/{{version}}/label": Row(WRITES),
    f"GET {ONE}/compare/{{span}}": Row(READS),
    f"POST {ONE}/restore": Row(WRITES, {"version": 1}),
    f"POST {ONE}/undo": Row(WRITES, {"version": 2}),
    f"GET {ONE}/events": Row(READS),
    f"PUT {ONE}/presence": Row(APPEARS, DEVICE),
    f"DELETE {ONE}/presence": Row(READS),
    f"GET {ONE}/members": Row(MEMBERS),
    f"PUT {ONE}/members/{{user}}": Row(MANAGES, {"role": "editor"}),
    f"DELETE {ONE}/members/{{user}}": Row(MANAGES),
    f"PUT {ONE}/owner": Row(MANAGES, {"user": "zoe"}),
    f"GET {ONE}/links": Row(MANAGES),
    f"POST {ONE}/links": Row(MANAGES, {"role": "viewer"}),
    f"DELETE {ONE}/links/{{link}}": Row(MANAGES),
    f"GET {ONE}/verify": Row(READS),
    f"GET {ONE}/blame": Row(READS),
    f"GET {ONE}/lineage": Row(READS),
    "GET /v1/audit": Row(PERSONS),
    "GET /v1/audit/reads": Row(AUDITORS),
    f"GET {ONE}/completeness": Row(READS),
    f"GET {ONE}/conflicts": Row(READS),
    f"POST {ONE}/conflicts/resolve": Row(
        WRITES, {"items": [{"id": "c1", "take": "ours"}], "dry_run": True}
    ),
    f"POST {ONE}/conflicts/{{conflict}}/resolve": Row(WRITES, {"take": "ours", "dry_run": True}),
    "GET /v1/forms": Row(KNOWN),
    "GET /v1/forms/{form}": Row(KNOWN),
    "PUT /v1/forms/{form}": Row(ADMINS, {"form": "venue"}, at={"form": "venue"}),
    "POST /v1/imports/local-storage": Row(PERSONS, {"entries": {}}),
    "DELETE /v1/subjects/{form}/{subject}": Row(ADMINS, at={"subject": "nothing"}),
    "DELETE /v1/users/{user}": Row(ADMINS, at={"user": "mallory"}),
}

# -- the set-up


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def engine(request: pytest.FixtureRequest) -> str:
    """The gates stand in the domain; on PostgreSQL there is another one behind them."""
    return str(request.param)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Somebody who issues tokens, whose public key everybody knows."""
    with issuing(first=rsa_key()) as issuer:
        yield issuer


@pytest.fixture
def settings(settings: Settings, issuer: Issuer) -> Settings:
    """A service that takes tokens of an issuer and tokens by secret."""
    told = {"jwks_url": issuer.url, "jwt_algorithms": ("HS256", "RS256")}
    return settings.model_copy(update={**told, "rate_link": "off", "chain_key": SecretStr("k")})


@dataclass(frozen=True)
class People:
    """Everybody who has an account, or no token that holds."""

    client: httpx.AsyncClient
    issuer: Issuer

    def named(self, sub: str, *roles: str, **claims: Any) -> Caller:
        """Somebody with a token of the issuer's."""
        return Caller(self.client, self.issuer.token("first", sub=sub, roles=list(roles), **claims))

    def all(self) -> dict[str, Caller]:
        """Everybody but the links."""
        rogue = rsa_key(1)
        with_public_key = {"sub": "ann", "iss": self.issuer.name}
        wrong = replace(self.issuer, keys={"first": rogue})
        none = self.issuer.token("first", sub="ann").split(".")[1]
        return {
            "nobody": Caller(self.client, ""),
            "expired": self.named("ann", exp=NOON - timedelta(minutes=5)),
            "wrong signature": Caller(self.client, wrong.token("first", sub="ann")),
            "alg none": Caller(self.client, f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{none}."),
            "signed with the public key": Caller(
                self.client,
                hs256(public_pem(rsa_key()), {"typ": "JWT", "kid": "first"}, with_public_key),
            ),
            "stranger": self.named("eve"),
            "viewer": self.named("vic"),
            "editor": self.named("ben"),
            "owner": self.named("ann"),
            "auditor": self.named("ada", "auditor"),
            "admin": self.named("adi", "admin"),
        }


@dataclass(frozen=True)
class Scene:
    """A draft with a conflict, a fork, members and links; and everybody."""

    draft: Document
    fork: Document
    everybody: Mapping[str, Caller]

    @property
    def owner(self) -> Caller:
        return self.everybody["owner"]


async def scene(people: Mapping[str, Caller], clock: Clock, *, closed: bool = False) -> Scene:
    """Ann's draft and all that a row may need of it."""
    ann = people["owner"]
    draft = await ann.open({"title": "Jazz", "fee": 1}, another=True)
    for device, fee in (("mac", 2), ("ipad", 3)):  # the second one clashes
        await ann.save(draft, put("/fee", fee), device=device, based_on=1)
    for user, role in (("vic", "viewer"), ("ben", "editor"), ("zoe", "viewer")):
        await ann.share(draft, user, role)
    fork = await ann.fork(draft)
    await ann.share(fork, "ben", "viewer")
    links = {
        "link to view": await ann.by_link(draft, "viewer"),
        "link to edit": await ann.by_link(draft, "editor"),
        "expired link": await ann.by_link(draft, "editor", expires_in=1),
    }
    revoked = await ann.share_by_link(draft, "editor")
    links["revoked link"] = Caller(ann.client, revoked["token"])
    await ann.asks("DELETE", f"{id_of(draft)}/links/{revoked['id']}")
    if closed:
        await ann.discard(draft)
    clock.tick(2)
    return Scene(draft, fork, {**people, **links})


@pytest.fixture
async def people(client: httpx.AsyncClient, issuer: Issuer) -> dict[str, Caller]:
    """Everybody, with what they call with."""
    everybody = People(client, issuer).all()
    await everybody["admin"].open()  # so that all have been here before
    return everybody


# -- the test


async def answer(app: ASGIApp, route: str, row: Row, at: Scene, who: str) -> tuple[int, str]:
    """What somebody is answered: the status, and of a refusal its kind."""
    method, _, path = route.partition(" ")
    caller = at.everybody[who]
    if path.endswith("/events"):
        async with streaming(app, caller, at.draft) as stream:
            return stream.status, stream.problem.get("type", "")
    for name, value in {**PLACES, **row.at, "draft_id": id_of(at.draft)}.items():
        path = path.replace(f"{{{name}}}", value)
    body = {} if row.body is None else {"json": _filled(row.body, at)}
    got = await caller.asks(method, path, **body)
    told = got.json() if got.headers.get("content-type") == PROBLEM else {}
    return got.status_code, told.get("type", "")


def _filled(body: Any, at: Scene) -> Any:
    return {name: at.fork["id"] if value == "{fork}" else value for name, value in body.items()}


KINDS = {401: "unauthenticated", 403: "forbidden", 404: "draft-not-found"}


def fits(expected: int, got: tuple[int, str]) -> bool:
    """Whether an answer is as the table says."""
    status, kind = got
    if expected == IN:
        return 200 <= status < 300
    return status == expected and kind == f"/problems/{KINDS[expected]}"


async def test_every_route_stands_in_the_table(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert routes - set(TABLE) == set(), "write a row for these: see above"
    assert set(TABLE) - routes == set(), "there are no such routes"


async def test_everybody_is_answered_as_the_table_says(
    service: ASGIApp, people: dict[str, Caller], clock: Clock
) -> None:
    wrong: list[str] = []

    async def asks(route: str, row: Row, at: Scene, who: str) -> None:
        got, expected = await answer(service, route, row, at, who), row.gate[who]
        if not fits(expected, got):
            wrong.append(f"{route} as {who}: {got[0]} {got[1]}, not {expected}")

    for closed in (False, True):
        untouched = await scene(people, clock, closed=closed)
        before = await untouched.owner.draft(untouched.draft)
        rows = {route: row for route, row in TABLE.items() if row.closed == closed}
        for route, row in rows.items():
            refused = [who for who, expected in row.gate.items() if expected != IN]
            for who in refused:
                await asks(route, row, untouched, who)
        assert await untouched.owner.draft(untouched.draft) == before, "a refusal changed something"
        for route, row in rows.items():
            at = untouched
            if ONE in route and not route.startswith("GET"):
                at = await scene(people, clock, closed=closed)
            for who in (who for who, expected in row.gate.items() if expected == IN):
                await asks(route, row, at, who)
    assert wrong == []

"""Tokens: which hold, which do not, and that a bad one is never more than a 401."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.security import REMEMBERED_TOKENS, Principal, Tokens, make_token
from api.settings import load_settings
from domain.errors import Unauthenticated

SECRET = "a-secret-that-is-long-enough-for-hs256"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def tokens(clock: Callable[[], datetime] = Clock(), **settings: Any) -> Tokens:  # noqa: B008
    values = {"database_url": "sqlite://", "jwt_secret": SECRET, "jwt_leeway": 0} | settings
    return Tokens(load_settings(**values), clock)


def principal(tokens: Tokens, header: bytes | None) -> Principal:
    """What every request asks."""
    return tokens.remembered(header) or tokens.check(header)


def bearer(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> bytes:
    whole = {"sub": "ann", "exp": NOW + HOUR} | claims
    kept = {name: value for name, value in whole.items() if value is not ...}
    return b"Bearer " + jwt.encode(kept, secret, algorithm=algorithm).encode()


def handmade(header: object, claims: object, signature: bytes = b"x") -> bytes:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return b"Bearer " + b".".join(base64.urlsafe_b64encode(p).rstrip(b"=") for p in parts)


def test_a_token_says_who_is_calling_with_which_roles_and_until_when() -> None:
    ann = principal(tokens(), bearer(roles=["auditor"]))

    assert ann == Principal("ann", frozenset({"auditor"}), NOW + HOUR)


def test_a_token_without_roles_has_none() -> None:
    assert principal(tokens(), bearer()).roles == frozenset()


def test_a_token_that_this_service_issues_holds_here() -> None:
    ours = tokens(jwt_issuer="variorum", jwt_audience="drafts")

    token = ours.issue("ann", ["admin"], HOUR)

    ann = principal(ours, f"Bearer {token}".encode())
    assert ann == Principal("ann", frozenset({"admin"}), NOW + HOUR)


def test_a_token_made_by_hand_with_the_secret_holds() -> None:
    token = make_token(SECRET.encode(), "ann", [], HOUR, now=NOW)

    assert principal(tokens(), f"Bearer {token}".encode()).sub == "ann"


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER"])
def test_the_case_of_the_scheme_does_not_matter(scheme: bytes) -> None:
    assert principal(tokens(), bearer().replace(b"Bearer", scheme)).sub == "ann"


@pytest.mark.parametrize(
    "header",
    [None, b"", b"Bearer", b"Bearer ", b"Basic YTpi", b"Bearer\xff\xfe", b"Bearer a b c"],
)
def test_without_a_token_the_sentence_says_how_to_send_one(header: bytes | None) -> None:
    with pytest.raises(Unauthenticated):
        principal(tokens(), header)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (bearer(secret="x" * 40), "signature does not hold"),
        (bearer(algorithm="HS512", secret=SECRET * 2), "not signed with HS256"),
        (bearer(algorithm="none", secret=""), "not signed with HS256"),
        (handmade({"alg": "none"}, {"sub": "ann"}, b""), "not signed with HS256"),
        (handmade({"alg": ["HS256"]}, {"sub": "ann"}), "not signed with HS256"),
        (handmade({}, {"sub": "ann"}), "HS256"),
        (handmade([1], {"sub": "ann"}), "cannot be read"),
        (bearer(exp=NOW - HOUR), "expired"),
        (bearer(exp=NOW), "expired"),
        (bearer(exp=...), "must say exp"),
        (bearer(exp=True), "must say exp"),
        (bearer(exp="soon"), "must say exp"),
        (bearer(exp=float("nan")), "not a time"),
        (bearer(exp=float("inf")), "not a time"),
        (bearer(exp=-(10**300)), "expired"),
        (bearer(nbf=NOW + HOUR), "not valid yet"),
        (bearer(nbf="later"), "must say nbf"),
        (bearer(sub=...), "sub"),
        (bearer(sub=""), "sub"),
        (bearer(sub="  "), "sub"),
        (bearer(sub=7), "sub"),
        (bearer(sub="a" * 201), "at most 200"),
        (bearer(sub="a\nb"), "control characters"),
        (bearer(sub="a\x00"), "control characters"),
        (bearer(sub="\ud800"), "control characters"),
        (bearer(sub="link:abc"), "link:"),
        (bearer(sub="key:abc"), "key:"),
        (bearer(sub="KEY:abc"), "key:"),
        (bearer(sub=" Link:abc"), "link:"),
        (bearer(sub="k\u200bey:abc"), "key:"),
        (bearer(sub="ｋｅｙ：abc"), "key:"),
        (handmade({"alg": "HS256", "jwk": {"kty": "oct", "k": "eA"}}, {"sub": "ann"}), "signature"),
        (handmade({"alg": "HS256", "jku": "https://evil.example/k"}, {"sub": "ann"}), "signature"),
        (handmade({"alg": "RS256", "kid": "a"}, {"sub": "ann"}), "not signed with HS256"),
        (handmade({"alg": "HS256", "kid": 7}, {"sub": "ann"}), "cannot be read"),
        (handmade({"alg": "HS256", "crit": ["b64"], "b64": False}, {"sub": "ann"}), "cannot be"),
        (b"Bearer " + b"a" * 2_000 + b"." * 2_000, "cannot be read"),
        (bearer(roles="admin"), "roles"),
        (bearer(roles=[1]), "roles"),
        (b"Bearer " + b"a" * 9_000, "longer than 8192"),
        (b"Bearer " + "tökén".encode(), "no token has"),
        (b"Bearer a.b.c", "cannot be read"),
    ],
)
def test_a_token_that_does_not_hold_is_refused_with_the_reason(header: bytes, why: str) -> None:
    with pytest.raises(Unauthenticated, match=why):
        principal(tokens(), header)


def test_roles_lie_where_the_settings_say_and_nowhere_else() -> None:
    elsewhere = tokens(jwt_roles="/app_metadata/roles")
    ours: dict[str, Any] = {"app_metadata": {"provider": "email", "roles": ["auditor"]}}

    assert principal(elsewhere, bearer(**ours, roles=["admin"])).roles == {"auditor"}
    assert principal(tokens(), bearer(**ours)).roles == frozenset()


@pytest.mark.parametrize("metadata", [..., None, {}, {"roles": None}, [], "x", 7])
def test_where_there_are_no_roles_there_are_none(metadata: Any) -> None:
    elsewhere = tokens(jwt_roles="/app_metadata/roles")

    assert principal(elsewhere, bearer(app_metadata=metadata)).roles == frozenset()


@pytest.mark.parametrize("where", ["/roles", "/app_metadata/roles", "/https:~1~1x.example~1roles"])
def test_a_token_that_this_service_issues_has_its_roles_where_they_are_read(where: str) -> None:
    ours = tokens(jwt_roles=where)

    token = ours.issue("ann", ["auditor", "admin"], HOUR)

    assert principal(ours, f"Bearer {token}".encode()).roles == {"auditor", "admin"}


@pytest.mark.parametrize("sub", ["link:1", "key:1", "", "a" * 201])
def test_no_token_is_issued_that_would_be_refused(sub: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens().issue(sub, [], HOUR)


def test_an_end_beyond_the_calendar_is_taken_as_its_last_year() -> None:
    assert principal(tokens(), bearer(exp=10**300)).expires_at.year == 9999


def test_a_refusal_never_repeats_the_token() -> None:
    header = bearer(secret="x" * 40)

    with pytest.raises(Unauthenticated) as refused:
        principal(tokens(), header)

    assert not any(part.decode() in str(refused.value) for part in header[7:].split(b"."))


def test_the_leeway_forgives_clocks_that_differ_a_little() -> None:
    forgiving = tokens(jwt_leeway=30)
    second = timedelta(seconds=1)

    assert principal(forgiving, bearer(exp=NOW - 29 * second, nbf=NOW + 29 * second)).sub == "ann"
    with pytest.raises(Unauthenticated, match="expired"):
        principal(forgiving, bearer(exp=NOW - 30 * second))


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({}, "lacks"),
        ({"iss": "variorum"}, "lacks"),
        ({"iss": "other", "aud": "drafts"}, "another issuer"),
        ({"iss": "variorum", "aud": "other"}, "another audience"),
    ],
)
def test_issuer_and_audience_must_be_those_configured(claims: dict[str, str], why: str) -> None:
    strict = tokens(jwt_issuer="variorum", jwt_audience="drafts")

    assert principal(strict, bearer(iss="variorum", aud=["x", "drafts"])).sub == "ann"
    with pytest.raises(Unauthenticated, match=why):
        principal(strict, bearer(**claims))


def test_an_audience_that_nobody_configured_does_not_matter() -> None:
    assert principal(tokens(), bearer(aud="authenticated", iss="https://x")).sub == "ann"


def test_a_remembered_token_ends_with_its_exp_all_the_same() -> None:
    clock = Clock()
    known, header = tokens(clock), bearer(exp=NOW + timedelta(seconds=30))
    principal(known, header)

    clock.now += timedelta(seconds=29)
    assert principal(known, header).sub == "ann"
    clock.now += timedelta(seconds=1)
    with pytest.raises(Unauthenticated, match="expired"):
        principal(known, header)


def test_a_token_is_remembered_for_a_minute_and_then_checked_again() -> None:
    clock = Clock()
    known, header = tokens(clock), bearer()

    first = principal(known, header)
    clock.now += timedelta(seconds=59)
    assert principal(known, header) is first
    clock.now += timedelta(seconds=1)
    again = principal(known, header)
    assert again == first
    assert again is not first


def test_only_so_many_tokens_are_remembered_and_the_longest_unused_goes_first() -> None:
    known = tokens()
    headers = [bearer(sub=f"user {i}") for i in range(REMEMBERED_TOKENS + 1)]
    oldest, second, *rest = [(h, principal(known, h)) for h in headers[:-1]]

    principal(known, oldest[0])
    principal(known, headers[-1])

    assert principal(known, oldest[0]) is oldest[1]
    assert principal(known, rest[0][0]) is rest[0][1]
    assert principal(known, second[0]) is not second[1]


@given(st.binary(max_size=200))
def test_whatever_bytes_are_sent_as_a_token_the_answer_is_a_refusal(garbage: bytes) -> None:
    with pytest.raises(Unauthenticated):
        principal(tokens(), b"Bearer " + garbage)


@given(st.text(max_size=200))
def test_whatever_text_is_sent_as_a_header_the_answer_is_a_refusal(garbage: str) -> None:
    with pytest.raises(Unauthenticated):
        principal(tokens(), garbage.encode("utf-8", "surrogatepass"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


CLAIMS = ("sub", "exp", "nbf", "roles", "iss", "aud", "jti")


@given(claims=st.fixed_dictionaries({}, optional=dict.fromkeys(CLAIMS, JSON)))
def test_well_signed_claims_of_any_kind_give_a_principal_or_a_refusal(
    claims: dict[str, Any],
) -> None:
    payload = json.dumps(claims).encode()
    signed = b"Bearer " + jwt.PyJWS().encode(payload, SECRET, "HS256").encode()

    try:
        ann = principal(tokens(), signed)
    except Unauthenticated:
        return
    assert ann.sub.encode()

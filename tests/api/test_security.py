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


def bearer(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> bytes:
    whole = {"sub": "ann", "exp": NOW + HOUR} | claims
    kept = {name: value for name, value in whole.items() if value is not ...}
    return b"Bearer " + jwt.encode(kept, secret, algorithm=algorithm).encode()


def handmade(header: object, claims: object, signature: bytes = b"x") -> bytes:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return b"Bearer " + b".".join(base64.urlsafe_b64encode(p).rstrip(b"=") for p in parts)


def test_a_token_says_who_is_calling_with_which_roles_and_until_when() -> None:
    principal = tokens().principal(bearer(roles=["auditor"]))

    assert principal == Principal("ann", frozenset({"auditor"}), NOW + HOUR)


def test_a_token_without_roles_has_none() -> None:
    assert tokens().principal(bearer()).roles == frozenset()


def test_a_token_that_this_service_issues_holds_here() -> None:
    ours = tokens(jwt_issuer="variorum", jwt_audience="drafts")

    token = ours.issue("ann", ["admin"], HOUR)

    principal = ours.principal(f"Bearer {token}")
    assert principal == Principal("ann", frozenset({"admin"}), NOW + HOUR)


def test_a_token_made_by_hand_with_the_secret_holds() -> None:
    token = make_token(SECRET.encode(), "ann", [], HOUR, now=NOW)

    assert tokens().principal(f"Bearer {token}").sub == "ann"


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER"])
def test_the_case_of_the_scheme_does_not_matter(scheme: bytes) -> None:
    assert tokens().principal(bearer().replace(b"Bearer", scheme)).sub == "ann"


@pytest.mark.parametrize(
    "header",
    [None, b"", "", b"Bearer", b"Bearer ", b"Basic YTpi", b"Bearer\xff\xfe", b"Bearer a b c"],
)
def test_without_a_token_the_sentence_says_how_to_send_one(header: bytes | str | None) -> None:
    with pytest.raises(Unauthenticated):
        tokens().principal(header)


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
        (bearer(roles="admin"), "roles"),
        (bearer(roles=[1]), "roles"),
        (b"Bearer " + b"a" * 9_000, "longer than 8192"),
        (b"Bearer " + "tökén".encode(), "no token has"),
        (b"Bearer a.b.c", "cannot be read"),
    ],
)
def test_a_token_that_does_not_hold_is_refused_with_the_reason(header: bytes, why: str) -> None:
    with pytest.raises(Unauthenticated, match=why):
        tokens().principal(header)


def test_an_end_beyond_the_calendar_is_taken_as_its_last_year() -> None:
    assert tokens().principal(bearer(exp=10**300)).expires_at.year == 9999


def test_a_refusal_never_repeats_the_token() -> None:
    header = bearer(secret="x" * 40)

    with pytest.raises(Unauthenticated) as refused:
        tokens().principal(header)

    assert not any(part.decode() in str(refused.value) for part in header[7:].split(b"."))


def test_the_leeway_forgives_clocks_that_differ_a_little() -> None:
    forgiving = tokens(jwt_leeway=30)
    second = timedelta(seconds=1)

    assert forgiving.principal(bearer(exp=NOW - 29 * second, nbf=NOW + 29 * second)).sub == "ann"
    with pytest.raises(Unauthenticated, match="expired"):
        forgiving.principal(bearer(exp=NOW - 30 * second))


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

    assert strict.principal(bearer(iss="variorum", aud=["x", "drafts"])).sub == "ann"
    with pytest.raises(Unauthenticated, match=why):
        strict.principal(bearer(**claims))


def test_an_audience_that_nobody_configured_does_not_matter() -> None:
    assert tokens().principal(bearer(aud="authenticated", iss="https://x")).sub == "ann"


def test_a_remembered_token_ends_with_its_exp_all_the_same() -> None:
    clock = Clock()
    known, header = tokens(clock), bearer(exp=NOW + timedelta(seconds=30))
    known.principal(header)

    clock.now += timedelta(seconds=29)
    assert known.principal(header).sub == "ann"
    clock.now += timedelta(seconds=1)
    with pytest.raises(Unauthenticated, match="expired"):
        known.principal(header)


def test_a_token_is_remembered_for_a_minute_and_then_checked_again() -> None:
    clock = Clock()
    known, header = tokens(clock), bearer()

    first = known.principal(header)
    clock.now += timedelta(seconds=59)
    assert known.principal(header) is first
    clock.now += timedelta(seconds=1)
    again = known.principal(header)
    assert again == first
    assert again is not first


def test_only_so_many_tokens_are_remembered_and_the_longest_unused_goes_first() -> None:
    known = tokens()
    headers = [bearer(sub=f"user {i}") for i in range(REMEMBERED_TOKENS + 1)]
    oldest, second, *rest = [(h, known.principal(h)) for h in headers[:-1]]

    known.principal(oldest[0])
    known.principal(headers[-1])

    assert known.principal(oldest[0]) is oldest[1]
    assert known.principal(rest[0][0]) is rest[0][1]
    assert known.principal(second[0]) is not second[1]


@given(st.binary(max_size=200))
def test_whatever_bytes_are_sent_as_a_token_the_answer_is_a_refusal(garbage: bytes) -> None:
    with pytest.raises(Unauthenticated):
        tokens().principal(b"Bearer " + garbage)


@given(st.text(max_size=200))
def test_whatever_text_is_sent_as_a_header_the_answer_is_a_refusal(garbage: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens().principal(garbage)


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
        principal = tokens().principal(signed)
    except Unauthenticated:
        return
    assert principal.sub.encode()

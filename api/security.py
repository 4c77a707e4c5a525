"""Who is calling: bearer tokens signed with HS256, checked against the configured secret."""

from __future__ import annotations

import math
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Never

import jwt

from api.settings import Settings
from domain.errors import Unauthenticated

ALGORITHM = "HS256"  # by configuration, never from the token: RFC 8725, section 3.1
REMEMBERED_FOR = timedelta(seconds=60)
REMEMBERED_TOKENS = 4_096
LONGEST_TOKEN = 8_192  # bytes
LONGEST_SUB = 200  # characters

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling, by a token that held."""

    sub: str
    roles: frozenset[str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Remembered:
    principal: Principal
    until: datetime


class Tokens:
    """Reads the tokens of requests; of each only the outcome is remembered, a minute at most."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._key = settings.keys.jwt
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        self._leeway = timedelta(seconds=settings.jwt_leeway)
        self._clock = clock
        self._remembered: OrderedDict[bytes | str, _Remembered] = OrderedDict()

    def principal(self, authorization: bytes | str | None) -> Principal:
        """The caller named by an `Authorization` header.

        Raises:
            Unauthenticated: There is no token, or it does not hold; the sentence says why.
        """
        now = self._clock()
        if authorization is not None and (known := self._remembered.get(authorization)):
            if now < known.until:
                self._remembered.move_to_end(authorization)
                return known.principal
            del self._remembered[authorization]
        return self._first_time(authorization, now)

    def issue(self, sub: str, roles: Collection[str], lifetime: timedelta) -> str:
        """A token that this service takes, for trying it out and for scripts."""
        return make_token(
            self._key,
            sub,
            roles,
            lifetime,
            now=self._clock(),
            issuer=self._issuer,
            audience=self._audience,
        )

    def _first_time(self, authorization: bytes | str | None, now: datetime) -> Principal:
        principal = self._check(_bearer(authorization), now)
        if authorization is not None:
            self._remember(authorization, principal, now)
        return principal

    def _remember(self, authorization: bytes | str, principal: Principal, now: datetime) -> None:
        until = min(now + REMEMBERED_FOR, principal.expires_at)
        self._remembered[authorization] = _Remembered(principal, until)
        if len(self._remembered) > REMEMBERED_TOKENS:
            self._remembered.popitem(last=False)

    def _check(self, token: str, now: datetime) -> Principal:
        claims = self._claims(token)
        expires_at = _moment(claims, "exp")
        if expires_at + self._leeway <= now:
            raise Unauthenticated("The token has expired; get a new one.")
        if claims.get("nbf") is not None and _moment(claims, "nbf") - self._leeway > now:
            raise Unauthenticated("The token is not valid yet; check the issuer's clock.")
        return Principal(_sub(claims), _roles(claims), expires_at)

    def _claims(self, token: str) -> dict[str, Any]:
        """What the token says, once its signature, issuer and audience hold."""
        try:
            return jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                options={
                    "verify_aud": self._audience is not None,
                    "verify_sub": False,  # checked here, more strictly
                    # So are times: the library reads a clock of its own.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError as error:
            _refuse(error)


def make_token(
    secret: bytes,
    sub: str,
    roles: Collection[str],
    lifetime: timedelta,
    *,
    now: datetime,
    issuer: str | None = None,
    audience: str | None = None,
) -> str:
    """A token for `sub`, signed with the secret and good for `lifetime` from `now` on."""
    claims = {"sub": sub, "roles": sorted(roles), "iat": now, "exp": now + lifetime}
    named = {"iss": issuer, "aud": audience}
    claims |= {name: value for name, value in named.items() if value is not None}
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def _bearer(authorization: bytes | str | None) -> str:
    """The token in the header; the scheme's case does not matter (RFC 9110, section 11.1)."""
    if not authorization:
        raise Unauthenticated("Send a token: Authorization: Bearer <token>.")
    if len(authorization) > LONGEST_TOKEN:
        raise Unauthenticated(f"The token is longer than {LONGEST_TOKEN} bytes; get a shorter one.")
    scheme, _, token = _ascii(authorization).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send the token as: Authorization: Bearer <token>.")
    return token.strip()


def _ascii(header: bytes | str) -> str:
    try:
        return header.decode("ascii") if isinstance(header, bytes) else _checked(header)
    except UnicodeError:
        raise Unauthenticated("The token has characters that no token has.") from None


def _checked(header: str) -> str:
    header.encode("ascii")
    return header


def _refuse(error: jwt.PyJWTError) -> Never:
    """In our own words, since the library's may quote the token."""
    for kind, sentence in _SENTENCES.items():
        if isinstance(error, kind):
            raise Unauthenticated(sentence) from None
    raise Unauthenticated("The token cannot be read; get a new one.") from None


_SENTENCES: dict[type[jwt.PyJWTError], str] = {
    jwt.InvalidSignatureError: "The token's signature does not hold; get one from this service.",
    jwt.InvalidAlgorithmError: f"The token is not signed with {ALGORITHM}, as this service asks.",
    jwt.InvalidIssuerError: "The token is from another issuer than this service trusts.",
    jwt.InvalidAudienceError: "The token is for another audience than this service.",
    jwt.MissingRequiredClaimError: "The token lacks an issuer or audience that this service asks.",
}


def _moment(claims: dict[str, Any], name: str) -> datetime:
    """A claim that is a time, in seconds since 1970 (RFC 7519, section 2)."""
    seconds = claims.get(name)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise Unauthenticated(f"The token must say {name}, as seconds since 1970.")
    if isinstance(seconds, float) and not math.isfinite(seconds):
        raise Unauthenticated(f"The token's {name} is not a time.")
    return datetime.fromtimestamp(min(max(seconds, 0), _LAST_SECOND), UTC)


# Leaves room for the leeway at both ends of what a datetime can hold.
_LAST_SECOND = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())


def _sub(claims: dict[str, Any]) -> str:
    sub = claims.get("sub")
    if not isinstance(sub, str) or not sub.strip():
        raise Unauthenticated("The token must say who it is for: sub, a text.")
    if len(sub) > LONGEST_SUB or any(unicodedata.category(c) in ("Cc", "Cs") for c in sub):
        raise Unauthenticated(
            f"The token's sub must have at most {LONGEST_SUB} characters and no control characters."
        )
    if sub.startswith("link:"):  # so that nobody can pass for a share link
        raise Unauthenticated("The token's sub must not begin with link:, which names share links.")
    return sub


def _roles(claims: dict[str, Any]) -> frozenset[str]:
    roles = claims.get("roles")
    if roles is None:
        return frozenset()
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise Unauthenticated("The token's roles must be a list of texts.")
    return frozenset(roles)

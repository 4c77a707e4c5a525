"""Tokens that say who is calling: JWTs, checked against the keys that the settings name.

Each algorithm has its own source of keys, fixed by the settings: HS256 the secret, RS256 and ES256
the issuer's address. What a token says of itself chooses among these and can add nothing: RFC 8725,
sections 3.1 and 3.10.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Never

import jwt

from api.jwks import IssuerKeys
from api.setting_kinds import BY_SECRET
from api.settings import Settings
from domain.errors import Unauthenticated
from domain.origin import SERVICE
from domain.path import parse

REMEMBERED_FOR = timedelta(seconds=60)
REMEMBERED_TOKENS = 4_096
LONGEST_TOKEN = 8_192  # bytes
LONGEST_SUB = 200  # characters
AUDITOR = "auditor"
RESERVED = ("link:", "key:", "forgotten:")  # begin names of share links, API keys, the forgotten

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling, by a token that held."""

    sub: str
    roles: frozenset[str]
    expires_at: datetime
    kind: Literal["user", "link", "key"] = "user"

    @property
    def is_auditor(self) -> bool:
        """Whether the caller may read everything."""
        return AUDITOR in self.roles


class UnknownKey(Unauthenticated):
    """The token names a key that is not known here, or not yet."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    principal: Principal
    until: datetime


class Tokens:
    """Reads the tokens of requests; of each only the outcome is remembered, a minute at most."""

    def __init__(self, settings: Settings, clock: Clock, issuer: IssuerKeys | None = None) -> None:
        self._secret = settings.keys.jwt
        self._issuer_keys = issuer
        self._algorithms = settings.algorithms
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        self._leeway = timedelta(seconds=settings.jwt_leeway)
        self._roles = parse(settings.jwt_roles)
        self._clock = clock
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()

    def remembered(self, authorization: bytes | None) -> Principal | None:
        """The caller named by an `Authorization` header, if it was checked a short while ago."""
        if authorization is None or (known := self._remembered.get(authorization)) is None:
            return None
        if self._clock() < known.until:
            self._remembered.move_to_end(authorization)
            return known.principal
        del self._remembered[authorization]
        return None

    def check(self, authorization: bytes | None) -> Principal:
        """The caller named by an `Authorization` header, checked now.

        Raises:
            UnknownKey: The key that signed the token is not known; it may be to the issuer.
            Unauthenticated: There is no token, or it does not hold; the sentence says why.
        """
        now = self._clock()
        principal = self._principal(bearer(authorization), now)
        if authorization is not None:
            until = min(now + REMEMBERED_FOR, principal.expires_at)
            self._remembered[authorization] = _Remembered(principal, until)
            if len(self._remembered) > REMEMBERED_TOKENS:
                self._remembered.popitem(last=False)
        return principal

    def issue(self, sub: str, roles: Collection[str], lifetime: timedelta) -> str:
        """A token that this service takes, for trying it out and for scripts.

        Raises:
            Unauthenticated: It would not take it; better said now than with every request.
        """
        token = make_token(
            self._secret,
            sub,
            roles,
            lifetime,
            now=self._clock(),
            issuer=self._issuer,
            audience=self._audience,
            roles_at=self._roles,
        )
        self._principal(token, self._clock())
        return token

    def _principal(self, token: str, now: datetime) -> Principal:
        claims = self._claims(token)
        expires_at = _moment(claims, "exp")
        if expires_at + self._leeway <= now:
            raise Unauthenticated("The token has expired; get a new one.")
        if claims.get("nbf") is not None and _moment(claims, "nbf") - self._leeway > now:
            raise Unauthenticated("The token is not valid yet; check the issuer's clock.")
        return Principal(_sub(claims), _roles(claims, self._roles), expires_at)

    def _claims(self, token: str) -> dict[str, Any]:
        """What the token says, once its signature, issuer and audience hold."""
        try:
            algorithm, key = self._key(jwt.get_unverified_header(token))
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                options={
                    "verify_aud": self._audience is not None,
                    "verify_sub": False,  # checked here, more strictly
                    # So are times: the library reads a clock of its own.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.PyJWTError as error:
            _refuse(error)

    def _key(self, header: dict[str, Any]) -> tuple[str, Any]:
        """The algorithm, if it is one that the settings name, and the key that belongs to it."""
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            wanted = " or ".join(self._algorithms)
            raise Unauthenticated(f"The token is not signed with {wanted}, as this service asks.")
        if algorithm in BY_SECRET:
            return algorithm, self._secret
        if not isinstance(kid, str):
            raise Unauthenticated("The token must name the key that signed it: kid, a text.")
        key = self._issuer_keys.find(kid, algorithm) if self._issuer_keys else None
        if key is None:
            raise UnknownKey("The token is signed with a key that its issuer does not show.")
        return algorithm, key


def make_token(
    secret: bytes,
    sub: str,
    roles: Collection[str],
    lifetime: timedelta,
    *,
    now: datetime,
    issuer: str | None = None,
    audience: str | None = None,
    roles_at: tuple[str, ...] = ("roles",),
) -> str:
    """A token for `sub`, signed with the secret and good for `lifetime` from `now` on."""
    claims = {"sub": sub, "iat": now, "exp": now + lifetime, **_nested(roles_at, sorted(roles))}
    named = {"iss": issuer, "aud": audience}
    claims |= {name: value for name, value in named.items() if value is not None}
    return jwt.encode(claims, secret, algorithm=BY_SECRET[0])


def _nested(names: tuple[str, ...], value: Any) -> dict[str, Any]:
    first, *rest = names
    return {first: _nested(tuple(rest), value) if rest else value}


def bearer(authorization: bytes | None) -> str:
    """The token in the header; the scheme's case does not matter (RFC 9110, section 11.1).

    Raises:
        Unauthenticated: There is none.
    """
    if not authorization:
        raise Unauthenticated("Send a token: Authorization: Bearer <token>.")
    if len(authorization) > LONGEST_TOKEN:
        raise Unauthenticated(f"The token is longer than {LONGEST_TOKEN} bytes; get a shorter one.")
    if not authorization.isascii():
        raise Unauthenticated("The token has characters that no token has.")
    scheme, _, token = authorization.decode().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send the token as: Authorization: Bearer <token>.")
    return token.strip()


def _refuse(error: jwt.PyJWTError) -> Never:
    """In our own words, since the library's may quote the token."""
    for kind, sentence in _SENTENCES.items():
        if isinstance(error, kind):
            raise Unauthenticated(sentence) from None
    raise Unauthenticated("The token cannot be read; get a new one.") from None


_SENTENCES: dict[type[jwt.PyJWTError], str] = {
    jwt.InvalidSignatureError: "The token's signature does not hold; get one from this service.",
    jwt.InvalidIssuerError: "The token is from another issuer than this service trusts.",
    jwt.InvalidAudienceError: "The token is for another audience than this service.",
    jwt.MissingRequiredClaimError: "The token lacks an issuer or audience that this service asks.",
    jwt.InvalidKeyError: "The token is signed with a key that is too short to be trusted.",
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
    if _plain(sub).startswith(RESERVED):
        raise Unauthenticated(
            "The token's sub must not begin with link:, key: or forgotten:, which name links, API"
            " keys and people who are forgotten."
        )
    if _plain(sub) == SERVICE:
        raise Unauthenticated("The token's sub must not be service, which names what is no person.")
    return sub


def is_name(text: str) -> bool:
    """Whether somebody may be called so here: a person, or an API key."""
    if _API_KEY(text):
        return True
    try:
        return _sub({"sub": text}) == text
    except Unauthenticated:
        return False


_API_KEY = re.compile(r"key:[0-9a-f]{12}").fullmatch


def _plain(sub: str) -> str:
    """As it reads: nobody shall even look like a link or a key in the history."""
    visible = "".join(c for c in sub if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", visible).strip().casefold()


def _roles(claims: dict[str, Any], where: tuple[str, ...]) -> frozenset[str]:
    found: Any = claims
    for name in where:
        found = found.get(name) if isinstance(found, dict) else None
    if found is None:
        return frozenset()
    if not isinstance(found, list) or not all(isinstance(role, str) for role in found):
        raise Unauthenticated("The token's roles must be a list of texts.")
    return frozenset(found)

"""The kinds of values that settings have, each with its own check."""

from __future__ import annotations

import base64
from typing import Annotated, Literal
from urllib.parse import urlsplit

import limits
from pydantic import AfterValidator, Field, SecretStr

from api.secret_file import KEY_BYTES
from domain.errors import CannotApply
from domain.legacy import key_pattern
from domain.path import parse

OFF = "off"
WHSEC = "whsec_"
BY_SECRET, BY_JWKS = ("HS256",), ("RS256", "ES256")
Algorithm = Literal["HS256", "RS256", "ES256"]

# In the tokens of Supabase: whoever signed in can write there, and so could take any role.
_WRITTEN_BY_USERS = "user_metadata"


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value().encode()) < KEY_BYTES:
        raise ValueError(f"must have at least {KEY_BYTES} bytes")
    return secret


def _each_long_enough(secrets: SecretStr) -> SecretStr:
    for line in lines_of(secrets):
        _long_enough(SecretStr(line.decode()))
    return secrets


def lines_of(secrets: SecretStr) -> list[bytes]:
    """Several secrets, as they are given: one a line."""
    lines = secrets.get_secret_value().encode().splitlines()
    return [line.strip() for line in lines if line.strip()]


def _signing(secret: SecretStr) -> SecretStr:
    """As any secret, or as Standard Webhooks write it: `whsec_` and base64."""
    text = secret.get_secret_value()
    if (encoded := text.removeprefix(WHSEC)) != text:
        try:
            base64.b64decode(encoded, validate=True)
        except ValueError:
            raise ValueError(f"must be base64 after {WHSEC}") from None
    return _long_enough(secret)


def _known_engine(url: str) -> str:
    if not url.startswith(("sqlite://", "postgresql://", "postgres://")):
        raise ValueError("must begin with sqlite:// or postgresql://")
    return url


def _web_address(url: str) -> str:
    if not url.startswith(("https://", "http://")) or not _has_a_host(url):
        raise ValueError("must be an address that begins with https://, or http:// on a safe line")
    return url


def _has_a_host(url: str) -> bool:
    """Whether the address says whom to call; a port that is no number makes it useless."""
    parts = urlsplit(url)
    return bool(parts.hostname) and parts.port != 0


def _claim(path: str) -> str:
    try:
        first = parse(path)[0]
    except (CannotApply, IndexError):
        raise ValueError("must be a JSON Pointer into the claims, as /app_metadata/roles") from None
    if first == _WRITTEN_BY_USERS:
        raise ValueError(f"must not lie in {_WRITTEN_BY_USERS}, which users write themselves")
    return path


def _import_key(text: str) -> str:
    key_pattern(text)
    return text


def _rate(text: str) -> str:
    if text != OFF:
        _parsed(text)
    return text


def _parsed(text: str) -> limits.RateLimitItem:
    try:
        rate = limits.parse(text)
    except ValueError:
        rate = None
    if rate is None or rate.amount < 1:
        raise ValueError(f"must be a number of requests in a time, as 1200/minute, or {OFF}")
    return rate


def parse_rate(text: str) -> limits.RateLimitItem | None:
    """A rate as `limits` counts it; None if it is off.

    >>> parse_rate("20/second"), parse_rate("5 per 10 minutes"), parse_rate("off")
    (20 per 1 second, 5 per 10 minute, None)
    """
    return None if text == OFF else _parsed(text)


Secret = Annotated[SecretStr, AfterValidator(_long_enough)]
SigningSecret = Annotated[SecretStr, AfterValidator(_signing)]
Secrets = Annotated[SecretStr, AfterValidator(_each_long_enough)]  # one a line
# A plain text, since every store needs it; kept out of `repr`, as it may hold a password.
DatabaseUrl = Annotated[str, AfterValidator(_known_engine)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Claim = Annotated[str, AfterValidator(_claim)]
Rate = Annotated[str, AfterValidator(_rate)]
ImportKey = Annotated[str, AfterValidator(_import_key)]
Count = Annotated[int, Field(ge=1)]

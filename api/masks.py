"""What is shown in the place of a secret."""

from __future__ import annotations

from urllib.parse import urlsplit

MASK = "********"


def mask_password(url: str) -> str:
    """The address without its password, also one given as a parameter.

    >>> mask_password("postgresql://app:s3cret@db/variorum?password=x&sslmode=require")
    'postgresql://app:********@db/variorum?password=********&sslmode=require'
    """
    parts = urlsplit(url)
    user, colon, _ = parts.netloc.rpartition("@")[0].partition(":")
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{user}:{MASK}@{host}" if colon else parts.netloc
    query = "&".join(_mask_parameter(p) for p in parts.query.split("&"))
    before, found, after = url.partition("://")
    rest = after.removeprefix(parts.netloc).partition("?")[0]
    return f"{before}{found}{netloc}{rest}{'?' if parts.query else ''}{query}"


def _mask_parameter(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}={MASK}" if equals and "password" in name.lower() else parameter

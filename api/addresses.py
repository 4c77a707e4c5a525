"""Addresses: the ids and the query parameters in them; unknown parameters are refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from api.reading import parse_place
from domain.errors import DraftNotFound, Fault, Invalid
from projections.store.base import VersionFilter

UUID_LENGTH = 36
UNKNOWN = "Unknown here, or given twice."


def to_id(text: str) -> UUID | None:
    """The id that a part of an address is; None if it is none."""
    try:
        return UUID(text) if len(text) == UUID_LENGTH else None
    except ValueError:
        return None


def id_in_address(text: str) -> UUID:
    """The id in an address; one that cannot be an id names no draft."""
    if (found := to_id(text)) is None:
        raise DraftNotFound
    return found


_KINDS = {
    int: "a whole number",
    str: "a text of at most 2,000 characters, without U+0000",
    bool: "true or false",
    datetime: "a time (RFC 3339)",
}


def query_of(query: bytes, known: dict[str, type]) -> dict[str, Any]:
    """The parameters of an address.

    Raises:
        Invalid: One is unknown, there twice, or not of its kind.
    """
    found: dict[str, Any] = dict.fromkeys(known)
    faults = []
    for name, text in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in known or found[name] is not None:
            faults.append(Fault(f"?{name[:50]}", UNKNOWN))
        elif (value := _value(text, known[name])) is None:
            faults.append(Fault(f"?{name}", f"Must be {_KINDS[known[name]]}."))
        else:
            found[name] = value
    if faults:
        raise Invalid(faults)
    return found


def _value(text: str, kind: type) -> Any:
    if kind is int:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 17 else None
    if kind is bool:
        return {"true": True, "false": False}.get(text)
    if kind is datetime:
        return _moment(text)
    return text if len(text) <= 2_000 and "\0" not in text else None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):  # the latter beyond the years 1 to 9999 in UTC
        return None


_ONE_VERSION = re.compile(rb"version=([1-9][0-9]{0,15})").fullmatch


def version_or_moment(query: bytes) -> tuple[int | None, datetime | None]:
    """Which snapshot an address names: a version, a moment, or neither."""
    if plain := _ONE_VERSION(query):  # what nearly all ask; taking it apart costs 5 % of a read
        return int(plain[1]), None
    given = query_of(query, {"version": int, "at": datetime})
    version, at = given["version"], given["at"]
    if version is not None and at is not None:
        raise Invalid.one("?at", "Name a version or a moment, not both.")
    if version == 0:
        raise Invalid.one("?version", "Versions count from 1.")
    return version, at


def version_filter(query: bytes, largest: int) -> tuple[VersionFilter, bool]:
    """Which versions an address asks for, and whether by editing session."""
    if not query:
        return _ALL_VERSIONS, False
    given = query_of(query, _FILTER)
    limit = given["limit"] if given["limit"] is not None else 50
    if not 1 <= limit <= largest:
        raise Invalid.one("?limit", f"Must be from 1 to {largest}.")
    wanted = VersionFilter(
        before=parse_place(given["cursor"]),
        by=given["by"],
        path=given["path"],
        device=given["device"],
        act=given["act"],
        since=given["from"],
        until=given["to"],
        limit=limit,
    )
    return wanted, bool(given["grouped"])


_ALL_VERSIONS = VersionFilter()
_FILTER: dict[str, type] = {
    "by": str,
    "path": str,
    "device": str,
    "act": str,
    "from": datetime,
    "to": datetime,
    "grouped": bool,
    "limit": int,
    "cursor": str,
}

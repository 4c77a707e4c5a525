"""Arrays as PostgreSQL takes them in binary, made without a look at each value's type.

psycopg finds out for every value how it is to be sent; for the arrays of a group of saves this took
as long as sending them. (The layout: array_recv in PostgreSQL's arrayfuncs.c.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from uuid import UUID

_HEAD = Struct("!iiIii")  # dimensions, whether there are nulls, type, length, first index
_EMPTY = Struct("!iiI")
_LENGTH = Struct("!i").pack
_BIGINT = Struct("!iq").pack
_NULL = _LENGTH(-1)
_UUID_LENGTH = _LENGTH(16)

_OF_BYTES, _OF_BIGINT, _OF_TEXT, _OF_TIME, _OF_UUID = 17, 20, 25, 1184, 2950  # pg_type.oid
_EPOCH, _MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def uuids(values: Sequence[UUID]) -> bytes:
    """A uuid[]."""
    return _array(_OF_UUID, len(values), [_UUID_LENGTH + value.bytes for value in values])


def bigints(values: Sequence[int | None]) -> bytes:
    """A bigint[]."""
    packed = [_NULL if value is None else _BIGINT(8, value) for value in values]
    return _array(_OF_BIGINT, len(values), packed)


def texts(values: Sequence[str | None]) -> bytes:
    """A text[]."""
    return _array(_OF_TEXT, len(values), [_sized(value) for value in values])


def byteas(values: Sequence[bytes]) -> bytes:
    """A bytea[]."""
    return _array(_OF_BYTES, len(values), [_LENGTH(len(value)) + value for value in values])


def times(values: Sequence[datetime]) -> bytes:
    """A timestamptz[]: microseconds since the year 2000."""
    packed = [_BIGINT(8, (value - _EPOCH) // _MICROSECOND) for value in values]
    return _array(_OF_TIME, len(values), packed)


def _sized(text: str | None) -> bytes:
    if text is None:
        return _NULL
    value = text.encode()
    return _LENGTH(len(value)) + value


def _array(kind: int, length: int, items: Iterable[bytes]) -> bytes:
    if not length:
        return _EMPTY.pack(0, 0, kind)
    return _HEAD.pack(1, 1, kind, length, 1) + b"".join(items)

"""Lines as CSV for people with a spreadsheet, and as NDJSON for programs, chosen by Accept."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Mapping, Sequence
from io import StringIO
from typing import Any, Final

import orjson

from api.answers import TIMES

CSV, NDJSON, JSON = "text/csv", "application/x-ndjson", "application/json"
_SOME: Final = 16_384  # bytes that are sent at once
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Row = Mapping[str, Any]


def chosen(accept: str | None) -> str:
    """Which of the three an Accept header asks for (RFC 9110, section 12.5.1); JSON by default.

    >>> chosen("text/csv"), chosen("text/*;q=0.5, */*;q=0.1"), chosen(None)
    ('text/csv', 'text/csv', 'application/json')
    """
    wishes = [_wish(part) for part in (accept or "*/*").split(",")]
    best = max((JSON, CSV, NDJSON), key=lambda kind: _liking(kind, wishes))
    return best if _liking(best, wishes) > 0 else JSON


def _wish(part: str) -> tuple[str, float]:
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return kind, float(parameter[2:])
            except ValueError:
                return kind, 0.0
    return kind, 1.0


def _liking(kind: str, wishes: Sequence[tuple[str, float]]) -> float:
    """How much a kind is wished for: by its name, else by its group, else like any other."""
    for name in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        found = [liking for wished, liking in wishes if wished == name]
        if found:
            return max(found)
    return 0.0


async def as_ndjson(lines: AsyncIterator[Row]) -> AsyncIterator[bytes]:
    """Each line as JSON, one a line."""
    some = b""
    async for line in lines:
        some += orjson.dumps(line, option=TIMES) + b"\n"
        if len(some) >= _SOME:
            yield some
            some = b""
    yield some


async def as_csv(lines: AsyncIterator[Row], columns: Sequence[str]) -> AsyncIterator[bytes]:
    """A table with a header (RFC 4180, UTF-8)."""
    sheet = StringIO()
    writer = csv.writer(sheet)
    writer.writerow(columns)
    async for line in lines:
        writer.writerow([cell(line[column]) for column in columns])
        if sheet.tell() >= _SOME:
            yield _taken(sheet)
    yield _taken(sheet)


def _taken(sheet: StringIO) -> bytes:
    text = sheet.getvalue()
    sheet.seek(0)
    sheet.truncate()
    return text.encode()


def cell(value: Any) -> str:
    """A value in a table: texts as they are, all else as JSON, nothing as nothing.

    A text that a spreadsheet would take for a formula has an apostrophe before it.

    >>> cell("=1+1"), cell(-5), cell(None), cell([1, "a"]), cell("fee")
    ("'=1+1", '-5', '', '[1,"a"]', 'fee')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    text = orjson.dumps(value, option=TIMES).decode()
    return text[1:-1] if text.startswith('"') else text

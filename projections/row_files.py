"""The rows of an older table out of a file, as JSON lines or CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import jiter

from projections.store.postgres.older_table import RowsUnreadable


class RowFile:
    """A file: CSV with a line of names if it is called so, else one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def count(self) -> int:
        """How many rows there are."""
        return sum(1 for _ in self._rows())

    async def read(self) -> AsyncIterator[Mapping[str, Any]]:
        """Each row."""
        for row in self._rows():
            yield row

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        with self._path.open(encoding="utf-8-sig", newline="") as file:
            try:
                yield from _csv(file) if self._path.suffix == ".csv" else _json_lines(file)
            except (UnicodeDecodeError, csv.Error) as wrong:
                raise RowsUnreadable(f"{self._path} cannot be read: {wrong}.") from None


def _csv(lines: Iterator[str]) -> Iterator[Mapping[str, Any]]:
    csv.field_size_limit(sys.maxsize)
    return csv.DictReader(lines)


def _json_lines(lines: Iterator[str]) -> Iterator[Mapping[str, Any]]:
    """What is no object is a row without any column, and so refused by its place."""
    for line in lines:
        if line.strip():
            yield _object(line)


def _object(line: str) -> Mapping[str, Any]:
    try:
        value = jiter.from_json(line.encode(), catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

"""Machines' keys on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from projections.store.api_keys import ApiKey
from projections.store.sqlite.rows import Rows, column, moment_in, text

ADD = "INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?)"
KEYS = "SELECT id, name, role, digest, created_at, expires_at, revoked_at FROM api_keys"
LISTED = f"{KEYS} ORDER BY created_at, id"
FIND = f"{KEYS} WHERE id = ?"
REVOKE = "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ? RETURNING id"


class SqliteApiKeys:
    """The machines' keys in one SQLite file."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def add(self, key: ApiKey) -> None:
        """Keep a new key."""
        columns = (key.id, key.name, key.role, key.digest)
        times = map(column, (key.created_at, key.expires_at, key.revoked_at))
        self._rows(ADD, (*columns, *times))

    async def find(self, id_: str) -> ApiKey | None:
        """The key of this id, also if it has ended."""
        rows = self._rows(FIND, (id_,))
        return _api_key(rows[0]) if rows else None

    async def listed(self) -> Sequence[ApiKey]:
        """All keys there ever were, oldest first."""
        return [_api_key(row) for row in self._rows(LISTED, ())]

    async def revoke(self, id_: str, at: datetime) -> bool:
        """End a key; one that has ended stays as it is. False if there is none of this id."""
        return bool(self._rows(REVOKE, (text(at), id_)))


def _api_key(row: Sequence[Any]) -> ApiKey:
    *columns, created, expires, revoked = row
    return ApiKey(*columns, *map(moment_in, (created, expires, revoked)))

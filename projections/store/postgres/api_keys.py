"""Machines' keys on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from projections.store.api_keys import ApiKey
from projections.store.postgres.rows import Working, rows_of

ADD = "INSERT INTO api_keys VALUES (%s, %s, %s, %s, %s, %s, %s)"
KEYS: LiteralString = (
    "SELECT id, name, role, digest, created_at, expires_at, revoked_at FROM api_keys"
)
LISTED: LiteralString = f"{KEYS} ORDER BY created_at, id"
FIND: LiteralString = f"{KEYS} WHERE id = %b"
REVOKE = "UPDATE api_keys SET revoked_at = coalesce(revoked_at, %b) WHERE id = %b RETURNING id"


class PostgresApiKeys:
    """The machines' keys in one PostgreSQL database."""

    def __init__(self, working: Working) -> None:
        self._working = working

    async def add(self, key: ApiKey) -> None:
        """Keep a new key."""
        columns = (key.id, key.name, key.role, key.digest)
        times = (key.created_at, key.expires_at, key.revoked_at)
        async with self._working() as connection:
            await connection.execute(ADD, (*columns, *times))

    async def find(self, id_: str) -> ApiKey | None:
        """The key of this id, also if it has ended."""
        async with self._working() as connection:
            rows = await rows_of(connection, FIND, (id_,))
        return ApiKey(*rows[0]) if rows else None

    async def listed(self) -> Sequence[ApiKey]:
        """All keys there ever were, oldest first."""
        async with self._working() as connection:
            return [ApiKey(*row) for row in await rows_of(connection, LISTED, ())]

    async def revoke(self, id_: str, at: datetime) -> bool:
        """End a key; one that has ended stays as it is. False if there is none of this id."""
        async with self._working() as connection:
            return bool(await rows_of(connection, REVOKE, (at, id_)))

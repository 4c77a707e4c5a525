"""People on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from projections.store.postgres.rows import Working, one, rows_of

KEY_OF = "SELECT key FROM people WHERE sub = %b"
NEW_KEY = "INSERT INTO people VALUES (%s, %s) ON CONFLICT DO NOTHING"
SUBS_OF = "SELECT key, sub FROM people WHERE key = ANY(%b::text[])"


class PostgresPeople:
    """The people of one PostgreSQL database."""

    def __init__(self, working: Working) -> None:
        self._working = working

    async def key_of(self, sub: str) -> str | None:
        """A person's key, if the person ever wrote."""
        async with self._working() as connection:
            return one(await rows_of(connection, KEY_OF, (sub,)), str)

    async def new_key(self, sub: str, key: str) -> str:
        """Give a person this key, unless there is one already; the key that holds."""
        async with self._working() as connection:
            await connection.execute(NEW_KEY, (key, sub))
        return cast("str", await self.key_of(sub))

    async def subs_of(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The names behind keys."""
        async with self._working() as connection:
            return dict(await rows_of(connection, SUBS_OF, (list(keys),)))

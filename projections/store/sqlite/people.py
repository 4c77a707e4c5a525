"""People on SQLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from projections.store.sqlite.rows import Rows, one

KEY_OF = "SELECT key FROM people WHERE sub = ?"
NEW_KEY = "INSERT INTO people VALUES (?, ?) ON CONFLICT DO NOTHING"
SUBS_OF = "SELECT key, sub FROM people WHERE key IN ({})"


class SqlitePeople:
    """The people of one SQLite file."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def key_of(self, sub: str) -> str | None:
        """A person's key, if the person ever wrote."""
        return cast("str | None", one(self._rows(KEY_OF, (sub,))))

    async def new_key(self, sub: str, key: str) -> str:
        """Give a person this key, unless there is one already; the key that holds."""
        self._rows(NEW_KEY, (key, sub))
        return cast("str", await self.key_of(sub))

    async def subs_of(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The names behind keys."""
        return dict(self._rows(SUBS_OF.format(", ".join("?" * len(keys))), tuple(keys)))

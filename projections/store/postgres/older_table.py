"""The rows of the table in which a system before this one kept its drafts, in its own database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row


class RowsUnreadable(Exception):
    """The rows cannot be had; `str()` is a sentence that says why."""


def is_address(source: str) -> bool:
    """Whether a source is a PostgreSQL database rather than a file."""
    return source.startswith(("postgresql://", "postgres://"))


class OlderTable:
    """A table, maybe with its schema (`public.gig_drafts`); it is only read."""

    def __init__(self, url: str, table: str) -> None:
        self._url, self._name = url, table
        self._table = sql.Identifier(*table.split("."))

    async def count(self) -> int:
        """How many rows there are."""
        async with self._reading() as connection:
            cursor = await connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(self._table)
            )
            found = await cursor.fetchone()
            assert found is not None
            return int(found[0])

    async def read(self) -> AsyncIterator[Mapping[str, Any]]:
        """Each row; of one subject the row that was saved last comes first."""
        statement = sql.SQL("SELECT * FROM {} ORDER BY last_saved_at DESC NULLS LAST, id")
        async with (
            self._reading() as connection,
            connection.cursor("older_rows", row_factory=dict_row) as cursor,
        ):
            await cursor.execute(statement.format(self._table))
            async for row in cursor:
                yield row

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection[Any]]:
        try:
            async with await AsyncConnection.connect(self._url, connect_timeout=10) as connection:
                await connection.set_read_only(True)
                yield connection
        except psycopg.OperationalError:
            raise RowsUnreadable("The database of the rows cannot be reached.") from None
        except psycopg.Error as refusal:
            why = str(refusal).splitlines()[0]
            raise RowsUnreadable(f"The table {self._name} cannot be read: {why}.") from None

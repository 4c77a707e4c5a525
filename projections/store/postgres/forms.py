"""Form definitions on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from projections.store.forms import FormRow
from projections.store.postgres.rows import Working, rows_of

# Numbers are given one at a time, so that whoever has seen one has seen all below it.
LOCK = "SELECT pg_advisory_xact_lock(8602219)"
KEEP = "INSERT INTO forms (form, definition, by, at) VALUES (%s, %s, %s, %s)"
UNREST = "UPDATE drafts SET rested = 0, search = '' WHERE form = %s"
HIDE = "UPDATE drafts SET rested = 0, search = '', title = NULL WHERE form = %s"
NEWEST = (
    "SELECT number, form, definition FROM forms WHERE number IN "
    "(SELECT max(number) FROM forms WHERE number > %b GROUP BY form) ORDER BY number"
)


class PostgresForms:
    """The form definitions in one PostgreSQL database."""

    def __init__(self, working: Working) -> None:
        self._working = working

    async def keep(self, form: str, definition: str, by: str, at: datetime) -> None:
        """Keep a definition as the newest of its form; earlier ones stay."""
        async with self._working() as connection, connection.transaction():
            await connection.execute(LOCK)
            await connection.execute(KEEP, (form, definition, by, at))
            await connection.execute(UNREST, (form,))

    async def unrest(self, form: str) -> None:
        """Forget what is known of a form's quiet drafts, so that they come to rest again."""
        async with self._working() as connection:
            await connection.execute(UNREST, (form,))

    async def hide(self, form: str) -> None:
        """The same, and no titles are shown of the drafts until then."""
        async with self._working() as connection:
            await connection.execute(HIDE, (form,))

    async def newest(self, after: int) -> Sequence[FormRow]:
        """The newest definition of each form kept after a number, in the order of their numbers."""
        async with self._working() as connection:
            return [FormRow(*row) for row in await rows_of(connection, NEWEST, (after,))]

"""Form definitions on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from projections.store.forms import FormRow
from projections.store.sqlite.rows import Rows, Transaction, text

KEEP = "INSERT INTO forms (form, definition, by, at) VALUES (?, ?, ?, ?)"
UNREST = "UPDATE drafts SET rested = 0, search = '' WHERE form = ?"
HIDE = "UPDATE drafts SET rested = 0, search = '', title = NULL WHERE form = ?"
NEWEST = (
    "SELECT number, form, definition FROM forms WHERE number IN "
    "(SELECT max(number) FROM forms WHERE number > ? GROUP BY form) ORDER BY number"
)


class SqliteForms:
    """The form definitions in one SQLite file."""

    def __init__(self, rows: Rows, transaction: Transaction) -> None:
        self._rows, self._transaction = rows, transaction

    async def keep(self, form: str, definition: str, by: str, at: datetime) -> None:
        """Keep a definition as the newest of its form; earlier ones stay."""
        with self._transaction() as connection:
            connection.execute(KEEP, (form, definition, by, text(at)))
            connection.execute(UNREST, (form,))

    async def unrest(self, form: str) -> None:
        """Forget what is known of a form's quiet drafts, so that they come to rest again."""
        self._rows(UNREST, (form,))

    async def hide(self, form: str) -> None:
        """The same, and no titles are shown of the drafts until then."""
        self._rows(HIDE, (form,))

    async def newest(self, after: int) -> Sequence[FormRow]:
        """The newest definition of each form kept after a number, in the order of their numbers."""
        return [FormRow(*row) for row in self._rows(NEWEST, (after,))]

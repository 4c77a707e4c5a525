"""The hash chains on SQLite, a page at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any
from uuid import UUID

from domain.errors import StoreUnavailable
from projections.store.chains import END, PAGE_BYTES, PAGE_DRAFTS, PAGE_EVENTS, Head
from projections.store.records import Record
from projections.store.sqlite.queries import mine
from projections.store.sqlite.rows import Rows

# SQLite keeps whatever whoever writes past the service puts into a column: these see no row that has no
# draft or no version, and take every other value as bytes.
_SOUND = "typeof(originator_id) = 'text' AND length(originator_id) = 32 AND NOT originator_id GLOB '*[^0-9a-f]*'"
_LINK = (
    "SELECT originator_id, originator_version, CAST(topic AS BLOB), CAST(state AS BLOB), CAST(by AS BLOB), "
    "CAST(hash AS BLOB) FROM stored_events WHERE typeof(originator_version) = 'integer'"
)
OF_DRAFT = (
    f"{_LINK} AND originator_id = ?1 AND originator_version > ?2 "
    f"AND {mine('originator_id', '?3')} "
    f"ORDER BY originator_version LIMIT {PAGE_EVENTS}"
)
OF_DRAFTS = (
    f"{_LINK} AND {_SOUND} AND (originator_id, originator_version) > (?, ?) AND originator_id <= ? "
    f"ORDER BY originator_id, originator_version LIMIT {PAGE_EVENTS}"
)
# From one draft to the next, past all that lies between; a draft may lack its first event.
HEADS = f"""
    WITH RECURSIVE ids(id) AS (
        SELECT min(originator_id) FROM stored_events WHERE originator_id > ? AND {_SOUND}
        UNION ALL
        SELECT (SELECT min(originator_id) FROM stored_events WHERE originator_id > id AND {_SOUND})
        FROM ids WHERE id IS NOT NULL
        LIMIT {PAGE_DRAFTS}
    )
    SELECT originator_id, originator_version, CAST(hash AS BLOB) FROM ids JOIN stored_events ON originator_id = id
    WHERE originator_version = (SELECT originator_version FROM stored_events
                                WHERE originator_id = id AND typeof(originator_version) = 'integer'
                                ORDER BY originator_version DESC LIMIT 1)
    ORDER BY id
"""
TOMBSTONES = f"SELECT draft, versions, head FROM tombstones WHERE draft > ? ORDER BY draft LIMIT {PAGE_DRAFTS}"


class SqliteChains:
    """The hash chains of one SQLite file."""

    def __init__(self, rows: Rows, connection: Callable[[], sqlite3.Connection]) -> None:
        self._rows, self._open = rows, connection

    async def of_draft(self, principal: str, draft: UUID, after: int) -> Sequence[Record]:
        """The next events of a draft that there are, oldest first, a page of them."""
        return self._page(OF_DRAFT, (draft.hex, after, principal))

    async def of_drafts(self, after: tuple[UUID, int], last: UUID = END) -> Sequence[Record]:
        """The next events after a draft's version, draft by draft up to `last`, a page of them."""
        return self._page(OF_DRAFTS, (after[0].hex, after[1], last.hex))

    async def heads(self, after: UUID) -> Sequence[Head]:
        """The last events of the next drafts, in the order of their ids, a page of them."""
        return [Head(UUID(row[0]), *row[1:]) for row in self._rows(HEADS, (after.hex,))]

    async def tombstones(self, after: UUID) -> Sequence[Head]:
        """The last events of drafts that were purged, in the order of their ids, a page of them."""
        return [Head(UUID(row[0]), *row[1:]) for row in self._rows(TOMBSTONES, (after.hex,))]

    def _page(self, statement: str, arguments: Any) -> list[Record]:
        """As many records as fit on a page; SQLite reads no further than it is asked to."""
        records: list[Record] = []
        size = 0
        try:
            with closing(self._open().execute(statement, arguments)) as rows:
                while size < PAGE_BYTES and (row := rows.fetchone()) is not None:
                    draft, version, topic, state, by, link = row
                    names = (topic.decode(errors="replace"), state, by.decode(errors="replace"))
                    records.append(Record(UUID(draft), version, *names, link))
                    size += len(state)
        except sqlite3.OperationalError as failed:
            raise StoreUnavailable("The database file cannot be used; try again.") from failed
        return records

"""The hash chains on PostgreSQL, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from projections.store.chains import END, PAGE_BYTES, PAGE_DRAFTS, PAGE_EVENTS, Head
from projections.store.postgres.rows import ReadingAs, Working, rows_of
from projections.store.records import Record

# Numbers stand in the text of these: for a limit that it does not know the planner would sort all.
_PAGE: LiteralString = """
    SELECT originator_id, originator_version, topic, state, by, hash FROM (
        SELECT *, sum(octet_length(state)) OVER (ORDER BY originator_id, originator_version) - octet_length(state)
                  AS before
        FROM (SELECT originator_id, originator_version, topic, state, by, hash FROM stored_events WHERE {}
              ORDER BY originator_id, originator_version LIMIT {}) page
    ) sized WHERE before < {} ORDER BY originator_id, originator_version
"""
OF_DRAFT: LiteralString = _PAGE.format(
    "originator_id = %b AND originator_version > %b", str(PAGE_EVENTS), str(PAGE_BYTES)
)
OF_DRAFTS: LiteralString = _PAGE.format(
    "(originator_id, originator_version) > (%b, %b) AND originator_id <= %b",
    str(PAGE_EVENTS),
    str(PAGE_BYTES),
)
# From one draft to the next, past all that lies between; a draft may lack its first event.
HEADS: LiteralString = f"""
    WITH RECURSIVE ids(id) AS (
        (SELECT originator_id FROM stored_events WHERE originator_id > %b ORDER BY originator_id LIMIT 1)
        UNION ALL
        SELECT (SELECT originator_id FROM stored_events WHERE originator_id > id ORDER BY originator_id LIMIT 1)
        FROM ids WHERE id IS NOT NULL
    ), page AS (SELECT id FROM ids WHERE id IS NOT NULL LIMIT {PAGE_DRAFTS})
    SELECT id, last.* FROM page JOIN LATERAL (
        SELECT originator_version, hash FROM stored_events WHERE originator_id = id
        ORDER BY originator_version DESC LIMIT 1) last ON true
    ORDER BY id
"""
TOMBSTONES: LiteralString = (
    "SELECT draft, versions, head FROM tombstones WHERE draft > %b "
    f"ORDER BY draft LIMIT {PAGE_DRAFTS}"
)


class PostgresChains:
    """The hash chains of one PostgreSQL database."""

    def __init__(self, working: Working, reading_as: ReadingAs) -> None:
        self._working, self._as = working, reading_as

    async def of_draft(self, principal: str, draft: UUID, after: int) -> Sequence[Record]:
        """The next events of a draft that there are, oldest first, a page of them."""
        async with self._as(principal) as connection:
            return [Record(*row) for row in await rows_of(connection, OF_DRAFT, (draft, after))]

    async def of_drafts(self, after: tuple[UUID, int], last: UUID = END) -> Sequence[Record]:
        """The next events after a draft's version, draft by draft up to `last`, a page of them."""
        async with self._working() as connection:
            return [Record(*row) for row in await rows_of(connection, OF_DRAFTS, (*after, last))]

    async def heads(self, after: UUID) -> Sequence[Head]:
        """The last events of the next drafts, in the order of their ids, a page of them."""
        async with self._working() as connection:
            return [Head(*row) for row in await rows_of(connection, HEADS, (after,))]

    async def tombstones(self, after: UUID) -> Sequence[Head]:
        """The last events of drafts that were purged, in the order of their ids, a page of them."""
        async with self._working() as connection:
            return [Head(*row) for row in await rows_of(connection, TOMBSTONES, (after,))]

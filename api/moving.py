"""What an operator does to move in from an older system: import the rows of its table."""

from __future__ import annotations

from pathlib import Path

from api.operations import Failed, explained, forms_of, opened
from api.people import People
from api.service import now
from api.settings import Settings
from domain.asked import Rules
from domain.chain import Chain, ChainKey
from domain.drafts import Drafts
from projections import rows
from projections.row_files import RowFile
from projections.store.base import Store
from projections.store.postgres.older_table import OlderTable, RowsUnreadable, is_address
from projections.verify import Progress, Tell


async def import_rows(
    settings: Settings, source: str, table: str, form: str, tell: Tell, progress: Progress
) -> rows.RowsImported:
    """Take over the rows of an older table, out of a database or a file."""
    found: rows.Rows = OlderTable(source, table) if is_address(source) else RowFile(Path(source))
    async with opened(settings) as store:
        with explained(settings):
            how = await _taking(settings, store, table, form)
            try:
                return await rows.import_rows(store, found, how, tell, progress)
            except RowsUnreadable as why:
                raise Failed(str(why)) from None


async def _taking(settings: Settings, store: Store, table: str, form: str) -> rows.Taking:
    limits, forms = settings.limits, await forms_of(settings, store)
    drafts = Drafts(Rules(settings.expiry_days, limits.depth, limits.members), forms)
    chain = Chain(ChainKey(settings.keys.chain))
    return rows.Taking(table, form, drafts, chain, People(store).key_for, now())

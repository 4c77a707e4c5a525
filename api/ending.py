"""Ends drafts: one for good, those about a subject that is gone, and all of a person's."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from api.people import People
from api.tombstones import Tombstones
from api.writer import Writer
from domain.draft import Draft
from domain.ending import must_be_purgeable, withdraw
from domain.errors import Busy, DraftNotFound
from domain.origin import SERVICE, Origin
from domain.receipts import Receipt
from domain.sharing import exclude
from projections.catch_up import CatchUp
from projections.store.base import BEGINNING, Store

ATTEMPTS = 40  # at a draft that is saved to all the time
BATCH = 50  # drafts at a time: each may be loaded whole

Page = Callable[[UUID, int], Awaitable[Sequence[UUID]]]


class Ending:
    """How drafts come to their end by somebody's decision."""

    def __init__(self, store: Store, writer: Writer, people: People, catch_up: CatchUp) -> None:
        self._store, self._writer = store, writer
        self._people, self._catch_up = people, catch_up
        self._tombstones = Tombstones(store, people)

    async def purge(
        self, draft: UUID, origin: Origin, if_match: Collection[int] | None = None
    ) -> Mapping[str, Any]:
        """End a draft of the caller's for good; what is left of it.

        Raises:
            DraftOpen: It is not even in the trash.
        """

        def allowed(held: Draft) -> bool:
            must_be_purgeable(held, origin, if_match)
            return True

        await self.purge_if(draft, allowed, origin)
        await self._store.trash.tidy()
        left = await self._tombstones.of(draft, origin.by)
        assert left is not None, "only its owner may purge a draft"
        return left

    async def purge_if(self, draft: UUID, holds: Callable[[Draft], bool], origin: Origin) -> bool:
        """End a draft for good if this holds of it, and of nothing that was saved meanwhile.

        Raises:
            DraftNotFound: It is gone already.
            Busy: It is saved to all the time.
        """
        for _ in range(ATTEMPTS):
            held = await self._writer.held(draft)
            if not holds(held):
                return False
            if await self._store.trash.purge(draft, held.version, origin.by, origin.at):
                self.let_go(draft)
                return True
            self._writer.forget(draft)
        raise Busy("The draft is too busy; try again.")

    async def withdraw(self, form: str, subject: str, origin: Origin) -> int:
        """Put all open drafts about a subject in the trash; how many there were."""
        await self._catch_up.level()
        by_service = replace(origin, by=SERVICE, reason=f"The subject was deleted by {origin.by}.")
        count = 0
        async for draft in pages(lambda *place: self._store.trash.about(form, subject, *place)):
            count += await self._withdraw(draft, by_service)
        return count

    async def _withdraw(self, draft: UUID, origin: Origin) -> bool:
        try:
            answer = await self._writer.run(draft, lambda d: withdraw(d, origin))
        except DraftNotFound:  # purged meanwhile
            return False
        return isinstance(answer, Receipt) and answer.recorded

    async def forget(self, user: str, origin: Origin) -> int | None:
        """Purge all that a person owns, and leave a pseudonym for the name; how many drafts.

        None if nobody of this name is known, or not any more.

        The name comes last, so that a call that was stopped can be repeated; of drafts that were
        begun by another process just then, the sweep takes care.
        """
        if (key := await self._store.people.key_of(user)) is None:
            return None
        count = await self._take_out(key, origin)
        pseudonym = f"forgotten:{secrets.token_hex(4)}"
        await self._store.trash.forget(key, pseudonym, origin.at)
        self._people.forget(key)
        count += await self._take_out(key, origin)
        await self._store.trash.tidy()
        return count

    async def _take_out(self, person: str, origin: Origin) -> int:
        count = await self._purge_all_of(person, origin)
        await self._exclude(person, origin)
        return count

    async def _purge_all_of(self, person: str, origin: Origin) -> int:
        count = 0
        while drafts := await self._store.trash.owned_by(person, BATCH):
            done = [await self.purge_as_is(draft, origin) for draft in drafts]
            if not any(done):  # something hinders it, and the sweep will try again
                break
            count += sum(done)
        return count

    async def _exclude(self, person: str, origin: Origin) -> None:
        """Take the person out of other people's drafts, as versions of these."""
        by_service = replace(origin, by=SERVICE)
        async for draft in pages(partial(self._store.trash.shared_with, person)):
            with suppress(DraftNotFound):
                await self._writer.run(draft, lambda d: exclude(d, person, by_service))

    async def purge_as_is(self, draft: UUID, origin: Origin) -> bool:
        """End a draft for good, whatever its state; False if it is gone already."""
        purged = await self._store.trash.purge(draft, None, origin.by, origin.at)
        self.let_go(draft)
        return purged

    def let_go(self, draft: UUID) -> None:
        """Keep nothing of a purged draft in memory."""
        self._writer.forget(draft)
        self._catch_up.forget(draft)


async def pages(page: Page) -> AsyncIterator[UUID]:
    """All drafts of a list, page by page in the order of their ids."""
    after = BEGINNING
    while drafts := await page(after, BATCH):
        for draft in drafts:
            yield draft
        after = drafts[-1]

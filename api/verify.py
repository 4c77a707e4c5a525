"""The route that proves a draft: recomputes its chain and says whether it holds, or where not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from api.answers import json_answer
from api.drafts import READ
from api.routing import DraftId, ReaderDep, StrictRoute, response
from domain import access
from domain.access import Reader
from domain.chain import Flaw, Keyring, Verdict
from projections.store.base import Store
from projections.store.records import Record
from projections.verify import verify_draft

router = APIRouter(prefix="/v1/drafts/{draft_id}", tags=["audit"], route_class=StrictRoute)


class Verifying:
    """Checks the chain of a caller's draft."""

    def __init__(self, store: Store, keyring: Keyring) -> None:
        self._store, self._keyring = store, keyring

    async def draft(self, draft: UUID, by: Reader) -> dict[str, Any]:
        """Whether every version is as it was recorded; if not, what is wrong with which."""
        access.require(await self._store.role(by, draft), "read")
        return _document(await verify_draft(draft, self._pages(by, draft), self._keyring))

    async def _pages(self, by: str, draft: UUID) -> AsyncIterator[Sequence[Record]]:
        """The draft's events, page by page; in between others get their turn."""
        version = 0
        while page := await self._store.chains.of_draft(by, draft, version):
            yield page
            version = page[-1].version
            await asyncio.sleep(0)


def _document(verdict: Verdict) -> dict[str, Any]:
    flaws = {"flaws": list(map(_flaw, verdict.flaws))} if verdict.flaws else {}
    return {
        "intact": verdict.intact,
        "versions": verdict.versions,
        "head": verdict.head.hex(),
        **flaws,
    }


def _flaw(flaw: Flaw) -> dict[str, Any]:
    key = {} if flaw.key is None else {"key": flaw.key}
    return {"problem": flaw.problem, "from": flaw.first, "to": flaw.last, **key}


def _verifying(request: Request) -> Verifying:
    return cast("Verifying", request.app.state.verifying)


@router.get("/verify", responses=READ)
async def verify_chain(
    draft: DraftId, reader: ReaderDep, verifying: Annotated[Verifying, Depends(_verifying)]
) -> Response:
    """Recompute the chain: whether all versions are as they were recorded, or what is wrong.

    `intact` is null where links were made with a key that this service does not know.
    """
    return response(json_answer(await verifying.draft(draft, reader)))

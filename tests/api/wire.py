"""What a device sends and gets, as HTTP has it: for tests that let devices sync with a service."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import httpx

from domain.asked import Edit
from domain.choices import Choice
from domain.errors import (
    Clash,
    ConflictClosed,
    Invalid,
    SeqSkipped,
    VariorumError,
    VersionMismatch,
)
from domain.receipts import Receipt
from tests.api.calls import Document
from tests.domain.syncing import Merge, Request, Restore, Undo


def as_call(request: Request) -> tuple[str, str, dict[str, Any]]:
    """The request as method, what follows the draft's address, and the rest as httpx takes it."""
    what, numbered = request.what, {"device": request.device, "seq": request.seq}
    if isinstance(what, Edit):
        return "PATCH", "", {"json": as_edit(request), "headers": _condition(what)}
    return "POST", *_command(what, numbered)


def as_edit(request: Request) -> Document:
    """The body of an edit."""
    edit = request.what
    assert isinstance(edit, Edit)
    body: Document = {"based_on": edit.based_on, "device": request.device, "seq": request.seq}
    body |= {"data": edit.data} if edit.changes is None else {"changes": [*edit.changes]}
    return body if edit.on_conflict == "keep" else {**body, "on_conflict": edit.on_conflict}


def _condition(edit: Edit) -> dict[str, str]:
    if edit.if_match is None:
        return {}
    return {"if-match": ", ".join(f'"{version}"' for version in edit.if_match)}


def _command(
    what: Choice | Restore | Undo | Merge, numbered: Document
) -> tuple[str, dict[str, Any]]:
    if isinstance(what, Choice):
        which = {} if what.which is None else {"which": what.which}
        body = {"take": what.take, **which, **numbered}
        return f"/conflicts/{what.id}/resolve", {"json": body}
    if isinstance(what, Restore):
        return "/restore", {"json": {"version": what.version, **numbered}}
    if isinstance(what, Merge):
        return "/merge", {"json": {"fork": what.fork, **numbered}}
    return "/undo", {"json": {"version": what.version, "through": what.through, **numbered}}


def as_answer(answer: httpx.Response) -> Receipt | VariorumError:
    """What the service said."""
    told = answer.json()
    if answer.is_success:
        return Receipt(
            id=UUID(told["id"]),
            version=told["version"],
            recorded=told["recorded"],
            saved_at=datetime.fromisoformat(told["saved_at"]),
            expires_at=datetime.fromisoformat(told["expires_at"]),
            changes=told["changes"],
            conflicts=told["conflicts"],
        )
    return _REFUSALS[told["type"].removeprefix("/problems/")]


_REFUSALS: dict[str, VariorumError] = {
    "clash": Clash([]),
    "version-mismatch": VersionMismatch(0),
    "seq-skipped": SeqSkipped(0),
    "conflict-closed": ConflictClosed(""),
    "invalid": Invalid([]),
}

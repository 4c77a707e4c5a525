"""The words of the API tests: callers who open, save, read and bring back, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

import httpx
from anyio.from_thread import BlockingPortal
from starlette.types import ASGIApp

from api.security import make_token
from api.settings import Settings
from tests.running import NOON

Document: TypeAlias = dict[str, Any]
DraftOrId: TypeAlias = Document | str

DRAFTS = "/v1/drafts"
PROBLEM = "application/problem+json"
JSON_PATCH = {"content-type": "application/json-patch+json"}
MERGE_PATCH = {"content-type": "application/merge-patch+json"}


class Unexpected(AssertionError):
    """The service answered with a problem where the test needs an answer."""


@dataclass(frozen=True)
class Caller:
    """Somebody with a token; `asks` gives any answer, most others only what was hoped for."""

    client: httpx.AsyncClient
    token: str

    async def asks(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Whatever the service answers; a path without a first slash lies under the drafts'."""
        headers = {"authorization": f"Bearer {self.token}", **request.pop("headers", {})}
        url = path if path.startswith("/") else f"{DRAFTS}/{path}"
        return await self.client.request(method, url, headers=headers, **request)

    async def _gets(self, method: str, path: str, **request: Any) -> Document:
        answer = await self.asks(method, path, **request)
        if not answer.is_success:
            raise Unexpected(f"{method} {path}: {answer.status_code} {answer.text}")
        document: Document = answer.json() if answer.content else {}
        return document

    # -- drafts

    async def open(self, data: Document | None = None, **members: Any) -> Document:
        """Open a draft, of the form `gig` unless said otherwise."""
        given = {} if data is None else {"data": data}
        return await self._gets("POST", DRAFTS, json={"form": "gig", **given, **members})

    async def draft(self, draft: DraftOrId, **which: Any) -> Document:
        """The draft now, or with `version=` or `at=` as it was."""
        return await self._gets("GET", id_of(draft), params=which)

    async def data(self, draft: DraftOrId, **which: Any) -> Document:
        """The form's values."""
        data: Document = (await self.draft(draft, **which))["data"]
        return data

    async def lists(self, **wanted: Any) -> Document:
        """One page of the drafts, as soon as the service is not too busy to show it."""
        for _ in range(40):
            answer = await self.asks("GET", DRAFTS, params=wanted)
            if answer.status_code != 503:
                break
            await asyncio.sleep(0.05)
        assert answer.status_code == 200, answer.text
        page: Document = answer.json()
        return page

    async def fork(self, draft: DraftOrId, **members: Any) -> Document:
        return await self._gets("POST", f"{id_of(draft)}/fork", json=members)

    async def extend(self, draft: DraftOrId, **members: Any) -> Document:
        return await self._gets("POST", f"{id_of(draft)}/extend", json=members)

    async def submit(self, draft: DraftOrId) -> Document:
        return await self._gets("POST", f"{id_of(draft)}/submit")

    async def discard(self, draft: DraftOrId) -> None:
        await self._gets("DELETE", id_of(draft))

    async def template(self, draft: DraftOrId, *, on: bool) -> Document:
        return await self._gets("PUT", f"{id_of(draft)}/template", json={"on": on})

    async def recover(self, draft: DraftOrId) -> Document:
        return await self._gets("POST", f"{id_of(draft)}/recover")

    # -- sharing

    async def share(self, draft: DraftOrId, user: str, role: str, **members: Any) -> Document:
        body = {"role": role, **members}
        return await self._gets("PUT", f"{id_of(draft)}/members/{user}", json=body)

    async def unshare(self, draft: DraftOrId, user: str) -> None:
        await self._gets("DELETE", f"{id_of(draft)}/members/{user}")

    async def hand_over(self, draft: DraftOrId, user: str) -> Document:
        return await self._gets("PUT", f"{id_of(draft)}/owner", json={"user": user})

    async def share_by_link(self, draft: DraftOrId, role: str, **members: Any) -> Document:
        """Make a link; what is told of it this once."""
        return await self._gets("POST", f"{id_of(draft)}/links", json={"role": role, **members})

    async def by_link(self, draft: DraftOrId, role: str, **members: Any) -> Caller:
        """Somebody without an account who has a new link to the draft."""
        return Caller(self.client, (await self.share_by_link(draft, role, **members))["token"])

    # -- edits

    async def save(self, draft: DraftOrId, *changes: Document, **members: Any) -> Document:
        """Save changes, or with `data=` the whole form; answers the receipt."""
        return await self._gets("PATCH", id_of(draft), json=edit(*changes, **members))

    async def tries(
        self,
        draft: DraftOrId,
        *changes: Document,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> httpx.Response:
        """Save, and see what happens."""
        body = edit(*changes, **members)
        return await self.asks("PATCH", id_of(draft), json=body, headers=headers or {})

    async def patches(
        self, draft: DraftOrId, *operations: Document, **query: Any
    ) -> httpx.Response:
        """Send a JSON Patch, and see what happens."""
        return await self.asks(
            "PATCH", id_of(draft), json=list(operations), params=query, headers=JSON_PATCH
        )

    async def merges(self, draft: DraftOrId, changes: Any, **query: Any) -> httpx.Response:
        """Send a JSON Merge Patch, and see what happens."""
        return await self.asks(
            "PATCH", id_of(draft), json=changes, params=query, headers=MERGE_PATCH
        )

    async def sends(self, draft: DraftOrId, *edits: Document) -> list[Document]:
        """Send an offline queue; answers a receipt or a problem for each edit."""
        answer = await self._gets("POST", f"{id_of(draft)}/edits", json={"edits": edits})
        results: list[Document] = answer["results"]
        return results

    # -- versions

    async def versions(self, draft: DraftOrId, **wanted: Any) -> Document:
        """One page of the history."""
        return await self._gets("GET", f"{id_of(draft)}/versions", params=wanted)

    async def version(self, draft: DraftOrId, number: int) -> Document:
        """One version."""
        return await self._gets("GET", f"{id_of(draft)}/versions/{number}")

    async def label(self, draft: DraftOrId, version: int, label: str, **members: Any) -> Document:
        body = {"label": label, **members}
        return await self._gets("PUT", f"{id_of(draft)}/versions/{version}/label", json=body)

    async def unlabel(self, draft: DraftOrId, version: int) -> None:
        await self._gets("DELETE", f"{id_of(draft)}/versions/{version}/label")

    async def compare(self, draft: DraftOrId, a: int | str, b: int | str) -> Document:
        """What differs between two versions."""
        return await self._gets("GET", f"{id_of(draft)}/compare/{a}...{b}")

    async def restore(self, draft: DraftOrId, version: int, **members: Any) -> Document:
        return await self._gets(
            "POST", f"{id_of(draft)}/restore", json={"version": version, **members}
        )

    async def undo(self, draft: DraftOrId, version: int, **members: Any) -> Document:
        return await self._gets(
            "POST", f"{id_of(draft)}/undo", json={"version": version, **members}
        )


@dataclass(frozen=True)
class Process:
    """One process of the service, and Ann at it."""

    app: ASGIApp
    ann: Caller


class Blocking:
    """A caller for plain functions: what Hypothesis raises must not pass through a coroutine."""

    def __init__(self, caller: Caller, portal: BlockingPortal) -> None:
        self._caller, self._portal = caller, portal

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            return self._portal.call(partial(getattr(self._caller, name), *given, **named))

        return call


def caller(client: httpx.AsyncClient, settings: Settings, sub: str, *roles: str) -> Caller:
    """Whoever it is, with a token that outlives every test."""
    years = timedelta(days=3_650)
    return Caller(client, make_token(settings.keys.jwt, sub, roles, years, now=NOON))


def with_role(client: httpx.AsyncClient, settings: Settings, sub: str, role: str) -> Caller:
    """Somebody whose token has a role."""
    years = timedelta(days=3_650)
    return Caller(client, make_token(settings.keys.jwt, sub, [role], years, now=NOON))


def id_of(draft: DraftOrId) -> str:
    """A draft's id, however it is named."""
    return draft if isinstance(draft, str) else str(draft["id"])


def edit(*changes: Document, **members: Any) -> Document:
    """The body of an edit."""
    return {**({"changes": list(changes)} if changes else {}), **members}


def add(path: str, value: Any) -> Document:
    return {"op": "add", "path": path, "value": value}


def replace(path: str, value: Any) -> Document:
    return {"op": "replace", "path": path, "value": value}


def remove(path: str) -> Document:
    return {"op": "remove", "path": path}


def move(source: str, path: str) -> Document:
    return {"op": "move", "from": source, "path": path}


def copy(source: str, path: str) -> Document:
    return {"op": "copy", "from": source, "path": path}


def expect(path: str, value: Any) -> Document:
    return {"op": "test", "path": path, "value": value}


def problem(answer: httpx.Response, status: int, slug: str) -> Document:
    """The problem document of a refusal, which must be of this status and kind."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    document: Document = answer.json()
    assert (document["status"], document["type"]) == (status, f"/problems/{slug}"), document
    assert document["title"]
    assert document["detail"]
    return document


def pointers(document: Document) -> list[str]:
    """Where the faults are that a problem document lists."""
    return [fault["pointer"] for fault in document["errors"]]


def without(document: Document, *members: str) -> Document:
    """The document without the members that a test does not look at."""
    return {name: value for name, value in document.items() if name not in members}

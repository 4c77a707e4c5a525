"""The hot routes: save, fetch and list versions, answered ahead of the general stack.

FastAPI's middleware and dependencies cost more than a whole save (about 180 µs a request), so an
exact match of method and path comes here and everything else goes on to the app. FastAPI's own
entries for these routes stand in the OpenAPI and call the same functions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from api.addresses import UUID_LENGTH, query_of, to_id, version_filter, version_or_moment
from api.answers import Answer, json_answer, send_answer
from api.edits import as_edit, in_patch, pointed, read_edit
from api.headers import unless_known, wishes_of
from api.parts import Parts
from api.problem_documents import problem_bytes
from api.requests import JSON, JSON_PATCH, MERGE_PATCH, media_type, parse_json
from domain.errors import DraftNotFound, Invalid, VariorumError

PREFIX = "/v1/drafts/"
DRAFT = "/v1/drafts/{draft_id}"
VERSIONS = "/v1/drafts/{draft_id}/versions"
MEDIA_TYPES = (JSON, JSON_PATCH, MERGE_PATCH)

Handler = Callable[[UUID, Scope, Receive], Awaitable[Answer]]


class Hot:
    """Answers the hot routes, and passes everything else on."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app, self._parts = app, parts
        self._handlers: dict[tuple[str, str], tuple[str, Handler]] = {
            ("GET", ""): (DRAFT, self.fetch),
            ("PATCH", ""): (DRAFT, self.save),
            ("GET", "/versions"): (VERSIONS, self.versions),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One of ours, or the app's."""
        if scope["type"] == "http" and (path := scope["path"]).startswith(PREFIX):
            end = len(PREFIX) + UUID_LENGTH
            found = self._handlers.get((scope["method"], path[end:]))
            if found is not None and (draft := to_id(path[len(PREFIX) : end])) is not None:
                scope["state"]["route"], handler = found
                scope["path_params"] = {"draft_id": path[len(PREFIX) : end]}
                answer = await self._answer(handler, draft, scope, receive)
                return await send_answer(send, answer)
        return await self._app(scope, receive, send)

    async def _answer(
        self, handler: Handler, draft: UUID, scope: Scope, receive: Receive
    ) -> Answer:
        try:
            answer = await handler(draft, scope, receive)
            await self._parts.reads.after(scope, answer.status)
            return answer
        except DraftNotFound as missing:
            caller = await self._parts.callers.of(scope)
            error: VariorumError = await self._parts.tombstones.instead(missing, draft, caller.sub)
        except VariorumError as refusal:
            error = refusal
        return problem_bytes(error, scope["state"]["request_id"])

    async def fetch(self, draft: UUID, scope: Scope, receive: Receive) -> Answer:
        """The snapshot now, at a version, or at a moment; 304 if the caller has it."""
        del receive
        headers = dict(scope["headers"])
        caller = await self._parts.callers.of(scope)
        query = scope["query_string"]
        version, at = version_or_moment(query) if query else (None, None)
        reader = await self._parts.people.reader(caller)
        answer = await self._parts.reading.draft(draft, reader, version, at)
        return unless_known(answer, headers.get(b"if-none-match"))

    async def save(self, draft: UUID, scope: Scope, receive: Receive) -> Answer:
        """Save an edit, in one of its three forms."""
        headers = dict(scope["headers"])
        caller = await self._parts.callers.of(scope)
        kind = media_type(headers.get(b"content-type"), MEDIA_TYPES)
        value = parse_json(await body_of(receive), self._parts.limits)
        if kind != JSON:
            value = as_edit(kind, value, scope["query_string"])
        elif scope["query_string"]:
            query_of(scope["query_string"], {})
        wished = wishes_of(headers)
        try:
            edit, origin = await read_edit(self._parts, value, caller, scope, wished)
            return await self._parts.saving.edit(draft, edit, origin, wished)
        except Invalid as invalid:
            raise invalid if kind == JSON else pointed(invalid, in_patch) from None

    async def versions(self, draft: UUID, scope: Scope, receive: Receive) -> Answer:
        """The version history."""
        del receive
        caller = await self._parts.callers.of(scope)
        wanted, grouped = version_filter(scope["query_string"], self._parts.limits.page)
        reader = await self._parts.people.reader(caller)
        return json_answer(
            await self._parts.reading.versions(draft, reader, wanted, grouped=grouped)
        )


async def body_of(receive: Receive) -> bytes:
    """The whole body; its limit is kept by the wrapper around the app."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":  # what came is not what was meant
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body

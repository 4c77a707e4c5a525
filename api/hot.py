"""The hot routes: save, fetch and list versions, answered ahead of the general stack.

FastAPI's middleware and dependencies cost more than a whole save (about 180 µs a request), so an
exact match of method and path comes here and everything else goes on to the app. FastAPI's own
entries for these routes stand in the OpenAPI and call the same functions.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl
from uuid import UUID

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from api import schemas
from api.answers import json_answer
from api.auditing import Auditing
from api.beginning import Beginning
from api.blaming import Blaming
from api.callers import Callers
from api.ending import Ending
from api.people import People
from api.problems import Answer, problem_bytes, send_answer
from api.reading import Reading, parse_place
from api.reads import Reads
from api.requests import JSON, JSON_PATCH, MERGE_PATCH, load, media_type, parse_json
from api.saving import Saving, Wishes
from api.security import Principal
from api.settings import Limits
from api.tombstones import Tombstones
from domain.asked import Edit
from domain.errors import DraftNotFound, Fault, Invalid, VariorumError
from domain.origin import Origin
from projections.store.base import VersionFilter

PREFIX = "/v1/drafts/"
UUID_LENGTH = 36
DRAFT = "/v1/drafts/{draft_id}"
VERSIONS = "/v1/drafts/{draft_id}/versions"
MEDIA_TYPES = (JSON, JSON_PATCH, MERGE_PATCH)

Clock = Callable[[], datetime]
Headers = dict[bytes, bytes]
Handler = Callable[[UUID, Scope, Receive], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the hot routes work with."""

    callers: Callers
    people: People
    beginning: Beginning
    saving: Saving
    reading: Reading
    ending: Ending
    tombstones: Tombstones
    auditing: Auditing
    blaming: Blaming
    reads: Reads
    limits: Limits
    clock: Clock


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
        version, at = _which(scope["query_string"]) if scope["query_string"] else (None, None)
        reader = await self._parts.people.reader(caller)
        answer = await self._parts.reading.draft(draft, reader, version, at)
        return _unless_known(answer, headers.get(b"if-none-match"))

    async def save(self, draft: UUID, scope: Scope, receive: Receive) -> Answer:
        """Save an edit, in one of its three forms."""
        headers = dict(scope["headers"])
        caller = await self._parts.callers.of(scope)
        kind = media_type(headers.get(b"content-type"), MEDIA_TYPES)
        value = parse_json(await body_of(receive), self._parts.limits)
        if kind != JSON:
            value = _as_edit(kind, value, scope["query_string"])
        elif scope["query_string"]:
            query_of(scope["query_string"], {})
        wished = wishes_of(headers)
        try:
            edit, origin = await self.read_edit(value, caller, scope, wished)
            return await self._parts.saving.edit(draft, edit, origin, wished)
        except Invalid as invalid:
            raise invalid if kind == JSON else pointed(invalid, _in_patch) from None

    async def versions(self, draft: UUID, scope: Scope, receive: Receive) -> Answer:
        """The version history."""
        del receive
        caller = await self._parts.callers.of(scope)
        wanted, grouped = _filter(scope["query_string"], self._parts.limits.page)
        reader = await self._parts.people.reader(caller)
        return json_answer(
            await self._parts.reading.versions(draft, reader, wanted, grouped=grouped)
        )

    async def read_edit(
        self, value: Any, caller: Principal, scope: Scope, wishes: Wishes | None = None
    ) -> tuple[Edit, Origin]:
        """An edit as the domain takes it, and where it comes from."""
        patch = value.pop("merge_patch", None) if type(value) is _Edit else None
        model = load(schemas.EDIT, value)
        if model.changes is not None and len(model.changes) > self._parts.limits.changes:
            raise Invalid.one(
                "/changes", f"An edit may have {self._parts.limits.changes} changes at most."
            )
        edit = Edit(
            based_on=model.based_on,
            changes=cast("list[dict[str, Any]] | None", model.changes),
            data=model.data,
            merge_patch=patch,
            step=model.step,
            completed_steps=model.completed_steps,
            if_match=wishes.if_match if wishes else None,
            on_conflict=model.on_conflict,
            on_closed=model.on_closed,
        )
        numbered = model.seq is not None
        digest = (
            digest_of("edit", {**value, "merge_patch": patch} if patch else value)
            if numbered
            else None
        )
        return edit, await self.origin(model, caller, scope, digest)

    async def read_queued(
        self, number: int, value: Any, caller: Principal, scope: Scope
    ) -> tuple[Edit, Origin]:
        """One edit of an offline queue."""
        try:
            return await self.read_edit(value, caller, scope)
        except Invalid as invalid:
            raise pointed(invalid, lambda pointer: f"/edits/{number}{pointer}") from None

    async def origin(
        self, model: schemas.Repeatable, caller: Principal, scope: Scope, digest: str | None
    ) -> Origin:
        """Who asks, when, and from where."""
        client = scope.get("client")
        return Origin(
            by=await self._parts.people.key_for(caller.sub),
            at=self._parts.clock(),
            device=model.device,
            seq=model.seq,
            digest=digest,
            request=scope["state"]["request_id"],
            address=client[0] if client else None,
            reason=model.reason,
            auditor=caller.is_auditor,
        )


_IN_ADDRESS: dict[str, type] = {"based_on": int, "device": str, "seq": int}


class _Edit(dict[str, Any]):
    """An edit that came as a patch document; it may hold a `merge_patch`, as none on the wire."""


def _as_edit(kind: str, value: Any, query: bytes) -> _Edit:
    """A patch document as an edit; device, seq and base stand in the address."""
    given = query_of(query, _IN_ADDRESS)
    edit = _Edit({name: item for name, item in given.items() if item is not None})
    if kind == MERGE_PATCH:
        edit["merge_patch"] = load(schemas.MERGE_PATCH, value)
    else:
        edit["changes"] = [_known_members(op) for op in load(schemas.JSON_PATCH, value)]
    return edit


def _known_members(operation: dict[str, Any]) -> dict[str, Any]:
    """RFC 6902, section 4: members that an operation does not define are ignored."""
    return {name: operation[name] for name in ("op", "path", "value", "from") if name in operation}


def pointed(invalid: Invalid, where: Callable[[str], str]) -> Invalid:
    """The same faults with pointers into what the caller sent."""
    return Invalid([Fault(where(fault.pointer), fault.detail) for fault in invalid.errors])


def _in_patch(pointer: str) -> str:
    """Where a fault of an edit is in a patch document, or in its address."""
    name = pointer.removeprefix("/")
    return f"?{name}" if name in _IN_ADDRESS else pointer.removeprefix("/changes")


def digest_of(act: str, request: Any) -> str:
    """What tells two requests of one number apart, however they came: 96 bits as 16 characters."""
    said = {name: value for name, value in request.items() if name not in ("device", "seq")}
    packed = orjson.dumps(said, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    digest = hashlib.blake2b(packed, digest_size=12, person=act.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()


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


def wishes_of(headers: Headers) -> Wishes:
    """What `If-Match` and `Prefer` ask for."""
    match, prefer = headers.get(b"if-match"), headers.get(b"prefer")
    if match is None and prefer is None:
        return _NO_WISHES
    whole = prefer is not None and b"return=representation" in prefer.replace(b" ", b"").lower()
    versions = None if match is None or match.strip() == b"*" else _versions(match)
    return Wishes(versions, whole)


_NO_WISHES = Wishes()
_ETAG = re.compile(rb'(W/)?"([^"]*)"')


def _versions(tags: bytes, *, weak: bool = False) -> frozenset[int]:
    """The versions that entity tags name; tags that are none of ours match nothing."""
    found = [tag for is_weak, tag in _ETAG.findall(tags) if weak or not is_weak]
    return frozenset(int(tag) for tag in found if tag.isdigit() and len(tag) < 18)


def _unless_known(answer: Answer, known: bytes | None) -> Answer:
    if known is None:
        return answer
    tag = dict(answer.headers)[b"etag"]
    if known.strip() != b"*" and int(tag.strip(b'"')) not in _versions(known, weak=True):
        return answer
    return Answer(304, [h for h in answer.headers if h[0] != b"content-type"], b"")


def to_id(text: str) -> UUID | None:
    """The id that a part of an address is; None if it is none."""
    try:
        return UUID(text) if len(text) == UUID_LENGTH else None
    except ValueError:
        return None


def id_in_address(text: str) -> UUID:
    """The id in an address; one that cannot be an id names no draft."""
    if (found := to_id(text)) is None:
        raise DraftNotFound
    return found


_KINDS = {
    int: "a whole number",
    str: "a text of at most 2,000 characters, without U+0000",
    bool: "true or false",
    datetime: "a time (RFC 3339)",
}


UNKNOWN = "Unknown here, or given twice."


def query_of(query: bytes, known: dict[str, type]) -> dict[str, Any]:
    """The parameters of an address.

    Raises:
        Invalid: One is unknown, there twice, or not of its kind.
    """
    found: dict[str, Any] = dict.fromkeys(known)
    faults = []
    for name, text in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in known or found[name] is not None:
            faults.append(Fault(f"?{name[:50]}", UNKNOWN))
        elif (value := _value(text, known[name])) is None:
            faults.append(Fault(f"?{name}", f"Must be {_KINDS[known[name]]}."))
        else:
            found[name] = value
    if faults:
        raise Invalid(faults)
    return found


def _value(text: str, kind: type) -> Any:
    if kind is int:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 17 else None
    if kind is bool:
        return {"true": True, "false": False}.get(text)
    if kind is datetime:
        return _moment(text)
    return text if len(text) <= 2_000 and "\0" not in text else None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):  # the latter beyond the years 1 to 9999 in UTC
        return None


_ONE_VERSION = re.compile(rb"version=([1-9][0-9]{0,15})").fullmatch


def _which(query: bytes) -> tuple[int | None, datetime | None]:
    if plain := _ONE_VERSION(query):  # what nearly all ask; taking it apart costs 5 % of a read
        return int(plain[1]), None
    given = query_of(query, {"version": int, "at": datetime})
    version, at = given["version"], given["at"]
    if version is not None and at is not None:
        raise Invalid.one("?at", "Name a version or a moment, not both.")
    if version == 0:
        raise Invalid.one("?version", "Versions count from 1.")
    return version, at


def _filter(query: bytes, largest: int) -> tuple[VersionFilter, bool]:
    if not query:
        return _ALL_VERSIONS, False
    given = query_of(query, _FILTER)
    limit = given["limit"] if given["limit"] is not None else 50
    if not 1 <= limit <= largest:
        raise Invalid.one("?limit", f"Must be from 1 to {largest}.")
    wanted = VersionFilter(
        before=parse_place(given["cursor"]),
        by=given["by"],
        path=given["path"],
        device=given["device"],
        act=given["act"],
        since=given["from"],
        until=given["to"],
        limit=limit,
    )
    return wanted, bool(given["grouped"])


_ALL_VERSIONS = VersionFilter()
_FILTER: dict[str, type] = {
    "by": str,
    "path": str,
    "device": str,
    "act": str,
    "from": datetime,
    "to": datetime,
    "grouped": bool,
    "limit": int,
    "cursor": str,
}

"""Errors as answers: problem documents (RFC 9457), with the headers that belong to them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import orjson

from api.answers import Answer, Headers
from api.problems import INTERNAL, MEDIA_TYPE, METHOD_NOT_ALLOWED, NOT_FOUND, Kind, kind_of
from domain.errors import Fault, Unauthenticated, Unavailable, UnsupportedMediaType


def document(error: BaseException, request_id: str | None = None) -> dict[str, Any]:
    """The problem document of an error; of one that nobody foresaw it tells nothing."""
    kind = kind_of(error)
    detail = kind.meaning if kind is INTERNAL else str(error)
    return _document(kind, detail, request_id, _members(kind, error))


def problem_bytes(error: BaseException, request_id: str | None = None) -> Answer:
    """The answer to an error: status, headers and the document as bytes."""
    return _answer(document(error, request_id), _headers(error))


def no_such_route(request_id: str | None) -> Answer:
    """404 for an address that leads nowhere."""
    detail = "There is nothing at this address; /docs lists what there is."
    return _answer(_document(NOT_FOUND, detail, request_id))


def no_such_method(allowed: str, request_id: str | None) -> Answer:
    """405, with the methods that the address takes."""
    detail = f"This address takes {allowed or 'other methods'} only."
    headers = [(b"allow", allowed.encode())] if allowed else []
    return _answer(_document(METHOD_NOT_ALLOWED, detail, request_id), headers)


def plain_problem(status: int, detail: str, request_id: str | None) -> Answer:
    """A problem that means no more than its status: `about:blank` (RFC 9457, section 4.2.1)."""
    kind = Kind(status, "", HTTPStatus(status).phrase, detail)
    return _answer(_document(kind, detail, request_id))


def _document(
    kind: Kind, detail: str, request_id: str | None, members: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "type": f"/problems/{kind.slug}" if kind.slug else "about:blank",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        **({"request_id": request_id} if request_id else {}),
        **(members or {}),
    }


def _members(kind: Kind, error: BaseException) -> dict[str, Any]:
    """The error's attributes that its kind shows, without those that say nothing."""
    found = ((name, getattr(error, name)) for name in kind.members)
    return {name: _plain(value) for name, value in found if value is not None and value != ()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Fault):
        return {"pointer": value.pointer, "detail": value.detail}
    return value


def _headers(error: BaseException) -> Headers:
    if isinstance(error, Unavailable):
        return [(b"retry-after", b"%d" % error.retry_after)]
    if isinstance(error, Unauthenticated):
        return [(b"www-authenticate", b"Bearer")]
    if isinstance(error, UnsupportedMediaType):  # RFC 9110, section 15.5.16
        return [(b"accept", ", ".join(error.accepted).encode())]
    return []


def _answer(body: dict[str, Any], headers: Headers | None = None) -> Answer:
    content = _dump(body)
    always = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"cache-control", b"no-store"),
    ]
    return Answer(body["status"], always + (headers or []), content)


def _dump(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # a lone surrogate in a name that the caller sent: escaped, it is harmless
        return json.dumps(body).encode()

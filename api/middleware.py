"""What every answer needs, as plain ASGI wrappers around everything: id, log line, metrics, limits.

From the outside in: CORS, the envelope, the limit of the body. The envelope is one wrapper and not
four, because each one costs a microsecond or more on every request.
"""

from __future__ import annotations

import itertools
import logging
import os
import re
from time import perf_counter

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers import send_answer
from api.asgi import START, header
from api.cors import Cors
from api.heading import head
from api.logs import RequestLog, log_unforeseen
from api.metrics import Metrics
from api.problem_documents import problem_bytes
from api.problems import INTERNAL, kind_of
from api.settings import Settings
from domain.errors import TooLarge

_sane = re.compile(rb"[A-Za-z0-9._-]{1,64}").fullmatch
_CLIENT_LEFT = 499  # nginx's number for a request that got no answer
_NO_ROUTE = "none"
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
_NO_BODY = frozenset({"GET", "OPTIONS"})
_UUID_LENGTH = 36


def wrap(app: ASGIApp, settings: Settings, metrics: Metrics, log: RequestLog) -> ASGIApp:
    """The app in all of its wrappers."""
    app = Envelope(BodyLimit(app, settings.max_body), metrics, log)
    return Cors(app, settings.cors_origins) if settings.cors_origins else app


class Envelope:
    """Every request has an id, gets an answer whatever is raised, is counted and leaves one line.

    HEAD is answered here for all that is inside: nothing there sees another method than GET.

    The id is in `scope["state"]["request_id"]` and in the answer's `X-Request-Id`. The route in
    the line is FastAPI's, or what the app put in `scope["state"]["route"]`.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, log: RequestLog) -> None:
        self.app, self._metrics, self._log = app, metrics, log
        self._prefix, self._numbers = os.urandom(4).hex(), itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer if the app could not; report when all is sent."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if scope["method"] == "HEAD":
            return await head(self, scope, receive, send)
        request_id = self._request_id(scope)
        began, status = perf_counter(), 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == START:
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        try:
            await self.app(scope, receive, named)
        except ClientDisconnect:
            pass  # nobody is there to be answered; the line says so
        except Exception as error:
            _note(error, scope)
            if not status:
                await send_answer(named, problem_bytes(error, scope["state"]["request_id"]))
        finally:
            self._report(scope, status or _CLIENT_LEFT, perf_counter() - began)

    def _request_id(self, scope: Scope) -> bytes:
        """The caller's if it is a sane one, else a new one; a counter is cheaper than chance."""
        given = header(scope, b"x-request-id")
        new = given is None or not _sane(given)
        request_id = f"{self._prefix}-{next(self._numbers):x}".encode() if new else given or b""
        scope.setdefault("state", {})["request_id"] = request_id.decode()
        return request_id

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = route_of(scope), scope["state"].get("method", scope["method"])
        self._metrics.request(method, route, status, seconds)
        severity = _severity(route, status)
        if severity >= self._log.threshold:
            self._log.line(
                level=_LEVELS[severity],
                event="request",
                method=method,
                route=route,
                draft=_draft(scope),
                status=status,
                ms=round(seconds * 1000, 2),
                request_id=scope["state"]["request_id"],
            )


def route_of(scope: Scope) -> str:
    """The template of the route that took the request, as `/v1/drafts/{draft_id}`."""
    if route := scope["state"].get("route"):
        return str(route)
    # FastAPI keeps the whole path of a route in a router here; the route knows its own part only.
    context = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return getattr(context, "path_format", _NO_ROUTE)


_LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.ERROR: "error"}


def _severity(route: str, status: int) -> int:
    if status >= INTERNAL.status:
        return logging.ERROR
    return logging.DEBUG if route in _QUIET else logging.INFO


def _draft(scope: Scope) -> str | None:
    """The id in the path, unless somebody wrote something else there."""
    draft = str(scope.get("path_params", {}).get("draft_id", ""))
    return draft if len(draft) == _UUID_LENGTH else None


def _note(error: Exception, scope: Scope) -> None:
    if kind_of(error) is INTERNAL:
        log_unforeseen(
            error,
            method=scope["method"],
            route=route_of(scope),
            request_id=scope["state"]["request_id"],
        )


class BodyLimit:
    """No body over the limit comes in: refused by its announced length, else while it is read.

    A body of unknown length is gathered here, since FastAPI turns what a failing `receive` raises
    into a 400 of its own.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on.

        Raises:
            TooLarge: The body is over the limit.
        """
        if scope["type"] == "http" and scope["method"] not in _NO_BODY:
            length = header(scope, b"content-length")
            if length is None:
                receive = await self._gathered(receive)
            elif not length.isdigit() or int(length) > self._limit:
                raise TooLarge(self._limit)
        await self.app(scope, receive, send)

    async def _gathered(self, receive: Receive) -> Receive:
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._limit:
                raise TooLarge(self._limit)
            if not message.get("more_body"):
                return _replay({**message, "body": bytes(body)}, receive)


def _replay(first: Message, then: Receive) -> Receive:
    waiting = [first]

    async def receive() -> Message:
        return waiting.pop() if waiting else await then()

    return receive

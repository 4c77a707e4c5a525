"""Cross-origin calls: pages of the configured origins may use this service, no others."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.asgi import START, header


class Cors:
    """Pages of the origins in the settings may call this service and read its headers."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self.app = app
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, and mark all other answers as readable."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        allowed = self._headers(header(scope, b"origin"))
        if len(allowed) > 1 and _is_preflight(scope):
            return await _answer_preflight(send, allowed)

        async def readable(message: Message) -> None:
            if message["type"] == START:
                message["headers"] = [*message["headers"], *allowed]
            await send(message)

        return await self.app(scope, receive, readable)

    def _headers(self, origin: bytes | None) -> list[tuple[bytes, bytes]]:
        """`Vary` in any case: a cache must not give one origin's answer to another."""
        vary = (b"vary", b"Origin")
        if origin is None or not (origin in self._origins or b"*" in self._origins):
            return [vary]
        return [vary, (b"access-control-allow-origin", origin), _EXPOSED]


_EXPOSED = (
    b"access-control-expose-headers",
    b"ETag, Location, Link, Retry-After, X-Request-Id",
)
_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Authorization,Content-Type,If-Match,If-None-Match,Last-Event-ID,Prefer,X-Request-Id",
    ),
    (b"access-control-max-age", b"600"),
]


def _is_preflight(scope: Scope) -> bool:
    asked = header(scope, b"access-control-request-method")
    return scope["method"] == "OPTIONS" and asked is not None


async def _answer_preflight(send: Send, allowed: list[tuple[bytes, bytes]]) -> None:
    headers = allowed + _PREFLIGHT
    await send({"type": START, "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})

"""Serves the built browser side: the pages at `/` and the module at `/client/variorum.js`."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from api.asgi import BODY, START, header

BUILT = Path(__file__).parent / "web" / "dist"
INDEX = "/index.html"
# First parts of addresses that are never a page's; a page asked for by any other is shown by `/`.
_PROGRAMS = ("assets", "client", "docs", "openapi.json", "problems", "swagger", "v1")
_NO_PAGE = frozenset({*_PROGRAMS, "livez", "readyz", "metrics"})
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    b" font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self';"
    b" base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOR_EVER, _ASK_FIRST = b"public, max-age=31536000, immutable", b"no-cache"
_TEXT = ("text/", "application/json", "image/svg", "application/manifest")
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Page:
    """One built file as it is sent."""

    headers: Headers
    etag: bytes
    body: bytes
    zipped: bytes | None


class Pages:
    """Answers what the build holds, shows `/` for a page's address, and passes all else on."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app, self._pages = app, dict(_pages(folder))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page, or the app's."""
        page = self._asked(scope) if self._pages and scope["type"] == "http" else None
        if page is None:
            return await self._app(scope, receive, send)
        scope["state"]["route"] = "/"
        return await _send(page, scope, send)

    def _asked(self, scope: Scope) -> Page | None:
        if scope["method"] != "GET":
            return None
        path: str = scope["path"]
        if page := self._pages.get(INDEX if path == "/" else path):
            return page
        by_person = b"text/html" in (header(scope, b"accept") or b"")
        own = path.split("/")[1] not in _NO_PAGE
        return self._pages.get(INDEX) if by_person and own else None


def _pages(folder: Path) -> Iterator[tuple[str, Page]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            path = f"/{file.relative_to(folder).as_posix()}"
            yield path, _page(path, file.read_bytes())


@lru_cache
def _page(path: str, body: bytes) -> Page:
    """A file as it is sent; the apps of one process share it, and zip it once."""
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    text = kind.startswith(_TEXT)
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'.encode()
    headers = [
        (b"content-type", f"{kind}; charset=utf-8".encode() if text else kind.encode()),
        (b"cache-control", _FOR_EVER if path.startswith("/assets/") else _ASK_FIRST),
        (b"etag", etag),
        (b"vary", b"Accept-Encoding"),
        (b"content-security-policy", _POLICY),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    ]
    return Page(headers, etag, body, gzip.compress(body, mtime=0) if text else None)


async def _send(page: Page, scope: Scope, send: Send) -> None:
    if page.etag in (header(scope, b"if-none-match") or b""):
        await _answer(send, 304, page.headers, b"")
        return
    if page.zipped and b"gzip" in (header(scope, b"accept-encoding") or b""):
        headers, body = [*page.headers, (b"content-encoding", b"gzip")], page.zipped
    else:
        headers, body = page.headers, page.body
    length = (b"content-length", str(len(body)).encode())
    await _answer(send, 200, [*headers, length], body)


async def _answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": START, "status": status, "headers": headers})
    await send({"type": BODY, "body": body})

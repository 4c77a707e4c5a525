"""The few words of ASGI that the wrappers share."""

from __future__ import annotations

from starlette.types import Scope

START, BODY = "http.response.start", "http.response.body"


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of this name, in lower case; a scan costs less than a dictionary."""
    for key, value in scope["headers"]:
        if key == name:
            return value  # type: ignore[no-any-return]
    return None

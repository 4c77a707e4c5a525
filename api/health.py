"""Whether the service lives, whether it can work, and its metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi import APIRouter, Response

from api.metrics import MEDIA_TYPE, Metrics
from api.problems import KINDS
from domain.errors import StoreUnavailable

_NOT_READY = KINDS[StoreUnavailable].status
_JSON = "application/json"
_NEVER_STORED = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests can be taken, and the details: how far each projection is behind."""

    ready: bool
    details: dict[str, Any] = field(default_factory=dict)


Ready = Callable[[], Awaitable[Readiness]]


def health_routes(ready: Ready, metrics: Metrics) -> APIRouter:
    """The routes that a supervisor and Prometheus ask; none needs a token or shows content."""
    router = APIRouter(tags=["health"], default_response_class=Response)

    @router.get("/livez", responses={200: _object("The process answers.")})
    async def livez() -> Response:
        """Whether the process answers."""
        return _json({"status": "alive"})

    @router.get(
        "/readyz",
        responses={
            200: _object("Requests can be taken."),
            _NOT_READY: _object("Not yet, or not now; supervisors should wait."),
        },
    )
    async def readyz() -> Response:
        """Whether requests can be taken, with how far each projection is behind."""
        return _readiness(await ready())

    @router.get("/metrics", responses={200: {"content": {"text/plain": {}}}})
    async def metrics_text() -> Response:
        """Metrics in Prometheus's text format."""
        return Response(metrics.render(), media_type=MEDIA_TYPE, headers=_NEVER_STORED)

    return router


def _readiness(now: Readiness) -> Response:
    word = "ready" if now.ready else "not ready"
    return _json({"status": word, **now.details}, 200 if now.ready else _NOT_READY)


def _json(value: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, _NEVER_STORED, _JSON)


def _object(description: str) -> dict[str, Any]:
    return {"description": description, "content": {_JSON: {"schema": {"type": "object"}}}}

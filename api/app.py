"""The service as an app: its routes, in all their wrappers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi_swagger import patch_fastapi
from starlette.types import ASGIApp

import api.audit
import api.blame
import api.conflicts
import api.drafts
import api.events
import api.forms
import api.gone
import api.imports
import api.sharing
import api.verify
import api.versions
from api.health import health_routes
from api.hot import Hot
from api.limits import CountedByAddress
from api.logs import RequestLog
from api.metrics import Metrics
from api.middleware import wrap
from api.pages import BUILT, Pages
from api.parts import Clock
from api.problem_routes import install_problems
from api.service import Service, now, open_store
from api.settings import Settings
from api.stream import BEAT
from projections.store.base import Store

ROUTERS = (
    api.drafts.router,
    api.versions.router,
    api.events.router,
    api.sharing.router,
    api.verify.router,
    api.audit.router,
    api.blame.router,
    api.forms.router,
    api.gone.router,
    api.imports.router,
    api.conflicts.router,
)


def create_app(
    settings: Settings,
    *,
    clock: Clock = now,
    store: Store | None = None,
    pages: Path = BUILT,
    beat: float = BEAT,
) -> ASGIApp:
    """The service as an ASGI app, in all its wrappers; `beat` is seconds between signs of life."""
    service = Service(settings, store or open_store(settings), clock, beat)
    metrics = Metrics()
    app = create_api(service, metrics)
    counted = CountedByAddress(Pages(app, pages), service.rates)
    hot = app.state.hot = Hot(counted, service.parts)
    return wrap(hot, settings, metrics, RequestLog(settings.log_level))


def create_api(service: Service, metrics: Metrics) -> FastAPI:
    """Every route of the API, and its description."""
    app = FastAPI(
        title="Variorum",
        version="1",
        lifespan=service.running,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.state.parts = service.parts
    app.state.watching = service.watching
    app.state.sharing = service.sharing
    app.state.verifying = service.verifying
    app.state.forms = service.forms
    app.state.adopting = service.adopting
    install_problems(app)
    app.include_router(health_routes(service.ready, metrics))
    for router in ROUTERS:
        app.include_router(router)
    patch_fastapi(app)  # /docs out of a package: FastAPI's own page asks a host far away
    return app


def describe() -> dict[str, Any]:
    """What `/openapi.json` says; it needs neither a database nor secrets, and makes none."""
    nowhere = {"database_url": "sqlite:///:memory:", "jwt_secret": "-" * 32, "chain_key": "-" * 32}
    settings = Settings.model_validate(nowhere)
    return create_api(Service(settings, open_store(settings), now), Metrics()).openapi()

"""Starts the server: migrates where it may, tells a newcomer where to look, and hands over to uvicorn."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import typer
import uvicorn
from starlette.types import ASGIApp

from api import operations
from api.app import create_app, now
from api.logs import configure_logs
from api.security import Tokens
from api.settings import PREFIX, Settings, load_settings, variable

DEVELOPER = "dev"
OWNER = variable("owner_url")


def serve_forever(given: dict[str, Any]) -> None:
    """Serve until told to stop; `given` are the settings of the command line."""
    settings = load_settings(**given)
    settings.keys  # noqa: B018 - refuse to start without keys, before anything else
    if settings.on_sqlite or settings.owner_url is not None:
        operations.migrate(settings)
    operations.require_schema(settings)
    _hand_over(given)
    _greet(settings)
    uvicorn.run(
        "api.serving:app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        access_log=False,
        log_config=None,
        server_header=False,
        http="httptools",
        h11_max_incomplete_event_size=65_536,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=30,
    )


def app() -> ASGIApp:
    """The app of one worker."""
    settings = load_settings()
    configure_logs(settings.log_level)
    return create_app(settings)


def _hand_over(given: dict[str, Any]) -> None:
    """Let the workers see the command line's settings, and nobody the owner's address any more."""
    os.environ.pop(OWNER, None)
    for name, value in given.items():
        os.environ[f"{PREFIX}{name.upper()}"] = str(value)


def _greet(settings: Settings) -> None:
    where = f"http://{settings.host}:{settings.port}"
    typer.echo(f"Variorum on {where}/ (documentation: {where}/docs)")
    if settings.on_sqlite and settings.jwt_secret is None:
        token = Tokens(settings, now).issue(DEVELOPER, [], timedelta(days=30))
        typer.echo(
            f"Drafts are kept in {settings.sqlite_path}. For trying out, you are the user `{DEVELOPER}`:"
        )
        typer.echo(f"  TOKEN={token}")

"""Starts the server: migrates where it may, greets whoever is new, and hands over to uvicorn."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
import typer
import uvicorn
from starlette.types import ASGIApp

from api import operations
from api.app import create_app
from api.logs import configure_logs
from api.protocol import BoundedProtocol
from api.security import Tokens
from api.service import now
from api.settings import Settings, load_settings, variable

DEVELOPER = "dev"
WHILE_DEVELOPING = (
    f"The development user `{DEVELOPER}` is on: whoever reads this output can sign in and use the"
    f" service. In production, remove {variable('development_user')}."
)
OWNER = variable("owner_url")
METRICS = "PROMETHEUS_MULTIPROC_DIR"


def serve_forever(given: dict[str, Any]) -> None:
    """Serve until told to stop; `given` are the settings of the command line."""
    # Uvicorn finishes first and then raises the signal again, for which this is the handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = load_settings(**given)
    settings.keys  # noqa: B018 - refuse to start without keys, before anything else
    if settings.on_sqlite or settings.owner_url is not None:
        operations.migrate(settings)
    _forget_owner()
    operations.require_schema(settings)
    operations.require_forms(settings)
    port = _free_port(settings)
    _greet(settings, port)
    configure_logs(settings.log_level)  # for the process that watches over several workers
    if settings.development_user:
        structlog.get_logger().warning(WHILE_DEVELOPING)
    with _gathered_metrics(settings.workers):
        uvicorn.run(
            "api.serving:app",
            factory=True,
            host=settings.host,
            port=port,
            workers=settings.workers,
            access_log=False,
            log_config=None,
            server_header=False,
            http="api.protocol:BoundedProtocol",
            ws="none",
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=30,
            # On a busy machine a worker may take longer to start than the usual 5 seconds, and
            # would be killed and started again, for ever.
            timeout_worker_healthcheck=60,
        )


def app() -> ASGIApp:
    """The app of one worker, which does not know the owner's address from anywhere."""
    settings = load_settings(owner_url=None)
    configure_logs(settings.log_level)
    BoundedProtocol.most_connections = settings.max_connections
    BoundedProtocol.patience = settings.request_timeout
    _collect_seldom()
    return create_app(settings)


def _collect_seldom() -> None:
    """Look for cycles far less often than Python would.

    Drafts in memory are many small objects without cycles, which every full collection walks: at
    64 connections the slowest hundredth of saves took 153 ms with Python's own, 42 with these.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _forget_owner() -> None:
    """Begin again without the owner's address: /proc shows what a process was started with."""
    named = [name for name in os.environ if name.upper() == OWNER]
    for name in named:
        del os.environ[name]
    if named and Path("/proc/self/environ").exists():
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def _free_port(settings: Settings) -> int:
    """The port that is configured, or one that is free if 0 is.

    Raises:
        Failed: Nothing can listen there; better said now than by each worker.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
            return int(probe.getsockname()[1])
    except OSError as error:
        raise operations.Failed(
            f"Nothing can listen on {settings.host}, port {settings.port}: {error.strerror};"
            " choose another with --host or --port."
        ) from error


@contextmanager
def _gathered_metrics(workers: int) -> Iterator[None]:
    """An empty folder for the metrics of several workers, before any of them counts."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="variorum-metrics-") as folder:
        os.environ[METRICS] = folder
        yield


def _greet(settings: Settings, port: int) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    where = f"http://{host}:{port}"
    typer.echo(f"Variorum on {where}/ (documentation: {where}/docs)")
    if settings.development_user:
        typer.echo(f"WARNING: {WHILE_DEVELOPING}")
    if settings.on_sqlite:
        typer.echo(f"Drafts are kept in {settings.sqlite_path}.")
    if settings.has_development_user:
        token = Tokens(settings, now).issue(DEVELOPER, [], timedelta(days=30))
        typer.echo(f"For trying out, you are the user `{DEVELOPER}`; open this address:")
        typer.echo(f"  {where}/#token={token}")
        typer.echo(f"or call the API with it:\n  TOKEN={token}")

"""The service: puts store, writer, projections and routes together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
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
from api.adopting import Adopting
from api.api_keys import ApiKeys
from api.auditing import Auditing
from api.beginning import Beginning
from api.blaming import Blaming
from api.callers import Callers
from api.ending import Ending
from api.health import Readiness, health_routes
from api.held import HeldDrafts
from api.hot import Hot
from api.jwks import IssuerKeys
from api.letting_go import LettingGo
from api.limits import CountedByAddress, Rates
from api.links import ShareLinks
from api.live import Bounds, Live
from api.logs import RequestLog
from api.metrics import Metrics
from api.middleware import wrap
from api.pages import BUILT, Pages
from api.parts import Clock, Parts
from api.people import People
from api.posting import Receiver
from api.problem_routes import install_problems
from api.protocol import CLOSING
from api.reading import Reading
from api.reads import Reads
from api.saving import Saving
from api.security import Tokens
from api.settings import ConfigurationError, Settings
from api.sharing import Sharing
from api.stream import BEAT, Watching
from api.sweeping import Sweep, Sweeping
from api.tombstones import Tombstones
from api.verify import Verifying
from api.webhooks import Webhooks
from api.writer import Writer
from domain.asked import Rules
from domain.chain import Chain, ChainKey, Keyring
from domain.drafts import Drafts
from domain.errors import StoreUnavailable
from domain.legacy import key_pattern
from projections.catch_up import CatchUp
from projections.forms import BrokenForm, Forms
from projections.store.base import Store
from projections.store.postgres import PostgresStore
from projections.store.sqlite import SqliteStore


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def open_store(settings: Settings) -> Store:
    """The store that the settings name."""
    if settings.on_sqlite:
        return SqliteStore(settings.sqlite_path or Path(":memory:"))
    return PostgresStore(settings.database_url)


def open_forms(
    settings: Settings, store: Store, on_news: Callable[[], None] = lambda: None
) -> Forms:
    """The form definitions: those in files at once, those of the store once it is started.

    Raises:
        ConfigurationError: A file cannot be used; the sentence names it and the place.
    """
    try:
        return Forms(store, settings.forms, on_news=on_news)
    except BrokenForm as broken:
        raise ConfigurationError(f"{broken} VARIORUM_FORMS names the folder.") from None


class Service:
    """One process of the service: its parts, and their start and stop."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, beat: float = BEAT) -> None:
        self.settings, self.store = settings, store
        self.people = People(store)
        self.forms = open_forms(settings, store, lambda: self.catch_up.look_again())
        held = HeldDrafts(settings.cache_bytes)
        self.catch_up = CatchUp(store, held=held.peek, forms=self.forms.of)
        self.writer = Writer(
            store,
            Chain(ChainKey(settings.keys.chain)),
            held=held,
            queue_length=settings.queue_length,
            on_commit=self._saved,
        )
        keys = (settings.keys.chain, *settings.known_chain_keys)
        self.verifying = Verifying(store, Keyring(map(ChainKey, keys)))
        self.links = ShareLinks(store, clock, keys)
        self.rates = Rates(settings, lambda: clock().timestamp())
        limits = settings.limits
        rules = Rules(settings.expiry_days, limits.depth, limits.members)
        drafts = Drafts(rules, self.forms.of)
        ending = Ending(store, self.writer, self.people, self.catch_up)
        self.webhooks = _webhooks(settings, store, self.people, clock)
        warning = settings.warning_days if self.webhooks is not None else None
        self.sweep = Sweep(store, self.writer, ending, self.catch_up, settings.trash_days, warning)
        self.sweeping = Sweeping(self.sweep, clock)
        reading = Reading(store, self.people, self.catch_up, self.forms.of)
        bounds = Bounds(settings.max_streams, settings.max_streams_caller)
        self.live = Live(store, self.people, reading.told, self.forms.of, clock, bounds)
        self.letting_go = LettingGo(store, ending, self.people, self.live)
        keys_of_browsers = [key_pattern(key) for key in settings.import_keys]
        self.adopting = Adopting(store, self.writer, drafts, keys_of_browsers, limits)
        self.parts = Parts(
            callers=_callers(settings, store, clock, self.links, self.rates),
            people=self.people,
            beginning=Beginning(store, self.writer, drafts, self.people),
            saving=Saving(store, self.writer, drafts, self.people),
            reading=reading,
            ending=ending,
            tombstones=Tombstones(store, self.people),
            auditing=Auditing(store, self.people, self.catch_up, reading, self.forms),
            blaming=Blaming(store, self.people, self.forms.of),
            reads=Reads(store, self.people, clock),
            limits=limits,
            clock=clock,
        )
        self.sharing = Sharing(store, self.parts.saving, self.people, self.links)
        leeway = timedelta(seconds=settings.jwt_leeway)
        self.watching = Watching(self.live, self.parts.callers, clock, leeway, beat)

    def _saved(self) -> None:
        self.catch_up.wake()
        self.live.wake()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """What every command needs: the store, the form definitions and the writer."""
        await self.store.start()
        await self.forms.start()
        self.writer.start()
        try:
            yield
        finally:
            self.parts.saving.stop()
            await self.writer.stop()
            await self.forms.stop()
            await self.store.stop()

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[dict[str, Any]]:
        """From the first connection to the last commit, with all that follows behind.

        Gives the server a way to end the streams, which would go on for ever.
        """
        async with self.working():
            self.catch_up.start()
            await self.letting_go.start()
            self.sweeping.start()
            self.live.start()
            if self.webhooks is not None:
                await self.webhooks.start()
            try:
                yield {CLOSING: self.live.close}
            finally:
                await self.live.stop()
                if self.webhooks is not None:
                    await self.webhooks.stop()
                await self.sweeping.stop()
                await self.letting_go.stop()
                await self.writer.stop()
                await self.catch_up.stop()

    async def ready(self) -> Readiness:
        """Whether the store answers, how far the projections are, and what they set aside."""
        try:
            status = await self.catch_up.status()
            aside = await self.store.set_aside()
        except StoreUnavailable as unreachable:
            return Readiness(False, {"problem": str(unreachable)})
        named = [{**event, "draft": str(event["draft"])} for event in aside]
        waiting, streams = self.writer.waiting, self.live.streams
        told = {"projections": status, "set_aside": named, "waiting": waiting, "streams": streams}
        return Readiness(True, told)


def _webhooks(settings: Settings, store: Store, people: People, clock: Clock) -> Webhooks | None:
    if settings.webhook_url is None or settings.webhook_secret is None:
        return None
    secret = settings.webhook_secret.get_secret_value()
    receiver = Receiver(settings.webhook_url, secret, settings.webhook_private)
    return Webhooks(store, people, receiver, clock)


def _callers(
    settings: Settings, store: Store, clock: Clock, links: ShareLinks, rates: Rates
) -> Callers:
    url = settings.jwks_url
    issuer = IssuerKeys(url, settings.algorithms, clock) if url else None
    return Callers(Tokens(settings, clock, issuer), issuer, ApiKeys(store, clock), links, rates)


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
    app.include_router(api.drafts.router)
    app.include_router(api.versions.router)
    app.include_router(api.events.router)
    app.include_router(api.sharing.router)
    app.include_router(api.verify.router)
    app.include_router(api.audit.router)
    app.include_router(api.blame.router)
    app.include_router(api.forms.router)
    app.include_router(api.gone.router)
    app.include_router(api.imports.router)
    app.include_router(api.conflicts.router)
    patch_fastapi(app)  # /docs out of a package: FastAPI's own page asks a host far away
    return app


def describe() -> dict[str, Any]:
    """What `/openapi.json` says; it needs neither a database nor secrets, and makes none."""
    nowhere = {"database_url": "sqlite:///:memory:", "jwt_secret": "-" * 32, "chain_key": "-" * 32}
    settings = Settings.model_validate(nowhere)
    return create_api(Service(settings, open_store(settings), now), Metrics()).openapi()

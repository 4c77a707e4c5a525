"""One process of the service: its parts put together, their start and their stop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from api.adopting import Adopting
from api.api_keys import ApiKeys
from api.auditing import Auditing
from api.beginning import Beginning
from api.blaming import Blaming
from api.callers import Callers
from api.ending import Ending
from api.health import Readiness
from api.held import HeldDrafts
from api.jwks import IssuerKeys
from api.letting_go import LettingGo
from api.limits import Rates
from api.links import ShareLinks
from api.live import Bounds, Live
from api.parts import Clock, Parts
from api.people import People
from api.posting import Receiver
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
        self.settings, self.store, self._clock = settings, store, clock
        self.people = People(store)
        self.forms = open_forms(settings, store, lambda: self.catch_up.look_again())
        held = HeldDrafts(settings.cache_bytes)
        self.catch_up = CatchUp(store, held=held.peek, forms=self.forms.of)
        self.writer = _writer(settings, store, held, self._saved)
        self.links = ShareLinks(store, clock, _chain_keys(settings))
        self.rates = Rates(settings, lambda: clock().timestamp())
        drafts = Drafts(_rules(settings), self.forms.of)
        self.parts = self._parts(drafts)
        self._add_what_follows()
        self._add_what_few_routes_need(drafts, beat)

    def _parts(self, drafts: Drafts) -> Parts:
        store, writer, people = self.store, self.writer, self.people
        reading = Reading(store, people, self.catch_up, self.forms.of)
        return Parts(
            callers=_callers(self.settings, store, self._clock, self.links, self.rates),
            people=people,
            beginning=Beginning(store, writer, drafts, people),
            saving=Saving(store, writer, drafts, people),
            reading=reading,
            ending=Ending(store, writer, people, self.catch_up),
            tombstones=Tombstones(store, people),
            auditing=Auditing(store, people, self.catch_up, reading, self.forms),
            blaming=Blaming(store, people, self.forms.of),
            reads=Reads(store, people, self._clock),
            limits=self.settings.limits,
            clock=self._clock,
        )

    def _add_what_follows(self) -> None:
        """What goes on behind the requests: news for those who watch, ends, messages."""
        settings, store, clock = self.settings, self.store, self._clock
        reading, ending = self.parts.reading, self.parts.ending
        self.webhooks = _webhooks(settings, store, self.people, clock)
        warning = settings.warning_days if self.webhooks is not None else None
        self.sweep = Sweep(store, self.writer, ending, self.catch_up, settings.trash_days, warning)
        self.sweeping = Sweeping(self.sweep, clock)
        bounds = Bounds(settings.max_streams, settings.max_streams_caller)
        self.live = Live(store, self.people, reading.told, self.forms.of, clock, bounds)
        self.letting_go = LettingGo(store, ending, self.people, self.live)

    def _add_what_few_routes_need(self, drafts: Drafts, beat: float) -> None:
        settings, store = self.settings, self.store
        self.verifying = Verifying(store, Keyring(map(ChainKey, _chain_keys(settings))))
        self.sharing = Sharing(store, self.parts.saving, self.people, self.links)
        patterns = [key_pattern(key) for key in settings.import_keys]
        self.adopting = Adopting(store, self.writer, drafts, patterns, settings.limits)
        leeway = timedelta(seconds=settings.jwt_leeway)
        self.watching = Watching(self.live, self.parts.callers, self._clock, leeway, beat)

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
            aside = await self.store.read_models.set_aside()
        except StoreUnavailable as unreachable:
            return Readiness(False, {"problem": str(unreachable)})
        named = [{**event, "draft": str(event["draft"])} for event in aside]
        waiting, streams = self.writer.waiting, self.live.streams
        told = {"projections": status, "set_aside": named, "waiting": waiting, "streams": streams}
        return Readiness(True, told)


def _writer(
    settings: Settings, store: Store, held: HeldDrafts, on_commit: Callable[[], None]
) -> Writer:
    chain, length = Chain(ChainKey(settings.keys.chain)), settings.queue_length
    return Writer(store, chain, held=held, queue_length=length, on_commit=on_commit)


def _rules(settings: Settings) -> Rules:
    return Rules(settings.expiry_days, settings.limits.depth, settings.limits.members)


def _chain_keys(settings: Settings) -> Sequence[bytes]:
    """The key in force, and those before it."""
    return settings.keys.chain, *settings.known_chain_keys


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

"""Live: the drafts that are watched in this process, told once and handed to every stream.

Two kinds of news come together here: versions, which are read from the log and never depend on a
signal, and who is present, which is only ever a signal.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Collection, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from api.channel import Channel, Forms, Stream, Telling
from api.people import People
from api.presence import Asked, Here, Presence, heard, said
from api.security import Clock
from domain import access
from domain.errors import Busy, DraftNotFound, TooManyStreams, Unavailable
from projections.ending import ended
from projections.following import Following
from projections.store.base import Store

log = logging.getLogger("variorum.live")

RETRY = 5  # seconds until a further stream may find a place


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many streams may be open in one process."""

    all: int
    of_one_caller: int


class Live:
    """The watched drafts of this process, and who is at them."""

    def __init__(
        self,
        store: Store,
        people: People,
        telling: Telling,
        forms: Forms,
        clock: Clock,
        bounds: Bounds,
    ) -> None:
        self._store, self._people, self._bounds = store, people, bounds
        self._make = partial(Channel, store=store, people=people, telling=telling, forms=forms)
        self._channels: dict[UUID, Channel] = {}
        self._open: Counter[str] = Counter()
        self._speaking: set[asyncio.Task[None]] = set()
        self._closing = False
        self._presence = Presence(clock)
        self._following = Following(store, self)

    def start(self) -> None:
        """Begin to follow the log, whenever somebody watches."""
        self._following.start()

    async def stop(self) -> None:
        """End every stream, and follow no more."""
        self.close()
        await self._following.stop()
        for task in self._speaking:
            await ended(task)

    def close(self) -> None:
        """End every stream and open none: the process is about to stop."""
        self._closing = True
        for channel in self._channels.values():
            channel.end()

    def wake(self) -> None:
        """This process has saved something."""
        if self._channels:
            self._following.wake()

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return self._open.total()

    # -- watching

    @asynccontextmanager
    async def watching(
        self, draft: UUID, principal: str, version: int | None
    ) -> AsyncIterator[tuple[Channel, Stream]]:
        """A stream of a draft for the length of a `with`, for whoever may read the draft.

        Raises:
            DraftNotFound: There is no such draft for this principal.
            TooManyStreams: The principal has too many open.
            Busy: This process has too many open, or is closing.
        """
        stream = Stream(principal, "", version)
        with self._counted(principal):
            async with self._channel(draft, stream) as channel:
                # Now: what was unshared before the channel was level is not told any more.
                await self.admit(draft, stream)
                yield channel, stream

    async def admit(self, draft: UUID, stream: Stream) -> None:
        """Ask the gate as which role somebody may read the draft now.

        Raises:
            DraftNotFound: As none.
        """
        stream.doubtful = False
        stream.role = await self.require_reader(draft, stream.principal)

    async def require_reader(self, draft: UUID, principal: str) -> str:
        """The role as which somebody may read the draft.

        Raises:
            DraftNotFound: There is no such draft for this principal.
        """
        return access.require(await self._store.role(principal, draft), "read")

    @asynccontextmanager
    async def _channel(self, draft: UUID, stream: Stream) -> AsyncIterator[Channel]:
        if new := draft not in self._channels:
            self._channels[draft] = self._make(draft)
        channel = self._channels[draft]
        channel.streams.add(stream)  # first, so that nothing is committed unnoticed in between
        self._following.watch()
        try:
            await channel.catch_up()
            if new:
                await self._store.say(said(Asked(draft)))
            yield channel
        finally:
            channel.streams.discard(stream)
            if not channel.streams and self._channels.get(draft) is channel:
                del self._channels[draft]

    @contextmanager
    def _counted(self, principal: str) -> Iterator[None]:
        if self._open[principal] >= self._bounds.of_one_caller:
            raise TooManyStreams(self._bounds.of_one_caller)
        if self._closing or self.streams >= self._bounds.all:
            raise Busy("This process can open no further stream; try again.", RETRY)
        self._open[principal] += 1
        try:
            yield
        finally:
            self._open[principal] -= 1
            self._open += Counter()  # without those that have none

    # -- presence

    async def come(
        self, draft: UUID, principal: str, device: str, path: str | None, *, idle: bool
    ) -> None:
        """A device says that it is at a draft, and where.

        Raises:
            DraftNotFound: There is no such draft for this principal.
            Forbidden: An auditor is nobody's company.
        """
        access.require(await self._store.role(principal, draft), "appear")
        by = access.member(principal)
        await self._say(self._presence.came(draft, by, device, path, idle=idle))

    async def leave(self, draft: UUID, principal: str, device: str | None) -> None:
        """A device, or every one of somebody's, is no longer at a draft.

        Raises:
            DraftNotFound: There is no such draft for this principal.
        """
        await self.require_reader(draft, principal)
        for here in self._presence.at(draft):
            if here.by == access.member(principal) and device in (None, here.device):
                await self._say(self._presence.gone(here))

    async def present(self, draft: UUID) -> list[dict[str, Any]]:
        """Who is at a draft, by name."""
        there = self._presence.at(draft)
        names = await self._people.subs_of(here.by for here in there)
        return [
            {
                "user": names[here.by],
                "device": here.device,
                "path": here.path,
                "idle": here.idle,
                "since": here.since,
            }
            for here in there
        ]

    async def _say(self, here: Here) -> None:
        self._take(here)
        await self._store.say(said(here))

    def _take(self, here: Here) -> None:
        if self._presence.take(here):
            self._show({here.draft})

    def _show(self, drafts: Collection[UUID]) -> None:
        for draft in drafts:
            if (channel := self._channels.get(draft)) is not None:
                channel.present += 1
                channel.wake()

    async def _leave_whom_it_was_taken_from(self, draft: UUID) -> None:
        """Whoever may not read the draft any more is not at it either."""
        there = self._presence.at(draft)
        gone = [h for h in there if await self._store.role(h.by, draft) is None]
        if gone:
            self._presence.forget(draft, gone)
            self._show({draft})

    # -- what the following tells

    def drafts(self) -> Collection[UUID]:
        """Those that are watched now."""
        return list(self._channels)

    async def moved(self, drafts: Collection[UUID]) -> None:
        """These have events that may not be known yet."""
        for channel in [self._channels[draft] for draft in drafts if draft in self._channels]:
            await self._catch_up(channel)

    async def _catch_up(self, channel: Channel) -> None:
        """What is wrong with one draft must not keep the others from being told."""
        try:
            if await channel.catch_up():
                await self._leave_whom_it_was_taken_from(channel.id)
        except Unavailable:
            raise
        except DraftNotFound:
            channel.end()
        except Exception as problem:
            log.error("draft %s cannot be told: %s", channel.id, type(problem).__name__)
            channel.end()

    def let_go(self, drafts: Collection[UUID], *, names_too: bool) -> None:
        """These are gone for good; with `names_too`, names are that may have been told."""
        for channel in [self._channels[draft] for draft in drafts if draft in self._channels]:
            channel.end()
        for channel in self._channels.values() if names_too else ():
            channel.forget()

    def heard(self, what: str) -> None:
        """A process of this database said this."""
        match heard(what):
            case Here() as here:
                self._take(here)
            case Asked(draft):
                if there := self._presence.at(draft):
                    self._speak(self._tell_of(there))

    async def _tell_of(self, there: list[Here]) -> None:
        with suppress(Unavailable):  # those whom it is about will say it again
            for here in there:
                await self._store.say(said(here))

    def _speak(self, saying: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(saying)
        self._speaking.add(task)
        task.add_done_callback(self._speaking.discard)

    def tick(self) -> None:
        """Time has passed."""
        self._show(self._presence.fall_silent())

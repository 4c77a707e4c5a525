"""Feeds the log to the drafts page and the resting states: in batches, each event once, in order.

It pulls from its position in the log, woken by the writer and by a slow tick, so that nothing
depends on a signal arriving. Several processes may do it at once: the position moves in the
transaction of the rows, and who comes second throws its batch away.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

from domain.draft import Draft
from domain.errors import Busy, Unavailable
from domain.event import DraftEvent
from domain.form import Definitions, undefined
from domain.recent import Recent
from projections.ending import ended
from projections.listing import line_of, resting_of
from projections.resting import Rest, Unrested
from projections.snapshot import aggregate, state_of
from projections.store.base import Store
from projections.store.log import Line, Moves
from projections.store.records import Record

log = logging.getLogger("variorum.catch_up")

NAME = "drafts"
BATCH = 256  # events: some milliseconds of the event loop
HELD_BATCH = 4_096  # events that need not be read, since the writer holds what came of them
GATHER, PAUSE = 0.2, 0.02  # seconds to let a batch grow; and without news in which it is over
IDLE = 0.02  # seconds without news after which drafts may rest before they are quiet
TICK = 1.0  # seconds after which to look without being woken
PATIENCE = 0.25  # seconds that a reader waits for a level read model
KNOWN = 2_000  # drafts kept in memory
MOST = 10_000  # drafts that are found not to be at rest, at once
AT_REST = 32  # drafts put to rest in one go


@dataclass(slots=True)
class Known:
    """A draft as the catch-up has folded it, and its last link."""

    draft: Draft
    link: bytes
    last: DraftEvent | None = None


Held = Callable[[UUID], tuple[Draft, bytes] | None]


class CatchUp:
    """Keeps the drafts page and the resting states behind the log by as little as it can.

    `held` gives a committed draft and its last link, if a writer of this process holds it: what
    that one has folded is not folded again. `most`: drafts not at rest that are taken up at once.
    """

    def __init__(
        self,
        store: Store,
        *,
        held: Held = lambda _: None,
        forms: Definitions = undefined,
        clock: Callable[[], float] = monotonic,
        most: int = MOST,
    ) -> None:
        self._store, self._held, self._forms, self._clock = store, held, forms, clock
        self._look_again, self._are_more, self._most = True, False, most
        self._known: OrderedDict[UUID, Known] = OrderedDict()
        self._unrested = Unrested(clock)
        self._broken: set[UUID] = set()
        self._woken = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow the log."""
        self._task = asyncio.create_task(self._follow(), name="variorum catch-up")

    async def stop(self) -> None:
        """Stop following; the position stands in the database."""
        if self._task is not None:
            await ended(self._task)

    def wake(self) -> None:
        """There is news."""
        self._woken.set()

    def look_again(self) -> None:
        """Drafts that were at rest may not be so any more."""
        self._look_again = True

    def forget(self, draft: UUID) -> None:
        """Let go of a draft that was purged."""
        self._known.pop(draft, None)
        self._unrested.forget(draft)
        self._broken.discard(draft)

    async def drain(self) -> None:
        """Catch up with all there is, however long it takes."""
        while await self._take_batch():  # noqa: ASYNC110 - others get their turn in between
            await asyncio.sleep(0)

    async def level(self) -> None:
        """Catch up with all that was in the log when this was called.

        Raises:
            Busy: It takes longer than a reader should wait.
        """
        head = await self._store.log.head()
        try:
            async with asyncio.timeout(PATIENCE):
                while await self._store.log.position(NAME) < head:
                    await self._take_batch()
        except TimeoutError:
            raise Busy("The list is catching up with many changes; try again.") from None

    async def rest_all(self, principal: str) -> None:
        """Put down every draft of a principal's that moved, so that a search sees it as it is."""
        tried: set[UUID] = set()
        while unrested := await self._store.read_models.unrested(AT_REST + len(tried), principal):
            if not (drafts := [draft for draft in unrested if draft not in tried]):
                return
            # Loaded anew: what another process took from the log, this one never saw.
            await self._rest(drafts, anew=True)
            tried.update(drafts)

    async def status(self) -> dict[str, dict[str, int]]:
        """How far each read model is behind: the page in events, the resting states in drafts.

        A draft that is being written in, and need not rest yet, is not behind.
        """
        position = await self._store.log.position(NAME)
        head = max(position, await self._store.log.head())  # the last events may have been purged
        return {
            NAME: {"position": position, "head": head, "behind": head - position},
            "states": {"behind": len(self._unrested.due(idle=True))},
        }

    # -- following

    async def _follow(self) -> None:
        while True:
            await self._until_it_works(self._remember_unrested)
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE if self._unrested.due(idle=True) else TICK):
                    await self._woken.wait()
            if not (idle := not self._woken.is_set()):
                await self._gather()
            await self._until_it_works(self.drain)
            await self._until_it_works(lambda idle=idle: self._rest_some(idle=idle))  # type: ignore[misc]

    async def _gather(self) -> None:
        """Let a batch grow, for as long as there is news."""
        until = self._clock() + GATHER
        while self._woken.is_set() and self._clock() < until:
            self._woken.clear()
            await asyncio.sleep(PAUSE)
        self._woken.clear()

    async def _until_it_works(self, step: Callable[[], Any]) -> None:
        """A lost connection or a full disk must not end the following."""
        while True:
            try:
                await step()
            except Unavailable:
                await asyncio.sleep(TICK)
            except Exception:
                log.exception("catching up failed; trying again")
                self._known.clear()
                await asyncio.sleep(TICK)
            else:
                return

    async def _remember_unrested(self) -> None:
        if self._look_again or (self._are_more and len(self._unrested) < AT_REST):
            self._look_again = False
            found = await self._store.read_models.unrested(self._most)
            self._are_more = len(found) == self._most
            for draft in found:
                self._unrested.moved(draft)

    async def _take_batch(self) -> bool:
        """Take the next events; False if there are none."""
        async with self._one_at_a_time:
            position = await self._store.log.position(NAME)
            if (moves := await self._store.log.moves(position, HELD_BATCH)).events == 0:
                return False
            if (held := self._held_ahead(moves)) is not None:
                await self._store.read_models.take(NAME, position, moves.upto, self._rows(held))
                return moves.events == HELD_BATCH
            lines = await self._store.log.lines(position, BATCH)
            if lines:
                rows, aside = await self._fold(lines)
                await self._store.read_models.take(NAME, position, lines[-1].position, rows, aside)
            return len(lines) == BATCH

    def _held_ahead(self, moves: Moves) -> list[Known] | None:
        """The drafts that moved, if the writer holds each as far as it moved."""
        found = []
        for draft, version in moves.drafts.items():
            held = self._held(draft)
            if draft in self._broken or held is None or held[0].version < version:
                return None
            if not held[0].recent:
                return None
            found.append(Known(*held, held[0].recent[-1]))
        return found

    async def _fold(
        self, lines: Iterable[Line]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        moved: dict[UUID, Known] = {}
        aside: list[dict[str, Any]] = []
        for line in lines:
            try:
                if (known := await self._take(line)) is not None:
                    moved[line.record.draft] = known
            except Unavailable:
                raise
            except Exception as problem:
                aside.append(self._set_aside(line, problem))
        return self._rows(moved.values()), aside

    def _rows(self, moved: Iterable[Known]) -> list[dict[str, Any]]:
        """The lines of drafts that moved, which may come to rest after a while."""
        moved = list(moved)
        for known in moved:
            self._unrested.moved(known.draft.id, known.draft.version)
        return [line_of(k.draft, k.last, self._forms(k.draft.form)) for k in moved]

    async def _take(self, line: Line) -> Known | None:
        record = line.record
        if record.draft in self._broken:
            raise ValueError("an earlier event of this draft could not be taken")
        held, known = self._held(record.draft), self._known.get(record.draft)
        if held is not None and held[0].version >= record.version and held[0].recent:
            return Known(*held, held[0].recent[-1])
        if held is not None and (known is None or known.draft.version < held[0].version):
            known = self._know(_apart(*held))
        if known is None and record.version == 1:
            return self._begin(record)
        if known is None or known.draft.version < record.version - 1:
            known = await self._load(record.draft)
        if known is not None and known.draft.version <= record.version:
            event = known.last = record.event()
            if known.draft.version < record.version:
                known.draft, known.link = event.mutate(known.draft), record.hash
        return known

    def _begin(self, record: Record) -> Known:
        event = record.event()
        draft = event.mutate(None)
        draft.reach = 1
        return self._know(Known(draft, record.hash, event))

    async def _load(self, draft: UUID) -> Known | None:
        loaded = await self._store.load(draft)
        if loaded is None:
            return None
        made, link = aggregate(draft, loaded, reach=1)
        return self._know(Known(made, link, made.recent[-1] if made.recent else None))

    def _know(self, known: Known) -> Known:
        self._known[known.draft.id] = known
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return known

    def _set_aside(self, line: Line, problem: Exception) -> dict[str, Any]:
        record = line.record
        self._broken.add(record.draft)
        log.error(
            "event %d of draft %s is set aside: %s",
            record.version,
            record.draft,
            type(problem).__name__,
        )
        return {
            "position": line.position,
            "draft": record.draft,
            "version": record.version,
            "problem": type(problem).__name__,
        }

    # -- resting

    async def _rest_some(self, *, idle: bool) -> None:
        """Put down drafts that are due, until there is news."""
        while not self._woken.is_set() and (due := self._unrested.due(idle=idle)):
            await self._rest(due[:AT_REST])

    async def _rest(self, drafts: Iterable[UUID], *, anew: bool = False) -> None:
        moves = {draft: self._unrested.move(draft) for draft in drafts}
        found = [await self._found(draft, anew=anew) for draft in moves]
        states = {
            known.draft.id: (
                state_of(known.draft, known.link, resting=True),
                resting_of(known.draft, self._forms(known.draft.form)),
            )
            for known in found
            if known is not None
        }
        await self._store.read_models.rest(list(states.values()))
        rests = {id_: Rest(state.version, len(state.body)) for id_, (state, _) in states.items()}
        for draft, move in moves.items():
            self._unrested.put_down(draft, rests.get(draft), move)

    async def _found(self, draft: UUID, *, anew: bool) -> Known | None:
        """A draft as it can be put down; None if its log cannot be read."""
        held, known = self._held(draft), self._known.get(draft)
        if held is not None and (known is None or known.draft.version < held[0].version):
            known = Known(*held)
        try:
            return known if known is not None and not anew else await self._load(draft)
        except Unavailable:
            raise
        except Exception as problem:
            log.error("draft %s cannot come to rest: %s", draft, type(problem).__name__)
            return None


def _apart(held: Draft, link: bytes) -> Known:
    """A draft of the writer's to go on from alone, without what it remembers for merging."""
    draft = held.copy()
    draft.recent, draft.reach = Recent(draft.recent[-1:]), 1
    return Known(draft, link, draft.recent[-1] if draft.recent else None)

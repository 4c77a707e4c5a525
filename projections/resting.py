"""Which drafts are to come to rest now: those that are quiet, and those whose rest is worth it.

A resting state is the whole draft, so that a read finds ready text and a search the last word. To
put a text of 70 KB down after each of the saves that came a tenth of a second apart took 37 KB of
PostgreSQL's log for a save; now 2.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

QUIET = 5.0  # seconds without an event after which a draft rests, whatever it costs
WORTH = 1_024  # bytes of a resting state that one event makes up for
KNOWN = 2_000  # drafts whose last resting state is remembered


class Move(NamedTuple):
    """When a draft moved last, and the version that it came to; 0 if that is not known."""

    at: float
    version: int


class Rest(NamedTuple):
    """The version of a draft's last resting state, and the bytes that it took."""

    version: int
    size: int


class Unrested:
    """The drafts that moved since they were put to rest, those that moved last at the end."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._moves: OrderedDict[UUID, Move] = OrderedDict()
        self._rests: OrderedDict[UUID, Rest] = OrderedDict()

    def __len__(self) -> int:
        return len(self._moves)

    def moved(self, draft: UUID, version: int = 0) -> None:
        """A draft has come to a version, or is simply not at rest."""
        self._moves[draft] = Move(self._clock(), version)
        self._moves.move_to_end(draft)

    def move(self, draft: UUID) -> Move | None:
        """How a draft moved last; None if it is at rest."""
        return self._moves.get(draft)

    def put_down(self, draft: UUID, rest: Rest | None, seen: Move | None) -> None:
        """A draft was put to rest as it was then, or cannot be; it may have moved meanwhile."""
        if rest is not None:
            self._rests[draft] = rest
            self._rests.move_to_end(draft)
            while len(self._rests) > KNOWN:
                self._rests.popitem(last=False)
        if self._moves.get(draft) == seen:
            self._moves.pop(draft, None)

    def forget(self, draft: UUID) -> None:
        """A draft is no more."""
        self._moves.pop(draft, None)
        self._rests.pop(draft, None)

    def due(self, *, idle: bool) -> list[UUID]:
        """The drafts to put down now; `idle` says whether there is nothing else to do."""
        quiet = self._clock() - QUIET
        return [
            draft
            for draft, move in self._moves.items()
            if move.at <= quiet or (idle and self._is_worth_it(draft, move))
        ]

    def _is_worth_it(self, draft: UUID, move: Move) -> bool:
        rest = self._rests.get(draft)
        if rest is None or move.version == 0:
            return True
        return (move.version - rest.version) * WORTH >= rest.size

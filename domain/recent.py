"""The last events of a draft, which a copy of the draft shares instead of copying them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from domain.event import DraftEvent


class Recent(Sequence["DraftEvent"]):
    """Events, oldest first: those up to `until` of a list that only ever grows.

    The first copy that goes on adds to the list, where the others do not look; one that goes on
    from the same place later takes a list of its own. (To copy 500 events for every save took a
    twentieth of it.)
    """

    __slots__ = ("_events", "_until")

    def __init__(self, events: Iterable[DraftEvent] = ()) -> None:
        self._events = list(events)
        self._until = len(self._events)

    def __len__(self) -> int:
        return self._until

    @overload
    def __getitem__(self, place: int) -> DraftEvent: ...
    @overload
    def __getitem__(self, place: slice) -> list[DraftEvent]: ...
    def __getitem__(self, place: int | slice) -> DraftEvent | list[DraftEvent]:
        if len(self._events) == self._until:
            return self._events[place]
        return self._events[: self._until][place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recent) and self[:] == other[:]

    __hash__ = None  # type: ignore[assignment]

    def copy(self) -> Recent:
        """The same events, to go on alone."""
        other = Recent.__new__(Recent)
        other._events, other._until = self._events, self._until  # noqa: SLF001 - of this class
        return other

    def add(self, event: DraftEvent, reach: int) -> None:
        """Remember one more, and at least the last so many."""
        if len(self._events) > self._until or self._until >= 2 * reach:
            self._events = self._events[: self._until][-reach:]
            self._until = len(self._events)
        self._events.append(event)
        self._until += 1

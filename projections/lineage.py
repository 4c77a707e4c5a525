"""Every value that a path of a form ever had, newest first: who set it, and who ended it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from domain import diff
from domain.event import Beginning, DataEvent, DraftEvent
from domain.identity import Keys
from domain.path import ABSENT, find
from domain.value import Data, Json, same
from projections.provenance import Lead, Sought, Writing, origin_of, writing_of


@dataclass(frozen=True, slots=True)
class Held:
    """A value that a path had, from the version that set it until another one did."""

    sought: Sought
    until: Writing | None

    @property
    def since(self) -> Writing:
        """Who set it."""
        assert self.sought.last is not None
        return self.sought.last


@dataclass(slots=True)
class Lineage:
    """Goes back through the versions of a draft and notes each value that the path had.

    `until` is what ended the value that is there when it begins; where the draft began from another
    one, `source` is that one and its version, and the value there is not noted yet.
    """

    path: str
    keys: Keys | None = None
    until: Writing | None = None
    held: list[Held] = field(default_factory=list)
    source: tuple[UUID, int] | None = None
    version: int = 0
    beginning: Writing | None = None
    _data: Data = field(default_factory=dict)
    _value: Json = ABSENT

    def begin(self, version: int, data: Data) -> None:
        """Stand at a version; going on in the draft that another one began from, note the same."""
        value = find(data, self.path, self.keys)
        if self.beginning is not None and not same(value, self._value):
            self._note(self.beginning)
        self.version, self._data, self._value = version, data, value
        self.source = self.beginning = None

    def take(self, event: DraftEvent) -> None:
        """The event of the version at which it stands; then it stands at the one before."""
        if isinstance(event, Beginning):
            self.beginning, self.source = writing_of(event), origin_of(event)
            if self.source is None:
                self.end()
        elif isinstance(event, DataEvent) and event.changes:
            self._data = diff.apply(diff.invert(event.changes), self._data)
            before = find(self._data, self.path, self.keys)
            if not same(before, self._value):
                self._note(writing_of(event))
                self._value = before
        self.version -= 1

    def end(self) -> None:
        """Nothing lies before the draft's beginning, or nothing that may be seen."""
        if self.beginning is not None:
            self._note(self.beginning)
        self._value, self.source, self.beginning = ABSENT, None, None

    def _note(self, since: Writing) -> None:
        """The value that is there was set by this version; then it ended what was before."""
        if self._value is not ABSENT:
            sought = Sought(self.path, self._value, since)
            self.held.append(Held(sought, self.until))
        self.until = since


def leads(held: Sequence[Held]) -> list[Lead]:
    """Where to look for who first wrote each of these values."""
    return [Lead(h.since.draft, h.since.version, h.sought, h.sought.path) for h in held]

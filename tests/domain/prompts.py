"""How often people must be asked about a plain field, counted by hand: no diff, merge or path.

What somebody sends is theirs, what the draft holds is ours. They clash if the sender changed the
field, somebody else changed it too since the sender's base, and they do not hold the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

NOTHING: Final = "nothing at all"  # instead of a value, where there is none


@dataclass(frozen=True)
class Dispute:
    """An open conflict: where it began, and by device what it wants, with the version of that."""

    number: int
    base: Any
    wanted: dict[str, tuple[Any, int]]

    def without(self, gone: Callable[[str, Any, int], bool]) -> Dispute:
        """The same without those of whom this is true, by device, value and version."""
        kept = {d: (v, n) for d, (v, n) in self.wanted.items() if not gone(d, v, n)}
        return replace(self, wanted=kept)

    def with_one(self, device: str, value: Any, version: int) -> Dispute:
        """The same with what another device wants."""
        return replace(self, wanted={**self.wanted, device: (value, version)})


@dataclass
class Field:
    """A plain field: its value, and what is disputed about it, now and at each version."""

    value: Any
    dispute: Dispute | None = None
    prompts: int = 0
    decided: list[tuple[int, Any, Any]] = field(default_factory=list)
    past: list[tuple[Any, Dispute | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.remember()

    def remember(self) -> None:
        """A version is made."""
        self.past.append((self.value, self.dispute))

    def edited(self, device: str, base: Any, sent: Any, seen: int) -> None:
        """A device that had seen everything up to a version made `sent` of `base`."""
        version, ours = len(self.past) + 1, self.value
        if same(base, sent):
            return
        if same(ours, base) or same(ours, sent):
            self.value = sent
            self._leave(lambda who, _, n: n <= seen or who == device)
        elif self.dispute is not None:
            self._leave(lambda who, *_: who == device, settle=False)
            if not any(same(sent, value) for value, _ in self.dispute.wanted.values()):
                self.dispute = self.dispute.with_one(device, sent, version)
        elif not self._is_decided(ours, sent, seen):
            self.prompts += 1
            self.dispute = Dispute(self.prompts, base, {device: (sent, version)})
        self._settle()

    def put(self, value: Any) -> None:
        """Somebody who sees everything brought a value back."""
        if not same(value, self.value):
            self.value, self.dispute = value, None

    def resolved(self, value: Any) -> None:
        """Somebody decided."""
        version = len(self.past) + 1
        assert self.dispute is not None
        self.decided += [(version, self.value, v) for v, _ in self.dispute.wanted.values()]
        self.value, self.dispute = value, None

    def undone(self, first: int, last: int) -> None:
        """Somebody took these versions back."""
        (before, old), (after, new) = self.past[first - 2], self.past[last - 1]
        if not same(before, after) and same(self.value, after):
            self.put(before)
        if self.dispute and _is(new, self.dispute) and not _is(old, self.dispute):
            assert new is not None
            known = [n for _, n in new.wanted.values()]
            self._leave(lambda _who, _value, n: n in known)
        closed = old is not None and not _is(new, old)
        if closed and self.dispute is None and same(self.value, self.past[first - 2][0]):
            self.dispute = old

    def _leave(self, gone: Callable[[str, Any, int], bool], *, settle: bool = True) -> None:
        if self.dispute is not None:
            self.dispute = self.dispute.without(gone)
            if settle:
                self._settle()

    def _settle(self) -> None:
        """Nobody disputes what the draft holds, or where the dispute began."""
        if self.dispute is not None:
            ours, base = self.value, self.dispute.base
            rest = self.dispute.without(lambda _who, v, _n: same(v, ours) or same(v, base))
            self.dispute = rest if rest.wanted else None

    def _is_decided(self, ours: Any, theirs: Any, seen: int) -> bool:
        return any(
            version > seen
            and ((same(a, ours) and same(b, theirs)) or (same(a, theirs) and same(b, ours)))
            for version, a, b in self.decided
        )


def same(a: Any, b: Any) -> bool:
    """Whether two plain values are the same: true is not 1."""
    return a == b and (type(a) is bool) == (type(b) is bool)


def _is(one: Dispute | None, other: Dispute) -> bool:
    return one is not None and one.number == other.number

"""One conflict: its sides and whose they are, and what a write and a turn are to conflicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NotRequired, TypeAlias, TypedDict, cast

from domain.clash import Clash
from domain.form import Form
from domain.identity import Keys
from domain.path import ABSENT, find, parse
from domain.value import Data, Json, same
from domain.working import Working

Values: TypeAlias = dict[str, Json]
"""Values by path; a path at which there is nothing is left out."""


Reason: TypeAlias = Literal["resolved", "overwritten", "restored", "undone", "agreed", "joined"]
"""Why a conflict was closed; `agreed`: the sides came to hold the same; `joined`: it is part of
another, since what both are about is gone."""


EVERYTHING: Final = 2**62
"""As the version that somebody has seen: whatever there is."""


class Side(TypedDict):
    """What one side holds, and who wrote it, when (RFC 3339), where, and as which version."""

    values: Values
    by: str
    at: str
    device: str | None
    version: int
    fork: NotRequired[str]


class Conflict(TypedDict):
    """A clash that is kept; `theirs` has one entry per device, or fork, that differs."""

    id: str
    paths: list[str]
    group: list[str] | None
    base: Values
    ours: Side
    theirs: list[Side]


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, when, on which device (or out of which fork), as which version."""

    by: str
    at: str
    device: str | None
    version: int
    fork: str | None = None

    def side(self, values: Values) -> Side:
        """These values as this author's."""
        side = Side(values=values, by=self.by, at=self.at, device=self.device, version=self.version)
        if self.fork is not None:
            side["fork"] = self.fork
        return side

    def wrote(self, side: Side) -> bool:
        """Whether an entry is this author's, to be replaced by the next one."""
        if self.fork is not None or "fork" in side:
            return side.get("fork") == self.fork
        return side["device"] == self.device and (self.device is not None or side["by"] == self.by)


@dataclass(frozen=True, slots=True)
class Write:
    """A write as conflicts see it: what it made of the draft, and what its author knew and sent.

    `base` became `sent` at the author's; thereby the draft went from `before` to `after`. Of the
    conflicts the author had seen what was there at version `seen`.
    """

    before: Data
    after: Data
    base: Data
    sent: Data
    author: Author
    seen: int
    reason: Reason = "overwritten"
    form: Form | None = None

    def touches(self, path: str) -> bool:
        """Whether its author meant to write there."""
        return not same(self.find(self.base, path), self.find(self.sent, path))

    def agrees(self, path: str) -> bool:
        """Whether its author holds there what the draft holds now."""
        return same(self.find(self.sent, path), self.find(self.after, path))

    @property
    def keys(self) -> Keys | None:
        """The list keys by which paths lead to items."""
        return None if self.form is None else self.form.keys

    def find(self, data: Data, path: str) -> Json:
        """What is at a path, or ABSENT."""
        return find(data, path, self.keys)


@dataclass(frozen=True, slots=True)
class Met:
    """A clash that a write met, and who wrote what the draft holds there."""

    clash: Clash
    ours: Author


@dataclass(frozen=True, slots=True)
class Turn:
    """What a write did to the conflicts: those opened or altered, whole, and those closed, why."""

    altered: Sequence[Conflict] = ()
    closed: Mapping[str, Reason] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.altered or self.closed)

    def of(self, held: Sequence[Conflict]) -> list[Conflict]:
        """The conflicts that are open afterwards, in the order in which they were opened."""
        now = {conflict["id"]: conflict for conflict in [*held, *self.altered]}
        return [conflict for id_, conflict in now.items() if id_ not in self.closed]

    def then(self, later: Turn) -> Turn:
        """This, and then another one."""
        altered = {c["id"]: c for c in [*self.altered, *later.altered]}
        closed = {id_: why for id_, why in self.closed.items() if id_ not in _ids(later.altered)}
        closed |= later.closed
        return Turn([c for id_, c in altered.items() if id_ not in closed], closed)


def _ids(conflicts: Iterable[Conflict]) -> set[str]:
    return {conflict["id"] for conflict in conflicts}


NO_TURN: Final = Turn()


def signed(conflict: Conflict, names: Mapping[str, str]) -> Conflict:
    """The conflict with the names behind the keys of those who wrote its sides."""

    def sign(side: Side) -> Side:
        return cast("Side", {**side, "by": names[side["by"]]})

    theirs = [sign(side) for side in conflict["theirs"]]
    return cast("Conflict", {**conflict, "ours": sign(conflict["ours"]), "theirs": theirs})


def with_theirs(conflict: Conflict, theirs: list[Side]) -> Conflict:
    """The conflict with these of its entries only; itself, if these are all."""
    if len(theirs) == len(conflict["theirs"]):
        return conflict
    return cast("Conflict", {**conflict, "theirs": theirs})


def with_values(side: Side, values: Values) -> Side:
    """The side with other values."""
    return cast("Side", {**side, "values": values})


def with_entries(conflict: Conflict, entries: Sequence[Side]) -> Conflict:
    """The conflict with these entries too; the same values are never held twice."""
    held = conflict["theirs"]
    new = [e for e in entries if not any(same(e["values"], s["values"]) for s in held)]
    return with_theirs(conflict, [*held, *new])


def still_different(conflict: Conflict) -> Conflict:
    """Without those who hold what the draft holds."""
    ours = conflict["ours"]["values"]
    return with_theirs(conflict, [s for s in conflict["theirs"] if not same(s["values"], ours)])


def values_at(data: Data, paths: Iterable[str], keys: Keys | None = None) -> Values:
    """What is at these paths."""
    return {path: value for path in paths if (value := find(data, path, keys)) is not ABSENT}


def put(
    data: Data, paths: Iterable[str], values: Mapping[str, Json], keys: Keys | None = None
) -> Data:
    """The data with these values at these paths, and nothing at those that have none.

    Raises:
        CannotApply: The place for a value is gone.
    """
    working = Working(data, keys)
    for path in paths:
        tokens, there = parse(path), find(working.root, path, keys) is not ABSENT
        if path not in values:
            if there:
                working.remove(tokens)
        elif there:
            working.replace(tokens, values[path])
        else:
            working.add(tokens, values[path])
    return cast("Data", working.root)

"""A clash: what two sides made of one value, or of fields that belong together, differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from domain.path import ABSENT
from domain.value import Json

Maybe: TypeAlias = Json
"""A value, or ABSENT."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Both sides changed the same, differently; by path, with no entry where there is no value.

    There is one path, or those of a merge group. Of a long text or a list the values are whole,
    and differ only where the sides clash. `group` are all the group's paths, also unchanged ones.
    """

    paths: tuple[str, ...]
    base: Mapping[str, Json]
    ours: Mapping[str, Json]
    theirs: Mapping[str, Json]
    group: tuple[str, ...] | None = None

    @property
    def path(self) -> str:
        """The path, or the first of a merge group."""
        return self.paths[0]


def clash_at(path: str, base: Maybe, ours: Maybe, theirs: Maybe) -> Clash:
    """A clash of one path; each value may be ABSENT."""
    sides = [{} if value is ABSENT else {path: value} for value in (base, ours, theirs)]
    return Clash((path,), sides[0], sides[1], sides[2])

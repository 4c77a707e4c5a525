"""Merge groups: fields that belong together hold what one side made of them all, or clash as one.

Decision: a group merges if what comes out is ours or theirs as a whole; else it is one clash of all
its fields, and ours stand. Why: a start of one person's with an end of another's is nobody's date.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from domain.clash import Clash
from domain.path import ABSENT, child, find, join, related
from domain.value import Data, same
from domain.working import Working

Tokens = tuple[str, ...]


def settle(
    path: str,
    group: Sequence[Tokens],
    sides: tuple[Data, Data, Data],
    merged: Data,
    clashes: list[Clash],
) -> Data:
    """The merged object at `path` with one side's values of a group, which lies below it.

    `sides` are base, ours and theirs. Of `clashes`, all from inside this object, those that touch
    the group are replaced by the group's own.
    """
    places = _places(path, group, sides, clashes)
    base, ours, theirs, found = (_values(side, places) for side in (*sides, merged))
    others = [clash for clash in clashes if not _touches(clash, places)]
    if len(others) == len(clashes) and (same(found, ours) or same(found, theirs)):
        return merged
    clashes[:] = others
    paths = tuple(p for p in places if p in base or p in ours or p in theirs)
    whole = tuple(_below(path, tokens) for tokens in group)
    clashes.append(Clash(paths, base, ours, theirs, whole))
    return _with(merged, places, ours)


def _below(path: str, tokens: Tokens) -> str:
    for token in tokens:
        path = child(path, token)
    return path


def _places(
    path: str, group: Sequence[Tokens], sides: tuple[Data, Data, Data], clashes: Sequence[Clash]
) -> dict[str, Tokens]:
    """Where the group's fields are, by pointer: each, or what is missing or contested above it."""
    _, ours, theirs = sides
    contested = {clash.path for clash in clashes}
    found: dict[str, Tokens] = {}
    for tokens in group:
        depth = 1
        while depth < len(tokens) and not (
            _below(path, tokens[:depth]) in contested
            or type(find(ours, join(*tokens[:depth]))) is not dict
            or type(find(theirs, join(*tokens[:depth]))) is not dict
        ):
            depth += 1
        found[_below(path, tokens[:depth])] = tokens[:depth]
    return found


def _values(side: Data, places: dict[str, Tokens]) -> Data:
    values = {path: find(side, join(*tokens)) for path, tokens in places.items()}
    return {path: value for path, value in values.items() if value is not ABSENT}


def _touches(clash: Clash, places: dict[str, Tokens]) -> bool:
    return any(related(path, place) for path in clash.paths for place in places)


def _with(merged: Data, places: dict[str, Tokens], values: Data) -> Data:
    """The object with these values at these places, and nothing where there is none."""
    working = Working(merged)
    for path, tokens in places.items():
        if path in values:
            working.add(tokens, values[path])
        elif find(working.root, join(*tokens)) is not ABSENT:
            working.remove(tokens)
    return cast("Data", working.root)

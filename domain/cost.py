"""Whether a merge, or a difference, is likely to take long: told at a glance, beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.path import ABSENT
from domain.text import common_end, common_start
from domain.value import Data, Json, count_members

LIMIT: Final = 5_000
"""Microseconds that may be spent where others wait."""

# Microseconds, measured; for each side.
_CHARACTER: Final = 0.35
_MEMBER: Final = 1.0
_ITEM: Final = 4.0


def is_heavy(*sides: Data) -> bool:
    """Whether to merge these forms, or to find what differs, is likely to take more than 5 ms.

    It looks at shared parts not at all, at lists by their length, at texts where they differ.

    >>> is_heavy({"fee": 1}, {"fee": 2}), is_heavy({"t": "a" * 50_000}, {"t": "b" * 50_000})
    (False, True)
    """
    return _cost(sides) > LIMIT


def _cost(sides: Sequence[Json]) -> float:
    if all(side is sides[0] for side in sides):
        return 0
    present = [side for side in sides if side is not ABSENT and side is not None]
    if len(present) < 2:
        return _MEMBER
    kinds = set(map(type, present))
    if kinds == {dict}:
        return _cost_of_objects(present)
    if kinds == {list}:
        return _cost_of_lists(present)
    return _cost_of_texts(present) if kinds == {str} else _MEMBER


def _cost_of_objects(sides: Sequence[Data]) -> float:
    cost = _MEMBER * sum(map(len, sides))
    for name in dict.fromkeys(name for side in sides for name in side):
        if cost > LIMIT:
            break
        cost += _cost([side.get(name, ABSENT) for side in sides])
    return cost


def _cost_of_lists(sides: Sequence[list[Json]]) -> float:
    """All items cost what the first one does."""
    first = next((side[0] for side in sides if side), None)
    return sum(map(len, sides)) * (_ITEM + _MEMBER * count_members(first))


def _cost_of_texts(sides: Sequence[str]) -> float:
    start = min(common_start(sides[0], side) for side in sides)
    rests = [side[start:] for side in sides]
    end = min(common_end(rests[0], rest) for rest in rests)
    return _CHARACTER * sum(len(rest) - end for rest in rests)

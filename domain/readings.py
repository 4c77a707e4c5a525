"""How a list or a long text reads after a merge: one reading where it merges, three where not."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain import text
from domain.sequence import matches
from domain.threeway import merge_orders, regions
from domain.value import Json, fingerprint

_CEILING: Final = 300_000
"""Characters, of all three sides together, that are merged by words in the sentences of one text
that both sides changed; what lies beyond clashes sentence by sentence.
"""


@dataclass(slots=True)
class Readings:
    """The items, or words, of each side; they differ in contested stretches only."""

    base: list[Json] = field(default_factory=list)
    ours: list[Json] = field(default_factory=list)
    theirs: list[Json] = field(default_factory=list)

    def agree(self, items: Sequence[Json]) -> None:
        """Everybody reads this."""
        self.differ(items, items, items)

    def differ(self, base: Sequence[Json], ours: Sequence[Json], theirs: Sequence[Json]) -> None:
        """Each reads its own."""
        self.base += base
        self.ours += ours
        self.theirs += theirs

    def extend(self, more: Readings) -> None:
        """All that more was read."""
        self.differ(more.base, more.ours, more.theirs)


Settle = Callable[[Readings, Sequence[Json], Sequence[Json], Sequence[Json]], None]


def read(
    base: Sequence[Json],
    ours: Sequence[Json],
    theirs: Sequence[Json],
    settle: Settle,
    mark: Callable[[Json], Hashable] = fingerprint,
) -> Readings:
    """The readings of three sequences; `settle` adds what the sides contest.

    Items with the same mark are the same.
    """
    readings = Readings()
    tokens = (list(map(mark, side)) for side in (base, ours, theirs))
    for region in regions(*tokens):
        mine, its = ours[region.ours], theirs[region.theirs]
        if region.take is None:
            settle(readings, base[region.base], mine, its)
        else:
            readings.agree(mine if region.take == "ours" else its)
    return readings


def read_texts(base: str, ours: str, theirs: str) -> tuple[str, str, str]:
    """The whole texts of base, ours and theirs, merged by words; equal if nothing is contested.

    >>> read_texts("a fee of 100", "one fee of 100", "a fee of 250")
    ('one fee of 250', 'one fee of 250', 'one fee of 250')
    """
    readings = _Text().by_lines(base, ours, theirs)
    return "".join(readings.base), "".join(readings.ours), "".join(readings.theirs)


class _Text:
    """One text being read: by lines; where both changed these, by sentences; then by words."""

    def __init__(self) -> None:
        self.room = _CEILING

    def by_lines(self, *sides: str) -> Readings:
        base, ours, theirs = (side.splitlines(keepends=True) for side in sides)
        return read(base, ours, theirs, self._by_sentences, str)

    def _by_sentences(self, readings: Readings, *stretches: Sequence[str]) -> None:
        sides = ["".join(stretch) for stretch in stretches]
        start, end = _common_ends(*sides)
        middles = [text.sentences(side[start : len(side) - end]) for side in sides]
        readings.agree([sides[0][:start]])
        readings.extend(read(middles[0], middles[1], middles[2], self._by_words, str))
        readings.agree([sides[0][len(sides[0]) - end :]])

    def _by_words(self, readings: Readings, *stretches: Sequence[str]) -> None:
        sides = ["".join(stretch) for stretch in stretches]
        self.room -= sum(map(len, sides))
        if self.room < 0:
            readings.differ(*stretches)
        else:
            base, ours, theirs = map(text.words, sides)
            readings.extend(read(base, ours, theirs, Readings.differ, str))


def _common_ends(base: str, ours: str, theirs: str) -> tuple[int, int]:
    """How much all three begin and end with, up to a blank, so that no word is parted."""
    start = min(text.common_start(base, ours), text.common_start(base, theirs))
    start = max(base.rfind(" ", 0, start), base.rfind("\n", 0, start), 0)
    rests = [side[start:] for side in (base, ours, theirs)]
    end = min(text.common_end(rests[0], rests[1]), text.common_end(rests[0], rests[2]))
    tail = rests[0][len(rests[0]) - end :]
    blanks = [place for place in (tail.find(" "), tail.find("\n")) if place >= 0]
    return start, end - min(blanks, default=end)


def both_inserted(ours: Sequence[Json], theirs: Sequence[Json]) -> list[Json]:
    """What both sides put into one place: the common once, the rest in an order of its own."""
    first, second = sorted((ours, theirs), key=_as_text)
    result: list[Json] = []
    done_first = done_second = 0
    left, right = [fingerprint(item) for item in first], [fingerprint(item) for item in second]
    for here, there in [*matches(left, right), (len(first), len(second))]:
        rest = sorted((first[done_first:here], second[done_second:there]), key=_as_text)
        result += [*rest[0], *rest[1], *first[here : here + 1]]
        done_first, done_second = here + 1, there + 1
    return result


def united(base: Sequence[Json], ours: Sequence[Json], theirs: Sequence[Json]) -> list[Json]:
    """Lists as sets: what both have, or either added, without what either took away.

    >>> united(["a", "b"], ["b", "d"], ["a", "b", "c"])
    ['b', 'c', 'd']
    """
    marks = _marks([*base, *ours, *theirs])
    before, mine, its = (
        {marks[fingerprint(v)]: v for v in each_once(side)} for side in (base, ours, theirs)
    )
    order = merge_orders(list(before), list(mine), list(its))
    if order.contested:  # the order means nothing, but everybody gets the same
        order = min(order, merge_orders(list(before), list(its), list(mine)))
    both = {**its, **mine}
    return [both[m] for m in order.ids if m not in before or (m in mine and m in its)]


def _marks(values: Sequence[Json]) -> dict[Hashable, str]:
    """A text for each value, by fingerprint: the same for values that are the same."""
    marks: dict[Hashable, str] = {}
    for value in values:
        mark, found = json.dumps(value, sort_keys=True), fingerprint(value)
        marks[found] = min(mark, marks.get(found, mark))
    return marks


def _as_text(items: Sequence[Json]) -> str:
    return json.dumps(items, sort_keys=True)


def each_once(items: Sequence[Json]) -> list[Json]:
    """The items without repetitions, at their first places."""
    first: dict[Hashable, Json] = {}
    for item in items:
        first.setdefault(fingerprint(item), item)
    return list(first.values())


def repeats(items: Sequence[Json]) -> bool:
    """Whether the list holds the same value twice."""
    return len({fingerprint(item) for item in items}) < len(items)

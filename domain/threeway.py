"""Three-way merging of sequences and of orders, whatever their items are.

Nothing here prefers a side: swapping ours and theirs swaps nothing but the labels.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Literal, NamedTuple, TypeAlias

from domain.sequence import Hunk, hunks, longest_rising

Side: TypeAlias = Literal["ours", "theirs"]


class Region(NamedTuple):
    """A stretch of the base, what each side has there, and whose is taken; None if contested."""

    base: slice
    ours: slice
    theirs: slice
    take: Side | None


def regions(
    base: Sequence[Hashable], ours: Sequence[Hashable], theirs: Sequence[Hashable]
) -> Iterator[Region]:
    """Everything from start to end: what nobody changed, what one side did, what both did.

    Changes that only touch do not contest each other; insertions at one place do.
    """
    b = o = t = 0
    for left, right in _groups(hunks(base, ours), hunks(base, theirs)):
        start, end = _extent([*left, *right])
        kept = start - b
        yield Region(slice(b, start), slice(o, o + kept), slice(t, t + kept), "ours")
        b, o, t = start, o + kept, t + kept
        mine, its = slice(o, o + end - b + _growth(left)), slice(t, t + end - b + _growth(right))
        equal = ours[mine] == theirs[its]
        yield Region(slice(b, end), mine, its, _taken(left, right, equal))
        b, o, t = end, mine.stop, its.stop
    yield Region(slice(b, len(base)), slice(o, len(ours)), slice(t, len(theirs)), "ours")


def _taken(left: Sequence[Hunk], right: Sequence[Hunk], equal: bool) -> Side | None:
    if equal or not right:
        return "ours"
    return None if left else "theirs"


def _extent(group: Sequence[Hunk]) -> tuple[int, int]:
    return min(hunk.a_start for hunk in group), max(hunk.a_end for hunk in group)


def _growth(group: Iterable[Hunk]) -> int:
    return sum(hunk.b_end - hunk.b_start - hunk.a_end + hunk.a_start for hunk in group)


def _groups(left: Sequence[Hunk], right: Sequence[Hunk]) -> Iterator[tuple[list[Hunk], list[Hunk]]]:
    """The hunks of both sides, those that overlap in the base together."""
    sides = [(hunk, 0) for hunk in left] + [(hunk, 1) for hunk in right]
    group: tuple[list[Hunk], list[Hunk]] = ([], [])
    start = end = -1
    for hunk, side in sorted(sides):
        inserted_at_once = start == end == hunk.a_start == hunk.a_end
        if hunk.a_start >= end and not inserted_at_once:
            if end >= 0:
                yield group
            group, start, end = ([], []), hunk.a_start, hunk.a_end
        group[side].append(hunk)
        end = max(end, hunk.a_end)
    if end >= 0:
        yield group


class Order(NamedTuple):
    """A merged order of ids; `contested` if both sides moved the same item elsewhere."""

    ids: list[str]
    contested: bool


def merge_orders(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> Order:
    """All ids of both sides, each where the side that moved or added it has it.

    What neither side moved stays, in stretches; what was moved or added follows the nearest such
    item before it. Where both put something into one gap, the lesser ids go first. If contested,
    our place counts.
    """
    steady = _steady(base, ours, theirs)
    mine = _placed(base, ours, theirs)
    its = _placed(base, theirs, ours)
    steady = [id_ for id_ in steady if id_ not in mine and id_ not in its]
    stay = set(steady)
    our_gaps = _gaps(ours, stay, mine)
    their_gaps = _gaps(theirs, stay, its)
    return _woven(steady, our_gaps, their_gaps)


def orders_in_dispute(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str], there: Container[str]
) -> list[list[str]]:
    """The items that are `there` in the base's order, ours and theirs, where these are contested.

    What both sides added is left out of the base's where that would look like one of the others.
    """
    merged = merge_orders(base, ours, theirs), merge_orders(base, theirs, ours)
    sides = [[id_ for id_ in order.ids if id_ in there] for order in merged]
    before = old_order(base, min(sides))
    if before in sides:
        added = set(ours).intersection(theirs).difference(base)
        before = [id_ for id_ in before if id_ not in added]
    return [before, *sides]


def old_order(base: Sequence[str], order: Sequence[str]) -> list[str]:
    """The ids of `order`; those that the base has too are, among themselves, as they were there.

    >>> old_order(["a", "b"], ["b", "new", "a"])
    ['a', 'new', 'b']
    """
    present = set(order)
    known = iter([id_ for id_ in base if id_ in present])
    bases = set(base)
    return [next(known) if id_ in bases else id_ for id_ in order]


def _steady(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """The ids on all three, in our order, which for those nobody moved is everybody's."""
    common = set(base).intersection(ours).intersection(theirs)
    return [id_ for id_ in ours if id_ in common]


def _placed(base: Sequence[str], side: Sequence[str], other: Sequence[str]) -> set[str]:
    """The ids placed by this side: it added or moved them, or it alone still has them."""
    known, others = set(base), set(other)
    alone = {id_ for id_ in side if id_ not in known or id_ not in others}
    common = [id_ for id_ in side if id_ not in alone]
    shared = set(common)
    if common == [id_ for id_ in other if id_ in shared]:
        return alone
    place = {id_: number for number, id_ in enumerate(base)}
    kept = longest_rising([place[id_] for id_ in common])
    return alone | shared.difference(common[number] for number in kept)


def _gaps(side: Sequence[str], stay: set[str], placed: set[str]) -> list[list[str]]:
    """What this side places, in the gaps before, between and behind the items that stay."""
    gaps: list[list[str]] = [[]]
    for id_ in side:
        if id_ in stay:
            gaps.append([])
        elif id_ in placed:
            gaps[-1].append(id_)
    return gaps


def _woven(steady: Sequence[str], ours: list[list[str]], theirs: list[list[str]]) -> Order:
    result: list[str] = []
    contested = _disagree(ours, theirs)
    once = {id_ for gap in ours for id_ in gap} if contested else set()
    for mine, its, following in zip_longest(ours, theirs, steady):
        result += _run(mine, [id_ for id_ in its if id_ not in once])
        if following is not None:
            result.append(following)
    return Order(result, contested)


def _disagree(ours: list[list[str]], theirs: list[list[str]]) -> bool:
    """Whether both sides place some items, but in different gaps or another order."""
    shared = {id_ for gap in ours for id_ in gap} & {id_ for gap in theirs for id_ in gap}
    if not shared:
        return False
    return any(
        [id_ for id_ in mine if id_ in shared] != [id_ for id_ in its if id_ in shared]
        for mine, its in zip(ours, theirs, strict=True)
    )


def _run(ours: list[str], theirs: list[str]) -> list[str]:
    """What both put into one gap; what they share parts it into smaller gaps."""
    shared = set(ours).intersection(theirs)
    result: list[str] = []
    pairs = zip(_stretches(ours, shared), _stretches(theirs, shared), strict=True)
    for (mine, common), (its, _) in pairs:
        first, second = sorted((mine, its))
        result += first + second + common
    return result


def _stretches(ids: list[str], shared: set[str]) -> Iterator[tuple[list[str], list[str]]]:
    """The ids up to each shared one, and that one; at last those behind."""
    stretch: list[str] = []
    for id_ in ids:
        if id_ in shared:
            yield stretch, [id_]
            stretch = []
        else:
            stretch.append(id_)
    yield stretch, []

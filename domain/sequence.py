"""What two sequences have in common, in order: patience matching, with bounded cost.

Tokens that occur once on both sides anchor the match (Cohen's patience diff); what lies between
two anchors is matched the same way, and what has no anchor by difflib while it is small. A large
stretch without anchors, or one too many, counts as replaced: never wrong, only coarser. Blanks
match beside what matches and never alone: words that are written anew share nothing but blanks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple, TypeAlias

_LARGEST_TABLE: Final = 20_000  # pairs of tokens
_MOST_PAIRS: Final = 200_000  # in all tables of one match
_MOST_ROUNDS: Final = 12
_ROW: Final = 8  # tokens in a row that anchor where no single one does


class Hunk(NamedTuple):
    """`before[a_start:a_end]` became `after[b_start:b_end]`."""

    a_start: int
    a_end: int
    b_start: int
    b_end: int


_Tokens: TypeAlias = Sequence[Hashable]
_Pairs: TypeAlias = list[tuple[int, int]]


def longest_rising(numbers: Sequence[int]) -> list[int]:
    """The positions of a longest strictly rising subsequence, in n log n.

    >>> longest_rising([3, 0, 1, 2])
    [1, 2, 3]
    """
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for position, number in enumerate(numbers):
        length = bisect_left(tails, number)
        previous.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [number]
        ends[length : length + 1] = [position]
    return _walk_back(ends[-1] if ends else -1, previous)


def _walk_back(end: int, previous: Sequence[int]) -> list[int]:
    positions = []
    while end >= 0:
        positions.append(end)
        end = previous[end]
    positions.reverse()
    return positions


def moves(order: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """The fewest moves that put items in a new order; `order[new place]` is the old place.

    Gives (new place, from, to), each at the moment of the move and `to` once the item is out.

    >>> list(moves([2, 0, 1]))
    [(0, 2, 0)]
    """
    staying = longest_rising(order)
    anchors = [order[place] for place in staying]
    waiting = sorted(set(order).difference(anchors))
    passed = 0
    for place, origin in enumerate(order):
        if passed < len(anchors) and anchors[passed] == origin:
            passed += 1
            continue
        del waiting[bisect_left(waiting, origin)]
        # Before the item lie those still waiting from before it, and what is settled before it.
        ahead = bisect_left(anchors, origin)
        settled = staying[ahead] if ahead < passed else place + ahead - passed
        last = anchors[passed - 1] if passed else 0
        here, there = bisect_left(waiting, origin), bisect_left(waiting, last)
        yield place, here + settled, there + place


def hunks(before: _Tokens, after: _Tokens) -> list[Hunk]:
    """Where the two differ, ascending; no two hunks touch.

    >>> hunks("abcd", "axcde")
    [Hunk(a_start=1, a_end=2, b_start=1, b_end=2), Hunk(a_start=4, a_end=4, b_start=4, b_end=5)]
    """
    pairs = matches(before, after)
    pairs.append((len(before), len(after)))
    found, a, b = [], 0, 0
    for next_a, next_b in pairs:
        if next_a > a or next_b > b:
            found.append(Hunk(a, next_a, b, next_b))
        a, b = next_a + 1, next_b + 1
    return found


def matches(before: _Tokens, after: _Tokens) -> _Pairs:
    """The positions of equal tokens, rising on both sides."""
    found: _Pairs = []
    todo = [(Hunk(0, len(before), 0, len(after)), _MOST_ROUNDS)]
    room = _MOST_PAIRS
    while todo:
        gap, rounds = todo.pop()
        gap = _trim(before, after, gap, found)
        if gap.a_start == gap.a_end or gap.b_start == gap.b_end:
            continue
        anchors = _anchors(before, after, gap) if rounds else []
        if anchors:
            found += anchors
            todo += [(between, rounds - 1) for between in _between(gap, anchors)]
        elif (pairs := _pairs(gap)) <= min(_LARGEST_TABLE, room):
            room -= pairs
            found += _small_matches(before, after, gap)
    found.sort()
    return found


def _trim(before: _Tokens, after: _Tokens, gap: Hunk, found: _Pairs) -> Hunk:
    """The gap without its common ends, which are added to `found`."""
    a, a_end, b, b_end = gap
    while a < a_end and b < b_end and before[a] == after[b]:
        found.append((a, b))
        a, b = a + 1, b + 1
    while a < a_end and b < b_end and before[a_end - 1] == after[b_end - 1]:
        a_end, b_end = a_end - 1, b_end - 1
        found.append((a_end, b_end))
    return Hunk(a, a_end, b, b_end)


def _anchors(before: _Tokens, after: _Tokens, gap: Hunk) -> _Pairs:
    """Tokens that occur once on both sides of the gap; failing these, rows of tokens that do."""
    left, right = before[gap.a_start : gap.a_end], after[gap.b_start : gap.b_end]
    found = _single_pairs(left, right)
    if not found and len(left) * len(right) > _LARGEST_TABLE:
        found = _single_pairs(_rows(left), _rows(right))
    return [(gap.a_start + a, gap.b_start + b) for a, b in found]


def _rows(tokens: _Tokens) -> _Tokens:
    return list(zip(*(tokens[offset:] for offset in range(_ROW)), strict=False))


def _single_pairs(left: _Tokens, right: _Tokens) -> _Pairs:
    """The positions of what occurs once on both sides, in the longest common order."""
    here, there = Counter(left), Counter(right)
    single = {t for t, n in here.items() if n == 1 and there.get(t) == 1 and not _is_blank(t)}
    places = {token: place for place, token in enumerate(right) if token in single}
    shared = [(place, places[token]) for place, token in enumerate(left) if token in single]
    return [shared[i] for i in longest_rising([b for _, b in shared])]


def _is_blank(token: Hashable) -> bool:
    return type(token) is str and token.isspace()


def _between(gap: Hunk, anchors: _Pairs) -> Iterator[Hunk]:
    a, b = gap.a_start, gap.b_start
    for next_a, next_b in [*anchors, (gap.a_end, gap.b_end)]:
        if next_a > a and next_b > b:
            yield Hunk(a, next_a, b, next_b)
        a, b = next_a + 1, next_b + 1


def _pairs(gap: Hunk) -> int:
    return (gap.a_end - gap.a_start) * (gap.b_end - gap.b_start)


def _small_matches(before: _Tokens, after: _Tokens, gap: Hunk) -> _Pairs:
    left, right = before[gap.a_start : gap.a_end], after[gap.b_start : gap.b_end]
    blocks = SequenceMatcher(_is_blank, left, right, autojunk=False).get_matching_blocks()
    return [(gap.a_start + m.a + i, gap.b_start + m.b + i) for m in blocks for i in range(m.size)]

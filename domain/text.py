"""Long text as splices: which stretches were replaced by which, in Unicode code points."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final, TypeAlias

from domain.errors import CannotApply
from domain.sequence import hunks

Splice: TypeAlias = list[Any]
"""`[at, deleted, inserted]`; `at` counts in the text before, and splices rise without touching."""

_SMALL: Final = 200  # a stretch not worth looking into
_LARGE: Final = 20_000  # both sides together: parted before it is looked into
_CEILING: Final = 400_000  # both sides together: not looked into by words
_PIECE: Final = 48  # characters that are found again
_LITTLE_KEPT: Final = 3  # characters kept between two changes that read as one

# A letter keeps its accents, a symbol its joiners and colours; Chinese and Japanese characters
# stand alone, because no spaces part their words. 19:30, 1.5, a link and an address are one word:
# half of one person's with half of another's is nobody's.
_ALONE: Final = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_MARKS: Final = (
    r"\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u065f\u0670"
    r"\u0900-\u0903\u093a-\u094f\u0981-\u0983\u09bc-\u09cd\u0e31-\u0e3a\u0e47-\u0e4e\u20d0-\u20ff"
)
_INNER: Final = r".,:;'’/@#&=?%+~$\-"
_WORD: Final = re.compile(
    rf"[{_ALONE}][{_MARKS}]*"
    rf"|[^\W{_ALONE}](?:[^\W{_ALONE}]|[{_MARKS}]|[{_INNER}]+(?=[^\W{_ALONE}]))*"
    r"|\s+"
    r"|[^\w\s](?:[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff]|\u200d[^\w\s])*"
)

_SENTENCE_END: Final = re.compile(r"[.!?…]\s+|[。！？]\s*")


def words(text: str) -> list[str]:
    """The text in words, gaps and signs; joined they are the text again.

    >>> words("One fee, 250 €")
    ['One', ' ', 'fee', ',', ' ', '250', ' ', '€']
    """
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """The text in sentences, each with the blanks behind it; joined they are the text again.

    >>> sentences("Doors at 19.30. The band? Nine!")
    ['Doors at 19.30. ', 'The band? ', 'Nine!']
    """
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    return [text[start:end] for start, end in pairwise([0, *ends, len(text)]) if start < end]


def splices(before: str, after: str) -> list[Splice]:
    """What was replaced by what; small changes far apart in a long text stay apart.

    >>> splices("the fee is 100", "the fee is 250")
    [[11, '10', '25']]
    """
    found = list(_stretches(0, before, after))
    return found if len(found) < 2 else _joined(before, found)


def _stretches(at: int, before: str, after: str) -> Iterator[Splice]:
    for trimmed in _trimmed(at, before, after):
        start, deleted, inserted = trimmed
        if min(len(deleted), len(inserted)) <= _SMALL:
            yield trimmed
        elif (found := _probe(deleted, inserted)) is not None:
            here, there = found
            yield from _stretches(start, deleted[:here], inserted[:there])
            yield from _stretches(start + here, deleted[here:], inserted[there:])
        else:
            yield from _by_lines(start, deleted, inserted)


def _probe(before: str, after: str) -> tuple[int, int] | None:
    """Where a piece from amid a large text stands in both, and once only; searched at C speed."""
    if len(before) + len(after) < _LARGE:
        return None
    for eighths in (4, 2, 6):
        here = len(before) * eighths // 8
        piece = before[here : here + _PIECE]
        if before.find(piece) == here and before.find(piece, here + 1) < 0:
            there = after.find(piece)
            if there >= 0 and after.find(piece, there + 1) < 0:
                return here, there
    return None


def _trimmed(at: int, before: str, after: str) -> list[Splice]:
    """At most one splice, without the ends that both have in common."""
    if before == after:
        return []
    start = common_start(before, after)
    rest_before, rest_after = before[start:], after[start:]
    end = common_end(rest_before, rest_after)
    stop_before, stop_after = len(rest_before) - end, len(rest_after) - end
    return [[at + start, rest_before[:stop_before], rest_after[:stop_after]]]


def common_start(a: str, b: str) -> int:
    """How many characters both begin with; halving compares slices at C speed."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def common_end(a: str, b: str) -> int:
    """How many characters both end with."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[len(a) - middle : len(a) - low] == b[len(b) - middle : len(b) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _by_lines(at: int, before: str, after: str) -> Iterator[Splice]:
    a, b = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for start, deleted, inserted in _by_tokens(at, a, b):
        if min(len(deleted), len(inserted)) <= _SMALL or len(deleted) + len(inserted) > _CEILING:
            yield from _trimmed(start, deleted, inserted)
        else:
            yield from _by_words(start, deleted, inserted)


def _by_words(at: int, before: str, after: str) -> Iterator[Splice]:
    for start, deleted, inserted in _by_tokens(at, words(before), words(after)):
        yield from _trimmed(start, deleted, inserted)


def _by_tokens(at: int, a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    starts = [at, *accumulate(map(len, a), initial=at)][1:]
    for hunk in hunks(a, b):
        deleted = "".join(a[hunk.a_start : hunk.a_end])
        yield starts[hunk.a_start], deleted, "".join(b[hunk.b_start : hunk.b_end])


def _joined(before: str, parts: Sequence[Splice]) -> list[Splice]:
    """Neighbours with next to nothing kept between them as one: it reads better, and is shorter."""
    result: list[Splice] = []
    for at, deleted, inserted in parts:
        kept = before[_end(result[-1]) : at] if result else ""
        if result and len(kept) <= _LITTLE_KEPT:
            last = result[-1]
            result[-1] = [last[0], last[1] + kept + deleted, last[2] + kept + inserted]
        else:
            result.append([at, deleted, inserted])
    return result


def _end(splice: Splice) -> int:
    return int(splice[0]) + len(splice[1])


def splice(text: str, parts: Sequence[Splice]) -> str:
    """The text after the splices.

    Raises:
        CannotApply: The text does not hold what they delete.
    """
    return "".join(new for _, _, new in _pieces(text, parts))


def segments(text: str, parts: Sequence[Splice]) -> list[dict[str, str]]:
    """The text and its splices as pieces that were kept, deleted or inserted, in order.

    >>> segments("fee 100", [[4, "100", "250"]])
    [{'keep': 'fee '}, {'delete': '100'}, {'insert': '250'}]
    """
    found = []
    for kept, deleted, inserted in _pieces(text, parts):
        if kept:
            found.append({"keep": inserted})
        else:
            found += [{"delete": deleted}] if deleted else []
            found += [{"insert": inserted}] if inserted else []
    return found


def _pieces(text: str, parts: Sequence[Splice]) -> Iterator[tuple[bool, str, str]]:
    """(kept, before, after) along the text; kept pieces are the same before and after."""
    done = 0
    for at, deleted, inserted in parts:
        if at < done or text[at : at + len(deleted)] != deleted:
            raise CannotApply(f"the text does not read {deleted[:40]!r} at character {at}")
        if at > done:
            yield True, text[done:at], text[done:at]
        yield False, deleted, inserted
        done = at + len(deleted)
    if done < len(text):
        yield True, text[done:], text[done:]


def invert(parts: Sequence[Splice]) -> list[Splice]:
    """The splices that lead back, placed in the text after.

    >>> invert([[0, "", "Dear "], [4, "100", "5"]])
    [[0, 'Dear ', ''], [9, '5', '100']]
    """
    inverted: list[Splice] = []
    shift = 0
    for at, deleted, inserted in parts:
        inverted.append([at + shift, inserted, deleted])
        shift += len(inserted) - len(deleted)
    return inverted

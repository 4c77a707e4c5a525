"""JSON values: when two are the same, how large they are, and what may not be in them.

Values are immutable by convention and share structure: whoever changes one copies along the
changed path only, so that `is` tells most unchanged values apart from changed ones.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from math import isfinite
from typing import Any, Final, TypeAlias

from domain.path import join

Json: TypeAlias = Any
"""None, bool, int, float, str, list or dict with str names; mypy cannot narrow it recursively."""

Data: TypeAlias = dict[str, Any]
"""A form's values: the JSON object at the root."""

LARGEST_INTEGER: Final = 2**53 - 1
LONG_TEXT: Final = 200

_Found: TypeAlias = tuple[list[str], str]


def same(a: Json, b: Json) -> bool:
    """Whether two values are equal in their RFC 8785 form.

    >>> same(True, 1), same(1, 1.0), same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    (False, True, True)
    """
    if a is b:
        return True
    return bool(a == b) and _kinds_agree(a, b)


def _kinds_agree(a: Json, b: Json) -> bool:
    # Of two values equal to Python, only True and 1, or False and 0, are not the same.
    kind = type(a)
    if kind is dict:
        pairs: Iterable[tuple[Json, Json]] = ((left, b[name]) for name, left in a.items())
    elif kind is list:
        pairs = zip(a, b, strict=True)
    else:
        return (kind is bool) == (type(b) is bool)
    for left, right in pairs:
        if left is not right and type(left) is not str and not _kinds_agree(left, right):
            return False
    return True


def fingerprint(value: Json) -> Hashable:
    """A hashable stand-in: equal exactly when the values are the same."""
    kind = type(value)
    if kind is dict:
        return dict, frozenset((name, fingerprint(inner)) for name, inner in value.items())
    if kind is list:
        return list, tuple(map(fingerprint, value))
    if kind is bool:
        return bool, value
    return value  # type: ignore[no-any-return]


def is_long_text(text: str) -> bool:
    """Whether a text is merged and compared by words: over 200 characters, or several lines."""
    return len(text) > LONG_TEXT or "\n" in text


def count_members(value: Json) -> int:
    """How many object members and list items there are, nested ones included."""
    if type(value) is dict:
        inner: Iterable[Json] = value.values()
    elif type(value) is list:
        inner = value
    else:
        return 0
    count = len(value)
    for one in inner:
        if type(one) is dict or type(one) is list:
            count += count_members(one)
    return count


def depth_of(value: Json) -> int:
    """How many containers lie in one another.

    >>> depth_of(1), depth_of({}), depth_of({"acts": [{}]})
    (0, 1, 3)
    """
    if type(value) is dict:
        inner: Iterable[Json] = value.values()
    elif type(value) is list:
        inner = value
    else:
        return 0
    deepest = 0
    for one in inner:
        if (type(one) is dict or type(one) is list) and (depth := depth_of(one)) > deepest:
            deepest = depth
    return deepest + 1


def find_fault(value: Json, *, max_depth: int) -> tuple[str, str] | None:
    """The pointer and the detail of the first thing that no draft may hold, or None.

    Integers beyond ±(2^53-1), infinities, U+0000, lone surrogates and too much depth.

    >>> find_fault({"fee": [1, 2**53]}, max_depth=32)
    ('/fee/1', 'an integer beyond ±(2^53-1) loses digits in a browser; send it as text')
    """
    found = _fault(value, max_depth)
    if found is None:
        return None
    tokens, detail = found
    return join(*reversed(tokens)), detail


def _fault(value: Json, room: int) -> _Found | None:
    """The fault and its tokens, the last one first; `room` is the depth still allowed."""
    check = _CHECKS.get(type(value))
    if check is not None:
        detail = check(value)
        return None if detail is None else ([], detail)
    if type(value) is dict:
        return _fault_in_object(value, room)
    return _fault_in_list(value, room) if type(value) is list else None


def _fault_in_object(value: Data, room: int) -> _Found | None:
    if room < 1:
        return [], "this lies too deep"
    # All names at once: sixty short searches cost more than one.
    if _text_fault("".join(value)) is not None:
        return _fault_in_names(value)
    for name, inner in value.items():
        # Nearly every value passes here, without a call.
        kind = type(inner)
        if kind is str:
            if inner.isascii() and "\0" not in inner:
                continue
        elif kind is int and -LARGEST_INTEGER <= inner <= LARGEST_INTEGER:
            continue
        if (found := _fault(inner, room - 1)) is not None:
            found[0].append(name)
            return found
    return None


def _fault_in_names(names: Iterable[str]) -> _Found | None:
    # The pointer leads to the object: a name that cannot be sent cannot be answered either.
    for name in names:
        if (detail := _text_fault(name)) is not None:
            return [], f"in a member's name, {detail}"
    return None


def _fault_in_list(items: list[Json], room: int) -> _Found | None:
    if room < 1:
        return [], "this lies too deep"
    for index, inner in enumerate(items):
        if (found := _fault(inner, room - 1)) is not None:
            found[0].append(str(index))
            return found
    return None


def _text_fault(text: str) -> str | None:
    if "\0" in text:
        return "text may not hold the character U+0000"
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "half a surrogate pair is no character; send whole Unicode text"
    return None


def _integer_fault(number: int) -> str | None:
    if -LARGEST_INTEGER <= number <= LARGEST_INTEGER:
        return None
    return "an integer beyond ±(2^53-1) loses digits in a browser; send it as text"


def _float_fault(number: float) -> str | None:
    return None if isfinite(number) else "the number is not finite; send it as text"


_CHECKS: Final[dict[type, Any]] = {
    str: _text_fault,
    int: _integer_fault,
    float: _float_fault,
}

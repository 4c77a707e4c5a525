"""Where a value is: RFC 6901 JSON Pointers, in which `id:<id>` names a list item by its id."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from domain.errors import CannotApply
from domain.identity import Keys, along, id_of, own_ids, preferred

_ID: Final = "id:"
_BAD_ESCAPE: Final = re.compile(r"~(?![01])")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,14}")
_CACHED_LENGTH: Final = 256


class Absent(Enum):
    """The type of `ABSENT`, which stands for "there is nothing at this path"."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT


def parse(path: str) -> tuple[str, ...]:
    """The tokens of a pointer, unescaped.

    >>> parse("/acts/id:a5/and~1or")
    ('acts', 'id:a5', 'and/or')
    >>> parse("")
    ()

    Raises:
        CannotApply: It is no JSON Pointer.
    """
    return _parse_once(path) if len(path) <= _CACHED_LENGTH else _parse(path)


def _parse(path: str) -> tuple[str, ...]:
    if not path:
        return ()
    if path[0] != "/":
        raise CannotApply("a path is empty or starts with '/'", path=path)
    if "~" not in path:
        return tuple(path[1:].split("/"))
    if _BAD_ESCAPE.search(path):
        raise CannotApply("in a path '~' is written '~0', and '/' in a name '~1'", path=path)
    return tuple(t.replace("~1", "/").replace("~0", "~") for t in path[1:].split("/"))


_parse_once = lru_cache(maxsize=4096)(_parse)


def child(path: str, token: str) -> str:
    """The path of a member, or item, of the value at `path`.

    >>> child("/acts/id:a5", "and/or")
    '/acts/id:a5/and~1or'
    """
    if "~" in token or "/" in token:
        token = token.replace("~", "~0").replace("/", "~1")
    return f"{path}/{token}"


def join(*tokens: str) -> str:
    """The pointer made of these tokens."""
    path = ""
    for token in tokens:
        path = child(path, token)
    return path


def related(a: str, b: str) -> bool:
    """Whether one path is the other, or leads to it.

    >>> related("/acts", "/acts/id:a5/fee"), related("/act", "/acts")
    (True, False)
    """
    return a == b or a.startswith(f"{b}/") or b.startswith(f"{a}/")


def declared_keys(keys: Mapping[str, str]) -> Keys | None:
    """The tree of declared list keys, given by pattern or path; None if there are none.

    >>> find({"acts": [{"code": "x"}]}, "/acts/id:x", declared_keys({"/acts": "code"}))
    {'code': 'x'}
    """
    if not keys:
        return None
    tree = Keys()
    for pattern, key in keys.items():
        tree.declare(parse(pattern), key)
    return tree


def get(data: Any, path: str, keys: Keys | None = None) -> Any:
    """The value at a path.

    Raises:
        CannotApply: There is nothing at this path.
    """
    tokens = parse(path)
    for token, key in zip(tokens, along(keys, tokens), strict=False):
        data = step(data, token, key)
    return data


def find(data: Any, path: str, keys: Keys | None = None) -> Any:
    """The value at a path, or `ABSENT`."""
    tokens = parse(path)
    try:
        for token, key in zip(tokens, along(keys, tokens), strict=False):
            if type(data) is dict and token not in data:  # cheaper than to raise
                return ABSENT
            data = step(data, token, key)
    except CannotApply:
        return ABSENT
    return data


def step(value: Any, token: str, key: str | None = None) -> Any:
    """The member or item of `value` that one token names; `key` is declared for a list.

    Raises:
        CannotApply: `value` has none.
    """
    if type(value) is dict:
        if token in value:
            return value[token]
        raise CannotApply(f"there is no member {token!r}")
    if type(value) is list:
        return value[position(value, token, key)]
    raise CannotApply(f"there is nothing below a plain value, so no {token!r}")


def position(items: Sequence[Any], token: str, key: str | None = None) -> int:
    """Where in a list the item is that a token names, as an index or by its id.

    Raises:
        CannotApply: There is no such item, or several have this id.
    """
    if token.startswith(_ID):
        return _position_of_id(items, token[len(_ID) :], key)
    if (index := as_index(token)) < len(items):
        return index
    raise CannotApply(f"the list has {len(items)} items, so none at {token}")


def as_index(token: str) -> int:
    """A token as a list index: decimal digits without leading zeros.

    Raises:
        CannotApply: It is not one.
    """
    if _INDEX.fullmatch(token):
        return int(token)
    raise CannotApply(f"{token!r} is no list index; use digits, or 'id:' and an item's id")


def as_id(token: str) -> str | None:
    """The id that a token names, or None if it is an index."""
    return token[len(_ID) :] if token.startswith(_ID) else None


def id_token(id_: str) -> str:
    """The token that names the list item with this id."""
    return _ID + id_


def _position_of_id(items: Sequence[Any], wanted: str, declared: str | None) -> int:
    key, ids = own_ids(items, declared)
    if wanted in ids:
        return ids.index(wanted)
    if key is not None and key == declared:
        raise CannotApply(f"there is no item with the id {wanted!r}")
    # One item of a list may still lack its id, or have two: any key that singles one out will do.
    for key in preferred(declared):
        found = [i for i, item in enumerate(items) if id_of(item, key) == wanted]
        if len(found) == 1:
            return found[0]
    raise CannotApply(f"there is not exactly one item with the id {wanted!r}")


def canonical(data: Any, path: str, keys: Keys | None = None) -> str:
    """The path with every index replaced by `id:<id>` where the list's items have ids.

    What does not exist in `data` stays as written.

    >>> canonical({"acts": [{"id": "a5", "fee": 1}]}, "/acts/0/fee")
    '/acts/id:a5/fee'
    """
    written = parse(path)
    tokens = list(written)
    try:
        for depth, (token, key) in enumerate(zip(written, along(keys, written), strict=False)):
            if type(data) is list:
                tokens[depth] = _lasting(data, token, key)
            data = step(data, token, key)
    except CannotApply:
        pass
    return join(*tokens)


def _lasting(items: list[Any], token: str, declared: str | None) -> str:
    key, _ = own_ids(items, declared)
    if key is None:
        return token
    id_ = id_of(items[position(items, token, declared)], key)
    return token if id_ is None else id_token(id_)

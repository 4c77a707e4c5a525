"""How the items of a list are told apart: by a member that gives each an id of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

ANY_ITEM: Final = "*"
"""In a pattern: every item of a list, or every member of an object."""

KEYS: Final = ("id", "key", "_key", "uuid")
"""Members that may identify the items of a list, the preferred one first."""


class Keys:
    """Which member tells the items of which list apart, as declared; a tree to walk by tokens.

    A declared key goes before `KEYS`; where it does not identify every item, these may. An item is
    never looked for by these where it does: an item that is gone is gone.
    """

    __slots__ = ("any", "key", "members", "names")

    def __init__(self) -> None:
        self.key: str | None = None
        self.members: dict[str, Keys] = {}
        self.any: Keys | None = None
        self.names: set[str] = set()
        """All keys declared here or further down."""

    def declare(self, tokens: Sequence[str], key: str) -> None:
        """Let `key` tell the items of the list at a pattern apart; the token `*` is any."""
        node = self
        node.names.add(key)
        for token in tokens:
            if token == ANY_ITEM:
                node.any = node = node.any or Keys()
            else:
                node = node.members.setdefault(token, Keys())
            node.names.add(key)
        node.key = key

    def below(self, token: str) -> Keys | None:
        """What is declared where one token leads to; an exact name goes before `*`."""
        return self.members.get(token) or self.any


def along(keys: Keys | None, tokens: Sequence[str]) -> Iterable[str | None]:
    """The declared key of what each token of a path steps into: first that of the whole form."""
    return repeat(None) if keys is None else _along(keys, tokens)


def _along(keys: Keys | None, tokens: Sequence[str]) -> Iterable[str | None]:
    for token in tokens:
        yield None if keys is None else keys.key
        keys = keys and keys.below(token)


def key_at(keys: Keys | None, tokens: Sequence[str] = ()) -> str | None:
    """The declared key of the list that these tokens lead to."""
    for token in tokens:
        keys = keys and keys.below(token)
    return None if keys is None else keys.key


def preferred(key: str | None) -> Sequence[str]:
    """The members that may identify the items of a list with this declared key."""
    return KEYS if key is None else (key, *KEYS)


_ONLY_TEXT: Final[set[type]] = {str}


def id_of(item: Any, key: str) -> str | None:
    """An item's id under `key`, as text, or None if it has none."""
    return id_text(item.get(key)) if type(item) is dict else None


def id_text(value: Any) -> str | None:
    """How an id is compared: as a string; None if the value is no id.

    >>> id_text(5), id_text("5"), id_text(5.0), id_text(True), id_text("")
    ('5', '5', '5', None, None)
    """
    kind = type(value)
    if kind is str:
        return value or None
    if kind is int:
        return str(value)
    if kind is float:
        return str(int(value)) if value.is_integer() else repr(value)
    return None


def ids_by(items: Sequence[Any], key: str) -> list[str] | None:
    """The ids of all items under `key`, or None if it does not identify each of them."""
    try:
        ids = [item[key] for item in items]
    except (KeyError, TypeError, IndexError):
        return None
    if set(map(type, ids)) != _ONLY_TEXT:
        ids = [id_text(value) for value in ids]
    distinct = set(ids)
    if len(distinct) < len(ids) or "" in distinct or None in distinct:
        return None
    return ids


def own_ids(items: Sequence[Any], declared: str | None = None) -> tuple[str | None, list[str]]:
    """The member that identifies the items of a list, and their ids, or None and no ids.

    Every item is an object and has it, as a string or number of its own.

    >>> own_ids([{"id": 1}, {"id": "2"}])
    ('id', ['1', '2'])
    >>> own_ids([{"id": 1}, {"id": "1"}])
    (None, [])
    """
    if items and type(items[0]) is dict:
        for key in preferred(declared):
            if key in items[0] and (ids := ids_by(items, key)) is not None:
                return key, ids
    return None, []


@dataclass(frozen=True, slots=True)
class Shared:
    """The key that tells the items of several lists apart, and their ids, list by list."""

    key: str
    ids: list[list[str]]


def shared_ids(*lists: Sequence[Any], declared: str | None = None) -> Shared | None:
    """The first key that identifies the items of every list, or None; empty lists fit any.

    If the declared key identifies those of some lists only, the items go by no key.

    >>> shared_ids([{"id": 1, "key": "a"}], [], [{"key": "b"}])
    Shared(key='key', ids=[['a'], [], ['b']])
    """
    for key in preferred(declared):
        found = [ids for items in lists if (ids := ids_by(items, key)) is not None]
        if len(found) == len(lists) and not _ambiguous(lists, found, key, declared):
            return Shared(key, found)
        if key == declared and any(found):
            return None
    return None


def repeats_ids(items: Sequence[Any], declared: str | None = None) -> bool:
    """Whether two items of a list have the same id."""
    for key in preferred(declared):
        ids = [id_ for item in items if (id_ := id_of(item, key)) is not None]
        if len(set(ids)) < len(ids):
            return True
    return False


def _ambiguous(
    lists: Sequence[Sequence[Any]], found: Sequence[list[str]], key: str, declared: str | None
) -> bool:
    """Whether an id means one item under `key` and another under a key that goes before it.

    While a list changes step by step, the other key may come to identify all of its items.
    """
    keys = preferred(declared)
    if key == keys[0]:
        return False
    known = set().union(*found)
    for items, ids in zip(lists, found, strict=True):
        for item, own in zip(items, ids, strict=True):
            others = {id_of(item, other) for other in keys if other != key}
            if not known.isdisjoint(others - {own}):
                return True
    return False

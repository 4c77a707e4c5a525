"""How the items of a list are told apart: by the member that gives each an id of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

KEYS: Final = ("id", "key", "_key", "uuid")
"""Members that may identify the items of a list, the preferred one first."""


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


def list_key(items: Sequence[Any]) -> str | None:
    """The member that identifies the items of this list, or None.

    Every item is an object and has it, as a string or number of its own.

    >>> list_key([{"id": 1}, {"id": "2"}])
    'id'
    >>> list_key([{"id": 1}, {"id": "1"}]) is None
    True
    """
    return own_ids(items)[0]


def own_ids(items: Sequence[Any]) -> tuple[str | None, list[str]]:
    """The list's key and its items' ids, in order; None and no ids if it has no key."""
    if items and type(items[0]) is dict:
        for key in KEYS:
            if key in items[0] and (ids := ids_by(items, key)) is not None:
                return key, ids
    return None, []


def shared_ids(*lists: Sequence[Any]) -> list[list[str]] | None:
    """The ids of the items of each list, under one key that all have, or None; empty lists fit.

    >>> shared_ids([{"id": 1, "key": "a"}], [], [{"key": "b"}])
    [['a'], [], ['b']]
    """
    for key in KEYS:
        found = [ids for items in lists if (ids := ids_by(items, key)) is not None]
        if len(found) == len(lists) and not _ambiguous(lists, found, key):
            return found
    return None


def repeats_ids(items: Sequence[Any]) -> bool:
    """Whether two items of a list have the same id."""
    for key in KEYS:
        ids = [id_ for item in items if (id_ := id_of(item, key)) is not None]
        if len(set(ids)) < len(ids):
            return True
    return False


def _ambiguous(lists: Sequence[Sequence[Any]], found: Sequence[list[str]], key: str) -> bool:
    """Whether an id means one item under `key` and another under a key that goes before it.

    While a list changes step by step, the other key may come to identify all of its items.
    """
    if key == KEYS[0]:
        return False
    known = set().union(*found)
    for items, ids in zip(lists, found, strict=True):
        for item, own in zip(items, ids, strict=True):
            others = {id_of(item, other) for other in KEYS if other != key}
            if not known.isdisjoint(others - {own}):
                return True
    return False

"""A JSON value under change: each container is copied once, on the way to its first change."""

from __future__ import annotations

from typing import Any, Final

from domain.errors import CannotApply
from domain.identity import KEYS, Keys, along, id_of, key_at, own_ids, preferred
from domain.path import as_id, as_index, position, step
from domain.value import Json

_SHORT_LIST: Final = 8


class _Places:
    """The ids of one list, and where they were seen; a place is checked on use."""

    __slots__ = ("declared", "items", "key", "places", "taken")

    def __init__(self, items: list[Json], declared: str | None) -> None:
        self.items, self.declared = items, declared
        key, ids = own_ids(items, declared)
        keys = preferred(declared)
        self.key = key or keys[0]
        self.places = {id_: place for place, id_ in enumerate(ids)}
        self.taken = set(ids) if key else {id_of(item, any_) for item in items for any_ in keys}

    def add(self, id_: str, place: int) -> None:
        self.places[id_] = place
        self.taken.add(id_)

    def drop(self, id_: str) -> None:
        self.places.pop(id_, None)
        self.taken.discard(id_)

    def find(self, wanted: str) -> int | None:
        place = self.places.get(wanted)
        return place if place is not None and self.has(wanted, place) else None

    def has(self, wanted: str, place: int) -> bool:
        """Whether the item with this id is at this place."""
        return 0 <= place < len(self.items) and id_of(self.items[place], self.key) == wanted


class Working:
    """The value so far, as `root`; what it was made from is never touched.

    Every method takes the tokens of a path and raises CannotApply if they do not fit. `keys` are
    the declared list keys by which `id:` tokens are found.
    """

    __slots__ = ("_owned", "_seen", "keys", "root")

    def __init__(self, root: Json, keys: Keys | None = None) -> None:
        self.root, self.keys = root, keys
        # By id(); they hold the container too, so that no id is used twice.
        self._owned: dict[int, Json] = {}
        self._seen: dict[int, _Places] = {}

    def get(self, tokens: tuple[str, ...]) -> Json:
        """The value there. It may be put in a second place: from now on nothing is owned."""
        self._owned.clear()
        return self._walk(tokens)

    def add(self, tokens: tuple[str, ...], value: Json) -> None:
        """Put a member, or insert an item before the one there (RFC 6902 `add`)."""
        if not tokens:
            self.root = value
            return
        parent, last = self._parent(tokens), tokens[-1]
        if type(parent) is dict:
            self._forget_ids(last)
            parent[last] = value
        elif (id_ := as_id(last)) is None:
            index = len(parent) if last == "-" else as_index(last)
            self._insert(parent, index, value)
        else:
            self._insert_new(parent, self._key(tokens), len(parent), id_, value)

    def create(self, tokens: tuple[str, ...], value: Json) -> None:
        """Put a member that is not there yet, or insert an item."""
        parent = self._parent(tokens)
        if type(parent) is dict and tokens[-1] in parent:
            raise CannotApply("there is a value already")
        self.add(tokens, value)

    def insert(self, tokens: tuple[str, ...], index: int, value: Json) -> None:
        """Insert a new item, named by its id, at `index`."""
        parent, id_ = self._parent(tokens), as_id(tokens[-1])
        if type(parent) is not list or id_ is None:
            raise CannotApply("only an item of a list that has an id has an index of its own")
        self._insert_new(parent, self._key(tokens), index, id_, value)

    def shift(self, tokens: tuple[str, ...], here: int, there: int) -> None:
        """Move the item named by its id from one index of its list to another."""
        items, wanted = self._parent(tokens), as_id(tokens[-1])
        if type(items) is not list or not (0 <= here < len(items) and 0 <= there < len(items)):
            raise CannotApply(f"there is no list with places {here} and {there}")
        if all(id_of(items[here], key) != wanted for key in preferred(self._key(tokens))):
            raise CannotApply(f"item {here} does not have the id {wanted!r}")
        items.insert(there, items.pop(here))

    def replace(self, tokens: tuple[str, ...], value: Json) -> Json:
        """Put another value in place of one; gives the old one."""
        if not tokens:
            old, self.root = self.root, value
            return old
        parent, last = self._parent(tokens), tokens[-1]
        if type(parent) is dict:
            old = step(parent, last)
            self._forget_ids(last)
            parent[last] = value
        else:
            place = self._position(parent, last, self._key(tokens))
            old, parent[place] = parent[place], value
            self._seen.clear()
        return old

    def remove(self, tokens: tuple[str, ...], expected: int | None = None) -> Json:
        """Take a value out; gives it. `expected` is where an item with an id is likely to be."""
        if not tokens:
            raise CannotApply("the whole form cannot be removed")
        parent, last = self._parent(tokens), tokens[-1]
        if type(parent) is dict:
            old = step(parent, last)
            self._forget_ids(last)
            del parent[last]
            return old
        return self._take(parent, self._key(tokens), last, expected)

    def _take(self, items: list[Json], key: str | None, last: str, expected: int | None) -> Json:
        wanted = as_id(last)
        if wanted is None:
            self._seen.clear()
            return items.pop(position(items, last))
        places = self._places(items, key)
        if expected is None or not places.has(wanted, expected):
            expected = self._position(items, last, key)
        self._places(items, key).drop(wanted)
        return items.pop(expected)

    def _insert(self, items: list[Json], index: int, value: Json) -> None:
        if not 0 <= index <= len(items):
            raise CannotApply(f"the list has {len(items)} items, so none goes in at {index}")
        self._seen.clear()
        items.insert(index, value)

    def _insert_new(
        self, items: list[Json], declared: str | None, index: int, id_: str, value: Json
    ) -> None:
        places = self._places(items, declared)
        if id_ in places.taken:
            raise CannotApply(f"there is an item with the id {id_!r} already; use replace")
        if not 0 <= index <= len(items):
            raise CannotApply(f"the list has {len(items)} items, so none goes in at {index}")
        if all(id_of(value, key) != id_ for key in preferred(declared)):
            raise CannotApply(f"the value of a new item must carry its id, {id_!r}")
        items.insert(index, value)
        places.add(id_, index)

    def _key(self, tokens: tuple[str, ...]) -> str | None:
        """The declared key of the list whose item the tokens name."""
        return key_at(self.keys, tokens[:-1])

    def _parent(self, tokens: tuple[str, ...]) -> Any:
        """The container of the place, with all above it ours to change."""
        here = self.root = self._own(self.root)
        if len(tokens) == 1:
            return here
        above = tokens[:-1]
        for token, key in zip(above, along(self.keys, above), strict=False):
            at: Any = token if type(here) is dict else self._position(here, token, key)
            if type(here) is dict and token not in here:
                raise CannotApply(f"there is no member {token!r}")
            below = self._own(here[at])
            here[at] = here = below
        return here

    def _own(self, value: Json) -> Json:
        if id(value) in self._owned:
            return value
        if type(value) is not dict and type(value) is not list:
            raise CannotApply("a plain value has no members or items")
        mine = value.copy()
        self._owned[id(mine)] = mine
        return mine

    def _walk(self, tokens: tuple[str, ...]) -> Json:
        here = self.root
        for token, key in zip(tokens, along(self.keys, tokens), strict=False):
            is_list = type(here) is list
            here = here[self._position(here, token, key)] if is_list else step(here, token)
        return here

    def _position(self, items: list[Json], token: str, key: str | None) -> int:
        wanted = as_id(token)
        if wanted is None or len(items) <= _SHORT_LIST:
            return position(items, token, key)
        place = self._places(items, key).find(wanted)
        if place is None:
            self._seen.pop(id(items))
            place = self._places(items, key).find(wanted)
        return position(items, token, key) if place is None else place

    def _places(self, items: list[Json], declared: str | None) -> _Places:
        seen = self._seen.get(id(items))
        if seen is None or seen.declared != declared:
            seen = self._seen[id(items)] = _Places(items, declared)
        return seen

    def _forget_ids(self, name: str) -> None:
        if name in KEYS or (self.keys is not None and name in self.keys.names):
            self._seen.clear()

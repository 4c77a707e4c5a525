"""Two edits of one form merged over their common base, value by value.

Decision: what cannot be merged is a clash, and the merged form holds our value there; both values
and the base are reported, nothing is dropped. Objects merge by member, lists of objects by id with
order apart from content, other lists as sequences, long text by words, all else whole. Considered:
markers in the text, or last writer wins; the first breaks forms, the second loses work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from domain.identity import repeats_ids, shared_ids
from domain.path import ABSENT as ABSENT
from domain.path import child, id_token
from domain.readings import Readings, both_inserted, each_once, read, read_texts, repeats
from domain.restore import restore as restore
from domain.threeway import merge_orders, old_order
from domain.value import Data, Json, is_long_text, same

Maybe: TypeAlias = Json
"""A value, or ABSENT."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Both sides changed the same, differently; by path, with no entry where there is no value.

    There is one path, or those of a merge group. Of a long text or a list the values are whole,
    and differ only where the sides clash. `group` are all the group's paths, also unchanged ones.
    """

    paths: tuple[str, ...]
    base: Mapping[str, Json]
    ours: Mapping[str, Json]
    theirs: Mapping[str, Json]
    group: tuple[str, ...] | None = None

    @property
    def path(self) -> str:
        """The path, or the first of a merge group."""
        return self.paths[0]


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged form, with our value at each clash."""

    data: Data
    clashes: tuple[Clash, ...] = ()


def merge(base: Data, ours: Data, theirs: Data) -> Merged:
    """Everything that either side changed since `base`.

    >>> merge({"fee": 100}, {"fee": 250}, {"fee": 100, "title": "Jazz"})
    Merged(data={'fee': 250, 'title': 'Jazz'}, clashes=())
    """
    merging = _Merging()
    data = merging.value("", base, ours, theirs)
    return Merged(data, tuple(merging.clashes))


def clash_at(path: str, base: Maybe, ours: Maybe, theirs: Maybe) -> Clash:
    """A clash of one path; each value may be ABSENT."""
    sides = [{} if value is ABSENT else {path: value} for value in (base, ours, theirs)]
    return Clash((path,), sides[0], sides[1], sides[2])


class _Merging:
    """One merge under way; it collects the clashes."""

    def __init__(self) -> None:
        self.clashes: list[Clash] = []

    def value(self, path: str, base: Maybe, ours: Maybe, theirs: Maybe) -> Maybe:
        """The merged value at a path; each may be ABSENT."""
        if theirs is base or same(ours, theirs) or same(base, theirs):
            return ours
        if same(base, ours):
            return theirs
        return self._both_changed(path, base, ours, theirs)

    def _both_changed(self, path: str, base: Maybe, ours: Maybe, theirs: Maybe) -> Maybe:
        kind = type(ours)
        if kind is type(theirs):
            # Where there was nothing, or null, two new objects or lists are merged as well.
            known = kind() if base is None or base is ABSENT else base
            if kind is dict and type(known) is dict:
                return self._objects(path, known, ours, theirs)
            if kind is list and type(known) is list:
                return self._lists(path, known, ours, theirs)
            if kind is str and type(base) is str and any(map(is_long_text, (base, ours, theirs))):
                return self._settled(path, *read_texts(base, ours, theirs))
        return self._clash(path, base, ours, theirs)

    def _clash(self, path: str, base: Maybe, ours: Maybe, theirs: Maybe) -> Maybe:
        self.clashes.append(clash_at(path, base, ours, theirs))
        return ours

    def _settled(self, path: str, base: Json, ours: Json, theirs: Json) -> Json:
        """What was read: a clash unless both sides came to read the same."""
        return ours if same(ours, theirs) else self._clash(path, base, ours, theirs)

    def _objects(self, path: str, base: Data, ours: Data, theirs: Data) -> Data:
        result = dict(ours)
        for name in [*theirs, *(name for name in base if name not in theirs)]:
            before, its = base.get(name, ABSENT), theirs.get(name, ABSENT)
            if before is its:
                continue
            merged = self.value(child(path, name), before, ours.get(name, ABSENT), its)
            if merged is not ABSENT:
                result[name] = merged
            else:
                result.pop(name, None)
        return result

    def _lists(self, path: str, base: list[Json], ours: list[Json], theirs: list[Json]) -> Json:
        ids = shared_ids(base, ours, theirs)
        if ids is None:
            return self._sequences(path, base, ours, theirs)
        sides = zip(ids, (base, ours, theirs), strict=True)
        return self._items(path, *(dict(zip(*side, strict=True)) for side in sides))

    def _items(self, path: str, base: Data, ours: Data, theirs: Data) -> Json:
        """Lists whose items have ids: item by item, and then their order."""
        merged: Data = {}
        for id_ in {**ours, **theirs}:
            sides = (side.get(id_, ABSENT) for side in (base, ours, theirs))
            item = self.value(child(path, id_token(id_)), *sides)
            if item is not ABSENT:
                merged[id_] = item
        order = merge_orders(list(base), list(ours), list(theirs))
        orders = [order.ids]
        if order.contested:
            its = merge_orders(list(base), list(theirs), list(ours))
            orders = [old_order(list(base), order.ids), order.ids, its.ids]
        lists = [[merged[id_] for id_ in ids if id_ in merged] for ids in orders]
        return self._clash(path, *lists) if order.contested else lists[0]

    def _sequences(self, path: str, base: list[Json], ours: list[Json], theirs: list[Json]) -> Json:
        """Lists whose items have no ids: by position, as words are in a text."""
        known = len(self.clashes)
        found = read(base, ours, theirs, lambda *sides: self._contested(path, *sides))
        sides = [found.base, found.ours, found.theirs]
        if not repeats(ours) and not repeats(theirs):
            sides = [each_once(side) for side in sides]
        doubled = any(map(repeats_ids, sides)) and not any(map(repeats_ids, (ours, theirs)))
        if doubled:
            del self.clashes[known:]
            return self._clash(path, base, ours, theirs)
        return self._settled(path, *sides)

    def _contested(
        self,
        path: str,
        readings: Readings,
        base: Sequence[Json],
        ours: Sequence[Json],
        theirs: Sequence[Json],
    ) -> None:
        if not base:
            readings.agree(both_inserted(ours, theirs))
        elif len(base) == len(ours) == len(theirs) and _are_objects([*base, *ours, *theirs]):
            for before, mine, its in zip(base, ours, theirs, strict=True):
                at = child(path, str(len(readings.ours)))
                readings.agree([self.value(at, before, mine, its)])
        else:
            readings.differ(base, ours, theirs)


def _are_objects(items: Sequence[Json]) -> bool:
    return all(type(item) is dict for item in items)

"""Two edits of one form merged over their common base, value by value.

Decision: what cannot be merged is a clash, and the merged form holds our value there; both values
and the base are reported, nothing is dropped. Objects merge by member, lists of objects by id with
order apart from content, other lists as sequences, long text by words, all else whole; a form
definition may say otherwise of a path. Considered: markers in the text, or last writer wins; the
first breaks forms, the second loses work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain import groups
from domain.clash import Clash as Clash
from domain.clash import Maybe
from domain.clash import clash_at as clash_at
from domain.form import NOWHERE, Form, Node
from domain.identity import own_ids, repeats_ids, shared_ids
from domain.path import ABSENT as ABSENT
from domain.path import child, id_token
from domain.readings import (
    Readings,
    both_inserted,
    each_once,
    read,
    read_texts,
    repeats,
    united,
)
from domain.threeway import merge_orders, orders_in_dispute
from domain.value import Data, Json, is_long_text, same


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged form, with our value at each clash."""

    data: Data
    clashes: tuple[Clash, ...] = ()


def merge(base: Data, ours: Data, theirs: Data, form: Form | None = None) -> Merged:
    """Everything that either side changed since `base`, by the rules of the form's definition.

    >>> merge({"fee": 100}, {"fee": 250}, {"fee": 100, "title": "Jazz"})
    Merged(data={'fee': 250, 'title': 'Jazz'}, clashes=())
    """
    merging = _Merging()
    data = merging.value("", NOWHERE if form is None else form.root, base, ours, theirs)
    return Merged(data, tuple(merging.clashes))


class _Merging:
    """One merge under way; it collects the clashes. A node is what the definition says of a path.

    Each of the three values may be ABSENT.
    """

    def __init__(self) -> None:
        self.clashes: list[Clash] = []

    def value(self, path: str, node: Node, base: Maybe, ours: Maybe, theirs: Maybe) -> Maybe:
        """The merged value at a path."""
        if theirs is base or same(ours, theirs) or same(base, theirs):
            return ours
        if same(base, ours):
            return theirs
        if node.rule.merge == "atomic" or type(ours) is not type(theirs):
            return self._clash(path, base, ours, theirs)
        return self._both_changed(path, node, base, ours, theirs)

    def _both_changed(
        self, path: str, node: Node, base: Maybe, ours: Maybe, theirs: Maybe
    ) -> Maybe:
        kind = type(ours)
        # Where there was nothing, or null, two new objects or lists are merged as well.
        known = kind() if base is None or base is ABSENT else base
        if kind is dict and type(known) is dict:
            return self._objects(path, node, known, ours, theirs)
        if kind is list and type(known) is list:
            return self._lists(path, node, known, ours, theirs)
        if kind is str and type(base) is str and _merges_by_words(node, base, ours, theirs):
            return self._settled(path, *read_texts(base, ours, theirs))
        return self._clash(path, base, ours, theirs)

    def _clash(self, path: str, base: Maybe, ours: Maybe, theirs: Maybe) -> Maybe:
        self.clashes.append(clash_at(path, base, ours, theirs))
        return ours

    def _settled(self, path: str, base: Json, ours: Json, theirs: Json) -> Json:
        """What was read: a clash unless both sides came to read the same."""
        return ours if same(ours, theirs) else self._clash(path, base, ours, theirs)

    def _objects(self, path: str, node: Node, base: Data, ours: Data, theirs: Data) -> Data:
        known = len(self.clashes)
        result = dict(ours)
        for name in [*theirs, *(name for name in base if name not in theirs)]:
            before, its = base.get(name, ABSENT), theirs.get(name, ABSENT)
            if before is its:
                continue
            mine = ours.get(name, ABSENT)
            merged = self.value(child(path, name), node.below(name), before, mine, its)
            if merged is not ABSENT:
                result[name] = merged
            else:
                result.pop(name, None)
        return self._grouped(path, node, (base, ours, theirs), result, known)

    def _grouped(
        self, path: str, node: Node, sides: tuple[Data, Data, Data], merged: Data, known: int
    ) -> Data:
        """The merged object with its groups whole; its clashes are those from `known` on."""
        if node.groups:
            inside = self.clashes[known:]
            for group in node.groups:
                merged = groups.settle(path, group, sides, merged, inside)
            self.clashes[known:] = inside
        return merged

    def _lists(
        self, path: str, node: Node, base: list[Json], ours: list[Json], theirs: list[Json]
    ) -> Json:
        if node.rule.merge == "set":
            return united(base, ours, theirs)
        known, declared = len(self.clashes), node.rule.key
        shared = shared_ids(base, ours, theirs, declared=declared)
        if shared is not None:
            sides = zip(shared.ids, (base, ours, theirs), strict=True)
            items = self._items(path, node, *(dict(zip(*side, strict=True)) for side in sides))
            # What goes by other ids than the declared ones must not look as if it went by these.
            if declared in (None, shared.key) or own_ids(items, declared)[0] != declared:
                return items
            del self.clashes[known:]
        return self._sequences(path, node, base, ours, theirs)

    def _items(self, path: str, node: Node, base: Data, ours: Data, theirs: Data) -> Json:
        """Lists whose items have ids: item by item, and then their order."""
        merged: Data = {}
        for id_ in {**ours, **theirs}:
            token = id_token(id_)
            sides = (side.get(id_, ABSENT) for side in (base, ours, theirs))
            item = self.value(child(path, token), node.below(token), *sides)
            if item is not ABSENT:
                merged[id_] = item
        ids = list(base), list(ours), list(theirs)
        order = merge_orders(*ids)
        if not order.contested:
            return [merged[id_] for id_ in order.ids if id_ in merged]
        orders = orders_in_dispute(*ids, merged)
        return self._clash(path, *([merged[id_] for id_ in one] for one in orders))

    def _sequences(
        self, path: str, node: Node, base: list[Json], ours: list[Json], theirs: list[Json]
    ) -> Json:
        """Lists whose items have no ids: by position, as words are in a text."""
        known = len(self.clashes)
        found = read(base, ours, theirs, lambda *sides: self._contested(path, node, *sides))
        sides = [found.base, found.ours, found.theirs]
        if not repeats(ours) and not repeats(theirs):
            sides[1:] = [each_once(side) for side in sides[1:]]
        if any(repeats_ids(side, node.rule.key) for side in sides) and not any(
            repeats_ids(side, node.rule.key) for side in (ours, theirs)
        ):
            del self.clashes[known:]
            return self._clash(path, base, ours, theirs)
        return self._settled(path, *sides)

    def _contested(
        self,
        path: str,
        node: Node,
        readings: Readings,
        base: Sequence[Json],
        ours: Sequence[Json],
        theirs: Sequence[Json],
    ) -> None:
        if not base:
            readings.agree(both_inserted(ours, theirs))
        elif len(base) == len(ours) == len(theirs) and _are_objects([*base, *ours, *theirs]):
            for before, mine, its in zip(base, ours, theirs, strict=True):
                token = str(len(readings.ours))
                item = self.value(child(path, token), node.below(token), before, mine, its)
                readings.agree([item])
        else:
            readings.differ(base, ours, theirs)


def _merges_by_words(node: Node, *texts: str) -> bool:
    return node.rule.merge == "text" or any(map(is_long_text, texts))


def _are_objects(items: Sequence[Json]) -> bool:
    return all(type(item) is dict for item in items)

"""What every merge holds to, whatever the forms and their definition."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from domain.clash import Clash
from domain.form import Form, Node
from domain.identity import Keys, ids_by, key_at, preferred, shared_ids
from domain.merge import Merged, merge
from domain.path import ABSENT, child, find, id_token, related
from domain.value import Data, is_long_text, same


def check_laws(base: Data, ours: Data, theirs: Data, form: Form) -> None:
    kept = copy.deepcopy((base, ours, theirs))
    merged = merge(base, ours, theirs, form)
    check_one_side(base, ours, form)
    check_one_side(base, theirs, form)
    check_labels(merged, merge(base, theirs, ours, form), form.keys)
    check_clashes(base, ours, theirs, merged, form.keys)
    check_values(Result(merged, form.keys), "", form.root, base, ours, theirs)
    check_ids(merged.data, ours, theirs, form.root)
    assert same([base, ours, theirs], list(kept))


def check_one_side(base: Data, side: Data, form: Form) -> None:
    for sides in ((base, side, base), (base, base, side), (base, side, side)):
        merged = merge(*sides, form)
        assert same(merged.data, side)
        assert not merged.clashes


def check_labels(merged: Merged, swapped: Merged, keys: Keys | None) -> None:
    """Swapping the sides swaps the labels and nothing else."""
    turned = [Clash(c.paths, c.base, c.theirs, c.ours, c.group) for c in swapped.clashes]
    assert same(by_paths(merged.clashes), by_paths(turned))
    for path in leaves_that_differ("", merged.data, swapped.data, keys):
        assert clashing(path, merged), path


def by_paths(clashes: Iterable[Clash]) -> list[Any]:
    """The clashes to compare; a list in dispute holds ours where one of its items is in another."""
    found = sorted(clashes, key=lambda clash: clash.paths)
    paths = [path for clash in found for path in clash.paths]
    return [
        [*c.paths, *(c.group or ())]
        if any(path.startswith(f"{c.path}/") for path in paths)
        else [*c.paths, *(c.group or ()), *map(dict, (c.base, c.ours, c.theirs))]
        for c in found
    ]


def leaves_that_differ(path: str, a: Any, b: Any, keys: Keys | None) -> Iterable[str]:
    if same(a, b):
        return
    if type(a) is type(b) is dict:
        for name in {*a, *b}:
            sides = a.get(name, ABSENT), b.get(name, ABSENT)
            yield from leaves_that_differ(child(path, name), *sides, keys and keys.below(name))
    elif type(a) is type(b) is list and (shared := shared_ids(a, b, declared=key_at(keys))):
        items = [dict(zip(*s, strict=True)) for s in zip(shared.ids, (a, b), strict=True)]
        if list(items[0]) != list(items[1]):
            yield path
        for id_ in items[0].keys() & items[1].keys():
            token = id_token(id_)
            sides = items[0][id_], items[1][id_]
            yield from leaves_that_differ(child(path, token), *sides, keys and keys.below(token))
    else:
        yield path


def clashing(path: str, merged: Merged) -> bool:
    return any(related(path, place) for clash in merged.clashes for place in clash.paths)


def check_clashes(base: Data, ours: Data, theirs: Data, merged: Merged, keys: Keys | None) -> None:
    """Each clash is where both changed differently; the form holds ours; no path is in two."""
    for clash in merged.clashes:
        assert not same(dict(clash.ours), dict(clash.theirs))
        assert not same(dict(clash.base), dict(clash.ours))
        assert not same(dict(clash.base), dict(clash.theirs))
        for path in clash.paths:
            assert same(find(merged.data, path, keys), clash.ours.get(path, ABSENT))
    paths = [path for clash in merged.clashes for path in clash.paths]
    assert len(paths) == len(set(paths))


@dataclass(frozen=True)
class Result:
    """A merge, to look values up in."""

    merged: Merged
    keys: Keys | None

    def at(self, path: str) -> Any:
        return find(self.merged.data, path, self.keys)

    def clashes_at_or_above(self, path: str) -> bool:
        return any(path == p or path.startswith(f"{p}/") for p in self._paths())

    def clashes_below(self, path: str) -> bool:
        return any(p.startswith(f"{path}/") for p in self._paths())

    def _paths(self) -> Iterable[str]:
        return (path for clash in self.merged.clashes for path in clash.paths)


def check_values(result: Result, path: str, node: Node, *sides: Any) -> None:
    """What one side changed is there; where both changed differently, it merges or clashes."""
    base, ours, theirs = sides
    if result.clashes_at_or_above(path):
        return
    parts = list(parts_of(node, *sides))
    if not result.clashes_below(path):
        changed = [side for side in (ours, theirs) if not same(base, side)] or [base]
        if len(changed) == 1 or same(ours, theirs):
            assert same(result.at(path), changed[0]), path
        else:
            assert parts or merges_inside(node, *sides), path
    for token, inner in parts:
        check_values(result, child(path, token), node.below(token), *inner)


def parts_of(node: Node, base: Any, ours: Any, theirs: Any) -> Iterable[tuple[str, list[Any]]]:
    """The members or items that are merged one by one."""
    if node.rule.merge == "atomic" or type(ours) not in (dict, list):
        return
    if node.rule.merge == "set" and type(ours) is list:
        return
    sides = [type(ours)() if base is None or base is ABSENT else base, ours, theirs]
    if [type(side) for side in sides] == [list] * 3:
        shared = shared_ids(*sides, declared=node.rule.key)
        items = zip(shared.ids, sides, strict=True) if shared else ()
        sides = [{id_token(i): v for i, v in zip(*one, strict=True)} for one in items]
    if [type(side) for side in sides] == [dict] * 3:
        for name in {name: None for side in sides for name in side}:
            yield name, [side.get(name, ABSENT) for side in sides]


def merges_inside(node: Node, base: Any, ours: Any, theirs: Any) -> bool:
    """Whether two changes of a text or a list may both stand."""
    if node.rule.merge == "atomic" or type(ours) is not type(theirs):
        return False
    if type(ours) is str:
        words = node.rule.merge == "text" or any(map(is_long_text, (base, ours, theirs)))
        return type(base) is str and words
    return type(ours) is list and (base is None or base is ABSENT or type(base) is list)


def check_ids(value: Any, ours: Any, theirs: Any, node: Node) -> None:
    """A list whose items had ids of their own on both sides still has."""
    sides = (ours, theirs)
    if type(value) is type(ours) is type(theirs) is dict:
        for name in value:
            if name in ours and name in theirs:
                check_ids(value[name], ours[name], theirs[name], node.below(name))
    if type(value) is type(ours) is type(theirs) is list and node.rule.merge != "set":
        keys = preferred(node.rule.key)
        shared = [key for key in keys if all(ids_by(side, key) is not None for side in sides)]
        assert not shared or ids_by(value, shared[0]) is not None

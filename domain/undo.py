"""Taking back one step of a form's history and keeping everything later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from domain.diff import diff
from domain.errors import CannotApply
from domain.form import Form
from domain.identity import Keys, key_at, shared_ids
from domain.merge import Clash, merge
from domain.path import ABSENT, as_id, find, join, parse, related
from domain.restore import restore
from domain.value import Data, Json, same
from domain.working import Working

Outcome: TypeAlias = Literal["undone", "superseded", "dependent"]
"""Taken back; changed again since, so nothing done; or its list item or parent is gone."""


_Kind: TypeAlias = Literal["none", "by id", "by position"]
"""How a list was merged, if there is one."""


@dataclass(frozen=True, slots=True)
class Undone:
    """The form without the step, and what became of each path that the step had changed."""

    data: Data
    outcomes: tuple[tuple[str, Outcome], ...]


def undo(
    before: Data,
    after: Data,
    now: Data,
    paths: Sequence[str] | None = None,
    form: Form | None = None,
) -> Undone:
    """Take the step from `before` to `after` back from `now`; at or below `paths` only, if given.

    >>> undo({"fee": 1, "title": "a"}, {"fee": 2, "title": "b"}, {"fee": 2, "title": "c"})
    Undone(data={'fee': 1, 'title': 'c'}, outcomes=(('/fee', 'undone'), ('/title', 'superseded')))
    """
    keys = None if form is None else form.keys
    target = before if paths is None else _only(before, after, paths, keys)
    merged = merge(after, now, target, form)
    forms = [Working(data, keys) for data in (target, now, merged.data)]
    look = _Look(forms[0], forms[1], forms[2], merged.clashes)
    lists = _Lists((after, now, target), keys)
    outcomes: dict[str, Outcome] = {}
    refused: list[str] = []
    for change in diff(target, after, keys):
        path = lists.whole(change["path"])
        moved = change["op"] == "move" and path == change["path"]
        if path not in outcomes:
            outcomes[path] = look.move(path) if moved else look.value(path)
            if outcomes[path] != "undone" and not moved:
                refused.append(path)
    return Undone(_left_alone(merged.data, now, refused, keys), tuple(outcomes.items()))


def _only(before: Data, after: Data, paths: Sequence[str], keys: Keys | None) -> Data:
    """`after` with the step taken back at these paths; the step had nothing at others."""
    known = [p for p in paths if any(find(d, p, keys) is not ABSENT for d in (before, after))]
    return restore(after, before, known, keys)


def _left_alone(data: Data, now: Data, paths: Sequence[str], keys: Keys | None) -> Data:
    """Where nothing was to be done, not even a part of it is."""
    there = [p for p in paths if not same(find(data, p, keys), find(now, p, keys))]
    return restore(data, now, there, keys)


class _Lists:
    """How the lists of all sides were merged; each list is looked at once."""

    def __init__(self, sides: Sequence[Data], keys: Keys | None) -> None:
        self._sides, self._keys = sides, keys
        self._kinds: dict[str, _Kind] = {}

    def whole(self, path: str) -> str:
        """The path, cut where it enters a list merged by position: its places do not last."""
        tokens = parse(path)
        for depth, token in enumerate(tokens):
            above = join(*tokens[:depth])
            kind = self._kinds.get(above) or self._look(above, tokens[:depth])
            if kind == "by position" or (kind == "by id" and as_id(token) is None):
                return above
        return path

    def _look(self, path: str, tokens: tuple[str, ...]) -> _Kind:
        found = (find(side, path, self._keys) for side in self._sides)
        lists = [value for value in found if type(value) is list]
        shared = shared_ids(*lists, declared=key_at(self._keys, tokens))
        merged: _Kind = "by position" if shared is None else "by id"
        self._kinds[path] = merged if lists else "none"
        return self._kinds[path]


@dataclass(frozen=True, slots=True)
class _Look:
    """What the outcome of a path depends on."""

    target: Working
    now: Working
    result: Working
    clashes: Sequence[Clash]

    def value(self, path: str) -> Outcome:
        """What became of the value at a path."""
        tokens = parse(path)
        if same(_found(self.result, tokens), _found(self.target, tokens)):
            return "undone"
        if _found(self.now, tokens[:-1]) is ABSENT:
            return "dependent"
        return self._unless(not _is_order_above(clash, path) for clash in self._clashes(path))

    def move(self, path: str) -> Outcome:
        """What became of an item's place in its list."""
        if _found(self.now, parse(path)) is ABSENT:
            return "dependent"
        return self._unless(
            any(not place.startswith(path) for place in clash.paths)
            for clash in self._clashes(path)
        )

    def _clashes(self, path: str) -> list[Clash]:
        return [c for c in self.clashes if any(related(place, path) for place in c.paths)]

    def _unless(self, in_the_way: Iterable[bool]) -> Outcome:
        return "superseded" if any(in_the_way) else "undone"


def _found(form: Working, tokens: tuple[str, ...]) -> Json:
    """The value there, or ABSENT; a form that is asked often remembers where its items are."""
    try:
        return form.get(tokens)
    except CannotApply:
        return ABSENT


def _is_order_above(clash: Clash, path: str) -> bool:
    """Whether only the order of a list is in dispute, and the path is inside one of its items."""
    sides = (clash.base, clash.ours, clash.theirs)
    lists = clash.group is None and all(type(side.get(clash.path)) is list for side in sides)
    return lists and path != clash.path and path.startswith(clash.path)

"""Taking back one step of a form's history and keeping everything later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from domain.diff import diff
from domain.merge import Clash, merge
from domain.path import ABSENT, as_id, find, join, parse, related, step
from domain.restore import restore
from domain.value import Data, Json, same

Outcome: TypeAlias = Literal["undone", "superseded", "dependent"]
"""Taken back; changed again since, so nothing done; or its list item or parent is gone."""


@dataclass(frozen=True, slots=True)
class Undone:
    """The form without the step, and what became of each path that the step had changed."""

    data: Data
    outcomes: tuple[tuple[str, Outcome], ...]


def undo(before: Data, after: Data, now: Data, paths: Sequence[str] | None = None) -> Undone:
    """Take the step from `before` to `after` back from `now`; at or below `paths` only, if given.

    >>> undo({"fee": 1, "title": "a"}, {"fee": 2, "title": "b"}, {"fee": 2, "title": "c"})
    Undone(data={'fee': 1, 'title': 'c'}, outcomes=(('/fee', 'undone'), ('/title', 'superseded')))
    """
    target = before if paths is None else _only(before, after, paths)
    merged = merge(after, ours=now, theirs=target)
    look = _Look(target, now, merged.data, merged.clashes)
    outcomes: dict[str, Outcome] = {}
    refused: list[str] = []
    for change in diff(target, after):
        path = _whole_list(after, change["path"])
        if path not in outcomes:
            outcomes[path] = look.outcome(change["op"], path)
            if outcomes[path] != "undone" and change["op"] != "move":
                refused.append(path)
    return Undone(_left_alone(merged.data, now, refused), tuple(outcomes.items()))


def _only(before: Data, after: Data, paths: Sequence[str]) -> Data:
    """`after` with the step taken back at these paths; the step had nothing at others."""
    known = [p for p in paths if find(before, p) is not ABSENT or find(after, p) is not ABSENT]
    return restore(after, before, known)


def _left_alone(data: Data, now: Data, paths: Sequence[str]) -> Data:
    """Where nothing was to be done, not even a part of it is."""
    there = [p for p in paths if not same(find(data, p), find(now, p))]
    return restore(data, now, there)


def _whole_list(data: Json, path: str) -> str:
    """The path, cut where it enters a list without ids: its places are not the same for ever."""
    tokens = parse(path)
    for depth, token in enumerate(tokens):
        if type(data) is list and as_id(token) is None:
            return join(*tokens[:depth])
        if depth + 1 < len(tokens):
            data = step(data, token)
    return path


@dataclass(frozen=True, slots=True)
class _Look:
    """What the outcome of a path depends on."""

    target: Data
    now: Data
    result: Data
    clashes: Sequence[Clash]

    def outcome(self, op: str, path: str) -> Outcome:
        in_the_way = [clash for clash in self.clashes if related(clash.path, path)]
        if op == "move":
            in_the_way = [clash for clash in in_the_way if not clash.path.startswith(path)]
            gone = find(self.now, path) is ABSENT
        else:
            in_the_way = [clash for clash in in_the_way if not _is_order_above(clash, path)]
            gone = find(self.now, join(*parse(path)[:-1])) is ABSENT
            if same(find(self.result, path), find(self.target, path)):
                return "undone"
        if gone:
            return "dependent"
        return "superseded" if in_the_way else "undone"


def _is_order_above(clash: Clash, path: str) -> bool:
    """Whether only the order of a list is in dispute, and the path is inside one of its items."""
    lists = all(type(side) is list for side in (clash.base, clash.ours, clash.theirs))
    return lists and path != clash.path and path.startswith(clash.path)

"""Bringing back a form, or some of its paths, as they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from domain.errors import CannotApply
from domain.identity import Keys, along, key_at, own_ids
from domain.path import ABSENT, as_id, canonical, find, join, parse, step
from domain.value import Data, Json
from domain.working import Working


def restore(
    now: Data, then: Data, paths: Sequence[str] | None = None, keys: Keys | None = None
) -> Data:
    """The form as it was `then`; with `paths`, as it is `now` except for the values there.

    What was not there then is removed. Where the parent is gone now, the nearest part of it that
    is missing comes back whole, a list item at its old place among its old neighbours.

    >>> restore({"fee": 5}, {"fee": 1, "venue": {"city": "Ghent"}}, ["/venue/city"])
    {'fee': 5, 'venue': {'city': 'Ghent'}}

    Raises:
        CannotApply: A path was neither there then nor is now.
    """
    if paths is None:
        return then
    working = Working(now, keys)
    for index, path in enumerate(paths):
        try:
            _restore_one(working, then, path)
        except CannotApply as misfit:
            raise CannotApply(misfit.detail, index=index, path=path) from None
    return cast("Data", working.root)


def _restore_one(working: Working, then: Data, path: str) -> None:
    keys = working.keys
    if find(then, path, keys) is ABSENT:
        _take_away(working, canonical(working.root, path, keys))
        return
    tokens = parse(canonical(then, path, keys))
    missing = _first_missing(working.root, then, tokens, keys)
    if missing is None:
        working.replace(tokens, find(then, path, keys))
    else:
        _bring_back(working, then, tokens[:missing])


def _take_away(working: Working, path: str) -> None:
    if find(working.root, path, working.keys) is ABSENT:
        raise CannotApply("it is not there now and was not there then")
    working.remove(parse(path))


def _first_missing(now: Json, then: Json, tokens: tuple[str, ...], keys: Keys | None) -> int | None:
    """How many tokens lead to the first value missing now, or of another kind, if there is one."""
    for depth, (token, key) in enumerate(zip(tokens, along(keys, tokens), strict=False)):
        if type(now) is not type(then):
            return depth
        try:
            now, then = step(now, token, key), step(then, token, key)
        except CannotApply:
            return depth + 1
    return None


def _bring_back(working: Working, then: Data, tokens: tuple[str, ...]) -> None:
    """Put a value where there is none, or where another kind of value is."""
    path, above, last = join(*tokens), join(*tokens[:-1]), tokens[-1]
    keys = working.keys
    value = find(then, path, keys)
    siblings, present = find(then, above, keys), find(working.root, above, keys)
    if find(working.root, path, keys) is not ABSENT:
        working.replace(tokens, value)
    elif type(siblings) is dict:
        working.add(tokens, value)
    elif (id_ := as_id(last)) is not None:
        place = _old_place(siblings, present, id_, key_at(keys, tokens[:-1]))
        working.insert(tokens, place, value)
    else:
        working.add((*tokens[:-1], str(min(int(last), len(present)))), value)


def _old_place(siblings: list[Json], present: list[Json], id_: str, key: str | None) -> int:
    """Behind the nearest item that was before it and is still there."""
    _, ids = own_ids(siblings, key)
    here = {known: place for place, known in enumerate(own_ids(present, key)[1])}
    for neighbour in reversed(ids[: ids.index(id_)] if id_ in ids else ids):
        if neighbour in here:
            return here[neighbour] + 1
    return 0 if id_ in ids else len(present)

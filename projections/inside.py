"""Which changes altered what is at a path although they are above it: that of a value around it.

An opening is such a change: it adds the whole form. The thin rows of versions name the paths of
changes only, so that a store looks into the events of those that may have one. On PostgreSQL the
function `altered_inside` of the schema does what the one here does; tests hold them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from domain.errors import CannotApply
from domain.form import Form
from domain.identity import KEYS, id_of
from domain.masking import depth_in_sight
from domain.path import ABSENT, as_id, as_index, join, parse
from domain.value import Json, same

_DEEPEST: Final = 128  # levels below which no draft has anything


@dataclass(frozen=True, slots=True)
class Inside:
    """How a path may be looked for in larger values.

    `names` are the members by which list items are told apart; `depth` is how many tokens of the
    path are followed, so that nobody finds out by asking what is in a value that is masked.
    """

    names: tuple[str, ...] = KEYS
    depth: int = _DEEPEST


ANYWHERE: Final = Inside()


def inside_of(forms: Iterable[Form], path: str, *, hides: bool) -> Inside:
    """How a path may be looked for in drafts of these forms; `hides`: past values are masked."""
    names, depth = dict.fromkeys(KEYS), _DEEPEST
    for form in forms:
        names |= dict.fromkeys(form.keys.names if form.keys else ())
        if hides and form.root.hides:
            depth = min(depth, depth_in_sight(form, _tokens(path)))
    return Inside(tuple(names), depth)


@dataclass(frozen=True, slots=True)
class Steps:
    """A path taken apart: the paths of the values around it, outermost first, and its tokens."""

    above: Sequence[str]
    tokens: Sequence[str]


@lru_cache(maxsize=256)
def steps(path: str, depth: int) -> Steps:
    """The steps to a path; none to what is no path.

    >>> steps("/acts/id:a5/fee", 9)
    Steps(above=('', '/acts', '/acts/id:a5'), tokens=('acts', 'id:a5', 'fee'))
    >>> steps("/contact/phone", 1)
    Steps(above=('', '/contact'), tokens=('contact',))
    """
    tokens = _tokens(path)
    if path and not tokens:
        return Steps((), ())
    around = range(max(1, min(len(tokens), depth + 1)))
    return Steps(tuple(join(*tokens[:n]) for n in around), tokens[:depth])


def _tokens(path: str) -> Sequence[str]:
    try:
        return parse(path)
    except CannotApply:
        return ()


def altered_inside(state: bytes, path: str, inside: Inside) -> int:
    """How many changes of a stored event altered a path although they are of a value around it."""
    return sum(alters_inside(change, path, inside) for change in _changes(orjson.loads(state)))


def alters_inside(change: Mapping[str, Any], path: str, inside: Inside) -> bool:
    """Whether a change of a value around the path altered what is there."""
    way = steps(path, inside.depth)
    if change["path"] not in way.above:
        return False
    tokens = way.tokens[way.above.index(change["path"]) :]
    before, after = (_at(change.get(side, ABSENT), tokens, inside.names) for side in _SIDES)
    return not same(before, after)


def opening(data: Json) -> dict[str, Any]:
    """What an opening with these data is, as a change."""
    return {"path": "", "before": {}, "after": data}


_SIDES: Final = ("before", "after")


def _changes(event: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [opening(event["data"])] if "data" in event else event.get("changes", ())


def _at(value: Any, tokens: Sequence[str], names: Sequence[str]) -> Any:
    for token in tokens:
        if type(value) is dict:
            value = value.get(token, ABSENT)
        elif type(value) is list:
            value = _item(value, token, names)
        else:
            return ABSENT
    return value


def _item(items: Sequence[Any], token: str, names: Sequence[str]) -> Any:
    if (wanted := as_id(token)) is not None:
        found = (item for name in names for item in items if id_of(item, name) == wanted)
        return next(found, ABSENT)
    try:
        return items[as_index(token)]
    except (CannotApply, IndexError):
        return ABSENT

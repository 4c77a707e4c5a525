"""Where a conflict is: at the place of another, moved along with the draft, or lifted above it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import TypeAlias, cast

from domain.clash import Clash
from domain.conflict import (
    Conflict,
    Met,
    Side,
    Values,
    Write,
    put,
    still_different,
    values_at,
    with_entries,
    with_values,
)
from domain.merge import merge
from domain.path import ABSENT, as_id, join, parse, related
from domain.value import Data, Json, is_long_text, same

_Dispute: TypeAlias = tuple[Sequence[str], Sequence[Mapping[str, Json]]]
"""The paths of a clash or conflict, and the values of its sides."""


def at_lasting_places(met: Sequence[Met], write: Write) -> list[Met]:
    """The same; those inside a list that goes by position are one about the whole list.

    Its places do not last: the next item that somebody puts in moves them.
    """
    found: dict[tuple[str, ...], list[Met]] = {}
    for one in met:
        places = dict.fromkeys(_lasting(write, path) for path in one.clash.paths)
        found.setdefault(tuple(places), []).append(one)
    return [joined(places, some, write) for places, some in found.items()]


def _lasting(write: Write, path: str) -> str:
    """The path, cut where it enters a list by the number of an item."""
    tokens = parse(path)
    for depth, token in enumerate(tokens):
        above = join(*tokens[:depth])
        if as_id(token) is None and type(write.find(write.after, above)) is list:
            return above
    return path


def joined(places: tuple[str, ...], some: Sequence[Met], write: Write) -> Met:
    """Clashes as one, at places above them: each side holds there what it holds of them all."""
    if len(some) == 1 and some[0].clash.paths == places:
        return some[0]
    base = theirs = write.after
    for clash in (one.clash for one in some):
        base = _both(write, base, put(write.after, clash.paths, clash.base, write.keys))
        theirs = _both(write, theirs, put(write.after, clash.paths, clash.theirs, write.keys))
    held = partial(values_at, paths=places, keys=write.keys)
    return Met(Clash(places, held(base), held(write.after), held(theirs)), some[0].ours)


def _both(write: Write, one: Data, other: Data) -> Data:
    return merge(write.after, one, other, write.form).data


def is_about(conflict: Conflict, clash: Clash) -> bool:
    """Whether a clash is about the same as a conflict."""
    return are_one(dispute_of(conflict), (clash.paths, (clash.ours, clash.theirs)))


def are_one(one: _Dispute, other: _Dispute) -> bool:
    """Whether two disputes are about the same: the order of a list and its items are two things."""
    if not set(one[0]).isdisjoint(other[0]):
        return True
    lists = _are_lists(one[1]) or _are_lists(other[1])
    return not lists and any(related(*pair) for pair in product(one[0], other[0]))


def _are_lists(sides: Iterable[Mapping[str, Json]]) -> bool:
    return all([type(value) for value in side.values()] == [list] for side in sides)


def dispute_of(conflict: Conflict) -> _Dispute:
    """What a conflict is about."""
    theirs = (side["values"] for side in conflict["theirs"])
    return conflict["paths"], [conflict["ours"]["values"], *theirs]


def level(conflict: Conflict, again: Sequence[Met], write: Write) -> tuple[Conflict, Sequence[Met]]:
    """A conflict and the clashes that are about the same, all at the outermost of their places."""
    paths = [*conflict["paths"], *(path for one in again for path in one.clash.paths)]
    places = outermost(paths)
    if len(places) == len(set(paths)):
        return conflict, again
    return lifted(conflict, places, write.before, write), [joined(places, again, write)]


def outermost(paths: Sequence[str]) -> tuple[str, ...]:
    """The paths without those that lie below another one."""
    above = (min((other for other in paths if related(other, path)), key=len) for path in paths)
    return tuple(dict.fromkeys(above))


def folded(conflict: Conflict, other: Conflict, write: Write) -> Conflict:
    """Two conflicts about the same as one: each device wants what it wants in both."""
    paths, keys = conflict["paths"], write.keys
    gone = any(write.find(write.after, path) is ABSENT for path in paths)
    common = write.before if gone else write.after

    def both(here: Values, there: Values) -> Values:
        one, two = (put(common, paths, values, keys) for values in (here, there))
        return values_at(merge(common, one, two, write.form).data, paths, keys)

    theirs = {_names(side): side for side in conflict["theirs"]}
    for side in other["theirs"]:
        known = theirs.get(_names(side))
        values = both(known["values"], side["values"]) if known else side["values"]
        theirs[_names(side)] = with_values(side, values)
    base = both(conflict["base"], other["base"])
    alone = cast("Conflict", {**conflict, "base": base, "theirs": []})
    return still_different(with_entries(alone, list(theirs.values())))


def _names(side: Side) -> tuple[str | None, ...]:
    """Whose entry it is."""
    return side.get("fork"), side["device"], None if side["device"] else side["by"]


def moved_along(conflict: Conflict, write: Write) -> Conflict:
    """The same conflict over what the draft holds now; the other values take the step as well."""
    paths = conflict["paths"]
    places = list(dict.fromkeys(_standing_place(write, path) for path in paths))
    if places != paths:
        conflict = lifted(conflict, places, write.before, write)
    elif all(same(write.find(write.before, p), write.find(write.after, p)) for p in paths):
        return conflict
    return Conflict(
        id=conflict["id"],
        paths=places,
        group=conflict["group"],
        base=_where_all_began(conflict["base"], write, places),
        ours=write.author.side(values_at(write.after, places, write.keys)),
        theirs=[
            with_values(side, _stepped(side["values"], write, places))
            for side in conflict["theirs"]
        ],
    )


def _where_all_began(base: Values, write: Write, places: Sequence[str]) -> Values:
    """The base: a plain value stays, a text or list takes the draft's step."""
    stepped = _stepped(base, write, places)
    return {path: v if _is_plain(v) else stepped.get(path, v) for path, v in base.items()}


def _is_plain(value: Json) -> bool:
    return not is_long_text(value) if type(value) is str else type(value) not in (dict, list)


def _stepped(values: Values, write: Write, paths: Sequence[str]) -> Values:
    """The values with the draft's step from `before` to `after` taken on them, where it fits."""
    mine = put(write.before, paths, values, write.keys)
    return values_at(merge(write.before, mine, write.after, write.form).data, paths, write.keys)


def _standing_place(write: Write, path: str) -> str:
    """The path, or, if nothing can be there any more, the nearest one above where it can."""
    tokens = parse(path)
    while len(tokens) > 1 and not _can_hold(
        write.find(write.after, join(*tokens[:-1])), tokens[-1]
    ):
        tokens = tokens[:-1]
    return join(*tokens)


def _can_hold(value: Json, token: str) -> bool:
    return type(value) is dict or (type(value) is list and as_id(token) is not None)


def lifted(conflict: Conflict, places: Sequence[str], data: Data, write: Write) -> Conflict:
    """The conflict at places above its own: each side's values inside what is there in `data`."""
    if list(places) == conflict["paths"]:
        return conflict

    def lift(values: Values) -> Values:
        return values_at(put(data, conflict["paths"], values, write.keys), places, write.keys)

    return Conflict(
        id=conflict["id"],
        paths=[*places],
        group=None,
        base=lift(conflict["base"]),
        ours=with_values(conflict["ours"], lift(conflict["ours"]["values"])),
        theirs=[with_values(side, lift(side["values"])) for side in conflict["theirs"]],
    )

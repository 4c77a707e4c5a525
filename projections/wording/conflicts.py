"""A conflict in words: whose values clash at which fields, and how somebody settled it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.conflict import Conflict, Side
from domain.path import ABSENT, find
from projections.wording import phrases
from projections.wording.people import LONGEST, begun_by, device, whose
from projections.wording.places import Place, Places
from projections.wording.values import apart, counted, cut, in_words, listed, several

_NAMED: Final = 2  # fields, or people, that are named


def clash(conflict: Conflict, places: Places) -> str:
    """Whose edits clash, and the values that each has; nothing of a sensitive value."""
    ours, theirs = conflict["ours"], conflict["theirs"]
    found = [places.at(path) for path in conflict["paths"]]
    said = _between(ours, theirs, _fields(found))
    if not any(place.hidden for place in found):
        values = _values([ours, *theirs], conflict["paths"], found)
        either = phrases.OR if len(found) == 1 else phrases.OR_ELSE
        said = phrases.CLASH_VALUES.format(clash=said, values=listed(values, either))
    return cut(said, LONGEST)


def _fields(found: Sequence[Place]) -> str:
    return several([place.label for place in found], _NAMED, phrases.OTHER_FIELDS)


def _between(ours: Side, theirs: Sequence[Side], field: str) -> str:
    authors, mine = [whose(side["by"]) for side in theirs], whose(ours["by"])
    if authors == [mine]:
        here, there = (device(side["device"]) for side in (theirs[0], ours))
        said = phrases.CLASH_OF_ONE.format(theirs=mine, field=field, device=here, other=there)
    else:
        template = phrases.CLASH if len(theirs) == 1 else phrases.CLASH_OF_MANY
        people = several(authors, _NAMED, phrases.OTHERS)
        said = template.format(theirs=people, field=field, ours=mine)
    return begun_by(theirs[0]["by"], said)


def _values(sides: Sequence[Side], paths: Sequence[str], found: Sequence[Place]) -> list[str]:
    """What each side holds; of several fields together, value by value."""
    columns = [
        apart([side["values"].get(path, ABSENT) for side in sides], place.node)
        for path, place in zip(paths, found, strict=True)
    ]
    return [listed(row) for row in zip(*columns, strict=True)]


def settled(taken: Sequence[Mapping[str, Any]], held: Sequence[Conflict], places: Places) -> str:
    """How somebody settled conflicts, without who; `held` are those that were open before."""
    open_ = {conflict["id"]: conflict for conflict in held}
    known = [(choice, open_[choice["id"]]) for choice in taken if choice["id"] in open_]
    if len(known) < len(taken):
        return phrases.RESOLVED_SOME.format(conflicts=counted(len(taken), phrases.CONFLICTS))
    if len(known) == 1:
        return _settled(*known[0], places)
    found = [places.at(path) for _, conflict in known for path in conflict["paths"]]
    conflicts = counted(len(known), phrases.CONFLICTS)
    return phrases.RESOLVED_SEVERAL.format(conflicts=conflicts, fields=_fields(found))


def _settled(choice: Mapping[str, Any], conflict: Conflict, places: Places) -> str:
    found = [places.at(path) for path in conflict["paths"]]
    if any(place.hidden for place in found):
        return phrases.RESOLVED.format(field=_fields(found))
    after = [find(places.after, path) for path in conflict["paths"]]
    values = [in_words(v, place.node) for v, place in zip(after, found, strict=True)]
    return phrases.RESOLVED_TOOK.format(
        field=_fields(found), value=listed(values), whose=_whose(choice, conflict)
    )


def _whose(choice: Mapping[str, Any], conflict: Conflict) -> str:
    """Whose value somebody took; the choice is as history keeps it (`domain/choices.py`)."""
    if choice["take"] == "ours":
        return whose(conflict["ours"]["by"])
    if choice["take"] == "theirs":
        return whose(_entry(conflict["theirs"], choice.get("which"))["by"])
    return phrases.AS_BEFORE if choice["take"] == "base" else phrases.NEW_VALUE


def _entry(theirs: Sequence[Side], which: str | int | None) -> Side:
    if isinstance(which, int):
        return theirs[which]
    return next(side for side in theirs if which is None or side["device"] == which)

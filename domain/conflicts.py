"""Open conflicts: clashes kept as data, with every value and whose it is, until somebody decides.

Decision: a conflict is facts, written whole into the event that opens or alters it, and `ours` is
always what the draft holds. So the draft can be shown, resolved and replayed without asking the
merge again. When the draft's value moves on, the other values move along (a text gets the words
that others changed outside the span in dispute). Considered: deriving conflicts from old events
when they are read; then a better merge would change the past.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from itertools import count, product
from typing import Final, Literal, NotRequired, TypeAlias, TypedDict, cast

import orjson

from domain.clash import Clash
from domain.errors import CannotApply
from domain.form import Form
from domain.identity import Keys
from domain.merge import Merged, merge
from domain.path import ABSENT, as_id, find, join, parse, related
from domain.value import Data, Json, is_long_text, same
from domain.working import Working

Values: TypeAlias = dict[str, Json]
"""Values by path; a path at which there is nothing is left out."""

Reason: TypeAlias = Literal["resolved", "overwritten", "restored", "undone", "agreed", "joined"]
"""Why a conflict was closed; `agreed`: the sides came to hold the same; `joined`: it is part of
another, since what both are about is gone."""

EVERYTHING: Final = 2**62
"""As the version that somebody has seen: whatever there is."""

REMEMBERED: Final = 64  # settled pairs of values


_Dispute: TypeAlias = tuple[Sequence[str], Sequence[Mapping[str, Json]]]
"""The paths of a clash or conflict, and the values of its sides."""


class Side(TypedDict):
    """What one side holds, and who wrote it, when (RFC 3339), where, and as which version."""

    values: Values
    by: str
    at: str
    device: str | None
    version: int
    fork: NotRequired[str]


class Conflict(TypedDict):
    """A clash that is kept; `theirs` has one entry per device, or fork, that differs."""

    id: str
    paths: list[str]
    group: list[str] | None
    base: Values
    ours: Side
    theirs: list[Side]


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, when, on which device (or out of which fork), as which version."""

    by: str
    at: str
    device: str | None
    version: int
    fork: str | None = None

    def side(self, values: Values) -> Side:
        """These values as this author's."""
        side = Side(values=values, by=self.by, at=self.at, device=self.device, version=self.version)
        if self.fork is not None:
            side["fork"] = self.fork
        return side

    def wrote(self, side: Side) -> bool:
        """Whether an entry is this author's, to be replaced by the next one."""
        if self.fork is not None or "fork" in side:
            return side.get("fork") == self.fork
        return side["device"] == self.device and (self.device is not None or side["by"] == self.by)


@dataclass(frozen=True, slots=True)
class Write:
    """A write as conflicts see it: what it made of the draft, and what its author knew and sent.

    `base` became `sent` at the author's; thereby the draft went from `before` to `after`. Of the
    conflicts the author had seen what was there at version `seen`.
    """

    before: Data
    after: Data
    base: Data
    sent: Data
    author: Author
    seen: int
    reason: Reason = "overwritten"
    form: Form | None = None

    def touches(self, path: str) -> bool:
        """Whether its author meant to write there."""
        return not same(self.find(self.base, path), self.find(self.sent, path))

    def agrees(self, path: str) -> bool:
        """Whether its author holds there what the draft holds now."""
        return same(self.find(self.sent, path), self.find(self.after, path))

    @property
    def keys(self) -> Keys | None:
        """The list keys by which paths lead to items."""
        return None if self.form is None else self.form.keys

    def find(self, data: Data, path: str) -> Json:
        """What is at a path, or ABSENT."""
        return find(data, path, self.keys)


@dataclass(frozen=True, slots=True)
class Met:
    """A clash that a write met, and who wrote what the draft holds there."""

    clash: Clash
    ours: Author


@dataclass(frozen=True, slots=True)
class Turn:
    """What a write did to the conflicts: those opened or altered, whole, and those closed, why."""

    altered: Sequence[Conflict] = ()
    closed: Mapping[str, Reason] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.altered or self.closed)

    def of(self, held: Sequence[Conflict]) -> list[Conflict]:
        """The conflicts that are open afterwards, in the order in which they were opened."""
        now = {conflict["id"]: conflict for conflict in [*held, *self.altered]}
        return [conflict for id_, conflict in now.items() if id_ not in self.closed]

    def then(self, later: Turn) -> Turn:
        """This, and then another one."""
        altered = {c["id"]: c for c in [*self.altered, *later.altered]}
        closed = {id_: why for id_, why in self.closed.items() if id_ not in _ids(later.altered)}
        closed |= later.closed
        return Turn([c for id_, c in altered.items() if id_ not in closed], closed)


def _ids(conflicts: Iterable[Conflict]) -> set[str]:
    return {conflict["id"] for conflict in conflicts}


NO_TURN: Final = Turn()


@dataclass(frozen=True, slots=True)
class Standing:
    """The conflicts of a draft before a write: those open, how many ever were, and what is settled.

    `settled` holds pairs of values between which somebody has decided, with the version of that.
    """

    open: Sequence[Conflict] = ()
    ever: int = 0
    settled: Sequence[tuple[int, str]] = ()

    def follow(self, write: Write, met: Sequence[Met] = ()) -> Turn:
        """What a write does to each open conflict, and what it opens by the clashes that it met."""
        standing: list[Conflict] = []
        closed: dict[str, Reason] = {}
        new = _at_lasting_places(met, write)
        for conflict in self.open:
            again = [one for one in new if _is_about(conflict, one.clash)]
            new = [one for one in new if one not in again]
            now = _carried_on(*_level(conflict, again, write), write)
            if now["theirs"]:
                _take_in(now, standing, closed, write)
            else:
                closed[conflict["id"]] = _why(conflict, write)
        numbers = count(self.ever + 1)
        opened = [
            _opened(one, write.author, next(numbers)) for one in new if self._is_news(one, write)
        ]
        untouched = {id(conflict) for conflict in self.open}
        return Turn([c for c in [*standing, *opened] if id(c) not in untouched], closed)

    def _is_news(self, met: Met, write: Write) -> bool:
        """Whether nobody has decided between these two since the author last looked."""
        values = pair(met.clash.ours, met.clash.theirs)
        return all(values != known or version <= write.seen for version, known in self.settled)


def pair(ours: Mapping[str, Json], theirs: Mapping[str, Json]) -> str:
    """A short mark of two sides' values, whichever is whose."""
    sides = sorted(orjson.dumps(dict(v), option=orjson.OPT_SORT_KEYS) for v in (ours, theirs))
    return blake2b(b"\n".join(sides), digest_size=9).hexdigest()


def settled_by(conflict: Conflict, version: int) -> list[tuple[int, str]]:
    """The pairs that are settled once somebody decided on a conflict."""
    return [(version, pair(conflict["ours"]["values"], s["values"])) for s in conflict["theirs"]]


def listed(met: Sequence[Met], author: Author) -> list[Conflict]:
    """Clashes that are refused, as conflicts that were never opened: without ids."""
    opened = [_opened(one, author, 0) for one in met]
    return [
        cast("Conflict", {name: value for name, value in conflict.items() if name != "id"})
        for conflict in opened
    ]


def signed(conflict: Conflict, names: Mapping[str, str]) -> Conflict:
    """The conflict with the names behind the keys of those who wrote its sides."""

    def sign(side: Side) -> Side:
        return cast("Side", {**side, "by": names[side["by"]]})

    theirs = [sign(side) for side in conflict["theirs"]]
    return cast("Conflict", {**conflict, "ours": sign(conflict["ours"]), "theirs": theirs})


def _why(conflict: Conflict, write: Write) -> Reason:
    """Overwritten if its author had seen any of it and wrote there; else the sides agree now."""
    seen = any(side["version"] <= write.seen for side in conflict["theirs"])
    return write.reason if seen and any(map(write.touches, conflict["paths"])) else "agreed"


def _at_lasting_places(met: Sequence[Met], write: Write) -> list[Met]:
    """The same; those inside a list that goes by position are one about the whole list.

    Its places do not last: the next item that somebody puts in moves them.
    """
    found: dict[tuple[str, ...], list[Met]] = {}
    for one in met:
        places = dict.fromkeys(_lasting(write, path) for path in one.clash.paths)
        found.setdefault(tuple(places), []).append(one)
    return [_joined(places, some, write) for places, some in found.items()]


def _lasting(write: Write, path: str) -> str:
    """The path, cut where it enters a list by the number of an item."""
    tokens = parse(path)
    for depth, token in enumerate(tokens):
        above = join(*tokens[:depth])
        if as_id(token) is None and type(write.find(write.after, above)) is list:
            return above
    return path


def _joined(places: tuple[str, ...], some: Sequence[Met], write: Write) -> Met:
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


def _is_about(conflict: Conflict, clash: Clash) -> bool:
    """Whether a clash is about the same as a conflict."""
    return _are_one(_dispute(conflict), (clash.paths, (clash.ours, clash.theirs)))


def _are_one(one: _Dispute, other: _Dispute) -> bool:
    """Whether two disputes are about the same: the order of a list and its items are two things."""
    if not set(one[0]).isdisjoint(other[0]):
        return True
    lists = _are_lists(one[1]) or _are_lists(other[1])
    return not lists and any(related(*pair) for pair in product(one[0], other[0]))


def _are_lists(sides: Iterable[Mapping[str, Json]]) -> bool:
    return all([type(value) for value in side.values()] == [list] for side in sides)


def _dispute(conflict: Conflict) -> _Dispute:
    theirs = (side["values"] for side in conflict["theirs"])
    return conflict["paths"], [conflict["ours"]["values"], *theirs]


def _level(
    conflict: Conflict, again: Sequence[Met], write: Write
) -> tuple[Conflict, Sequence[Met]]:
    """A conflict and the clashes that are about the same, all at the outermost of their places."""
    paths = [*conflict["paths"], *(path for one in again for path in one.clash.paths)]
    places = _outermost(paths)
    if len(places) == len(set(paths)):
        return conflict, again
    return _lifted(conflict, places, write.before, write), [_joined(places, again, write)]


def _outermost(paths: Sequence[str]) -> tuple[str, ...]:
    """The paths without those that lie below another one."""
    above = (min((other for other in paths if related(other, path)), key=len) for path in paths)
    return tuple(dict.fromkeys(above))


def _take_in(
    conflict: Conflict, standing: list[Conflict], closed: dict[str, Reason], write: Write
) -> None:
    """Add a conflict to those that stand; if one of them came to be about the same, to that."""
    for place, other in enumerate(standing):
        if _are_one(_dispute(other), _dispute(conflict)):
            places = _outermost([*other["paths"], *conflict["paths"]])
            here, there = (_lifted(c, places, write.after, write) for c in (other, conflict))
            standing[place] = _folded(here, there, write)
            closed[conflict["id"]] = "joined"
            return
    standing.append(conflict)


def _folded(conflict: Conflict, other: Conflict, write: Write) -> Conflict:
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
        theirs[_names(side)] = _with_values(side, values)
    base = both(conflict["base"], other["base"])
    alone = cast("Conflict", {**conflict, "base": base, "theirs": []})
    return _still_different(_with_entries(alone, list(theirs.values())))


def _names(side: Side) -> tuple[str | None, ...]:
    """Whose entry it is."""
    return side.get("fork"), side["device"], None if side["device"] else side["by"]


def _opened(met: Met, author: Author, number: int) -> Conflict:
    clash = met.clash
    return Conflict(
        id=f"c{number}",
        paths=list(clash.paths),
        group=None if clash.group is None else list(clash.group),
        base=dict(clash.base),
        ours=met.ours.side(dict(clash.ours)),
        theirs=[author.side(dict(clash.theirs))],
    )


def _carried_on(conflict: Conflict, again: Sequence[Met], write: Write) -> Conflict:
    """A conflict after a write: decided where its author saw it, else moved along."""
    if not again and not any(map(write.touches, conflict["paths"])):
        return _still_different(_moved_along(conflict, write))
    left = [s for s in conflict["theirs"] if again or not _is_decided(s, conflict, write)]
    own = [s for s in left if write.author.wrote(s)]
    now = _moved_along(_with_theirs(conflict, [s for s in left if s not in own]), write)
    for one in again:
        now = _widened(now, one.clash)
    entries = [
        _with_values(s, values_at(_over(s, conflict, write).data, now["paths"], write.keys))
        for s in own
    ]
    if again:
        values = entries[0]["values"] if entries else _sent_values(now, again)
        entries = [write.author.side(values)]
    # Whoever comes back to where all began wants nothing any more.
    entries = [s for s in entries if not same(s["values"], now["base"])]
    return _still_different(_with_entries(now, entries))


def _is_decided(side: Side, conflict: Conflict, write: Write) -> bool:
    """Whether the author has seen what this side wants, and wrote something else there.

    Words elsewhere in a long text, or an item of a list whose order is in dispute, do not decide.
    """
    if side["version"] > write.seen:
        return False
    return write.reason != "overwritten" or bool(_over(side, conflict, write).clashes)


def _over(side: Side, conflict: Conflict, write: Write) -> Merged:
    """What the author sent over what one side wants; what was sent counts where they clash."""
    try:
        wanted = put(write.base, conflict["paths"], side["values"], write.keys)
    except CannotApply:  # the author held nothing where that could be
        wanted = write.base
    return merge(write.base, write.sent, wanted, write.form)


def _sent_values(conflict: Conflict, again: Sequence[Met]) -> Values:
    """What the author of these clashes holds at the paths of the conflict."""
    values = conflict["base"]
    for clash in (one.clash for one in again):
        kept = {path: value for path, value in values.items() if path not in clash.paths}
        values = {**kept, **clash.theirs}
    return values


def _with_theirs(conflict: Conflict, theirs: list[Side]) -> Conflict:
    if len(theirs) == len(conflict["theirs"]):
        return conflict
    return cast("Conflict", {**conflict, "theirs": theirs})


def _with_values(side: Side, values: Values) -> Side:
    return cast("Side", {**side, "values": values})


def _widened(conflict: Conflict, clash: Clash) -> Conflict:
    """The conflict with the clash's paths too; the older sides held there what the base does."""
    if set(clash.paths).issubset(conflict["paths"]):
        return conflict
    wider = {path: value for path, value in clash.base.items() if path not in conflict["paths"]}
    return Conflict(
        id=conflict["id"],
        paths=list(dict.fromkeys([*conflict["paths"], *clash.paths])),
        group=conflict["group"],
        base={**wider, **conflict["base"]},
        ours=_with_values(conflict["ours"], {**clash.ours, **conflict["ours"]["values"]}),
        theirs=[_with_values(s, {**wider, **s["values"]}) for s in conflict["theirs"]],
    )


def _with_entries(conflict: Conflict, entries: Sequence[Side]) -> Conflict:
    """The conflict with these entries too; the same values are never held twice."""
    held = conflict["theirs"]
    new = [e for e in entries if not any(same(e["values"], s["values"]) for s in held)]
    return _with_theirs(conflict, [*held, *new])


def _still_different(conflict: Conflict) -> Conflict:
    """Without those who hold what the draft holds."""
    ours = conflict["ours"]["values"]
    return _with_theirs(conflict, [s for s in conflict["theirs"] if not same(s["values"], ours)])


def _moved_along(conflict: Conflict, write: Write) -> Conflict:
    """The same conflict over what the draft holds now; the other values take the step as well."""
    paths = conflict["paths"]
    places = list(dict.fromkeys(_standing_place(write, path) for path in paths))
    if places != paths:
        conflict = _lifted(conflict, places, write.before, write)
    elif all(same(write.find(write.before, p), write.find(write.after, p)) for p in paths):
        return conflict
    return Conflict(
        id=conflict["id"],
        paths=places,
        group=conflict["group"],
        base=_where_all_began(conflict["base"], write, places),
        ours=write.author.side(values_at(write.after, places, write.keys)),
        theirs=[
            _with_values(side, _stepped(side["values"], write, places))
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


def _lifted(conflict: Conflict, places: Sequence[str], data: Data, write: Write) -> Conflict:
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
        ours=_with_values(conflict["ours"], lift(conflict["ours"]["values"])),
        theirs=[_with_values(side, lift(side["values"])) for side in conflict["theirs"]],
    )


def values_at(data: Data, paths: Iterable[str], keys: Keys | None = None) -> Values:
    """What is at these paths."""
    return {path: value for path in paths if (value := find(data, path, keys)) is not ABSENT}


def put(
    data: Data, paths: Iterable[str], values: Mapping[str, Json], keys: Keys | None = None
) -> Data:
    """The data with these values at these paths, and nothing at those that have none.

    Raises:
        CannotApply: The place for a value is gone.
    """
    working = Working(data, keys)
    for path in paths:
        tokens, there = parse(path), find(working.root, path, keys) is not ABSENT
        if path not in values:
            if there:
                working.remove(tokens)
        elif there:
            working.replace(tokens, values[path])
        else:
            working.add(tokens, values[path])
    return cast("Data", working.root)


def undone(
    held: Sequence[Conflict],
    before: Sequence[Conflict],
    after: Sequence[Conflict],
    data: Data,
    keys: Keys | None = None,
) -> Turn:
    """What undoing the versions that led from `before` to `after` does to the conflicts `held` now.

    Those that they opened are closed, but for what came in later; those that they closed are open
    again where the data is what it was.
    """
    old, new = ({c["id"]: c for c in side} for side in (before, after))
    closed: dict[str, Reason] = {}
    altered = []
    for conflict in held:
        if conflict["id"] in new and conflict["id"] not in old:
            known = [side["version"] for side in new[conflict["id"]]["theirs"]]
            later = [s for s in conflict["theirs"] if s["version"] not in known]
            if later:
                altered.append(_with_theirs(conflict, later))
            else:
                closed[conflict["id"]] = "undone"
    left = [_dispute(conflict) for conflict in held if conflict["id"] not in closed]
    altered += [
        conflict
        for id_, conflict in old.items()
        if id_ not in new
        and not any(_are_one(_dispute(conflict), other) for other in left)
        and same(values_at(data, conflict["paths"], keys), conflict["ours"]["values"])
    ]
    return Turn(altered, closed)

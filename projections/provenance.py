"""Who set a value last, and who first wrote it: a walk through a draft's events, newest first.

What: a tree in the shape of the data holds what is sought; the changes of each version are taken
back on both. What a change wrote is answered by it, unless the version brought the value from
elsewhere (restore, undo, a fork, a template, a side of a conflict): then it is sought there.
Why: most values are answered by the newest versions, so that a long history is seldom read whole;
and places in lists without ids are right, which paths as texts are not.
Else considered: a replay from the first version, with a mark at every value of every version.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from domain import diff, events
from domain.change import keys_of
from domain.conflict import Conflict, Side
from domain.diff import Change
from domain.event import Beginning, DataEvent, DraftEvent
from domain.identity import Keys, along, key_at, own_ids
from domain.path import as_index, child, find, id_token, parse, position, related
from domain.value import Data, Json, same


@dataclass(frozen=True, slots=True)
class Writing:
    """Which version of which draft wrote a value, by which act, who (by key), when and where."""

    draft: UUID
    version: int
    act: str
    by: str
    at: datetime
    device: str | None = None


def writing_of(event: DraftEvent) -> Writing:
    """The event as whoever wrote something."""
    draft, version = event.originator_id, event.originator_version
    return Writing(draft, version, event.act, event.by, event.timestamp, event.device)


@dataclass(eq=False, slots=True)
class Sought:
    """A value whose history is sought: who set it `last`, and who `first` wrote what it is."""

    path: str
    value: Json
    last: Writing | None = None
    first: Writing | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """Where to look on: something sought, at the path that it had in a version of a draft."""

    draft: UUID
    version: int
    sought: Sought
    path: str


class _Here(list[Sought]):
    """What is sought at one place of the tree."""


_Tree: TypeAlias = Any
"""None, if nothing is sought there or below; `_Here`; or a dict or list like that of the data."""


@dataclass(slots=True)
class Walk:
    """Goes back through one draft; what it cannot answer there it leaves as `elsewhere`.

    `keys` are the declared list keys by which the paths of what is sought name items.
    """

    draft: UUID
    keys: Keys | None = None
    version: int = 0
    elsewhere: list[Lead] = field(default_factory=list)
    _data: Data = field(default_factory=dict)
    _tree: _Tree = None
    _waiting: dict[int, list[Lead]] = field(default_factory=dict)
    _sides: dict[int, list[Lead]] = field(default_factory=dict)
    _choosing: list[tuple[events.Resolved, Lead]] = field(default_factory=list)

    def seek(self, lead: Lead) -> None:
        """Look for this from its version on, which lies before those that were gone through."""
        self._waiting.setdefault(lead.version, []).append(lead)

    @property
    def start(self) -> int | None:
        """The version whose data is needed to go on; None while the walk is under way."""
        under_way = self._tree is not None or self._choosing or self._sides
        return None if under_way or not self._waiting else max(self._waiting)

    @property
    def done(self) -> bool:
        """Whether nothing is sought here any more."""
        return not (self._tree is not None or self._waiting or self._choosing or self._sides)

    def begin(self, version: int, data: Data) -> None:
        """Stand at a version, and see what is there."""
        self.version, self._data = version, data
        self._plant()

    def take(self, event: DraftEvent) -> None:
        """The event of the version at which the walk stands; then it stands at the one before."""
        if isinstance(event, DataEvent):
            self._choose(event)
        for lead in self._sides.pop(event.originator_version, ()):
            self._credit(lead.sought, lead.path, event)
        if isinstance(event, Beginning):
            self._take_beginning(event)
        elif isinstance(event, DataEvent) and event.changes:
            self._take_changes(event)
        self.version -= 1
        self._plant()

    # -- what an event wrote

    def _take_beginning(self, event: Beginning) -> None:
        for path, here in _places(self._tree, self._data, self.keys):
            for sought in here:
                self._credit(sought, path, event)
        self._tree = None

    def _take_changes(self, event: DataEvent) -> None:
        paths = dict[int, str]()
        if self._tree is not None and _borrows(event):
            for path, here in _places(self._tree, self._data, self.keys):
                paths |= dict.fromkeys(map(id, here), path)
        for change in reversed(event.changes):
            for sought in self._take_back(change):
                self._credit(sought, paths.get(id(sought), sought.path), event)

    def _take_back(self, change: Change) -> list[Sought]:
        """Take one change back; what it wrote of what is sought."""
        hit = _Here()
        keys = keys_of(change)
        self._tree = _without(self._tree, self._data, parse(change["path"]), keys, change, hit)
        self._data = diff.apply(diff.invert([change]), self._data)
        return hit

    def _credit(self, sought: Sought, path: str, event: DraftEvent) -> None:
        """This version wrote it; if it had it from elsewhere, it is sought there."""
        sought.first = writing_of(event)
        sought.last = sought.last or sought.first
        if isinstance(event, events.Resolved):
            self._choosing.append((event, Lead(self.draft, self.version, sought, path)))
        elif (source := origin_of(event)) is not None:
            self._follow(Lead(*source, sought, path))

    def _follow(self, lead: Lead) -> None:
        if lead.draft != self.draft:
            self.elsewhere.append(lead)
        elif 0 < lead.version < self.version:
            self.seek(lead)

    # -- the sides of conflicts

    def _choose(self, event: DataEvent) -> None:
        """Whose value was taken, once the version is met that left the conflict as it was then."""
        for conflict in event.conflicts or ():
            for waiting in list(self._choosing):
                resolved, lead = waiting
                choice = next((c for c in resolved.taken if c["id"] == conflict["id"]), None)
                if choice and any(related(path, lead.path) for path in conflict["paths"]):
                    self._choosing.remove(waiting)
                    self._take_side(choice, conflict, lead)

    def _take_side(self, choice: Any, conflict: Conflict, lead: Lead) -> None:
        ours = conflict["ours"]["version"]
        if choice["take"] == "theirs":
            version = _entry(conflict["theirs"], choice.get("which"))["version"]
            self._sides.setdefault(version, []).append(lead)
        elif choice["take"] in ("ours", "base"):
            version = ours if choice["take"] == "ours" else ours - 1
            self._follow(Lead(self.draft, version, lead.sought, lead.path))

    # -- where things are sought

    def _plant(self) -> None:
        if self.version == 0:
            self._choosing.clear()
            self._sides.clear()
        for lead in self._waiting.pop(self.version, ()):
            if same(find(self._data, lead.path, self.keys), lead.sought.value):
                steps = list(_steps(self._data, lead.path, self.keys))
                self._tree = _with(self._tree, self._data, steps, lead.sought)


def leaves(data: Data, keys: Keys | None) -> Iterator[tuple[str, Json]]:
    """Each plain value and empty container of a form, by its path.

    >>> list(leaves({"fee": 1, "acts": [{"id": "a5", "tags": []}]}, None))
    [('/fee', 1), ('/acts/id:a5/id', 'a5'), ('/acts/id:a5/tags', [])]
    """
    return _leaves("", data, keys)


def _leaves(path: str, value: Json, keys: Keys | None) -> Iterator[tuple[str, Json]]:
    if type(value) not in (dict, list) or not value:
        yield path, value
        return
    for token, _, inner in children(value, keys):
        yield from _leaves(child(path, token), inner, keys and keys.below(token))


def children(value: Json, keys: Keys | None) -> Iterator[tuple[str, str | int, Json]]:
    """The token, place and value of each member or item."""
    if type(value) is dict:
        yield from ((name, name, inner) for name, inner in value.items())
        return
    _, ids = own_ids(value, key_at(keys))
    for place, inner in enumerate(value):
        yield (id_token(ids[place]) if ids else str(place)), place, inner


def origin_of(event: DraftEvent) -> tuple[UUID, int] | None:
    """The draft and version that the event has its values from, if not from who made it."""
    if isinstance(event, Beginning):
        source = event.forked_from or event.from_template
        return (UUID(source["draft"]), source["version"]) if source else None
    if isinstance(event, events.Restored):
        return event.originator_id, event.version
    if isinstance(event, events.Undone):
        return event.originator_id, event.version - 1
    if isinstance(event, events.Merged) and event.fork is not None:
        return UUID(event.fork), event.fork_version or 0
    return None


def _borrows(event: DraftEvent) -> bool:
    return isinstance(event, events.Resolved) or origin_of(event) is not None


def _entry(theirs: Sequence[Side], which: str | int | None) -> Side:
    if isinstance(which, int):
        return theirs[which]
    return next(side for side in theirs if which is None or side["device"] == which)


def _steps(data: Json, path: str, keys: Keys | None) -> Iterator[str | int]:
    """The members and places that a path leads through."""
    tokens = parse(path)
    for token, key in zip(tokens, along(keys, tokens), strict=False):
        at = token if type(data) is dict else position(data, token, key)
        yield at
        data = data[at]


def _with(tree: _Tree, data: Json, steps: Sequence[str | int], sought: Sought) -> _Tree:
    """The tree with something sought at a place."""
    if not steps or isinstance(tree, _Here):
        here = tree if isinstance(tree, _Here) else _Here()
        here.append(sought)
        return here
    at, *further = steps
    if tree is None:
        tree = {} if type(data) is dict else [None] * len(data)
    below = tree.get(at) if type(tree) is dict else tree[at]
    tree[at] = _with(below, data[at], further, sought)
    return tree


def _without(
    tree: _Tree, data: Json, tokens: Sequence[str], keys: Keys | None, change: Change, hit: _Here
) -> _Tree:
    """The tree as it was before a change, whose place the tokens name; `hit` gets what it wrote."""
    if tree is None:
        return None
    if not tokens or isinstance(tree, _Here):
        hit += _all(tree)
        return None
    token, *further = tokens
    if further:
        at: Any = token if type(data) is dict else position(data, token, key_at(keys))
        below = tree.get(at) if type(tree) is dict else tree[at]
        left = _without(below, data[at], further, keys and keys.below(token), change, hit)
        _put(tree, at, left)
    elif type(tree) is dict:
        if change["op"] != "remove":
            hit += _all(tree.pop(token, None))
    else:
        _take_back_in_list(tree, data, token, keys, change, hit)
    return tree if any(_members(tree)) else None


def _put(tree: _Tree, at: Any, below: _Tree) -> None:
    if below is None and type(tree) is dict:
        tree.pop(at, None)
    else:
        tree[at] = below


def _take_back_in_list(
    tree: list[_Tree], data: Json, token: str, keys: Keys | None, change: Change, hit: _Here
) -> None:
    op = change["op"]
    if op == "remove":
        tree.insert(change["index"] if "index" in change else as_index(token), None)
    elif op == "move":
        tree.insert(as_index(parse(change["from"])[-1]), tree.pop(change["index"]))
    else:
        at = position(data, token, key_at(keys))
        hit += _all(tree[at])
        if op == "add":
            del tree[at]
        else:
            tree[at] = None


def _members(tree: _Tree) -> Iterator[_Tree]:
    inner = tree.values() if type(tree) is dict else tree
    return (below is not None for below in inner)


def _all(tree: _Tree) -> Iterator[Sought]:
    if isinstance(tree, _Here):
        yield from tree
    elif tree is not None:
        for below in tree.values() if type(tree) is dict else tree:
            yield from _all(below)


def _places(
    tree: _Tree, data: Json, keys: Keys | None, path: str = ""
) -> Iterator[tuple[str, _Here]]:
    """Everything that is sought, with the path at which it is now."""
    if isinstance(tree, _Here):
        yield path, tree
    elif tree is not None:
        for token, at, inner in children(data, keys):
            below = tree.get(at) if type(tree) is dict else tree[at]
            if below is not None:
                yield from _places(below, inner, keys and keys.below(token), child(path, token))

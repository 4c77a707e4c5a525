"""What the places of a form are called: by the definition's labels, else by a readable path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from domain.errors import CannotApply
from domain.form import Form, Node
from domain.identity import Keys, ids_by, preferred
from domain.path import ABSENT, as_id, as_index, parse
from domain.value import Data, Json
from projections.wording import phrases
from projections.wording.values import clean, cut, name_of

LONGEST: Final = 90  # characters of what a place is called
_PART: Final = 60
_TOKEN: Final = 200  # characters of a member's name that are looked at

_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-.\s]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a form in words; `item` and `items` if it is in a list: its own name, the list's.

    Of a place inside a sensitive one, all is about the sensitive one.
    """

    label: str
    node: Node
    hidden: bool = False
    item: str | None = None
    items: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """One token on the way in words; `clear`: who reads it needs nothing from further out."""

    said: str
    node: Node
    clear: bool
    item: bool = False
    noun: str = ""

    @property
    def full(self) -> str:
        """An item with the kind of thing it is, where it is what is spoken of."""
        return phrases.NAMED.format(noun=self.noun, name=self.said) if self.noun else self.said


@dataclass(frozen=True, slots=True)
class _Here:
    """Where the walk has come to: what is there before and after, and in the definition.

    `key` is the member that tells the items of a list here apart, where one was declared.
    """

    node: Node
    before: Json
    after: Json
    key: str | None


class Places:
    """The places of one form, between two states of it (which may be the same).

    Items with ids are called as they were, others as they are at that index now: in the changes of
    a version, indexes are those of the result.
    """

    def __init__(self, form: Form, before: Data, after: Data) -> None:
        self._form, self._before, self.after = form, before, after
        # By id(); the states, or the entries, hold what it is of, so that no id is used twice.
        self._known: dict[tuple[int, str | None], dict[str, int]] = {}
        self._found: dict[tuple[str, int], tuple[Place, Json]] = {}

    def at(self, path: str, item: Json = ABSENT, keys: Keys | None = None) -> Place:
        """The place that a path leads to; `item`: the list item there, if it comes or goes.

        `keys` are the list keys that the path was made by, if not by the definition's of today.
        """
        found = self._found.get((path, id(item)))
        if found is None:
            found = self._found[path, id(item)] = self._look(path, item, keys), item
        return found[0]

    def _look(self, path: str, item: Json, keys: Keys | None) -> Place:
        steps, hidden = self._walk(parse(path), item, keys)
        if not steps:
            return Place(clean(self._form.label or "") or phrases.WHOLE_FORM, self._form.root)
        last = steps[-1]
        label = cut(_chain(steps), LONGEST)
        if not last.item:
            return Place(label, last.node, hidden)
        return Place(label, last.node, hidden, last.full, cut(_chain(steps[:-1]), LONGEST))

    def beside(self, path: str, way: int, keys: Keys | None = None) -> str | None:
        """The name or number of the item before (-1) or behind (1) another one, as they are now."""
        tokens = parse(path)
        *_, here = self._way(tokens[:-1], keys)
        place = self._place(here, here.after, tokens[-1])
        if place is None or not 0 <= place + way < len(here.after):
            return None
        neighbour = str(place + way)
        return self._step(here, self._next(here, neighbour, None), neighbour).said

    def _walk(
        self, tokens: Sequence[str], item: Json, keys: Keys | None
    ) -> tuple[list[_Step], bool]:
        """The steps down to the place, or to the sensitive place that it lies in."""
        steps = list[_Step]()
        for token, (above, here) in zip(tokens, pairwise(self._way(tokens, keys)), strict=True):
            if len(steps) == len(tokens) - 1 and item is not ABSENT:
                here = replace(here, before=item, after=ABSENT)
            steps.append(self._step(above, here, token))
            if here.node.rule.sensitive:
                return steps, True
        return steps, False

    def _way(self, tokens: Sequence[str], keys: Keys | None) -> Iterator[_Here]:
        """What is there on the way down, from the whole form on."""
        yield (here := _Here(self._form.root, self._before, self.after, None))
        for token in tokens:
            keys = keys and keys.below(token)
            yield (here := self._next(here, token, keys))

    def _next(self, here: _Here, token: str, keys: Keys | None) -> _Here:
        before, after = (self._below(here, side, token) for side in (here.before, here.after))
        if type(here.after) is list and as_id(token) is None:
            before = ABSENT  # another item may have been at this index
        node = here.node.below(token)
        return _Here(node, before, after, (keys and keys.key) or node.rule.key)

    def _below(self, here: _Here, value: Json, token: str) -> Json:
        if type(value) is dict:
            return value.get(token, ABSENT)
        place = self._place(here, value, token)
        return ABSENT if place is None or place >= len(value) else value[place]

    def _step(self, above: _Here, here: _Here, token: str) -> _Step:
        rule = here.node.rule
        label = cut(clean(rule.label or ""), _PART)
        if not _is_item(above, token):
            return _Step(label or readable(token), here.node, clear=bool(label))
        name = None if rule.sensitive else self._name(above, here)
        if name is None:
            number = self._number(above, token, label or phrases.ITEM)
            return _Step(number, here.node, clear=False, item=True)
        return _Step(name, here.node, clear=True, item=True, noun=label)

    def _name(self, above: _Here, here: _Here) -> str | None:
        pointer = above.node.rule.item
        return name_of(here.before, here.node, pointer) or name_of(here.after, here.node, pointer)

    def _number(self, above: _Here, token: str, noun: str) -> str:
        found = (self._place(above, items, token) for items in (above.after, above.before))
        place = next((place for place in found if place is not None), _index(token))
        if place is None:
            return phrases.SOME_ITEM
        return phrases.NUMBERED.format(noun=noun, n=place + 1)

    def _place(self, here: _Here, items: Json, token: str) -> int | None:
        """At which index of a list an item is, if it can be there."""
        if type(items) is not list:
            return None
        wanted = as_id(token)
        return _index(token) if wanted is None else self._ids(here, items).get(wanted)

    def _ids(self, here: _Here, items: list[Json]) -> dict[str, int]:
        known = self._known.get((id(items), here.key))
        if known is None:
            known = self._known[id(items), here.key] = _places_by_id(items, here.key)
        return known


def readable(token: str) -> str:
    """A member's name as a label.

    >>> readable("street_name"), readable("homepageURL")
    ('Street name', 'Homepage URL')
    """
    words = clean(_HUMPS.sub(" ", token[:_TOKEN])).split()
    words = [word if word.isupper() else word.lower() for word in words]
    if not words:
        return phrases.UNNAMED
    label = " ".join(words)
    return cut(label[0].upper() + label[1:], _PART)


def _chain(steps: Sequence[_Step]) -> str:
    """The last step, and of those above it as many as it takes to know which one is meant."""
    if not steps:
        return phrases.WHOLE_FORM
    *outer, last = steps
    if last.item and last.clear:
        return phrases.IN.format(item=last.full, items=_chain(outer))
    said, clear = [last.said], last.clear
    for one in reversed(outer):
        if one.item or not clear:
            said.append(one.said)
            clear = one.clear
    return _of(said)


def _of(said: Sequence[str]) -> str:
    phrase = said[-1]
    for part in reversed(said[:-1]):
        phrase = phrases.OF.format(part=part, whole=phrase)
    return phrase


def _is_item(above: _Here, token: str) -> bool:
    known = above.after if type(above.after) in (dict, list) else above.before
    if type(known) in (dict, list):
        return type(known) is list
    return as_id(token) is not None or _index(token) is not None


def _index(token: str) -> int | None:
    try:
        return as_index(token)
    except CannotApply:
        return None


def _places_by_id(items: list[Json], key: str | None) -> dict[str, int]:
    """Where the items are by their ids, whichever member holds them."""
    places: dict[str, int] = {}
    for member in preferred(key):
        for place, id_ in enumerate(ids_by(items, member) or ()):
            places.setdefault(id_, place)
    return places

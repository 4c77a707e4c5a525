"""What of a form is sensitive by its definition, and what others than its owner see instead.

Whoever may not edit a draft sees none of its sensitive values; past ones only its owner sees. All
this is by the definition that is in force when somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from domain.access import may
from domain.conflict import Conflict, Side
from domain.form import Form, Node
from domain.identity import own_ids
from domain.path import ABSENT, child, id_token, parse
from domain.value import Data, Json

MASK: Final = {"masked": True}

_InPlace = Callable[[Json], Json]
_VALUES: Final = ("before", "after")


def hides_now(form: Form, role: str) -> bool:
    """Whether current values of the form are hidden from somebody in this role."""
    return form.root.hides and not may(role, "write")


def hides_past(form: Form, role: str) -> bool:
    """Whether past values of the form are hidden from somebody in this role."""
    return form.root.hides and not may(role, "manage")


def masked(value: Json, form: Form, path: str = "") -> Json:
    """The value at a path, with a mask in every sensitive place of it, or the mask itself.

    >>> form = Form(form="gig", fields={"/acts/*/phone": {"sensitive": True}})
    >>> masked([{"id": 1, "phone": "12"}], form, "/acts")
    [{'id': 1, 'phone': {'masked': True}}]
    >>> masked("12", form, "/acts/id:1/phone/area")
    {'masked': True}
    """
    node = _at(form, path)
    return MASK if node is None else _replaced(value, node, lambda _: MASK)


def masked_change(change: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """A change as it is shown, with masks; the words of a text within a sensitive place go."""
    path, shown = change["path"], dict(change)
    for name in _VALUES:
        if name in shown:
            shown[name] = masked(shown[name], form, path)
    if "segments" in shown and _at(form, path) is None:
        shown["segments"] = []
    return shown


def masked_conflict(conflict: Conflict, form: Form) -> Conflict:
    """A conflict with masks in the place of every side's sensitive values."""

    def values(held: Mapping[str, Json]) -> dict[str, Json]:
        return {path: masked(value, form, path) for path, value in held.items()}

    def side(one: Side) -> Side:
        return cast("Side", {**one, "values": values(one["values"])})

    hidden = {
        "base": values(conflict["base"]),
        "ours": side(conflict["ours"]),
        "theirs": [side(one) for one in conflict["theirs"]],
    }
    return cast("Conflict", {**conflict, **hidden})


def without_sensitive(data: Data, form: Form) -> Data:
    """The data without what is sensitive; itself, if nothing is.

    >>> form = Form(form="gig", fields={"/contact/phone": {"sensitive": True}})
    >>> without_sensitive({"fee": 1, "contact": {"name": "Zoë", "phone": "12"}}, form)
    {'fee': 1, 'contact': {'name': 'Zoë'}}
    """
    return cast("Data", _replaced(data, form.root, lambda _: ABSENT))


def with_sensitive_of(now: Data, data: Data, form: Form) -> Data:
    """The data, but every sensitive place as it is `now`; list items with ids go by these.

    >>> form = Form(form="gig", fields={"/contact": {"sensitive": True}})
    >>> with_sensitive_of({"contact": "now"}, {"fee": 1, "contact": "then"}, form)
    {'fee': 1, 'contact': 'now'}
    """
    return cast("Data", _kept(data, now, form.root))


def masks(data: Data, form: Form) -> Iterator[str]:
    """The sensitive places that hold a mask: somebody sent back what they were shown."""
    return _masks(data, form.root, "") if form.root.hides else iter(())


def title_is_sensitive(form: Form) -> bool:
    """Whether a draft's title may be made of a sensitive value."""
    paths = (form.title, "/title", "/name")
    return any(path is not None and is_sensitive(form, path) for path in paths)


def is_sensitive(form: Form, path: str) -> bool:
    """Whether a path leads to a sensitive place, into one, or to where there are some below."""
    node = _at(form, path)
    return node is None or node.hides


def depth_in_sight(form: Form, tokens: Sequence[str]) -> int:
    """How many tokens of a path lead no further than to a sensitive place.

    >>> form = Form(form="gig", fields={"/contact": {"sensitive": True}})
    >>> depth_in_sight(form, ("contact", "phone")), depth_in_sight(form, ("acts", "0", "fee"))
    (1, 3)
    """
    node = form.root
    for depth, token in enumerate(tokens):
        if node.rule.sensitive:
            return depth
        node = node.below(token)
    return len(tokens)


def _at(form: Form, path: str) -> Node | None:
    """What the definition says of a path; None if it lies in a sensitive place."""
    node = form.root
    for token in parse(path):
        if node.rule.sensitive:
            return None
        node = node.below(token)
    return None if node.rule.sensitive else node


def _replaced(value: Json, node: Node, put: _InPlace) -> Json:
    """The value with something else, or nothing, in its sensitive places."""
    if node.rule.sensitive:
        return put(value)
    if not node.hides:
        return value
    if type(value) is dict:
        shown = {name: _replaced(inner, node.below(name), put) for name, inner in value.items()}
        return {name: inner for name, inner in shown.items() if inner is not ABSENT}
    if type(value) is list:
        items = (_replaced(item, node.below(token), put) for token, item in _items(value, node))
        return [item for item in items if item is not ABSENT]
    return value


def _items(items: list[Json], node: Node) -> list[tuple[str, Json]]:
    """The items of a list by the tokens that name them: their ids, else their indexes."""
    _, ids = own_ids(items, node.rule.key)
    tokens = map(id_token, ids) if ids else map(str, range(len(items)))
    return list(zip(tokens, items, strict=True))


def _kept(value: Json, now: Json, node: Node) -> Json:
    if node.rule.sensitive:
        return now
    if not node.hides:
        return value
    if type(value) is dict:
        return _kept_members(value, now if type(now) is dict else {}, node)
    if type(value) is list:
        held = dict(_items(now, node)) if type(now) is list else {}
        kept = (
            _kept(item, held.get(token, ABSENT), node.below(token))
            for token, item in _items(value, node)
        )
        return [item for item in kept if item is not ABSENT]
    if value is ABSENT and type(now) is dict:  # what held the sensitive value was not there then
        return _kept_members({}, now, node) or ABSENT
    return value


def _kept_members(value: Data, now: Data, node: Node) -> Data:
    """The members in their order; those that are only there now come last."""
    names = dict.fromkeys([*value, *now])
    kept = {
        name: _kept(value.get(name, ABSENT), now.get(name, ABSENT), node.below(name))
        for name in names
    }
    return {name: inner for name, inner in kept.items() if inner is not ABSENT}


def _masks(value: Json, node: Node, path: str) -> Iterator[str]:
    if node.rule.sensitive:
        if _is_mask(value):
            yield path
    elif node.hides and type(value) is dict:
        for name, inner in value.items():
            yield from _masks(inner, node.below(name), child(path, name))
    elif node.hides and type(value) is list:
        for token, item in _items(value, node):
            yield from _masks(item, node.below(token), child(path, token))


def _is_mask(value: Json) -> bool:
    """Whether it is a mask, or holds one; within a sensitive place it can mean nothing else."""
    if type(value) is dict:
        # A merge patch puts the mask's member beside those that are there.
        return value.get("masked") is True or any(map(_is_mask, value.values()))
    return type(value) is list and any(map(_is_mask, value))

"""What a client does with the changes of a receipt or comparison, by the wire format alone."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from domain.path import as_id, parse, position
from tests.api.calls import Document


def received(changes: Sequence[Document], sent: Any) -> Any:
    """The copy that was sent, with the changes that came back for it."""
    copy = deepcopy(sent)
    for change in changes:
        *way, last = parse(change["path"])
        place = _walk(copy, way)
        if type(place) is list:
            _in_list(place, last, deepcopy(change))
        else:
            _in_object(place, last, deepcopy(change))
    return copy


def _walk(value: Any, way: Sequence[str]) -> Any:
    for token in way:
        value = value[position(value, token) if type(value) is list else token]
    return value


def _in_object(place: dict[str, Any], name: str, change: Document) -> None:
    if change["op"] == "remove":
        assert place.pop(name) == change["before"]
        return
    assert (name in place) == (change["op"] != "add")
    assert place.get(name) == change.get("before")
    place[name] = change["after"]


def _in_list(place: list[Any], token: str, change: Document) -> None:
    op = change["op"]
    if op == "move":
        here = int(parse(change["from"])[-1])
        assert here == position(place, token)
        place.insert(change["index"], place.pop(here))
    elif op == "add":
        place.insert(change["index"] if as_id(token) else int(token), change["after"])
    elif op == "remove":
        assert place.pop(position(place, token)) == change["before"]
    else:
        here = position(place, token)
        assert place[here] == change["before"]
        place[here] = change["after"]

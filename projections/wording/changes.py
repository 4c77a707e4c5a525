"""One change in words: what somebody did to a field, an item of a list, or a long text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from domain import text as long_text
from domain.form import NOWHERE
from domain.identity import Keys
from domain.path import ABSENT, declared_keys, parse
from domain.value import Json
from projections.wording import phrases
from projections.wording.places import Place, Places
from projections.wording.values import apart, in_words, is_blank, listed, word_count

_BLANK: Final[tuple[Json, ...]] = ("", [], {})
_NEAR: Final = 40  # characters beside a change in which its word may begin or end

Served = Mapping[str, Any]
"""A change as the API shows it; see `domain/change.py`."""


def place_of(change: Served, places: Places) -> Place:
    """Where a change is; an item that comes or goes is called as in the change."""
    gone_or_new = change.get("after", change.get("before"))
    item = gone_or_new if change["op"] in ("add", "remove") else ABSENT
    return places.at(change["path"], item, _keys(change))


def _keys(change: Served) -> Keys | None:
    return declared_keys(change["keys"]) if "keys" in change else None


def did(change: Served, places: Places) -> str:
    """What somebody did, without who; nothing of a sensitive value."""
    place = place_of(change, places)
    if place.hidden:
        return phrases.CHANGED.format(field=place.label)
    return _DID[change["op"]](change, place, places)


def _added(change: Served, place: Place, _: Places) -> str:
    after = change["after"]
    if place.item is not None:
        return phrases.ADDED_TO.format(what=_item(place, after), field=place.items)
    template = phrases.ADDED if type(after) in (dict, list) else phrases.SET
    return template.format(field=place.label, after=in_words(after, place.node))


def _removed(change: Served, place: Place, _: Places) -> str:
    before = change["before"]
    if place.item is not None:
        return phrases.REMOVED_FROM.format(what=_item(place, before), field=place.items)
    return phrases.REMOVED.format(field=place.label, before=in_words(before, place.node))


def _replaced(change: Served, place: Place, _: Places) -> str:
    values = [change["before"], change["after"]]
    before, after = apart(values, place.node)
    if before == after:
        alike = all(type(value) is str for value in values)
        return (phrases.RESPACED if alike else phrases.CHANGED).format(field=place.label)
    if place.item is not None and not any(type(value) in (dict, list) for value in values):
        return phrases.CHANGED_IN.format(before=before, after=after, field=place.items)
    if values[1] in _BLANK and values[0] not in (None, *_BLANK):
        return phrases.EMPTIED.format(field=place.label, before=before)
    return phrases.CHANGED_FROM.format(field=place.label, before=before, after=after)


def _moved(change: Served, place: Place, places: Places) -> str:
    up = change["index"] < int(parse(change["from"])[-1])
    other = places.beside(change["path"], 1 if up else -1, _keys(change))
    if other is None:
        return phrases.MOVED.format(item=place.item, items=place.items)
    template = phrases.MOVED_UP if up else phrases.MOVED_DOWN
    return template.format(item=place.item, items=place.items, other=other)


def _rewritten(change: Served, place: Place, _: Places) -> str:
    spots = _spots(change["segments"])
    if len(spots) == 1:
        return _in_one_spot(*spots[0], place.label)
    parts = [
        template.format(words=words)
        for side, template in ((1, phrases.ADDED_COUNT), (0, phrases.REMOVED_COUNT))
        if (words := word_count(spot[side] for spot in spots))
    ]
    template = phrases.CHANGED_PLACES_COUNTED if parts else phrases.CHANGED_PLACES
    return template.format(field=place.label, n=len(spots), counts=listed(parts))


def _in_one_spot(gone: str, new: str, field: str) -> str:
    before, after = apart([gone, new], NOWHERE)
    if before == after or gone.split() == new.split():
        return phrases.RESPACED.format(field=field)
    if is_blank(gone):
        return phrases.ADDED_TO.format(what=after, field=field)
    if is_blank(new):
        return phrases.REMOVED_FROM.format(what=before, field=field)
    return phrases.CHANGED_IN.format(before=before, after=after, field=field)


_DID: Final[dict[str, Callable[[Served, Place, Places], str]]] = {
    "add": _added,
    "remove": _removed,
    "replace": _replaced,
    "move": _moved,
    "text": _rewritten,
}


def _item(place: Place, value: Json) -> str | None:
    """An item that came or went: a scalar as it is, others by name or number."""
    return place.item if type(value) in (dict, list) else in_words(value, place.node)


def _spots(segments: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """Each place where a text changed: what stood there and what stands there, in whole words."""
    spots = []
    left = gone = new = ""
    for segment in [*segments, {"keep": ""}]:
        if "keep" not in segment:
            gone += segment.get("delete", "")
            new += segment.get("insert", "")
            continue
        if gone or new:
            spots.append(_whole_words(left, gone, new, segment["keep"]))
        left, gone, new = segment["keep"], "", ""
    return spots


def _whole_words(left: str, gone: str, new: str, right: str) -> tuple[str, str]:
    """What was replaced by what, with the rest of the words that it begins or ends in."""
    torn_left = _is_one_word(left, gone or right) or _is_one_word(left, new or right)
    torn_right = _is_one_word(gone or left, right) or _is_one_word(new or left, right)
    head = long_text.words(left[-_NEAR:])[-1] if torn_left else ""
    tail = long_text.words(right[:_NEAR])[0] if torn_right else ""
    return head + gone + tail, head + new + tail


def _is_one_word(left: str, right: str) -> bool:
    """Whether a word runs on from one text into the next."""
    if not left or not right:
        return False
    return left[-1].isalnum() and len(long_text.words(left[-1] + right[0])) == 1

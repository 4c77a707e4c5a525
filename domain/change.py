"""A change, as events store it: applied to a form, turned round, and shown.

Decision: changes apply one after the other, each to the result of the one before. Why: any prefix
of them is a valid state, and `invert` is a reversal. Indexes are those of that moment. Considered:
indexes of the text before for lists, which read better but cannot be applied one by one.

Decision: where a form definition declares the key of a list, a change that names an item of it by
id says so itself (`keys`). Why: events must apply for ever, whatever the definition says later.
Considered: the keys once per event, which everybody who handles changes would have to pass along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypedDict, cast

from domain import text
from domain.errors import CannotApply
from domain.identity import Keys
from domain.path import as_index, child, declared_keys, get, parse
from domain.text import Splice
from domain.value import Data, Json, count_members, same
from domain.working import Working

Change = TypedDict(
    "Change",
    {
        "op": str,
        "path": str,
        "before": Json,
        "after": Json,
        "index": int,
        "from": str,
        "splices": list[Splice],
        "keys": Mapping[str, str],
    },
    total=False,
)
"""One value at one path, changed; which members it has depends on `op`:

`add` after, `remove` before (both with `index` for a list item that has an id), `replace` before
and after, `move` from and index, `text` splices. `keys` are the declared keys, by path, of the
lists on the way whose items are told apart by them.
"""


def replaced(path: str, before: Json, after: Json) -> Change:
    """Another value at a path."""
    return {"op": "replace", "path": path, "before": before, "after": after}


def moved(items: str, path: str, here: int, there: int) -> Change:
    """A list item, named by its id, taken from one place to another."""
    return {"op": "move", "path": path, "from": child(items, str(here)), "index": there}


def apply(changes: Sequence[Change], data: Data) -> Data:
    """The form after the changes, which must fit it exactly.

    Raises:
        CannotApply: One does not fit; `before` is not what is there, or there is no such place.
    """
    working = Working(data)
    for index, change in enumerate(changes):
        working.keys = keys_of(change)
        try:
            _APPLY[change["op"]](working, parse(change["path"]), change)
        except CannotApply as misfit:
            raise CannotApply(misfit.detail, index=index, path=change["path"]) from None
    return cast("Data", working.root)


def keys_of(change: Change) -> Keys | None:
    """The declared list keys by which a change names its items."""
    return declared_keys(change["keys"]) if "keys" in change else None


def _apply_add(working: Working, tokens: tuple[str, ...], change: Change) -> None:
    if "index" in change:
        working.insert(tokens, change["index"], change["after"])
    else:
        working.create(tokens, change["after"])


def _apply_remove(working: Working, tokens: tuple[str, ...], change: Change) -> None:
    _must_be(change["before"], working.remove(tokens, change.get("index")))


def _apply_replace(working: Working, tokens: tuple[str, ...], change: Change) -> None:
    _must_be(change["before"], working.replace(tokens, change["after"]))


def _apply_move(working: Working, tokens: tuple[str, ...], change: Change) -> None:
    working.shift(tokens, as_index(parse(change["from"])[-1]), change["index"])


def _apply_text(working: Working, tokens: tuple[str, ...], change: Change) -> None:
    before = working.get(tokens)
    if type(before) is not str:
        raise CannotApply("there is no text")
    working.replace(tokens, text.splice(before, change["splices"]))


_APPLY: Final[dict[str, Callable[[Working, tuple[str, ...], Change], None]]] = {
    "add": _apply_add,
    "remove": _apply_remove,
    "replace": _apply_replace,
    "move": _apply_move,
    "text": _apply_text,
}


def _must_be(expected: Json, found: Json) -> None:
    if found is not expected and not same(found, expected):
        raise CannotApply("the value there is not the one that changed")


def invert(changes: Sequence[Change]) -> list[Change]:
    """The changes that lead back, in the order in which they apply."""
    return [_inverted(change) for change in reversed(changes)]


def _inverted(change: Change) -> Change:
    turned = _turned(change)
    if "keys" in change:
        turned["keys"] = change["keys"]
    return turned


def _turned(change: Change) -> Change:
    op = change["op"]
    if op == "replace":
        return replaced(change["path"], change["after"], change["before"])
    if op == "text":
        return {"op": op, "path": change["path"], "splices": text.invert(change["splices"])}
    if op == "move":
        items, _, here = change["from"].rpartition("/")
        return moved(items, change["path"], change["index"], int(here))
    turned: Change
    if op == "add":
        turned = {"op": "remove", "path": change["path"], "before": change["after"]}
    else:
        turned = {"op": "add", "path": change["path"], "after": change["before"]}
    if "index" in change:
        turned["index"] = change["index"]
    return turned


def serve(changes: Sequence[Change], before: Data) -> list[dict[str, Any]]:
    """The changes as the API shows them, each beside the data that it applied to."""
    shown: list[dict[str, Any]] = []
    pending: list[Change] = []
    for change in changes:
        if change["op"] == "text":
            before, pending = apply(pending, before), []
        shown.append(served(change, before))
        pending.append(change)
    return shown


def served(change: Change, before_data: Data) -> dict[str, Any]:
    """One change as the API shows it: long text as whole texts and segments.

    `before_data` is the form just before this change.
    """
    if change["op"] != "text":
        return dict(change)
    before, parts = get(before_data, change["path"], keys_of(change)), change["splices"]
    shown: dict[str, Any] = {
        "op": "text",
        "path": change["path"],
        "before": before,
        "after": text.splice(before, parts),
        "segments": text.segments(before, parts),
    }
    return {**shown, "keys": change["keys"]} if "keys" in change else shown


def members_added(changes: Sequence[Change]) -> int:
    """By how many members and items the changes make the data larger (negative: smaller)."""
    added = 0
    for change in changes:
        added += _PLACED.get(change["op"], 0)
        if type(after := change.get("after")) in _CONTAINERS:
            added += count_members(after)
        if type(before := change.get("before")) in _CONTAINERS:
            added -= count_members(before)
    return added


_PLACED = {"add": 1, "remove": -1}
_CONTAINERS = (dict, list)

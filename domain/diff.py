"""What changed between two forms, as the list of changes that events store."""

from __future__ import annotations

from typing import Final

from domain import text
from domain.change import Change as Change
from domain.change import apply as apply
from domain.change import invert as invert
from domain.change import moved, replaced
from domain.change import serve as serve
from domain.change import served as served
from domain.identity import Keys, key_at, shared_ids
from domain.path import ABSENT, child, id_token
from domain.sequence import hunks, moves
from domain.value import Data, Json, fingerprint, is_long_text, same

_SPLICE_OVERHEAD: Final = 12  # JSON around one splice, in characters
_MANY_ITEMS: Final = 100  # changed in one list: with most of it changed, it is replaced


def diff(before: Data, after: Data, keys: Keys | None = None) -> list[Change]:
    """The changes that lead from one form to another; none if they are the same."""
    changes: list[Change] = []
    if before is not after:
        _diff_objects(changes, "", before, after, keys)
    return changes


def _diff_objects(
    changes: list[Change], path: str, before: Data, after: Data, keys: Keys | None
) -> None:
    kept, lookup = len(before), after.get
    suspects = [name for name, old in before.items() if lookup(name, ABSENT) is not old]
    for name in suspects:
        if name in after:
            below = keys and keys.below(name)
            _diff_values(changes, child(path, name), before[name], after[name], below)
        else:
            kept -= 1
            changes.append({"op": "remove", "path": child(path, name), "before": before[name]})
    if len(after) == kept:
        return
    for name, new in after.items():
        if name not in before:
            changes.append({"op": "add", "path": child(path, name), "after": new})


def _diff_values(
    changes: list[Change], path: str, before: Json, after: Json, keys: Keys | None
) -> None:
    if before is after:
        return None
    kind = type(before)
    if kind is type(after):
        if kind is dict:
            return _diff_objects(changes, path, before, after, keys)
        if kind is list:
            return _diff_lists(changes, path, before, after, keys)
        if kind is str:
            return _diff_texts(changes, path, before, after)
    if not same(before, after):
        changes.append(replaced(path, before, after))
    return None


def _diff_texts(changes: list[Change], path: str, before: str, after: str) -> None:
    if before == after:
        return
    if is_long_text(before) or is_long_text(after):
        parts = text.splices(before, after)
        size = sum(len(old) + len(new) + _SPLICE_OVERHEAD for _, old, new in parts)
        if size < len(before) + len(after):
            changes.append({"op": "text", "path": path, "splices": parts})
            return
    changes.append(replaced(path, before, after))


def _diff_lists(
    changes: list[Change], path: str, before: list[Json], after: list[Json], keys: Keys | None
) -> None:
    declared = key_at(keys)
    shared = shared_ids(before, after, declared=declared)
    if shared is None:
        _diff_sequences(changes, path, before, after, keys)
        return
    old, new = (dict(zip(*s, strict=True)) for s in zip(shared.ids, (before, after), strict=True))
    known = len(changes)
    _diff_items(changes, path, old, new, keys)
    if declared is not None and shared.key == declared:
        for change in changes[known:]:
            change["keys"] = {path: declared, **change.get("keys", {})}


def _diff_items(
    changes: list[Change], path: str, before: Data, after: Data, keys: Keys | None
) -> None:
    """Lists as items by id: first what changed inside items, then which, then their order."""
    for id_, old in before.items():
        if (new := after.get(id_)) is not old and new is not None:
            token = id_token(id_)
            _diff_values(changes, child(path, token), old, new, keys and keys.below(token))
    if list(before) == list(after):
        return
    _remove_items(changes, path, before, after)
    _move_items(changes, path, before, after)
    for place, (id_, new) in enumerate(after.items()):
        if id_ not in before:
            at = child(path, id_token(id_))
            changes.append({"op": "add", "path": at, "after": new, "index": place})


def _remove_items(changes: list[Change], path: str, before: Data, after: Data) -> None:
    place = 0
    for id_, old in before.items():
        if id_ in after:
            place += 1
        else:
            at = child(path, id_token(id_))
            changes.append({"op": "remove", "path": at, "before": old, "index": place})


def _move_items(changes: list[Change], path: str, before: Data, after: Data) -> None:
    kept = [id_ for id_ in before if id_ in after]
    wanted = [id_ for id_ in after if id_ in before]
    if kept == wanted:
        return
    places = {id_: place for place, id_ in enumerate(kept)}
    for place, here, there in moves([places[id_] for id_ in wanted]):
        changes.append(moved(path, child(path, id_token(wanted[place])), here, there))


def _diff_sequences(
    changes: list[Change], path: str, before: list[Json], after: list[Json], keys: Keys | None
) -> None:
    """Lists whose items have no ids: by position, in the order of the result."""
    start = _common_start(before, after)
    left, right = before[start:], after[start:]
    found = hunks([fingerprint(item) for item in left], [fingerprint(item) for item in right])
    changed = sum(max(h.a_end - h.a_start, h.b_end - h.b_start) for h in found)
    if changed > _MANY_ITEMS and changed * 2 > max(len(before), len(after)):
        changes.append(replaced(path, before, after))
        return
    for hunk in found:
        place = start + hunk.b_start
        old, new = left[hunk.a_start : hunk.a_end], right[hunk.b_start : hunk.b_end]
        _diff_rows(changes, path, place, old, new, keys)


def _common_start(before: list[Json], after: list[Json]) -> int:
    start = 0
    for old, new in zip(before, after, strict=False):
        if not same(old, new):
            break
        start += 1
    return start


def _diff_rows(
    changes: list[Change],
    path: str,
    place: int,
    old: list[Json],
    new: list[Json],
    keys: Keys | None,
) -> None:
    """One stretch of a list that became another one, from `place` on."""
    for offset, (one, other) in enumerate(zip(old, new, strict=False)):
        token = str(place + offset)
        _diff_values(changes, child(path, token), one, other, keys and keys.below(token))
    at = child(path, str(place + len(new)))
    changes += [{"op": "remove", "path": at, "before": item} for item in old[len(new) :]]
    for offset in range(len(old), len(new)):
        at = child(path, str(place + offset))
        changes.append({"op": "add", "path": at, "after": new[offset]})

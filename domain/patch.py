"""Client's changes applied to a form: JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from domain.errors import CannotApply
from domain.identity import Keys, along
from domain.path import parse, position, step
from domain.value import Data, Json, same
from domain.working import Working

Operation: TypeAlias = dict[str, Any]
"""`{"op", "path", "value"?, "from"?}`; other members are ignored."""


def patch(data: Data, operations: Sequence[Operation], keys: Keys | None = None) -> Data:
    """The form after all operations; list items may be named `id:<id>`, by declared `keys` too.

    Adding at `/acts/id:x` appends an item that carries this id and is not there yet.

    Raises:
        CannotApply: One does not fit, and so none is applied; it says which.
    """
    result = apply_operations(data, operations, keys)
    if type(result) is not dict:
        raise CannotApply("the form must stay an object", index=max(len(operations) - 1, 0))
    return result


def apply_operations(
    value: Json, operations: Sequence[Operation], keys: Keys | None = None
) -> Json:
    """The same for any JSON value, whose root may become another kind of value."""
    working = Working(value, keys)
    for index, operation in enumerate(operations):
        try:
            _apply(working, operation)
        except CannotApply as misfit:
            path = _path_as_written(operation)
            raise CannotApply(misfit.detail, index=index, path=path) from None
    return working.root


def merge_patch(data: Data, changes: Json) -> Data:
    """The form after a JSON Merge Patch: null removes, objects are merged, all else replaces.

    >>> merge_patch({"title": "Jazz", "venue": {"city": "Ghent"}}, {"title": None})
    {'venue': {'city': 'Ghent'}}
    """
    if type(changes) is not dict:
        raise CannotApply("a merge patch of a form is an object")
    return _merged(data, changes)


def _merged(target: Json, changes: Data) -> Data:
    result: Data = dict(target) if type(target) is dict else {}
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merged(result.get(name), value) if type(value) is dict else value
    return result


def _apply(working: Working, operation: Any) -> None:
    if type(operation) is not dict:
        raise CannotApply("an operation is an object")
    op = operation.get("op")
    carry_out = _OPERATIONS.get(op) if type(op) is str else None
    if carry_out is None:
        raise CannotApply(f"there is no operation {op!r}; use one of {', '.join(_OPERATIONS)}")
    carry_out(working, operation)


def _add(working: Working, operation: Operation) -> None:
    working.add(_tokens(operation, "path"), _value(operation))


def _remove(working: Working, operation: Operation) -> None:
    working.remove(_tokens(operation, "path"))


def _replace(working: Working, operation: Operation) -> None:
    working.replace(_tokens(operation, "path"), _value(operation))


def _move(working: Working, operation: Operation) -> None:
    source, target = _tokens(operation, "from"), _tokens(operation, "path")
    here, there = _places(working, source), _places(working, target)
    if len(here) < len(there) and there[: len(here)] == here:
        raise CannotApply("a value cannot move into itself")
    if source == target:
        working.get(source)
    else:
        working.add(target, working.remove(source))


def _copy(working: Working, operation: Operation) -> None:
    target = _tokens(operation, "path")
    working.add(target, working.get(_tokens(operation, "from")))


def _test(working: Working, operation: Operation) -> None:
    tokens, expected = _tokens(operation, "path"), _value(operation)
    if not same(working.get(tokens), expected):
        raise CannotApply("the value there is not the one tested for")


_OPERATIONS: Final[dict[str, Callable[[Working, Operation], None]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _tokens(operation: Operation, name: str) -> tuple[str, ...]:
    path = operation.get(name)
    if type(path) is not str:
        raise CannotApply(f"it needs a JSON Pointer as {name!r}")
    return parse(path)


def _value(operation: Operation) -> Json:
    try:
        return operation["value"]
    except KeyError:
        raise CannotApply("it needs a 'value'") from None


def _path_as_written(operation: Any) -> str:
    path = operation.get("path") if type(operation) is dict else None
    return path if type(path) is str else ""


def _places(working: Working, tokens: tuple[str, ...]) -> tuple[str, ...]:
    """The tokens with ids as indexes, so that one place has one spelling, as far as they lead."""
    value, spelt = working.root, list(tokens)
    for depth, (token, key) in enumerate(zip(tokens, along(working.keys, tokens), strict=False)):
        try:
            if type(value) is list:
                spelt[depth] = str(position(value, token, key))
            value = step(value, spelt[depth])
        except CannotApply:
            break
    return tuple(spelt)

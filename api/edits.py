"""Edits as they come: in three forms, alone or in a queue, read as the domain takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from starlette.types import Scope

from api import schemas
from api.addresses import query_of
from api.headers import Wishes
from api.origins import digest_of, origin
from api.parts import Parts
from api.requests import MERGE_PATCH, load
from api.security import Principal
from domain.asked import Edit
from domain.errors import Fault, Invalid
from domain.origin import Origin


async def read_edit(
    parts: Parts, value: Any, caller: Principal, scope: Scope, wishes: Wishes | None = None
) -> tuple[Edit, Origin]:
    """An edit as the domain takes it, and where it comes from."""
    patch = value.pop("merge_patch", None) if type(value) is _Edit else None
    model = load(schemas.EDIT, value)
    if model.changes is not None and len(model.changes) > parts.limits.changes:
        raise Invalid.one("/changes", f"An edit may have {parts.limits.changes} changes at most.")
    edit = Edit(
        based_on=model.based_on,
        changes=cast("list[dict[str, Any]] | None", model.changes),
        data=model.data,
        merge_patch=patch,
        step=model.step,
        completed_steps=model.completed_steps,
        if_match=wishes.if_match if wishes else None,
        on_conflict=model.on_conflict,
        on_closed=model.on_closed,
    )
    numbered = model.seq is not None
    digest = (
        digest_of("edit", {**value, "merge_patch": patch} if patch else value) if numbered else None
    )
    return edit, await origin(parts, model, caller, scope, digest)


async def read_queue(
    parts: Parts, values: Sequence[Any], caller: Principal, scope: Scope
) -> list[tuple[Edit, Origin]]:
    """An offline queue, its edits in order."""
    return [
        await _read_queued(parts, number, value, caller, scope)
        for number, value in enumerate(values)
    ]


async def _read_queued(
    parts: Parts, number: int, value: Any, caller: Principal, scope: Scope
) -> tuple[Edit, Origin]:
    try:
        return await read_edit(parts, value, caller, scope)
    except Invalid as invalid:
        raise pointed(invalid, lambda pointer: f"/edits/{number}{pointer}") from None


_IN_ADDRESS: dict[str, type] = {"based_on": int, "device": str, "seq": int}


class _Edit(dict[str, Any]):
    """An edit that came as a patch document; it may hold a `merge_patch`, as none on the wire."""


def as_edit(kind: str, value: Any, query: bytes) -> _Edit:
    """A patch document as an edit; device, seq and base stand in the address."""
    given = query_of(query, _IN_ADDRESS)
    edit = _Edit({name: item for name, item in given.items() if item is not None})
    if kind == MERGE_PATCH:
        edit["merge_patch"] = load(schemas.MERGE_PATCH, value)
    else:
        edit["changes"] = [_known_members(op) for op in load(schemas.JSON_PATCH, value)]
    return edit


def _known_members(operation: dict[str, Any]) -> dict[str, Any]:
    """RFC 6902, section 4: members that an operation does not define are ignored."""
    return {name: operation[name] for name in ("op", "path", "value", "from") if name in operation}


def pointed(invalid: Invalid, where: Callable[[str], str]) -> Invalid:
    """The same faults with pointers into what the caller sent."""
    return Invalid([Fault(where(fault.pointer), fault.detail) for fault in invalid.errors])


def in_patch(pointer: str) -> str:
    """Where a fault of an edit is in a patch document, or in its address."""
    name = pointer.removeprefix("/")
    return f"?{name}" if name in _IN_ADDRESS else pointer.removeprefix("/changes")

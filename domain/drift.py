"""Drift: fields that a draft has and its form definition does not know; shown, never refused."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Sequence
from typing import Any, TypeAlias

from domain.expression import matches
from domain.fitting import Allowance
from domain.form import Form, Node
from domain.schema import referenced
from domain.value import Data, Json

Schemas: TypeAlias = list[dict[str, Any]]
Place: TypeAlias = tuple[str | int, ...]

_BESIDE = ("allOf", "anyOf", "oneOf")
_IF = ("if", "then", "else")


def unknown(form: Form, data: Data, allowance: Allowance) -> list[Place]:
    """The places of all fields that neither the schema nor the labelled fields name.

    Where the schema names no member of an object, any may stand; what stands below an unknown field
    is not listed again. Whether a value fits does not matter here: a field that one of several
    alternatives names is known.

    Raises:
        TooCostly: It takes longer than allowed.
    """
    return list(_Looking(form, allowance).at(data, [form.json_schema], form.root, ()))


class _Looking:
    """One look at a draft, which remembers what each schema says together with those beside it."""

    def __init__(self, form: Form, allowance: Allowance) -> None:
        self._whole, self._allowance = form.json_schema, allowance
        self._remembered: dict[int, Schemas] = {}

    def at(self, value: Json, schemas: Sequence[Any], node: Node, place: Place) -> Iterator[Place]:
        """The unknown fields in a value of which these schemas and this node speak."""
        self._allowance.check()
        if isinstance(value, dict):
            yield from self._in_object(value, self._together(schemas), node, place)
        elif isinstance(value, list):
            said = self._together(schemas)
            for index, item in enumerate(value):
                yield from self.at(item, _of_item(said, index), node.below("0"), (*place, index))

    def _in_object(self, value: Data, said: Schemas, node: Node, place: Place) -> Iterator[Place]:
        open_ = not any(map(_names_members, said))
        for name, inner in value.items():
            self._allowance.check()
            below = [schema for one in said for schema in _of_member(one, name)]
            if below or open_ or node.any or name in node.members:
                yield from self.at(inner, below, node.below(name), (*place, name))
            else:
                yield (*place, name)

    def _together(self, schemas: Sequence[Any]) -> Schemas:
        found: dict[int, dict[str, Any]] = {}
        for schema in schemas:
            if isinstance(schema, dict):
                if id(schema) not in self._remembered:
                    self._remembered[id(schema)] = self._beside(schema)
                found |= {id(one): one for one in self._remembered[id(schema)]}
        return list(found.values())

    def _beside(self, schema: dict[str, Any]) -> Schemas:
        """The schema, and all that speak of the same value because of it."""
        found: dict[int, dict[str, Any]] = {}
        waiting: list[Any] = [schema]
        while waiting:
            self._allowance.check()
            one = waiting.pop()
            if isinstance(one, dict) and id(one) not in found:
                found[id(one)] = one
                waiting += self._next(one)
        return list(found.values())

    def _next(self, schema: dict[str, Any]) -> Iterator[Any]:
        if "$ref" in schema:
            yield referenced(self._whole, schema["$ref"])
        for keyword in _BESIDE:
            yield from schema.get(keyword, ())
        yield from (schema[keyword] for keyword in _IF if keyword in schema)
        yield from schema.get("dependentSchemas", {}).values()


def _names_members(schema: dict[str, Any]) -> bool:
    return not schema.keys().isdisjoint(("properties", "patternProperties", "additionalProperties"))


def _of_member(schema: dict[str, Any], name: str) -> list[Any]:
    """What a schema says by itself of a member; nothing if it does not know it."""
    found = [inner for pattern, inner in _patterns(schema) if matches(pattern, name)]
    if name in schema.get("properties", ()):
        found.append(schema["properties"][name])
    more = schema.get("additionalProperties", False)
    return found or ([] if more is False else [more])


def _patterns(schema: dict[str, Any]) -> ItemsView[str, Any]:
    named: dict[str, Any] = schema.get("patternProperties", {})
    return named.items()


def _of_item(said: Schemas, index: int) -> list[Any]:
    """What schemas say of the item at one place of a list."""
    return [inner for schema in said for inner in _of_place(schema, index)]


def _of_place(schema: dict[str, Any], index: int) -> list[Any]:
    first = schema.get("prefixItems", [])
    if index < len(first):
        return [first[index]]
    return [schema["items"]] if "items" in schema else []

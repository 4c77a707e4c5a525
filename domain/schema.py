"""JSON Schemas of form definitions: what of draft 2020-12 is taken, and what is wrong with one.

Taken is all that says something of values, but for `unevaluated…`: a field that the schema does not
name is reported in any case. References stay within the schema, so that none is ever fetched.
Keywords that the draft does not know are remarks, as it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from domain.errors import Fault
from domain.expression import expression_fault
from domain.path import child

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MOST: Final = 5_000
"""Schemas in one another: each process reads a definition while its saves wait."""
MOST_EXPRESSIONS: Final = 200
"""Regular expressions: one that counts far takes milliseconds, and megabytes, to be made ready."""
TYPES: Final = ("array", "boolean", "integer", "null", "number", "object", "string")

Schema: TypeAlias = dict[str, Any] | bool
Sentence: TypeAlias = str | None

# Where schemas stand inside a schema: alone, in a list, or each under a name.
ALONE: Final = (
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
)
LISTED: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
NAMED: Final = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")


def schema_faults(schema: Any, at: str) -> list[Fault]:
    """All that is wrong with a schema, each with its pointer; `at` is where the schema stands."""
    places = dict(_places(schema, ""))
    if sentence := _too_much(places):
        return [Fault(at, sentence)]
    return [
        Fault(at + place + below, sentence)
        for place, one in places.items()
        for below, sentence in _wrong(one, place, places)
    ]


def referenced(schema: Any, reference: str) -> Any:
    """The schema that a reference leads to, which must have passed `schema_faults`."""
    found = schema
    for token in unquote(reference).removeprefix("#").split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        found = found[int(name) if isinstance(found, list) else name]
    return found


def _places(schema: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every schema inside a schema, and itself, by their pointers."""
    yield place, schema
    if isinstance(schema, dict):
        for keyword, value in schema.items():
            for below, inner in _inside(keyword, value):
                yield from _places(inner, child(place, keyword) + below)


def _inside(keyword: str, value: Any) -> Iterator[tuple[str, Any]]:
    if keyword in ALONE:
        yield "", value
    elif keyword in LISTED and isinstance(value, list):
        yield from ((f"/{index}", inner) for index, inner in enumerate(value))
    elif keyword in NAMED and isinstance(value, dict):
        yield from ((child("", name), inner) for name, inner in value.items())


def _too_much(places: Mapping[str, Any]) -> Sentence:
    if len(places) > MOST:
        return f"Holds more than {MOST} schemas in one another."
    expressions = {str(found) for schema in places.values() for found in _expressions(schema)}
    if len(expressions) > MOST_EXPRESSIONS:
        return f"Holds more than {MOST_EXPRESSIONS} regular expressions."
    return None


def _expressions(schema: Any) -> Iterator[Any]:
    if isinstance(schema, dict):
        yield from _object(schema.get("patternProperties"))
        if "pattern" in schema:
            yield schema["pattern"]


def _wrong(schema: Any, place: str, places: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield "", "A schema is an object, true or false."
        return
    for keyword, value in schema.items():
        if sentence := _keyword_fault(keyword, value, place, places):
            yield child("", keyword), sentence
    for pattern in _object(schema.get("patternProperties")):
        if sentence := expression_fault(pattern):
            yield child("/patternProperties", pattern), sentence


def _keyword_fault(keyword: str, value: Any, place: str, places: Mapping[str, Any]) -> Sentence:
    if keyword == "$ref":
        return None if _leads_to(value, places) else "Must lead to a schema within this one, by #/."
    if keyword == "$schema":
        known = not place and isinstance(value, str) and value.rstrip("#") == DIALECT
        return None if known else f"Stands at the top only, as {DIALECT}."
    if keyword == "$id":
        return (
            None if not place and isinstance(value, str) else "Stands at the top only, as a text."
        )
    check = _CHECKS.get(keyword)
    return None if check is None else check(value)


def _leads_to(reference: Any, places: Mapping[str, Any]) -> bool:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return False
    return unquote(reference[1:]) in places


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is(fits: Callable[[Any], bool], sentence: str) -> Callable[[Any], Sentence]:
    return lambda value: None if fits(value) else sentence


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_type(value: Any) -> bool:
    named = value if isinstance(value, list) else [value]
    return _are_names(named) and 0 < len(set(named)) == len(named) and set(named) <= set(TYPES)


def _pattern(value: Any) -> Sentence:
    return expression_fault(value) if isinstance(value, str) else "Must be a text."


_COUNT: Final = _is(_is_count, "Must be a whole number, 0 or more.")
_NUMBER: Final = _is(_is_number, "Must be a number.")
_LIST_OF_SCHEMAS: Final = _is(lambda v: isinstance(v, list) and v != [], "Must list schemas.")
_NAMED_SCHEMAS: Final = _is(lambda v: isinstance(v, dict), "Must be an object of schemas.")
_NOT_TAKEN: Final = _is(lambda _: False, "Is not taken; references go by #/ within the schema.")
_NEEDLESS: Final = _is(
    lambda _: False, "Is not taken; fields that the schema does not name are reported without it."
)

_CHECKS: Final[dict[str, Callable[[Any], Sentence]]] = {
    "type": _is(_is_type, f"Must be one or several of {', '.join(TYPES)}."),
    "enum": _is(lambda value: isinstance(value, list), "Must be a list of values."),
    "pattern": _pattern,
    "required": _is(_are_names, "Must be a list of names."),
    "dependentRequired": _is(
        lambda v: isinstance(v, dict) and all(map(_are_names, v.values())),
        "Must be an object of lists of names.",
    ),
    "uniqueItems": _is(lambda value: isinstance(value, bool), "Must be true or false."),
    "multipleOf": _is(lambda v: _is_number(v) and v > 0, "Must be a number above 0."),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _NUMBER),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _COUNT),
    **dict.fromkeys(("minContains", "maxContains", "minProperties", "maxProperties"), _COUNT),
    **dict.fromkeys(LISTED, _LIST_OF_SCHEMAS),
    **dict.fromkeys(NAMED, _NAMED_SCHEMAS),
    **dict.fromkeys(("$anchor", "$dynamicAnchor", "$dynamicRef"), _NOT_TAKEN),
    **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties"), _NEEDLESS),
}

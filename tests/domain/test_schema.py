"""JSON Schemas of definitions: what is taken, and what is refused with the pointer to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from domain.schema import ALONE, DIALECT, LISTED, MOST, NAMED, referenced, schema_faults
from tests.domain.strategies import LAWS

GOOD: list[Any] = [
    {},
    True,
    {"$schema": DIALECT, "$id": "https://example.org/gig", "title": "Gig", "x-ours": [1]},
    {"$schema": f"{DIALECT}#"},
    {"type": ["string", "null"], "enum": [], "const": {"minimum": "no keyword here"}},
    {"properties": {"$ref": {"type": "string"}, "$id": {}, "unevaluatedItems": {}}},
    {"$defs": {"a/b ~": {"type": "number"}}, "items": {"$ref": "#/$defs/a~1b%20~0"}},
    {"allOf": [{"properties": {"x": True}}], "not": {"$ref": "#/allOf/0/properties/x"}},
    {"properties": {"child": {"$ref": "#"}}},
    {"minLength": 2.0, "multipleOf": 0.1, "dependentRequired": {"a": ["b"]}},
    {"default": {"type": "none of those"}, "examples": [{"$ref": "far away"}]},
]


@pytest.mark.parametrize("schema", GOOD)
def test_what_the_draft_allows_is_taken(schema: Any) -> None:
    assert schema_faults(schema, "") == []


@pytest.mark.parametrize(
    ("schema", "pointer", "words"),
    [
        ([], "", "an object, true or false"),
        ({"properties": {"fee": "number"}}, "/properties/fee", "an object, true or false"),
        ({"properties": []}, "/properties", "an object of schemas"),
        ({"allOf": {}}, "/allOf", "list schemas"),
        ({"anyOf": []}, "/anyOf", "list schemas"),
        ({"items": [{}]}, "/items", "an object, true or false"),
        ({"type": "text"}, "/type", "one or several of"),
        ({"type": []}, "/type", "one or several of"),
        ({"type": ["string", "string"]}, "/type", "one or several of"),
        ({"type": [1]}, "/type", "one or several of"),
        ({"enum": "a"}, "/enum", "a list of values"),
        ({"required": "title"}, "/required", "a list of names"),
        ({"required": [1]}, "/required", "a list of names"),
        ({"dependentRequired": {"a": "b"}}, "/dependentRequired", "lists of names"),
        ({"minLength": -1}, "/minLength", "0 or more"),
        ({"maxItems": 1.5}, "/maxItems", "0 or more"),
        ({"minItems": True}, "/minItems", "0 or more"),
        ({"minimum": "0"}, "/minimum", "a number"),
        ({"multipleOf": 0}, "/multipleOf", "above 0"),
        ({"uniqueItems": 1}, "/uniqueItems", "true or false"),
        ({"pattern": 1}, "/pattern", "a text"),
        ({"pattern": "(?=a)"}, "/pattern", "linear time"),
        ({"patternProperties": {"/(": {}}}, "/patternProperties/~1(", "no regular expression"),
        ({"$ref": "https://example.org/other"}, "/$ref", "within this one"),
        ({"$ref": "//example.org/#/$defs/a"}, "/$ref", "within this one"),
        ({"$ref": "file:///etc/passwd"}, "/$ref", "within this one"),
        ({"$ref": "#/$defs/none"}, "/$ref", "within this one"),
        ({"$ref": "#fee"}, "/$ref", "within this one"),
        ({"$ref": "#/required", "required": ["a"]}, "/$ref", "within this one"),
        ({"$ref": 1}, "/$ref", "within this one"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema", DIALECT),
        ({"not": {"$schema": DIALECT}}, "/not/$schema", "at the top only"),
        ({"not": {"$id": "other"}}, "/not/$id", "at the top only"),
        ({"$anchor": "a"}, "/$anchor", "not taken"),
        ({"$dynamicRef": "#a"}, "/$dynamicRef", "not taken"),
        ({"unevaluatedProperties": False}, "/unevaluatedProperties", "not taken"),
    ],
)
def test_what_is_wrong_is_named_by_its_pointer(schema: Any, pointer: str, words: str) -> None:
    (fault,) = schema_faults(schema, "/schema")
    assert fault.pointer == f"/schema{pointer}"
    assert words in fault.detail
    assert fault.detail.endswith(".")


def test_a_schema_of_too_many_expressions_is_refused() -> None:
    several = {"patternProperties": {f"^{n}$": {"pattern": f"{n + 1}"} for n in range(100)}}
    one_more = {**several, "pattern": "100!"}
    assert schema_faults({**several, "pattern": "^1$"}, "") == []
    (fault,) = schema_faults(one_more, "/schema")
    assert (fault.pointer, fault.detail) == ("/schema", "Holds more than 200 regular expressions.")


def test_a_schema_of_too_many_schemas_is_refused() -> None:
    (fault,) = schema_faults({"properties": {f"a{n}": {} for n in range(MOST)}}, "/schema")
    assert (fault.pointer, fault.detail) == (
        "/schema",
        "Holds more than 5000 schemas in one another.",
    )
    assert schema_faults({"properties": {f"a{n}": {} for n in range(MOST - 1)}}, "") == []


def test_all_that_is_wrong_is_named_in_its_order() -> None:
    wrong = {"type": "x", "properties": {"a": {"minimum": None}}, "allOf": [{}, 7]}
    pointers = [fault.pointer for fault in schema_faults(wrong, "")]
    assert pointers == ["/type", "/properties/a/minimum", "/allOf/1"]


def test_a_reference_leads_to_the_schema_that_it_names() -> None:
    schema = GOOD[6]
    assert referenced(schema, schema["items"]["$ref"]) == {"type": "number"}
    assert referenced(schema, "#") is schema
    assert referenced(GOOD[7], "#/allOf/0/properties/x") is True


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["string", "a", "#", "("]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)
PLAIN = [
    "type",
    "enum",
    "required",
    "dependentRequired",
    "uniqueItems",
    "minLength",
    "maxItems",
    "minimum",
    "multipleOf",
    "pattern",
    "$ref",
    "$anchor",
]
KEYWORDS = st.sampled_from((*ALONE, *LISTED, *NAMED, *PLAIN))


@LAWS
@given(st.recursive(VALUES, lambda inner: st.dictionaries(KEYWORDS, inner, max_size=3)))
def test_whatever_is_taken_is_a_schema_by_the_drafts_own_schema(schema: Any) -> None:
    if schema_faults(schema, "") == []:
        Draft202012Validator.check_schema(schema)

"""Drift: fields that a definition does not know are found, and others never."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from domain.drift import unknown
from domain.fitting import Allowance, TooCostly
from domain.form import Form, read_form
from domain.path import join
from domain.value import Data
from tests.domain.strategies import LAWS, forms

PLENTY = 60.0  # seconds


def form(schema: Any, **more: Any) -> Form:
    return read_form({"form": "gig", "schema": schema, **more})


def strays(schema: Any, data: Data, **more: Any) -> list[str]:
    """The unknown fields, as paths."""
    found = unknown(form(schema, **more), data, Allowance(PLENTY))
    return [join(*map(str, place)) for place in found]


ACT = {"type": "object", "properties": {"name": {"type": "string"}}}
CLOSED = {"properties": {"a": {}}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "data", "expected"),
    [
        ({"properties": {"a": {}}}, {"a": 1, "b": 2, "c": {"d": 3}}, ["/b", "/c"]),
        ({"properties": {"a": {"type": "number"}}}, {"a": {"does": "not fit"}}, []),
        (
            {"properties": {"acts": {"items": ACT}}},
            {"acts": [{"name": 1, "fee": 2}]},
            ["/acts/0/fee"],
        ),
        ({"properties": {"acts": {"items": ACT}}}, {"acts": {"fee": 2}}, []),
        (
            {"properties": {"x": {"prefixItems": [ACT], "items": CLOSED}}},
            {"x": [{"a": 1}, {"name": 1}]},
            ["/x/0/a", "/x/1/name"],
        ),
        ({}, {"a": {"b": 1}}, []),
        ({"type": "object", "required": ["a"]}, {"a": 1, "b": 1}, []),
        ({"properties": {"a": {}}}, {"a": {"any": {"thing": 1}}}, []),
        ({"additionalProperties": False}, {"a": 1}, ["/a"]),
        ({"properties": {"a": {}}, "additionalProperties": True}, {"b": {"c": 1}}, []),
        ({"additionalProperties": ACT}, {"b": {"name": 1, "fee": 1}}, ["/b/fee"]),
        ({"patternProperties": {"^x-": ACT}}, {"x-a": {"fee": 1}, "y": 1}, ["/x-a/fee", "/y"]),
        ({"properties": {"a": False}}, {"a": 1}, []),
    ],
)
def test_a_field_that_no_schema_names_is_unknown(
    schema: Any, data: Data, expected: list[str]
) -> None:
    assert strays(schema, data) == expected


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [CLOSED, {"properties": {"b": {}}}]},
        {"anyOf": [CLOSED, {"properties": {"b": {}}}]},
        {"oneOf": [CLOSED, {"properties": {"b": {}}}]},
        {"if": CLOSED, "then": {"properties": {"b": {}}}},
        {"if": CLOSED, "else": {"properties": {"b": {}}}},
        {"properties": {"a": {}}, "dependentSchemas": {"a": {"properties": {"b": {}}}}},
        {"$defs": {"b": {"properties": {"b": {}}}}, "$ref": "#/$defs/b", "properties": {"a": {}}},
    ],
)
def test_what_any_schema_beside_names_is_known(schema: Any) -> None:
    assert strays(schema, {"a": 1, "b": 2, "c": 3}) == ["/c"]


def test_schemas_that_refer_to_themselves_are_followed() -> None:
    schema = {"properties": {"n": {}, "inner": {"$ref": "#"}}, "allOf": [{"$ref": "#"}]}
    assert strays(schema, {"inner": {"inner": {"n": 1, "m": 2}}}) == ["/inner/inner/m"]


def test_a_field_that_the_definition_labels_is_known_although_the_schema_lacks_it() -> None:
    schema = {"properties": {"acts": {"items": ACT}}}
    fields: dict[str, Any] = {"/fee": {"label": "Fee"}, "/acts/*/fee": {"label": "Fee"}}
    data = {"fee": 1, "acts": [{"fee": 1, "tip": 1}], "extra": 1}
    assert strays(schema, data, fields=fields) == ["/acts/0/tip", "/extra"]


def test_looking_for_it_has_an_end_too() -> None:
    wide: dict[str, Any] = {"allOf": [{"properties": {f"k{n}": {}}} for n in range(2_400)]}
    with pytest.raises(TooCostly):
        unknown(form(wide), {f"a{n}": 1 for n in range(9_000)}, Allowance(0.1))


@LAWS
@given(forms())
def test_a_definition_that_names_nothing_knows_everything(data: Data) -> None:
    assert strays({"type": "object"}, data) == []


@LAWS
@given(forms())
def test_a_definition_that_allows_nothing_knows_no_field_and_none_below_is_listed(
    data: Data,
) -> None:
    assert strays({"additionalProperties": False}, data) == [join(name) for name in data]

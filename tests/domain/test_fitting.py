"""Whether data fits a schema: what is missing, by its place, at no more than a stated cost."""

from __future__ import annotations

import socket
from time import thread_time
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fitting import Allowance, Misfit, TooCostly, misfits
from domain.schema import schema_faults
from tests.domain.strategies import LAWS

PLENTY = 60.0  # seconds


def told(schema: Any, data: Any) -> list[tuple[str, str | None]]:
    """Each misfit as the path to it and its keyword."""
    assert schema_faults(schema, "") == []
    found = misfits(schema, data, Allowance(PLENTY))
    return [("/".join(map(str, misfit.place)), misfit.keyword) for misfit in found]


def of_field(**schema: Any) -> dict[str, Any]:
    """The schema of a form with one field."""
    return {"properties": {"x": schema}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "number"}, "1"),
        ({"type": "integer"}, 1.5),
        ({"type": "number"}, True),
        ({"enum": ["a", 1]}, True),
        ({"const": 1}, True),
        ({"minimum": 1}, 0),
        ({"exclusiveMaximum": 1}, 1),
        ({"multipleOf": 0.5}, 0.7),
        ({"minLength": 1}, ""),
        ({"maxLength": 1}, "ab"),
        ({"pattern": "^a"}, "ba"),
        ({"minItems": 1}, []),
        ({"uniqueItems": True}, [{"a": 1, "b": 2}, {"b": 2, "a": 1.0}]),
        ({"contains": {"const": 1}}, [2]),
        ({"minProperties": 1}, {}),
        ({"not": {"const": 1}}, 1),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, 1),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_the_keyword(schema: Any, value: Any) -> None:
    assert told(of_field(**schema), {"x": value}) == [("x", next(iter(schema)))]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 1.0),
        ({"uniqueItems": True}, [1, True, "1", {"a": 1}, {"a": True}]),
        ({"uniqueItems": False}, [1, 1]),
        ({"minLength": 9}, 1),
        ({"pattern": "^a"}, 7),
        ({"format": "email"}, "nobody"),
        ({"unknown-word": 1}, "a"),
    ],
)
def test_what_fits_is_not_named(schema: Any, value: Any) -> None:
    assert told(of_field(**schema), {"x": value}) == []


def test_what_may_not_be_there_is_named_by_its_own_place() -> None:
    schema = {"properties": {"a": False}, "patternProperties": {"^b": False}}
    assert told(of_field(**schema), {"x": {"a": 1, "b": 2, "c": 3}}) == [
        ("x/a", None),
        ("x/b", None),
    ]


def test_what_is_missing_is_named_by_the_place_where_it_should_be() -> None:
    schema = {
        "required": ["title", "venue"],
        "properties": {
            "acts": {"items": {"required": ["name"]}},
            "pay": {"dependentRequired": {"price": ["currency", "terms"]}},
        },
    }
    data = {"title": "", "acts": [{"name": "a"}, {}], "pay": {"price": 1, "terms": ""}}
    expected = [("venue", "required"), ("acts/1/name", "required"), ("pay/currency", "required")]
    assert told(schema, data) == expected


def test_members_that_the_schema_does_not_name_are_no_misfit() -> None:
    closed = {"properties": {"a": {}}, "patternProperties": {"^x-": {"type": "number"}}}
    data = {"a": 1, "x-b": "no number", "c": 1}
    assert told({**closed, "additionalProperties": False}, data) == [("x-b", "type")]
    assert told({**closed, "additionalProperties": {"type": "null"}}, data) == [
        ("x-b", "type"),
        ("c", "type"),
    ]


SHAPES = {
    "anyOf": [
        {"type": "null"},
        {
            "type": "object",
            "required": ["kind", "size"],
            "properties": {"kind": {"const": "box"}, "size": {"type": "number"}},
        },
        {
            "type": "object",
            "required": ["kind", "name"],
            "properties": {"kind": {"const": "bag"}, "name": {"type": "string"}},
            "additionalProperties": False,
        },
    ]
}


def test_of_alternatives_the_one_that_was_meant_says_what_it_lacks() -> None:
    def lacks(value: Any) -> list[tuple[str, str | None]]:
        return told(of_field(**SHAPES), {"x": value})

    assert lacks(None) == lacks({"kind": "box", "size": 1}) == []
    assert lacks({"kind": "box", "size": "1"}) == [("x/size", "type")]
    assert lacks({"kind": "bag"}) == [("x/name", "required")]
    assert lacks({"kind": "bag", "name": "a", "more": 1}) == []
    assert lacks({"kind": "tin"}) == lacks("box") == [("x", "anyOf")]
    assert lacks({}) == [("x", "anyOf")]


def test_an_alternative_that_nothing_fits_is_never_meant() -> None:
    schema = of_field(anyOf=[False, {"minLength": 2}])
    assert told(of_field(anyOf=[False]), {"x": ""}) == [("x", "anyOf")]
    assert told(schema, {"x": ""}) == [("x", "minLength")]


def test_alternatives_stay_apart_by_the_members_that_they_do_not_have() -> None:
    either = {"oneOf": [closed("a"), closed("b")]}
    assert told(of_field(**either), {"x": {"a": 1}}) == []
    assert told(of_field(**either), {"x": {"a": 1, "b": 1}}) == [("x", "oneOf")]


def closed(name: str) -> dict[str, Any]:
    """An object with this member and no other."""
    return {"properties": {name: {}}, "additionalProperties": False}


def test_a_misfit_says_what_was_wanted() -> None:
    (found,) = misfits(of_field(minimum=3), {"x": 1}, Allowance(PLENTY))
    assert found == Misfit(("x",), "minimum", 3)


def test_a_schema_may_refer_to_itself() -> None:
    schema = {"properties": {"n": {"type": "number"}, "inner": {"$ref": "#"}}}
    data = {"inner": {"inner": {"n": "x"}}}
    assert told({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, data) == [
        ("inner/inner/n", "type")
    ]


# -- what a schema may cost


def doubling(times: int) -> dict[str, Any]:
    """A short schema that asks for the same 2 to the power of `times` times."""
    steps = {f"s{n}": {"allOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(times)}
    return {"$defs": {**steps, f"s{times}": {"type": "object"}}, "$ref": "#/$defs/s0"}


def deep(levels: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for _ in range(levels):
        data = {"x": data}
    return data


HUGE = {"items": [{"n": [n, str(n)]} for n in range(3_000)], "text": "a" * 100_000}

WIDE = {str(n): n for n in range(9_000)}


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (doubling(50), {}),
        ({"$ref": "#"}, {}),
        ({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}, {}),
        ({"allOf": [{"properties": {"x": {"$ref": "#"}}}] * 2}, deep(30)),
        ({"not": {"$ref": "#"}}, {}),
        ({"allOf": [{"minProperties": 99}] * 4_900}, HUGE),
        ({"patternProperties": {f"^{n}$": {} for n in range(200)}}, WIDE),
    ],
)
def test_a_schema_that_would_take_too_long_is_given_up(schema: Any, data: Any) -> None:
    assert schema_faults(schema, "") == []
    began = thread_time()
    with pytest.raises(TooCostly):
        misfits(schema, data, Allowance(0.2))
    assert thread_time() - began < 1.5


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (of_field(uniqueItems=True), {"x": [{"n": n} for n in range(9_000)]}),
        (of_field(pattern="^(a+)+$"), {"x": "a" * 9_000 + "!"}),
        ({"patternProperties": {"^(a+)+$": {}}}, {"a" * 200 + "!": 1}),
        ({"additionalProperties": {}, "patternProperties": {"^(a+)+$": {}}}, {"a" * 99 + "!": 1}),
        (doubling(8), HUGE),
    ],
)
def test_what_others_would_take_long_for_is_done_in_time(schema: Any, data: Any) -> None:
    misfits(schema, data, Allowance(1))


def test_nothing_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("somebody wants to look far away")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for far in ("http://127.0.0.1:1/schema", "https://json-schema.org/draft-07/schema"):
        with pytest.raises(Exception, match=far) as unresolved:
            misfits({"$ref": far}, {}, Allowance(1))
        assert not isinstance(unresolved.value, AssertionError)


# -- the same as another implementation of the standard


def schemas() -> st.SearchStrategy[Any]:
    """Schemas over a few names and values, so that they meet the data below."""
    names = st.sampled_from("abc")
    small = st.integers(0, 2)
    plain = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])
    leaf: st.SearchStrategy[Any] = st.one_of(
        st.booleans(),
        st.builds(lambda t: {"type": t}, plain | st.lists(plain, min_size=1, unique=True)),
        st.builds(lambda v: {"const": v}, documents()),
        st.builds(lambda v: {"enum": v}, st.lists(documents(), max_size=3)),
        st.builds(lambda p: {"pattern": p}, st.sampled_from(["a", "^b", "c$", "^$"])),
        st.builds(lambda n: {"required": n}, st.lists(names, unique=True)),
        st.builds(
            lambda d: {"dependentRequired": d},
            st.dictionaries(names, st.lists(names, unique=True), max_size=2),
        ),
        st.builds(lambda k, n: {k: n}, st.sampled_from(LIMITS), small),
        st.just({"uniqueItems": True}),
    )

    def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        several = st.lists(inner, min_size=1, max_size=3)
        return st.one_of(
            st.builds(lambda k, v: {k: v}, st.sampled_from(["allOf", "anyOf", "oneOf"]), several),
            st.builds(lambda v: {"prefixItems": v}, several),
            st.builds(lambda k, v: {k: v}, st.sampled_from(["not", "items", "contains"]), inner),
            st.builds(lambda v: {"propertyNames": v}, inner),
            st.builds(lambda v: {"properties": v}, st.dictionaries(names, inner, max_size=2)),
            st.builds(lambda v: {"dependentSchemas": v}, st.dictionaries(names, inner, max_size=2)),
            st.builds(
                lambda known, pattern, other: {
                    "properties": {known: True},
                    "patternProperties": {pattern: True},
                    "additionalProperties": other,
                },
                names,
                st.sampled_from(["a", "^b"]),
                inner.filter(lambda schema: schema is not False),
            ),
            st.builds(lambda i, t, e: {"if": i, "then": t, "else": e}, inner, inner, inner),
        )

    return st.recursive(leaf, nested, max_leaves=8)


LIMITS = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
]


def documents() -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a", "bc", 1.0, 0.5]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
        ),
        max_leaves=6,
    )


@LAWS
@given(schemas(), documents())
def test_data_fits_exactly_when_another_implementation_says_so(schema: Any, data: Any) -> None:
    assert schema_faults(schema, "") == []
    whole = of_field(allOf=[schema])
    found = misfits(whole, {"x": data}, Allowance(PLENTY))
    assert (found == []) == jsonschema_rs.is_valid(whole, {"x": data})

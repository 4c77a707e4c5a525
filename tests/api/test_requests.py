"""Bodies: what is taken, what is refused, and that a refusal repeats nothing of a draft."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from api.requests import ENVELOPE_DEPTH, JSON, JSON_PATCH, MERGE_PATCH, load, media_type, parse_json
from api.settings import Limits
from domain.errors import BadJson, Fault, Invalid, UnsupportedMediaType

LIMITS = Limits()
PATCHES = (JSON, JSON_PATCH, MERGE_PATCH)


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(values)
def test_every_value_that_a_draft_may_hold_arrives_as_it_was_sent(value: Any) -> None:
    assert parse_json(json.dumps(value).encode(), LIMITS) == value


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a":"\xff"}', "not UTF-8, at byte 6"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'{"a":1', "ends too early at line 1, column 6"),
        (b"{} {}", "Something follows"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "column 2"),
        (b"[-Infinity]", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b"/* */ 1", "not JSON"),
        (b"01", "not JSON"),
        (b'"a\nb"', "control character"),
        (b'"\\ud800"', "surrogate"),
        (b'"\\udc00"', "surrogate"),
        (b'{"\\ud800":1}', "surrogate"),
        (b'{"a":1,"a":1}', "twice at line 1, column 12"),
        (b'{"a":1,"\\u0061":2}', "twice"),
        (b"9" * 5_000, "send long numbers as text"),
    ],
)
def test_what_two_readers_could_take_differently_is_no_json(body: bytes, why: str) -> None:
    with pytest.raises(BadJson, match=why):
        parse_json(body, LIMITS)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"fee":9007199254740992}', "/fee"),
        (b'{"fee":[1,-9007199254740992]}', "/fee/1"),
        (b'{"a/b":{"~":1e999}}', "/a~1b/~0"),
        (b"-1e400", ""),
        (b'{"a":["x\\u0000"]}', "/a/0"),
        (b'{"a":{"x\\u0000":1}}', "/a"),
    ],
)
def test_a_value_that_would_not_arrive_is_no_json_and_its_place_is_named(
    body: bytes, pointer: str
) -> None:
    with pytest.raises(BadJson) as refused:
        parse_json(body, LIMITS)

    assert [fault.pointer for fault in refused.value.errors] == [pointer]
    assert refused.value.errors[0].detail == str(refused.value)


def test_numbers_at_the_edge_are_taken() -> None:
    body = b"[9007199254740991,-9007199254740991,1e308,-0.0,1.5]"

    assert parse_json(body, LIMITS) == [2**53 - 1, 1 - 2**53, 1e308, 0.0, 1.5]


def test_a_body_may_nest_as_deep_as_data_in_its_envelope_and_no_deeper() -> None:
    deepest = LIMITS.depth + ENVELOPE_DEPTH

    parse_json(nested(deepest), LIMITS)
    for depth in (deepest + 1, 199, 201, 300, 20_000):
        with pytest.raises(Invalid, match="deeper than the 32 levels"):
            parse_json(nested(depth), LIMITS)


def test_a_number_that_overflows_far_down_is_still_no_json() -> None:
    with pytest.raises(BadJson, match="not finite"):
        parse_json(b"[" * 60 + b"1e999" + b"]" * 60, LIMITS)


@given(st.binary(max_size=60))
def test_any_bytes_are_either_taken_or_refused(body: bytes) -> None:
    with suppress(BadJson, Invalid):
        parse_json(body, LIMITS)


@pytest.mark.parametrize(
    "body",
    [
        b'{"Kafka":1,"Kafka":2}',
        b'{"name":"Kafka" "Kafka"}',
        b'{"name":Kafka}',
        b'{"name":"Kafka\xff"}',
        b'{"name":"Kafka\\q"}',
        b'{"name":"Kafka',
        b'{"name":"Kafka\\u0000"}',
        b'{"name":"Kafka"}Kafka',
        b'{"name":"Kafka\\ud800"}',
        b'{"a":' * 300 + b'"Kafka"',
    ],
)
def test_a_refusal_quotes_nothing_of_the_draft(body: bytes) -> None:
    with pytest.raises((BadJson, Invalid)) as refused:
        parse_json(body, LIMITS)

    assert "Kafka" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"application/json", JSON),
        (b"Application/JSON; charset=UTF-8", JSON),
        (b'application/json;charset="utf-8"', JSON),
        (b"application/json-patch+json", JSON_PATCH),
        (b"application/merge-patch+json ; profile=x", MERGE_PATCH),
    ],
)
def test_a_media_type_is_known_whatever_its_case_and_parameters(header: bytes, name: str) -> None:
    assert media_type(header, PATCHES) == name


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"application/json; charset=latin-1",
        b"application/json; charset=utf-16",
        b"application/jsonx",
        b"\xff\xfe",
    ],
)
def test_another_media_type_or_charset_is_refused_with_those_that_are_taken(
    header: bytes | None,
) -> None:
    with pytest.raises(UnsupportedMediaType) as refused:
        media_type(header, PATCHES)

    assert refused.value.accepted == PATCHES


class Add(BaseModel):
    """One branch of a union, as changes are."""

    model_config = ConfigDict(extra="forbid", strict=True)
    op: Literal["add"]
    path: str
    value: Any


class Remove(BaseModel):
    """The other branch."""

    model_config = ConfigDict(extra="forbid", strict=True)
    op: Literal["remove"]
    path: str


class Save(BaseModel):
    """A body with a list of a union in it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    based_on: int = Field(0, ge=0)
    changes: list[Annotated[Add | Remove, Field(discriminator="op")]] = []


SAVE: TypeAdapter[Save] = TypeAdapter(Save)


def faults(body: Any) -> list[Fault]:
    with pytest.raises(Invalid) as refused:
        load(SAVE, body)
    return list(refused.value.errors)


def test_a_body_of_the_right_shape_becomes_its_model() -> None:
    assert load(SAVE, {"changes": [{"op": "remove", "path": "/a"}]}).changes[0].path == "/a"


def test_every_fault_of_a_body_is_told_with_its_pointer() -> None:
    body = {"based_on": "x", "a/b": 1, "changes": [{"op": "remove", "path": "/a"}, {"op": "add"}]}

    assert faults(body) == [
        Fault("/based_on", "Input should be a valid integer."),
        Fault("/changes/1/path", "This must be there."),
        Fault("/changes/1/value", "This must be there."),
        Fault("/a~1b", "There is no such member here."),
    ]


def test_a_branch_that_is_not_there_is_told_without_quoting_it() -> None:
    assert faults({"changes": [{"op": "Kafka"}]}) == [
        Fault("/changes/0", "This is none of the kinds that may stand here.")
    ]


def test_a_body_that_is_no_object_is_told_so() -> None:
    assert faults([1]) == [Fault("", "This must be an object.")]

"""Completeness: what a draft lacks by its form's definition, in words and step by step."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from time import thread_time
from typing import Any

import orjson
import pytest
from hypothesis import given

from domain.form import Form, read_form, undefined
from domain.value import Data
from projections.completeness import NO_SCHEMA, TOO_COSTLY, Completeness, Unknown, completeness
from tests.domain.strategies import LAWS, forms

GIG = read_form(
    orjson.loads((Path(__file__).parents[2] / "domain" / "forms" / "gig.json").read_bytes())
)
DONE: Data = {
    "title": "Jazz night",
    "date": "2026-11-22",
    "start": "20:00",
    "venue": {"name": "Blue Room", "city": "Berlin"},
    "contact": {"email": "ann@example.org"},
    "acts": [{"id": "a5", "name": "Foo Trio", "fee": 250}],
}


def texts(found: Completeness) -> list[str]:
    return [gap.text for gap in found.gaps]


def one_field(rule: dict[str, Any], schema: Any) -> Form:
    """A form with one field, and what its definition says of it."""
    members = {"fields": {"/x": {"label": "Fee", **rule}}, "schema": {"properties": {"x": schema}}}
    return read_form({"form": "gig", **members})


# -- the gig form


def test_a_gig_with_all_that_is_asked_for_is_complete_in_every_step() -> None:
    found = completeness(GIG, DONE)
    assert (found.complete, found.detail, found.gaps, found.unknown) == (True, None, [], [])
    assert [(step.id, step.label, step.complete) for step in found.steps] == [
        ("basic", "Basics", True),
        ("venue", "Venue", True),
        ("lineup", "Line-up", True),
        ("shifts", "Shifts", True),
        ("pay", "Pay", True),
    ]


def test_an_empty_gig_lacks_what_is_required_step_by_step() -> None:
    found = completeness(GIG, {})
    assert found.complete is False
    assert [(gap.path, gap.text, gap.step) for gap in found.gaps] == [
        ("/title", "Title is missing", "basic"),
        ("/date", "Date is missing", "basic"),
        ("/start", "Start is missing", "basic"),
        ("/venue", "Venue is missing", "venue"),
        ("/acts", "Line-up is missing", "lineup"),
    ]
    assert [step.id for step in found.steps if step.complete] == ["shifts", "pay"]


def test_a_gap_is_named_by_the_item_that_it_is_in() -> None:
    acts = [{"id": "a5", "name": "Foo Trio", "fee": -1}, {"id": "a6", "fee": 3}]
    shifts = [{"role": "Bar", "start": "19:00", "end": "late", "wage": 12}]
    found = completeness(GIG, {**DONE, "acts": acts, "shifts": shifts})
    assert [asdict(gap) for gap in found.gaps] == [
        {
            "path": "/acts/id:a5/fee",
            "label": "Fee of 'Foo Trio'",
            "text": "Fee of 'Foo Trio' must be €0 or more",
            "step": "lineup",
        },
        {
            "path": "/acts/id:a6/name",
            "label": "Name of Act 2 of Line-up",
            "text": "Name of Act 2 of Line-up is missing",
            "step": "lineup",
        },
        {
            "path": "/shifts/0/end",
            "label": "End of 'Bar'",
            "text": "End of 'Bar' must be written like 20:30",
            "step": "shifts",
        },
        {
            "path": "/shifts/0/currency",
            "label": "Currency of the wage of 'Bar'",
            "text": "Currency of the wage of 'Bar' is missing",
            "step": "shifts",
        },
    ]


def test_the_items_of_a_list_are_named_by_the_key_that_the_definition_declares() -> None:
    form = read_form(
        {
            "form": "gig",
            "fields": {"/acts": {"key": "code"}},
            "schema": {"properties": {"acts": {"items": {"required": ["name"]}}}},
        }
    )
    found = completeness(form, {"acts": [{"code": "x", "id": 1}, {"code": "y", "id": 2}]})
    assert [gap.path for gap in found.gaps] == ["/acts/id:x/name", "/acts/id:y/name"]


def test_fields_that_the_definition_does_not_know_are_shown_and_are_no_gap() -> None:
    data = {**DONE, "fee": 5, "colour": {"of": "posters"}, "acts": [{**DONE["acts"][0], "tip": 1}]}
    found = completeness(GIG, data)
    assert found.complete is True
    assert found.unknown == [
        Unknown("/acts/id:a5/tip", "Tip of 'Foo Trio'"),
        Unknown("/colour", "Colour"),
    ]


# -- what may be seen


def test_of_a_sensitive_field_only_that_something_is_wrong_is_told() -> None:
    contact = {"email": "nobody knows", "phone": "", "bank": "DE00"}
    found = completeness(GIG, {**DONE, "contact": contact})
    assert [(gap.path, gap.text, gap.step) for gap in found.gaps] == [
        ("/contact", "Contact is not as the form asks", "venue")
    ]
    assert found.unknown == []


def test_a_sensitive_field_that_is_missing_is_called_missing() -> None:
    form = one_field({"sensitive": True}, {})
    asking = form.model_copy(update={"json_schema": {"required": ["x"]}})
    assert texts(completeness(asking, {})) == ["Fee is missing"]


@pytest.mark.parametrize("keyword", [{"const": "secret"}, {"enum": ["secret"]}, {"minLength": 3}])
def test_no_sentence_about_a_sensitive_field_says_what_it_should_be(
    keyword: dict[str, Any],
) -> None:
    assert texts(completeness(one_field({"sensitive": True}, keyword), {"x": "a"})) == [
        "Fee is not as the form asks"
    ]


# -- sentences


@pytest.mark.parametrize(
    ("schema", "value", "text"),
    [
        ({"type": "number"}, "1", "Fee must be a number"),
        ({"type": ["integer", "null"]}, "1", "Fee must be a whole number or nothing"),
        ({"enum": ["a", 2, True]}, "1", "Fee must be 'a', 2 or yes"),
        ({"enum": list(range(12))}, "1", "Fee must be 0, 1, 2, 3, 4, 5, 6, 7 or 4 others"),
        ({"const": "{field}"}, "1", "Fee must be '{field}'"),
        ({"minimum": 3}, 1, "Fee must be 3 or more"),
        ({"maximum": 3.5}, 4, "Fee must be 3.5 or less"),
        ({"exclusiveMinimum": 3}, 3, "Fee must be more than 3"),
        ({"exclusiveMaximum": 3}, 3, "Fee must be less than 3"),
        ({"multipleOf": 5}, 3, "Fee must be a multiple of 5"),
        ({"minLength": 1}, "", "Fee is empty"),
        ({"minLength": 2}, "a", "Fee must have at least 2 characters"),
        ({"maxLength": 1}, "ab", "Fee must have at most 1 character"),
        ({"pattern": "^a"}, "b", "Fee is not written as the form asks"),
        ({"minItems": 1}, [], "Fee is empty"),
        ({"minItems": 2}, [], "Fee must have at least 2 items"),
        ({"maxItems": 1}, [1, 2], "Fee must have at most 1 item"),
        ({"uniqueItems": True}, [1, 1], "Fee must not have the same item twice"),
        ({"minProperties": 1}, {}, "Fee is empty"),
        ({"maxProperties": 0}, {"a": 1}, "Fee must have at most 0 fields"),
        ({"contains": {"const": 1}}, [2], "Fee is not as the form asks"),
        ({"not": {"const": 1}}, 1, "Fee is not as the form asks"),
        (False, 1, "Fee is not as the form asks"),
    ],
)
def test_every_gap_is_a_sentence(schema: Any, value: Any, text: str) -> None:
    assert texts(completeness(one_field({}, schema), {"x": value})) == [text]


def test_sentences_show_values_as_the_field_does() -> None:
    assert texts(completeness(one_field({"format": "currency:EUR"}, {"minimum": 5}), {"x": 1})) == [
        "Fee must be €5 or more"
    ]


# -- steps


def test_a_gap_belongs_to_the_step_that_its_field_or_the_fields_in_it_are_filled_in_at() -> None:
    form = read_form(
        {
            "form": "gig",
            "steps": [
                {"id": "names", "paths": ["/acts/*/name"]},
                {"id": "acts", "paths": ["/acts"]},
                {"id": "start", "paths": ["/schedule/start"]},
            ],
            "schema": {
                "required": ["schedule", "fee"],
                "properties": {"acts": {"items": {"required": ["name", "fee"]}}},
            },
        }
    )
    found = completeness(form, {"acts": [{}]})
    assert {gap.path: gap.step for gap in found.gaps} == {
        "/acts/0/name": "names",
        "/acts/0/fee": "acts",
        "/schedule": "start",
        "/fee": None,
    }


# -- where nothing is known


def test_without_a_schema_nothing_is_known_of_completeness() -> None:
    steps = [{"id": "basic", "label": "Basics"}]
    for form in (undefined("gig"), read_form({"form": "gig", "steps": steps})):
        found = completeness(form, {"a": 1})
        assert (found.complete, found.detail) == (None, NO_SCHEMA)
        assert (found.gaps, found.unknown) == ([], [])
        assert [step.complete for step in found.steps] == [None] * len(form.steps)


def test_a_schema_that_takes_too_long_is_given_up_and_nothing_is_known() -> None:
    twice = {f"s{n}": {"allOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(50)}
    schema = {"$defs": {**twice, "s50": {}}, "$ref": "#/$defs/s0"}
    began = thread_time()
    found = completeness(read_form({"form": "gig", "schema": schema}), {}, patience=0.1)
    assert (found.complete, found.detail) == (None, TOO_COSTLY)
    assert thread_time() - began < 1


def test_the_largest_draft_of_the_gig_form_is_reported_on() -> None:
    acts = [{"id": n, "fee": -n} for n in range(1, 3_300)]
    found = completeness(GIG, {"acts": acts}, patience=60)
    assert len(found.gaps) == 2 * 3_299 + 4


@LAWS
@given(forms())
def test_any_data_gets_a_report(data: Data) -> None:
    found = completeness(GIG, data)
    assert found.complete is False  # no such form has a title, a date, a start, a venue and acts
    assert {gap.step for gap in found.gaps} <= {step.id for step in GIG.steps}
    assert orjson.loads(orjson.dumps(found))["complete"] is False

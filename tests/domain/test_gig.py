"""The gig form that comes with the service: all of its parts speak of the same fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from domain.form import read_form
from domain.path import child, parse
from domain.schema import referenced

FILE = Path(__file__).parents[2] / "domain" / "forms" / "gig.json"
DEFINITION: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
GIG = read_form(DEFINITION)


def named(schema: dict[str, Any], at: str = "") -> Iterator[str]:
    """The pattern of every field that the schema names, but for the ids of items."""
    schema = referenced(DEFINITION["schema"], schema["$ref"]) if "$ref" in schema else schema
    for name, inner in schema.get("properties", {}).items():
        if name != "id":
            yield child(at, name)
            yield from named(inner, child(at, name))
    if "items" in schema and schema["items"].get("type") == "object":
        yield f"{at}/*"
        yield from named(schema["items"], f"{at}/*")


def test_schema_and_labels_name_the_same_fields() -> None:
    assert set(named(DEFINITION["schema"])) == GIG.fields.keys()
    assert [pattern for pattern, rule in GIG.fields.items() if rule.label is None] == []


def test_every_field_is_filled_in_at_one_step() -> None:
    steps = {path: step.id for step in GIG.steps for path in step.paths}
    first = {f"/{parse(pattern)[0]}" for pattern in GIG.fields}
    assert steps.keys() == first
    assert [step.label for step in GIG.steps] == ["Basics", "Venue", "Line-up", "Shifts", "Pay"]


def test_what_belongs_together_is_known_and_grouped() -> None:
    grouped = [path for group in GIG.groups for path in group]
    assert set(grouped) <= GIG.fields.keys()
    times = {pattern for pattern in GIG.fields if pattern.endswith(("/start", "/end"))}
    money = {pattern for pattern in GIG.fields if pattern.endswith(("/price", "/currency"))}
    assert times | money <= set(grouped)


def test_lists_of_objects_have_keys_and_item_names() -> None:
    lists = [pattern.removesuffix("/*") for pattern in GIG.fields if pattern.endswith("/*")]
    assert sorted(lists) == ["/acts", "/shifts"]
    for path in lists:
        assert GIG.at(path).key == "id"
        assert f"{path}/*{GIG.at(path).item}" in GIG.fields


def test_it_shows_every_way_to_merge() -> None:
    ways = {rule.merge for rule in GIG.fields.values()}
    assert ways == {None, "text", "set", "atomic"}
    assert list(GIG.sensitive) == ["/contact"]
    assert GIG.title == "/title"

"""Form definitions: read, refused with pointers, and asked what holds at a path."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Invalid
from domain.form import NO_RULE, read_form, undefined

GIG: dict[str, Any] = {
    "form": "gig",
    "label": "Gig",
    "title": "/title",
    "steps": [{"id": "lineup", "label": "Line-up", "paths": ["/acts"]}],
    "fields": {
        "/fee": {"label": "Fee", "format": "currency:EUR"},
        "/acts": {"label": "Line-up", "key": "id", "item": "/name"},
        "/acts/*/fee": {"label": "Fee of the act"},
        "/acts/*": {"label": "Act"},
        "/contact": {"merge": "atomic", "sensitive": True},
    },
    "groups": [["/start", "/end"], ["/acts/*/from", "/acts/*/to"]],
    "schema": {"type": "object"},
}


def test_a_pattern_holds_for_every_item_and_an_exact_path_for_itself() -> None:
    form = read_form(GIG)
    labels = [form.at(path).label for path in ("/fee", "/acts/id:a5/fee", "/acts/0", "/acts")]
    assert labels == ["Fee", "Fee of the act", "Act", "Line-up"]


def test_what_no_definition_speaks_of_goes_by_default() -> None:
    assert read_form(GIG).at("/anything/below") == undefined("gig").at("/acts") == NO_RULE


def test_a_merge_group_is_found_at_the_place_that_its_paths_share() -> None:
    root = read_form(GIG).root
    assert root.groups == [[("start",), ("end",)]]
    assert root.below("acts").below("id:a5").groups == [[("from",), ("to",)]]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"form": ""}, "/form"),
        ({"colour": "red"}, "/colour"),
        ({"fields": {"fee": {}}}, "/fields/fee"),
        ({"fields": {"/fee": {"merge": "words"}}}, "/fields/~1fee/merge"),
        ({"fields": {"/fee": {"sensitive": "no"}}}, "/fields/~1fee/sensitive"),
        ({"groups": [["/start"]]}, ""),
        ({"groups": [["/start", "/end"], ["/end", "/fee"]]}, ""),
        ({"groups": [["/start", "/end"], ["/end/time", "/fee"]]}, ""),
        ({"groups": [["/acts/*/from", "/acts/0/to"]]}, ""),
        ({"title": "title"}, "/title"),
    ],
)
def test_what_is_wrong_with_a_definition_is_named_by_its_pointer(
    wrong: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read_form({**GIG, **wrong})
    assert pointer in [fault.pointer.removesuffix("/[key]") for fault in refused.value.errors]

"""The auditors' lines in words: what changed, and by which act if not by a plain edit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.form import read_form
from projections.audit import matches, portions, stretches
from projections.store.audit import AuditRow
from projections.wording import By, Version, Wording
from tests.domain.scenes import ANN, MONDAY

FORM = read_form({"form": "gig", "fields": {"/fee": {"label": "Fee"}}})
CHANGE = {"op": "replace", "path": "/fee", "before": 100, "after": 250}
WORDING = Wording(FORM, {"fee": 100}, {"fee": 250})


@pytest.mark.parametrize(
    ("version", "how"),
    [
        (Version("edited", "ann"), ""),
        (Version("merged", "ann"), " (merged)"),
        (Version("merged", "ann", "ipad"), " (merged from ipad)"),
        (Version("merged", "ann", about={"fork": "x"}), " (merged from a fork)"),
        (Version("restored", "ann", about={"version": 3}), " (restored version 3)"),
        (Version("undone", "ann", about={"version": 3, "through": 3}), " (undid version 3)"),
        (Version("undone", "ann", about={"version": 3, "through": 5}), " (undid versions 3 to 5)"),
        (Version("resolved", "ann"), " (settled a conflict)"),
    ],
)
def test_a_line_says_how_a_change_came_about(version: Version, how: str) -> None:
    assert WORDING.line(version, CHANGE) == f"Ann changed Fee from 100 to 250{how}"


def test_who_set_a_value_is_told_with_who_wrote_it_and_who_ended_it() -> None:
    ann, ben, eve = By("ann", 6), By("ben", 2, elsewhere=True), By("eve", 9)
    assert WORDING.blame("/fee", ann, ann) == "Ann set Fee in version 6"
    assert WORDING.blame("/fee", ann, ben, eve) == (
        "Ann set Fee in version 6 until Eve changed it in version 9;"
        " first written by Ben in version 2 of another draft"
    )
    link = By("link:3", 4)
    assert WORDING.blame("/fee", link, link) == "Somebody with a link set Fee in version 4"


def test_versions_far_apart_are_gone_through_apart() -> None:
    assert list(stretches([1])) == [(1, 1)]
    assert list(stretches([1, 2, 66, 131])) == [(1, 66), (131, 131)]
    runs = list(stretches(range(1, 1_001)))
    assert [first for first, _ in runs] == [1, 257, 513, 769]
    assert runs[-1] == (769, 1_000)


def test_versions_with_many_changes_are_put_in_words_a_few_at_a_time() -> None:
    rows = [row("\n".join(f"/f{n}" for n in range(600))) for _ in range(5)]
    assert [len(portion) for portion in portions(rows)] == [2, 2, 1]
    assert [len(portion) for portion in portions([row(None)] * 5)] == [5]


def row(paths: str | None) -> AuditRow:
    return AuditRow(UUID(int=1), 1, MONDAY, paths, ANN, None, "gig")


def test_a_text_is_found_in_any_case_and_never_in_a_value() -> None:
    line: dict[str, Any] = {"title": "Café", "label": None, "text": "Ann set Fee", "reason": None}
    assert matches(line, "CAFÉ")
    assert matches(line, "fee")
    assert not matches({**line, "after": "secret"}, "secret")

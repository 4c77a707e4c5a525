"""Restoring and undoing: what is recorded, what of each path is told, and what a trial tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.asked import Step
from domain.draft import Draft
from domain.errors import CannotApply
from domain.receipts import Answer, Receipt, receipt
from tests.domain.scenes import (
    ANN,
    DRAFTS,
    by,
    inside,
    origin,
    recorded,
    replaced,
    told,
    with_history,
)


def test_restoring_records_what_changes_and_which_version_it_was() -> None:
    draft = with_history([{"fee": 1}, {"fee": 2, "new": 1}])
    answer = DRAFTS.restore(draft, 1, {"fee": 1}, origin(minutes=1))
    changes = [replaced("/fee", 2, 1), {"op": "remove", "path": "/new", "before": 1}]
    assert told(draft) == [{"act": "restored", "changes": changes, "version": 1}]
    assert answer == recorded(draft, changes=[by(ANN, 3, change) for change in changes])
    assert draft.data == {"fee": 1}


def test_restoring_some_paths_leaves_the_others() -> None:
    draft = with_history([{"fee": 1, "title": "a"}, {"fee": 2, "title": "b"}])
    DRAFTS.restore(draft, 1, {"fee": 1, "title": "a"}, origin(), paths=["/fee"])
    assert told(draft) == [
        {
            "act": "restored",
            "changes": [replaced("/fee", 2, 1)],
            "version": 1,
            "paths": ("/fee",),
        }
    ]


def test_restoring_what_is_there_records_nothing() -> None:
    draft = with_history([{"fee": 1}])
    assert DRAFTS.restore(draft, 1, {"fee": 1}, origin()) == receipt(draft)
    assert told(draft) == []


def test_restoring_a_path_that_never_was_is_refused() -> None:
    draft = with_history([{"fee": 1}, {"fee": 2}])
    before = inside(draft)
    with pytest.raises(CannotApply):
        DRAFTS.restore(draft, 1, {"fee": 1}, origin(), paths=["/fee", "/nothing"])
    assert inside(draft) == before


def test_undoing_a_version_keeps_what_came_later_and_tells_of_each_path() -> None:
    draft = with_history([{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 2, "b": 3, "c": 1}])
    answer = DRAFTS.undo(draft, Step(2, 2, {"a": 1, "b": 1}, {"a": 2, "b": 2}), origin(minutes=1))
    outcomes = ({"path": "/a", "outcome": "undone"}, {"path": "/b", "outcome": "superseded"})
    assert told(draft) == [
        {
            "act": "undone",
            "changes": [replaced("/a", 2, 1)],
            "version": 2,
            "through": 2,
            "outcomes": outcomes,
        }
    ]
    assert answer == recorded(draft, changes=[by(ANN, 4, replaced("/a", 2, 1))], outcomes=outcomes)
    assert draft.data == {"a": 1, "b": 3, "c": 1}


def test_undoing_what_was_changed_again_since_records_nothing_and_says_so() -> None:
    draft = with_history([{"a": 1}, {"a": 2}, {"a": 3}])
    answer = DRAFTS.undo(draft, Step(2, 2, {"a": 1}, {"a": 2}), origin())
    assert told(draft) == []
    superseded = ({"path": "/a", "outcome": "superseded"},)
    assert answer == receipt(draft, outcomes=superseded)


def undo_second(draft: Draft, **more: Any) -> Answer:
    return DRAFTS.undo(draft, Step(2, 2, {"fee": 1}, {"fee": 2}), origin(minutes=1), **more)


def restore_first(draft: Draft, **more: Any) -> Answer:
    return DRAFTS.restore(draft, 1, {"fee": 1}, origin(minutes=1), **more)


@pytest.mark.parametrize("command", [undo_second, restore_first])
def test_a_dry_run_tells_the_changes_and_records_nothing(command: Callable[..., Answer]) -> None:
    draft = with_history([{"fee": 1}, {"fee": 2}])
    before = inside(draft)
    answer = command(draft, dry_run=True)
    assert isinstance(answer, Receipt)
    change = by(ANN, 3, replaced("/fee", 2, 1))
    assert (answer.recorded, answer.version, answer.changes) == (False, 2, [change])
    assert inside(draft) == before

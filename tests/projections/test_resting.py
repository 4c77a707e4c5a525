"""When drafts come to rest, on a clock that stands still."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from projections.resting import KNOWN, QUIET, WORTH, Rest, Unrested


class Clock:
    """Seconds, moved by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def unrested(clock: Clock) -> Unrested:
    return Unrested(clock)


def rest(unrested: Unrested, draft: UUID, version: int, size: int) -> None:
    """Put a draft down as it is now."""
    unrested.put_down(draft, Rest(version, size), unrested.move(draft))


def test_a_draft_rests_at_once_when_idle_and_else_when_it_is_quiet(
    unrested: Unrested, clock: Clock
) -> None:
    draft = uuid4()
    unrested.moved(draft, 1)
    assert (unrested.due(idle=False), unrested.due(idle=True)) == ([], [draft])
    clock.now += QUIET
    assert unrested.due(idle=False) == [draft]
    rest(unrested, draft, 1, 10)
    assert (unrested.due(idle=True), len(unrested)) == ([], 0)


def test_a_large_draft_rests_when_as_many_events_have_come_as_are_worth_it(
    unrested: Unrested, clock: Clock
) -> None:
    draft = uuid4()
    unrested.moved(draft, 1)
    rest(unrested, draft, 1, 10 * WORTH)
    for version in range(2, 11):
        clock.now += QUIET / 2
        unrested.moved(draft, version)
        assert unrested.due(idle=True) == []
    unrested.moved(draft, 11)
    assert unrested.due(idle=True) == [draft]
    rest(unrested, draft, 11, 10 * WORTH)
    unrested.moved(draft, 12)
    assert unrested.due(idle=True) == []
    clock.now += QUIET
    assert unrested.due(idle=False) == [draft]


def test_a_draft_that_is_known_not_to_be_at_rest_is_due_whatever_it_costs(
    unrested: Unrested,
) -> None:
    draft = uuid4()
    unrested.moved(draft, 1)
    rest(unrested, draft, 1, 10 * WORTH)
    unrested.moved(draft)
    assert unrested.due(idle=True) == [draft]


def test_what_moved_while_it_was_put_down_is_not_at_rest(unrested: Unrested, clock: Clock) -> None:
    draft = uuid4()
    unrested.moved(draft, 1)
    seen = unrested.move(draft)
    clock.now += 1
    unrested.moved(draft, 2)
    unrested.put_down(draft, Rest(1, 10), seen)
    assert unrested.due(idle=True) == [draft]


def test_a_draft_that_cannot_be_put_down_is_not_tried_for_ever(unrested: Unrested) -> None:
    draft = uuid4()
    unrested.moved(draft, 1)
    unrested.put_down(draft, None, unrested.move(draft))
    assert len(unrested) == 0


def test_a_draft_that_is_no_more_is_forgotten(unrested: Unrested) -> None:
    draft = uuid4()
    unrested.moved(draft, 1)
    unrested.forget(draft)
    assert unrested.due(idle=True) == []


def test_of_a_bounded_number_of_drafts_it_is_known_what_their_rest_took(
    unrested: Unrested,
) -> None:
    first, *others = (uuid4() for _ in range(KNOWN + 1))
    for draft in (first, *others):
        unrested.moved(draft, 1)
        rest(unrested, draft, 1, 10 * WORTH)
        unrested.moved(draft, 2)
    assert unrested.due(idle=True) == [first]

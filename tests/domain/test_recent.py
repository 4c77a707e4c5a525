"""What a draft remembers: a copy shares it, and whatever the others do, sees its own."""

from __future__ import annotations

from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from domain.event import DraftEvent
from domain.recent import Recent

REACH = 3


def event(number: int) -> DraftEvent:
    """Only the identity of an event matters here."""
    return cast("DraftEvent", number)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60))
def test_each_copy_remembers_its_own_last_events(acts: list[tuple[int, bool]]) -> None:
    # Copies beside plain lists, which share nothing and forget nothing.
    copies: list[tuple[Recent, list[DraftEvent]]] = [(Recent(), [])]
    for number, (which, goes_on) in enumerate(acts):
        recent, all_of_it = copies[which % len(copies)]
        if goes_on:
            recent.add(event(number), REACH)
            all_of_it.append(event(number))
        else:
            copies.append((recent.copy(), all_of_it.copy()))
        for one, model in copies:
            remembered = list(one)
            assert len(one) == len(remembered) >= min(len(model), REACH)
            assert len(one) <= 2 * REACH
            assert remembered == model[len(model) - len(one) :] == one[:]
            assert not model or one[-1] == model[-1]


def test_copies_with_the_same_events_are_equal() -> None:
    recent = Recent([event(1), event(2)])
    copy = recent.copy()
    assert copy == recent
    copy.add(event(3), REACH)
    assert copy != recent

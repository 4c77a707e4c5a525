from __future__ import annotations

import random
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from domain.sequence import hunks, longest_rising, moves
from domain.threeway import merge_orders

orders = st.integers(0, 7).flatmap(lambda n: st.permutations(range(n)))
tokens = st.text(alphabet="abcd", max_size=40)


@given(tokens, tokens)
def test_hunks_replaced_one_by_one_turn_one_sequence_into_the_other(a: str, b: str) -> None:
    result, done = "", 0
    for hunk in hunks(a, b):
        result += a[done : hunk.a_start] + b[hunk.b_start : hunk.b_end]
        done = hunk.a_end
    assert result + a[done:] == b


@given(orders)
def test_the_longest_rising_subsequence_is_the_longest(order: list[int]) -> None:
    found = [order[place] for place in longest_rising(order)]
    assert found == sorted(found)
    longer = combinations(order, len(found) + 1)
    assert all(list(candidate) != sorted(candidate) for candidate in longer)


@given(orders)
def test_moves_put_every_item_in_its_place_and_no_item_twice(order: list[int]) -> None:
    items = list(range(len(order)))
    moved = []
    for place, here, there in moves(order):
        assert items[here] == order[place]
        items.insert(there, items.pop(here))
        moved.append(order[place])
    assert items == list(order)
    assert len(moved) == len(set(moved)) == len(order) - len(longest_rising(order))


def test_scattered_changes_in_a_long_sequence_of_few_tokens_stay_scattered() -> None:
    before = random.Random(1).choices("abc", k=10_000)
    after = [*before[:100], "x", *before[100:5000], *before[5001:9000], "y", *before[9001:]]
    assert sum(max(h.a_end - h.a_start, h.b_end - h.b_start) for h in hunks(before, after)) < 10


def test_both_orders_count_where_they_move_different_items() -> None:
    order = merge_orders(list("abcdef"), list("bcdefa"), list("fabcde"))
    assert order == (list("fbcdea"), False)


def test_an_item_that_both_moved_elsewhere_is_contested_and_stands_where_we_put_it() -> None:
    order = merge_orders(list("abcd"), list("bacd"), list("bcda"))
    assert not order.contested
    order = merge_orders(list("abcde"), list("bcdae"), list("eabcd"))
    assert order == (list("ebcda"), False)

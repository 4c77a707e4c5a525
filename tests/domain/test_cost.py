"""What is taken to be heavy, and so goes to another thread."""

from __future__ import annotations

from typing import Any

import pytest

from domain.cost import is_heavy

FORM = {f"field{n}": "some words " * 10 for n in range(60)}
LONG = "The band plays at nine. " * 2_000
ACTS = [{"id": n, "fee": 1, "times": {"from": 1, "to": 2}} for n in range(500)]


def paid(fee: int) -> list[Any]:
    return [{**act, "fee": fee} for act in ACTS]


@pytest.mark.parametrize(
    "sides",
    [
        (FORM, FORM, FORM),
        (FORM, {**FORM, "field1": "x"}, {**FORM, "field2": "y"}),
        (FORM, dict.fromkeys(FORM, "x"), dict.fromkeys(FORM, "y")),
        ({"t": LONG}, {"t": f"{LONG}x"}, {"t": f"{LONG}y"}),
        ({"acts": ACTS, "fee": 1}, {"acts": ACTS, "fee": 2}, {"acts": ACTS, "fee": 3}),
        ({"acts": ACTS}, {"acts": "none"}, {}),
        ({"acts": paid(1)[:20]}, {"acts": paid(2)[:20]}, {"acts": paid(3)[:20]}),
        ({}, {"acts": None}, {"acts": ACTS * 9}),
        ({}, {}),
    ],
)
def test_an_ordinary_save_is_light(sides: Any) -> None:
    assert not is_heavy(*sides)


@pytest.mark.parametrize(
    "sides",
    [
        ({"acts": paid(1)}, {"acts": paid(2)}, {"acts": paid(3)}),
        ({}, {"acts": paid(2) * 2}, {"acts": paid(3) * 2}),
        ({"acts": [[*ACTS], 1]}, {"acts": [[*ACTS], 2]}),
        ({"venue": {"t": LONG}}, {"venue": {"t": LONG.upper()}}),
        ({"t": f"a{LONG}b"}, {"t": f"b{LONG}b"}, {"t": f"a{LONG}a"}),
        (dict.fromkeys(map(str, range(6_000))), dict.fromkeys(map(str, range(6_000)), 1)),
    ],
)
def test_long_lists_and_texts_that_differ_are_heavy(sides: Any) -> None:
    assert is_heavy(*sides)

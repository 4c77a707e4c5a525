"""Regular expressions of definitions: no text can make one take long, and bad ones are refused."""

from __future__ import annotations

from time import thread_time

import pytest

from domain.expression import LONGEST, SEARCHED, expression_fault, matches


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("^[0-9]{4}-[0-9]{2}$", "2026-11", "2026-11-22"),
        ("night", "Jazz night", "Jazz"),
        (r"\S", " a ", "  "),
        (r"^\p{Lu}", "Élan", "élan"),
        ("", "anything", None),
    ],
)
def test_an_expression_is_looked_for_anywhere_in_a_text(
    pattern: str, fits: str, does_not: str | None
) -> None:
    assert expression_fault(pattern) is None
    assert matches(pattern, fits)
    assert does_not is None or not matches(pattern, does_not)


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)+$", "^(a*)*b", "(.*a){20}"])
def test_what_takes_others_for_ever_takes_no_time(pattern: str) -> None:
    began = thread_time()
    matches(pattern, "a" * (SEARCHED - 1) + "!")
    assert thread_time() - began < 1


def test_a_text_too_long_to_be_searched_is_taken_to_fit() -> None:
    assert not matches("b", "a" * SEARCHED)
    assert matches("b", "a" * (SEARCHED + 1))


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("(?=a)", "linear time"),
        (r"(a)\1", "linear time"),
        ("(a{1000}){1000}", "Counts too far"),
        ("(", "no regular expression"),
        ("[z-a]", "no regular expression"),
        ("a" * (LONGEST + 1), f"at most {LONGEST} characters"),
    ],
)
def test_an_expression_that_cannot_be_used_is_refused_in_a_sentence(
    pattern: str, word: str
) -> None:
    fault = expression_fault(pattern)
    assert fault is not None
    assert word in fault
    assert fault.endswith(".")

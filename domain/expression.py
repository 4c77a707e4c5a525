"""Regular expressions of form definitions: matched in time that grows with the text, no faster.

What: the engine is Rust's, which comes with pydantic and never goes back in the text. Why: an
expression out of a definition meets texts of users, and with Python's own one such as `(a+)+$` can
hold a process for years. Else considered: a limit of time, which Python's engine does not heed.
Look-around and back-references are the price.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pydantic_core import SchemaError, SchemaValidator, core_schema

LONGEST: Final = 500
"""Characters of an expression."""
SEARCHED: Final = 10_000
"""Characters of a text that an expression is tried on; a longer text is taken to fit."""


def expression_fault(pattern: str) -> str | None:
    """What is wrong with a regular expression, as a sentence, or None.

    >>> expression_fault("^[0-9]{4}$")
    >>> expression_fault("(?=a)")
    'Cannot be matched in linear time; leave look-around and back-references out.'
    """
    if len(pattern) > LONGEST:
        return f"An expression has at most {LONGEST} characters."
    try:
        _engine(pattern)
    except SchemaError as refusal:
        return _sentence(str(refusal))
    return None


def matches(pattern: str, text: str) -> bool:
    """Whether an expression is found anywhere in a text.

    >>> matches("^(a+)+$", "a" * 1_000 + "b"), matches("b", "abc")
    (False, True)
    """
    return len(text) > SEARCHED or _engine(pattern).isinstance_python(text)


@lru_cache(maxsize=256)
def _engine(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))


def _sentence(refusal: str) -> str:
    if "not supported" in refusal:
        return "Cannot be matched in linear time; leave look-around and back-references out."
    if "size limit" in refusal:
        return "Counts too far; use smaller numbers of repetitions."
    return "Is no regular expression."

"""Whether data fits a JSON Schema: every misfit by its place, found within a stated time.

What: the library `jsonschema`; those of its keywords that search with regular expressions, compare
every item with every other or do not say which member they mean are put in other words, and each
keyword looks at the clock. Why: a schema out of a definition may take for ever, on purpose or not.
Else considered: a process of its own that can be killed, which costs more memory and more code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import groupby
from time import thread_time
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from domain.expression import matches
from domain.schema import Schema
from domain.value import Data, fingerprint

Errors = Iterator[ValidationError]
Keyword = Callable[[Any, Any, Any, Any], Any]


class TooCostly(Exception):
    """The schema asks for more work than is allowed."""


class Allowance:
    """Seconds of this thread's own work; others' work beside it does not count."""

    def __init__(self, seconds: float) -> None:
        self._end = thread_time() + seconds

    def check(self) -> None:
        """Go on only while there is time left.

        Raises:
            TooCostly: There is none.
        """
        if thread_time() > self._end:
            raise TooCostly


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing that a schema asks for and the data lacks.

    `place` leads to the value, or to where one is missing; `keyword` asks for `wanted`, and is None
    where nothing may stand at all.
    """

    place: tuple[str | int, ...]
    keyword: str | None
    wanted: Any


def misfits(schema: Schema, data: Data, allowance: Allowance) -> list[Misfit]:
    """All misfits, in the order of the schema; members that it does not name are none.

    Raises:
        TooCostly: The schema takes longer than allowed, or turns in a circle.
    """
    before = _ALLOWANCE.set(allowance)
    try:
        found = _Checker(_nameless(schema), registry=Registry()).iter_errors(data)
        return [misfit for error in found for misfit in _told(error)]
    except RecursionError:
        raise TooCostly from None
    finally:
        _ALLOWANCE.reset(before)


def _nameless(schema: Schema) -> Schema:
    """Without what would lead the library to a checker, or a base, other than ours."""
    if isinstance(schema, bool):
        return schema
    return {name: value for name, value in schema.items() if name not in ("$schema", "$id")}


# -- from the library's errors to ours


def _told(error: ValidationError) -> Iterator[Misfit]:
    """An error as misfits: of alternatives, what the one that was meant asks for."""
    if error.validator == "additionalProperties" and error.validator_value is False:
        return
    if (meant := _meant(error)) is None:
        yield Misfit(tuple(error.absolute_path), error.validator, error.validator_value)
        return
    for inner in meant:
        yield from _told(inner)


def _meant(error: ValidationError) -> list[ValidationError] | None:
    """The errors of the only alternative whose kind of value is there, if just one is."""
    branches = [list(branch) for _, branch in groupby(error.context or (), key=_branch)]
    meant = [branch for branch in branches if not any(map(_of_another_kind, branch))]
    return meant[0] if len(meant) == 1 else None


def _branch(error: ValidationError) -> Any:
    """Which alternative an error is of; of `false` the library does not say it, so that is None."""
    return next(iter(error.relative_schema_path), None)


def _of_another_kind(error: ValidationError) -> bool:
    """Whether the value, or a member that tells alternatives apart, is not of the kind meant."""
    telling = {0: ("type", "const", "enum", None), 1: ("const",)}
    return error.validator in telling.get(len(error.relative_path), ())


# -- keywords in other words


def _required(_: Any, names: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, dict):
        yield from (_missing(name) for name in names if name not in value)


def _dependent_required(_: Any, names: Mapping[str, Any], value: Any, __: Any) -> Errors:
    if isinstance(value, dict):
        wanted = (name for given, more in names.items() if given in value for name in more)
        yield from (_missing(name) for name in wanted if name not in value)


def _missing(name: str) -> ValidationError:
    return ValidationError("missing", validator="required", path=[name])


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Errors:
    if isinstance(value, str) and not matches(pattern, value):
        yield ValidationError("does not match")


def _properties(checker: Any, schemas: Mapping[str, Any], value: Any, _: Any) -> Errors:
    if isinstance(value, dict):
        for name, schema in schemas.items():
            if name in value:
                yield from _member(checker, schema, value, name)


def _pattern_properties(checker: Any, patterns: Mapping[str, Any], value: Any, _: Any) -> Errors:
    if isinstance(value, dict):
        for pattern, schema in patterns.items():
            for name in value:
                _ALLOWANCE.get().check()
                if matches(pattern, name):
                    yield from _member(checker, schema, value, name)


def _additional_properties(checker: Any, schema: Any, value: Any, whole: Any) -> Errors:
    if isinstance(value, dict):
        for name in value:
            _ALLOWANCE.get().check()
            if not _names(whole, name):
                yield from _member(checker, schema, value, name, "additionalProperties")


def _member(checker: Any, schema: Any, value: Any, name: str, keyword: str | None = None) -> Errors:
    """What a member lacks; of one that may not be there the library forgets the name."""
    if schema is False:
        yield ValidationError("not allowed", validator=keyword, path=[name])
    else:
        yield from checker.descend(value[name], schema, name)


def _names(schema: Mapping[str, Any], name: str) -> bool:
    """Whether a schema says by itself what stands under a name."""
    patterns = schema.get("patternProperties", ())
    return name in schema.get("properties", ()) or any(matches(p, name) for p in patterns)


def _unique_items(_: Any, unique: bool, value: Any, __: Any) -> Errors:
    if unique and isinstance(value, list) and len(set(map(fingerprint, value))) < len(value):
        yield ValidationError("twice")


def _looking_at_the_clock(keyword: Keyword) -> Keyword:
    def timed(checker: Any, wanted: Any, value: Any, schema: Any) -> Any:
        _ALLOWANCE.get().check()
        return keyword(checker, wanted, value, schema)

    return timed


_ALLOWANCE: ContextVar[Allowance] = ContextVar("allowance")
_OURS: Final[dict[str, Keyword]] = {
    "required": _required,
    "dependentRequired": _dependent_required,
    "pattern": _pattern,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}
_KEYWORDS: Final = {**Draft202012Validator.VALIDATORS, **_OURS}
_Checker: Final = extend(
    Draft202012Validator, {name: _looking_at_the_clock(k) for name, k in _KEYWORDS.items()}
)

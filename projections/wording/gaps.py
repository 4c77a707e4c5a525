"""What a field still lacks, in words: that it is missing, or what its value should be like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from domain.form import Node
from projections.wording import phrases
from projections.wording.places import Place
from projections.wording.values import counted, in_words, listed

_LISTED: Final = 8  # values that are named


def lacks(place: Place, keyword: str | None, wanted: Any) -> str:
    """What a keyword of JSON Schema asks of the value at a place, never what is there.

    `keyword` is None where nothing may stand. Of a sensitive place only that something is wrong.
    """
    if keyword == "required":
        return phrases.MISSING.format(field=place.label)
    asks = None if place.hidden else _ASKS.get(keyword)
    if asks is None:
        return phrases.UNFIT.format(field=place.label)
    return phrases.ASKED.format(field=place.label, asked=asks(wanted, place.node))


def _kind(wanted: str | Sequence[str], _: Node) -> str:
    kinds = [wanted] if isinstance(wanted, str) else wanted
    return phrases.MUST_BE.format(what=listed([phrases.KINDS[k] for k in kinds], phrases.OR))


def _one_of(wanted: Sequence[Any], node: Node) -> str:
    shown = [in_words(value, node) for value in wanted[:_LISTED]]
    more = [] if len(wanted) <= _LISTED else [counted(len(wanted) - _LISTED, phrases.OTHERS)]
    return phrases.MUST_BE.format(what=listed([*shown, *more], phrases.OR))


def _written(_: Any, node: Node) -> str:
    """What an expression asks; by the field's format, since nobody can read an expression."""
    example = phrases.EXAMPLES.get(node.rule.format or "")
    return phrases.WRITTEN_AS.format(example=example) if example else phrases.WRITTEN_OTHERWISE


def _amount(template: str) -> Callable[[Any, Node], str]:
    return lambda wanted, node: template.format(what=in_words(wanted, node))


def _at_least(units: tuple[str, str]) -> Callable[[Any, Node], str]:
    def said(wanted: float, _: Node) -> str:
        if wanted == 1:
            return phrases.NOT_EMPTY
        return phrases.AT_LEAST.format(what=counted(int(wanted), units))

    return said


def _at_most(units: tuple[str, str]) -> Callable[[Any, Node], str]:
    return lambda wanted, _: phrases.AT_MOST.format(what=counted(int(wanted), units))


def _not_twice(_: Any, __: Node) -> str:
    return phrases.NOT_TWICE


_ASKS: Final[Mapping[str | None, Callable[[Any, Node], str]]] = {
    "type": _kind,
    "enum": _one_of,
    "const": _amount(phrases.MUST_BE),
    "pattern": _written,
    "minimum": _amount(phrases.NOT_BELOW),
    "maximum": _amount(phrases.NOT_ABOVE),
    "exclusiveMinimum": _amount(phrases.ABOVE),
    "exclusiveMaximum": _amount(phrases.BELOW),
    "multipleOf": _amount(phrases.MULTIPLE),
    "minLength": _at_least(phrases.CHARACTERS),
    "maxLength": _at_most(phrases.CHARACTERS),
    "minItems": _at_least(phrases.ITEMS),
    "maxItems": _at_most(phrases.ITEMS),
    "uniqueItems": _not_twice,
    "minProperties": _at_least(phrases.FIELDS),
    "maxProperties": _at_most(phrases.FIELDS),
}

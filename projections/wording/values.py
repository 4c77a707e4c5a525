"""A value in words: what a person reads where a form holds a number, a text, a list or nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from domain import text as long_text
from domain.form import NOWHERE, Node
from domain.path import ABSENT, find, parse
from domain.value import Json
from projections.wording import phrases
from projections.wording.formats import formatted

LONGEST: Final = 60  # characters of a value that are shown
EXCERPT: Final = 40  # of one that is longer, beside how many words it has
_NAME: Final = 40
_LISTED: Final = 3  # items of a list that are shown
_LISTED_NAME: Final = 20
_SEEN: Final = 1_000  # characters looked at to show some
_COUNTED: Final = 20_000  # characters whose words are counted
_JOINERS: Final = "\u200c\u200d"  # they shape letters and emoji


def counted(n: int, forms: tuple[str, str]) -> str:
    """A number with its noun.

    >>> counted(1, ("1 word", "{n} words")), counted(3, ("1 word", "{n} words"))
    ('1 word', '3 words')
    """
    return forms[n != 1].format(n=n)


def listed(parts: Sequence[str], last: str = phrases.AND) -> str:
    """Parts as an enumeration.

    >>> listed(["Fee", "Title", "Pay"])
    'Fee, Title and Pay'
    """
    if len(parts) < 2:
        return "".join(parts)
    return last.format(first=phrases.COMMA.join(parts[:-1]), last=parts[-1])


def several(parts: Iterable[str], most: int, others: tuple[str, str]) -> str:
    """The first of some parts, each once, and how many others there are; never just one other.

    >>> several(["Fee", "Title", "Pay", "Fee"], 1, ("1 other", "{n} others"))
    'Fee and 2 others'
    """
    distinct = list(dict.fromkeys(parts))
    if len(distinct) <= most + 1:
        return listed(distinct)
    return listed([*distinct[:most], counted(len(distinct) - most, others)])


def clean(text: str) -> str:
    """The text on one line, without what cannot be seen or would turn its direction."""
    line = " ".join(text.split())
    return line if line.isprintable() else "".join(filter(_is_seen, line)).strip()


def _is_seen(sign: str) -> bool:
    return sign in _JOINERS or unicodedata.category(sign) not in ("Cc", "Cf", "Cs")


def cut(text: str, most: int) -> str:
    """The text, or its first words and an ellipsis.

    >>> cut("Doors at seven", 11), cut("Doors", 4)
    ('Doors at…', 'Doo…')
    """
    if len(text) <= most:
        return text
    words = long_text.words(text[:most])
    start = "".join(words[:-1]).rstrip() or text[: most - 1].rstrip(_JOINERS)
    return f"{start}…"


def is_blank(text: str) -> bool:
    """Whether there is nothing to be seen of a text."""
    return not clean(text.strip()[:_SEEN])


def quoted(text: str, start: int = 0) -> str:
    """A text in quotes; of a long one some words from `start` on, and how many it has."""
    rest = text[start:].strip()
    shown = clean(rest[:_SEEN])
    if start:
        shown = f"…{shown}"
    if len(shown) <= LONGEST and len(rest) <= _SEEN:
        return phrases.QUOTED.format(text=shown)
    template = phrases.COUNTED_TEXT if (words := word_count([text])) else phrases.QUOTED
    return template.format(text=cut(shown, EXCERPT), words=words)


def word_count(texts: Iterable[str]) -> str:
    """How many words there are, in words; an empty string if there are none."""
    text = " ".join(texts)
    n = sum(word[0].isalnum() for word in long_text.words(text[:_COUNTED]))
    if n == 0:
        return ""
    words = counted(n, phrases.WORDS)
    return words if len(text) <= _COUNTED else phrases.MANY_WORDS.format(words=words)


def named(value: Json, most: int = _NAME) -> str | None:
    """A value as a name in quotes, or None if it cannot be one."""
    if type(value) is not str and type(value) is not int:
        return None
    name = clean(str(value)[:_SEEN])
    return phrases.QUOTED.format(text=cut(name, most)) if name else None


def is_sensitive(node: Node, pointer: str) -> bool:
    """Whether the value that a pointer leads to from here is sensitive, or lies in one that is."""
    for token in parse(pointer):
        if node.rule.sensitive:
            return True
        node = node.below(token)
    return node.rule.sensitive


def name_of(item: Json, node: Node, pointer: str | None = None) -> str | None:
    """What an object is called: by its value at `pointer`, else by its name, title or label."""
    if type(item) is not dict:
        return None
    for at in (pointer, "/name", "/title", "/label"):
        if at is not None and not is_sensitive(node, at):
            value = find(item, at)
            if value is not ABSENT and (name := named(value)) is not None:
                return name
    return None


def in_words(value: Json, node: Node = NOWHERE) -> str:
    """A value as it stands in a sentence; `node` is what the definition says of its place."""
    if node.rule.sensitive:
        return phrases.HIDDEN
    if value is None or value is ABSENT:
        return phrases.NOTHING
    return _IN_WORDS[type(value)](value, node)


def _truth(value: bool, _: Node) -> str:
    return phrases.YES if value else phrases.NO


def _number(value: float, node: Node) -> str:
    whole = type(value) is float and value.is_integer() and abs(value) < 2**53
    text = str(int(value) if whole else value)
    return formatted(text, node.rule.format) or text


def _text(value: str, node: Node) -> str:
    if is_blank(value):
        return phrases.EMPTY
    return formatted(value, node.rule.format) or quoted(value)


def _object(value: dict[str, Json], node: Node) -> str:
    if not value:
        return phrases.EMPTY
    return name_of(value, node) or counted(len(value), phrases.FIELDS)


def _list(value: list[Json], node: Node) -> str:
    if not value:
        return phrases.EMPTY_LIST
    shown = []
    for place, item in enumerate(value[:_LISTED]):
        words = _listed_item(item, node.below(str(place)), node.rule.item)
        if words is None:
            return counted(len(value), phrases.ITEMS)
        shown.append(words)
    if len(value) > _LISTED:
        shown.append(counted(len(value) - _LISTED, phrases.OTHERS))
    return listed(shown)


def _listed_item(item: Json, node: Node, pointer: str | None) -> str | None:
    """A scalar, or an object's name; None if it has none, or may not be shown."""
    if node.rule.sensitive:
        return None
    if type(item) is dict:
        return name_of(item, node, pointer)
    if type(item) is list or item is None:
        return None
    return named(item, _LISTED_NAME) if type(item) is str else in_words(item, node)


_IN_WORDS: Final[dict[type, Callable[[Any, Node], str]]] = {
    bool: _truth,
    int: _number,
    float: _number,
    str: _text,
    dict: _object,
    list: _list,
}


def apart(values: Sequence[Json], node: Node) -> list[str]:
    """Values that differ, in words that differ where they can: long texts from there on."""
    words = [in_words(value, node) for value in values]
    enough = len(set(words)) == len(words) or node.rule.sensitive
    if enough or not all(type(value) is str for value in values):
        return words
    shared = min(long_text.common_start(values[0], value) for value in values[1:])
    start = _word_start(values[0], shared)
    return [quoted(value, start) for value in values] if start else words


def _word_start(text: str, place: int) -> int:
    """Where the word begins in which a place lies, or which ends there."""
    before = long_text.words(text[max(0, place - EXCERPT) : place])
    return place - len(before[-1]) if before else place

"""Who did something, in words: a person by name, anybody else by what is known."""

from __future__ import annotations

from typing import Final

from projections.wording import phrases
from projections.wording.values import clean, cut

LONGEST: Final = 300  # characters of a sentence
_NAME: Final = 40
_LINK: Final = "link:"


def who(by: str | None) -> str:
    """Somebody within a sentence; a name that is a plain word gets its capital letter.

    >>> who("ann"), who("7b2e-0a52"), who("link:3"), who(None)
    ('Ann', '7b2e-0a52', 'somebody with a link', 'somebody')
    """
    if _is_link(by):
        return phrases.SOMEBODY_BY_LINK
    return _name(by) or phrases.SOMEBODY


def whose(by: str | None) -> str:
    """Whose something is.

    >>> whose("ben")
    "Ben's"
    """
    return phrases.OWNED.format(name=who(by))


def device(name: str | None) -> str:
    """A device by its name."""
    return cut(clean(name or ""), _NAME) or phrases.A_DEVICE


def sentence(by: str | None, did: str) -> str:
    """Who, and what they did.

    >>> sentence(None, "submitted the draft")
    'Somebody submitted the draft'
    """
    return cut(begun_by(by, phrases.SENTENCE.format(by=who(by), did=did)), LONGEST)


def begun_by(by: str | None, words: str) -> str:
    """Words that begin with somebody as a sentence does; names stay as they are written."""
    return words if _name(by) and not _is_link(by) else capital(words)


def capital(text: str) -> str:
    """The text with a capital letter first."""
    return text[:1].upper() + text[1:]


def _is_link(by: str | None) -> bool:
    return by is not None and by.startswith(_LINK)


def _name(by: str | None) -> str:
    name = cut(clean(by or ""), _NAME)
    return capital(name) if name.isalpha() and name.islower() else name

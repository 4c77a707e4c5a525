"""Formats of fields: an amount, a day or a time as people write it.

A definition's `format` is one of these; any other, or a value that does not fit, changes nothing:

`currency:EUR`   250 or "250" is €250, -9.5 is -€9.50; other currencies by their code: 250 CHF
`date`           "2026-11-22" is 22 November 2026
`time`           "20:30:00" is 20:30
`datetime`       "2026-11-22T20:30:00Z" is 22 November 2026, 20:30 UTC
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from projections.wording import phrases

_NUMERIC: Final = re.compile(r"(-?)([0-9]{1,30})(?:\.([0-9]{1,20}))?")
_CODE: Final = re.compile(r"[A-Z]{3}")


def formatted(text: str, wanted: str | None) -> str | None:
    """A number or text by the format of its field; None if it has none, or does not fit it.

    >>> formatted("9.5", "currency:EUR"), formatted("soon", "date")
    ('€9.50', None)
    """
    name, _, code = (wanted or "").partition(":")
    write = _FORMATS.get(name)
    return None if write is None else write(text.strip(), code)


def _currency(text: str, code: str) -> str | None:
    found = _NUMERIC.fullmatch(text)
    if found is None or not _CODE.fullmatch(code):
        return None
    sign, whole, cents = found.groups()
    amount = whole if cents is None else f"{whole}.{cents:0<2}"
    if code in phrases.SYMBOLS:
        return phrases.AMOUNT.format(sign=sign, symbol=phrases.SYMBOLS[code], amount=amount)
    return phrases.AMOUNT_BY_CODE.format(sign=sign, amount=amount, code=code)


def _date(text: str, _: str) -> str | None:
    day = _moment(text, "-")
    return None if day is None else _day(day)


def _time(text: str, _: str) -> str | None:
    clock = _moment(f"2000-01-01T{text}", ":")
    return None if clock is None else _clock(clock)


def _datetime(text: str, _: str) -> str | None:
    moment = _moment(text, ":")
    if moment is None:
        return None
    return phrases.MOMENT.format(day=_day(moment), time=_clock(moment))


def _moment(text: str, sign: str) -> datetime | None:
    """A moment in ISO 8601 with this sign in it: bare digits may as well be a plain number."""
    try:
        return datetime.fromisoformat(text) if sign in text else None
    except ValueError:
        return None


def _day(day: datetime) -> str:
    return phrases.DAY.format(day=day.day, month=phrases.MONTHS[day.month - 1], year=day.year)


def _clock(clock: datetime) -> str:
    shown = clock.strftime("%H:%M:%S").removesuffix(":00")
    offset = clock.utcoffset()
    if offset is None:
        return shown
    return phrases.ZONED.format(time=shown, zone=f"{clock:%z}" if offset else phrases.UTC)


_FORMATS: Final[dict[str, Callable[[str, str], str | None]]] = {
    "currency": _currency,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
}

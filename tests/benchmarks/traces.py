"""Editing traces: how a text was written, stroke by stroke; read from a file, or made up."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

Patch = tuple[int, int, str]  # position and number of code points taken out, and what is put in

_WORDS = [
    *("the", "gig", "starts", "at", "eight;", "doors", "open", "an", "hour", "before.", "Zoë"),
    *("plays", "first,", "90\u00a0€", "a", "head", "naïve", "“quoted”", "🎷", "Σ", "tab\there"),
    *("line\nbreak", "and\n\n", "cafe\u0301", "\r\n", "x" * 60),
]


@dataclass(frozen=True)
class Stroke:
    """What happened at one moment."""

    at: datetime
    patches: Sequence[Patch]


@dataclass(frozen=True)
class Trace:
    """The strokes that lead from one text to another."""

    start: str
    end: str
    strokes: Sequence[Stroke]

    def autosaves(self) -> Iterator[str]:
        """The text after each distinct second in which it changed."""
        text = saved = self.start
        for _, second in groupby(self.strokes, lambda stroke: stroke.at.replace(microsecond=0)):
            for stroke in second:
                text = applied(text, stroke.patches)
            if text != saved:
                yield text
                saved = text


def applied(text: str, patches: Sequence[Patch]) -> str:
    """The text after patches, each of which counts in what the one before it left."""
    for position, taken, put in patches:
        text = text[:position] + put + text[position + taken :]
    return text


def read_trace(file: Path) -> Trace:
    """A trace in the format of the public editing-traces collection, packed or plain."""
    packed = file.read_bytes()
    said = json.loads(gzip.decompress(packed) if file.suffix == ".gz" else packed)
    strokes = [
        Stroke(_moment(one.get("time", one.get("timestamp"))), [tuple(p) for p in one["patches"]])
        for one in said["txns"]
    ]
    return Trace(said["startContent"], said["endContent"], strokes)


def _moment(said: str | float) -> datetime:
    if isinstance(said, str):
        return datetime.fromisoformat(said)
    return datetime.fromtimestamp(said / 1000, UTC)


def make_trace(seed: int, seconds: int) -> Trace:
    """A trace that is always the same for the same seed, with a change in each of its seconds.

    >>> len(list(make_trace(seed=1, seconds=30).autosaves()))
    30
    """
    chance = random.Random(seed)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    text, cursor, strokes = "", 0, []
    for second in range(seconds):
        patches, cursor = _writing(chance, text, cursor)
        strokes.append(Stroke(at + timedelta(seconds=second), patches))
        text = applied(text, patches)
    return Trace("", text, strokes)


def _writing(chance: random.Random, text: str, cursor: int) -> tuple[list[Patch], int]:
    """What is done in a second, and where the cursor is then: now and then a cut, always words."""
    patches: list[Patch] = []
    if chance.random() < 0.1:
        cursor = chance.randint(0, len(text))
    if chance.random() < 0.2:
        cut = min(chance.choice((1, 3, 12, 200)), cursor)
        cursor -= cut
        patches = [(cursor, cut, "")]
    words = " ".join(chance.choices(_WORDS, k=chance.randint(1, 3))) + " "
    if patches:  # then a number too, so that what was just cut is not what is typed
        words += f"{len(text)} "
    return [*patches, (cursor, 0, words)], cursor + len(words)

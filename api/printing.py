"""What commands say: how far they are, what they did in numbers, and where their output goes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import typer

from api.operations import whole_or_not_at_all
from projections.verify import Tally


class progress:  # noqa: N801 - reads as a phrase where it is used
    """Shows how far a long command is, on a terminal; what it counts is `unit`."""

    def __init__(self, unit: str) -> None:
        self._unit = unit

    def __enter__(self) -> Callable[[int, int], None]:
        return self._tell if sys.stderr.isatty() else lambda _done, _total: None

    def __exit__(self, *_: object) -> None:
        if sys.stderr.isatty():
            typer.echo("", err=True)

    def _tell(self, done: int, total: int) -> None:
        typer.echo(f"\r{done} of {total} {self._unit}", nl=False, err=True)


@contextmanager
def sink(output: Path | None) -> Iterator[BinaryIO]:
    """A new file, whole or not at all; standard output if none is named."""
    if output is None:
        yield sys.stdout.buffer
        return
    with output.open("xb") as file, whole_or_not_at_all(output):
        yield file


def judgement(tally: Tally) -> str:
    """What a check came to; drafts that were purged since a checkpoint are no fault."""
    parts = {
        f"{counted(tally.broken, 'draft')} not as recorded": tally.broken,
        f"{counted(tally.unchecked, 'draft')} could not be checked": tally.unchecked,
        f"{counted(tally.faults, 'fault')} in the file": tally.faults,
        f"{counted(tally.purged, 'draft')} purged since the checkpoint": tally.purged,
    }
    said = [part for part, number in parts.items() if number]
    return ", ".join(["all as recorded", *said] if tally.intact else said)


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(2, "draft")
    '2 drafts'
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"

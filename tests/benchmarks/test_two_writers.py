"""A trace made up for two writers on both engines, and that a loss would be seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tests import postgres
from tests.benchmarks.marked import Copy
from tests.benchmarks.serve import on_postgres, on_sqlite, variorum
from tests.benchmarks.traces import make_trace
from tests.benchmarks.two_writers import Device, Writing, Wrong, write

MINUTES = 12


def test_two_writers_lose_nothing_on_sqlite(tmp_path: Path) -> None:
    _must_hold(_written(on_sqlite(tmp_path / "variorum.db")))


def test_two_writers_lose_nothing_on_postgresql(postgres_server: postgres.Server) -> None:
    with postgres.fresh_database(postgres_server) as database:
        _must_hold(_written(on_postgres(database)))


def _written(settings: Mapping[str, str]) -> Writing:
    with variorum(settings) as service:
        return write(service.url, make_trace(seed=3, seconds=MINUTES * 60), seed=3)


def _must_hold(writing: Writing) -> None:
    """The writing itself has looked for every stretch, and that both ended level."""
    assert writing.minutes == MINUTES
    assert 0 < writing.merged < writing.edits
    assert writing.conflicts > 0
    assert sum(writing.stretches.values()) > MINUTES
    assert "lost" not in writing.letters


def test_a_stretch_is_what_was_typed_in_a_row_in_whole_words() -> None:
    text = Copy(list("The band plays at nine."), list(range(1, 24)))
    assert text.stretches({6, 7, 16, 17, 18, 19, 20}) == ["band", "at nine"]
    assert text.stretches({4}) == [" "]
    assert text.stretches(set()) == []


def test_a_stretch_that_is_nowhere_is_a_loss() -> None:
    with httpx.Client() as http:
        device = Device("laptop", http, "draft")
        device._look_for(["at nine"], ["The band plays", "at nine, or so"])
        device._look_for(["plays at"], ["The band plays", "at nine, or so"])
        with pytest.raises(Wrong):
            device._look_for(["at ten"], ["The band plays", "at nine, or so"])

"""A trace made up for it, played to the service on both engines, with every check of the replay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import postgres
from tests.benchmarks.replay_trace import (
    Replay,
    Stored,
    replay,
    stored_on_postgres,
    stored_on_sqlite,
)
from tests.benchmarks.serve import on_postgres, on_sqlite, token, variorum
from tests.benchmarks.traces import Trace, applied, make_trace

SAVES = 200


@pytest.fixture(scope="module")
def trace() -> Trace:
    return make_trace(seed=1, seconds=SAVES)


def test_a_trace_is_replayed_on_sqlite(trace: Trace, tmp_path: Path) -> None:
    file = tmp_path / "variorum.db"
    _must_hold(_replayed(trace, on_sqlite(file), lambda: stored_on_sqlite(file)))


def test_a_trace_is_replayed_on_postgresql(trace: Trace, postgres_server: postgres.Server) -> None:
    with postgres.fresh_database(postgres_server) as database:
        owner_url = database.owner_url
        _must_hold(_replayed(trace, on_postgres(database), lambda: stored_on_postgres(owner_url)))


def test_a_trace_made_up_ends_as_it_says_and_is_the_same_again(trace: Trace) -> None:
    text = trace.start
    for stroke in trace.strokes:
        text = applied(text, stroke.patches)
    assert text == trace.end
    assert trace == make_trace(seed=1, seconds=SAVES)


def _replayed(trace: Trace, settings: Mapping[str, str], stored: Stored) -> Replay:
    with variorum(settings) as service:
        return replay(service.url, token(), trace, stored)


def _must_hold(played: Replay) -> None:
    """The replay itself has checked the texts, restore and undo."""
    assert (played.saves, played.versions) == (SAVES, SAVES)
    assert played.stored > 0

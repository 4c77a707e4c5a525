"""The counting of the merge benchmark, on a few cases of which every way is known to do what."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.merges import (
    Case,
    Tally,
    by_field,
    by_line,
    by_rule,
    compare,
    read_cases,
    speeds,
    tally,
)


def case(ours: Any, theirs: Any, human: Any) -> Case:
    base = {"name": "a", "version": 1, "tags": ["x"], "private": True, "license": "MIT"}
    return Case(base, *({**base, **side} for side in (ours, theirs, human)))


APART = case({"name": "b"}, {"license": "BSD"}, {"name": "b", "license": "BSD"})
SIDE_BY_SIDE = case({"name": "b"}, {"version": 2}, {"name": "b", "version": 2})
TAGS = case({"tags": ["w", "x"]}, {"tags": ["x", "y"]}, {"tags": ["w", "x", "y"]})
SETTLED = case({"version": 2}, {"version": 3, "license": "BSD"}, {"version": 3, "license": "BSD"})
TAKEN_BACK = case({"name": "b", "version": 2}, {"version": 3}, {"version": 3})
CASES = [APART, SIDE_BY_SIDE, TAGS, SETTLED, TAKEN_BACK]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (by_rule, Tally(files=5, clean=3, equal=3, fields_open=2, rest_equal=1)),
        (by_field, Tally(files=5, clean=2, equal=2, fields_open=3, rest_equal=2)),
        pytest.param(
            by_line,
            Tally(files=5, clean=1, equal=1, fields_open=4, rest_equal=0),
            marks=pytest.mark.skipif(shutil.which("git") is None, reason="git is not here"),
        ),
    ],
)
def test_each_way_of_merging_is_counted_by_what_it_did(way: Any, expected: Tally) -> None:
    assert tally(way, CASES) == expected


def test_a_clean_merge_that_people_did_not_want_is_not_equal() -> None:
    unwanted = case({"name": "b"}, {"license": "BSD"}, {"name": "b"})
    assert tally(by_rule, [unwanted]).equal == 0
    assert "In 1 files people took back" in compare([unwanted])


def test_cases_are_read_plain_and_packed(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({**vars(one), "repo": "r"}) for one in CASES)
    plain, packed = tmp_path / "cases.jsonl", tmp_path / "cases.jsonl.gz"
    plain.write_text(lines)
    packed.write_bytes(gzip.compress(lines.encode()))
    assert read_cases(plain) == read_cases(packed) == CASES


def test_every_speed_is_measured() -> None:
    measured = list(speeds(rounds=1))
    assert [speed.allowed for speed in measured] == [1, 30, 50, 50]
    assert all(speed.milliseconds > 0 for speed in measured)

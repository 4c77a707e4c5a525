"""How the sides of a comparison are measured: in short rounds, in turn, until each one is level."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.load import Generator, Result
from tests.benchmarks.serve import Server

_PATIENCE = 120.0  # seconds in which every projection must be level again
_WARM_UP = 0.3  # seconds, not counted
_SAMPLE = 0.2  # seconds between two looks at how far the projections are behind


class NotLevel(Exception):
    """A projection stayed behind."""


@dataclass(frozen=True)
class Run:
    """What one side did in one round."""

    per_second: float
    p50: float
    p99: float
    cpu: float  # microseconds of the server's process per request
    behind: int  # events, at the worst moment seen


@dataclass
class Side:
    """One server, the scripts played to it, and whether it has projections to wait for."""

    server: Server
    scripts: Sequence[Any]
    projects: bool = False

    def run(self, generator: Generator, seconds: float) -> Run:
        """One burst; its clock stops when every projection is level."""
        cpu = self.server.cpu_seconds()
        started = generator.start(self.server.port, self.scripts, seconds)
        behind = self._watch(started)
        result: Result[Any] = started.result().must_be_good()
        answered = time.perf_counter()
        behind = max(behind, self._wait_until_level())
        self.scripts = result.scripts
        result.seconds += time.perf_counter() - answered
        return _summary(result, self.server.cpu_seconds() - cpu, behind)

    def _watch(self, started: Future[Result[Any]]) -> int:
        worst = 0
        while self.projects and not wait([started], timeout=_SAMPLE).done:
            worst = max(worst, furthest_behind(self.server.url))
        return worst

    def _wait_until_level(self) -> int:
        return wait_until_level(self.server.url) if self.projects else 0


def rounds(
    generator: Generator, sides: Mapping[str, Side], number: int, seconds: float
) -> dict[str, list[Run]]:
    """Measure every side so many times, in turn and every other time in the opposite order."""
    for side in sides.values():
        side.run(generator, _WARM_UP)
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    order = list(sides)
    for _ in range(number):
        for name in order:
            runs[name].append(sides[name].run(generator, seconds))
        order.reverse()
    return runs


def furthest_behind(url: str) -> int:
    """How many events the slowest projection still has to take, by the server's own word."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=30) as answer:
            said = json.load(answer)
    except urllib.error.HTTPError as refusal:
        said = json.load(refusal)
    return max((int(one["behind"]) for one in said["projections"].values()), default=0)


def wait_until_level(url: str) -> int:
    """Wait until every projection has taken every event; the largest distance seen meanwhile.

    Raises:
        NotLevel: One has not, for two minutes.
    """
    deadline = time.monotonic() + _PATIENCE
    worst = 0
    while behind := furthest_behind(url):
        worst = max(worst, behind)
        if time.monotonic() > deadline:
            raise NotLevel(f"still {behind} events behind after {_PATIENCE:.0f} s")
        time.sleep(0.01)
    return worst


def _summary(result: Result[Any], cpu: float, behind: int) -> Run:
    return Run(
        result.per_second,
        result.percentile(50),
        result.percentile(99),
        1e6 * cpu / len(result.latencies),
        behind,
    )

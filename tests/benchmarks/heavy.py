"""Light saves while one request in a hundred is a heavy merge: who waits for whom, and how long."""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests import postgres
from tests.benchmarks.load import Generator
from tests.benchmarks.serve import Server, on_postgres, on_sqlite, token, variorum
from tests.benchmarks.sides import Run, Side
from tests.benchmarks.traffic import Editors, open_drafts

CONNECTIONS = 16
SHARE = 0.01  # of all requests


@dataclass
class Heavy:
    """Somebody who merges a long list into a draft that others changed all over, repeatedly."""

    server: Server
    items: int
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        self._token = token("eve")
        acts = [{"id": f"a{n}", "name": f"Act {n}", "fee": n} for n in range(self.items)]
        self._draft = self._ask("POST", "", {"form": "benchmark", "data": {"acts": acts}})["id"]
        self._ask("PATCH", f"/{self._draft}", self._edit([{**act, "fee": 0} for act in acts]))
        self._its = acts[self.items // 2 :] + acts[: self.items // 2]
        self._number = 0

    def merge(self) -> None:
        """Turn the list round and rename an item, on the first version of it."""
        self._number += 1
        its = [{**self._its[0], "name": f"Renamed {self._number}"}, *self._its[1:]]
        started = time.perf_counter()
        self._ask("PATCH", f"/{self._draft}", self._edit(its))
        self.seconds.append(time.perf_counter() - started)

    def _edit(self, acts: list[dict[str, Any]]) -> dict[str, Any]:
        return {"based_on": 1, "data": {"acts": acts}}

    def _ask(self, method: str, path: str, body: Any) -> Any:
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        self._connection.request(method, f"/v1/drafts{path}", json.dumps(body), headers)
        answer = self._connection.getresponse()
        document = json.loads(answer.read())
        if answer.status >= 300:
            raise RuntimeError(document)
        return document


@contextmanager
def merging(heavy: Heavy, per_second: float) -> Iterator[None]:
    """Heavy merges meanwhile, so many in a second, or as many as there is time for."""
    ending = threading.Event()

    def merge() -> None:
        next_one = time.perf_counter()
        while not ending.wait(max(0.0, next_one - time.perf_counter())):
            next_one = max(next_one + 1 / per_second, time.perf_counter())
            heavy.merge()

    thread = threading.Thread(target=merge)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def measure(
    engine: str, server: Server, generator: Generator, rounds: int, seconds: float, items: int
) -> None:
    """Rounds without and with heavy merges, in turn; one line for each kind."""
    editors = open_drafts(generator, server.port, token(), CONNECTIONS)
    side = Side(server, [Editors([editor]) for editor in editors], projects=True)
    heavy = Heavy(server, items)
    side.run(generator, 0.3)
    heavy.merge()
    heavy.seconds.clear()
    alone: list[Run] = []
    beside: list[Run] = []
    for _ in range(rounds):
        alone.append(side.run(generator, seconds))
        with merging(heavy, alone[-1].per_second * SHARE):
            beside.append(side.run(generator, seconds))
    _show(f"{engine}, light saves alone", alone)
    _show(f"{engine}, beside heavy merges", beside)
    times = sorted(1000 * one for one in heavy.seconds)
    print(
        f"| {engine}, the heavy merges | {len(times) / rounds / seconds:.1f} "
        f"| {median(times):.0f} | {times[int(len(times) * 0.99)]:.0f} |"
    )


def _show(what: str, runs: Sequence[Run]) -> None:
    rate, p50, p99 = (median(getattr(run, n) for run in runs) for n in ("per_second", "p50", "p99"))
    print(f"| {what} | {rate:,.0f} | {p50:.1f} | {p99:.1f} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on both engines and print a table."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.heavy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="the length of a round")
    parser.add_argument("--items", type=int, default=1_000, help="in the list that is merged")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("| | per second | p50 ms | p99 ms |\n|---|---|---|---|")
    with ExitStack() as stack:
        start = stack.enter_context
        server = start(postgres.running_server())
        files = Path(start(tempfile.TemporaryDirectory()))
        settings = {
            "PostgreSQL": on_postgres(start(postgres.fresh_database(server))),
            "SQLite": on_sqlite(files / "variorum.db"),
        }
        generator = start(Generator())
        for engine, set_ in settings.items():
            with variorum(set_) as ours:
                measure(engine, ours, generator, options.rounds, options.seconds, options.items)


if __name__ == "__main__":
    main()

"""Saves and reads beside plain endpoints that keep whole forms, in one run; prints a table."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests import postgres
from tests.benchmarks.load import Generator, Repeat
from tests.benchmarks.serve import Server, on_postgres, on_sqlite, rival, token, variorum
from tests.benchmarks.sides import Run, Side, rounds, wait_until_level
from tests.benchmarks.traffic import (
    Editor,
    Editors,
    WholeForm,
    grow,
    open_drafts,
    open_forms,
    reads,
)

POSTGRES, SQLITE = "PostgreSQL", "SQLite"
UPSERT, WHOLE = "(b) upsert", "(c) upsert and whole versions"

HEAD = """\
| | engine | beside | per second | beside it | ratio | required | |
|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True)
class Plan:
    """How long and how deep to measure."""

    rounds: int = 5
    seconds: float = 2.0
    some: int = 1_000
    many: int = 10_000
    back: int = 500


QUICK = Plan(rounds=1, seconds=0.5, some=100, many=300, back=50)


@dataclass(frozen=True)
class Row:
    """One line of the table: two sides, measured in turn, and what their ratio must reach."""

    what: str
    engine: str
    beside: str
    required: float | None
    ours: Sequence[Run]
    theirs: Sequence[Run]

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return median(our.per_second / their.per_second for our, their in pairs)

    @property
    def verdict(self) -> str:
        if self.required is None:
            return ""
        return "met" if self.ratio >= self.required else "missed"

    def __str__(self) -> str:
        rates = f"{_rate(self.ours)} | {_rate(self.theirs)} | {self.ratio:.2f}"
        required = f"≥ {self.required}" if self.required else "–"
        return (
            f"| {self.what} | {self.engine} | {self.beside} | {rates} | {required} "
            f"| {self.verdict} |"
        )


@dataclass
class Bench:
    """The servers, the generator and the plan; prints a row as soon as it is measured."""

    plan: Plan
    generator: Generator
    ours: Mapping[str, Server]
    upsert: Server
    whole: Server
    token: str = field(default_factory=token)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def measure(self) -> None:
        """All rows."""
        for connections, required in ((16, 1.8), (64, 2.3)):
            self.saves(connections, required)
        self.current_reads(required=1.2)
        for engine in self.ours:
            old, young = (self.drafts(engine, 4, version) for version in (self.plan.many, 10))
            self.version_back(engine, old, required=0.7)
            self.long_history_read(engine, old, young, required=0.9)
            self.long_history_saved(engine, old, required=0.9)
        self.lists(required=1.5)

    def saves(self, connections: int, required: float) -> None:
        """One short field per save, beside whole forms without and with their history."""
        what = f"save, {connections} connections"
        forms = [WholeForm(f"saved-{n}", self.token) for n in range(connections)]
        runs = self.rounds(
            {engine: self.editing(engine, self.drafts(engine, connections)) for engine in self.ours}
            | {UPSERT: Side(self.upsert, forms), WHOLE: Side(self.whole, forms)}
        )
        for engine in self.ours:
            self.add(what, engine, UPSERT, runs[engine], runs[UPSERT], required)
            self.add(what, engine, WHOLE, runs[engine], runs[WHOLE])
        self.notes += [f"{what}, {name}: {_details(run)}" for name, run in runs.items()]

    def current_reads(self, required: float) -> None:
        """The form as it is now, beside the upsert's ready text."""
        forms = open_forms(self.generator, self.upsert.port, self.token, 16, 10)
        sides = {UPSERT: self.reading(self.upsert, [[f"/forms/{form}"] for form in forms])}
        for engine, server in self.ours.items():
            sides[engine] = self.reading(server, _current(self.drafts(engine, 16, 10)))
        runs = self.rounds(sides)
        for engine in self.ours:
            self.add("read, current", engine, UPSERT, runs[engine], runs[UPSERT], required)

    def version_back(self, engine: str, drafts: list[Editor], required: float) -> None:
        """Versions about so many back, beside the current one of the same drafts."""
        server, back = self.ours[engine], self.plan.back
        old, now = _versions_back(drafts * 4, back), _current(drafts * 4)
        sides = {"old": self.reading(server, old), "now": self.reading(server, now)}
        runs = self.rounds(sides)
        what = f"read, {back} versions back"
        self.add(what, engine, "current", runs["old"], runs["now"], required)

    def lists(self, required: float) -> None:
        """Fifty versions of a draft that has many, beside those of whole forms."""
        some = self.plan.some
        forms = open_forms(self.generator, self.whole.port, self.token, 4, some) * 4
        targets = [[f"/forms/{form}/versions?limit=50"] for form in forms]
        sides = {WHOLE: self.reading(self.whole, targets)}
        for engine, server in self.ours.items():
            drafts = self.drafts(engine, 4, some) * 4
            targets = [[f"/v1/drafts/{e.draft}/versions?limit=50"] for e in drafts]
            sides[engine] = self.reading(server, targets)
        runs = self.rounds(sides)
        for engine in self.ours:
            self.add(f"list 50 of {some:,}", engine, WHOLE, runs[engine], runs[WHOLE], required)

    def long_history_read(
        self, engine: str, drafts: list[Editor], young: list[Editor], required: float
    ) -> None:
        """The current form of drafts with a long history, beside those with a short one."""
        server = self.ours[engine]
        sides = {
            name: self.reading(server, _current(some * 4))
            for name, some in (("long", drafts), ("short", young))
        }
        runs = self.rounds(sides)
        what = f"read at {self.plan.many:,} versions"
        self.add(what, engine, "at 10", runs["long"], runs["short"], required)

    def long_history_saved(self, engine: str, drafts: list[Editor], required: float) -> None:
        """Saves to drafts with a long history, beside those with a short one, new each round."""
        sides = {"long": self.editing(engine, drafts)}
        runs: dict[str, list[Run]] = {"long": [], "short": []}
        for _ in range(self.plan.rounds):
            sides["short"] = self.editing(engine, self.drafts(engine, 40, 10), connections=4)
            for name, run in self.rounds(sides, 1).items():
                runs[name] += run
        what = f"save at {self.plan.many:,} versions"
        self.add(what, engine, "at 10", runs["long"], runs["short"], required)

    def drafts(self, engine: str, number: int, version: int = 1) -> list[Editor]:
        """New drafts that have been saved until they have this version."""
        port = self.ours[engine].port
        opened = open_drafts(self.generator, port, self.token, number)
        grown = grow(self.generator, port, opened, version)
        wait_until_level(self.ours[engine].url)
        return grown

    def editing(self, engine: str, editors: Sequence[Editor], connections: int = 0) -> Side:
        """Saves to Variorum, one connection for each draft or each so many drafts in turn."""
        shares = [
            editors[n :: connections or len(editors)] for n in range(connections or len(editors))
        ]
        return Side(self.ours[engine], [Editors(share) for share in shares], projects=True)

    def reading(self, server: Server, targets: Sequence[Sequence[str]]) -> Side:
        """Reads of some targets in turn, one connection for each list of them."""
        return Side(server, [Repeat(reads(some, self.token)) for some in targets])

    def rounds(self, sides: Mapping[str, Side], number: int = 0) -> dict[str, list[Run]]:
        """Measure the sides in turn, as often as the plan says."""
        return rounds(self.generator, sides, number or self.plan.rounds, self.plan.seconds)

    def add(
        self,
        what: str,
        engine: str,
        beside: str,
        ours: Sequence[Run],
        theirs: Sequence[Run],
        required: float | None = None,
    ) -> None:
        """Keep a row and show it; only PostgreSQL, which both sides use, has figures to reach."""
        row = Row(what, engine, beside, required if engine == POSTGRES else None, ours, theirs)
        self.rows.append(row)
        print(row, flush=True)


@contextmanager
def bench(plan: Plan, engines: Sequence[str]) -> Iterator[Bench]:
    """All servers up, each with a database of its own."""
    with ExitStack() as stack:
        start = stack.enter_context
        server = start(postgres.running_server())
        files = Path(start(tempfile.TemporaryDirectory()))
        settings = {
            POSTGRES: on_postgres(start(postgres.fresh_database(server))),
            SQLITE: on_sqlite(files / "variorum.db"),
        }
        yield Bench(
            plan,
            start(Generator()),
            {engine: start(variorum(settings[engine])) for engine in engines},
            start(rival("upsert", start(postgres.fresh_database(server)))),
            start(rival("whole_versions", start(postgres.fresh_database(server)))),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether every requirement was met."""
    options = _parser().parse_args(arguments)
    engines = [options.only] if options.only else [POSTGRES, SQLITE]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(HEAD)
    with bench(QUICK if options.quick else Plan(options.rounds, options.seconds), engines) as ready:
        ready.measure()
    print("", *ready.notes, sep="\n- ")
    return any(row.verdict == "missed" for row in ready.rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.saves", description=__doc__)
    parser.add_argument("--rounds", type=int, default=Plan.rounds, help="how often each side")
    parser.add_argument("--seconds", type=float, default=Plan.seconds, help="the length of a round")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it runs")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--postgres", dest="only", action="store_const", const=POSTGRES)
    only.add_argument("--sqlite", dest="only", action="store_const", const=SQLITE)
    return parser


def _current(drafts: list[Editor]) -> list[list[str]]:
    return [[f"/v1/drafts/{e.draft}"] for e in drafts]


def _versions_back(drafts: list[Editor], back: int) -> list[list[str]]:
    # A hundred neighbours of the version so many back, so that no cache of answers is measured.
    near = random.Random(0)
    span = range(back - back // 10, back + back // 10)
    return [
        [f"/v1/drafts/{e.draft}?version={e.version - near.choice(span)}" for _ in range(100)]
        for e in drafts
    ]


def _rate(runs: Sequence[Run]) -> str:
    return f"{median(run.per_second for run in runs):,.0f}"


def _details(runs: Sequence[Run]) -> str:
    p50, p99, cpu = (median(getattr(run, name) for run in runs) for name in ("p50", "p99", "cpu"))
    behind = max(run.behind for run in runs)
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, {cpu:.0f} µs CPU, at most {behind:,} events behind"


if __name__ == "__main__":
    sys.exit(main())

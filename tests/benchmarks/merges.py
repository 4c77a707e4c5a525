"""Real merges of JSON files, ours and git's, against what people committed; and how fast it is."""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any

from domain.errors import CannotApply
from domain.merge import merge
from domain.path import ABSENT, child, find, parse
from domain.value import Data, same
from domain.working import Working

ROUNDS = 50
VOCABULARY = 3_000  # words that a long text is made of


@dataclass(frozen=True)
class Case:
    """Two edits of one base, and what people made of them."""

    base: Data
    ours: Data
    theirs: Data
    human: Data


@dataclass(frozen=True)
class Result:
    """What a way of merging made of a case: the data, and the paths that it left open."""

    data: Data | None
    open: Sequence[str] = ()

    def equals(self, human: Data) -> bool:
        """Whether all that was not left open is what people committed."""
        return self.data is not None and same(_with(self.data, human, self.open), human)


Way = Callable[[Case], Result]


@dataclass(frozen=True)
class Tally:
    """What a way of merging came to over all cases."""

    files: int
    clean: int
    equal: int
    fields_open: int
    rest_equal: int

    @property
    def files_open(self) -> int:
        """Files in which something was left open."""
        return self.files - self.clean


def by_rule(case: Case) -> Result:
    """The merge of the service, without a form definition."""
    merged = merge(case.base, case.ours, case.theirs)
    return Result(merged.data, [path for clash in merged.clashes for path in clash.paths])


def by_field(case: Case) -> Result:
    """The plainest merge there is: member by member, all else whole."""
    still_open: list[str] = []
    return Result(_fields("", case.base, case.ours, case.theirs, still_open), still_open)


def _fields(path: str, base: Any, ours: Any, theirs: Any, still_open: list[str]) -> Any:
    if same(ours, theirs) or same(base, theirs):
        return ours
    if same(base, ours):
        return theirs
    if not type(base) is type(ours) is type(theirs) is dict:
        still_open.append(path)
        return ours
    members = {}
    for name in {**base, **ours, **theirs}:
        before, mine, its = (side.get(name, ABSENT) for side in (base, ours, theirs))
        members[name] = _fields(child(path, name), before, mine, its, still_open)
    return {name: value for name, value in members.items() if value is not ABSENT}


def by_line(case: Case) -> Result:
    """Git's merge of the files, one member or item a line."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("ours", "base", "theirs")]
        for file, side in zip(files, (case.ours, case.base, case.theirs), strict=True):
            file.write_text(json.dumps(side, indent=2, ensure_ascii=False) + "\n", "utf-8")
        command = ["git", "merge-file", "-p", *map(str, files)]
        done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode > 127:
        raise RuntimeError(done.stderr.decode())
    try:
        return Result(json.loads(done.stdout), ["/"] * done.returncode)
    except json.JSONDecodeError:
        return Result(None, ["/"] * max(done.returncode, 1))


def _with(data: Data, human: Data, paths: Sequence[str]) -> Data:
    """The data with people's values at these paths, as far as there is a place for them."""
    working = Working(data)
    for path in paths:
        theirs, tokens = find(human, path), parse(path)
        with suppress(CannotApply):
            if find(working.root, path) is not ABSENT:
                working.remove(tokens)
            if theirs is not ABSENT:
                working.add(tokens, theirs)
    result: Data = working.root
    return result


def tally(way: Way, cases: Sequence[Case]) -> Tally:
    """What a way of merging comes to."""
    results = [(way(case), case.human) for case in cases]
    clean = [result.equals(human) for result, human in results if not result.open]
    rest = [result.equals(human) for result, human in results if result.open]
    fields = sum(len(result.open) for result, _ in results)
    return Tally(len(cases), len(clean), sum(clean), fields, sum(rest))


def read_cases(file: Path) -> list[Case]:
    """Cases, one a line, packed or plain, each an object with base, ours, theirs and human."""
    packed = file.read_bytes()
    text = (gzip.decompress(packed) if file.suffix == ".gz" else packed).decode()
    said = map(json.loads, text.splitlines())
    return [Case(one["base"], one["ours"], one["theirs"], one["human"]) for one in said]


def compare(cases: Sequence[Case]) -> str:
    """A table of what each way of merging comes to, and what none can."""
    ways = {"Variorum": by_rule, "field by field": by_field}
    if shutil.which("git"):
        ways["git merge-file"] = by_line
    tallies = {name: tally(way, cases) for name, way in ways.items()}
    return "\n".join([*_table(tallies), "", *_limits(cases)])


def _table(tallies: Mapping[str, Tally]) -> Iterator[str]:
    yield _row("", tallies)
    all_ = tallies.values()
    yield _row(f"of {next(iter(all_)).files} files, clean", [_part(t.clean, t.files) for t in all_])
    yield _row("  of these, equal to people's", [_part(t.equal, t.clean) for t in all_])
    yield _row("fields left open", [str(t.fields_open) for t in all_])
    yield _row("  in files", [str(t.files_open) for t in all_])
    rest = [_part(t.rest_equal, t.files_open) for t in all_]
    yield _row("  in these, the rest equal", [*rest[:2], *("" for _ in rest[2:])])


def _row(name: str, cells: Iterable[str]) -> str:
    return f"{name:32}" + "".join(f"{cell:>18}" for cell in cells)


def _part(count: int, total: int) -> str:
    return f"{count} ({100 * count / total:.1f} %)" if total else "0"


def _limits(cases: Sequence[Case]) -> Iterator[str]:
    """How the files fare in which people kept what only one side had changed."""
    kept = [case for case in cases if by_field(case).equals(case.human)]
    held = tally(by_rule, kept)
    clean, rest = _part(held.equal, held.clean), _part(held.rest_equal, held.files_open)
    others = len(cases) - len(kept)
    yield f"In {others} files people took back or wrote anew what one side alone had changed:"
    yield "no merge that keeps all of that can equal them. Of the other files,"
    yield f"{held.clean} are clean, and of these {clean} equal;"
    yield f"{held.files_open} are not, and in {rest} the rest is equal."


@dataclass(frozen=True)
class Speed:
    """A merge, how long it takes at the median, and how long it may."""

    name: str
    milliseconds: float
    allowed: float

    def __str__(self) -> str:
        return f"{self.name:62}{self.milliseconds:8.2f} ms ({self.allowed:.0f} ms allowed)"


def speeds(rounds: int = ROUNDS) -> Iterator[Speed]:
    """How fast the merges are that a service meets; made up, always the same."""
    chance = random.Random(1)
    form = {f"field {n}": _sentence(chance, 14) for n in range(60)}
    edits = [_with_new_fields(chance, form) for _ in range(2)]
    yield _timed("a form of 60 fields and 6 KB, 5 changed by each", 1, rounds, [form, *edits])
    acts = [{"id": f"a{n}", "name": _sentence(chance, 3), "fee": n} for n in range(500)]
    lists = [_with_new_fees(chance, acts) for _ in range(2)]
    name = "a list of 500 items, 20 changed and one moved by each"
    yield _timed(name, 30, rounds, [{"acts": items} for items in (acts, *lists)])
    text = _text(chance)
    texts = [_with_new_words(chance, text) for _ in range(2)]
    name = "a text of 50 KB, 30 stretches changed by each"
    yield _timed(name, 50, rounds, [{"text": one} for one in (text, *texts)])
    anew = [_text(chance) for _ in range(2)]
    name = "a text of 50 KB, written anew by each"
    yield _timed(name, 50, rounds, [{"text": one} for one in (text, *anew)])


def _timed(name: str, allowed: float, rounds: int, sides: Sequence[Data]) -> Speed:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        merge(sides[0], sides[1], sides[2])
        taken.append(time.perf_counter() - began)
    return Speed(name, 1000 * median(taken), allowed)


@lru_cache
def _words() -> list[str]:
    chance = random.Random(0)
    letters = "".join("etaoinshrdlu"[:n] for n in range(1, 13))
    return ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(VOCABULARY)]


def _sentence(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_words(), k=words)) + "."


def _text(chance: random.Random) -> str:
    """50 KB in paragraphs of a few sentences."""
    parts = [_sentence(chance, 15) + chance.choice((" ", " ", "\n\n")) for _ in range(800)]
    return "".join(parts)[:50_000]


def _with_new_fields(chance: random.Random, form: Data) -> Data:
    return {**form, **{name: _sentence(chance, 14) for name in chance.sample(sorted(form), 5)}}


def _with_new_fees(chance: random.Random, acts: list[Data]) -> list[Data]:
    """A copy of its own, as it comes out of a request."""
    result = [dict(act) for act in acts]
    for place in chance.sample(range(len(acts)), 20):
        result[place]["fee"] = chance.random()
    result.insert(chance.randrange(len(acts)), result.pop(chance.randrange(len(acts))))
    return result


def _with_new_words(chance: random.Random, text: str) -> str:
    for _ in range(30):
        place = chance.randrange(len(text))
        text = text[:place] + _sentence(chance, 3) + text[place + chance.randint(0, 20) :]
    return text


def main() -> int:
    """The command line."""
    options = _parser().parse_args()
    if options.cases:
        print(compare(read_cases(options.cases)), end="\n\n")
    for speed in speeds():
        print(speed)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.merges", description=__doc__)
    parser.add_argument(
        "--cases",
        type=Path,
        metavar="FILE",
        help="merges, one JSON object a line with base, ours, theirs and human, .jsonl or "
        ".jsonl.gz; without it only the speed is measured",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

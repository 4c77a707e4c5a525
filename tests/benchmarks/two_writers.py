"""A text written by two devices in turn, each offline for a while now and then: is all of it there?

The minutes of an editing trace are dealt out to a laptop and a tablet. Each types its minutes into
its own copy, which lacks what the other has typed since they last met; offline it queues an edit a
minute, and sends the queue when it is back; a conflict it settles by keeping both stretches. In the
end every character that the trace kept must be
in the draft, or in a conflict that somebody can look at.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, groupby
from pathlib import Path
from typing import Any

import httpx

from domain.sequence import hunks
from tests import postgres
from tests.api.receiving import received
from tests.benchmarks.serve import on_postgres, on_sqlite, token, variorum
from tests.benchmarks.traces import Patch, Trace, make_trace, read_trace

MINUTE = 60  # seconds
LONGEST_AWAY = 12  # minutes
FAR = 2_000  # characters before the cursor among which a copy finds its place
PIECE = 4  # characters that must stand together to be found


class Wrong(Exception):
    """The service lost something, or a device does not hold what the draft holds."""


@dataclass
class Copy:
    """A text as a list of characters that are told apart, wherever they stand."""

    letters: list[str] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)  # 0: a character of unknown origin
    _near: int = 0

    @property
    def text(self) -> str:
        return "".join(self.letters)

    def place_of(self, mark: int) -> int | None:
        """Where the character with this mark is; most are where the last one was."""
        around = self.marks[max(self._near - 3, 0) : self._near + 4]
        if mark in around:
            self._near = max(self._near - 3, 0) + around.index(mark)
            return self._near
        try:
            self._near = self.marks.index(mark)
        except ValueError:
            return None
        return self._near

    def put(self, at: int, letters: str, marks: Sequence[int]) -> None:
        """Type characters in front of a place."""
        self.letters[at:at] = letters
        self.marks[at:at] = marks

    def drop(self, at: int) -> None:
        """Take one character out."""
        del self.letters[at], self.marks[at]

    def take(self, text: str, known: Copy) -> None:
        """Become this text; what it has in common with a known copy has the marks of that one."""
        letters = list(text)
        marks = [0] * len(letters)
        here = there = 0
        for hunk in [*hunks(known.letters, letters), None]:
            end = len(known.letters) if hunk is None else hunk.a_start
            marks[there : there + end - here] = known.marks[here:end]
            if hunk is not None:
                here, there = hunk.a_end, hunk.b_end
        self.letters, self.marks = letters, marks


@dataclass
class Device:
    """One of the two: its copy, the version of its base, and the edits that wait to be sent."""

    name: str
    http: httpx.Client
    draft: str
    copy: Copy = field(default_factory=Copy)
    version: int = 1
    seq: int = 0
    queue: list[dict[str, Any]] = field(default_factory=list)
    away: int = 0  # minutes still to be offline
    merges: int = 0
    settled: int = 0
    sent: list[str] = field(default_factory=list)

    def type(self, patch: Patch, whole: Copy, marks: Iterator[int]) -> None:
        """Do in its own copy what the trace did in the whole text, next to the same characters."""
        position, taken, put = patch
        for mark in whole.marks[position : position + taken]:
            if (at := self.copy.place_of(mark)) is not None:
                self.copy.drop(at)
        new = [next(marks) for _ in put]
        before = whole.marks[max(position - FAR, 0) : position]
        self.copy.put(self._place(before[::-1]), put, new)
        whole.letters[position : position + taken] = put
        whole.marks[position : position + taken] = new

    def _place(self, before: Sequence[int]) -> int:
        """Behind the nearest character before the cursor that this copy has too."""
        for mark in before:
            if mark and (at := self.copy.place_of(mark)) is not None:
                return at + 1
        return 0

    def keep(self) -> None:
        """Journal the minute's edit."""
        self.seq += 1
        self.sent.append(self.copy.text)
        change = {"op": "replace", "path": "/text", "value": self.copy.text}
        self.queue.append(
            {
                "based_on": self.version,
                "device": self.name,
                "seq": self.seq,
                "changes": [change],
            }
        )

    def sync(self, whole: Copy) -> None:
        """Send what waits, and go on from what the draft holds."""
        if self.queue:
            answer = self.http.post(f"/v1/drafts/{self.draft}/edits", json={"edits": self.queue})
            results = answer.raise_for_status().json()["results"]
            if any("version" not in one for one in results):
                raise Wrong(f"an edit of the queue was refused: {results}"[:2000])
            sent = {"text": self.queue[-1]["changes"][0]["value"]}
            self._must_lead_to_the_draft(results[-1], sent)
            self.merges += sum(one["merged"] for one in results)
            self.queue.clear()
        state = self._get()
        if state["conflicts"]:
            self._settle(state["conflicts"])
            state = self._get()
        self.version = state["version"]
        if state["data"]["text"] != self.copy.text:
            self.copy.take(state["data"]["text"], whole)

    def _settle(self, conflicts: Sequence[dict[str, Any]]) -> None:
        """Decide as somebody would who wants to lose nothing: one stretch behind the other."""
        for conflict in conflicts:
            text = conflict["ours"]["values"]["/text"]
            for side in conflict["theirs"]:
                text = both(text, side["values"]["/text"])
            path = f"/v1/drafts/{self.draft}/conflicts/{conflict['id']}/resolve"
            decision = {"take": "value", "value": text}
            self.http.post(path, json=decision).raise_for_status()
            self.settled += 1

    def _get(self, **which: int) -> dict[str, Any]:
        answer = self.http.get(f"/v1/drafts/{self.draft}", params=which)
        state: dict[str, Any] = answer.raise_for_status().json()
        return state

    def _must_lead_to_the_draft(self, receipt: dict[str, Any], sent: dict[str, Any]) -> None:
        state = self._get(version=receipt["version"])
        if received(receipt["changes"], sent) != state["data"]:
            raise Wrong(f"the receipt of version {receipt['version']} leads somewhere else")


def both(ours: str, theirs: str) -> str:
    """What both texts have, and where they differ what each has."""
    mine, its = (re.findall(r"\w+|\s+|.", text) for text in (ours, theirs))
    result: list[str] = []
    at = 0
    for hunk in hunks(mine, its):
        result += mine[at : hunk.a_end] + its[hunk.b_start : hunk.b_end]
        at = hunk.a_end
    return "".join(result + mine[at:])


@dataclass(frozen=True)
class Writing:
    """What two writers came to."""

    minutes: int
    edits: int
    merged: int
    conflicts: int
    kept: int  # characters that the trace kept
    in_text: int
    in_conflicts: int
    elsewhere: int  # typed by a device that had not got the words around: it typed them elsewhere
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.minutes} minutes, {self.edits:,} edits, {self.merged:,} of them merged, "
            f"{self.conflicts} conflicts settled, {self.seconds:.1f} s; of {self.kept:,} letters "
            f"{self.in_text:,} are in the text, {self.in_conflicts:,} in conflicts, "
            f"{self.elsewhere} were typed elsewhere, "
            f"{self.kept - self.in_text - self.in_conflicts - self.elsewhere} lost"
        )


def write(base_url: str, trace: Trace, seed: int = 0) -> Writing:
    """Let two devices write a trace; raises Wrong if anything is lost."""
    chance, started = random.Random(seed), time.perf_counter()
    headers = {"Authorization": f"Bearer {token()}"}
    with httpx.Client(base_url=base_url, headers=headers, timeout=120) as http:
        body = {"form": "trace", "data": {"text": trace.start}, "another": True}
        draft = http.post("/v1/drafts", json=body).raise_for_status().json()["id"]
        marks = count(1)
        whole = Copy(list(trace.start), [next(marks) for _ in trace.start])
        devices = [Device(name, http, draft) for name in ("laptop", "tablet")]
        for device in devices:
            device.copy.take(trace.start, whole)
        minutes = list(_minutes(trace))
        for number, patches in enumerate(minutes):
            _spend(devices[number % 2], patches, whole, marks, chance)
        for device in [*devices, *devices]:
            device.sync(whole)
        return _count(http, draft, trace, devices, len(minutes), time.perf_counter() - started)


def _spend(
    device: Device,
    patches: Sequence[Patch],
    whole: Copy,
    marks: Iterator[int],
    chance: random.Random,
) -> None:
    """One minute of a device; at its end it syncs, unless it is away."""
    if not device.away:
        device.sync(whole)
        device.away = chance.choice((0, 0, chance.randint(1, LONGEST_AWAY)))
    for patch in patches:
        device.type(patch, whole, marks)
    device.keep()
    device.away = max(device.away - 1, 0)
    if not device.away:
        device.sync(whole)


def _minutes(trace: Trace) -> Iterator[list[Patch]]:
    first = trace.strokes[0].at
    for _, strokes in groupby(trace.strokes, lambda s: (s.at - first).total_seconds() // MINUTE):
        yield [patch for stroke in strokes for patch in stroke.patches]


def _count(
    http: httpx.Client,
    draft: str,
    trace: Trace,
    devices: Sequence[Device],
    minutes: int,
    seconds: float,
) -> Writing:
    """Look for every character that the trace kept."""
    state = http.get(f"/v1/drafts/{draft}").raise_for_status().json()
    text = state["data"]["text"]
    if any(device.copy.text != text for device in devices):
        raise Wrong("the devices do not hold what the draft holds")
    missing = hunks(list(trace.end), list(text))
    gone = {at for hunk in missing for at in range(hunk.a_start, hunk.a_end)}
    sent = _standing(trace.end, (text for device in devices for text in device.sent))
    kept = _standing(trace.end, _values_in_conflicts(http, draft, state["version"]))
    written = Writing(
        minutes,
        sum(device.seq for device in devices),
        sum(device.merges for device in devices),
        sum(device.settled for device in devices),
        len(trace.end),
        len(trace.end) - len(gone),
        len(gone & kept),
        len(gone - kept - sent),
        seconds,
    )
    if gone & sent - kept:
        raise Wrong(str(written))
    return written


def _values_in_conflicts(http: httpx.Client, draft: str, last: int) -> Iterator[str]:
    """The texts of each side of each conflict that ever was, as the versions show them."""
    seen: set[str] = set()
    for version in range(1, last + 1):
        at = {"version": version}
        state = http.get(f"/v1/drafts/{draft}", params=at).raise_for_status().json()
        for conflict in state["conflicts"]:
            for side in (conflict["ours"], *conflict["theirs"]):
                if (text := side["values"].get("/text", "")) not in seen:
                    seen.add(text)
                    yield text


def _standing(text: str, others: Iterable[str]) -> set[int]:
    """The places of a text whose character stands in one of the others, among its neighbours."""
    known = {other[at : at + PIECE] for other in others for at in range(len(other))}
    starts = [at for at in range(len(text)) if text[at : at + PIECE] in known]
    return {at + offset for at in starts for offset in range(PIECE)}


@contextmanager
def _engines(options: argparse.Namespace) -> Iterator[list[tuple[str, dict[str, str]]]]:
    if options.database_url:
        owner = options.owner_url or options.database_url
        yield [
            ("given", {"DATABASE_URL": options.database_url, "VARIORUM_OWNER_URL": owner}),
        ]
        return
    with ExitStack() as stack:
        chosen = []
        if not options.sqlite:
            server = stack.enter_context(postgres.running_server())
            database = stack.enter_context(postgres.fresh_database(server))
            chosen.append(("PostgreSQL", on_postgres(database)))
        if not options.postgres:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            chosen.append(("SQLite", on_sqlite(Path(folder) / "variorum.db")))
        yield chosen


def main(arguments: Sequence[str] | None = None) -> None:
    """Write on the engines asked for, and print a line for each."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.two_writers", description=__doc__)
    add = parser.add_argument
    add("--trace", type=Path, help="an editing trace, .json or .json.gz; otherwise one is made up")
    add("--made", type=int, default=1_800, metavar="N", help="seconds of the trace made up (1,800)")
    add("--seed", type=int, default=1, help="which trace is made up, and who is away when (1)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--postgres", action="store_true", help="only a PostgreSQL of its own")
    where.add_argument("--sqlite", action="store_true", help="only a SQLite file of its own")
    where.add_argument("--database-url", help="an empty database that is there already")
    add("--owner-url", help="the same database by its tables' owner; else the same address")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    trace = read_trace(options.trace) if options.trace else make_trace(options.seed, options.made)
    with _engines(options) as engines:
        for name, settings in engines:
            with variorum(settings) as service:
                print(f"{name}: {write(service.url, trace, options.seed)}", flush=True)


if __name__ == "__main__":
    main()

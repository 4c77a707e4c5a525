"""A text written by two devices in turn, each offline for a while now and then: is all of it there?

The minutes of an editing trace are dealt out to a laptop and a tablet. Each types its minutes into
its own copy, which lacks what the other has typed since they last met; offline it queues its
autosaves, and sends the queue when it is back; a conflict it settles by keeping both stretches.
After each queue every stretch that either has typed since they last met must be in the draft, or in
an open conflict; in the end so must every character that the trace kept, or in a conflict of the
history.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, groupby
from pathlib import Path
from typing import Any

import httpx

from domain.sequence import hunks
from tests import postgres
from tests.api.receiving import received
from tests.benchmarks.marked import Copy
from tests.benchmarks.serve import on_postgres, on_sqlite, token, variorum
from tests.benchmarks.traces import Patch, Trace, make_trace, read_trace

MINUTE = 60  # seconds
EVERY = 10  # seconds between two autosaves
LARGEST_BODY = 900_000  # bytes
LONGEST_AWAY = 12  # minutes
OTHERWISE = "typed into other words"
FAR = 2_000  # characters before the cursor among which a copy finds its place


class Wrong(Exception):
    """The service lost something, or a device does not hold what the draft holds."""


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
    looked_for: Counter[str] = field(default_factory=Counter)  # stretches, by how they were found
    sent: list[str] = field(default_factory=list)
    new: set[int] = field(default_factory=set)  # marks typed since it was online
    known: set[int] = field(default_factory=set)  # marks that it had seen then
    base: str = ""  # the text that it had then

    def type(self, patch: Patch, whole: Copy, marks: Iterator[int]) -> None:
        """Do in its own copy what the trace did in the whole text, next to the same characters."""
        position, taken, put = patch
        for mark in whole.marks[position : position + taken]:
            if (at := self.copy.place_of(mark)) is not None:
                self.copy.drop(at)
        new = [next(marks) for _ in put]
        before = whole.marks[max(position - FAR, 0) : position]
        self.copy.put(self._place(before[::-1]), put, new)
        self.new.update(new)
        whole.letters[position : position + taken] = put
        whole.marks[position : position + taken] = new

    def _place(self, before: Sequence[int]) -> int:
        """Behind the nearest character before the cursor that this copy has too."""
        for mark in before:
            if mark and (at := self.copy.place_of(mark)) is not None:
                return at + 1
        return 0

    def keep(self) -> None:
        """Journal an autosave."""
        if self.sent and self.sent[-1] == self.copy.text:
            return
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

    def sync(self, whole: Copy, held: Copy) -> None:
        """Send what waits, and go on from what the draft holds; before, that was `held`."""
        if self.queue:
            self._send(held)
        state = self._get()
        if state["conflicts"]:
            self._settle(state["conflicts"])
            state = self._get()
        self.version = state["version"]
        if state["data"]["text"] != self.copy.text:
            self.copy.take(state["data"]["text"], whole)
        self.new, self.known, self.base = set(), set(self.copy.marks), self.copy.text
        held.letters, held.marks = [*self.copy.letters], [*self.copy.marks]

    def _send(self, held: Copy) -> None:
        mine = self.copy.stretches(self.new)
        others = held.stretches(set(held.marks) - self.known - {0})
        known = [self.base, *(edit["changes"][0]["value"] for edit in self.queue)]
        results = [one for part in _parts(self.queue) for one in self._post(part)]
        self.merges += sum(one["merged"] for one in results)
        sent = {"text": self.queue[-1]["changes"][0]["value"]}
        self.queue.clear()
        state = self._get(version=results[-1]["version"])
        if received(results[-1]["changes"], sent) != state["data"]:
            raise Wrong(f"the receipt of version {state['version']} leads somewhere else")
        texts = [state["data"]["text"], *_texts_of(state["conflicts"])]
        self._look_for(mine, texts)
        # What it held itself at some time, it may have taken out on purpose.
        self._look_for([one for one in others if not _is_in(one, known)], texts, known)

    def _post(self, edits: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        answer = self.http.post(f"/v1/drafts/{self.draft}/edits", json={"edits": edits})
        results: list[dict[str, Any]] = answer.raise_for_status().json()["results"]
        if any("version" not in one for one in results):
            raise Wrong(f"an edit of the queue was refused: {results}"[:2000])
        return results

    def _look_for(
        self, typed: Sequence[str], texts: Sequence[str], known: Sequence[str] = ()
    ) -> None:
        """What either typed since they last met stands in the text, or in an open conflict."""
        for stretch in typed:
            whole = _is_in(stretch, texts)
            self.looked_for["whole" if whole else "in pieces"] += 1
            places = [*texts, *known]
            lost = [] if whole else [word for word in _words(stretch) if not _is_in(word, places)]
            if lost:
                raise Wrong(f"{lost} of {stretch!r}, typed by {self.name} or unseen, is lost")

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


def _parts(queue: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The queue in requests that the service takes."""
    part: list[dict[str, Any]] = []
    size = 0
    for edit in queue:
        more = len(json.dumps(edit))
        if part and size + more > LARGEST_BODY:
            yield part
            part, size = [], 0
        part.append(edit)
        size += more
    yield part


def both(ours: str, theirs: str) -> str:
    """What both texts have, and where they differ what each has."""
    mine, its = _words(ours), _words(theirs)
    result: list[str] = []
    at = 0
    for hunk in hunks(mine, its):
        result += mine[at : hunk.a_end] + its[hunk.b_start : hunk.b_end]
        at = hunk.a_end
    return "".join(result + mine[at:])


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|.", text)


@dataclass(frozen=True)
class Writing:
    """What two writers came to."""

    minutes: int
    edits: int
    merged: int
    conflicts: int
    stretches: Mapping[str, int]  # looked for after each queue, by how they were found
    letters: Mapping[str, int]  # of the trace's end, by where they are now
    seconds: float

    def __str__(self) -> str:
        stretches, letters = (
            ", ".join(f"{number:,} {where}" for where, number in found.items())
            for found in (self.stretches, self.letters)
        )
        return (
            f"{self.minutes} minutes, {self.edits:,} edits, {self.merged:,} of them merged, "
            f"{self.conflicts} conflicts settled, {self.seconds:.1f} s, "
            f"{self.edits / self.seconds:,.0f} edits per second; of what was typed, stretches that "
            f"stood in the draft after each queue: {stretches}, 0 lost; letters in the end: "
            f"{letters}, 0 lost"
        )


def write(base_url: str, trace: Trace, seed: int = 0, every: int = EVERY) -> Writing:
    """Let two devices write a trace; raises Wrong if anything is lost."""
    chance, started = random.Random(seed), time.perf_counter()
    headers = {"Authorization": f"Bearer {token()}"}
    with httpx.Client(base_url=base_url, headers=headers, timeout=120) as http:
        body = {"form": "trace", "data": {"text": trace.start}, "another": True}
        draft = http.post("/v1/drafts", json=body).raise_for_status().json()["id"]
        marks = count(1)
        whole = Copy(list(trace.start), [next(marks) for _ in trace.start])
        held = Copy([*whole.letters], [*whole.marks])
        devices = [Device(name, http, draft) for name in ("laptop", "tablet")]
        for device in devices:
            device.sync(whole, held)
        minutes = list(_minutes(trace, every))
        for number, saves in enumerate(minutes):
            device = devices[number % 2]
            if not device.away:
                device.sync(whole, held)
                device.away = chance.choice((0, 0, chance.randint(1, LONGEST_AWAY)))
            for patches in saves:
                for patch in patches:
                    device.type(patch, whole, marks)
                device.keep()
            device.away = max(device.away - 1, 0)
            if not device.away:
                device.sync(whole, held)
        for device in [*devices, *devices]:
            device.sync(whole, held)
        seconds = time.perf_counter() - started
        _must_hold_the_draft(devices, held.text)
        conflicts = list(_values_in_conflicts(http, draft, devices[0].version))
        sent = [text for device in devices for text in device.sent]
        return Writing(
            minutes=len(minutes),
            edits=sum(device.seq for device in devices),
            merged=sum(device.merges for device in devices),
            conflicts=sum(device.settled for device in devices),
            stretches=devices[0].looked_for + devices[1].looked_for,
            letters=_letters(whole, held.text, conflicts, sent),
            seconds=seconds,
        )


def _minutes(trace: Trace, every: int) -> Iterator[list[list[Patch]]]:
    """Each minute in which something was typed: the strokes between two autosaves, and so on."""
    first = trace.strokes[0].at
    saves = groupby(trace.strokes, lambda s: int((s.at - first).total_seconds()) // every)
    for _, some in groupby(saves, lambda save: save[0] * every // MINUTE):
        yield [[patch for stroke in strokes for patch in stroke.patches] for _, strokes in some]


def _must_hold_the_draft(devices: Sequence[Device], text: str) -> None:
    if any(device.copy.text != text for device in devices):
        raise Wrong("the devices do not hold what the draft holds")


def _letters(whole: Copy, text: str, conflicts: Sequence[str], sent: Sequence[str]) -> Counter[str]:
    """Where every letter is that the trace kept: all that was ever sent must be somewhere.

    A device that had not got the words around typed into other ones than the trace did: such a
    word was never sent as the trace has it.
    """
    moved = Copy()
    moved.take(text, whole)
    gone = set(whole.marks).difference(moved.marks)
    found = Counter({"stand in the text": len(whole.marks) - len(gone)})
    places = {"stand elsewhere in it": [text], "in conflicts": conflicts}
    for stretch in whole.stretches(gone):
        pieces = [stretch] if _where(stretch, places) else _words(stretch)
        for piece in pieces:
            found[_where(piece, places) or _where(piece, {"lost": sent}) or OTHERWISE] += len(piece)
    if found["lost"]:
        raise Wrong(str(found))
    return found


def _where(piece: str, places: Mapping[str, Sequence[str]]) -> str | None:
    return next((where for where, texts in places.items() if _is_in(piece, texts)), None)


def _is_in(piece: str, texts: Sequence[str]) -> bool:
    """Whether it stands in one of the texts, whatever blanks are around it."""
    return any(piece.strip() in text for text in texts)


def _values_in_conflicts(http: httpx.Client, draft: str, last: int) -> Iterator[str]:
    """The texts of each side of each conflict that ever was, as the versions show them."""
    seen: set[str] = set()
    for version in range(1, last + 1):
        at = {"version": version}
        state = http.get(f"/v1/drafts/{draft}", params=at).raise_for_status().json()
        for text in _texts_of(state["conflicts"]):
            if text not in seen:
                seen.add(text)
                yield text


def _texts_of(conflicts: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The text of each side of each conflict."""
    for conflict in conflicts:
        for side in (conflict["ours"], *conflict["theirs"]):
            yield side["values"].get("/text", "")


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
    add("--every", type=int, default=EVERY, help=f"seconds between two autosaves ({EVERY})")
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
                writing = write(service.url, trace, options.seed, options.every)
                print(f"{name}: {writing}", flush=True)


if __name__ == "__main__":
    main()

"""Plays an editing trace through HTTP as autosaves, then checks every promise about its history."""

from __future__ import annotations

import argparse
import hashlib
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import psycopg

from tests import postgres
from tests.benchmarks import load
from tests.benchmarks.serve import on_postgres, on_sqlite, token, variorum
from tests.benchmarks.sides import wait_until_level
from tests.benchmarks.traces import Trace, make_trace, read_trace

ALLOWED = 870  # bytes stored per save: a fortieth of whole copies of the trace seph-blog1
CHECKED = 200  # versions

Stored = Callable[[], int]


class Wrong(Exception):
    """The service did not do what it says; the message tells what."""


@dataclass(frozen=True)
class Replay:
    """What a replay came to, everything checked."""

    saves: int
    seconds: float
    level_after: float  # seconds
    stored: int  # bytes
    versions: int  # that were read again

    def __str__(self) -> str:
        per_save = self.stored / self.saves
        return (
            f"{self.saves:,} saves in {self.seconds:.1f} s, {self.saves / self.seconds:,.0f} per "
            f"second; every projection level {self.level_after:.2f} s later; {per_save:,.0f} bytes "
            f"stored per save ({ALLOWED} are allowed with seph-blog1); the text, {self.versions} "
            f"versions, restore and undo are as they should be"
        )


@dataclass
class Autosaves:
    """One device that saves its whole text whenever it changed, and notes what was acknowledged."""

    draft: str
    token: str
    texts: Iterator[str]
    version: int = 1
    seq: int = 0
    acknowledged: dict[int, bytes] = field(default_factory=dict)

    def next(self) -> bytes | None:
        text = next(self.texts, None)
        if text is None:
            return None
        self.seq += 1
        self._sent = digest(text)
        change = {"op": "replace", "path": "/text", "value": text}
        edit = {"based_on": self.version, "device": "trace", "seq": self.seq, "changes": [change]}
        return load.request("PATCH", f"/v1/drafts/{self.draft}", self.token, orjson.dumps(edit))

    def answered(self, status: int, body: bytes) -> None:
        receipt = orjson.loads(body)
        _must(status == 200, f"save {self.seq} was answered {status}: {receipt}")
        _must(receipt["version"] == self.version + 1, f"after {self.version} came {receipt}")
        _must(receipt["changes"] == [], f"nobody else wrote, but the receipt says {receipt}")
        self.version += 1
        self.acknowledged[self.version] = self._sent


@dataclass
class Caller:
    """Calls about one draft, each of which must succeed."""

    http: httpx.Client
    draft: str

    def text(self, version: int | None = None) -> str:
        """The text now, or as it was."""
        return str(self.data(version)["text"])

    def data(self, version: int | None = None) -> dict[str, Any]:
        """The data now, or as they were."""
        data: dict[str, Any] = self.state(version)["data"]
        return data

    def state(self, version: int | None = None) -> dict[str, Any]:
        """The draft now, or as it was."""
        return self._call("GET", "", params={} if version is None else {"version": version})

    def save(self, path: str, value: object) -> int:
        """Set one value; the version that this made."""
        edit = {"changes": [{"op": "replace", "path": path, "value": value}]}
        return int(self._call("PATCH", "", json=edit)["version"])

    def restore(self, version: int, *, dry_run: bool = False) -> dict[str, Any]:
        """Bring a version back; the receipt."""
        return self._call("POST", "/restore", json={"version": version, "dry_run": dry_run})

    def undo(self, version: int, *, dry_run: bool = False) -> dict[str, Any]:
        """Take one version's changes back; the receipt with its outcomes."""
        return self._call("POST", "/undo", json={"version": version, "dry_run": dry_run})

    def _call(self, method: str, below: str, **more: Any) -> dict[str, Any]:
        answer = self.http.request(method, f"/v1/drafts/{self.draft}{below}", **more)
        _must(
            answer.is_success, f"{method} {below} was answered {answer.status_code}: {answer.text}"
        )
        said: dict[str, Any] = answer.json()
        return said


def replay(base_url: str, user: str, trace: Trace, stored: Stored, *, seed: int = 0) -> Replay:
    """Play a trace to a running service as `user`, whose token it is, and check what became of it.

    Raises:
        Wrong: The service did not do what it says.
    """
    with httpx.Client(base_url=base_url, headers=_bearer(user), timeout=60) as http:
        caller = Caller(http, open_draft(http, trace.start))
        saves = Autosaves(caller.draft, user, trace.autosaves())
        seconds = load.run(_port(base_url), [saves]).seconds
        played = time.perf_counter()
        wait_until_level(base_url)
        level_after = time.perf_counter() - played
        kept = stored()
        _must(caller.text() == trace.end, "the text is not the trace's endContent")
        checked = check_versions(caller, saves.acknowledged, CHECKED, seed)
        check_restore(caller, random.Random(seed).choice(list(saves.acknowledged)[:-1]))
        check_undo(caller)
        return Replay(len(saves.acknowledged), seconds, level_after, kept, checked)


def open_draft(http: httpx.Client, text: str) -> str:
    """Open the draft that a trace is played to; its id."""
    body = {"form": "trace", "data": {"text": text, "note": ""}, "another": True}
    answer = http.post("/v1/drafts", json=body)
    _must(answer.status_code == 201, f"opening was answered {answer.status_code}: {answer.text}")
    return str(answer.json()["id"])


def check_versions(
    caller: Caller, acknowledged: Mapping[int, bytes], number: int, seed: int = 0
) -> int:
    """Read so many random versions again: each must be exactly what was sent then."""
    versions = sorted(acknowledged)
    chosen = random.Random(seed).sample(versions, min(number, len(versions)))
    for version in chosen:
        same = digest(caller.text(version)) == acknowledged[version]
        _must(same, f"version {version} is not what was saved")
    return len(chosen)


def check_restore(caller: Caller, version: int) -> None:
    """A dry run changes nothing, a restore gives exactly that version, its undo gives it back."""
    before = caller.state()
    caller.restore(version, dry_run=True)
    _must(caller.state() == before, "a dry run of a restore changed the draft")
    restored = caller.restore(version)
    _must(caller.data() == caller.data(version), f"restore did not give version {version}")
    _must(restored["version"] == before["version"] + 1, f"a restore is one version: {restored}")
    _undone(caller, restored["version"], before["data"])


def check_undo(caller: Caller) -> None:
    """Undo takes back one version, keeps the later ones, and can itself be undone."""
    start = caller.data()
    typed = caller.save("/text", f"{start['text']} — and then some.")
    _undone(caller, typed, start)
    noted = caller.save("/note", "call the agency")
    later = caller.save("/text", f"The beginning. {start['text']}")
    with_note, without = caller.data(), caller.data() | {"note": ""}
    before = caller.state()
    caller.undo(noted, dry_run=True)
    _must(caller.state() == before, "a dry run of an undo changed the draft")
    undone = _undone(caller, noted, without)
    _undone(caller, undone, with_note)
    _undone(caller, later, start | {"note": with_note["note"]})


def _undone(caller: Caller, version: int, expected: Mapping[str, Any]) -> int:
    receipt = caller.undo(version)
    outcomes = [one["outcome"] for one in receipt["outcomes"]]
    _must(set(outcomes) == {"undone"}, f"undo of {version} came out as {receipt['outcomes']}")
    _must(caller.data() == expected, f"undo of version {version} gave something else")
    return int(receipt["version"])


def digest(text: str) -> bytes:
    """What is remembered of a text."""
    return hashlib.sha256(text.encode()).digest()


def stored_on_postgres(owner_url: str) -> int:
    """The bytes of all tables and indexes of a database, as they lie there."""
    with psycopg.connect(owner_url) as connection:
        row = connection.execute(
            "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'm') AND n.nspname <> 'information_schema'"
            " AND n.nspname NOT LIKE 'pg\\_%'"
        ).fetchone()
    return int(row[0]) if row else 0


def stored_on_sqlite(file: Path) -> int:
    """The bytes of the file and what has not found its way into it yet."""
    with closing(sqlite3.connect(file, timeout=30)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    log = file.with_name(f"{file.name}-wal")
    return file.stat().st_size + (log.stat().st_size if log.exists() else 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay on the engines asked for and print a line for each."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    trace = read_trace(options.trace) if options.trace else make_trace(options.seed, options.made)
    for engine in _engines(options):
        with engine as (name, settings, stored), variorum(settings) as service:
            print(f"{name}: {replay(service.url, token(), trace, stored)}", flush=True)
    return 0


Engine = tuple[str, Mapping[str, str], Stored]


def _engines(options: argparse.Namespace) -> Iterator[AbstractContextManager[Engine]]:
    if options.database_url:
        yield nullcontext(_there(options.database_url, options.owner_url))
        return
    if not options.sqlite:
        yield _postgres()
    if not options.postgres:
        yield _sqlite()


def _there(url: str, owner_url: str | None) -> Engine:
    settings = {"DATABASE_URL": url}
    if url.startswith("sqlite:///"):
        file = Path(url.removeprefix("sqlite:///"))
        return "SQLite", settings, lambda: stored_on_sqlite(file)
    owner_url = owner_url or url
    settings["VARIORUM_OWNER_URL"] = owner_url
    return "PostgreSQL", settings, lambda: stored_on_postgres(owner_url)


@contextmanager
def _postgres() -> Iterator[Engine]:
    with postgres.running_server() as server, postgres.fresh_database(server) as database:
        owner_url = database.owner_url
        yield "PostgreSQL", on_postgres(database), lambda: stored_on_postgres(owner_url)


@contextmanager
def _sqlite() -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "variorum.db"
        yield "SQLite", on_sqlite(file), lambda: stored_on_sqlite(file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.benchmarks.replay_trace",
        description=__doc__,
        epilog="Both engines are tried, one after the other, unless one is named.",
    )
    add = parser.add_argument
    add("--trace", type=Path, help="an editing trace, .json or .json.gz; otherwise one is made up")
    add("--made", type=int, default=500, metavar="N", help="autosaves of the trace made up (500)")
    add("--seed", type=int, default=1, help="which trace is made up (1)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--postgres", action="store_true", help="only a PostgreSQL of its own")
    where.add_argument("--sqlite", action="store_true", help="only a SQLite file of its own")
    where.add_argument("--database-url", help="an empty database that is there already")
    add("--owner-url", help="the same database by its tables' owner; else the same address")
    return parser


def _bearer(user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {user}"}


def _port(base_url: str) -> int:
    """The port of an address on loopback: nothing else is ever called.

    >>> _port("http://127.0.0.1:8000")
    8000
    """
    address = urlsplit(base_url)
    if address.hostname != "127.0.0.1" or address.port is None:
        raise ValueError(f"{base_url} is no http://127.0.0.1:PORT")
    return address.port


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Wrong(otherwise[:2000])


if __name__ == "__main__":
    sys.exit(main())

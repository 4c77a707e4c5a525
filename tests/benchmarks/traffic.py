"""The form of the benchmarks, and the scripts that open, save and read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.load import Generator, request

FORM = "benchmark"

_SHORT = 20  # of the form's 60 fields are short, and it is those that are typed into
_ID = re.compile(rb'"id": ?"([^"]+)"')
_VERSION = re.compile(rb'"version": ?(\d+)')


def form_data() -> dict[str, str]:
    """A form of 60 fields and about 6 KB."""
    sentence = (
        "What stands in a field of a form that somebody fills in over some days, without haste."
    )
    short = {f"field_{n:02}": _typed(n) for n in range(_SHORT)}
    return short | {f"field_{n:02}": f"{sentence} {sentence[:18]}" for n in range(_SHORT, 60)}


def _typed(n: int) -> str:
    return f"{n:08} typed now"


@dataclass
class Opening:
    """Opens so many drafts, one after the other, and keeps their ids."""

    token: str
    missing: int
    ids: list[str] = field(default_factory=list)

    def next(self) -> bytes | None:
        if not self.missing:
            return None
        self.missing -= 1
        body = {"form": FORM, "data": form_data(), "another": True}
        return request("POST", "/v1/drafts", self.token, json.dumps(body).encode())

    def answered(self, status: int, body: bytes) -> None:
        if found := _ID.search(body):
            self.ids.append(found[1].decode())


@dataclass
class Editor:
    """One device that changes one short field of its draft per save, based on its last receipt."""

    draft: str
    token: str
    times: int | None = None
    version: int = 1
    seq: int = 0

    def next(self) -> bytes | None:
        if self.times is not None:
            if not self.times:
                return None
            self.times -= 1
        self.seq += 1
        edit = (
            b'{"based_on":%d,"device":"benchmark","seq":%d,'
            b'"changes":[{"op":"replace","path":"/field_%02d","value":"%s"}]}'
        ) % (self.version, self.seq, self.seq % _SHORT, _typed(self.seq + 60).encode())
        return request("PATCH", f"/v1/drafts/{self.draft}", self.token, edit)

    def answered(self, status: int, body: bytes) -> None:
        if found := _VERSION.search(body):
            self.version = int(found[1])


@dataclass
class Editors:
    """One connection that edits several drafts in turn."""

    editors: Sequence[Editor]
    turn: int = 0

    def next(self) -> bytes | None:
        self.turn = (self.turn + 1) % len(self.editors)
        return self.editors[self.turn].next()

    def answered(self, status: int, body: bytes) -> None:
        self.editors[self.turn].answered(status, body)


@dataclass
class WholeForm:
    """Sends the whole form with each save, one short field of it changed."""

    form: str
    token: str
    times: int | None = None
    seq: int = 0

    def __post_init__(self) -> None:
        text = json.dumps(form_data())
        self._parts = [
            (before.encode(), after.encode())
            for before, _, after in (text.partition(_typed(n)) for n in range(_SHORT))
        ]

    def next(self) -> bytes | None:
        if self.seq == self.times:
            return None
        self.seq += 1
        before, after = self._parts[self.seq % _SHORT]
        body = before + _typed(self.seq + 60).encode() + after
        return request("PUT", f"/forms/{self.form}", self.token, body)

    def answered(self, status: int, body: bytes) -> None:
        """The answer holds nothing that the next save needs."""


def open_drafts(generator: Generator, port: int, token: str, number: int) -> list[Editor]:
    """So many new drafts, each in the hands of its editor."""
    opened = generator.run(port, [Opening(token, number)])
    return [Editor(draft, token) for draft in opened.scripts[0].ids]


def grow(generator: Generator, port: int, editors: Iterable[Editor], version: int) -> list[Editor]:
    """The same editors, after they have saved until their drafts have this version."""
    ready = [Editor(e.draft, e.token, version - e.version, e.version, e.seq) for e in editors]
    grown = generator.run(port, ready).scripts
    return [Editor(e.draft, e.token, None, e.version, e.seq) for e in grown]


def open_forms(generator: Generator, port: int, token: str, number: int, saves: int) -> list[str]:
    """So many forms at an endpoint that keeps forms, each saved so many times."""
    forms = [f"form-{n}-{saves}" for n in range(number)]
    generator.run(port, [WholeForm(form, token, saves) for form in forms])
    return forms


def reads(targets: Iterable[str], token: str) -> list[bytes]:
    """The requests that read these targets."""
    return [request("GET", target, token) for target in targets]

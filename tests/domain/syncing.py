"""Devices as the contract describes a client, and a service that they sync with, without any wire.

A device shows its live form at once and numbers what was typed into edits that wait in its outbox;
each is sent until it is answered, always as the same request. A receipt is applied to the copy that
was sent, and what is still unsent is woven into the result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from domain import diff
from domain.asked import Edit, Step
from domain.choices import Choice
from domain.conflict import Conflict
from domain.draft import Draft, NeedsEvents
from domain.drafts import Drafts
from domain.errors import CannotApply, Clash, SeqReused, SeqSkipped, VariorumError, VersionMismatch
from domain.patch import patch
from domain.path import join, parse, related
from domain.receipts import Answer, Earlier, Receipt, Repeated
from domain.value import Data, same
from tests.domain.scenes import DRAFTS, inside, origin

Operation = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One numbered request of a device; of an edit also the copies before and after it."""

    device: str
    by: str
    seq: int
    what: Edit | Choice | Restore | Undo | Merge
    base: Data = field(default_factory=dict)
    sent: Data = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Tells it from every other request."""
        return repr(self.what)


@dataclass(frozen=True)
class Restore:
    """Bring back a version, or one path of it."""

    version: int
    paths: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Undo:
    """Take back the versions from the first to the last."""

    version: int
    through: int
    paths: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Merge:
    """Bring a fork back."""

    fork: str


@dataclass(frozen=True)
class Snapshot:
    """What a device gets that asks for the draft."""

    version: int
    data: Data
    conflicts: Sequence[Conflict]


class Service:
    """A draft, its state at every version, and the first answer to every recorded request."""

    def __init__(self, draft: Draft, drafts: Drafts = DRAFTS) -> None:
        self.draft, self.drafts = draft, drafts
        self.states = [draft.copy()]
        self.answers: dict[tuple[str, int], tuple[str, Receipt]] = {}

    def state(self, version: int) -> Draft:
        """The draft as it was at a version."""
        return self.states[version - 1]

    def snapshot(self) -> Snapshot:
        """The draft now."""
        return Snapshot(self.draft.version, self.draft.data, self.draft.conflicts)

    def take(self, request: Request) -> Receipt | VariorumError:
        """The answer to a request; a repetition and a refusal leave the draft untouched."""
        before = inside(self.draft)
        try:
            answer = self._decide(request)
        except VariorumError as refusal:
            assert inside(self.draft) == before
            return refusal
        if isinstance(answer, Repeated | Earlier):
            assert inside(self.draft) == before
            return self._first_answer(request)
        assert isinstance(answer, Receipt)
        if answer.recorded:
            self.states.append(self.draft.copy())
            assert answer.version == self.draft.version == len(self.states)
            self.answers[request.device, request.seq] = (request.digest, answer)
        return answer

    def _first_answer(self, request: Request) -> Receipt | VariorumError:
        last = self.draft.devices[request.device][0]
        if (request.device, request.seq) not in self.answers:
            return SeqSkipped(last)
        digest, answer = self.answers[request.device, request.seq]
        return answer if digest == request.digest else SeqReused(last)

    def _decide(self, request: Request) -> Answer:
        try:
            return self._command(request)
        except NeedsEvents:
            self.draft.recall(self.events())
            return self._command(request)

    def events(self) -> list[Any]:
        """Every event of the draft."""
        return [state.recent[-1] for state in self.states]

    def _command(self, request: Request) -> Answer:
        what, draft = request.what, self.draft
        asked = origin(
            request.by,
            draft.version,
            device=request.device,
            seq=request.seq,
            digest=request.digest,
        )
        if isinstance(what, Edit):
            return self.drafts.edit(draft, what, asked)
        if isinstance(what, Choice):
            return self.drafts.resolve(draft, {"": what}, asked)
        if isinstance(what, Restore):
            then = self.state(what.version).data
            return self.drafts.restore(draft, what.version, then, asked, paths=what.paths)
        assert isinstance(what, Undo)
        return self.drafts.undo(draft, self.step(what), asked, paths=what.paths)

    def step(self, what: Undo) -> Step:
        """What the versions that are taken back did."""
        before, after = self.state(what.version - 1), self.state(what.through)
        return Step(
            what.version,
            what.through,
            before.data,
            after.data,
            before.conflicts,
            after.conflicts,
        )


class Device:
    """A browser: what it holds, what it shows, and what it has still to send."""

    def __init__(self, name: str, by: str, seen: Snapshot) -> None:
        self.name, self.by = name, by
        self.based_on = seen.version
        self.conflicts = seen.conflicts
        self.held = self.live = seen.data
        self.typed: list[Operation] = []
        self.outbox: list[Request] = []
        self._seq = 0

    def type(self, *operations: Operation) -> None:
        """Change the live form."""
        self.live = patch(self.live, operations)
        self.typed += operations

    def save(
        self,
        how: Literal["changes", "data"] = "changes",
        **firmness: Any,
    ) -> None:
        """Number what was typed: from now on it is one request, whatever happens to it.

        What changes nothing is not sent: it would use no number up, so that its repetition would
        find later numbers recorded, and could not be told from a new request.
        """
        if same(self.live, self.held):
            self.typed = []
            return
        if how == "changes":
            edit = Edit(based_on=self.based_on, changes=tuple(self.typed), **firmness)
        else:
            edit = Edit(based_on=self.based_on, data=self.live, **firmness)
        self.ask(edit, self.held, self.live)
        self.held, self.typed = self.live, []

    def ask(self, what: Any, base: Data | None = None, sent: Data | None = None) -> None:
        """Put a request into the outbox."""
        self._seq += 1
        self.outbox.append(Request(self.name, self.by, self._seq, what, base or {}, sent or {}))

    def answered(self, request: Request, answer: Receipt | VariorumError) -> None:
        """Take the answer to the request that waits longest; any other is old."""
        if not self.outbox or self.outbox[0] != request:
            return
        if isinstance(answer, Clash | VersionMismatch):
            self._insist()
            return
        del self.outbox[0]
        if isinstance(answer, VariorumError):
            assert not isinstance(request.what, Edit), answer
        elif isinstance(request.what, Edit) and not self.outbox:
            data = received(answer.changes, request.sent)
            self._weave(Snapshot(answer.version, data, answer.conflicts))

    def _insist(self) -> None:
        """Send what was refused again, without a condition; new numbers from there on."""
        waiting, self.outbox = self.outbox, []
        for request in waiting:
            what = request.what
            assert isinstance(what, Edit)
            if request is waiting[0]:
                what = replace(what, on_conflict="keep", if_match=None)
            self.ask(what, request.base, request.sent)

    def look(self, seen: Snapshot) -> None:
        """Take what the service holds now, unless something of this device's is under way."""
        if not self.outbox and seen.version > self.based_on:
            self._weave(seen)

    def _weave(self, seen: Snapshot) -> None:
        """Go on from what the service holds; what was typed meanwhile stays on top.

        Where others wrote what is typed here, it goes out on the old base, so that they clash.
        """
        if self._is_contested(seen):
            self.save()
            return
        try:
            self.live = patch(seen.data, self.typed)
        except CannotApply:
            self.save()
            return
        self.held, self.based_on, self.conflicts = seen.data, seen.version, seen.conflicts

    def _is_contested(self, seen: Snapshot) -> bool:
        news = [change["path"] for change in diff.diff(self.held, seen.data)]
        news += [path for conflict in seen.conflicts for path in conflict["paths"]]
        mine = [op[name] for op in self.typed for name in ("path", "from") if name in op]
        return any(related(lasting(one), lasting(other)) for one in mine for other in news)


def lasting(path: str) -> str:
    """The path, cut where it names a place in a list by number: such places do not last."""
    tokens = parse(path)
    for depth, token in enumerate(tokens):
        if token == "-" or token.isdigit():
            return join(*tokens[:depth])
    return path


def received(changes: Sequence[dict[str, Any]], data: Data) -> Data:
    """What a device makes of a receipt's changes, one after the other; texts come as whole ones."""
    members = ("op", "path", "before", "after", "index", "from", "keys")
    whole = [{**c, "op": "replace"} if c["op"] == "text" else c for c in changes]
    return diff.apply([{m: c[m] for m in members if m in c} for c in whole], data)  # type: ignore[misc]


_MARK = re.compile(r"(?:mac|phone|ipad|desk)\d+z")


def marks(*values: Any) -> set[str]:
    """The marks in these values: words that somebody typed and nobody else ever types."""
    return set(_MARK.findall(repr(values)))

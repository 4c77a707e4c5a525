"""Draft: one unfinished form of somebody's; what happened to it, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from eventsourcing.domain import Aggregate

from domain import diff, events
from domain.access import Link
from domain.change import Change, members_added
from domain.conflict import Conflict, Turn
from domain.conflicts import REMEMBERED, Standing, settled_by
from domain.errors import DraftClosed
from domain.event import Beginning, DraftEvent
from domain.moment import rfc3339
from domain.origin import Origin
from domain.recent import Recent
from domain.steps import StepDone
from domain.title import title_of
from domain.value import Data, count_members

TRASH = ("discarded", "expired")  # what a draft there may be
RECENT = 256  # events that a draft remembers for merging without asking the store


class NeedsEvents(Exception):
    """The draft does not remember far enough back; give it the events after `version`."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(version)


class Draft(Aggregate, created_event_name="Created"):
    """The aggregate: its state now, which the events make; `domain/drafts.py` decides on them."""

    TOPIC = "draft"
    Event = DraftEvent
    # The library finds an event by its stored name only if it stands here.
    Created = events.Created
    Imported = events.Imported
    Forked = events.Forked
    Edited = events.Edited
    Merged = events.Merged
    Restored = events.Restored
    Undone = events.Undone
    Resolved = events.Resolved
    Labelled = events.Labelled
    Unlabelled = events.Unlabelled
    Extended = events.Extended
    Submitted = events.Submitted
    Discarded = events.Discarded
    Expired = events.Expired
    Recovered = events.Recovered
    MadeTemplate = events.MadeTemplate
    UnmadeTemplate = events.UnmadeTemplate
    Shared = events.Shared
    Unshared = events.Unshared
    HandedOver = events.HandedOver

    # -- what can be asked of a draft

    @property
    def title(self) -> str | None:
        """The text at the form definition's title path, else at `/title`, else at `/name`."""
        return title_of(self.data, self.title_path)

    @property
    def standing(self) -> Standing:
        """The conflicts as they are before the next write."""
        return Standing(self.conflicts, self.conflicts_ever, self.settled)

    def role_of(self, principal: str) -> str | None:
        """`owner`, `editor`, `viewer`, or None for everybody else."""
        if principal == self.owner:
            return "owner"
        if (link := self.links.get(principal)) is not None:
            return link["role"]
        return self.members.get(principal)

    def role_for(self, origin: Origin) -> str | None:
        """The role of who asks; that of an auditor who is no member is `auditor`."""
        return self.role_of(origin.by) or ("auditor" if origin.auditor else None)

    def must_be_open(self) -> None:
        """Refuse what only an open draft takes.

        Raises:
            DraftClosed: The draft is submitted, discarded or expired.
        """
        if self.status != "open":
            raise DraftClosed(self.status)

    def has_expired(self, at: datetime) -> bool:
        """Whether the draft's time is over; a template has none."""
        return self.status == "open" and self.expires_at is not None and self.expires_at <= at

    def trash_is_over(self, at: datetime, days: int) -> bool:
        """Whether the draft has lain in the trash for so many days."""
        if self.status not in TRASH or self.closed_at is None:
            return False
        return self.closed_at + timedelta(days=days) <= at

    def since(self, version: int) -> list[DraftEvent]:
        """The events after a version, oldest first.

        Raises:
            NeedsEvents: The draft does not remember that far back.
        """
        missing = self.version - version
        if missing > len(self.recent):
            raise NeedsEvents(version)
        return self.recent[len(self.recent) - missing :]

    # -- what events do to it

    def begin(self, event: Beginning) -> None:
        """Take the first state from the event that began the draft."""
        self.form: str = event.form
        self.subject: str | None = event.subject
        self.data: Data = event.data or {}
        self.step: str | None = event.step
        self.completed_steps: list[str] = []
        self.steps_done: dict[str, StepDone] = {}
        self.complete(event.completed_steps, event)
        self.status, self.template, self.slot = "open", False, event.slot
        self.closed_at: datetime | None = None
        self.owner: str = event.owner or event.by
        self.members: dict[str, str] = {} if event.owner is None else {event.by: "editor"}
        self.links: dict[str, Link] = {}
        self.labels: dict[int, str] = {}
        self.conflicts: list[Conflict] = []
        self.conflicts_ever: int = 0
        self.settled: list[tuple[int, str]] = []
        self.merged_forks: dict[str, int] = {}
        self.imports: list[str] = []
        self.title_path: str | None = event.title_path
        self.devices: dict[
            str, tuple[int, int, str | None]
        ] = {}  # seq, version, digest of the last
        self.forked_from: Mapping[str, Any] | None = event.forked_from
        self.from_template: Mapping[str, Any] | None = event.from_template
        self.member_count: int = count_members(self.data)
        self.recent = Recent()
        self.reach: int = RECENT
        self.expires_at: datetime | None = event.timestamp
        self.put_off_expiry(event.timestamp, event.expiry_days)

    def take_in(self, imported: Mapping[str, Any] | None) -> None:
        """Remember by its id what was imported, so that it is not imported again."""
        if imported is not None:
            self.imports = [*self.imports, imported["id"]]

    def complete(self, steps: Sequence[str], event: DraftEvent) -> None:
        """Have these steps completed; each keeps when that was, and who did it."""
        now = StepDone(version=event.originator_version, at=rfc3339(event.timestamp), by=event.by)
        self.completed_steps = list(steps)
        self.steps_done = {step: self.steps_done.get(step, now) for step in steps}

    def write(self, changes: Sequence[Change]) -> None:
        """Apply changes to the data."""
        self.data = diff.apply(changes, self.data)
        self.member_count += members_added(changes)

    def take(self, turn: Turn, version: int) -> None:
        """Open, alter and close conflicts; remember what was settled by somebody's decision."""
        decided = [c for c in self.conflicts if turn.closed.get(c["id"]) == "resolved"]
        settled = [mark for conflict in decided for mark in settled_by(conflict, version)]
        self.settled = [*self.settled, *settled][-REMEMBERED:]
        self.conflicts = turn.of(self.conflicts)
        numbers = [int(conflict["id"][1:]) for conflict in turn.altered]
        self.conflicts_ever = max(self.conflicts_ever, *numbers, 0)

    def put_off_expiry(self, at: datetime, days: int | None) -> None:
        """Let the draft expire so many days after `at`, never earlier than before.

        A template never expires, whatever is saved to it.
        """
        if days is not None:
            self.expiry_days = days
        if not self.template:
            expiry = at + timedelta(days=self.expiry_days)
            self.expires_at = max(self.expires_at or expiry, expiry)

    def leave(self, status: str, at: datetime) -> None:
        """Stop being open; `slot` still says whether the draft takes one when it comes back."""
        self.status, self.closed_at = status, at

    def copy(self) -> Draft:
        """A draft that can go on alone; the values are shared, since nothing ever alters them."""
        other = Draft.__new__(Draft)
        other.__dict__.update(self.__dict__)
        other._pending_events = []  # noqa: SLF001 - another of this class
        other.devices, other.recent = self.devices.copy(), self.recent.copy()
        return other

    def remember(self, event: DraftEvent) -> None:
        """Keep the event for later merges, and the number that its device has reached."""
        self.recent.add(event, self.reach)
        if event.device is not None and event.seq is not None:
            self.devices[event.device] = (event.seq, event.originator_version, event.digest)

    def recall(self, earlier: Sequence[DraftEvent]) -> None:
        """Remember these too, and for longer, if they lead up to the first event that is known."""
        first = self.version - len(self.recent) + 1
        older = [e for e in earlier if e.originator_version < first]
        if not older or older[-1].originator_version == first - 1:
            self.recent = Recent([*older, *self.recent])
            self.reach = max(self.reach, len(self.recent) + RECENT)

"""Draft: one unfinished form of somebody's; decides what may happen to it and remembers what did.

Every event is one version. Events are facts: they hold results (what changed, from what, to what),
never intentions, so that a later rule or form definition cannot change the past. They are named for
ever by their TOPIC; its last part is the act that history shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypedDict, cast
from uuid import UUID

from eventsourcing.domain import Aggregate

from domain import diff
from domain.access import Reader, is_link, reader
from domain.conflict import Conflict, Reason, Turn
from domain.conflicts import REMEMBERED, Standing, settled_by
from domain.diff import Change
from domain.errors import DraftClosed
from domain.path import find
from domain.recent import Recent
from domain.value import Data, count_members

SERVICE = "service"  # the principal of what the service does by itself; no person's key is that
TRASH = ("discarded", "expired")  # what a draft there may be
RECENT = 256  # events that a draft remembers for merging without asking the store


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asks, when, from which device and by which request.

    `by` is the key of a person or link, never a name; `digest` tells two requests with the same
    `seq` apart.
    """

    by: str
    at: datetime
    device: str | None = None
    seq: int | None = None
    digest: str | None = None
    request: str | None = None
    address: str | None = None
    reason: str | None = None
    auditor: bool = False  # who may read everything, besides what a role in the draft allows

    @property
    def reader(self) -> Reader:
        """The one who asks, as one who reads."""
        return reader(self.by, auditor=self.auditor)


class NeedsEvents(Exception):
    """The draft does not remember far enough back; give it the events after `version`."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(version)


class Link(TypedDict):
    """A share link: what it allows, until when, and who made it when (RFC 3339)."""

    role: str
    expires_at: str | None
    by: str
    at: str


class StepDone(TypedDict):
    """When and by whom (a key) a step was marked as completed, and in which version."""

    version: int
    at: str
    by: str


class DraftEvent(Aggregate.Event):
    """The envelope of every event; absent members are stored as nothing at all."""

    by: str = ""
    device: str | None = None
    seq: int | None = None
    digest: str | None = None
    request: str | None = None
    address: str | None = None
    reason: str | None = None

    @property
    def act(self) -> str:
        """How this version came to be: `edited`, `restored`, …"""
        return cast("str", type(self).TOPIC).rpartition(".")[2]  # type: ignore[attr-defined]

    def mutate(self, aggregate: Any) -> Any:
        """Apply the event and remember it for later merges."""
        draft = cast("Draft", super().mutate(aggregate))
        draft.remember(self)
        return draft


class DataEvent(DraftEvent):
    """An event that writes data: the changes, and the edit as sent where it differs from them.

    `conflicts` are those that it opened or altered, whole; `closed` says which it closed, and why.
    """

    changes: Sequence[Change] = ()
    conflicts: Sequence[Conflict] | None = None
    closed: Mapping[str, Reason] | None = None
    based_on: int | None = None
    sent: Sequence[Change] | None = None
    step: str | None = None
    completed_steps: Sequence[str] | None = None
    expiry_days: int | None = None

    def apply(self, aggregate: Any) -> None:
        """Write the changes, the conflicts, the step, and put the expiry off."""
        draft = cast("Draft", aggregate)
        draft.write(self.changes)
        if self.conflicts or self.closed:
            draft.take(Turn(self.conflicts or (), self.closed or {}), self.originator_version)
        if self.step is not None:
            draft.step = self.step
        if self.completed_steps is not None:
            draft.complete(self.completed_steps, self)
        draft.put_off_expiry(self.timestamp, self.expiry_days)


class Beginning(DraftEvent, Aggregate.Created):
    """The first event of a draft, whatever it came from."""

    form: str = ""
    subject: str | None = None
    data: Data | None = None
    step: str | None = None
    completed_steps: Sequence[str] = ()
    expiry_days: int = 30
    slot: bool = False
    forked_from: Mapping[str, Any] | None = None
    from_template: Mapping[str, Any] | None = None
    title_path: str | None = None
    owner: str | None = None  # if it is not the one who began it, who then is an editor

    def mutate(self, aggregate: Any) -> Any:
        """Make the draft."""
        draft = Aggregate.Created.mutate(self, aggregate)
        cast("Draft", draft).remember(self)
        return draft

    def apply(self, aggregate: Any) -> None:
        """Give the new draft its first state."""
        cast("Draft", aggregate).begin(self)


class Draft(Aggregate, created_event_name="Created"):
    """The aggregate: its state now, and the events of `domain/drafts.py`'s decisions."""

    TOPIC = "draft"
    Event = DraftEvent

    class Created(Beginning):
        """Somebody opened a form (the library wants the class to be called so)."""

        TOPIC = "draft.opened"

    class Imported(Beginning):
        """A draft of an older system was taken over: from a browser, or a row of a table.

        `imported` says by which id it is known, and what it was; `expires_at` and `created_at` (RFC
        3339) are as they were there, where they were kept.
        """

        TOPIC = "draft.imported"
        imported: Mapping[str, Any] | None = None
        expires_at: str | None = None
        created_at: str | None = None

        def apply(self, aggregate: Any) -> None:
            """Give the draft its first state, and the times that it had."""
            super().apply(aggregate)
            aggregate.take_in(self.imported)
            if self.expires_at is not None:
                aggregate.expires_at = datetime.fromisoformat(self.expires_at)
            if self.created_at is not None:
                aggregate._created_on = datetime.fromisoformat(self.created_at)  # noqa: SLF001

    class Forked(Beginning):
        """Somebody began a draft from a version of another."""

        TOPIC = "draft.forked"

    class Edited(DataEvent):
        """Somebody saved; nobody else had changed anything since."""

        TOPIC = "draft.edited"

    class Merged(DataEvent):
        """Somebody saved; the edit was merged with what others had changed since.

        Or a fork was merged: `fork` is its id, and its version that is now in this draft. Or what
        lay in a browser was taken in: `imported` says what.
        """

        TOPIC = "draft.merged"
        fork: str | None = None
        fork_version: int | None = None
        imported: Mapping[str, Any] | None = None

        def apply(self, aggregate: Any) -> None:
            """Write the data, and remember what of a fork, or which import, is in it."""
            super().apply(aggregate)
            aggregate.take_in(self.imported)
            if self.fork is not None and self.fork_version is not None:
                aggregate.merged_forks = {**aggregate.merged_forks, self.fork: self.fork_version}

    class Restored(DataEvent):
        """The data, or some paths of it, became what they were at `version`."""

        TOPIC = "draft.restored"
        version: int = 0
        paths: Sequence[str] | None = None

    class Undone(DataEvent):
        """The changes of the versions `version` to `through` were taken back."""

        TOPIC = "draft.undone"
        version: int = 0
        through: int = 0
        outcomes: Sequence[Mapping[str, str]] = ()

    class Resolved(DataEvent):
        """Somebody settled conflicts; `taken` says for each whose value was chosen."""

        TOPIC = "draft.resolved"
        taken: Sequence[Mapping[str, Any]] = ()

    class Labelled(DraftEvent):
        """A version got a name."""

        TOPIC = "draft.labelled"
        version: int = 0
        label: str = ""

        def apply(self, aggregate: Any) -> None:
            """Remember the name."""
            aggregate.labels = {**aggregate.labels, self.version: self.label}

    class Unlabelled(DraftEvent):
        """A version lost its name."""

        TOPIC = "draft.unlabelled"
        version: int = 0

        def apply(self, aggregate: Any) -> None:
            """Forget the name."""
            aggregate.labels = {v: n for v, n in aggregate.labels.items() if v != self.version}

    class Extended(DraftEvent):
        """The expiry was put off by hand."""

        TOPIC = "draft.extended"
        expiry_days: int = 0

        def apply(self, aggregate: Any) -> None:
            """Move the expiry."""
            aggregate.put_off_expiry(self.timestamp, self.expiry_days)

    class Submitted(DraftEvent):
        """The form was handed in; the draft is finished."""

        TOPIC = "draft.submitted"

        def apply(self, aggregate: Any) -> None:
            """Close the draft."""
            aggregate.leave("submitted", self.timestamp)

    class Discarded(DraftEvent):
        """The draft went to the trash."""

        TOPIC = "draft.discarded"

        def apply(self, aggregate: Any) -> None:
            """Close the draft."""
            aggregate.leave("discarded", self.timestamp)

    class Expired(DraftEvent):
        """The draft was not saved for so long that it went to the trash by itself."""

        TOPIC = "draft.expired"

        def apply(self, aggregate: Any) -> None:
            """Close the draft."""
            aggregate.leave("expired", self.timestamp)

    class Recovered(DraftEvent):
        """The draft came back from the trash."""

        TOPIC = "draft.recovered"
        expiry_days: int = 0
        slot: bool = False

        def apply(self, aggregate: Any) -> None:
            """Open the draft again."""
            aggregate.status, aggregate.slot = "open", self.slot
            aggregate.closed_at = None
            aggregate.put_off_expiry(self.timestamp, self.expiry_days)

    class MadeTemplate(DraftEvent):
        """Others may start from the draft now; it keeps no place and never expires."""

        TOPIC = "draft.made_template"

        def apply(self, aggregate: Any) -> None:
            """Be a template."""
            aggregate.template, aggregate.slot, aggregate.expires_at = True, False, None

    class UnmadeTemplate(DraftEvent):
        """The template became a draft again, beside any other of its subject."""

        TOPIC = "draft.unmade_template"
        expiry_days: int = 0

        def apply(self, aggregate: Any) -> None:
            """Be a draft, which expires."""
            aggregate.template = False
            aggregate.put_off_expiry(self.timestamp, self.expiry_days)

    class Shared(DraftEvent):
        """Somebody may see or edit the draft: a person, or whoever has a link (`link:<id>`).

        Of a link it is told when it expires (RFC 3339), and the SHA-256 of its token.
        """

        TOPIC = "draft.shared"
        principal: str = ""
        role: str = ""
        expires_at: str | None = None
        token_hash: str | None = None

        def apply(self, aggregate: Any) -> None:
            """Give the role."""
            if not is_link(self.principal):
                aggregate.members = {**aggregate.members, self.principal: self.role}
                return
            link = Link(
                role=self.role, expires_at=self.expires_at, by=self.by, at=rfc3339(self.timestamp)
            )
            aggregate.links = {**aggregate.links, self.principal: link}

    class Unshared(DraftEvent):
        """A person or a link lost its role."""

        TOPIC = "draft.unshared"
        principal: str = ""

        def apply(self, aggregate: Any) -> None:
            """Take the role away."""
            aggregate.members = _all_but(aggregate.members, self.principal)
            aggregate.links = _all_but(aggregate.links, self.principal)

    class HandedOver(DraftEvent):
        """Somebody else became the owner, and who was it before an editor."""

        TOPIC = "draft.handed_over"
        to: str = ""

        def apply(self, aggregate: Any) -> None:
            """Change the owner."""
            others = _all_but(aggregate.members, self.to)
            aggregate.members = {**others, aggregate.owner: "editor"}
            aggregate.owner = self.to

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


def rfc3339(moment: datetime) -> str:
    """A time in UTC as text."""
    return moment.isoformat().replace("+00:00", "Z")


def _all_but(roles: Mapping[str, Any], principal: str) -> dict[str, Any]:
    return {name: role for name, role in roles.items() if name != principal}


def title_of(data: Data, title_path: str | None) -> str | None:
    """The text at the title path, else at `/title`, else at `/name`."""
    return None if (path := title_at(data, title_path)) is None else find(data, path)


def title_at(data: Data, title_path: str | None) -> str | None:
    """Where the title is: the first of these paths that leads to a text."""
    for path in (title_path, "/title", "/name"):
        if path is not None and isinstance(find(data, path), str):
            return path
    return None


def members_added(changes: Sequence[Change]) -> int:
    """By how many members and items the changes make the data larger (negative: smaller)."""
    added = 0
    for change in changes:
        added += _PLACED.get(change["op"], 0)
        if type(after := change.get("after")) in _CONTAINERS:
            added += count_members(after)
        if type(before := change.get("before")) in _CONTAINERS:
            added -= count_members(before)
    return added


_PLACED = {"add": 1, "remove": -1}
_CONTAINERS = (dict, list)


def draft_id(text: str) -> UUID:
    """A draft's id from its text form."""
    return UUID(text)

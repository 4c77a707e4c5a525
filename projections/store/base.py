"""What a store can do: one list for both engines, and one test suite that holds them to it.

Reads take the principal on whose behalf they read (`auditor:<key>` reads every draft); where a draft is
not that principal's, they answer None or nothing. What the writer, the catch-up and the commands need is not per principal and cannot be
reached by a route.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import UUID

from domain.errors import Busy
from projections.inside import ANYWHERE, Inside
from projections.store.api_keys import ApiKey
from projections.store.outbox import Outbox
from projections.store.records import (
    AuditRead,
    AuditRow,
    FormRow,
    Group,
    Head,
    LinkRow,
    Loaded,
    Outcome,
    Reading,
    Record,
    Resting,
    State,
)
from projections.store.trash import Trash

if TYPE_CHECKING:
    from projections.rebuild import Rebuilt

BEGINNING = UUID(int=0)  # before every draft in the order of ids
END = UUID(int=2**128 - 1)  # after every draft
PAGE_EVENTS, PAGE_BYTES = 500, 2**20  # of the chains, read at once: some milliseconds of checking
PAGE_DRAFTS = 500


@dataclass(frozen=True, slots=True)
class VersionFilter:
    """Which versions of a draft are wanted, newest first; times are inclusive."""

    before: int | None = None  # the cursor: only versions below it
    by: str | None = None  # a principal
    path: str | None = None  # this path or below, or a change above that altered what is there
    inside: Inside = ANYWHERE
    device: str | None = None
    act: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class DraftFilter:
    """Which drafts are wanted; `after` is the sort value and id of the last one seen."""

    status: str | None = None
    form: str | None = None
    subject: str | None = None
    q: str | None = None
    template: bool | None = None
    shared: bool | None = None
    sort: str = "saved"
    after: tuple[str, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which versions an audit is about, newest first; people are given by key.

    Whoever does not read as an auditor gets those of drafts that are their own. `upto` is the place
    to go on from: a time, draft and version, the first that is wanted.
    """

    draft: UUID | None = None
    owner: str | None = None
    by: str | None = None
    path: str | None = None  # this path or below, or a change above that altered what is there
    inside: Inside = ANYWHERE
    act: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    upto: tuple[datetime, UUID, int] | None = None
    limit: int = 50


AUDIT_SECONDS = 10  # that the search for an audit's versions may take


def too_much() -> Busy:
    """What a search is given up with."""
    return Busy(
        f"To find these took over {AUDIT_SECONDS} seconds; ask for one draft, person or time."
    )


class Line(NamedTuple):
    """One event of the log as the catch-up takes it: with its place in the order of all events."""

    position: int
    record: Record


class Moves(NamedTuple):
    """Which drafts some events of the log moved, each to which version; `upto` is the last's place."""

    upto: int
    events: int
    drafts: Mapping[UUID, int]


def to_moves(rows: Sequence[Sequence[Any]]) -> Moves:
    """Rows of draft, newest version, last place and number of events, as moves."""
    drafts = {draft: version for draft, version, _, _ in rows}
    return Moves(max((row[2] for row in rows), default=0), sum(row[3] for row in rows), drafts)


# A line of the history: version, act, by (a key), at, device, paths (one a line), label, reason. Plain
# tuples as the database gives them: a page has many, and is asked for often.
VersionLine = tuple[Any, ...]


Hear = Callable[[int | str], None]
"""Takes what is heard: how far the log goes now, or what a process says."""


class Store(Protocol):
    """The log, the registers and the read models of one database."""

    name: str

    @property
    def trash(self) -> Trash:
        """What it can do about the end of drafts."""

    @property
    def outbox(self) -> Outbox:
        """What it keeps for the webhook."""

    async def start(self) -> None:
        """Connect; refuse a schema that is not this release's."""

    async def stop(self) -> None:
        """Let go of every connection."""

    # -- the writer's side

    async def save(self, group: Group) -> Outcome:
        """Save a group in one transaction, if every draft still is where the group saw it."""

    async def load(self, draft: UUID) -> Loaded | None:
        """All that makes a draft's aggregate; None if there is no such draft."""

    async def events(self, draft: UUID, after: int, upto: int) -> Sequence[Record]:
        """The events with `after < version <= upto`, oldest first."""

    async def version_of_seq(self, draft: UUID, device: str, seq: int) -> int | None:
        """The version that a device's number was recorded as."""

    async def holder_of_slot(self, owner: str, form: str, subject: str | None) -> UUID | None:
        """The open draft that holds a slot."""

    async def imported_as(self, import_id: UUID) -> UUID | None:
        """The draft that an import went to, whatever became of it; None if it never happened."""

    async def key_of(self, sub: str) -> str | None:
        """A person's key, if the person ever wrote."""

    async def new_key(self, sub: str, key: str) -> str:
        """Give a person this key, unless there is one already; the key that holds."""

    async def subs_of(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The names behind keys."""

    async def link(self, id_: str) -> LinkRow | None:
        """The share link of this id, unless it was taken back."""

    # -- form definitions

    async def keep_form(self, form: str, definition: str, by: str, at: datetime) -> None:
        """Keep a definition as the newest of its form; earlier ones stay.

        The form's drafts are at rest no more: what is known of them was by an earlier one.
        """

    async def unrest(self, form: str) -> None:
        """Forget what is known of a form's quiet drafts, so that they come to rest again."""

    async def forms(self, after: int) -> Sequence[FormRow]:
        """The newest definition of each form kept after a number, in the order of their numbers."""

    # -- reading for a principal

    async def read(self, principal: str, draft: UUID, upto: int | None = None) -> Reading | None:
        """The current form state, or that of an earlier version, as it is in the log now."""

    async def version_at(self, principal: str, draft: UUID, moment: datetime) -> int | None:
        """The last version saved at or before a moment."""

    async def versions(
        self, principal: str, draft: UUID, wanted: VersionFilter
    ) -> Sequence[VersionLine]:
        """Lines of the version history, newest first."""

    async def sessions(
        self, principal: str, draft: UUID, wanted: VersionFilter
    ) -> Sequence[Mapping[str, Any]]:
        """The version history grouped: one line per person, device and spell of editing."""

    async def event(self, principal: str, draft: UUID, version: int) -> Record | None:
        """One event of a draft."""

    async def span(self, principal: str, draft: UUID, after: int, upto: int) -> Sequence[Record]:
        """The events of a draft with `after < version <= upto`, oldest first."""

    async def role(self, principal: str, draft: UUID) -> str | None:
        """What somebody may do with a draft, whatever is left of it."""

    async def chain(self, principal: str, draft: UUID, after: int) -> Sequence[Record]:
        """The next events of a draft that there are, oldest first, a page of them."""

    async def label_of(self, principal: str, draft: UUID, version: int) -> str | None:
        """The label of a version."""

    async def drafts(self, principal: str, wanted: DraftFilter) -> Sequence[Mapping[str, Any]]:
        """Lines of the drafts page."""

    # -- audit

    async def audited(self, principal: str, wanted: AuditFilter) -> Sequence[AuditRow]:
        """The versions that an audit is about, newest first.

        Raises:
            Busy: It took too long to find them.
        """

    async def audited_total(self, principal: str, wanted: AuditFilter) -> tuple[int, int]:
        """How many lines these versions are, and of how many drafts; one without changes is one.

        Raises:
            Busy: It took too long to count them.
        """

    async def note_read(self, read: AuditRead) -> None:
        """Note that somebody read as an auditor."""

    async def reads_noted(
        self, principal: str, before: int | None, limit: int
    ) -> Sequence[tuple[int, AuditRead]]:
        """What auditors read, newest first, each with its number; for auditors only."""

    # -- machines' keys

    async def add_api_key(self, key: ApiKey) -> None:
        """Keep a new key."""

    async def api_key(self, id_: str) -> ApiKey | None:
        """The key of this id, also if it has ended."""

    async def api_keys(self) -> Sequence[ApiKey]:
        """All keys there ever were, oldest first."""

    async def revoke_api_key(self, id_: str, at: datetime) -> bool:
        """End a key; one that has ended stays as it is. False if there is none of this id."""

    # -- the read models

    async def head(self) -> int:
        """The position of the last event in the log."""

    async def position(self, name: str) -> int:
        """How far a read model has come."""

    async def lines(self, after: int, limit: int) -> Sequence[Line]:
        """The next events of the log, in the order in which they were committed."""

    async def moves(self, after: int, limit: int) -> Moves:
        """What the next events of the log did, without reading them."""

    async def take(
        self,
        name: str,
        expected: int,
        position: int,
        rows: Sequence[Mapping[str, Any]],
        aside: Sequence[Mapping[str, Any]] = (),
    ) -> bool:
        """Write rows and the new position in one transaction; False if another process was faster."""

    async def rest(self, states: Sequence[tuple[State, Resting]]) -> None:
        """Put down quiet drafts' whole states, each with what the drafts page knows by it."""

    async def unrested(self, limit: int, principal: str | None = None) -> Sequence[UUID]:
        """Drafts whose resting state lies behind their line; only one principal's, if given."""

    async def forget_search(self, form: str) -> None:
        """Let what searches see of a form's drafts be made anew, when it is next looked for."""

    # -- rebuilding

    async def count_drafts(self) -> int:
        """How many drafts the log knows."""

    async def draft_ids(self, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts of the log in the order of their ids."""

    async def replace(self, rebuilt: Rebuilt) -> None:
        """Put a draft's rows in the place of the old ones, up to the version that was read.

        What is set aside of them is forgotten: they could be read.
        """

    async def remove_strays(self) -> None:
        """Remove rows of read models whose draft the log does not know."""

    async def set_aside(self) -> Sequence[Mapping[str, Any]]:
        """The events that a read model could not take."""

    # -- what moves meanwhile

    async def moved(self, after: int, drafts: Collection[UUID]) -> tuple[int, Collection[UUID]]:
        """The head of the log now, and which of these drafts have events after a position."""

    async def listen(self, hear: Hear) -> None:
        """Give what the processes of this database say to `hear`, until this is cancelled.

        Raises:
            StoreUnavailable: They cannot be heard, or not any more.
        """

    async def say(self, what: str) -> None:
        """Say something to the processes that listen, this one included if it does."""

    # -- proving

    async def chains(self, after: tuple[UUID, int], last: UUID = END) -> Sequence[Record]:
        """The next events after a draft's version, draft by draft up to `last`, a page of them."""

    async def heads(self, after: UUID) -> Sequence[Head]:
        """The last events of the next drafts, in the order of their ids, a page of them."""

    async def tombstones(self, after: UUID) -> Sequence[Head]:
        """The last events of drafts that were purged, in the order of their ids, a page of them."""

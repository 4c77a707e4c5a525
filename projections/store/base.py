"""What a store can do: one list for both engines, and one test suite that holds them to it.

What is saved and read all the time stands here; everything else is a part of the store, with a file of
its own under the same name here and in each engine's folder.

Reads take the principal on whose behalf they read (`auditor:<key>` reads every draft); where a draft is
not that principal's, they answer None or nothing. What the writer, the catch-up and the commands need is
not per principal and cannot be reached by a route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from projections.inside import ANYWHERE, Inside
from projections.store.api_keys import ApiKeys
from projections.store.audit import Audit
from projections.store.chains import Chains
from projections.store.forms import Forms
from projections.store.log import Log
from projections.store.outbox import Outbox
from projections.store.people import People
from projections.store.read_models import ReadModels
from projections.store.records import Group, LinkRow, Loaded, Outcome, Reading, Record
from projections.store.trash import Trash

BEGINNING = UUID(int=0)  # before every draft in the order of ids


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

    @property
    def people(self) -> People:
        """What it knows of people."""

    @property
    def api_keys(self) -> ApiKeys:
        """What it keeps of machines' keys."""

    @property
    def forms(self) -> Forms:
        """What it keeps of form definitions."""

    @property
    def audit(self) -> Audit:
        """What it tells auditors."""

    @property
    def log(self) -> Log:
        """What it tells those who follow the log."""

    @property
    def read_models(self) -> ReadModels:
        """What it does with read models."""

    @property
    def chains(self) -> Chains:
        """What it shows of the hash chains."""

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

    async def link(self, id_: str) -> LinkRow | None:
        """The share link of this id, unless it was taken back."""

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

    async def label_of(self, principal: str, draft: UUID, version: int) -> str | None:
        """The label of a version."""

    async def drafts(self, principal: str, wanted: DraftFilter) -> Sequence[Mapping[str, Any]]:
        """Lines of the drafts page."""

    # -- what its processes tell each other

    async def listen(self, hear: Hear) -> None:
        """Give what the processes of this database say to `hear`, until this is cancelled.

        Raises:
            StoreUnavailable: They cannot be heard, or not any more.
        """

    async def say(self, what: str) -> None:
        """Say something to the processes that listen, this one included if it does."""

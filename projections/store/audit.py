"""What a store tells auditors: the versions that an audit is about, and what auditors read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.errors import Busy
from projections.inside import ANYWHERE, Inside

AUDIT_SECONDS = 10  # that the search for an audit's versions may take


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


class AuditRow(NamedTuple):
    """A version that an audit is about, and what the drafts page knows of its draft."""

    draft: UUID
    version: int
    at: datetime
    paths: str | None
    owner: str
    title: str | None
    form: str


class AuditRead(NamedTuple):
    """One reading as an auditor: when, who (by key), and what was asked."""

    at: datetime
    by: str
    path: str
    asked: str
    draft: UUID | None
    request: str | None
    address: str | None


class Audit(Protocol):
    """The audit of one database."""

    async def found(self, principal: str, wanted: AuditFilter) -> Sequence[AuditRow]:
        """The versions that an audit is about, newest first.

        Raises:
            Busy: It took too long to find them.
        """

    async def total(self, principal: str, wanted: AuditFilter) -> tuple[int, int]:
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


def too_much() -> Busy:
    """What a search is given up with."""
    return Busy(
        f"To find these took over {AUDIT_SECONDS} seconds; ask for one draft, person or time."
    )

"""What a store keeps for the webhook: sessions that go on, and messages until they are delivered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

LOG, PURGED = "webhooks", "webhooks of purged"  # positions in the log, and among the tombstones


class SessionKey(NamedTuple):
    """Whose session it is, in which draft; `device` is empty for saves that named none."""

    draft: UUID
    by: str
    device: str


@dataclass(frozen=True, slots=True)
class Session:
    """One person's saves on one device so far; `at` is the time of the last."""

    key: SessionKey
    first_version: int
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """What happened to a draft; `first_version` is where a session began, else the version."""

    id: UUID
    draft: UUID
    event: str
    first_version: int
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message with what became of it so far; `due_at` is None if it was given up."""

    message: Message
    attempts: int
    due_at: datetime | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class About:
    """What a receiver is told of the draft besides: form and subject are gone with a purge."""

    owner: str
    form: str | None
    subject: str | None


@dataclass(frozen=True, slots=True)
class News:
    """What a stretch of the log came to."""

    sessions: Sequence[Session] = ()
    over: Sequence[SessionKey] = ()
    messages: Sequence[Message] = ()


@dataclass(frozen=True, slots=True)
class Buried:
    """A tombstone by its number."""

    number: int
    draft: UUID
    version: int
    at: datetime = field(compare=False)


class Outbox(Protocol):
    """The webhook's messages in one database."""

    async def begin(self) -> None:
        """Tell of what happens from now on, if nothing was told so far."""

    async def sessions(self, drafts: Collection[UUID]) -> Sequence[Session]:
        """The sessions in these drafts that go on."""

    async def quiet(self, before: datetime, limit: int) -> Sequence[Session]:
        """Some sessions whose last save lies before a moment."""

    async def buried(self, after: int, limit: int) -> Sequence[Buried]:
        """The next tombstones."""

    async def put(self, name: str, expected: int, position: int, news: News, at: datetime) -> bool:
        """Write news and the new position in one transaction; False if another was faster."""

    async def to_warn(
        self, at: datetime, until: datetime, after: UUID, limit: int
    ) -> Sequence[UUID]:
        """Open drafts that expire in between and of whose expiry nothing was told."""

    async def warn(self, id_: UUID, draft: UUID, at: datetime) -> bool:
        """Put a warning among the messages, once for each expiry."""

    async def due(self, at: datetime, limit: int) -> Sequence[tuple[Waiting, About]]:
        """Messages to be delivered now, the oldest first."""

    async def delivered(self, id_: UUID) -> None:
        """The receiver has it: forget it."""

    async def failed(self, id_: UUID, problem: str, due_at: datetime | None) -> None:
        """It was tried in vain; when to try again, or None to give it up."""

    async def listed(self) -> Sequence[Waiting]:
        """All messages that are not delivered, the oldest first."""

    async def replay(self, id_: UUID | None, at: datetime) -> int:
        """Deliver a message, or all that were given up, as if it were the first time; how many."""

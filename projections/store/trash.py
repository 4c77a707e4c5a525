"""What a store can do about the end of drafts: find those whose time is over, and purge one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

Alone = Literal["sweep", "deliver"]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of a purged draft: whose it was, how far its chain went, who ended it and when."""

    draft: UUID
    owner: str
    versions: int
    head: bytes
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Gone:
    """What a process must let go of: drafts that were purged and people who are forgotten.

    Each list has its own numbers; `tombstone` and `person` are the last ones.
    """

    tombstone: int = 0
    person: int = 0
    drafts: Sequence[UUID] = ()
    people: Sequence[str] = ()


class Trash(Protocol):
    """The end of drafts, in one database; none of it is for a principal but the tombstone."""

    async def due(self, at: datetime, after: UUID, limit: int) -> Sequence[UUID]:
        """Open drafts whose time was over then, in the order of their ids."""

    async def over(self, since: datetime, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts that lie in the trash since then or longer, in the order of their ids."""

    async def about(self, form: str, subject: str, after: UUID, limit: int) -> Sequence[UUID]:
        """Open drafts of all owners about one subject, in the order of their ids."""

    async def owned_by(self, person: str, limit: int) -> Sequence[UUID]:
        """Some of a person's own drafts."""

    async def shared_with(self, person: str, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts of others that a person may see, in the order of their ids."""

    async def of_forgotten(self, after: UUID, limit: int) -> Sequence[UUID]:
        """Drafts that forgotten people own still, in the order of their ids."""

    async def purge(self, draft: UUID, seen: int | None, by: str, at: datetime) -> bool:
        """End a draft for good, if it still is at this version; only a tombstone stays.

        Without `seen` it does not matter which one it is at.
        """

    async def tombstone(self, principal: str, draft: UUID) -> Tombstone | None:
        """What is left of a draft that was this principal's own."""

    async def forget(self, person: str, pseudonym: str, at: datetime) -> None:
        """Put a pseudonym in the place of a name, once; nobody's drafts are touched."""

    async def last_gone(self) -> Gone:
        """The last numbers of what went."""

    async def gone(self, tombstone: int, person: int) -> Gone:
        """What went after these numbers, some of it."""

    async def tidy(self) -> None:
        """Let nothing that was deleted lie about in the database's files, as far as is quick."""

    async def scrub(self, most: int | None = None) -> None:
        """The same thoroughly, unless the files are of more bytes than this."""

    def alone(self, what: Alone) -> AbstractAsyncContextManager[bool]:
        """Whether this process is the only one that does it, until the `with` ends."""

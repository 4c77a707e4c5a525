"""What a store does with read models: the catch-up writes them, a rebuild makes them anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from projections.store.records import Resting, State

if TYPE_CHECKING:
    from projections.rebuild import Rebuilt


class ReadModels(Protocol):
    """The read models in one database."""

    async def take(
        self,
        name: str,
        expected: int,
        position: int,
        rows: Sequence[Mapping[str, Any]],
        aside: Sequence[Mapping[str, Any]] = (),
    ) -> bool:
        """Write rows and the new position in one transaction; False if another process was faster."""

    async def set_aside(self) -> Sequence[Mapping[str, Any]]:
        """The events that a read model could not take."""

    async def rest(self, states: Sequence[tuple[State, Resting]]) -> None:
        """Put down quiet drafts' whole states, each with what the drafts page knows by it."""

    async def unrested(self, limit: int, principal: str | None = None) -> Sequence[UUID]:
        """Drafts whose resting state lies behind their line; only one principal's, if given."""

    async def replace(self, rebuilt: Rebuilt) -> None:
        """Put a draft's rows in the place of the old ones, up to the version that was read.

        What is set aside of them is forgotten: they could be read.
        """

    async def remove_strays(self) -> None:
        """Remove rows of read models whose draft the log does not know."""

"""What every event of a draft has, and what those have that write data or begin a draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from eventsourcing.domain import Aggregate

from domain.change import Change
from domain.conflict import Conflict, Reason, Turn
from domain.value import Data

if TYPE_CHECKING:
    from domain.draft import Draft


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

"""What domain tests begin with: who asks, on which device, and drafts that have a past."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.asked import Edit, Opening, Rules, Step
from domain.draft import Draft
from domain.drafts import Drafts
from domain.errors import VariorumError
from domain.event import DraftEvent
from domain.origin import Origin
from domain.receipts import Answer, Receipt, receipt
from domain.value import Data

ANN, BEN, EVE = "ann-key-0001", "ben-key-0001", "eve-key-0001"
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
ID = UUID("7b2e0000-0000-4000-8000-000000000001")

DRAFTS = Drafts(Rules())

# What every event has, whoever made it: compared once, not in every test.
_ENVELOPE = (
    "originator_id",
    "originator_version",
    "originator_topic",
    "timestamp",
    "by",
    "device",
    "seq",
    "digest",
    "request",
    "address",
    "reason",
)


def origin(by: str = ANN, minutes: float = 0, **more: Any) -> Origin:
    """Somebody who asks, so many minutes after Monday at nine."""
    return Origin(by, MONDAY + timedelta(minutes=minutes), **more)


def opened(data: Data | None = None, **opening: Any) -> Draft:
    """Ann's open draft, saved."""
    draft = DRAFTS.open(Opening("gig", "42", data or {}, **opening), origin(), new=ID, slot=True)
    return saved(draft)


def saved(draft: Draft) -> Draft:
    """The draft once its events are stored."""
    draft.collect_events()
    return draft


def happened(draft: Draft) -> list[DraftEvent]:
    """The events that wait to be stored."""
    return [event for event in draft.pending_events if isinstance(event, DraftEvent)]


def told(draft: Draft) -> list[dict[str, Any]]:
    """What waits to be stored, as facts: each event's act and what it says beyond the envelope."""
    return [{"act": event.act, **facts(event)} for event in happened(draft)]


def facts(event: DraftEvent) -> dict[str, Any]:
    """What an event says beyond its envelope, without what is not there."""
    said = vars(event).items()
    return {name: value for name, value in said if name not in _ENVELOPE and value is not None}


def put(path: str, value: Any, op: str = "replace") -> dict[str, Any]:
    """One change as a client sends it."""
    return {"op": op, "path": path, "value": value}


def set_to(data: Data, based_on: int | None = None) -> Edit:
    """An edit that sends the whole form."""
    return Edit(based_on=based_on, data=data)


def fields(values: Data, based_on: int | None = None) -> Edit:
    """An edit that puts values into top-level fields."""
    return Edit(based_on=based_on, changes=[put(f"/{k}", v, "add") for k, v in values.items()])


def with_history(states: Sequence[Data]) -> Draft:
    """Ann's draft whose version 1, 2, … held these; equal neighbours are one version."""
    draft = opened(states[0])
    for data in states[1:]:
        DRAFTS.edit(draft, set_to(data), origin())
    return saved(draft)


def inside(draft: Draft) -> dict[str, Any]:
    """Everything that the draft knows, to be compared."""
    return {name: _copied(value) for name, value in vars(draft).items()}


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, list | dict) else value


def history(draft: Draft) -> list[DraftEvent]:
    """All events of a draft that remembers all of them."""
    assert len(draft.recent) == draft.version
    return draft.recent[:]


def replaced(path: str, before: Any, after: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "before": before, "after": after}


def by(who: str, version: int, change: dict[str, Any]) -> dict[str, Any]:
    return {**change, "by": who, "version": version}


def recorded(draft: Draft, **more: Any) -> Receipt:
    """The receipt of something that was recorded just now."""
    return replace(receipt(draft, recorded=True), **more)


# Every command on a draft that is there, by what it needs.
Command = Callable[[Draft, Origin], Answer]

EDIT = fields({"fee": 9})
WRITES: dict[str, Command] = {
    "fill": lambda d, o: DRAFTS.fill(d, Opening("gig", "42", {"new": 1}), o),
    "edit": lambda d, o: DRAFTS.edit(d, EDIT, o),
    "restore": lambda d, o: DRAFTS.restore(d, 1, {"fee": 9}, o),
    "undo": lambda d, o: DRAFTS.undo(d, Step(1, 1, {}, {"fee": 1}), o),
    "extend": DRAFTS.extend,
}
ANY_STATUS: dict[str, Command] = {
    "label": lambda d, o: DRAFTS.label(d, 1, "x", o),
    "unlabel": lambda d, o: DRAFTS.unlabel(d, 1, o),
}
MANAGES: dict[str, Command] = {
    "submit": DRAFTS.submit,
    "discard": DRAFTS.discard,
    "recover": DRAFTS.recover,
    "make a template": lambda d, o: DRAFTS.template(d, o, on=True),
}
COMMANDS = {**WRITES, **ANY_STATUS, **MANAGES}


def refusal(command: Command, draft: Draft, asked: Origin) -> VariorumError:
    """The error that a command is refused with; the draft stays just as it was."""
    before = inside(draft)
    with pytest.raises(VariorumError) as refused:
        command(draft, asked)
    assert inside(draft) == before
    return refused.value

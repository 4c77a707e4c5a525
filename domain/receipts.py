"""What a command answers: a receipt, or that the request was recorded before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import diff
from domain.conflict import Conflict
from domain.draft import Draft
from domain.errors import VariorumError
from domain.identity import Keys
from domain.value import Data


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a write: which version the draft is at, and what happened besides the edit.

    `changes` are as served, each `by` somebody's key; they lead from one to the other data of
    `between`, of this `form`.
    """

    id: UUID
    version: int
    recorded: bool
    saved_at: datetime
    expires_at: datetime | None
    merged: bool = False
    changes: Sequence[dict[str, Any]] = ()
    conflicts: Sequence[Conflict] = ()
    outcomes: Sequence[Mapping[str, str]] | None = None
    form: str = field(default="", compare=False)
    between: tuple[Data, Data] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Repeated:
    """The request was recorded before, as this version: its first answer holds."""

    version: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """The number lies below the device's last one: history knows whether it was recorded."""

    device: str
    seq: int
    digest: str | None
    last_seq: int


@dataclass(frozen=True, slots=True)
class Several:
    """The answers to a queue of edits, in order: each its own, or why it was refused."""

    answers: Sequence[Receipt | Repeated | Earlier | VariorumError]


Answer = Receipt | Repeated | Earlier | Several


def receipt(
    draft: Draft,
    *,
    recorded: bool = False,
    merged: bool = False,
    changes: Sequence[dict[str, Any]] = (),
    outcomes: Sequence[Mapping[str, str]] | None = None,
    conflicts: Sequence[Conflict] | None = None,
    between: tuple[Data, Data] | None = None,
) -> Receipt:
    """The draft as it stands, as an answer; a trial has conflicts of its own."""
    return Receipt(
        id=draft.id,
        version=draft.version,
        recorded=recorded,
        saved_at=draft.modified_on,
        expires_at=draft.expires_at,
        merged=merged,
        changes=changes,
        conflicts=draft.conflicts if conflicts is None else conflicts,
        outcomes=outcomes,
        form=draft.form,
        between=between,
    )


def told(sent: Data, held: Data, keys: Keys | None = None) -> list[dict[str, Any]]:
    """A receipt's changes: from what the client sent to what the draft holds.

    Always in the same order, however the members of the two happen to be ordered, so that a
    repetition gets the very same.
    """
    return diff.serve(diff.diff(_by_name(sent), _by_name(held), keys), sent)


def _by_name(value: Any) -> Any:
    if type(value) is dict:
        return {name: _by_name(value[name]) for name in sorted(value)}
    return list(map(_by_name, value)) if type(value) is list else value

"""Drafts: every command on a draft; decides by the product's rules and records, saves nothing.

A command checks in this order: gate, repetition, status, If-Match, merge (the token is checked
before it gets here). It either raises and leaves the draft untouched, or answers; what it recorded
are the draft's pending events.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from domain import access, diff
from domain import merge as merging
from domain.diff import Change
from domain.draft import DataEvent, Draft, DraftEvent, Origin, members_added
from domain.errors import (
    CannotApply,
    Clash,
    DraftClosed,
    Invalid,
    SeqReused,
    VersionMismatch,
    VersionNotFound,
)
from domain.merge import Merged, clash_at, merge
from domain.patch import merge_patch, patch
from domain.path import parse
from domain.restore import restore
from domain.undo import undo
from domain.value import Data, count_members, depth_of, same


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator may set: expiry in days, and how large a draft may grow."""

    expiry_days: int = 30
    max_depth: int = 32
    max_members: int = 10_000


@dataclass(frozen=True, slots=True)
class Edit:
    """What a client sends: `changes` (RFC 6902 operations), the whole `data`, or a `merge_patch`.

    Exactly one of the three is given, or none for an edit of the step alone. `based_on` is the
    version that the client held; without it the changes mean the version now.
    """

    based_on: int | None = None
    changes: Sequence[dict[str, Any]] | None = None
    data: Data | None = None
    merge_patch: Data | None = None
    step: str | None = None
    completed_steps: Sequence[str] | None = None
    if_match: Collection[int] | None = None

    def applied_to(self, base: Data) -> Data:
        """The data as the client sees it: the edit over its base.

        Raises:
            CannotApply: A change does not fit the base.
        """
        if self.changes is not None:
            return patch(base, self.changes)
        if self.merge_patch is not None:
            return merge_patch(base, self.merge_patch)
        return base if self.data is None else self.data


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a write: which version the draft is at, and what happened besides the edit."""

    id: UUID
    version: int
    recorded: bool
    saved_at: datetime
    expires_at: datetime
    merged: bool = False
    changes: Sequence[dict[str, Any]] = ()
    conflicts: Sequence[dict[str, Any]] = ()
    outcomes: Sequence[Mapping[str, str]] | None = None


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


Answer = Receipt | Repeated | Earlier


@dataclass(frozen=True, slots=True)
class Opening:
    """What a client sends to open a draft."""

    form: str
    subject: str | None = None
    data: Data = field(default_factory=dict)
    step: str | None = None
    completed_steps: Sequence[str] = ()


class Drafts:
    """The commands, under an operator's rules."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    # -- beginning

    def open(
        self, opening: Opening, origin: Origin, *, slot: bool, new: UUID | None = None
    ) -> Draft:
        """A new draft; with `slot` it is the one open draft for its owner, form and subject."""
        self._must_fit(count_members(opening.data), depth_of(opening.data))
        return Draft._create(  # noqa: SLF001 - the library's way to choose the first event
            Draft.Created,
            id=new or uuid4(),
            **_envelope(origin),
            form=opening.form,
            subject=opening.subject,
            data=opening.data,
            step=opening.step,
            completed_steps=tuple(opening.completed_steps),
            expiry_days=self.rules.expiry_days,
            slot=slot,
        )

    def fork(self, source: Draft, origin: Origin, *, new: UUID) -> Draft:
        """A new draft of the caller's that begins with the data of `source` at its version."""
        return Draft._create(  # noqa: SLF001 - the library's way to choose the first event
            Draft.Forked,
            id=new,
            **_envelope(origin),
            form=source.form,
            subject=source.subject,
            data=source.data,
            step=source.step,
            completed_steps=tuple(source.completed_steps),
            expiry_days=self.rules.expiry_days,
            forked_from={"draft": str(source.id), "version": source.version},
        )

    # -- writing data

    def fill(self, draft: Draft, opening: Opening, origin: Origin) -> Answer:
        """Add the members of the opening's data that the draft lacks; empty ones change nothing.

        Raises:
            Clash: A member is there already with another value.
        """
        if (earlier := self._admit(draft, origin)) is not None:
            return earlier
        lacking, clashing = filling(draft.data, opening.data)
        if clashing:
            raise Clash(
                [
                    _clash(draft, clash_at(f"/{k}", None, draft.data[k], v))
                    for k, v in clashing.items()
                ]
            )
        changes = diff.diff(draft.data, {**draft.data, **lacking})
        return self._record(draft, Draft.Edited, changes, origin)

    def edit(self, draft: Draft, edit: Edit, origin: Origin) -> Answer:
        """Save what changed, merged with what others changed since `based_on`.

        Raises:
            Clash: Both sides changed the same, differently.
            CannotApply: A change does not fit the data that it is based on.
        """
        if (earlier := self._admit(draft, origin, edit.if_match)) is not None:
            return earlier
        if edit.based_on is None or edit.based_on == draft.version:
            return self._save(draft, edit, origin, base=draft.data)
        if edit.based_on > draft.version:
            raise Invalid.one("/based_on", f"The draft is only at version {draft.version}.")
        since = [e for e in draft.since(edit.based_on) if isinstance(e, DataEvent)]
        if all(_is_own_edit(event, origin.device) for event in since):
            return self._save(draft, edit, origin, base=draft.data)
        return self._merge(draft, edit, origin, base=device_copy(draft.data, since, origin.device))

    def restore(
        self,
        draft: Draft,
        version: int,
        then: Data,
        origin: Origin,
        *,
        paths: Sequence[str] | None = None,
        dry_run: bool = False,
        if_match: Collection[int] | None = None,
    ) -> Answer:
        """Bring back the data, or some paths of it, as they were `then`, at `version`."""
        if (earlier := self._admit(draft, origin, if_match)) is not None:
            return earlier
        changes = diff.diff(draft.data, restore(draft.data, then, paths))
        kept = None if paths is None else tuple(paths)
        return self._record(
            draft,
            Draft.Restored,
            changes,
            origin,
            dry_run=dry_run,
            tell=True,
            version=version,
            paths=kept,
        )

    def undo(
        self,
        draft: Draft,
        version: int,
        through: int,
        before: Data,
        after: Data,
        origin: Origin,
        *,
        paths: Sequence[str] | None = None,
        dry_run: bool = False,
        if_match: Collection[int] | None = None,
    ) -> Answer:
        """Take back what `version` to `through` changed (`before` to `after`); keep the rest."""
        if (earlier := self._admit(draft, origin, if_match)) is not None:
            return earlier
        undone = undo(before, after, draft.data, paths)
        outcomes = tuple({"path": path, "outcome": outcome} for path, outcome in undone.outcomes)
        return self._record(
            draft,
            Draft.Undone,
            diff.diff(draft.data, undone.data),
            origin,
            dry_run=dry_run,
            tell=True,
            version=version,
            through=through,
            outcomes=outcomes,
        )

    # -- all that leaves the data as it is

    def label(self, draft: Draft, version: int, label: str, origin: Origin) -> Answer:
        """Name a version; naming it the same again records nothing."""
        if (earlier := self._admit(draft, origin, closed_too=True)) is not None:
            return earlier
        if not 1 <= version <= draft.version:
            raise VersionNotFound(version, draft.version)
        if draft.labels.get(version) == label:
            return receipt(draft)
        return self._happen(draft, Draft.Labelled, origin, version=version, label=label)

    def unlabel(self, draft: Draft, version: int, origin: Origin) -> Answer:
        """Take the name off a version, if it has one."""
        if (earlier := self._admit(draft, origin, closed_too=True)) is not None:
            return earlier
        if version not in draft.labels:
            return receipt(draft)
        return self._happen(draft, Draft.Unlabelled, origin, version=version)

    def extend(self, draft: Draft, origin: Origin) -> Answer:
        """Put the expiry off to the full time from now."""
        if (earlier := self._admit(draft, origin)) is not None:
            return earlier
        return self._happen(draft, Draft.Extended, origin, expiry_days=self.rules.expiry_days)

    def submit(
        self, draft: Draft, origin: Origin, *, if_match: Collection[int] | None = None
    ) -> Answer:
        """Finish the draft."""
        if (earlier := self._admit(draft, origin, if_match, right="manage")) is not None:
            return earlier
        return self._happen(draft, Draft.Submitted, origin)

    def discard(
        self, draft: Draft, origin: Origin, *, if_match: Collection[int] | None = None
    ) -> Answer:
        """Put the draft in the trash."""
        if (earlier := self._admit(draft, origin, if_match, right="manage")) is not None:
            return earlier
        return self._happen(draft, Draft.Discarded, origin)

    def recover(self, draft: Draft, origin: Origin) -> Answer:
        """Take the draft out of the trash; it is open again and takes the slot that it had."""
        if (earlier := self._admit(draft, origin, right="manage", closed_too=True)) is not None:
            return earlier
        if draft.status == "submitted":
            raise DraftClosed(draft.status)
        if draft.status == "open":
            return receipt(draft)
        days = self.rules.expiry_days
        return self._happen(draft, Draft.Recovered, origin, expiry_days=days, slot=draft.slot)

    # -- the steps of every command

    def _admit(
        self,
        draft: Draft,
        origin: Origin,
        if_match: Collection[int] | None = None,
        *,
        right: Literal["write", "manage"] = "write",
        closed_too: bool = False,
    ) -> Repeated | Earlier | None:
        access.require(draft.role_of(origin.by), right)
        if (earlier := _repetition(draft, origin)) is not None:
            return earlier
        if not closed_too:
            draft.must_be_open()
        if if_match is not None and draft.version not in if_match:
            raise VersionMismatch(draft.version)
        return None

    def _save(self, draft: Draft, edit: Edit, origin: Origin, base: Data) -> Receipt:
        changes = diff.diff(base, edit.applied_to(base))
        return self._record(
            draft,
            Draft.Edited,
            changes,
            origin,
            based_on=edit.based_on,
            step=_news(edit.step, draft.step),
            completed_steps=_news(edit.completed_steps, draft.completed_steps),
        )

    def _merge(self, draft: Draft, edit: Edit, origin: Origin, base: Data) -> Receipt:
        sent = edit.applied_to(base)
        merged = merge(base, ours=draft.data, theirs=sent)
        if merged.clashes:
            raise Clash(_clashes(draft, merged))
        changes, as_sent = diff.diff(draft.data, merged.data), diff.diff(base, sent)
        # A queue's next edits go on from what was sent: that counts even if others had made the
        # same change before, so that nothing in the draft changes.
        in_vain = not changes and origin.seq is None
        done = self._record(
            draft,
            Draft.Merged,
            changes,
            origin,
            based_on=edit.based_on,
            sent=None if as_sent == changes or in_vain else as_sent,
            step=_news(edit.step, draft.step),
            completed_steps=_news(edit.completed_steps, draft.completed_steps),
        )
        return receipt(draft, recorded=done.recorded, merged=True, changes=told(sent, draft.data))

    def _record(
        self,
        draft: Draft,
        event: type[DataEvent],
        changes: list[Change],
        origin: Origin,
        *,
        dry_run: bool = False,
        tell: bool = False,
        **facts: Any,
    ) -> Receipt:
        """Record what alters anything: the changes, the step or what a device holds.

        `tell` lists the changes in the receipt.
        """
        self._must_stay_within(draft, changes)
        answer = diff.serve(changes, draft.data) if tell else ()
        news = (facts.get(name) for name in ("sent", "step", "completed_steps"))
        alters = bool(changes) or any(one is not None for one in news)
        recorded = alters and not dry_run
        if recorded:
            self._trigger(
                draft, event, origin, changes=changes, expiry_days=self._new_expiry(draft), **facts
            )
        return receipt(draft, recorded=recorded, changes=answer, outcomes=facts.get("outcomes"))

    def _happen(
        self, draft: Draft, event: type[DraftEvent], origin: Origin, **facts: Any
    ) -> Receipt:
        self._trigger(draft, event, origin, **facts)
        return receipt(draft, recorded=True)

    def _trigger(self, draft: Draft, event: type[DraftEvent], origin: Origin, **facts: Any) -> None:
        envelope = _envelope(origin)
        envelope["timestamp"] = max(origin.at, draft.modified_on)
        draft.trigger_event(event, **envelope, **facts)

    def _new_expiry(self, draft: Draft) -> int | None:
        days = self.rules.expiry_days
        return None if days == draft.expiry_days else days

    def _must_stay_within(self, draft: Draft, changes: Sequence[Change]) -> None:
        depth = max((_depth(change) for change in changes), default=0)
        self._must_fit(draft.member_count + members_added(changes), depth)

    def _must_fit(self, members: int, depth: int) -> None:
        if depth > self.rules.max_depth:
            raise Invalid.one(
                "/data", f"The data may be nested {self.rules.max_depth} deep at most."
            )
        if members > self.rules.max_members:
            raise Invalid.one(
                "/data", f"A draft may have {self.rules.max_members} members and items at most."
            )


def filling(data: Data, given: Data) -> tuple[Data, Data]:
    """What a draft lacks of what is given, and what it holds otherwise; never what is empty."""
    news = {k: v for k, v in given.items() if not _empty(v)}
    lacking = {k: v for k, v in news.items() if k not in data}
    clashing = {k: v for k, v in news.items() if k in data and not same(data[k], v)}
    return lacking, clashing


def shares_a_field(data: Data, given: Data) -> bool:
    """Whether both have an equal member that is not empty."""
    return any(k in data and not _empty(v) and same(data[k], v) for k, v in given.items())


def device_copy(data: Data, since: Sequence[DataEvent], device: str | None) -> Data:
    """What the device held: the data before `since`, and over it its own edits, as sent."""
    states = [data]
    for event in reversed(since):
        states.append(diff.apply(diff.invert(event.changes), states[-1]))
    copy = before = states.pop()
    for event in since:
        after = states.pop()
        if device is not None and event.device == device and event.act in ("edited", "merged"):
            copy = _over(copy, event, before, after)
        before = after
    return copy


def _over(copy: Data, event: DataEvent, before: Data, after: Data) -> Data:
    """A device's copy with its own edit over it, which led the draft from `before` to `after`."""
    try:
        return diff.apply(event.changes if event.sent is None else event.sent, copy)
    except CannotApply:  # it was made on a later base than this copy
        return merge(before, ours=after, theirs=copy).data


def receipt(
    draft: Draft,
    *,
    recorded: bool = False,
    merged: bool = False,
    changes: Sequence[dict[str, Any]] = (),
    outcomes: Sequence[Mapping[str, str]] | None = None,
) -> Receipt:
    """The draft as it stands, as an answer."""
    return Receipt(
        id=draft.id,
        version=draft.version,
        recorded=recorded,
        saved_at=draft.modified_on,
        expires_at=draft.expires_at,
        merged=merged,
        changes=changes,
        conflicts=draft.conflicts,
        outcomes=outcomes,
    )


def told(sent: Data, held: Data) -> list[dict[str, Any]]:
    """A receipt's changes: from what the client sent to what the draft holds.

    Always in the same order, however the members of the two happen to be ordered, so that a
    repetition gets the very same.
    """
    return diff.serve(diff.diff(_by_name(sent), _by_name(held)), sent)


def _by_name(value: Any) -> Any:
    if type(value) is dict:
        return {name: _by_name(value[name]) for name in sorted(value)}
    return list(map(_by_name, value)) if type(value) is list else value


def _repetition(draft: Draft, origin: Origin) -> Repeated | Earlier | None:
    if origin.device is None or origin.seq is None or origin.device not in draft.devices:
        return None
    last, version, digest = draft.devices[origin.device]
    if origin.seq > last:
        return None
    if origin.seq < last:
        return Earlier(origin.device, origin.seq, origin.digest, last)
    if digest != origin.digest:
        raise SeqReused(last)
    return Repeated(version)


def _envelope(origin: Origin) -> dict[str, Any]:
    return {
        "timestamp": origin.at,
        "by": origin.by,
        "device": origin.device,
        "seq": origin.seq,
        "digest": origin.digest,
        "request": origin.request,
        "address": origin.address,
        "reason": origin.reason,
    }


def _news(value: Any, held: Any) -> Any:
    return None if value is None or value == held else value


def _is_own_edit(event: DataEvent, device: str | None) -> bool:
    """An edit of this device's that was recorded just as it was sent."""
    return event.device == device is not None and isinstance(event, Draft.Edited)


def _depth(change: Change) -> int:
    return len(parse(change["path"])) + depth_of(change.get("after"))


def _empty(value: object) -> bool:
    return value is None or value in ("", [], {})


def _clashes(draft: Draft, merged: Merged) -> list[dict[str, Any]]:
    return [_clash(draft, clash) for clash in merged.clashes]


def _clash(draft: Draft, clash: merging.Clash) -> dict[str, Any]:
    """A clash for a person to look at; a value that is not there is no member."""
    return {
        "paths": list(clash.paths),
        "base": clash.base,
        "ours": {"values": clash.ours, "version": draft.version},
        "theirs": [{"values": clash.theirs}],
    }

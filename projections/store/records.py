"""What the two engines store and give back: rows as plain values, and events as bytes and again.

What every save makes is a named tuple: a frozen data class takes four times as long to make.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

import orjson
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder

from domain import events
from domain.access import LINK, is_link
from domain.chain import Chain
from domain.draft import Draft
from domain.event import Beginning, DataEvent, DraftEvent

COMPRESS_ABOVE = 2048  # bytes; below it zlib saves little


class JsonTranscoder(Transcoder):
    """Event attributes as compact JSON; what is None is left out, times are RFC 3339 in UTC."""

    def encode(self, obj: Any) -> bytes:
        """The stored bytes, which are also what the chain is made over."""
        return orjson.dumps(
            {k: v for k, v in obj.items() if v is not None}, option=orjson.OPT_UTC_Z
        )

    def decode(self, data: bytes) -> Any:
        """The attributes again."""
        attributes = orjson.loads(data)
        attributes["timestamp"] = datetime.fromisoformat(attributes["timestamp"])
        return attributes


MAPPER: Mapper[UUID] = Mapper(JsonTranscoder())


class Record(NamedTuple):
    """One event as it stands in the log, with its link in the chain."""

    draft: UUID
    version: int
    topic: str
    state: bytes
    by: str
    hash: bytes

    def event(self) -> DraftEvent:
        """The event itself."""
        return to_event(self.draft, self.version, self.topic, self.state)


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A share link that is good until it expires: its draft and role, and the hash of its token."""

    id: str
    draft: UUID
    role: str
    token_hash: str
    expires_at: datetime | None


class VersionRow(NamedTuple):
    """The thin row of the version history that is written beside an event."""

    at: datetime
    device: str | None
    seq: int | None
    paths: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class State:
    """A whole draft at a version; `resting` ones give way to the next."""

    draft: UUID
    version: int
    body: bytes
    rest: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Resting:
    """What the drafts page knows of a draft only once it is quiet; counts are None if unknown.

    `search` is what a search looks through, `resume` the step to go on with, `filled` how many of
    the form's `fields` hold something. A draft's line has a `title` before, but maybe by an older
    definition of its form.
    """

    search: str = ""
    resume: str | None = None
    filled: int | None = None
    fields: int | None = None
    title: str | None = None


@dataclass(slots=True)
class Group:
    """What the writer saves in one transaction; `seen` is where it believes each draft to be."""

    seen: dict[UUID, int] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    rows: list[VersionRow] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    registers: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Committed:
    """The group is saved; `head` is the notification id of its last event."""

    head: int


@dataclass(frozen=True, slots=True)
class Moved:
    """Nothing was saved: other processes moved these drafts."""

    drafts: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Taken:
    """Nothing was saved: these drafts hold slots that the group wanted."""

    drafts: Sequence[UUID]


Outcome = Committed | Moved | Taken


@dataclass(frozen=True, slots=True)
class Reading:
    """The nearest whole draft at or before the wanted version, and the events between."""

    role: str
    head: int
    version: int
    body: bytes | None
    rest: bytes | None
    tail: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """All that makes a draft's aggregate: its newest whole state and the events after it.

    `kept` is the version of the newest state that stays for ever; 0 if there is none yet.
    """

    state: State | None
    records: Sequence[Record]
    kept: int = 0


def to_record(event: DraftEvent, chain: Chain, previous: bytes) -> Record:
    """The event as bytes, chained to the one before it."""
    stored = MAPPER.to_stored_event(event)
    draft, version = event.originator_id, event.originator_version
    link = chain.link(previous, draft, version, stored.topic, stored.state)
    return Record(draft, version, stored.topic, stored.state, event.by, link)


def to_event(draft: UUID, version: int, topic: str, state: bytes) -> DraftEvent:
    """The event that these bytes are."""
    stored = StoredEvent(originator_id=draft, originator_version=version, topic=topic, state=state)
    return cast("DraftEvent", MAPPER.to_domain_event(stored))


def to_row(event: DraftEvent) -> VersionRow:
    """The event's line in the version history."""
    paths = None
    if isinstance(event, DataEvent):
        paths = "\n".join(change["path"] for change in event.changes)
    return VersionRow(event.timestamp, event.device, event.seq, paths, event.reason)


def relabelled(labels: Mapping[int, str], later: Sequence[Record]) -> dict[int, str]:
    """A draft's labels by version, once these events have happened as well."""
    held = dict(labels)
    for event in (record.event() for record in later):
        if isinstance(event, events.Labelled):
            held[event.version] = event.label
        elif isinstance(event, events.Unlabelled):
            held.pop(event.version, None)
    return held


def to_registers(event: DraftEvent, draft: Draft) -> list[dict[str, Any]]:
    """What the event means for the registers, in order; nothing for a plain save."""
    if isinstance(event, DataEvent):
        return _import_lines(event) if isinstance(event, events.Merged) else []
    base = {"draft": str(event.originator_id)}
    slot = {
        **base,
        "register": "take_slot",
        "owner": draft.owner,
        "form": draft.form,
        "subject": draft.subject,
    }
    if isinstance(event, events.Shared | events.Unshared | events.HandedOver):
        return [{**base, **line} for line in _access_lines(event, draft)]
    if isinstance(event, Beginning):
        grant = {**base, "register": "grant", "principal": draft.owner, "role": "owner"}
        if event.owner is not None:
            return [grant, {**grant, "principal": event.by, "role": "editor"}]
        imports = _import_lines(event) if isinstance(event, events.Imported) else []
        return [grant, *([slot] if event.slot else []), *imports]
    if isinstance(event, events.Recovered):
        return [slot] if event.slot else []
    if isinstance(
        event, events.Submitted | events.Discarded | events.Expired | events.MadeTemplate
    ):
        return [{**base, "register": "free_slot"}]
    if isinstance(event, events.Labelled):
        return [{**base, "register": "label", "version": event.version, "label": event.label}]
    if isinstance(event, events.Unlabelled):
        return [{**base, "register": "label", "version": event.version, "label": None}]
    return []


def _import_lines(event: events.Imported | events.Merged) -> list[dict[str, Any]]:
    if event.imported is None:
        return []
    about = {"draft": str(event.originator_id), "id": event.imported["id"]}
    return [{"register": "imported", **about}]


def _access_lines(
    event: events.Shared | events.Unshared | events.HandedOver, draft: Draft
) -> list[dict[str, Any]]:
    if isinstance(event, events.Unshared):
        return [{"register": "revoke", "principal": event.principal}]
    if isinstance(event, events.Shared):
        return [_grant(event.principal, event.role), *_link_lines(event)]
    lines = [_grant(event.to, "owner"), _grant(event.by, "editor")]
    if draft.status == "open" and draft.slot:
        place = {"owner": event.to, "form": draft.form, "subject": draft.subject}
        lines += [{"register": "free_slot"}, {"register": "take_slot", **place}]
    return lines


def _link_lines(event: events.Shared) -> list[dict[str, Any]]:
    if not is_link(event.principal):
        return []
    token = {"token_hash": event.token_hash, "expires_at": event.expires_at}
    return [{"register": "link", "id": event.principal.removeprefix(LINK), **token}]


def _grant(principal: str, role: str) -> dict[str, Any]:
    return {"register": "grant", "principal": principal, "role": role}


def packed(body: bytes) -> bytes:
    """A large body compressed, a small one as it is."""
    return zlib.compress(body, 6) if len(body) > COMPRESS_ABOVE else body


def unpacked(body: bytes) -> bytes:
    """The body again; a plain one begins with a brace, which zlib never does."""
    return body if body[:1] == b"{" else zlib.decompress(body)

"""The form as it is, as it was at any version, and at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import orjson

from domain.conflict import Conflict
from domain.draft import Draft
from domain.form import Form
from domain.masking import masked, masked_conflict, title_is_sensitive
from domain.recent import Recent
from domain.value import count_members
from projections.overlay import overlaid
from projections.store.records import Loaded, Reading, State, packed, to_event, unpacked

KEY_LENGTH = 12  # of a person's key, so that the owner's name can be put in its place
OWNER_MEMBER = KEY_LENGTH + len(',"owner":""}')  # bytes at the end of every body
_FORM_STARTS = len('{"id":"","form":') + len(str(UUID(int=0)))  # in every body
_FORM_ENDS = b',"subject":'  # no text within JSON can hold this, since its quotes are escaped
NO_CONFLICTS = b',"conflicts":[]'  # just before it


def body_of(draft: Draft) -> bytes:
    """What is served of a draft, but for names and the caller's role.

    `conflicts` and `owner` hold keys of people and come last, so that names can take their place.
    """
    return orjson.dumps(
        {**_before_data(draft), "data": draft.data, **_after_data(draft)}, option=orjson.OPT_UTC_Z
    )


def outline_of(draft: Draft) -> dict[str, Any]:
    """The members of the body without the data."""
    return {**_before_data(draft), **_after_data(draft)}


def _before_data(draft: Draft) -> dict[str, Any]:
    return {
        "id": str(draft.id),
        "form": draft.form,
        "subject": draft.subject,
        "title": draft.title,
        "template": draft.template,
        "status": draft.status,
        "version": draft.version,
    }


def _after_data(draft: Draft) -> dict[str, Any]:
    return {
        "step": draft.step,
        "completed_steps": draft.completed_steps,
        "created_at": draft.created_on,
        "saved_at": draft.modified_on,
        "expires_at": draft.expires_at,
        "forked_from": draft.forked_from,
        "from_template": draft.from_template,
        "conflicts": draft.conflicts,
        "owner": draft.owner,
    }


def rest_of(draft: Draft) -> bytes:
    """What the aggregate knows beyond its body."""
    return orjson.dumps(
        {
            "members": draft.members,
            "links": draft.links,
            "labels": draft.labels,
            "devices": draft.devices,
            "expiry_days": draft.expiry_days,
            "closed_at": draft.closed_at,
            "slot": draft.slot,
            "conflicts_ever": draft.conflicts_ever,
            "settled": draft.settled,
            "merged_forks": draft.merged_forks,
            "imports": draft.imports,
            "title_path": draft.title_path,
            "steps_done": draft.steps_done,
        },
        option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z,
    )


def state_of(draft: Draft, link: bytes, *, resting: bool = False) -> State:
    """The whole draft as a row; resting ones stay plain, since they are read often."""
    body = body_of(draft)
    return State(draft.id, draft.version, body if resting else packed(body), rest_of(draft), link)


def kept_every(size: int) -> int:
    """After how many versions a whole state is kept, by the stored size of the last one.

    Seldom for large drafts, so that a state costs about 128 bytes per version; never so seldom that
    reading an old version would have to fold more than 256 events.
    """
    return max(16, min(256, size // 128))


def revive(draft_id: UUID, version: int, body: bytes, rest: bytes, *, reach: int = 0) -> Draft:
    """The aggregate as it was at that version; it will remember `reach` events for merging."""
    seen, more = orjson.loads(unpacked(body)), orjson.loads(rest)
    draft = Draft.__new__(Draft)
    draft.__base_init__(draft_id, version, datetime.fromisoformat(seen["created_at"]))
    draft.modified_on = datetime.fromisoformat(seen["saved_at"])
    draft.expires_at, draft.closed_at = _time(seen["expires_at"]), _time(more["closed_at"])
    for name in _AS_THEY_ARE:
        setattr(draft, name, seen[name])
    for name in _REST_AS_IT_IS:
        setattr(draft, name, more[name])
    draft.settled = [(version, mark) for version, mark in more["settled"]]
    draft.labels = {int(n): label for n, label in more["labels"].items()}
    draft.devices = {device: tuple(last) for device, last in more["devices"].items()}
    draft.member_count = count_members(draft.data)
    draft.recent, draft.reach = Recent(), reach
    return draft


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


_AS_THEY_ARE = (
    "owner",
    "form",
    "subject",
    "template",
    "status",
    "data",
    "step",
    "completed_steps",
    "conflicts",
    "forked_from",
    "from_template",
)
_REST_AS_IT_IS = (
    "members",
    "links",
    "expiry_days",
    "slot",
    "conflicts_ever",
    "merged_forks",
    "imports",
    "title_path",
    "steps_done",
)


def fold(draft_id: UUID, reading: Reading) -> Draft:
    """The draft at the version asked for: the nearest whole one and the events after it."""
    draft = None
    if reading.body is not None and reading.rest is not None:
        draft = revive(draft_id, reading.version, reading.body, reading.rest)
    return _continue(draft_id, draft, reading.version, reading.tail)


def _continue(
    draft_id: UUID, draft: Draft | None, version: int, tail: Sequence[tuple[str, bytes]]
) -> Draft:
    for number, (topic, state) in enumerate(tail, version + 1):
        draft = to_event(draft_id, number, topic, state).mutate(draft)
    assert draft is not None, "a draft begins with its first event"
    return draft


def aggregate(draft_id: UUID, loaded: Loaded, *, reach: int) -> tuple[Draft, bytes]:
    """The aggregate as the log has it now, and the last link of its chain."""
    draft, link = None, b""
    if (state := loaded.state) is not None:
        draft, link = (
            revive(draft_id, state.version, state.body, state.rest, reach=reach),
            state.hash,
        )
    for record in loaded.records:
        draft, link = record.event().mutate(draft), record.hash
    assert draft is not None, "a draft begins with its first event"
    return draft, link


def served(body: bytes, owner: str, role: str) -> bytes:
    """A body for one caller: the owner by name, and the caller's role."""
    return b"%b,%b" % (body[:-OWNER_MEMBER], orjson.dumps({"owner": owner, "role": role})[1:])


def conflicts_of(body: bytes) -> list[Conflict]:
    """The open conflicts in a body, with the keys of people."""
    if body[:-OWNER_MEMBER].endswith(NO_CONFLICTS):
        return []
    return cast("list[Conflict]", orjson.loads(body)["conflicts"])


def with_conflicts(body: bytes, named: list[Conflict]) -> bytes:
    """A body whose conflicts tell of people by name."""
    return orjson.dumps({**orjson.loads(body), "conflicts": named})


def form_of(body: bytes) -> str:
    """The form of the draft; its name stands near the beginning, and nothing else is read."""
    name: str = orjson.loads(body[_FORM_STARTS : body.index(_FORM_ENDS, _FORM_STARTS)])
    return name


def masked_body(body: bytes, form: Form) -> bytes:
    """A body with masks in the place of sensitive values; a title made of one is left out."""
    shown = orjson.loads(body)
    shown["data"] = masked(shown["data"], form)
    shown["conflicts"] = [masked_conflict(conflict, form) for conflict in shown["conflicts"]]
    if title_is_sensitive(form):
        shown["title"] = None
    return orjson.dumps(shown)


def owner_key(body: bytes) -> str:
    """The key of the draft's owner."""
    return body[-KEY_LENGTH - 2 : -2].decode()


def body_at(draft_id: UUID, reading: Reading) -> bytes:
    """The body at the version asked for; ready bytes if a whole draft stands just there."""
    if reading.body is not None and reading.rest is not None:
        body = unpacked(reading.body)
        shown = overlaid(body, reading.rest, reading.tail) if reading.tail else body
        if shown is not None:
            return shown
    return body_of(fold(draft_id, reading))


def data_at(draft_id: UUID, reading: Reading) -> dict[str, Any]:
    """The form's values at the version that was asked for."""
    if reading.body is not None and not reading.tail:
        data: dict[str, Any] = orjson.loads(unpacked(reading.body))["data"]
        return data
    return fold(draft_id, reading).data

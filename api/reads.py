"""The log of what auditors read: a line for each, noted before the answer leaves.

Nothing in it may have to be forgotten, since nobody can take a line out. So a person who was asked
for stands in it by key, and of what was typed (a text, a name that nobody has, the id of an item)
only that it was: it may well come out of a draft that is purged one day. Names of fields stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

import orjson
from starlette.types import Scope

from api.answers import cursor, page
from api.people import People
from api.security import Principal
from domain import events
from domain.access import Reader
from domain.event import DraftEvent
from domain.masking import MASK
from projections.store.audit import AuditRead
from projections.store.base import Store

AUDIT: Final = "/v1/audit"
_PEOPLE: Final = ("by", "owner")  # parameters that hold names, which stand in one table only
_CHOSEN: Final = frozenset({"draft", "version", "at", "from", "to", "grouped", "limit", "cursor"})
"""Parameters that take numbers, times and ids only."""
_ACTS: Final = frozenset(
    kind.TOPIC.rpartition(".")[2]  # type: ignore[attr-defined]
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, DraftEvent) and "TOPIC" in vars(kind)
)
_ID: Final = re.compile(r"(?<=/)id:[^/]*")
_REFUSED: Final = 400


class Reads:
    """Notes what auditors read, and shows it to auditors."""

    def __init__(self, store: Store, people: People, clock: Any) -> None:
        self._store, self._people, self._clock = store, people, clock

    async def after(self, scope: Scope, status: int) -> None:
        """Note an answered request, if an auditor read a draft, or lines of the audit, by it."""
        caller: Principal | None = scope["state"].get("caller")
        if caller is None or not caller.is_auditor or scope["method"] != "GET":
            return
        draft = scope.get("path_params", {}).get("draft_id")
        if status < _REFUSED and (draft is not None or scope["path"] == AUDIT):
            await self._note(caller, scope, draft and UUID(draft))

    async def _note(self, caller: Principal, scope: Scope, draft: UUID | None) -> None:
        given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        asked = {name: await self._kept(name, value) for name, value in given}
        client = scope.get("client")
        await self._store.audit.note_read(
            AuditRead(
                at=self._clock(),
                by=await self._people.key_for(caller.sub),
                path=scope["path"],
                asked=orjson.dumps(asked).decode(),
                draft=draft,
                request=scope["state"]["request_id"],
                address=client[0] if client else None,
            )
        )

    async def _kept(self, name: str, value: str) -> Any:
        """What is noted of a parameter."""
        if name in _PEOPLE:
            return await self._people.key_of(value) or MASK
        if name == "path" and value.startswith("/"):
            return _ID.sub("id:*", value)
        is_act = name == "act" and value in _ACTS
        return value if is_act or name in _CHOSEN else MASK

    async def page(self, reader: Reader, before: int | None, limit: int) -> dict[str, Any]:
        """A page of the log, newest first."""
        noted = await self._store.audit.reads_noted(reader, before, limit + 1)
        asked = [orjson.loads(read.asked) for _, read in noted]
        keys = {key for one in asked for name in _PEOPLE if type(key := one.get(name)) is str}
        names = await self._people.subs_of({read.by for _, read in noted} | keys)
        lines = [
            _line(number, read, said, names)
            for (number, read), said in zip(noted, asked, strict=True)
        ]
        return page(lines, limit, lambda line: cursor(line["number"]))


def _line(
    number: int, read: AuditRead, asked: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any]:
    said = {
        name: names[one] if name in _PEOPLE and type(one) is str else one
        for name, one in asked.items()
    }
    return {"number": number, **read._asdict(), "by": names[read.by], "asked": said}

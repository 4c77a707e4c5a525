"""Presence: which devices are at a draft now, and at which field; known for a moment, kept nowhere.

Decision: it goes from process to process as it is said (on PostgreSQL by NOTIFY), and lies in their
memory only. A table would have to be purged, forgotten and kept out of backups, and would gain
little: every device says again and again where it is. Where LISTEN is not to be had, a process
knows only those who spoke to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from api.security import Clock

LASTS = timedelta(seconds=45)  # without a word of the device
DEVICES = 100  # at one draft; the one that was silent for longest makes room
DRAFTS = 10_000
LONGEST_PATH = 1_000  # characters: with the device's 200 it stays within a NOTIFY of 8,000 bytes


@dataclass(frozen=True, slots=True)
class Here:
    """A device at a draft, since when, and until when it is believed without another word."""

    draft: UUID
    by: str
    device: str
    path: str | None
    idle: bool
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A process wants to know who is at a draft."""

    draft: UUID


class Presence:
    """The devices that this process knows of, by draft."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._here: dict[UUID, dict[tuple[str, str], Here]] = {}

    def at(self, draft: UUID) -> list[Here]:
        """Those at a draft, who came first in front."""
        now = self._clock()
        there = [here for here in self._here.get(draft, {}).values() if here.until > now]
        return sorted(there, key=lambda here: here.since)

    def came(self, draft: UUID, by: str, device: str, path: str | None, *, idle: bool) -> Here:
        """What a device says of itself now."""
        now = self._clock()
        known = self._here.get(draft, {}).get((by, device))
        return Here(draft, by, device, path, idle, known.since if known else now, now + LASTS)

    def gone(self, here: Here) -> Here:
        """The same device, believed no longer."""
        return replace(here, until=self._clock())

    def take(self, here: Here) -> bool:
        """Believe it; whether that is news."""
        there, place = self._here.setdefault(here.draft, {}), (here.by, here.device)
        known = there.pop(place, None)
        if here.until > self._clock():
            there[place] = here
        self._stay_within(here.draft)
        return _shown(there.get(place)) != _shown(known)

    def forget(self, draft: UUID, gone: Iterable[Here]) -> None:
        """Forget some of those at a draft."""
        for here in gone:
            self._here.get(draft, {}).pop((here.by, here.device), None)
        if not self._here.get(draft):
            self._here.pop(draft, None)

    def fall_silent(self) -> set[UUID]:
        """Forget those who said nothing for too long; the drafts that they were at."""
        now, left = self._clock(), set()
        for draft, there in list(self._here.items()):
            if silent := [here for here in there.values() if here.until <= now]:
                self.forget(draft, silent)
                left.add(draft)
        return left

    def _stay_within(self, draft: UUID) -> None:
        there = self._here[draft]
        if len(there) > DEVICES:
            del there[next(iter(there))]
        if not there:
            del self._here[draft]
        if len(self._here) > DRAFTS:
            del self._here[next(iter(self._here))]


def _shown(here: Here | None) -> tuple[Any, ...] | None:
    return None if here is None else (here.path, here.idle, here.since)


def said(what: Here | Asked) -> str:
    """As one process says it to the others."""
    return orjson.dumps(what).decode()


def heard(text: str) -> Here | Asked | None:
    """What another process said; None if that is something else."""
    try:
        members: dict[str, Any] = orjson.loads(text)
        draft = UUID(members.pop("draft"))
        if not members:
            return Asked(draft)
        for name in ("since", "until"):
            members[name] = datetime.fromisoformat(members[name])
        return Here(draft=draft, **members)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None

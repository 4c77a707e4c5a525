"""How a group of saves goes to PostgreSQL: everything in the arguments of one statement."""

from __future__ import annotations

import psycopg

from domain.errors import Forbidden
from projections.store.postgres.arrays import bigints, byteas, texts, times, uuids
from projections.store.postgres.lanes import Argument, Lane
from projections.store.postgres.queries import MOVED, SAVE_GROUP
from projections.store.postgres.rows import as_json
from projections.store.records import Committed, Group, Moved, Outcome, Taken


async def save_on(lane: Lane, group: Group) -> Outcome:
    """Save a group in one statement, unless a draft moved or a slot is taken.

    Raises:
        Forbidden: The database refused a row: its principal may not write to that draft.
    """
    if not group.records:
        rows = await lane.ask(MOVED, _seen(group))
        return Moved([row[0] for row in rows]) if rows else Committed(0)
    try:
        ((moved, taken, head),) = await lane.ask(SAVE_GROUP, _arguments(group))
    except psycopg.errors.InsufficientPrivilege as refused:
        raise Forbidden("You may not write to this draft any more.") from refused
    if moved is not None:
        return Moved(moved)
    return Committed(head) if taken is None else Taken(taken)


def first_of(group: Group) -> list[Argument]:
    """By what the first event of a group is known again."""
    record = group.records[0]
    return [record.draft, record.version, record.hash]


def _seen(group: Group) -> list[Argument]:
    return [uuids(list(group.seen)), bigints(list(group.seen.values()))]


def _arguments(group: Group) -> list[Argument]:
    records, rows, states = group.records, group.rows, group.states
    return [
        *_seen(group),
        uuids([r.draft for r in records]),
        bigints([r.version for r in records]),
        texts([r.topic for r in records]),
        texts([r.by for r in records]),
        byteas([r.state for r in records]),
        byteas([r.hash for r in records]),
        times([r.at for r in rows]),
        texts([r.device for r in rows]),
        bigints([r.seq for r in rows]),
        texts([r.paths for r in rows]),
        texts([r.reason for r in rows]),
        uuids([s.draft for s in states]),
        bigints([s.version for s in states]),
        byteas([s.body for s in states]),
        byteas([s.rest for s in states]),
        byteas([s.hash for s in states]),
        b"\x01" + as_json(group.registers).encode() if group.registers else None,
    ]

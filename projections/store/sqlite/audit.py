"""The audit on SQLite."""

from __future__ import annotations

import sqlite3
from asyncio import to_thread
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any, cast
from uuid import UUID

from domain.access import is_auditor
from domain.errors import StoreUnavailable
from projections.store.audit import AUDIT_SECONDS, AuditFilter, AuditRead, AuditRow, too_much
from projections.store.sqlite.migrations import connect
from projections.store.sqlite.paths import INSIDE, WITHIN, sought
from projections.store.sqlite.rows import Rows, column

NOTE_READ = (
    "INSERT INTO audit_reads (at, by, path, asked, draft, request, address) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
READS_NOTED = (
    "SELECT number, at, by, path, asked, draft, request, address FROM audit_reads "
    "WHERE number < ? ORDER BY number DESC LIMIT ?"
)


class SqliteAudit:
    """The audit of one SQLite file."""

    def __init__(self, path: Path, rows: Rows) -> None:
        self._path, self._rows = path, rows

    async def found(self, principal: str, wanted: AuditFilter) -> Sequence[AuditRow]:
        """The versions that an audit is about, newest first."""
        rows = await to_thread(self._searched, *_find(principal, wanted))
        return [
            AuditRow(UUID(draft), version, datetime.fromisoformat(at), *facts)
            for draft, version, at, *facts in rows
        ]

    async def total(self, principal: str, wanted: AuditFilter) -> tuple[int, int]:
        """How many lines these versions are, and of how many drafts; one without changes is one."""
        rows = await to_thread(self._searched, *_count(principal, wanted))
        return cast("tuple[int, int]", rows[0])

    async def note_read(self, read: AuditRead) -> None:
        """Note that somebody read as an auditor."""
        self._rows(NOTE_READ, tuple(map(column, read)))

    async def reads_noted(
        self, principal: str, before: int | None, limit: int
    ) -> Sequence[tuple[int, AuditRead]]:
        """What auditors read, newest first, each with its number; for auditors only."""
        if not is_auditor(principal):
            return ()
        rows = self._rows(READS_NOTED, (2**62 if before is None else before, limit))
        return [(number, _audit_read(*row)) for number, *row in rows]

    def _searched(self, statement: str, arguments: Any) -> list[Any]:
        """The rows of a search that may take its time, but not any time: beside the event loop."""
        until = monotonic() + AUDIT_SECONDS
        with closing(connect(self._path)) as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.set_progress_handler(lambda: monotonic() > until, 10_000)
            try:
                return connection.execute(statement, arguments).fetchall()
            except sqlite3.OperationalError as failed:
                if failed.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    raise too_much() from None
                raise StoreUnavailable("The database file cannot be used; try again.") from failed


def _find(principal: str, wanted: AuditFilter) -> tuple[str, dict[str, Any]]:
    """The versions that an audit is about."""
    conditions, arguments = _conditions(principal, wanted)
    statement = (
        "SELECT v.draft, v.version, v.at, v.paths, d.owner, d.title, d.form "
        f"FROM versions v JOIN drafts d ON d.draft = v.draft WHERE {conditions} "
        "ORDER BY v.at DESC, v.draft DESC, v.version DESC LIMIT :limit"
    )
    return statement, arguments


def _count(principal: str, wanted: AuditFilter) -> tuple[str, dict[str, Any]]:
    """How many lines they are, and of how many drafts."""
    conditions, arguments = _conditions(principal, wanted)
    every = (
        "CASE WHEN coalesce(v.paths, '') = '' THEN 1 "
        "ELSE 1 + length(v.paths) - length(replace(v.paths, :newline, '')) END"
    )
    # Every newline twice, so that a path's end is not also the next one's beginning.
    lines = "(:newline || replace(v.paths, :newline, :newline || :newline) || :newline)"
    ends = [f":newline || :path || {end}" for end in (":newline", "'/'")]
    within = " + ".join(
        f"(length({lines}) - length(replace({lines}, {end}, ''))) / length({end})" for end in ends
    )
    # An opening that is found is one line; it need not be looked into a second time.
    within = f"CASE WHEN v.version = 1 THEN 1 ELSE {within} + {INSIDE} END"
    statement = (
        f"SELECT coalesce(sum({every if wanted.path is None else within}), 0), "
        f"count(DISTINCT v.draft) FROM versions v JOIN drafts d ON d.draft = v.draft WHERE {conditions}"
    )
    return statement, arguments


def _conditions(principal: str, wanted: AuditFilter) -> tuple[str, dict[str, Any]]:
    clauses = {
        "draft": "v.draft = :draft",
        "owner": "d.owner = :owner",
        "by": "v.by = :by",
        "act": "v.act = :act",
        "since": "v.at >= :since",
        "until": "v.at <= :until",
        "path": WITHIN,
        "upto": "(v.at, v.draft, v.version) <= (:upto_at, :upto_draft, :upto_version)",
    }
    arguments = {name: column(getattr(wanted, name)) for name in AuditFilter.__slots__}
    chosen = [clause for name, clause in clauses.items() if arguments[name] is not None]
    if wanted.upto is not None:
        names = ("upto_at", "upto_draft", "upto_version")
        arguments |= dict(zip(names, map(column, wanted.upto), strict=True))
    arguments |= {"principal": principal, "newline": "\n", "upto": None}
    arguments |= {"inside": None, **sought(wanted.path, wanted.inside)}
    mine = "v.draft IN (SELECT a.draft FROM access a WHERE a.principal = :principal AND a.role = 'owner')"
    return " AND ".join(["true" if is_auditor(principal) else mine, *chosen]), arguments


def _audit_read(
    at: str, by: str, path: str, asked: str, draft: str | None, *more: Any
) -> AuditRead:
    where = None if draft is None else UUID(draft)
    return AuditRead(datetime.fromisoformat(at), by, path, asked, where, *more)

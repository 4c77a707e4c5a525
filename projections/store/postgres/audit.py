"""The audit on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString, cast

import psycopg

from domain.access import is_auditor
from projections.store.audit import AUDIT_SECONDS, AuditFilter, AuditRead, AuditRow, too_much
from projections.store.postgres.paths import INSIDE, WITHIN, sought
from projections.store.postgres.rows import ReadingAs, Working, rows_of

NOTE_READ = (
    "INSERT INTO audit_reads (at, by, path, asked, draft, request, address) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
READS_NOTED = (
    "SELECT number, at, by, path, asked, draft, request, address FROM audit_reads "
    "WHERE number < %b ORDER BY number DESC LIMIT %b"
)


class PostgresAudit:
    """The audit of one PostgreSQL database."""

    def __init__(self, working: Working, reading_as: ReadingAs) -> None:
        self._working, self._as = working, reading_as

    async def found(self, principal: str, wanted: AuditFilter) -> Sequence[AuditRow]:
        """The versions that an audit is about, newest first."""
        rows = await self._searched(principal, *_find(principal, wanted))
        return [AuditRow(*row) for row in rows]

    async def total(self, principal: str, wanted: AuditFilter) -> tuple[int, int]:
        """How many lines these versions are, and of how many drafts; one without changes is one."""
        rows = await self._searched(principal, *_count(principal, wanted))
        return cast("tuple[int, int]", rows[0])

    async def note_read(self, read: AuditRead) -> None:
        """Note that somebody read as an auditor."""
        async with self._working() as connection:
            await connection.execute(NOTE_READ, read)

    async def reads_noted(
        self, principal: str, before: int | None, limit: int
    ) -> Sequence[tuple[int, AuditRead]]:
        """What auditors read, newest first, each with its number; for auditors only."""
        below = 2**62 if before is None else before
        async with self._as(principal) as connection:
            rows = await rows_of(connection, READS_NOTED, (below, limit))
        return [(row[0], AuditRead(*row[1:])) for row in rows]

    async def _searched(self, principal: str, statement: Any, arguments: Any) -> list[Any]:
        """The rows of a search that may take its time, but not any time."""
        async with self._as(principal) as connection:
            try:
                await connection.execute(f"SET LOCAL statement_timeout = {AUDIT_SECONDS * 1000}")
                return await rows_of(connection, statement, arguments)
            except psycopg.errors.QueryCanceled:
                raise too_much() from None


def _find(principal: str, wanted: AuditFilter) -> tuple[LiteralString, dict[str, Any]]:
    """The versions that an audit is about."""
    conditions, arguments = _conditions(principal, wanted)
    statement = (
        "SELECT v.draft, v.version, v.at, v.paths, d.owner, d.title, d.form "
        f"FROM versions v JOIN drafts d ON d.draft = v.draft WHERE {conditions} "
        "ORDER BY v.at DESC, v.draft DESC, v.version DESC LIMIT %(limit)s"
    )
    return statement, arguments


def _count(principal: str, wanted: AuditFilter) -> tuple[LiteralString, dict[str, Any]]:
    """How many lines they are, and of how many drafts."""
    conditions, arguments = _conditions(principal, wanted)
    paths: LiteralString = "unnest(string_to_array(v.paths, E'\\n'))"
    # An opening that is found is one line; it need not be looked into a second time.
    within: LiteralString = f"""
        CASE WHEN v.version = 1 THEN 1 ELSE {INSIDE} +
            (SELECT count(*) FROM {paths} AS p WHERE p = %(within)s OR starts_with(p, %(below)s)) END
    """
    every: LiteralString = "greatest(1, cardinality(string_to_array(v.paths, E'\\n')))"
    if wanted.path is not None:
        arguments |= {"within": wanted.path, "below": f"{wanted.path}/"}
    statement = (
        f"SELECT coalesce(sum({every if wanted.path is None else within}), 0)::bigint, "
        "count(DISTINCT v.draft) "
        f"FROM versions v JOIN drafts d ON d.draft = v.draft WHERE {conditions}"
    )
    return statement, arguments


def _conditions(principal: str, wanted: AuditFilter) -> tuple[LiteralString, dict[str, Any]]:
    clauses: dict[str, LiteralString] = {
        "draft": "v.draft = %(draft)s",
        "owner": "d.owner = %(owner)s",
        "by": "v.by = %(by)s",
        "act": "v.act = %(act)s",
        "since": "v.at >= %(since)s",
        "until": "v.at <= %(until)s",
        "path": WITHIN,
        "upto": "(v.at, v.draft, v.version) <= (%(upto_at)s, %(upto_draft)s, %(upto_version)s)",
    }
    arguments: dict[str, Any] = {name: getattr(wanted, name) for name in AuditFilter.__slots__}
    chosen: list[LiteralString] = [
        clause for name, clause in clauses.items() if arguments[name] is not None
    ]
    arguments |= {"inside": None, **sought(wanted.path, wanted.inside)}
    if wanted.upto is not None:
        names = ("upto_at", "upto_draft", "upto_version")
        arguments |= dict(zip(names, wanted.upto, strict=True))
    scope: LiteralString = "true"
    if not is_auditor(principal):
        scope = (
            "v.draft IN (SELECT a.draft FROM access a WHERE a.principal = %(principal)s "
            "AND a.role = 'owner')"
        )
    arguments |= {"principal": principal, "upto": None}
    return " AND ".join([scope, *chosen]), arguments

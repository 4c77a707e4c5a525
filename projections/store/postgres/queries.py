"""The statements of saves and reads on PostgreSQL; `%b` passes a value in binary."""

from __future__ import annotations

from typing import Any, LiteralString
from uuid import UUID

from projections.store.base import DraftFilter, VersionFilter
from projections.store.postgres.lanes import Statement
from projections.store.postgres.paths import WITHIN, sought

SCHEMA = "SELECT max(number) FROM migrations"

SAVE_GROUP = Statement(
    b"save_group",
    b"SELECT moved, taken, head FROM save_group("
    b"$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
)
MOVED = Statement(
    b"moved",
    b"SELECT s.draft FROM unnest($1::uuid[], $2::bigint[]) AS s(draft, version) WHERE s.version <> "
    b"coalesce((SELECT max(e.originator_version) FROM stored_events e "
    b"WHERE e.originator_id = s.draft), 0)",
)
BEGIN, COMMIT = Statement(b"begin", b"BEGIN"), Statement(b"commit", b"COMMIT")
WRITERS = "SELECT pg_advisory_xact_lock(8602217)"  # who has it lets nobody else write
LOCK = Statement(b"lock", WRITERS.encode())
STANDS = Statement(
    b"stands",
    b"SELECT 1 FROM stored_events "
    b"WHERE originator_id = $1 AND originator_version = $2 AND hash = $3",
)
NEAREST_STATE = (
    "SELECT version, body, rest, hash FROM states WHERE draft = %b ORDER BY version DESC LIMIT 1"
)
KEPT_STATE = "SELECT max(version) FROM states WHERE draft = %b AND NOT resting"
EVENTS = (
    "SELECT originator_version, topic, state, by, hash FROM stored_events WHERE originator_id = %b "
    "AND originator_version > %b AND originator_version <= %b "
    "ORDER BY originator_version"
)
VERSION_OF_SEQ = (
    "SELECT version FROM versions WHERE draft = %b AND device = %b AND seq = %b LIMIT 1"
)
IMPORTED = "SELECT draft FROM imports WHERE id = %b"
SLOT = (
    "SELECT draft FROM slots WHERE owner = %b AND form = %b AND subject = %b AND has_subject = %b"
)
LINK = (
    "SELECT l.id, l.draft, a.role, l.token_hash, l.expires_at FROM links l "
    "JOIN access a ON a.draft = l.draft AND a.principal = 'link:' || l.id WHERE l.id = %b"
)

READ_AS = "SELECT set_config('variorum.user', %s, true)"
ROLE = "SELECT role_in(%b, %b)"
READ_DRAFT = Statement(
    b"read_draft",
    b"SELECT role, head, version, body, rest, topics, tail FROM read_draft($1, $2, $3)",
)
LIST_VERSIONS = Statement(
    b"list_versions",
    b"SELECT version, act, by, at, device, paths, label, reason FROM list_versions($1, $2, $3, $4)",
)
VERSION_AT = (
    "SELECT version FROM versions WHERE draft = %b AND at <= %b ORDER BY version DESC LIMIT 1"
)
LABEL_OF = "SELECT label FROM versions WHERE draft = %b AND version = %b"

SAY = "SELECT pg_notify('variorum_said', %s)"


def versions(draft: UUID, wanted: VersionFilter) -> tuple[LiteralString, dict[str, Any]]:
    """The version history under a filter."""
    conditions, arguments = _conditions(draft, wanted)
    statement = (
        "SELECT v.version, v.act, v.by, v.at, v.device, v.paths, v.label, v.reason "
        f"FROM versions v WHERE {conditions} "
        "ORDER BY v.version DESC LIMIT %(limit)s"
    )
    return statement, arguments


def sessions(draft: UUID, wanted: VersionFilter) -> tuple[LiteralString, dict[str, Any]]:
    """The version history by sessions: no pause over 30 minutes between a person's saves on a device."""
    conditions, arguments = _conditions(draft, VersionFilter(**{**_plain(wanted), "before": None}))
    arguments["before"] = wanted.before
    statement = f"""
        WITH marked AS (
            SELECT v.*, CASE WHEN v.at - lag(v.at) OVER spells <= interval '30 minutes' THEN 0 ELSE 1 END AS first
            FROM versions v WHERE {conditions}
            WINDOW spells AS (PARTITION BY v.by, v.device ORDER BY v.version)
        ), numbered AS (
            SELECT *, sum(first) OVER (PARTITION BY by, device ORDER BY version) AS spell FROM marked
        )
        SELECT min(n.version) AS from_version, max(n.version) AS to_version, min(n.at) AS from_at,
               max(n.at) AS to_at, n.by AS by, n.device, count(*) AS versions,
               string_agg(DISTINCT n.act, ',') AS acts, string_agg(DISTINCT n.paths, E'\\n') AS paths
        FROM numbered n
        GROUP BY n.by, n.device, n.spell
        HAVING (%(before)s::bigint IS NULL OR max(n.version) < %(before)s)
        ORDER BY max(n.version) DESC LIMIT %(limit)s
    """
    return statement, arguments


def _plain(wanted: VersionFilter) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in VersionFilter.__slots__}


def _conditions(draft: UUID, wanted: VersionFilter) -> tuple[LiteralString, dict[str, Any]]:
    clauses: dict[str, LiteralString] = {
        "before": "v.version < %(before)s",
        "by": "v.by = %(by)s",
        "device": "v.device = %(device)s",
        "act": "v.act = %(act)s",
        "since": "v.at >= %(since)s",
        "until": "v.at <= %(until)s",
        "path": WITHIN,
    }
    arguments: dict[str, Any] = {**_plain(wanted), "draft": draft}
    chosen: list[LiteralString] = [
        clause for name, clause in clauses.items() if arguments[name] is not None
    ]
    arguments |= {"inside": None, **sought(wanted.path, wanted.inside)}
    return " AND ".join(["v.draft = %(draft)s", *chosen]), arguments


SORTS: dict[str, tuple[LiteralString, LiteralString]] = {
    "saved": ("to_char(d.saved_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')", "DESC"),
    # What never expires comes last.
    "expires": ("coalesce(to_char(d.expires_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '~')", "ASC"),
    "title": ("lower(coalesce(d.title, ''))", "ASC"),
}


IN_TRASH: LiteralString = "d.status IN ('discarded', 'expired')"


def drafts(principal: str, wanted: DraftFilter) -> tuple[LiteralString, dict[str, Any]]:
    """The drafts page of a principal, under a filter."""
    key, direction = SORTS[wanted.sort]
    compare: LiteralString = "<" if direction == "DESC" else ">"
    clauses: dict[str, LiteralString] = {
        "status": IN_TRASH if wanted.status == "trash" else "d.status = %(status)s",
        "form": "d.form = %(form)s",
        "subject": "d.subject = %(subject)s",
        "q": "strpos(d.search, %(q)s) > 0",
        "template": "d.template = %(template)s",
        "shared": "(a.role <> 'owner') = %(shared)s",
        "after": f"({key}, d.draft) {compare} (%(after_key)s, %(after_id)s::uuid)",
    }
    arguments: dict[str, Any] = {name: getattr(wanted, name) for name in DraftFilter.__slots__}
    chosen: list[LiteralString] = [
        clause for name, clause in clauses.items() if arguments[name] is not None
    ]
    if wanted.after is not None:
        arguments["after_key"], arguments["after_id"] = wanted.after
    if wanted.q is not None:
        arguments["q"] = wanted.q.lower()  # as the search text was: the database's lower differs
    arguments["principal"] = principal
    conditions = " AND ".join(["a.principal = %(principal)s", *chosen])
    statement = (
        "SELECT d.draft, d.owner, a.role, d.form, d.subject, d.title, d.status, d.template, d.version, "
        "d.step, d.completed_steps, d.conflicts, d.created_at, d.saved_at, d.saved_by, "
        f"d.saved_device, d.expires_at, d.forked_from, d.from_template, "
        f"d.filled, d.fields, d.resume, {key} AS sort_key "
        "FROM access a JOIN drafts d ON d.draft = a.draft "
        f"WHERE {conditions} ORDER BY {key} {direction}, d.draft {direction} LIMIT %(limit)s"
    )
    return statement, arguments

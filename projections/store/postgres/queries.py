"""The statements on PostgreSQL; `%b` passes a value in binary."""

from __future__ import annotations

from typing import Any, LiteralString
from uuid import UUID

from domain.access import is_auditor
from projections.inside import steps
from projections.store.base import (
    PAGE_BYTES,
    PAGE_DRAFTS,
    PAGE_EVENTS,
    AuditFilter,
    DraftFilter,
    VersionFilter,
)
from projections.store.postgres.lanes import Statement

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
LOCK = Statement(b"lock", b"SELECT pg_advisory_xact_lock(8602217)")
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
ADD_API_KEY = "INSERT INTO api_keys VALUES (%s, %s, %s, %s, %s, %s, %s)"
API_KEYS = (
    "SELECT id, name, role, digest, created_at, expires_at, revoked_at FROM api_keys "
    "ORDER BY created_at, id"
)
API_KEY = (
    "SELECT id, name, role, digest, created_at, expires_at, revoked_at FROM api_keys WHERE id = %b"
)
REVOKE_API_KEY = (
    "UPDATE api_keys SET revoked_at = coalesce(revoked_at, %b) WHERE id = %b RETURNING id"
)
LINK = (
    "SELECT l.id, l.draft, a.role, l.token_hash, l.expires_at FROM links l "
    "JOIN access a ON a.draft = l.draft AND a.principal = 'link:' || l.id WHERE l.id = %b"
)
KEY_OF = "SELECT key FROM people WHERE sub = %b"
NEW_KEY = "INSERT INTO people VALUES (%s, %s) ON CONFLICT DO NOTHING"
SUBS_OF = "SELECT key, sub FROM people WHERE key = ANY(%b::text[])"

# Numbers are given one at a time, so that whoever has seen one has seen all below it.
LOCK_FORMS = "SELECT pg_advisory_xact_lock(8602219)"
KEEP_FORM = "INSERT INTO forms (form, definition, by, at) VALUES (%s, %s, %s, %s)"
FORMS = (
    "SELECT number, form, definition FROM forms WHERE number IN "
    "(SELECT max(number) FROM forms WHERE number > %b GROUP BY form) ORDER BY number"
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

HEAD = "SELECT coalesce(max(notification_id), 0) FROM stored_events"
POSITION = "SELECT position FROM positions WHERE name = %b"
LINES = (
    "SELECT notification_id, originator_id, originator_version, topic, state, by, hash FROM stored_events "
    "WHERE notification_id > %b ORDER BY notification_id LIMIT %b"
)
MOVES = (
    "SELECT originator_id, max(originator_version), max(notification_id), count(*) FROM ("
    "SELECT originator_id, originator_version, notification_id FROM stored_events "
    "WHERE notification_id > %b ORDER BY notification_id LIMIT %b) next GROUP BY originator_id"
)
# The head with what moved, in one statement: what is committed between two would be passed over.
MOVED_AFTER = (
    "SELECT max(notification_id), array_agg(DISTINCT originator_id) FILTER "
    "(WHERE originator_id = ANY(%b::uuid[])) FROM stored_events WHERE notification_id > %b"
)
SAY = "SELECT pg_notify('variorum_said', %s)"
PUT_DRAFT: LiteralString = """
    INSERT INTO drafts (draft, owner, form, subject, title, status, template, version, step, completed_steps,
                        conflicts, created_at, saved_at, saved_by, saved_device, expires_at, closed_at, forked_from,
                        from_template, filled, fields)
    SELECT draft, owner, form, subject, title, status, template, version, step, completed_steps,
           conflicts, created_at, saved_at, saved_by, saved_device, expires_at, closed_at, forked_from,
           from_template, filled, fields
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(
        draft uuid, owner text, form text, subject text, title text, status text, template boolean,
        version bigint, step text, completed_steps text, conflicts integer, created_at timestamptz,
        saved_at timestamptz, saved_by text, saved_device text, expires_at timestamptz, closed_at timestamptz,
        forked_from text,
        from_template text, filled integer, fields integer)
    WHERE NOT EXISTS (SELECT FROM tombstones t WHERE t.draft = r.draft)
    ON CONFLICT (draft) DO UPDATE SET
        owner = excluded.owner, title = excluded.title, status = excluded.status,
        template = excluded.template, version = excluded.version, step = excluded.step,
        completed_steps = excluded.completed_steps, conflicts = excluded.conflicts,
        saved_at = excluded.saved_at, saved_by = excluded.saved_by, saved_device = excluded.saved_device,
        expires_at = excluded.expires_at, closed_at = excluded.closed_at,
        filled = excluded.filled, fields = excluded.fields
    WHERE drafts.version <= excluded.version
"""
TAKE_DRAFTS: LiteralString = f"""
    WITH advanced AS (
        UPDATE positions SET position = %(position)s WHERE name = %(name)s AND position = %(expected)s
        RETURNING position
    ), taken AS ({PUT_DRAFT.replace("WHERE NOT EXISTS", "WHERE EXISTS (SELECT FROM advanced) AND NOT EXISTS")})
    SELECT position FROM advanced
"""
SET_ASIDE = (
    "INSERT INTO set_aside SELECT %(name)s, %(position)s, %(draft)s, %(version)s, %(problem)s "
    "WHERE NOT EXISTS (SELECT FROM tombstones t WHERE t.draft = %(draft)s) ON CONFLICT DO NOTHING"
)
# Before rows of read models are written, in a statement of its own: what `purge` does comes before all
# of it, and then its tombstone is seen, or after all of it.
NOT_WHILE_PURGING = "SELECT pg_advisory_xact_lock_shared(8602220)"
REST = """
    WITH given AS (
        SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::bytea[], %b::bytea[], %b::bytea[], %b::text[],
                             %b::text[], %b::integer[], %b::integer[])
            AS g(draft, version, body, rest, hash, search, resume, filled, fields)
        WHERE NOT EXISTS (SELECT FROM tombstones t WHERE t.draft = g.draft)
    ), rested AS (
        INSERT INTO states (draft, version, body, rest, hash, resting)
        SELECT draft, version, body, rest, hash, true FROM given ON CONFLICT DO NOTHING
    ), older AS (
        DELETE FROM states s USING given g WHERE s.draft = g.draft AND s.resting AND s.version < g.version
    )
    UPDATE drafts d SET rested = g.version, search = g.search, resume = g.resume, filled = g.filled, fields = g.fields
    FROM given g WHERE d.draft = g.draft AND d.rested < g.version
"""
RESTED = (
    "UPDATE drafts SET rested = %s, search = %s, resume = %s, filled = %s, fields = %s "
    "WHERE draft = %s AND rested < %s"
)
UNREST = "UPDATE drafts SET rested = 0, search = '' WHERE form = %s"
UNRESTED = """
    SELECT d.draft FROM drafts d WHERE d.rested < d.version AND (%b::text IS NULL OR EXISTS (
        SELECT FROM access a WHERE a.draft = d.draft AND a.principal = %b::text)) LIMIT %b
"""

FORGET_SEARCH = "UPDATE drafts SET search = '', rested = 0 WHERE form = %s"
COUNT_DRAFTS = "SELECT count(*) FROM stored_events WHERE originator_version = 1"
DRAFT_IDS = (
    "SELECT originator_id FROM stored_events WHERE originator_version = 1 AND originator_id > %b "
    "ORDER BY originator_id LIMIT %b"
)
# Numbers stand in the text of these: for a limit that it does not know the planner would sort all.
_PAGE: LiteralString = """
    SELECT originator_id, originator_version, topic, state, by, hash FROM (
        SELECT *, sum(octet_length(state)) OVER (ORDER BY originator_id, originator_version) - octet_length(state)
                  AS before
        FROM (SELECT originator_id, originator_version, topic, state, by, hash FROM stored_events WHERE {}
              ORDER BY originator_id, originator_version LIMIT {}) page
    ) sized WHERE before < {} ORDER BY originator_id, originator_version
"""
CHAIN: LiteralString = _PAGE.format(
    "originator_id = %b AND originator_version > %b", str(PAGE_EVENTS), str(PAGE_BYTES)
)
CHAINS: LiteralString = _PAGE.format(
    "(originator_id, originator_version) > (%b, %b) AND originator_id <= %b",
    str(PAGE_EVENTS),
    str(PAGE_BYTES),
)
# From one draft to the next, past all that lies between; a draft may lack its first event.
HEADS: LiteralString = f"""
    WITH RECURSIVE ids(id) AS (
        (SELECT originator_id FROM stored_events WHERE originator_id > %b ORDER BY originator_id LIMIT 1)
        UNION ALL
        SELECT (SELECT originator_id FROM stored_events WHERE originator_id > id ORDER BY originator_id LIMIT 1)
        FROM ids WHERE id IS NOT NULL
    ), page AS (SELECT id FROM ids WHERE id IS NOT NULL LIMIT {PAGE_DRAFTS})
    SELECT id, last.* FROM page JOIN LATERAL (
        SELECT originator_version, hash FROM stored_events WHERE originator_id = id
        ORDER BY originator_version DESC LIMIT 1) last ON true
    ORDER BY id
"""
TOMBSTONES: LiteralString = (
    "SELECT draft, versions, head FROM tombstones WHERE draft > %b "
    f"ORDER BY draft LIMIT {PAGE_DRAFTS}"
)
TOMBSTONE = "SELECT 1 FROM tombstones WHERE draft = %b"
ADD_VERSION = (
    "INSERT INTO versions (draft, version, at, act, by, device, seq, paths, reason, label) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
ADD_STATE = "INSERT INTO states VALUES (%s, %s, %s, %s, %s, %s)"
_UNKNOWN: LiteralString = "WHERE draft NOT IN (SELECT originator_id FROM stored_events)"
STRAYS: tuple[LiteralString, ...] = (
    f"DELETE FROM versions {_UNKNOWN}",
    f"DELETE FROM states {_UNKNOWN}",
    f"DELETE FROM drafts {_UNKNOWN}",
    f"DELETE FROM set_aside {_UNKNOWN}",
)


# What the thin row does not tell stands in the event; that is looked into where it may say something.
_INSIDE: LiteralString = """
    CASE WHEN v.version = 1 OR string_to_array(v.paths, E'\\n') && %(above)s::text[]
    THEN coalesce((SELECT altered_inside(e.state, %(above)s::text[], %(tokens)s::text[], %(names)s::text[])
                   FROM stored_events e
                   WHERE e.originator_id = v.draft AND e.originator_version = v.version), 0)
    ELSE 0 END
"""
_WITHIN: LiteralString = f"(E'\\n' || v.paths || E'\\n' ~ %(path)s OR {_INSIDE} > 0)"


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


def audited(principal: str, wanted: AuditFilter) -> tuple[LiteralString, dict[str, Any]]:
    """The versions that an audit is about."""
    conditions, arguments = _audit_conditions(principal, wanted)
    statement = (
        "SELECT v.draft, v.version, v.at, v.paths, d.owner, d.title, d.form "
        f"FROM versions v JOIN drafts d ON d.draft = v.draft WHERE {conditions} "
        "ORDER BY v.at DESC, v.draft DESC, v.version DESC LIMIT %(limit)s"
    )
    return statement, arguments


def audited_total(principal: str, wanted: AuditFilter) -> tuple[LiteralString, dict[str, Any]]:
    """How many lines they are, and of how many drafts."""
    conditions, arguments = _audit_conditions(principal, wanted)
    paths: LiteralString = "unnest(string_to_array(v.paths, E'\\n'))"
    within: LiteralString = f"((SELECT count(*) FROM {paths} AS p WHERE p = %(within)s OR starts_with(p, %(below)s)) + {_INSIDE})"
    every: LiteralString = "greatest(1, cardinality(string_to_array(v.paths, E'\\n')))"
    if wanted.path is not None:
        arguments |= {"within": wanted.path, "below": f"{wanted.path}/"}
    statement = (
        f"SELECT coalesce(sum({every if wanted.path is None else within}), 0)::bigint, "
        "count(DISTINCT v.draft) "
        f"FROM versions v JOIN drafts d ON d.draft = v.draft WHERE {conditions}"
    )
    return statement, arguments


def _audit_conditions(principal: str, wanted: AuditFilter) -> tuple[LiteralString, dict[str, Any]]:
    clauses: dict[str, LiteralString] = {
        "draft": "v.draft = %(draft)s",
        "owner": "d.owner = %(owner)s",
        "by": "v.by = %(by)s",
        "act": "v.act = %(act)s",
        "since": "v.at >= %(since)s",
        "until": "v.at <= %(until)s",
        "path": _WITHIN,
        "upto": "(v.at, v.draft, v.version) <= (%(upto_at)s, %(upto_draft)s, %(upto_version)s)",
    }
    arguments: dict[str, Any] = {name: getattr(wanted, name) for name in AuditFilter.__slots__}
    chosen: list[LiteralString] = [
        clause for name, clause in clauses.items() if arguments[name] is not None
    ]
    arguments |= {"inside": None, **_path(wanted)}
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


NOTE_READ = (
    "INSERT INTO audit_reads (at, by, path, asked, draft, request, address) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
READS_NOTED = (
    "SELECT number, at, by, path, asked, draft, request, address FROM audit_reads "
    "WHERE number < %b ORDER BY number DESC LIMIT %b"
)


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
        "path": _WITHIN,
    }
    arguments: dict[str, Any] = {**_plain(wanted), "draft": draft}
    chosen: list[LiteralString] = [
        clause for name, clause in clauses.items() if arguments[name] is not None
    ]
    arguments |= {"inside": None, **_path(wanted)}
    return " AND ".join(["v.draft = %(draft)s", *chosen]), arguments


def _path(wanted: VersionFilter | AuditFilter) -> dict[str, Any]:
    if wanted.path is None:
        return {}
    way = steps(wanted.path, wanted.inside.depth)
    inside = {"above": way.above, "tokens": way.tokens, "names": wanted.inside.names}
    lists = {name: list(values) for name, values in inside.items()}
    return {"path": f"\n{_literal(wanted.path)}[/\n]", **lists}


def _literal(path: str) -> str:
    return "".join(character if character.isalnum() else f"\\{character}" for character in path)


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

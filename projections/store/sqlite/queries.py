"""The statements on SQLite."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from domain.access import is_auditor
from projections.inside import steps
from projections.store.base import PAGE_DRAFTS, PAGE_EVENTS, AuditFilter, DraftFilter, VersionFilter

TOMBSTONE = "SELECT 1 FROM tombstones WHERE draft = ?"
LAST_VERSION = "SELECT max(originator_version) FROM stored_events WHERE originator_id = ?"
NEAREST_STATE = (
    "SELECT version, body, rest, hash FROM states WHERE draft = ? ORDER BY version DESC LIMIT 1"
)
ROLE = "SELECT role FROM access WHERE draft = ? AND principal = ?"
IS_THERE = "SELECT 1 FROM access WHERE draft = ? LIMIT 1"
STATE_BEFORE = "SELECT version, body, rest FROM states WHERE draft = ? AND version <= ? ORDER BY version DESC LIMIT 1"
KEPT_STATE = "SELECT max(version) FROM states WHERE draft = ? AND NOT resting"
EVENTS = (
    "SELECT originator_version, topic, state, by, hash FROM stored_events "
    "WHERE originator_id = ? AND originator_version > ? AND originator_version <= ? ORDER BY originator_version"
)
TAIL = (
    "SELECT topic, state FROM stored_events "
    "WHERE originator_id = ? AND originator_version > ? AND originator_version <= ? ORDER BY originator_version"
)
VERSION_OF_SEQ = "SELECT version FROM versions WHERE draft = ? AND device = ? AND seq = ? LIMIT 1"
IMPORTED = "SELECT draft FROM imports WHERE id = ?"
SLOT = "SELECT draft FROM slots WHERE owner = ? AND form = ? AND subject = ? AND has_subject = ?"
ADD_API_KEY = "INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?)"
API_KEY = "SELECT id, name, role, digest, created_at, expires_at, revoked_at FROM api_keys"
REVOKE_API_KEY = (
    "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ? RETURNING id"
)
BY_SERVICE = ("draft.expired", "draft.discarded", "draft.unshared")  # nobody's own acts
# Whoever writes may add an event, and every member that they leave.
MAY_ADD = (
    "SELECT 1 FROM access WHERE draft = ? AND principal = ? "
    "AND (role IN ('owner', 'editor') OR ? = 'draft.unshared')"
)
LINK = (
    "SELECT l.draft, a.role, l.token_hash, l.expires_at FROM links l "
    "JOIN access a ON a.draft = l.draft AND a.principal = 'link:' || l.id WHERE l.id = ?"
)
# Gives a role that allows more than the one that is there.
LET_IN = (
    "INSERT INTO access VALUES (:draft, :principal, :role) ON CONFLICT DO UPDATE "
    "SET role = excluded.role WHERE access.role = 'viewer' OR excluded.role = 'owner'"
)
ADD_EVENT = "INSERT INTO stored_events (originator_id, originator_version, topic, state, by, hash) VALUES (?, ?, ?, ?, ?, ?)"
ADD_VERSION = "INSERT INTO versions (draft, version, at, act, by, device, seq, paths, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
KEEP_STATE = (
    "INSERT INTO states (draft, version, body, rest, hash) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET resting = 0"
)
REGISTERS = {
    "grant": [
        (
            "INSERT INTO access VALUES (:draft, :principal, :role) "
            "ON CONFLICT DO UPDATE SET role = excluded.role"
        )
    ],
    "revoke": [
        "DELETE FROM access WHERE draft = :draft AND principal = :principal",
        "DELETE FROM links WHERE draft = :draft AND 'link:' || id = :principal",
    ],
    "link": [
        "INSERT INTO links VALUES (:id, :draft, :token_hash, :expires_at) ON CONFLICT DO NOTHING"
    ],
    "take_slot": ["INSERT INTO slots VALUES (:owner, :form, :subject, :has_subject, :draft)"],
    "imported": ["INSERT INTO imports VALUES (:id, :draft) ON CONFLICT DO NOTHING"],
    "free_slot": ["DELETE FROM slots WHERE draft = :draft"],
    "label": ["UPDATE versions SET label = :label WHERE draft = :draft AND version = :version"],
}
KEEP_FORM = "INSERT INTO forms (form, definition, by, at) VALUES (?, ?, ?, ?)"
FORMS = (
    "SELECT number, form, definition FROM forms WHERE number IN "
    "(SELECT max(number) FROM forms WHERE number > ? GROUP BY form) ORDER BY number"
)


def _mine(draft: str, principal: str) -> str:
    """Whether somebody may read a draft: a member, or an auditor."""
    return (
        f"EXISTS (SELECT 1 FROM access a WHERE a.draft = {draft} AND (a.principal = {principal} "
        f"OR {principal} LIKE 'auditor:%'))"
    )


MINE = _mine("v.draft", ":principal")
VERSION_AT = (
    f"SELECT version FROM versions v WHERE draft = ?1 AND {_mine('v.draft', '?2')} AND at <= ?3 "
    "ORDER BY version DESC LIMIT 1"
)
LABEL_OF = (
    f"SELECT label FROM versions v WHERE draft = ?1 AND {_mine('v.draft', '?2')} AND version = ?3"
)
LINES = (
    "SELECT rowid, originator_id, originator_version, topic, state, by, hash FROM stored_events "
    "WHERE rowid > ? ORDER BY rowid LIMIT ?"
)
MOVES = (
    "SELECT originator_id, max(originator_version), max(position), count(*) FROM ("
    "SELECT originator_id, originator_version, rowid AS position FROM stored_events "
    "WHERE rowid > ? ORDER BY rowid LIMIT ?) GROUP BY originator_id"
)
MOVED_AFTER = "SELECT DISTINCT originator_id FROM stored_events WHERE rowid > ?"
ADVANCE = "UPDATE positions SET position = ? WHERE name = ? AND position = ?"
TAKE_DRAFT = """
    INSERT INTO drafts (draft, owner, form, subject, title, status, template, version, step, completed_steps,
                        conflicts, created_at, saved_at, saved_by, saved_device, expires_at, closed_at, forked_from,
                        from_template, filled, fields)
    SELECT :draft, :owner, :form, :subject, :title, :status, :template, :version, :step, :completed_steps,
           :conflicts, :created_at, :saved_at, :saved_by, :saved_device, :expires_at, :closed_at, :forked_from,
           :from_template, :filled, :fields
    WHERE NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.draft = :draft)
    ON CONFLICT (draft) DO UPDATE SET
        owner = excluded.owner, title = excluded.title, status = excluded.status,
        template = excluded.template, version = excluded.version, step = excluded.step,
        completed_steps = excluded.completed_steps, conflicts = excluded.conflicts,
        saved_at = excluded.saved_at, saved_by = excluded.saved_by, saved_device = excluded.saved_device,
        expires_at = excluded.expires_at, closed_at = excluded.closed_at,
        filled = excluded.filled, fields = excluded.fields
    WHERE drafts.version <= excluded.version
"""
SET_ASIDE = (
    "INSERT INTO set_aside SELECT :name, :position, :draft, :version, :problem "
    "WHERE NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.draft = :draft) ON CONFLICT DO NOTHING"
)
REST = (
    "INSERT INTO states (draft, version, body, rest, hash, resting) SELECT ?, ?, ?, ?, ?, 1 "
    "WHERE NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.draft = ?) ON CONFLICT DO NOTHING"
)
NO_OLDER_REST = "DELETE FROM states WHERE draft = ? AND resting AND version < ?"
RESTED = (
    "UPDATE drafts SET rested = ?, search = ?, resume = ?, filled = ?, fields = ? "
    "WHERE draft = ? AND rested < ?"
)
UNREST = "UPDATE drafts SET rested = 0, search = '' WHERE form = ?"
UNRESTED = (
    "SELECT d.draft FROM drafts d WHERE d.rested < d.version AND (? IS NULL OR EXISTS ("
    "SELECT 1 FROM access a WHERE a.draft = d.draft AND a.principal = ?)) LIMIT ?"
)

FORGET_SEARCH = "UPDATE drafts SET search = '', rested = 0 WHERE form = ?"
COUNT_DRAFTS = "SELECT count(*) FROM stored_events WHERE originator_version = 1"
DRAFT_IDS = (
    "SELECT originator_id FROM stored_events WHERE originator_version = 1 AND originator_id > ? "
    "ORDER BY originator_id LIMIT ?"
)
# SQLite keeps whatever whoever writes past the service puts into a column: these see no row that has no
# draft or no version, and take every other value as bytes.
_SOUND = "typeof(originator_id) = 'text' AND length(originator_id) = 32 AND NOT originator_id GLOB '*[^0-9a-f]*'"
_LINK = (
    "SELECT originator_id, originator_version, CAST(topic AS BLOB), CAST(state AS BLOB), CAST(by AS BLOB), "
    "CAST(hash AS BLOB) FROM stored_events WHERE typeof(originator_version) = 'integer'"
)
CHAIN = (
    f"{_LINK} AND originator_id = ?1 AND originator_version > ?2 "
    f"AND {_mine('originator_id', '?3')} "
    f"ORDER BY originator_version LIMIT {PAGE_EVENTS}"
)
CHAINS = (
    f"{_LINK} AND {_SOUND} AND (originator_id, originator_version) > (?, ?) AND originator_id <= ? "
    f"ORDER BY originator_id, originator_version LIMIT {PAGE_EVENTS}"
)
# From one draft to the next, past all that lies between; a draft may lack its first event.
HEADS = f"""
    WITH RECURSIVE ids(id) AS (
        SELECT min(originator_id) FROM stored_events WHERE originator_id > ? AND {_SOUND}
        UNION ALL
        SELECT (SELECT min(originator_id) FROM stored_events WHERE originator_id > id AND {_SOUND})
        FROM ids WHERE id IS NOT NULL
        LIMIT {PAGE_DRAFTS}
    )
    SELECT originator_id, originator_version, CAST(hash AS BLOB) FROM ids JOIN stored_events ON originator_id = id
    WHERE originator_version = (SELECT originator_version FROM stored_events
                                WHERE originator_id = id AND typeof(originator_version) = 'integer'
                                ORDER BY originator_version DESC LIMIT 1)
    ORDER BY id
"""
TOMBSTONES = f"SELECT draft, versions, head FROM tombstones WHERE draft > ? ORDER BY draft LIMIT {PAGE_DRAFTS}"
ADD_LABELLED = "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADD_STATE = "INSERT INTO states VALUES (?, ?, ?, ?, ?, ?)"
_UNKNOWN = "WHERE draft NOT IN (SELECT originator_id FROM stored_events)"
STRAYS = (
    f"DELETE FROM versions {_UNKNOWN}",
    f"DELETE FROM states {_UNKNOWN}",
    f"DELETE FROM drafts {_UNKNOWN}",
    f"DELETE FROM set_aside {_UNKNOWN}",
)


def _shown(time: str) -> str:
    """A time as answers show it; stored ones always have six places, so that their order is right."""
    return f"replace({time}, '.000000Z', 'Z')"


# What the thin row does not tell stands in the event; that is looked into where it may say something.
_INSIDE = """
    CASE WHEN v.version = 1 OR EXISTS (
        SELECT 1 FROM json_each(:above) a WHERE instr(:newline || v.paths || :newline, :newline || a.value || :newline))
    THEN coalesce((SELECT altered_inside(e.state, :path, :inside) FROM stored_events e
                   WHERE e.originator_id = v.draft AND e.originator_version = v.version), 0)
    ELSE 0 END
"""
_WITHIN = (
    "(instr(:newline || v.paths || :newline, :newline || :path || :newline) > 0 "
    f"OR instr(:newline || v.paths, :newline || :path || '/') > 0 OR {_INSIDE} > 0)"
)


def versions(principal: str, draft: UUID, wanted: VersionFilter) -> tuple[str, dict[str, Any]]:
    """The version history under a filter."""
    conditions, arguments = _conditions(principal, draft, wanted)
    statement = (
        f"SELECT v.version, v.act, v.by, {_shown('v.at')}, v.device, v.paths, v.label, v.reason "
        f"FROM versions v WHERE {conditions} "
        "ORDER BY v.version DESC LIMIT :limit"
    )
    return statement, arguments


def sessions(principal: str, draft: UUID, wanted: VersionFilter) -> tuple[str, dict[str, Any]]:
    """The version history by sessions: no pause over 30 minutes between a person's saves on a device."""
    conditions, arguments = _conditions(
        principal, draft, VersionFilter(**{**_plain(wanted), "before": None})
    )
    arguments["before"] = wanted.before
    statement = f"""
        WITH marked AS (
            SELECT v.*, CASE WHEN round((julianday(v.at) - julianday(lag(v.at) OVER spells)) * 86400000) <= 1800000
                        THEN 0 ELSE 1 END AS first
            FROM versions v WHERE {conditions}
            WINDOW spells AS (PARTITION BY v.by, v.device ORDER BY v.version)
        ), numbered AS (
            SELECT *, sum(first) OVER (PARTITION BY by, device ORDER BY version) AS spell FROM marked
        )
        SELECT min(n.version) AS from_version, max(n.version) AS to_version, {_shown("min(n.at)")} AS from_at,
               {_shown("max(n.at)")} AS to_at, n.by AS by, n.device, count(*) AS versions,
               group_concat(DISTINCT n.act) AS acts,
               (SELECT group_concat(value, :newline) FROM json_each(json_group_array(DISTINCT n.paths))) AS paths
        FROM numbered n
        GROUP BY n.by, n.device, n.spell
        HAVING (:before IS NULL OR max(n.version) < :before)
        ORDER BY max(n.version) DESC LIMIT :limit
    """
    return statement, arguments


def audited(principal: str, wanted: AuditFilter) -> tuple[str, dict[str, Any]]:
    """The versions that an audit is about."""
    conditions, arguments = _audit_conditions(principal, wanted)
    statement = (
        "SELECT v.draft, v.version, v.at, v.paths, d.owner, d.title, d.form "
        f"FROM versions v JOIN drafts d ON d.draft = v.draft WHERE {conditions} "
        "ORDER BY v.at DESC, v.draft DESC, v.version DESC LIMIT :limit"
    )
    return statement, arguments


def audited_total(principal: str, wanted: AuditFilter) -> tuple[str, dict[str, Any]]:
    """How many lines they are, and of how many drafts."""
    conditions, arguments = _audit_conditions(principal, wanted)
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
    within = f"coalesce({within}, 0) + {_INSIDE}"
    statement = (
        f"SELECT coalesce(sum({every if wanted.path is None else within}), 0), "
        f"count(DISTINCT v.draft) FROM versions v JOIN drafts d ON d.draft = v.draft WHERE {conditions}"
    )
    return statement, arguments


def _audit_conditions(principal: str, wanted: AuditFilter) -> tuple[str, dict[str, Any]]:
    clauses = {
        "draft": "v.draft = :draft",
        "owner": "d.owner = :owner",
        "by": "v.by = :by",
        "act": "v.act = :act",
        "since": "v.at >= :since",
        "until": "v.at <= :until",
        "path": _WITHIN,
        "upto": "(v.at, v.draft, v.version) <= (:upto_at, :upto_draft, :upto_version)",
    }
    arguments = {name: _value(getattr(wanted, name)) for name in AuditFilter.__slots__}
    chosen = [clause for name, clause in clauses.items() if arguments[name] is not None]
    if wanted.upto is not None:
        names = ("upto_at", "upto_draft", "upto_version")
        arguments |= dict(zip(names, map(_value, wanted.upto), strict=True))
    arguments |= {"principal": principal, "newline": "\n", "upto": None, **_inside(wanted)}
    mine = "v.draft IN (SELECT a.draft FROM access a WHERE a.principal = :principal AND a.role = 'owner')"
    return " AND ".join(["true" if is_auditor(principal) else mine, *chosen]), arguments


NOTE_READ = (
    "INSERT INTO audit_reads (at, by, path, asked, draft, request, address) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
READS_NOTED = (
    "SELECT number, at, by, path, asked, draft, request, address FROM audit_reads "
    "WHERE number < ? ORDER BY number DESC LIMIT ?"
)


def _plain(wanted: VersionFilter) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in VersionFilter.__slots__}


def _conditions(principal: str, draft: UUID, wanted: VersionFilter) -> tuple[str, dict[str, Any]]:
    clauses = {
        "before": "v.version < :before",
        "by": "v.by = :by",
        "device": "v.device = :device",
        "act": "v.act = :act",
        "since": "v.at >= :since",
        "until": "v.at <= :until",
        "path": _WITHIN,
    }
    arguments = {name: _value(value) for name, value in _plain(wanted).items()}
    arguments |= {"draft": draft.hex, "principal": principal, "newline": "\n"} | _inside(wanted)
    chosen = [clause for name, clause in clauses.items() if arguments[name] is not None]
    return " AND ".join(["v.draft = :draft", MINE, *chosen]), arguments


def _inside(wanted: VersionFilter | AuditFilter) -> dict[str, Any]:
    if wanted.path is None:
        return {"inside": None}
    names, depth = wanted.inside.names, wanted.inside.depth
    above = steps(wanted.path, depth).above
    return {"inside": _json([names, depth]), "above": _json(above)}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _value(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value


SORTS = {
    "saved": ("d.saved_at", "DESC"),
    "expires": ("coalesce(d.expires_at, '~')", "ASC"),  # what never expires comes last
    "title": ("lower(coalesce(d.title, ''))", "ASC"),
}


IN_TRASH = "d.status IN ('discarded', 'expired')"


def drafts(principal: str, wanted: DraftFilter) -> tuple[str, dict[str, Any]]:
    """The drafts page of a principal, under a filter."""
    key, direction = SORTS[wanted.sort]
    clauses = {
        "status": IN_TRASH if wanted.status == "trash" else "d.status = :status",
        "form": "d.form = :form",
        "subject": "d.subject = :subject",
        "q": "instr(d.search, :q) > 0",
        "template": "d.template = :template",
        "shared": "(a.role <> 'owner') = :shared",
        "after": f"({key}, d.draft) {'<' if direction == 'DESC' else '>'} (:after_key, :after_id)",
    }
    arguments: dict[str, Any] = {name: getattr(wanted, name) for name in DraftFilter.__slots__}
    chosen = [clause for name, clause in clauses.items() if arguments[name] is not None]
    if wanted.q is not None:
        arguments["q"] = wanted.q.lower()
    if (after := arguments.pop("after")) is not None:
        arguments["after_key"], arguments["after_id"] = after[0], UUID(after[1]).hex
    arguments["principal"] = principal
    statement = (
        "SELECT d.draft, d.owner, a.role, d.form, d.subject, d.title, d.status, d.template, d.version, "
        f"d.step, d.completed_steps, d.conflicts, {_shown('d.created_at')} AS created_at, "
        f"{_shown('d.saved_at')} AS saved_at, d.saved_by, d.saved_device, "
        f"{_shown('d.expires_at')} AS expires_at, d.forked_from, d.from_template, "
        f"d.filled, d.fields, d.resume, {key} AS sort_key "
        "FROM access a JOIN drafts d ON d.draft = a.draft "
        f"WHERE {' AND '.join(['a.principal = :principal', *chosen])} "
        f"ORDER BY {key} {direction}, d.draft {direction} LIMIT :limit"
    )
    return statement, arguments

"""The statements of saves and reads on SQLite."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from projections.store.base import DraftFilter, VersionFilter
from projections.store.sqlite.paths import WITHIN, sought
from projections.store.sqlite.rows import column

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


def mine(draft: str, principal: str) -> str:
    """Whether somebody may read a draft: a member, or an auditor."""
    return (
        f"EXISTS (SELECT 1 FROM access a WHERE a.draft = {draft} AND (a.principal = {principal} "
        f"OR {principal} LIKE 'auditor:%'))"
    )


MINE = mine("v.draft", ":principal")
VERSION_AT = (
    f"SELECT version FROM versions v WHERE draft = ?1 AND {mine('v.draft', '?2')} AND at <= ?3 "
    "ORDER BY version DESC LIMIT 1"
)
LABEL_OF = (
    f"SELECT label FROM versions v WHERE draft = ?1 AND {mine('v.draft', '?2')} AND version = ?3"
)


def _shown(time: str) -> str:
    """A time as answers show it; stored ones always have six places, so that their order is right."""
    return f"replace({time}, '.000000Z', 'Z')"


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
        "path": WITHIN,
    }
    arguments = {name: column(value) for name, value in _plain(wanted).items()}
    arguments |= {"draft": draft.hex, "principal": principal, "newline": "\n"}
    arguments |= {"inside": None, **sought(wanted.path, wanted.inside)}
    chosen = [clause for name, clause in clauses.items() if arguments[name] is not None]
    return " AND ".join(["v.draft = :draft", MINE, *chosen]), arguments


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

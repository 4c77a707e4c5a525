"""Looks whether the database still keeps drafts apart: row-level security, roles and rights."""

from __future__ import annotations

from typing import Any, LiteralString

from psycopg import AsyncConnection

_TABLES: LiteralString = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'variorum'::regnamespace "
    "AND relkind IN ('r', 'p', 'v', 'm')"
)
_POLICIES: LiteralString = "SELECT tablename FROM pg_policies WHERE schemaname = 'variorum'"
_ROLES: LiteralString = (
    "SELECT rolname FROM pg_roles WHERE rolname IN ('variorum_reader', 'variorum_worker')"
)

# Each statement finds the names of what is wrong, for the sentence beside it. In `migrations` there is
# nothing of any draft; `purge` alone, which is its owner's, removes what was recorded.
_CHECKS: dict[str, LiteralString] = {
    "row-level security is not forced on {}": (
        f"{_TABLES} AND relname <> 'migrations' AND NOT (relrowsecurity AND relforcerowsecurity)"
    ),
    "{} may log in, or pass policies": (
        f"{_ROLES} AND (rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)"
    ),
    "{} may act as the other role": (
        f"{_ROLES} AND pg_has_role(rolname, CASE rolname WHEN 'variorum_reader' "
        "THEN 'variorum_worker' ELSE 'variorum_reader' END::name, 'MEMBER')"
    ),
    "readers may change {}": (
        f"{_TABLES} AND (has_table_privilege('variorum_reader', oid, 'DELETE, TRUNCATE, TRIGGER') "
        "OR has_any_column_privilege('variorum_reader', oid, 'INSERT, UPDATE, REFERENCES'))"
    ),
    "the service may alter what is recorded in {}": (
        f"{_TABLES} AND relname IN ('stored_events', 'tombstones', 'forgotten', 'forms', 'audit_reads') "
        "AND (has_table_privilege('variorum_worker', oid, 'DELETE, TRUNCATE, TRIGGER') "
        "OR has_any_column_privilege('variorum_worker', oid, 'UPDATE'))"
    ),
    "everybody who logs in has rights on {}": (
        f"{_TABLES} AND EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee = 0)"
    ),
    "readers see every row of {}": (
        f"{_POLICIES} AND roles && '{{variorum_reader,public}}'::name[] "
        "AND cmd IN ('SELECT', 'ALL') AND coalesce(qual, 'true') = 'true'"
    ),
    "events are added to {} without asking who may": (
        f"{_POLICIES} AND tablename = 'stored_events' AND cmd IN ('INSERT', 'ALL') "
        "AND roles && '{variorum_worker,public}'::name[] "
        "AND coalesce(with_check, '') NOT LIKE '%may_add(originator_id, by, topic)%'"
    ),
}
_INHERITED: LiteralString = f"{_ROLES} AND pg_has_role(rolname, 'USAGE')"
_CAN_DO_WITHOUT = 160_000  # the version from which a login need not have the rights of its roles


async def faults(connection: AsyncConnection[Any]) -> list[str]:
    """What is not as it must be, a sentence each, on a connection by the service's own login."""
    checks = dict(_CHECKS)
    if connection.info.server_version >= _CAN_DO_WITHOUT:
        checks["the service's login has the rights of {} without taking the role"] = _INHERITED
    found = []
    for sentence, statement in checks.items():
        rows = await (await connection.execute(statement)).fetchall()
        if names := sorted({row[0] for row in rows}):
            found.append(sentence.format(", ".join(names)))
    return found

"""Brings a PostgreSQL schema up to date, as its owner, one process at a time."""

from __future__ import annotations

import psycopg
from psycopg import sql

from projections.store.migrations import migrations

SCHEMA = "variorum"
ROLES = ("variorum_reader", "variorum_worker")


def migrate(owner_url: str, service_url: str) -> list[str]:
    """Apply what is missing and let the service's login take its two roles.

    Answers the names of the files applied. Safe to call from several processes at once: they wait
    for each other on an advisory lock.
    """
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(8602218)")
        with connection.transaction():
            _make_roles(connection, service_url)
            return _apply_missing(connection)


def _make_roles(connection: psycopg.Connection, service_url: str) -> None:
    login = psycopg.conninfo.conninfo_to_dict(service_url).get("user")
    for role in ROLES:
        connection.execute(
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        if login is not None and not _may_take(connection, str(login), role):
            _let_take(connection, str(login), role)


def _let_take(connection: psycopg.Connection, login: str, role: str) -> None:
    """Let a login take a role; where the server knows the difference, it has no right before."""
    options = " WITH INHERIT FALSE, SET TRUE" if _tells_apart(connection) else ""
    grant = sql.SQL("GRANT {} TO {}" + options)
    connection.execute(grant.format(sql.Identifier(role), sql.Identifier(login)))


def _may_take(connection: psycopg.Connection, login: str, role: str) -> bool:
    """Whether a login may take a role, and has none of its rights before it does."""
    may = "pg_has_role(rolname, %(role)s, 'MEMBER')"
    if _tells_apart(connection):
        may = (
            "pg_has_role(rolname, %(role)s, 'SET') AND NOT pg_has_role(rolname, %(role)s, 'USAGE')"
        )
    row = connection.execute(
        f"SELECT rolsuper OR {may} FROM pg_roles WHERE rolname = %(login)s".encode(),
        {"role": role, "login": login},
    ).fetchone()
    return row is not None and bool(row[0])


def _tells_apart(connection: psycopg.Connection) -> bool:
    """Whether a member may be without a role's rights, or without the right to SET ROLE."""
    return connection.info.server_version >= 160_000


def _apply_missing(connection: psycopg.Connection) -> list[str]:
    names = sql.SQL(", ").join(map(sql.Identifier, ROLES))
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    connection.execute(f"SET LOCAL search_path TO {SCHEMA}")
    connection.execute(sql.SQL(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {{}}").format(names))
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations "
        "(number integer PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL DEFAULT now())"
    )
    connection.execute(sql.SQL("GRANT SELECT ON migrations TO {}").format(names))
    has = {row[0] for row in connection.execute("SELECT number FROM migrations")}
    missing = [migration for migration in migrations("postgres") if migration.number not in has]
    for migration in missing:
        connection.execute(migration.sql.encode())
        connection.execute(
            "INSERT INTO migrations VALUES (%s, %s)", (migration.number, migration.name)
        )
    return [migration.name for migration in missing]

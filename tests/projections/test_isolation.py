"""PostgreSQL keeps drafts apart even if the code above forgets to: tried as the service's login."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection, sql

from domain.chain import FIRST
from domain.errors import Forbidden
from domain.origin import SERVICE
from projections.store.audit import AuditRead
from projections.store.base import Store
from projections.store.postgres import PostgresStore
from projections.store.postgres.connections import READER, WORKER, connect
from projections.store.postgres.isolation import faults
from projections.store.postgres.lanes import Statement
from tests import postgres
from tests.domain.scenes import ANN, BEN, DRAFTS, EVE, MONDAY, fields, origin
from tests.projections.histories import desk, group_of, level, log_of, new_draft, started, states_of

Connection = AsyncConnection[Any]

# Where the drafts' ids stand in the tables that readers may look into.
CONTENT = {
    "stored_events": "originator_id",
    "states": "draft",
    "versions": "draft",
    "drafts": "draft",
    "access": "draft",
    "tombstones": "draft",
}
FOR_WRITERS_ONLY = (
    "imports",
    "people",
    "links",
    "slots",
    "positions",
    "set_aside",
    "forms",
    "api_keys",
    "forgotten",
    "webhooks",
    "sessions",
    "warnings",
)
EVERY_VERSION = Statement(b"every_version", b"SELECT * FROM variorum.versions")
REFUSED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def url(postgres_database: postgres.Database) -> str:
    """The database, by the service's login."""
    return postgres_database.service_url


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """A store with a single connection of each kind, so that everything is used again."""
    async with started(PostgresStore(url, readers=1, workers=1)) as opened:
        for sub, key in (("ann", ANN), ("ben", BEN)):
            await opened.people.new_key(sub, key)
        yield opened


@pytest.fixture
async def drafts(store: Store, postgres_database: postgres.Database) -> dict[str, UUID]:
    """A draft of Ann's and one of Ben's, with rows in every table."""
    async with desk(store) as writer:
        made = {
            by: await writer.open({"title": by}, origin(by), subject="42", slot=True)
            for by in (ANN, BEN)
        }
        for by, draft in made.items():
            for number in range(20):
                await writer.edit(draft, {"n": number}, origin(by))
    catch_up = await level(store)
    for by in made:
        await catch_up.rest_all(by)
    async with await AsyncConnection.connect(postgres_database.service_url) as worker:
        await worker.execute(f"SET ROLE {WORKER}")
        assert {len(await ids(worker, table)) for table in CONTENT} == {2, 0}  # no tombstone yet
    return made


@pytest.fixture
async def reader(url: str) -> AsyncIterator[Connection]:
    """A connection as the service's readers have it."""
    connection = await connect(url, READER)
    yield connection
    await connection.close()


@pytest.fixture
async def worker(url: str) -> AsyncIterator[Connection]:
    """A connection as the service's writers have it."""
    connection = await connect(url, WORKER)
    yield connection
    await connection.close()


@pytest.fixture(params=[READER, WORKER, "neither"])
async def anyone(url: str, request: pytest.FixtureRequest) -> AsyncIterator[Connection]:
    """A connection under each role that the service takes, and one that took none."""
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("SET search_path TO variorum")
        if request.param != "neither":
            await connection.execute(f"SET ROLE {request.param}")
        yield connection


async def ids(connection: Connection, table: str) -> set[UUID]:
    """The drafts of which a table shows rows."""
    statement = sql.SQL("SELECT DISTINCT {} FROM variorum.{}")
    named = statement.format(sql.Identifier(CONTENT[table]), sql.Identifier(table))
    return {row[0] for row in await (await connection.execute(named)).fetchall()}


async def shown(connection: Connection) -> dict[str, set[UUID]]:
    """The drafts that each table shows; those that show none are left out."""
    found = {table: await ids(connection, table) for table in CONTENT}
    return {table: drafts for table, drafts in found.items() if drafts}


async def as_user(connection: Connection, user: str) -> None:
    """Name the one who reads, in the transaction that is open."""
    await connection.execute("SELECT set_config('variorum.user', %s, true)", (user,))


# -- reading


async def test_with_no_user_every_table_shows_nothing(
    drafts: dict[str, UUID], reader: Connection
) -> None:
    assert await shown(reader) == {}
    async with reader.transaction():
        await as_user(reader, "")
        assert await shown(reader) == {}


async def test_a_user_sees_the_rows_of_their_own_drafts_in_every_table(
    drafts: dict[str, UUID], reader: Connection
) -> None:
    for by, draft in drafts.items():
        async with reader.transaction():
            await as_user(reader, by)
            own = {table: {draft} for table in CONTENT if table != "tombstones"}
            assert await shown(reader) == own
    async with reader.transaction():
        await as_user(reader, EVE)
        assert await shown(reader) == {}


async def test_to_name_the_draft_that_is_read_shows_no_more_of_any(
    drafts: dict[str, UUID], reader: Connection
) -> None:
    for user in (ANN, BEN, EVE):
        async with reader.transaction():
            await as_user(reader, user)
            without = await shown(reader)
            for named in drafts.values():
                await reader.execute("SELECT set_config('variorum.draft', %s, true)", (str(named),))
                assert await shown(reader) == without, f"{user} names {named}"


READABLE = """
    SELECT c.relname, (SELECT attname FROM pg_attribute WHERE attrelid = c.oid
                       AND attname IN ('draft', 'originator_id') AND NOT attisdropped)
    FROM pg_class c
    WHERE relnamespace = 'variorum'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
    AND relname <> 'migrations' AND has_any_column_privilege('variorum_reader', oid, 'SELECT')
"""


async def test_no_table_that_there_is_shows_anything_of_a_draft_to_others(
    drafts: dict[str, UUID], url: str
) -> None:
    """The tables come from the catalog, so that a later one is tried too."""
    async with await AsyncConnection.connect(url, autocommit=True) as login:
        await login.execute("SET search_path TO variorum")
        await login.execute(f"SET ROLE {READER}")
        tables = await rows(login, READABLE)
        assert {table for table, _ in tables} == {*CONTENT, "audit_reads"}
        for table, column in tables:
            assert column is not None, f"{table} does not say to which draft its rows belong"
            seen = f"SELECT count(*) FROM {table} WHERE {column} = '{drafts[ANN]}'"
            assert await count(login, seen) == 0, f"{table}, with no user"
            for user in ("", BEN, EVE, f"{ANN}x", ANN.upper(), "%", "link:a1b2", "auditor"):
                async with login.transaction():
                    await as_user(login, user)
                    assert await count(login, seen) == 0, f"{table}, as {user!r}"
            async with login.transaction():
                await as_user(login, ANN)
                empty = table in ("tombstones", "audit_reads")  # the latter is for auditors
                assert (await count(login, seen) > 0) != empty
            assert await count(login, seen) == 0, f"{table}, with a user who is left over"


async def count(connection: Connection, statement: str) -> int:
    ((found,),) = await rows(connection, statement)
    return int(found)


async def test_a_link_sees_its_draft_and_no_other(
    drafts: dict[str, UUID], reader: Connection, worker: Connection
) -> None:
    await worker.execute("INSERT INTO access VALUES (%s, 'link:a1b2', 'viewer')", (drafts[ANN],))
    async with reader.transaction():
        await as_user(reader, "link:a1b2")
        own = {table: {drafts[ANN]} for table in CONTENT if table != "tombstones"}
        assert await shown(reader) == own
    with pytest.raises(REFUSED):
        await worker.execute(ADD, (drafts[ANN], "link:a1b2"))
    await worker.execute("UPDATE access SET role = 'editor' WHERE principal = 'link:a1b2'")
    with pytest.raises(REFUSED):
        await worker.execute(ADD, (drafts[BEN], "link:a1b2"))
    await worker.execute(ADD, (drafts[ANN], "link:a1b2"))


async def test_an_auditor_sees_every_draft_and_adds_no_event(
    drafts: dict[str, UUID], reader: Connection, worker: Connection
) -> None:
    auditor = f"auditor:{EVE}"
    async with reader.transaction():
        await as_user(reader, auditor)
        every = {table: set(drafts.values()) for table in CONTENT if table != "tombstones"}
        assert await shown(reader) == every
    assert await shown(reader) == {}
    for principal in (auditor, EVE):
        with pytest.raises(REFUSED):
            await worker.execute(ADD, (drafts[ANN], principal))


async def test_a_viewer_adds_the_event_by_which_it_leaves_and_no_other(
    drafts: dict[str, UUID], worker: Connection
) -> None:
    leave = ADD.replace("draft.edited", "draft.unshared")
    with pytest.raises(REFUSED):
        await worker.execute(leave, (drafts[ANN], EVE))
    await worker.execute("INSERT INTO access VALUES (%s, %s, 'viewer')", (drafts[ANN], EVE))
    with pytest.raises(REFUSED):
        await worker.execute(ADD, (drafts[ANN], EVE))
    await worker.execute(leave, (drafts[ANN], EVE))


ENDS = {
    "committed": None,
    "rolled back": psycopg.Rollback(),
    "cancelled": asyncio.CancelledError(),
    "failed": psycopg.errors.DivisionByZero(),
}


@pytest.mark.parametrize("how", ENDS)
async def test_a_user_is_forgotten_with_the_transaction_however_it_ends(
    drafts: dict[str, UUID], reader: Connection, how: str
) -> None:
    with suppress(asyncio.CancelledError, psycopg.errors.DivisionByZero):
        await transaction_that_is(reader, how)
    assert await shown(reader) == {}
    cursor = await reader.execute("SELECT current_principal()")
    assert await cursor.fetchone() == (None,)


async def transaction_that_is(reader: Connection, how: str) -> None:
    """Ann reads in a transaction, and it ends so."""
    async with reader.transaction():
        await as_user(reader, ANN)
        assert await shown(reader) != {}
        if how == "failed":
            await reader.execute("SELECT 1 / 0")
        if (end := ENDS[how]) is not None:
            raise end


async def test_no_user_is_left_on_the_connections_of_the_store(
    drafts: dict[str, UUID], store: PostgresStore
) -> None:
    assert await store.read(ANN, drafts[ANN]) is not None
    assert await store._lanes.rows(EVERY_VERSION, ()) == []
    async with store._as(ANN) as connection:
        assert await shown(connection) != {}
    async with store._as(ANN) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await connection.execute("SELECT 1 / 0")
    async with store._readers.connection() as connection:
        assert await shown(connection) == {}
    assert await store.read(BEN, drafts[ANN]) is None


async def test_the_functions_for_reading_pass_the_same_gate(
    drafts: dict[str, UUID], reader: Connection
) -> None:
    for by, other in ((ANN, BEN), (BEN, ANN), (EVE, ANN), ("", ANN)):
        for statement in (
            "SELECT * FROM read_draft(%s, %s, NULL)",
            "SELECT * FROM list_versions(%s, %s, 99, 99)",
        ):
            assert await (await reader.execute(statement, (by, drafts[other]))).fetchall() == []
            assert await shown(reader) == {}


async def test_what_writers_keep_among_themselves_readers_may_not_even_ask_for(
    drafts: dict[str, UUID], reader: Connection
) -> None:
    for table in FOR_WRITERS_ONLY:
        with pytest.raises(REFUSED):
            await reader.execute(f"SELECT * FROM {table}")


async def test_what_auditors_read_is_shown_to_auditors_only(
    store: Store, reader: Connection
) -> None:
    await store.audit.note_read(AuditRead(MONDAY, ANN, "/v1/audit", "{}", None, None, None))
    for by, seen in ((None, 0), ("", 0), (ANN, 0), (f"auditor:{BEN}", 1)):
        async with reader.transaction():
            if by is not None:
                await as_user(reader, by)
            cursor = await reader.execute("SELECT count(*) FROM audit_reads")
            assert await cursor.fetchone() == (seen,)


async def test_row_security_cannot_be_switched_off(
    drafts: dict[str, UUID], reader: Connection
) -> None:
    await reader.execute("SET row_security = off")
    for table in CONTENT:
        with pytest.raises(REFUSED):
            await reader.execute(f"SELECT * FROM {table}")


# -- writing


async def test_a_reader_writes_nothing(drafts: dict[str, UUID], reader: Connection) -> None:
    for table in (*CONTENT, *FOR_WRITERS_ONLY, "audit_reads"):
        for statement in (f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"):
            with pytest.raises(REFUSED):
                await reader.execute(statement)
    with pytest.raises(REFUSED):
        await reader.execute("SELECT apply_register('{}')")


ADD = (
    "INSERT INTO stored_events (originator_id, originator_version, topic, state, by, hash) "
    "VALUES (%s, 99, 'draft.edited', '{}', %s, '')"
)


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("editor", True), (None, False)])
async def test_an_event_is_added_by_those_only_whose_role_allows_it(
    drafts: dict[str, UUID], worker: Connection, role: str | None, may: bool
) -> None:
    if role is not None:
        await worker.execute("INSERT INTO access VALUES (%s, %s, %s)", (drafts[ANN], EVE, role))
    if may:
        await worker.execute(ADD, (drafts[ANN], EVE))
        return
    with pytest.raises(REFUSED):
        await worker.execute(ADD, (drafts[ANN], EVE))


@pytest.mark.parametrize(("act", "may"), [("expired", True), ("edited", False), ("shared", False)])
async def test_the_service_itself_closes_drafts_and_writes_nothing_else(
    drafts: dict[str, UUID], worker: Connection, act: str, *, may: bool
) -> None:
    add = ADD.replace("draft.edited", f"draft.{act}")
    if may:
        await worker.execute(add, (drafts[ANN], SERVICE))
        return
    with pytest.raises(REFUSED):
        await worker.execute(add, (drafts[ANN], SERVICE))


PURGE = "SELECT purge(%s, NULL, %s, now())"


async def test_a_purge_deletes_the_rows_of_one_draft_and_nobodys_else(
    drafts: dict[str, UUID], worker: Connection
) -> None:
    await worker.execute(PURGE, (drafts[ANN], ANN))
    left = {table: {drafts[BEN]} for table in CONTENT} | {"tombstones": {drafts[ANN]}}
    assert await shown(worker) == left


async def test_only_writers_may_purge_and_nobody_can_make_more_of_it(
    drafts: dict[str, UUID], reader: Connection, worker: Connection
) -> None:
    with pytest.raises(REFUSED):
        await reader.execute(PURGE, (drafts[ANN], ANN))
    async with worker.transaction():
        await worker.execute("SELECT set_config('variorum.purging', %s, true)", (str(drafts[BEN]),))
        await worker.execute(PURGE, (drafts[ANN], ANN))
        with pytest.raises(REFUSED):
            await worker.execute("DELETE FROM stored_events")


async def test_a_group_with_an_event_of_a_stranger_saves_nothing(
    drafts: dict[str, UUID], store: Store
) -> None:
    records = await log_of(store, drafts[ANN])
    state = states_of(records)[-1]
    state.members = {EVE: "editor"}  # so believes the process, and the register does not
    DRAFTS.edit(state, fields({"n": "stolen"}), origin(EVE))
    innocent = new_draft({"n": 1})
    head = await store.log.head()
    with pytest.raises(Forbidden):
        await store.save(group_of((innocent, FIRST), (state, records[-1].hash)))
    assert await store.log.head() == head
    assert await log_of(store, drafts[ANN]) == records


async def test_what_is_in_the_log_stays_as_it_is(
    drafts: dict[str, UUID], anyone: Connection
) -> None:
    for statement in (
        "UPDATE variorum.stored_events SET state = '{}'",
        "DELETE FROM variorum.stored_events",
        "TRUNCATE variorum.stored_events",
        "INSERT INTO variorum.stored_events (notification_id) OVERRIDING SYSTEM VALUE VALUES (1)",
        "UPDATE variorum.tombstones SET by = ''",
        "DELETE FROM variorum.tombstones",
        "TRUNCATE variorum.states, variorum.access, variorum.links, variorum.people",
        "UPDATE variorum.forms SET definition = '{}'",
        "DELETE FROM variorum.forms",
        "TRUNCATE variorum.forms",
        "INSERT INTO variorum.forms (number) OVERRIDING SYSTEM VALUE VALUES (1)",
        "UPDATE variorum.api_keys SET role = 'admin'",
        "UPDATE variorum.api_keys SET digest = ''",
        "UPDATE variorum.api_keys SET expires_at = NULL",
        "DELETE FROM variorum.api_keys",
        "UPDATE variorum.forgotten SET at = now()",
        "DELETE FROM variorum.forgotten",
        "INSERT INTO variorum.tombstones SELECT NULL, '', 1, '', '', now()",
        "UPDATE variorum.audit_reads SET by = ''",
        "DELETE FROM variorum.audit_reads",
        "TRUNCATE variorum.audit_reads",
        "INSERT INTO variorum.audit_reads (number) OVERRIDING SYSTEM VALUE VALUES (1)",
    ):
        with pytest.raises(REFUSED):
            await anyone.execute(statement)


async def test_nobody_gets_at_the_owners_rights(
    drafts: dict[str, UUID], anyone: Connection
) -> None:
    for statement in (
        f"SET ROLE {postgres.OWNER}",
        f"SET ROLE {postgres.SUPERUSER}",
        f"SET SESSION AUTHORIZATION {postgres.OWNER}",
        "RESET ROLE; ALTER TABLE variorum.stored_events DISABLE ROW LEVEL SECURITY",
        "RESET ROLE; ALTER TABLE variorum.stored_events NO FORCE ROW LEVEL SECURITY",
        "RESET ROLE; DROP POLICY worker_adds ON variorum.stored_events",
        "RESET ROLE; ALTER TABLE variorum.stored_events DISABLE TRIGGER ALL",
        "RESET ROLE; DROP TABLE variorum.versions",
        "RESET ROLE; CREATE TABLE variorum.mine (a integer)",
        "RESET ROLE; CREATE FUNCTION variorum.mine() RETURNS integer LANGUAGE sql RETURN 1",
        "RESET ROLE; DROP FUNCTION variorum.may_write",
        "RESET ROLE; UPDATE variorum.stored_events SET state = '{}'",
        "RESET ROLE; INSERT INTO variorum.migrations VALUES (99, 'x')",
        "RESET ROLE; ALTER ROLE variorum_worker BYPASSRLS",
        "RESET ROLE; SELECT setval('variorum.stored_events_notification_id_seq', 1)",
        "RESET ROLE; COPY variorum.drafts TO PROGRAM 'cat'",
    ):
        with pytest.raises(REFUSED):
            await anyone.execute(statement)
    cursor = await anyone.execute("SELECT session_user")
    assert await cursor.fetchone() == (postgres.SERVICE,)


# -- the shape of it, so that no later table is forgotten


async def rows(connection: Connection, statement: str) -> set[tuple[Any, ...]]:
    return set(await (await connection.execute(statement)).fetchall())


async def test_every_table_forces_row_security_and_none_is_the_services(
    worker: Connection,
) -> None:
    tables = await rows(
        worker,
        "SELECT relname, relrowsecurity AND relforcerowsecurity, pg_get_userbyid(relowner) "
        "FROM pg_class WHERE relnamespace = 'variorum'::regnamespace AND relkind IN ('r','p','v')",
    )
    forced = {*CONTENT, *FOR_WRITERS_ONLY, "audit_reads"}
    assert tables == {
        *((name, True, postgres.OWNER) for name in forced),
        ("migrations", False, postgres.OWNER),
    }


async def test_the_roles_have_no_login_no_way_round_and_none_of_each_other(
    worker: Connection,
) -> None:
    roles = await rows(
        worker,
        "SELECT rolname, rolcanlogin, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb "
        "FROM pg_roles WHERE rolname IN ('variorum_reader', 'variorum_worker')",
    )
    assert roles == {(READER, False, False), (WORKER, False, False)}
    members = await rows(
        worker,
        "SELECT pg_has_role('variorum_reader', 'variorum_worker', 'MEMBER'), "
        "pg_has_role('variorum_worker', 'variorum_reader', 'MEMBER')",
    )
    assert members == {(False, False)}


async def test_one_function_alone_works_with_more_rights_than_its_caller(
    worker: Connection,
) -> None:
    assert await rows(
        worker,
        "SELECT proname FROM pg_proc WHERE pronamespace = 'variorum'::regnamespace AND prosecdef",
    ) == {("purge",)}


# -- what the doctor looks at


async def test_a_database_as_it_was_made_has_no_faults(url: str) -> None:
    assert await found_by_the_doctor(url) == []


async def found_by_the_doctor(url: str) -> list[str]:
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        return await faults(connection)


FAULTS = {
    "ALTER TABLE versions NO FORCE ROW LEVEL SECURITY": (
        "row-level security is not forced on versions"
    ),
    "ALTER TABLE states DISABLE ROW LEVEL SECURITY": "row-level security is not forced on states",
    "CREATE TABLE later (draft uuid)": "row-level security is not forced on later",
    "GRANT UPDATE ON drafts TO variorum_reader": "readers may change drafts",
    "GRANT INSERT (draft) ON drafts TO variorum_reader": "readers may change drafts",
    "GRANT DELETE ON stored_events TO variorum_worker": (
        "the service may alter what is recorded in stored_events"
    ),
    "GRANT UPDATE (state) ON stored_events TO variorum_worker": (
        "the service may alter what is recorded in stored_events"
    ),
    "GRANT SELECT ON people TO PUBLIC": "everybody who logs in has rights on people",
    "CREATE POLICY all_see ON states FOR SELECT TO variorum_reader USING (true)": (
        "readers see every row of states"
    ),
    "CREATE POLICY all_see ON states USING (true)": "readers see every row of states",
    "CREATE POLICY all_add ON stored_events FOR INSERT TO variorum_worker WITH CHECK (true)": (
        "events are added to stored_events without asking who may"
    ),
}


@pytest.mark.parametrize("statement", FAULTS)
async def test_the_doctor_names_what_lets_drafts_be_seen_or_altered(
    postgres_database: postgres.Database, url: str, statement: str
) -> None:
    async with await AsyncConnection.connect(postgres_database.owner_url) as owner:
        await owner.execute(f"SET search_path TO variorum; {statement}".encode())
    assert await found_by_the_doctor(url) == [FAULTS[statement]]


ROLE_FAULTS = {
    f"GRANT {WORKER} TO {READER}": (
        f"REVOKE {WORKER} FROM {READER}",
        "variorum_reader may act as the other role",
    ),
    f"ALTER ROLE {READER} BYPASSRLS": (
        f"ALTER ROLE {READER} NOBYPASSRLS",
        "variorum_reader may log in, or pass policies",
    ),
    f"GRANT {WORKER} TO {postgres.SERVICE} WITH INHERIT TRUE": (
        f"GRANT {WORKER} TO {postgres.SERVICE} WITH INHERIT FALSE",
        "the service's login has the rights of variorum_worker without taking the role",
    ),
}


@pytest.mark.parametrize("statement", ROLE_FAULTS)
async def test_the_doctor_names_roles_that_are_more_than_their_part(
    postgres_server: postgres.Server, url: str, statement: str
) -> None:
    back, told = ROLE_FAULTS[statement]
    superuser = postgres_server.url(postgres.SUPERUSER, "postgres")
    async with await AsyncConnection.connect(superuser, autocommit=True) as connection:
        if "INHERIT" in statement:  # a grant belongs to who gave it
            await connection.execute(f"SET ROLE {postgres.OWNER}")
        await connection.execute(statement)
        try:
            found = await found_by_the_doctor(url)
        finally:
            await connection.execute(back)
    assert told in found
    assert await found_by_the_doctor(url) == []


async def test_the_login_alone_may_do_nothing_at_all(drafts: dict[str, UUID], url: str) -> None:
    async with await AsyncConnection.connect(url, autocommit=True) as login:
        for table in (*CONTENT, *FOR_WRITERS_ONLY):
            with pytest.raises(REFUSED):
                await login.execute(f"SELECT * FROM variorum.{table}".encode())

"""The command `variorum` as a real process: tables, tokens, the doctor, help and refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import psycopg
import pytest
from typer.testing import CliRunner

from api.cli import cli
from tests import postgres
from tests.api.issuer import ec_key, issuing, rsa_key
from tests.commands import KEYS, NOBODY_LISTENS, Operator

COMMANDS = [
    "serve",
    "migrate",
    "rebuild",
    "token",
    "export",
    "import",
    "import-rows",
    "verify",
    "checkpoint",
    "sweep",
    "forget",
    "backup",
    "openapi",
    "doctor",
    "key",
    "webhooks",
]


# -- migrate


def test_migrate_twice_applies_each_file_once(
    newcomer: Operator, engine: str, empty_database: postgres.Database
) -> None:
    operator = newcomer
    if engine == "postgres":
        operator = newcomer.having(
            DATABASE_URL=empty_database.service_url, VARIORUM_OWNER_URL=empty_database.owner_url
        )

    first, second = operator.succeeds("migrate"), operator.succeeds("migrate")

    assert first.startswith("applied 001_core.sql\n")
    assert first.endswith("The tables are up to date.\n")
    assert second == "The tables are up to date.\n"


def test_migrate_on_postgresql_asks_for_the_owners_address(newcomer: Operator) -> None:
    operator = newcomer.having(DATABASE_URL=NOBODY_LISTENS)

    assert operator.runs("migrate").refusal.startswith("Set VARIORUM_OWNER_URL")


def test_migrate_says_when_its_login_may_not(
    newcomer: Operator, empty_database: postgres.Database
) -> None:
    service = empty_database.service_url
    operator = newcomer.having(DATABASE_URL=service, VARIORUM_OWNER_URL=service)

    refusal = operator.runs("migrate").refusal

    assert refusal.startswith("The database refuses the login of VARIORUM_OWNER_URL: permission")
    assert postgres.PASSWORD not in refusal


# -- token


@pytest.mark.parametrize(
    ("arguments", "roles", "days"),
    [
        ((), [], 30),
        (("--role", "auditor", "--role", "admin"), ["admin", "auditor"], 30),
        (("--days", "0.5"), [], 0.5),
    ],
)
def test_a_token_says_who_it_is_for_with_which_roles_and_how_long(
    newcomer: Operator, arguments: tuple[str, ...], roles: list[str], days: float
) -> None:
    operator = newcomer.having(
        **KEYS, VARIORUM_JWT_ISSUER="https://issuer.example", VARIORUM_JWT_AUDIENCE="drafts"
    )

    token = operator.succeeds("token", "ann", *arguments).strip()

    key = KEYS["VARIORUM_JWT_SECRET"]
    claims = jwt.decode(token, key, ["HS256"], issuer="https://issuer.example", audience="drafts")
    assert (claims["sub"], claims["roles"]) == ("ann", roles)
    assert timedelta(seconds=claims["exp"] - claims["iat"]) == timedelta(days=days)


@pytest.mark.parametrize("user", ["link:1", "", "a" * 201])
def test_no_token_is_made_that_the_service_would_refuse(newcomer: Operator, user: str) -> None:
    assert "sub" in newcomer.having(**KEYS).runs("token", user).refusal


def test_a_role_that_does_not_exist_is_refused(newcomer: Operator) -> None:
    done = newcomer.having(**KEYS).runs("token", "ann", "--role", "auditer")

    assert (done.code, done.out) == (2, "")
    assert "auditor" in done.err


def test_where_an_issuer_signs_the_tokens_none_is_made_here(newcomer: Operator) -> None:
    operator = newcomer.having(
        VARIORUM_JWKS_URL="https://x.example/jwks.json", VARIORUM_JWT_ISSUER="https://x.example"
    )

    assert "tokens of its issuer only" in operator.runs("token", "ann").refusal


# -- key


def test_a_key_is_made_listed_and_revoked(operator: Operator) -> None:
    plain = operator.succeeds("key", "create", "the importer").strip()
    ending = operator.succeeds(
        "key", "create", "x", "--role", "admin", "--expires-in", "90"
    ).strip()
    ids = [key.split("_")[1] for key in (plain, ending)]

    assert re.fullmatch(r"vk_[0-9a-f]{12}_[\w-]{43}", plain)
    assert operator.succeeds("key", "revoke", ids[0]) == f"The API key {ids[0]} is revoked.\n"

    today, end = (datetime.now(UTC) + timedelta(days=days) for days in (0, 90))
    assert operator.succeeds("key", "list").splitlines() == [
        f"{ids[0]}  -  made {today:%F}  revoked {today:%F}  the importer",
        f"{ids[1]}  admin  made {today:%F}  ends {end:%F}  x",
    ]


def test_a_key_that_there_is_not_is_not_revoked(operator: Operator) -> None:
    refusal = operator.runs("key", "revoke", "0123456789ab").refusal

    assert refusal == "There is no API key 0123456789ab; `variorum key list` shows all."


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[2J", "a" * 201])
def test_a_key_has_a_name_that_a_list_can_show(operator: Operator, name: str) -> None:
    assert "one line" in operator.runs("key", "create", name).refusal
    assert operator.succeeds("key", "list") == ""


def test_a_key_has_one_of_the_roles_that_there_are(operator: Operator) -> None:
    done = operator.runs("key", "create", "x", "--role", "owner")

    assert (done.code, done.out) == (2, "")
    assert "auditor" in done.err


# -- doctor


def test_the_doctor_finds_nothing_wrong_with_a_database_as_it_should_be(
    operator: Operator,
) -> None:
    said = operator.succeeds("doctor")

    assert "FAIL" not in said
    assert "VARIORUM_JWT_SECRET = ********\n" in said
    assert not [secret for secret in (*KEYS.values(), postgres.PASSWORD) if secret in said]


def test_the_doctor_names_a_secret_file_that_others_may_read(sqlite_file: Path) -> None:
    operator = Operator(sqlite_file.parent)
    operator.succeeds("token", "ann")
    (sqlite_file.parent / "variorum.db.secret").chmod(0o644)

    done = operator.runs("doctor")

    assert done.code == 1
    assert failures(done.out) == [
        "variorum.db.secret holds secrets and others may read it; chmod 600 variorum.db.secret"
    ]


def test_the_doctor_names_a_login_that_no_policy_binds(
    on_postgres: Operator, postgres_server: postgres.Server, postgres_database: postgres.Database
) -> None:
    superuser = postgres_server.url(postgres.SUPERUSER, postgres_database.name)

    done = on_postgres.having(DATABASE_URL=superuser).runs("doctor")

    assert done.code == 1
    assert failures(done.out) == ["the service's login passes every policy, as superusers do"]


def test_the_doctor_names_a_login_that_owns_a_table(
    on_postgres: Operator, postgres_server: postgres.Server, postgres_database: postgres.Database
) -> None:
    superuser = postgres_server.url(postgres.SUPERUSER, postgres_database.name)
    with psycopg.connect(superuser) as connection:
        connection.execute("ALTER TABLE variorum.positions OWNER TO variorum_service")

    done = on_postgres.runs("doctor")

    assert done.code == 1
    assert failures(done.out) == [
        "the service's login owns tables: one login for everything is for a trial"
    ]


def test_the_doctor_names_a_development_user_that_is_on_in_production(
    on_postgres: Operator,
) -> None:
    done = on_postgres.having(VARIORUM_DEVELOPMENT_USER="true").runs("doctor")

    assert done.code == 1
    assert failures(done.out) == [
        "the development user is on; in production, remove VARIORUM_DEVELOPMENT_USER"
    ]


def test_the_doctor_says_so_of_a_trial_and_finds_nothing_wrong_with_it(sqlite_file: Path) -> None:
    said = Operator(sqlite_file.parent).succeeds("doctor")

    assert "ok   the development user is on, since no secret is set\n" in said


def test_the_doctor_asks_the_issuer_for_its_keys(operator: Operator) -> None:
    with issuing(first=rsa_key(), curve=ec_key()) as issuer:
        trusting = operator.having(
            VARIORUM_JWKS_URL=issuer.url, VARIORUM_JWT_AUDIENCE="authenticated"
        )
        assert "ok   keys of the tokens' issuer that fit: 2\n" in trusting.succeeds("doctor")
        issuer.says(b"<html>", 200)
        (problem,) = failures(trusting.runs("doctor").out)

    assert problem.startswith("the keys of the tokens' issuer cannot be fetched: ")


def test_the_doctor_names_a_schema_that_is_too_old_or_too_new(
    operator: Operator, set_schema: Callable[[int], None]
) -> None:
    set_schema(0)
    (too_old,) = failures(operator.runs("doctor").out)
    set_schema(999)
    (too_new,) = failures(operator.runs("doctor").out)

    assert "run `variorum migrate` first" in too_old
    assert "run the newer release" in too_new


def test_the_doctor_names_a_database_that_cannot_be_reached(newcomer: Operator) -> None:
    done = newcomer.having(DATABASE_URL=NOBODY_LISTENS, **KEYS).runs("doctor")

    assert done.code == 1
    assert failures(done.out) == ["The database cannot be reached; try again."]


def test_the_doctor_makes_nothing_where_nothing_is(newcomer: Operator) -> None:
    done = newcomer.runs("doctor")

    assert done.code == 1
    assert failures(done.out) == [
        "There is no variorum.db here yet; `variorum serve` or `variorum migrate` makes it."
    ]
    assert list(newcomer.folder.iterdir()) == []


# -- all of them


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_that_says_what_it_does(command: str) -> None:
    said = help_of(command)

    first = next(line.strip() for line in said.splitlines()[2:] if line.strip())
    assert f"Usage: variorum {command}" in said
    assert re.match(r"[A-Z][a-z]+ [a-z]", first), first
    assert len(said.splitlines()) < 30


def test_the_help_names_every_command_with_what_it_does() -> None:
    said = help_of()

    assert re.findall(r"^│ ([\w-]+) +[A-Z][a-z]+ ", said, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize(
    ("command", "file"),
    [
        (["migrate"], "a text"),
        (["migrate"], "a folder"),
        (["migrate"], "nowhere/at.db"),
        (["serve"], "a text"),
        (["rebuild"], "a text"),
        (["backup", "copy"], "a text"),
    ],
)
def test_what_is_no_database_file_is_refused_in_one_sentence(
    newcomer: Operator, command: list[str], file: str
) -> None:
    (newcomer.folder / "a text").write_text("Dear diary, " * 100)
    (newcomer.folder / "a folder").mkdir()
    operator = newcomer.having(DATABASE_URL=f"sqlite:///{file}", **KEYS)

    assert operator.runs(*command).refusal.startswith(f"{file} cannot be used as a database: ")
    assert not (newcomer.folder / "copy").exists()


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_database_that_cannot_be_reached_is_refused_in_one_sentence(
    newcomer: Operator, command: str
) -> None:
    operator = newcomer.having(DATABASE_URL=NOBODY_LISTENS, VARIORUM_OWNER_URL=NOBODY_LISTENS)

    refusal = operator.having(**KEYS).runs(command).refusal

    assert refusal == "The database cannot be reached as VARIORUM_OWNER_URL says."


def test_wrong_settings_are_named_in_one_sentence(newcomer: Operator) -> None:
    refusal = newcomer.having(VARIORUM_PORT="many", VARIORUM_WORKERS="0").runs("serve").refusal

    assert "VARIORUM_PORT: " in refusal
    assert "VARIORUM_WORKERS: " in refusal


# -- the words of these tests


def help_of(*command: str) -> str:
    """What `--help` says, on a terminal of 100 columns."""
    shown = CliRunner(env={"COLUMNS": "100"}).invoke(
        cli, [*command, "--help"], prog_name="variorum"
    )
    assert shown.exit_code == 0
    return shown.output


def failures(said: str) -> list[str]:
    """What the doctor found wrong."""
    return [line.removeprefix("FAIL ") for line in said.splitlines() if line.startswith("FAIL ")]

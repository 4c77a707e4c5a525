"""docker-compose.yml, where no Docker runs: its shape, its secrets, its logins, its command."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import psycopg
import pytest
import yaml

from tests import nobody, postgres
from tests.environments import TOP, Environment, make_environment

FILE = TOP / "docker-compose.yml"
SECRETS = {
    "postgres_password",
    "owner_password",
    "service_password",
    "DATABASE_URL",
    "VARIORUM_OWNER_URL",
    "VARIORUM_JWT_SECRET",
    "VARIORUM_CHAIN_KEY",
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return read


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the service's user may enter, unlike those of pytest."""
    made = Path(tempfile.mkdtemp(prefix="variorum-compose-"))
    nobody.owns(made)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def secrets(folder: Path) -> Path:
    """The secrets, made by the commands that the file's first lines tell an operator to run."""
    head = re.match(r"(#.*\n)+", FILE.read_text())
    assert head
    commands = re.findall(r"^#   (.*)$", head[0], re.MULTILINE)
    subprocess.run(["sh", "-euc", "\n".join(commands)], cwd=folder, check=True)
    nobody.owns(folder)
    return folder / "secrets"


@pytest.fixture(scope="module")
def logins(compose: Mapping[str, Any], secrets: Path) -> Iterator[None]:
    """A PostgreSQL as its first start leaves it, with the logins of the file and no others."""
    with postgres.running_server(fast=True) as server:
        superuser = server.url(postgres.SUPERUSER, "postgres")
        with psycopg.connect(superuser) as connection:
            connection.execute(f"DROP ROLE {postgres.OWNER}; DROP ROLE {postgres.SERVICE}")
        script = compose["configs"]["logins"]["content"].replace("/run/secrets", str(secrets))
        psql: list[str | Path] = [
            postgres.program("psql"),
            "--no-psqlrc",
            "--set=ON_ERROR_STOP=1",
            superuser,
        ]
        subprocess.run(psql, input=script.encode(), check=True, stdout=subprocess.DEVNULL)
        for name in ("DATABASE_URL", "VARIORUM_OWNER_URL"):
            there = (secrets / name).read_text()
            (secrets / name).write_text(
                there.replace("@postgres:5432/", f"@127.0.0.1:{server.port}/")
            )
        yield


@pytest.fixture(scope="module")
def environment(folder: Path) -> Environment:
    return make_environment(folder)


def test_the_service_waits_for_a_healthy_database(compose: Mapping[str, Any]) -> None:
    services = compose["services"]
    assert services["variorum"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert all("healthcheck" in service for service in services.values())


def test_every_secret_is_a_file_beside_it_that_is_never_committed(
    compose: Mapping[str, Any],
) -> None:
    assert compose["secrets"] == {name: {"file": f"./secrets/{name}"} for name in SECRETS}
    assert "/secrets/" in (TOP / ".gitignore").read_text().splitlines()
    given = [name for service in compose["services"].values() for name in service["environment"]]
    assert not SECRETS & set(given)


def test_the_service_gets_the_secrets_of_its_settings_and_no_passwords(
    compose: Mapping[str, Any],
) -> None:
    passwords = {name for name in SECRETS if name.endswith("_password")}
    assert set(compose["services"]["postgres"]["secrets"]) == passwords
    assert set(compose["services"]["variorum"]["secrets"]) == SECRETS - passwords


def test_the_image_is_built_in_two_stages_and_does_not_run_as_root(
    compose: Mapping[str, Any],
) -> None:
    service = compose["services"]["variorum"]
    lines = service["build"]["dockerfile_inline"].splitlines()
    assert [line.split()[1] for line in lines if line.startswith("FROM")] == [
        "python:3.12-slim"
    ] * 2
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users
    assert not users[-1].startswith(("0", "root"))
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"]


def test_the_image_copies_only_what_is_there(compose: Mapping[str, Any]) -> None:
    lines = compose["services"]["variorum"]["build"]["dockerfile_inline"].splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY") and "--" not in line]
    assert all((TOP / source).exists() for sources in copied for source in sources)


def test_nothing_is_open_to_the_network_but_through_loopback(compose: Mapping[str, Any]) -> None:
    assert "ports" not in compose["services"]["postgres"]
    assert all(p.startswith("127.0.0.1:") for p in compose["services"]["variorum"]["ports"])


def test_its_command_serves_as_another_user_and_its_health_check_knows(
    compose: Mapping[str, Any], secrets: Path, logins: None, environment: Environment
) -> None:
    port = postgres.free_port()
    check = _health_check(compose, port)
    assert not environment.succeeds(check)
    with _serving(compose, environment, secrets, port) as process:
        _wait_until(lambda: environment.succeeds(check), process)
        assert _drafts(port, secrets) == 200
        assert process.poll() is None
    assert not environment.succeeds(check)


def test_it_stops_in_time_when_asked_to(
    compose: Mapping[str, Any], secrets: Path, logins: None, environment: Environment
) -> None:
    port = postgres.free_port()
    with _serving(compose, environment, secrets, port) as process:
        check = _health_check(compose, port)
        _wait_until(lambda: environment.succeeds(check), process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)


@contextmanager
def _serving(
    compose: Mapping[str, Any], environment: Environment, secrets: Path, port: int
) -> Iterator[subprocess.Popen[bytes]]:
    """The service's command, on loopback and a port that is free here."""
    service = compose["services"]["variorum"]
    here = {"0.0.0.0": "127.0.0.1", "8000": str(port)}
    command = [here.get(word, word) for word in service["command"]]
    variables = {name: _unset(value) for name, value in service["environment"].items()}
    variables["VARIORUM_SECRETS_DIR"] = str(secrets)
    with (secrets.parent / "log").open("ab") as log:
        process = environment.start(command, variables, log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _unset(value: str) -> str:
    """What Compose makes of `${NAME:-value}` where NAME is not set."""
    return re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value)


def _health_check(compose: Mapping[str, Any], port: int) -> list[str]:
    kind, *command = compose["services"]["variorum"]["healthcheck"]["test"]
    assert kind == "CMD"
    return [word.replace(":8000", f":{port}") for word in command]


def _wait_until(holds: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert process.poll() is None, "the service ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _drafts(port: int, secrets: Path) -> int:
    """The status of a request that only a token signed with the secret of the file can make."""
    secret = (secrets / "VARIORUM_JWT_SECRET").read_text()
    token = jwt.encode({"sub": "ann", "exp": int(time.time()) + 60}, secret, algorithm="HS256")
    url = f"http://127.0.0.1:{port}/v1/drafts"
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"}).status_code

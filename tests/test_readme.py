"""The README at its word: its session gives the answers it shows, its tables name all there is."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import typer

from api.cli import cli
from api.settings import Settings, variable
from domain.form import read_form
from tests.commands import Operator, Serving
from tests.environments import TOP

README = (TOP / "README.md").read_text()
LEFT_OUT = "…"


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Somebody who followed the README so far: there is a `.venv` with `variorum` in it."""
    folder = tmp_path_factory.mktemp("readme")
    script = folder / ".venv" / "bin" / "variorum"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m api.cli "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return Operator(folder)


@pytest.fixture(scope="module")
def serving(newcomer: Operator) -> Iterator[Serving]:
    with newcomer.serves() as serving:
        yield serving


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's session needs curl")
def test_the_session_gives_the_answers_that_it_shows(newcomer: Operator, serving: Serving) -> None:
    session = list(steps(fenced("session", "console")))

    said = run([command for command, _ in session], newcomer, serving)

    for (command, shown), real in zip(session, said, strict=True):
        if shown:
            assert_shown(read(shown), json.loads(real), f"after $ {command}")
        else:
            assert real == "", command
    assert len([shown for _, shown in session if shown]) >= 6


def test_the_settings_are_named_all_and_with_their_defaults() -> None:
    rows = table("setting")

    fields = Settings.model_fields
    assert [row[0].strip("`") for row in rows] == [variable(name) for name in fields]
    for (_, default, _), field in zip(rows, fields.values(), strict=True):
        assert default.strip("`") == as_set(field.default)


def as_set(default: object) -> str:
    """A default as somebody would set it."""
    return (
        ", ".join(default)
        if isinstance(default, tuple)
        else str("" if default is None else default)
    )


def test_the_commands_are_named_all_and_with_nothing_that_they_do_not_take() -> None:
    rows = {row[0].strip("`").split()[1]: row for row in table("command")}
    commands = typer.main.get_command(cli).commands  # type: ignore[attr-defined]

    assert list(rows) == list(commands)
    for name, row in rows.items():
        mentioned = set(re.findall(r"--[a-z-]+", " ".join(row)))
        assert mentioned <= options_of(commands[name]), name


def test_the_routes_are_named_all_as_the_service_has_them(serving: Serving) -> None:
    paths = httpx.get(f"{serving.url}/openapi.json").json()["paths"]

    named = [call for row in table("route") for call in re.findall(r"`([A-Z]+ /\S+)`", row[0])]

    assert sorted(named) == sorted(f"{m.upper()} {path}" for path in paths for m in paths[path])


def test_the_rooms_that_are_named_are_there() -> None:
    (rooms,) = re.findall(r"```text\n(domain/.*?)```", README, re.DOTALL)
    folder, named = "", []
    for line in rooms.splitlines():
        name = line.split()[0]
        folder = folder if line.startswith(" ") else name
        named.append(TOP / folder / name if line.startswith(" ") else TOP / name)

    assert len(named) > 15
    assert [str(room) for room in named if not room.exists()] == []


def test_the_form_definition_that_is_shown_can_be_used() -> None:
    (shown,) = re.findall(r"^```json\n(\{\"form\".*?)^```$", README, re.MULTILINE | re.DOTALL)

    assert read_form(json.loads(shown)).at("/acts/id:a5/fee").label == "Fee"


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not urlsplit(link).scheme]

    assert links
    assert [link for link in links if not (TOP / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("name", ["serve", "test"])
def test_the_commands_that_ci_runs_are_one_line_each(name: str) -> None:
    (command,) = fenced(name, "sh").splitlines()

    assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -q -c ")
    assert (TOP / command.split(" -c ")[1].split()[0]).exists()
    assert f"readme_command {name})" in (TOP / ".ci" / "run").read_text()


def test_the_benchmarks_and_the_pictures_that_are_named_are_there() -> None:
    named = re.findall(r"python -m (tests[\w.]+)", README)

    assert len(set(named)) == 8
    assert all((TOP / Path(*name.split("."))).with_suffix(".py").exists() for name in named)


# -- how the README is read


def fenced(marker: str, language: str) -> str:
    """The fenced block directly after `<!-- marker -->`."""
    blocks = re.findall(
        rf"^<!-- {marker} -->\n```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL
    )
    (block,) = blocks
    return str(block)


def options_of(command: Any) -> set[str]:
    """The options of a command, or of all commands of a group."""
    below = getattr(command, "commands", {}).values()
    own = {option for parameter in command.params for option in parameter.opts}
    return own.union(*(options_of(one) for one in below))


def table(first: str) -> list[list[str]]:
    """The cells of the table whose head begins with this word."""
    (rows,) = re.findall(rf"^\| {first} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", README, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" |")] for row in rows.splitlines()]


def steps(session: str) -> Iterator[tuple[str, str]]:
    """Each command of a session with the answer that it shows, if any.

    A command begins with `$ ` and goes on while a quote is open; a line with `# ` is for people.
    """
    lines = [line for line in session.splitlines() if line and not line.startswith("# ")]
    for part in "\n".join(lines).removeprefix("$ ").split("\n$ "):
        command, answer = "", part.splitlines()
        while answer and (not command or command.count("'") % 2):
            command += f"\n{answer.pop(0)}"
        yield command.strip(), "\n".join(answer)


def run(commands: list[str], newcomer: Operator, serving: Serving) -> list[str]:
    """Type commands into one shell, at the port of this service; what each of them says."""
    here = urlsplit(serving.url).netloc
    ends = "\necho; echo '-- end --'\n"
    script = "".join(command.replace("127.0.0.1:8000", here) + ends for command in commands)
    done = subprocess.run(
        ["sh", "-eu"],
        input=script,
        cwd=newcomer.folder,
        env=newcomer.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [said.strip() for said in done.stdout.split("-- end --\n")[:-1]]


def read(shown: str) -> Any:
    """An answer as the README shows it: JSON, in which a bare `…` is a member like any other."""
    return json.loads(re.sub(rf"(?<!\"){LEFT_OUT}(?!\")", f'"{LEFT_OUT}": 0', shown))


def assert_shown(shown: Any, real: Any, where: str) -> None:
    """An answer is as it is shown; `…` stands for any text, or for any further members."""
    if shown == LEFT_OUT:
        assert isinstance(real, str), where
    elif isinstance(shown, dict) and isinstance(real, dict):
        left_out = {} if LEFT_OUT not in shown else real.keys() - shown.keys()
        assert shown.keys() - {LEFT_OUT} == real.keys() - left_out, f"{where}: {real}"
        for name in shown.keys() - {LEFT_OUT}:
            assert_shown(shown[name], real[name], f"{where}, {name}")
    elif isinstance(shown, list) and isinstance(real, list):
        for number, (one, other) in enumerate(zip(shown, real, strict=True)):
            assert_shown(one, other, f"{where}, {number}")
    else:
        assert shown == real, where

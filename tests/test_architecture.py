"""The folders are the architecture: which room may know which, and what may lie at the top."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("domain", "projections", "api")
WEB = {"fastapi", "starlette", "uvicorn"}
DATABASES = {"psycopg", "psycopg_pool", "sqlite3"}
FORBIDDEN = {
    "domain": {"projections", "api", "tests"} | WEB | DATABASES,
    "projections": {"api", "tests"} | WEB,
    "api": {"tests"},
}
TOP = {
    "pyproject.toml",
    "README.md",
    "domain",
    "projections",
    "api",
    "tests",
    "docker-compose.yml",
    "LICENSE",
    "CHANGELOG.md",
}
MADE_BY_TOOLS = {"build", "dist", "variorum.egg-info"}
MODULES = [
    path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
    if "node_modules" not in path.parts
]


def imports(path: Path) -> Iterator[str]:
    """The first part of every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_dependencies_point_inward(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    assert set(imports(path)) & FORBIDDEN[room] == set()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_module_opens_with_a_sentence_about_itself(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert docstring is not None
    assert docstring.partition("\n")[0].endswith((".", ":"))


def test_the_top_level_holds_what_was_agreed_and_nothing_else() -> None:
    there = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    strays = {name for name in there if name.endswith((".db", ".db-wal", ".db-shm", ".db.secret"))}
    assert there - MADE_BY_TOOLS - strays <= TOP
    assert TOP <= there


def test_only_one_module_knows_status_codes_of_problems() -> None:
    knowing = [named(path) for path in MODULES if "HTTPException(" in path.read_text("utf-8")]
    assert knowing == []

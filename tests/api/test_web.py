"""The browser side: its description of the API is this one's, and its own tests pass."""

from __future__ import annotations

import json

from api.app import describe
from tests.web import WEB, npm


def test_the_client_knows_the_api_as_it_is() -> None:
    committed = json.loads((WEB / "openapi.json").read_text("utf-8"))

    assert committed == describe(), "run `.venv/bin/python api/web/npm.py run api` and commit"


def test_the_client_s_own_tests_pass() -> None:
    done = npm("test")

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_lock_names_no_registry() -> None:
    lock = (WEB / "package-lock.json").read_text("utf-8")

    assert '"integrity"' in lock
    assert '"resolved"' not in lock


def test_every_version_is_exact() -> None:
    package = json.loads((WEB / "package.json").read_text("utf-8"))

    versions = {**package["dependencies"], **package["devDependencies"]}
    assert [name for name, version in versions.items() if not version[0].isdigit()] == []

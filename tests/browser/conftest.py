"""Real Chromium against a real service: browsers of several people, a network that can be cut."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright
from pydantic import SecretStr

from api.security import Tokens
from api.service import now
from api.settings import Settings
from tests import web
from tests.api.calls import Document
from tests.browser.desk import Desk
from tests.browser.site import Site
from tests.commands import KEYS, Operator, Serving

MakeDesk = Callable[..., Desk]
REQUIRED = "VARIORUM_REQUIRE_BROWSER"
FLAGS = [
    "--no-sandbox",  # Chromium runs as whoever runs the tests, in containers as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, once per module: while Playwright runs, no other event loop can."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        missing = "no Chromium here; get it with: apt-get install -y chromium"
        if os.environ.get(REQUIRED):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Machine:
    """The service: on one port and one database, however often it is killed and started again."""

    def __init__(self, folder: Path, origins: str) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._operator = Operator(
            folder,
            {
                **KEYS,
                "DATABASE_URL": "sqlite:///drafts.db",
                "VARIORUM_PORT": str(self.port),
                "VARIORUM_CORS_ORIGINS": origins,
                "VARIORUM_LOG_LEVEL": "error",
                "VARIORUM_RATE_USER": "off",
                "VARIORUM_RATE_ADDRESS": "off",
            },
        )
        self.settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            jwt_secret=SecretStr(KEYS["VARIORUM_JWT_SECRET"]),
            chain_key=SecretStr(KEYS["VARIORUM_CHAIN_KEY"]),
        )
        self._stack = ExitStack()
        self.serving: Serving | None = None

    def start(self) -> None:
        """Serve, as after `stop` or `kill`."""
        self.serving = self._stack.enter_context(self._operator.serves())

    def kill(self) -> None:
        """End it without a word, as a power cut does."""
        if self.serving is not None:
            self.serving.process.send_signal(signal.SIGKILL)
            self.serving.process.wait(30)
            self._stack.close()
            self.serving = None

    def close(self) -> None:
        """End it for good."""
        self._stack.close()


class House:
    """The service as one test sees it: people of its own, whose drafts nobody else has touched."""

    def __init__(self, machine: Machine, test: str) -> None:
        self.url, self.kill, self.start = machine.url, machine.kill, machine.start
        self._machine, self._test = machine, test
        self._tokens = Tokens(machine.settings, now)

    def name(self, user: str) -> str:
        """The `sub` of somebody in this test."""
        return f"{user} of {self._test}"

    def token(self, user: str, *roles: str, days: float = 1) -> str:
        """What proves to the service that somebody is this user."""
        return self._tokens.issue(self.name(user), roles, timedelta(days=days))

    def asks(self, user: str, method: str, path: str, **body: object) -> Document:
        """A request past every browser; its answer."""
        headers = {"Authorization": f"Bearer {self.token(user)}"}
        sent: dict[str, Any] = {"json": body} if body else {}
        answer = httpx.request(method, f"{self.url}/v1{path}", headers=headers, **sent)
        assert answer.is_success, answer.text
        document: Document = answer.json() if answer.content else {}
        return document

    def the_draft(self, user: str, form: str = "gig") -> Document:
        """The one open draft that somebody has for a form."""
        (line,) = self.asks(user, "GET", f"/drafts?form={form}&status=open")["items"]
        return self.asks(user, "GET", f"/drafts/{line['id']}")


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Another server, with the pages of somebody who uses the service."""
    with Site() as serving:
        yield serving


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Machine]:
    """The service, for all tests of the run."""
    web.build()
    service = Machine(tmp_path_factory.mktemp("machine"), site.url)
    service.start()
    yield service
    service.close()


@pytest.fixture
def house(machine: Machine) -> Iterator[House]:
    """The service, running."""
    yield House(machine, uuid4().hex[:8])
    if machine.serving is None:
        machine.start()


@pytest.fixture
def desk(chromium: Browser, house: House) -> Iterator[MakeDesk]:
    """Makes browsers, each with storage of its own: call it with whose it is."""
    with ExitStack() as stack:

        def make(user: str, *roles: str) -> Desk:
            return stack.enter_context(Desk(chromium, house.url, house.token(user, *roles)))

        yield make


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])

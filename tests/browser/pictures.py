"""Takes the pictures of the README from the running service: `python -m tests.browser.pictures`.

The service's clock is moved on between edits, so that the history has days in it.
"""

from __future__ import annotations

import base64
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from pydantic import SecretStr

from api.app import create_app
from api.operations import migrate
from api.security import Tokens
from api.settings import Settings
from tests import web
from tests.api.calls import Document
from tests.browser import gigs
from tests.commands import KEYS
from tests.environments import TOP
from tests.running import Clock

PICTURES = TOP / "api" / "web" / "pictures"
WIDE, NARROW = {"width": 1180, "height": 760}, {"width": 390, "height": 800}
QUALITY = 82
MOST = 120_000  # bytes of a picture


class Studio:
    """The service with a clock of its own, and drafts of two people in it."""

    def __init__(self, url: str, settings: Settings, clock: Clock) -> None:
        self.url, self._clock = url, clock
        self._tokens = Tokens(settings, lambda: datetime.now(UTC))

    def token(self, user: str, *roles: str) -> str:
        """What proves that somebody is this user."""
        return self._tokens.issue(user, roles, timedelta(days=9))

    def asks(self, user: str, method: str, path: str, **body: object) -> Document:
        """A request, a little after the one before; its answer."""
        self._clock.tick(7)
        sent: dict[str, Any] = {"json": body} if body else {}
        headers = {"Authorization": f"Bearer {self.token(user)}"}
        answer = httpx.request(method, f"{self.url}/v1{path}", headers=headers, **sent)
        assert answer.is_success, answer.text
        document: Document = answer.json() if answer.content else {}
        return document

    def furnish(self) -> str:
        """Drafts as somebody has them after two days; the id of the one that is shown."""
        self._clock.now = datetime.now(UTC) - timedelta(days=26)
        self.asks("ann", "POST", "/drafts", form="gig", another=True, device="Pixel", step="basic")
        self._clock.now = _yesterday(hour=16, minute=2)
        festival = gigs.begun(self.asks, "ben", "Summer festival, second stage")
        self.asks("ben", "PUT", f"/drafts/{festival}/members/ann", role="editor")
        draft = gigs.begun(self.asks, "ann", "Jazz night")
        self._clock.tick(3_000)
        gigs.worked_on(self.asks, draft, owner="ann", editor="ben", member="ben")
        self._clock.now = datetime.now(UTC) - timedelta(minutes=9)
        gigs.clashed(self.asks, draft, owner="ann", editor="ben", base=6)
        self._clock.now = datetime.now(UTC)
        return draft


def _yesterday(*, hour: int, minute: int) -> datetime:
    return (datetime.now(UTC) - timedelta(days=1)).replace(hour=hour, minute=minute, second=4)


@contextmanager
def studio(folder: Path) -> Iterator[Studio]:
    """The service on a free port, for the length of a `with`."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        log_level="error",
        database_url=f"sqlite:///{folder / 'drafts.db'}",
        jwt_secret=SecretStr(KEYS["VARIORUM_JWT_SECRET"]),
        chain_key=SecretStr(KEYS["VARIORUM_CHAIN_KEY"]),
    )
    migrate(settings)
    clock = Clock(datetime.now(UTC))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(settings, clock=clock), log_level="error"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield Studio(f"http://127.0.0.1:{listening.getsockname()[1]}", settings, clock)
    server.should_exit = True
    thread.join(30)


def take(browser: Browser, studio: Studio, draft: str) -> None:
    """Every picture."""
    shot = _photographer(browser, studio)
    shot("drafts", "/", lambda page: page.locator(".draft").nth(2).wait_for())
    form = f"/drafts/{draft}"
    shot("form", form, _filling)
    shot("form-phone", f"{form}?step=basic", _filling, dark=True, size=NARROW)
    shot("history", f"{form}/history", _looking_back)
    shot("conflicts", f"{form}/conflicts", lambda page: page.get_by_role("radio").nth(1).check())
    shot("audit", "/audit", lambda page: page.locator(".audit > li").nth(4).wait_for(), dark=True)


Pose = Callable[[Page], object]


def _filling(page: Page) -> None:
    page.locator(".status", has_text="Saved").wait_for()
    page.locator(".beside li").first.wait_for()


def _looking_back(page: Page) -> None:
    page.get_by_role("button", name="iPad").last.click()
    page.get_by_role("article").first.wait_for()
    page.get_by_role("checkbox").first.check()


def _photographer(browser: Browser, studio: Studio) -> Callable[..., None]:
    def shot(
        name: str, path: str, pose: Pose, *, dark: bool = False, size: dict[str, int] = WIDE
    ) -> None:
        user = ("vera", "auditor") if name == "audit" else ("ann",)
        context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            color_scheme="dark" if dark else "light",
            locale="en-GB",
            timezone_id="Europe/Berlin",
        )
        page = context.new_page()
        page.goto(f"{studio.url}{path}#token={studio.token(*user)}")
        pose(page)
        page.evaluate("document.fonts.ready")
        page.wait_for_timeout(300)
        _write(page, PICTURES / f"{name}.webp")
        context.close()

    return shot


def _write(page: Page, file: Path) -> None:
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    body = base64.b64decode(taken["data"])
    assert len(body) <= MOST, f"{file.name} has {len(body)} bytes"
    file.write_bytes(body)
    sys.stdout.write(f"{file.relative_to(TOP)}: {len(body)} bytes\n")


def main() -> None:
    """Build, serve, and take every picture anew."""
    web.build()
    PICTURES.mkdir(exist_ok=True)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with (
        tempfile.TemporaryDirectory() as folder,
        studio(Path(folder)) as service,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        take(browser, service, service.furnish())
        browser.close()


if __name__ == "__main__":
    main()

"""Somebody's browser in a test: tabs, a network that can be cut, and errors that fail the test."""

from __future__ import annotations

from types import TracebackType

from playwright.sync_api import Browser, BrowserContext, Page, Route

PATIENCE = 20_000  # milliseconds; nothing waits that long unless something is wrong


class Desk:
    """One browser profile: its tabs share storage with each other and with nobody else."""

    def __init__(self, browser: Browser, service: str, token: str) -> None:
        self.service, self.token = service, token
        self.context: BrowserContext = browser.new_context(locale="en-GB")
        self.context.set_default_timeout(PATIENCE)
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._is_cut = False

    def __enter__(self) -> Desk:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.context.close()
        assert kind or self.errors == []

    def tab(self, address: str) -> Page:
        """A new tab at an address; what a page throws fails the test."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(address)
        return page

    def cut(self) -> None:
        """No request of a page reaches the API; pages can still be loaded.

        What a page sends while it is closed (`keepalive`) goes past this: Chromium lets nobody
        look at it.
        """
        if not self._is_cut:
            self._is_cut = True
            self.context.route(f"{self.service}/v1/**", _lost)

    def mend(self) -> None:
        """The service can be reached again, and the browser tells its pages so."""
        if self._is_cut:
            self._is_cut = False
            self.context.unroute(f"{self.service}/v1/**")
        for page in self.context.pages:
            page.evaluate("dispatchEvent(new Event('online'))")

    @property
    def is_cut(self) -> bool:
        """Whether the service cannot be reached."""
        return self._is_cut


def _lost(route: Route) -> None:
    route.abort("internetdisconnected")

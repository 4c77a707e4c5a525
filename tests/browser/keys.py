"""A page used by keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

FAR = 120  # presses of Tab; no page has more places to stop at


def go_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the focus is on it, as somebody without a mouse has to."""
    wanted.wait_for()
    for _ in range(FAR):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key never reaches {wanted}")


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    """Go to it and press a key there."""
    go_to(page, wanted)
    page.keyboard.press(key)

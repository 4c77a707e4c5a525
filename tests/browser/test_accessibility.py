"""Every page in light, dark and on a phone: axe-core finds nothing serious, nothing is too wide."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import gigs
from tests.browser.conftest import House, MakeDesk
from tests.browser.desk import Desk
from tests.web import WEB

AXE = (WEB / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
GRAVE = ("serious", "critical")
LOOKS = ("light", "dark", "phone")


def faults(page: Page) -> list[str]:
    """What axe-core calls serious or critical, each with the first place."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found if one["impact"] in GRAVE
    ]


def look(page: Page, how: str) -> None:
    """Change how the page is shown."""
    page.emulate_media(color_scheme="dark" if how == "dark" else "light", reduced_motion="reduce")
    page.set_viewport_size({"width": 375 if how == "phone" else 1280, "height": 812})


def is_sound(page: Page) -> None:
    """No fault in any look, and nothing that has to be scrolled sideways."""
    for how in LOOKS:
        look(page, how)
        assert faults(page) == [], how
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), how


@pytest.fixture
def open_page(desk: MakeDesk, house: House) -> Callable[[str, str], Page]:
    """Opens a page of a draft with a history and conflicts; `{draft}` stands for its id."""
    draft = gigs.begun(house.asks, "ann")
    people = {"owner": "ann", "editor": "ben"}
    gigs.worked_on(house.asks, draft, **people, member=house.name("ben"))
    gigs.clashed(house.asks, draft, **people, base=6)
    browser: Desk = desk("ann")

    def open_at(address: str, heading: str) -> Page:
        page = browser.tab(f"{house.url}{address.format(draft=draft)}#token={browser.token}")
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        return page

    return open_at


def test_your_drafts(open_page: Callable[[str, str], Page]) -> None:
    page = open_page("/", "Your drafts")
    expect(page.locator(".draft")).to_have_count(1)
    is_sound(page)
    page.get_by_role("button", name="More for").click()
    page.get_by_role("button", name="Share…").click()
    expect(page.get_by_role("dialog").get_by_role("listitem").first).to_be_visible()
    is_sound(page)


def test_the_form(open_page: Callable[[str, str], Page]) -> None:
    page = open_page("/drafts/{draft}", "Jazz night")
    for step in ("Basics", "Line-up", "Pay"):
        page.get_by_role("button", name=step).first.click()
        expect(page.get_by_role("heading", level=2, name=step)).to_be_visible()
        is_sound(page)


def test_the_history(open_page: Callable[[str, str], Page]) -> None:
    page = open_page("/drafts/{draft}/history", "History of Jazz night")
    expect(page.get_by_role("article").first).to_be_visible()
    is_sound(page)
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("dialog").get_by_role("article").first).to_be_visible()
    is_sound(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="By field").click()
    expect(page.get_by_role("button", name="Every value it had of Title")).to_be_visible()
    is_sound(page)


def test_the_conflicts(open_page: Callable[[str, str], Page]) -> None:
    page = open_page("/drafts/{draft}/conflicts", "Two changes need you")
    page.get_by_role("radio").first.check()
    is_sound(page)


def test_the_audit(open_page: Callable[[str, str], Page]) -> None:
    page = open_page("/audit", "Audit")
    expect(page.locator(".audit > li").first).to_be_visible()
    is_sound(page)


def test_signing_in_and_nowhere(open_page: Callable[[str, str], Page]) -> None:
    is_sound(open_page("/nowhere", "No such page"))
    page = open_page("/", "Your drafts")
    page.get_by_role("button", name="Signed in as").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    is_sound(page)

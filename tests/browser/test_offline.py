"""The pages without a network: typed into, loaded again, closed, and saved when it is back."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser import gigs
from tests.browser.conftest import House, MakeDesk

SAVED = re.compile(r"^Saved \d\d:\d\d$")
OFFLINE = re.compile(r"^Offline, saved on this device")


def says(page: Page, words: re.Pattern[str]) -> None:
    expect(page.locator(".status > span").first).to_have_text(words, timeout=20_000)


def types(page: Page, text: str) -> None:
    name = page.get_by_label("Name").first
    name.focus()
    name.press("End")
    name.press_sequentially(text)


def test_the_form_is_there_after_a_reload_without_a_network_with_every_character(
    desk: MakeDesk, house: House
) -> None:
    draft = gigs.begun(house.asks, "ann")
    ann = desk("ann")
    page = ann.tab(f"{ann.service}/drafts/{draft}#token={ann.token}")
    types(page, " one")
    says(page, SAVED)
    page.wait_for_function("caches.match('/').then(Boolean)")

    ann.context.set_offline(True)
    types(page, " two")
    says(page, OFFLINE)
    page.reload()
    expect(page.get_by_label("Name").first).to_have_value("Foo Trio one two")
    types(page, " thr")
    page.close()
    page = ann.tab(f"{ann.service}/drafts/{draft}")
    expect(page.get_by_label("Name").first).to_have_value("Foo Trio one two thr")
    says(page, OFFLINE)

    ann.context.set_offline(False)
    says(page, SAVED)
    acts = house.asks("ann", "GET", f"/drafts/{draft}")["data"]["acts"]
    assert acts[0]["name"] == "Foo Trio one two thr"

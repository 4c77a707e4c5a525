"""The pages without a network: typed into, loaded again, closed, and saved when it is back."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser import gigs
from tests.browser.conftest import House, MakeDesk
from tests.browser.keys import press

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


def test_what_was_typed_while_the_draft_was_submitted_elsewhere_becomes_a_draft_of_its_own(
    desk: MakeDesk, house: House
) -> None:
    draft = gigs.begun(house.asks, "ann")
    laptop, phone = desk("ann"), desk("ann")
    page = laptop.tab(f"{laptop.service}/drafts/{draft}#token={laptop.token}")
    says(page, SAVED)
    laptop.context.set_offline(True)
    types(page, " and the late strings")
    page.get_by_label("Fee").first.fill("140")
    says(page, OFFLINE)

    other = phone.tab(f"{phone.service}/drafts/{draft}#token={phone.token}")
    other.get_by_role("button", name="Submit…").click()
    other.get_by_role("dialog").get_by_role("button", name="Submit", exact=True).click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Your drafts")
    laptop.context.set_offline(False)

    says(page, re.compile("^This draft is submitted; what you typed since is saved on this device"))
    notice = page.locator(".strip")
    expect(notice).to_contain_text("This draft was submitted while you were writing.")
    page.reload()  # nobody has to decide at once
    expect(notice).to_contain_text("What you typed since is kept on this device.")
    press(page, page.get_by_role("button", name="Keep it as a draft of its own"))
    page.wait_for_url(lambda url: "/drafts/" in url and draft not in url)
    expect(page.get_by_label("Name").first).to_have_value("Foo Trio and the late strings")
    expect(page.get_by_label("Fee").first).to_have_value("140")
    types(page, ", again")
    says(page, SAVED)

    fork = house.asks("ann", "GET", f"/drafts/{page.url.rpartition('/')[2]}")
    assert (fork["status"], fork["forked_from"]["draft"]) == ("open", draft)
    act = {"id": "a1", "name": "Foo Trio and the late strings, again", "fee": 140}
    assert fork["data"]["acts"][0] == act | {"start": "20:30"}
    submitted = house.asks("ann", "GET", f"/drafts/{draft}")
    assert (submitted["status"], submitted["data"]["acts"]) == ("submitted", gigs.GIG["acts"])
    page.goto(f"{laptop.service}/drafts/{draft}")
    expect(page.locator(".strip")).to_have_text("This draft is submitted, and takes no more edits.")

"""History, conflicts and the list of drafts as elements of a page without a build step."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser import gigs
from tests.browser.conftest import House, MakeDesk
from tests.browser.desk import Desk
from tests.browser.site import Site

PAGE = """<!doctype html><meta charset="utf-8" /><title>A gig</title>
<script type="module" src="{service}/client/variorum.js"></script>
<variorum-draft {which} token="{token}">
  <form><label>Title <input name="title" /></label><label>Fee <input name="fee" /></label></form>
  <variorum-status></variorum-status>
  <variorum-conflicts></variorum-conflicts>
  <variorum-history></variorum-history>
  <variorum-drafts></variorum-drafts>
</variorum-draft>"""
SAVED = re.compile("^Saved ")


@pytest.fixture
def page_of(site: Site, house: House) -> Callable[..., Page]:
    """Opens the page in somebody's browser."""

    def open_in(desk: Desk, which: str = 'form="gig" subject="42"') -> Page:
        address = f"/{uuid4().hex}"
        site.pages[address] = PAGE.format(service=house.url, token=desk.token, which=which)
        return desk.tab(site.url + address)

    return open_in


def status(page: Page, words: str | re.Pattern[str]) -> None:
    expect(page.locator("variorum-status")).to_have_text(words, timeout=20_000)


def test_a_version_is_brought_back_out_of_the_history(
    desk: MakeDesk, page_of: Callable[..., Page], house: House
) -> None:
    page = page_of(desk("ann"))
    expect(page.locator("variorum-history")).to_contain_text("Nothing is saved yet.")
    page.get_by_label("Title").fill("Jazz")
    status(page, SAVED)
    page.get_by_label("Title").fill("Late jazz")
    expect(page.get_by_text("2 saves")).to_be_visible()

    page.get_by_text("2 saves").click()
    page.get_by_role("button", name="Bring version 1 back").click()

    expect(page.get_by_label("Title")).to_have_value("Jazz")
    assert house.the_draft("ann")["version"] == 3
    page.reload()
    expect(page.get_by_role("region", name="Drafts").get_by_role("button")).to_have_text("Jazz")


def test_a_conflict_is_settled_by_keyboard_with_nothing_chosen_beforehand(
    desk: MakeDesk, page_of: Callable[..., Page], house: House
) -> None:
    phone = desk("ann")
    page = page_of(phone)
    page.get_by_label("Fee").fill("100")
    status(page, SAVED)
    draft = house.the_draft("ann")
    phone.cut()
    page.get_by_label("Fee").fill("250")
    changes = [{"op": "replace", "path": "/fee", "value": "300"}]
    house.asks("ann", "PATCH", f"/drafts/{draft['id']}", changes=changes, device="laptop")
    phone.mend()
    status(page, "Saved; one field needs a decision")

    review = page.get_by_role("region", name="To be decided")
    expect(review.get_by_role("group", name="Fee", exact=True)).to_be_visible()
    expect(review.get_by_role("radio", checked=True)).to_have_count(0)
    expect(review.get_by_role("button", name="Take it")).to_be_disabled()
    review.get_by_role("radio", name=re.compile("250")).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")

    expect(page.get_by_label("Fee")).to_have_value("250")
    expect(review).to_have_count(0)
    assert house.the_draft("ann")["data"]["fee"] == "250"
    assert house.the_draft("ann")["conflicts"] == []


def test_history_and_conflicts_call_fields_by_their_labels_and_show_values_as_read(
    desk: MakeDesk, house: House, page_of: Callable[..., Page]
) -> None:
    draft = gigs.begun(house.asks, "ann")
    fee = "/acts/id:a1/fee"
    for device, euros in (("iPhone", 250), ("iPad", 300)):
        gigs.saved(house.asks, "ann", draft, 1, device, gigs.change("replace", fee, euros))
    page = page_of(desk("ann"), f'draft="{draft}"')

    review = page.get_by_role("region", name="To be decided")
    expect(review.get_by_role("group", name="Fee of 'Foo Trio'")).to_be_visible()
    expect(review.get_by_role("radio", name=re.compile("on iPad: .?€300"))).to_be_visible()
    history = page.get_by_role("region", name="History")
    history.get_by_text("changed Fee of 'Foo Trio' in 1 save on iPhone").click()
    expect(history).to_contain_text("changed Fee of 'Foo Trio' from €100 to €250")
    expect(page.locator("body")).not_to_contain_text("id:a1")


def test_the_history_goes_on_with_what_is_saved_and_asks_for_no_save_twice(
    desk: MakeDesk, page_of: Callable[..., Page], house: House
) -> None:
    draft = gigs.begun(house.asks, "ann")
    for euros in (110, 120):
        change = gigs.change("replace", "/acts/id:a1/fee", euros)
        gigs.saved(house.asks, "ann", draft, 1, "iPad", change)
    phone = desk("ann")
    page = page_of(phone, f'draft="{draft}"')
    history = page.get_by_role("region", name="History")
    history.get_by_text("in 2 saves on iPad").click()
    saves = history.get_by_role("button", name=re.compile("^Bring version"))
    expect(saves).to_have_text(["Bring version 3 back", "Bring version 2 back"])

    change = gigs.change("replace", "/acts/id:a1/fee", 130)
    gigs.saved(house.asks, "ann", draft, 3, "iPad", change)
    expect(history).to_contain_text("from €120 to €130")
    expect(saves).to_have_count(3)

    asked = [url.rpartition("/")[2] for url in phone.requests if f"{draft}/versions/" in url]
    assert sorted(asked) == ["2", "3", "4"]

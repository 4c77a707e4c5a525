"""Your drafts: found, begun, shared, kept, put away and brought back."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser import gigs
from tests.browser.conftest import House, MakeDesk


@pytest.fixture
def page(desk: MakeDesk, house: House) -> Page:
    """Ann's drafts, of which there are two."""
    gigs.begun(house.asks, "ann", "Jazz night")
    gigs.begun(house.asks, "ann", "Open mic")
    ann = desk("ann")
    page = ann.tab(f"{house.url}/#token={ann.token}")
    expect(lines(page)).to_have_count(2)
    return page


def lines(page: Page) -> Locator:
    """The drafts that are listed."""
    return page.locator(".draft")


def more(page: Page, title: str, what: str) -> None:
    """Do something that stands in the menu of a draft."""
    page.get_by_role("button", name=f"More for {title}").click()
    page.get_by_role("button", name=what).click()


def show(page: Page, what: str) -> None:
    """Look at another list."""
    page.get_by_role("combobox", name="Show").select_option(label=what)


def told(page: Page, words: str) -> None:
    """What just happened is said."""
    expect(page.get_by_role("complementary", name="Notice")).to_contain_text(words)


def test_the_address_holds_no_token_and_a_line_says_how_far_a_draft_is(page: Page) -> None:
    assert "token" not in page.url
    expect(lines(page).first).to_contain_text("Step 3 of 5, Line-up")
    expect(lines(page).first).to_contain_text("on MacBook")
    expect(lines(page).first).to_contain_text("expires")


def test_a_draft_is_found_by_a_word_in_it(page: Page) -> None:
    page.get_by_role("searchbox").fill("mic")
    expect(lines(page)).to_have_count(1)
    page.get_by_role("searchbox").fill("nowhere")
    expect(page.get_by_text("No draft here has “nowhere” in it.")).to_be_visible()


def test_a_draft_goes_to_the_trash_and_comes_back_and_is_deleted_for_good(
    page: Page, house: House
) -> None:
    more(page, "Open mic", "Move to the trash")
    expect(lines(page)).to_have_count(1)
    page.get_by_role("button", name="Put back").click()
    expect(lines(page)).to_have_count(2)

    more(page, "Open mic", "Move to the trash")
    told(page, "in the trash")
    show(page, "Trash")
    more(page, "Open mic", "Delete for good…")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Delete for good")).to_be_disabled()
    dialog.get_by_label("Yes, delete all of it").check()
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("The trash is empty.")).to_be_visible()
    (left,) = house.asks("ann", "GET", "/drafts")["items"]
    assert left["title"] == "Jazz night"


def test_a_template_starts_another_draft(page: Page) -> None:
    more(page, "Jazz night", "Make it a template")
    expect(lines(page)).to_have_count(1)
    show(page, "Templates")
    page.get_by_role("button", name="Start from it Jazz night").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Jazz night")
    expect(page.get_by_label("Title")).to_have_value("Jazz night")


def test_a_draft_is_kept_longer(page: Page) -> None:
    more(page, "Jazz night", "Keep it longer")
    told(page, "Jazz night is kept until")


def test_a_draft_is_shared_with_a_person_and_by_a_link(
    page: Page, house: House, desk: MakeDesk
) -> None:
    more(page, "Jazz night", "Share…")
    dialog = page.get_by_role("dialog", name="Share Jazz night")
    dialog.get_by_label("Somebody by name").fill(house.name("ben"))
    dialog.get_by_role("button", name="Share", exact=True).click()
    expect(dialog.get_by_label(f"What {house.name('ben')} may do")).to_have_value("editor")

    ben = desk("ben")
    his = ben.tab(f"{house.url}/#token={ben.token}")
    expect(lines(his)).to_contain_text(f"{house.name('ann')} shares it")

    dialog.get_by_role("button", name="Make a link").click()
    link = dialog.get_by_label("The new link").input_value()
    guest = desk("zoe").tab(link)
    expect(guest.get_by_text("You may look at this draft")).to_be_visible()
    dialog.get_by_role("button", name="Take back").click()
    expect(dialog.get_by_text("A link: whoever has it")).to_have_count(0)
    guest.reload()
    expect(guest.get_by_text("Your sign-in has ended")).to_be_visible()


def test_who_has_begun_one_is_asked_before_another(page: Page, house: House) -> None:
    page.get_by_role("button", name="New gig").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Untitled gig")
    page.get_by_label("Title").fill("Late jazz")
    expect(page.locator(".status")).to_contain_text("Saved")

    page.get_by_role("link", name="Your drafts").click()
    page.get_by_role("button", name="New gig").click()
    begun = page.get_by_role("dialog", name="You have begun one already")
    expect(begun).to_contain_text("Late jazz")
    begun.get_by_role("button", name="Go on with it").click()
    expect(page.get_by_label("Title")).to_have_value("Late jazz")
    assert len(house.asks("ann", "GET", "/drafts")["items"]) == 3


def test_drafts_of_an_older_page_are_taken_over_and_told(page: Page, house: House) -> None:
    old = json.dumps({"title": "Found here", "currentStep": 2})
    page.evaluate("old => localStorage.setItem('gig-edit-42', old)", old)
    page.reload()

    expect(page.get_by_text("1 draft of an older page lay in this browser")).to_be_visible()
    page.get_by_role("button", name="See what was imported").click()
    expect(page.get_by_role("dialog")).to_contain_text("gig-edit-42 is a draft now")
    assert page.evaluate("localStorage.getItem('gig-edit-42')") is None
    assert "Found here" in {d["title"] for d in house.asks("ann", "GET", "/drafts")["items"]}


def test_what_an_older_page_writes_while_its_draft_is_taken_over_is_not_removed(page: Page) -> None:
    page.evaluate("""localStorage.setItem('gig-edit-43', '{"title": "Jazz"}')""")
    held: list[Route] = []
    page.route("**/v1/imports/local-storage", lambda route: held.append(route))
    with page.expect_request("**/v1/imports/local-storage"):
        page.reload()
    page.evaluate("""localStorage.setItem('gig-edit-43', '{"title": "Jazz night"}')""")
    with page.expect_response("**/v1/imports/local-storage"):
        held[0].continue_()

    expect(page.get_by_text("1 draft of an older page lay in this browser")).to_be_visible()
    assert page.evaluate("localStorage.getItem('gig-edit-43')") == '{"title": "Jazz night"}'


def test_what_was_typed_offline_in_a_tab_that_is_closed_is_led_to(page: Page, house: House) -> None:
    form = page.context.new_page()
    page.get_by_role("link", name="Open mic").first.click()
    form.goto(page.url)
    page.goto(house.url)
    form.get_by_label("Fee").first.wait_for()
    page.context.set_offline(True)
    form.get_by_label("Fee").first.fill("140")
    expect(form.locator(".status")).to_contain_text("Offline, saved on this device")
    form.close()
    page.context.set_offline(False)

    page.reload()
    notice = page.locator(".strip")
    expect(notice).to_contain_text("What was typed on this device is not all saved yet.")
    notice.get_by_role("link", name="Open mic").click()
    expect(page.get_by_label("Fee").first).to_have_value("140")
    expect(page.locator(".status > span").first).to_have_text(re.compile("^Saved"))
    draft = house.asks("ann", "GET", f"/drafts/{page.url.rpartition('/')[2]}")
    assert draft["data"]["acts"][0]["fee"] == 140


def test_signing_out_leaves_nothing_here(page: Page, house: House) -> None:
    page.get_by_role("button", name=f"Signed in as {house.name('ann')}").click()
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.reload()
    expect(page.get_by_label("Token")).to_be_visible()
    page.get_by_label("Token").fill(house.token("ann"))
    page.get_by_role("button", name="Open the pages").click()
    expect(lines(page)).to_have_count(2)

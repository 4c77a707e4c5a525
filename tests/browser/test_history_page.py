"""The history of a draft, used by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import gigs
from tests.browser.conftest import House, MakeDesk
from tests.browser.keys import go_to, press


@pytest.fixture
def draft(house: House) -> str:
    """A gig that Ann and Ben have worked on, at version 6."""
    draft = gigs.begun(house.asks, "ann")
    people = {"owner": "ann", "editor": "ben", "member": house.name("ben")}
    gigs.worked_on(house.asks, draft, **people)
    return draft


@pytest.fixture
def page(desk: MakeDesk, house: House, draft: str) -> Page:
    """Its history, in Ann's browser."""
    ann = desk("ann")
    page = ann.tab(f"{house.url}/drafts/{draft}/history#token={ann.token}")
    expect(page.get_by_role("heading", level=1)).to_have_text("History of Jazz night, late")
    return page


def article(page: Page, title: str) -> str:
    """What is shown of one field that changed, on one line."""
    found = page.get_by_role("article").filter(has=page.get_by_role("heading", name=title))
    return " ".join(found.inner_text().split())


def test_a_session_opens_to_every_save_and_shows_what_changed_in_it(page: Page) -> None:
    ben = page.get_by_role("listitem").filter(has_text="iPad")
    press(page, ben.get_by_role("button", name="iPad"))

    expect(page.get_by_role("heading", level=2)).to_contain_text("changed Act")
    assert "Added The Night Buses" in article(page, "Line-up")
    assert "Removed Solo Sax" in article(page, "Line-up")
    assert "Ticket price: 12 · Currency: EUR" in article(page, "Pay")

    ann = page.get_by_role("listitem").filter(has_text="MacBook")
    press(page, ann.get_by_role("button", name="Show every save"))
    press(page, page.get_by_role("button", name="Opened"))

    expect(page.get_by_role("heading", level=2)).to_contain_text("opened the draft with Title")
    expect(page.get_by_text("Sent to agency").first).to_be_visible()


def test_words_of_a_long_text_are_marked_and_can_be_read_before_and_after(page: Page) -> None:
    press(page, page.get_by_role("button", name="iPhone"))
    shown = page.get_by_role("article")
    expect(shown.locator("ins")).to_have_text(
        "The back room stays open for those who want to sit. "
    )

    press(page, page.get_by_role("button", name="Read before and after"))
    expect(shown.get_by_role("definition").first).to_have_text(gigs.LONG)


def test_any_two_versions_are_compared(page: Page) -> None:
    go_to(page, page.get_by_role("combobox", name="Show"))
    page.keyboard.type("Compare any")
    first = page.get_by_role("spinbutton", name="Version", exact=True)
    go_to(page, first)
    page.keyboard.press("Control+A")
    page.keyboard.type("4")

    expect(page.get_by_role("heading", level=2)).to_have_text("3 fields differ")
    assert "Before Jazz night After Jazz night, late" in article(page, "Title")


def test_a_field_is_taken_back_by_a_preview_and_that_too_is_taken_back(
    page: Page, house: House, draft: str
) -> None:
    press(page, page.get_by_role("button", name="iPad"))
    press(page, page.get_by_role("checkbox", name="choose Pay"), "Space")
    press(page, page.get_by_role("button", name="Undo 1 field, keep what came later…"))

    preview = page.get_by_role("dialog", name="Undo version 5")
    expect(preview.get_by_role("article")).to_have_count(1)
    assert "pay" in house.asks("ann", "GET", f"/drafts/{draft}")["data"]  # it is a preview
    press(page, preview.get_by_role("button", name="Undo", exact=True))

    expect(page.get_by_role("complementary", name="Notice")).to_contain_text("version 7")
    now = house.asks("ann", "GET", f"/drafts/{draft}")["data"]
    assert "pay" not in now
    assert [act["id"] for act in now["acts"]] == ["a3", "a1"]

    press(page, page.get_by_role("button", name="Take that back"))
    expect(page.get_by_role("complementary", name="Notice")).to_contain_text("Taken back")
    assert house.asks("ann", "GET", f"/drafts/{draft}")["data"]["pay"]["price"] == 12


def test_a_whole_version_comes_back_as_it_was(page: Page, house: House, draft: str) -> None:
    ann = page.get_by_role("listitem").filter(has_text="MacBook")
    press(page, ann.get_by_role("button", name="Show every save"))
    press(page, page.get_by_role("button", name="Opened"))
    press(page, page.get_by_role("button", name="Restore version 1…"))
    preview = page.get_by_role("dialog", name="Restore version 1")
    press(page, preview.get_by_role("button", name="Restore", exact=True))
    expect(page.get_by_role("complementary", name="Notice")).to_contain_text("Restored")

    assert house.asks("ann", "GET", f"/drafts/{draft}")["data"] == gigs.GIG


def test_a_version_gets_a_name_and_loses_it(page: Page) -> None:
    press(page, page.get_by_role("button", name="Name version 6…"))
    page.keyboard.type("After the call")
    page.keyboard.press("Enter")
    expect(page.get_by_text("After the call", exact=True)).to_be_visible()

    press(page, page.get_by_role("button", name="Rename version 6…"))
    press(page, page.get_by_role("button", name="Take the name away"))
    expect(page.get_by_text("After the call", exact=True)).to_have_count(0)


def test_the_whole_form_is_shown_as_it_was(page: Page) -> None:
    go_to(page, page.get_by_role("combobox", name="Show"))
    page.keyboard.type("The whole")

    expect(page.get_by_role("heading", name="The form at version 6")).to_be_visible()
    expect(page.get_by_role("article").first).to_contain_text("Jazz night, late")


def test_a_field_tells_who_set_it_and_every_value_it_had(page: Page) -> None:
    press(page, page.get_by_role("button", name="By field"))
    press(page, page.get_by_role("button", name="Every value it had of Title"))

    values = page.get_by_role("dialog", name="Title").get_by_role("listitem")
    expect(values).to_have_count(2)
    expect(values.first).to_contain_text("Jazz night, late")
    expect(values.last).to_contain_text("opened")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Every value it had of Title")).to_be_focused()


def test_what_is_saved_elsewhere_comes_to_the_top_and_leaves_what_is_read_where_it_is(
    desk: MakeDesk, house: House, draft: str
) -> None:
    ann = desk("ann")
    page = ann.tab(f"{house.url}/drafts/{draft}/history#token={ann.token}")
    page.set_viewport_size({"width": 375, "height": 700})
    lines = page.get_by_label("Sessions").get_by_role("listitem")
    expect(lines).to_have_count(4)
    press(page, page.get_by_role("button", name="iPad"))
    press(page, page.get_by_role("checkbox", name="choose Pay"), "Space")
    place = page.evaluate(PLACE)

    gigs.saved(house.asks, "ben", draft, 6, "phone", gigs.change("replace", "/start", "20:00"))
    expect(lines.first).to_contain_text("phone")
    expect(page.get_by_role("status")).to_contain_text("on phone")
    gigs.saved(house.asks, "ben", draft, 7, "phone", gigs.change("replace", "/start", "20:15"))
    expect(lines.first).to_contain_text("2 saves")

    expect(lines).to_have_count(5)
    expect(page.get_by_text("8 versions, none thrown away.")).to_be_visible()
    expect(lines.filter(has=page.locator("[aria-current]"))).to_contain_text("iPad")
    expect(page.get_by_role("checkbox", name="choose Pay")).to_be_checked()
    assert page.evaluate(PLACE) == pytest.approx(place, abs=2)
    assert len([url for url in ann.requests if "/events" in url]) == 1


ARTICLE = "document.querySelector('article').getBoundingClientRect().top"
PLACE = "document.querySelector('.comparison h2').getBoundingClientRect().top"


def test_the_latest_session_stays_chosen_when_it_goes_on_and_when_another_one_begins(
    page: Page, house: House, draft: str
) -> None:
    lines = page.get_by_label("Sessions").get_by_role("listitem")
    chosen = lines.filter(has=page.locator("[aria-current]"))
    expect(chosen).to_contain_text("MacBook")
    heading = page.get_by_role("heading", level=2)
    told = heading.inner_text()

    gigs.saved(house.asks, "ann", draft, 6, "MacBook", gigs.change("replace", "/start", "20:00"))
    gigs.saved(house.asks, "ben", draft, 7, "phone", gigs.change("replace", "/start", "20:15"))
    expect(lines.first).to_contain_text("phone")
    expect(chosen).to_contain_text("MacBook")
    expect(chosen).to_contain_text("3 saves")
    expect(heading).to_have_text(told)


def test_a_comparison_with_now_stays_until_somebody_asks_for_what_was_saved_since(
    page: Page, house: House, draft: str
) -> None:
    press(page, page.get_by_role("button", name="iPad"))
    go_to(page, page.get_by_role("combobox", name="Show"))
    page.keyboard.type("Compare with")
    shown = page.get_by_role("region", name="What changed")
    expect(shown).to_contain_text("Version 5 beside version 6, which is how it is now.")
    place = page.evaluate(ARTICLE)

    gigs.saved(house.asks, "ben", draft, 6, "phone", gigs.change("replace", "/start", "20:00"))
    expect(shown).to_contain_text("Version 5 beside version 6. Show version 7, saved since")
    assert page.evaluate(ARTICLE) == place
    press(page, page.get_by_role("button", name="Show version 7, saved since"))
    expect(shown).to_contain_text("Version 5 beside version 7, which is how it is now.")
    expect(shown.get_by_role("article")).to_have_count(2)

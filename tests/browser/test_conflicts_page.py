"""What clashed, decided by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import gigs
from tests.browser.conftest import House, MakeDesk
from tests.browser.keys import go_to, press


@pytest.fixture
def draft(house: House) -> str:
    """A gig whose description and one fee Ann and Ben changed without seeing each other."""
    draft = gigs.begun(house.asks, "ann")
    people = {"owner": "ann", "editor": "ben"}
    gigs.worked_on(house.asks, draft, **people, member=house.name("ben"))
    gigs.clashed(house.asks, draft, **people, base=6)
    return draft


@pytest.fixture
def page(desk: MakeDesk, house: House, draft: str) -> Page:
    """What is to decide, in Ann's browser."""
    ann = desk("ann")
    page = ann.tab(f"{house.url}/drafts/{draft}/conflicts#token={ann.token}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Two changes need you")
    return page


def question(page: Page, title: str) -> None:
    """The one conflict that is shown."""
    expect(heading(page)).to_have_text(title)


def heading(page: Page) -> Locator:
    """Which field is asked about."""
    return page.get_by_role("region", name="To decide").get_by_role("heading", level=2)


def choose(page: Page, place: int) -> None:
    """Choose one of the values: Tab leads to the first, the arrows to the others."""
    press(page, page.get_by_role("radio").first, "Space")
    for _ in range(place):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio").nth(place)).to_be_checked()


FEE = "Fee of 'Foo Trio'"


def test_nothing_is_chosen_beforehand_and_each_value_says_whose_it_is(
    page: Page, house: House
) -> None:
    skip_to(page, FEE)
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Use this")).to_be_disabled()
    options = [" ".join(text.split()) for text in page.locator(".option").all_inner_texts()]
    assert options[0].startswith(f"€300 {house.name('ben')}, on iPad, today ")
    assert "agency quote" in options[0]
    assert options[1].startswith("€250 You, on MacBook, today ")
    assert options[2:] == ["As it was before", f"Something else Another value for {FEE} €"]
    assert "€100" in page.locator(".before").inner_text()


def skip_to(page: Page, title: str) -> None:
    """Leave what is shown for later until it is this one's turn."""
    if heading(page).inner_text() != title:
        press(page, page.get_by_role("button", name="Skip for now"))
    question(page, title)


def test_all_is_decided_by_keys_and_the_results_are_told(
    page: Page, house: House, draft: str
) -> None:
    skip_to(page, FEE)
    choose(page, 1)
    expect(page.locator(".result")).to_have_text("The form will say €250")
    press(page, page.get_by_role("button", name="Use this"))

    question(page, "Description")
    expect(heading(page)).to_be_focused()
    choose(page, 2)
    expect(page.get_by_role("radio", name="Both")).to_be_checked()
    press(page, page.get_by_role("button", name="Use this"))

    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is left to decide")
    expect(page.get_by_text("2 decisions made")).to_be_visible()
    now = house.asks("ann", "GET", f"/drafts/{draft}")
    assert now["conflicts"] == []
    assert next(act["fee"] for act in now["data"]["acts"] if act["id"] == "a1") == 250
    assert "Doors at seven nine, food" in now["data"]["description"]


def test_another_value_can_be_written(page: Page, house: House, draft: str) -> None:
    skip_to(page, FEE)
    go_to(page, page.get_by_label("Another value for Fee of 'Foo Trio'"))
    page.keyboard.type("275,50")
    expect(page.locator(".result")).to_have_text("The form will say €275.50")
    press(page, page.get_by_role("button", name="Use this"))
    question(page, "Description")

    now = house.asks("ann", "GET", f"/drafts/{draft}")["data"]
    assert next(act["fee"] for act in now["acts"] if act["id"] == "a1") == 275.5


def test_whoever_leaves_comes_back_to_what_is_left(page: Page, desk: MakeDesk) -> None:
    skip_to(page, FEE)
    choose(page, 2)
    press(page, page.get_by_role("button", name="Use this"))
    question(page, "Description")

    press(page, page.get_by_role("link", name="Form"))
    expect(page.get_by_role("link", name="Review (1)").first).to_be_visible()
    press(page, page.get_by_role("link", name="Review (1)").first)

    expect(page.get_by_role("heading", level=1)).to_have_text("One change needs you")
    question(page, "Description")


def test_what_was_combined_without_asking_is_told(page: Page) -> None:
    press(page, page.locator("summary"))

    expect(page.locator("details")).to_contain_text("End")

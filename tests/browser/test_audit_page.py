"""The audit: every change in a sentence, found, exported as shown, and proved."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import gigs
from tests.browser.conftest import House, MakeDesk


@pytest.fixture
def page(desk: MakeDesk, house: House) -> Page:
    """The audit in an auditor's browser, narrowed to this test's draft."""
    draft = gigs.begun(house.asks, "ann")
    people = {"owner": "ann", "editor": "ben", "member": house.name("ben")}
    gigs.worked_on(house.asks, draft, **people)
    vera = desk("vera", "auditor")
    page = vera.tab(f"{house.url}/audit?draft={draft}#token={vera.token}")
    expect(page.get_by_text("8 changes in 1 draft")).to_be_visible()
    return page


def test_each_change_is_a_sentence_with_when_where_and_on_what(page: Page, house: House) -> None:
    first = page.locator(".audit > li").first

    expect(first).to_contain_text(
        f"{house.name('ann')} changed Title from 'Jazz night' to 'Jazz night, late'"
    )
    expect(first).to_contain_text("Jazz night, late, version 6 · MacBook")


def test_filters_narrow_it_and_stay_in_the_address(page: Page) -> None:
    page.get_by_label("What was done").select_option("edited")
    page.get_by_role("searchbox").fill("description")
    page.get_by_role("button", name="Show", exact=True).click()

    expect(page.get_by_text("1 change in 1 draft")).to_be_visible()
    assert "q=description" in page.url
    page.reload()
    expect(page.locator(".audit > li")).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_exactly_what_is_shown_is_exported(page: Page) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name="Export these 8 as CSV").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    with page.expect_download() as download:
        page.get_by_role("button", name="as NDJSON").click()
    lines = [json.loads(line) for line in Path(download.value.path()).read_text().splitlines()]

    shown = page.locator(".audit > li p:first-child").all_inner_texts()
    assert [row["text"] for row in rows] == shown
    assert [line["text"] for line in lines] == shown


def test_the_chain_is_verified_and_a_line_leads_to_the_history(page: Page) -> None:
    page.get_by_role("button", name="Verify 1 chain").click()
    expect(page.get_by_text("1 chain intact,").first).to_be_visible()

    page.get_by_role("link", name="version 5").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("History of Jazz night, late")
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)

"""The README's form without a build step in a real browser: reloaded, offline, closed, killed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import House, MakeDesk
from tests.browser.desk import Desk
from tests.browser.site import Site
from tests.environments import TOP

(SHOWN,) = re.findall(
    r"^<!-- vanilla -->\n```html\n(.*?)^```$",
    (TOP / "README.md").read_text("utf-8"),
    re.MULTILINE | re.DOTALL,
)


def test_the_form_has_about_twenty_lines_and_no_script_of_its_own() -> None:
    assert len(SHOWN.splitlines()) <= 22
    assert re.findall(r"<script[^>]*>(.*?)</script>", SHOWN) == [""]


@pytest.fixture
def form(site: Site, house: House) -> Callable[[Desk], Page]:
    """Opens the form in a browser, signed in as whose browser it is."""

    def open_in(desk: Desk) -> Page:
        page = SHOWN.replace("http://127.0.0.1:8000", house.url).replace("…", desk.token)
        site.pages[f"/{desk.token[-8:]}"] = page
        return desk.tab(f"{site.url}/{desk.token[-8:]}")

    return open_in


def says(page: Page, words: str | re.Pattern[str]) -> None:
    """The status comes to this."""
    expect(page.locator("variorum-status")).to_have_text(words, timeout=20_000)


SAVED = re.compile(r"^Saved \d\d:\d\d$")


def test_what_is_typed_is_saved_and_there_again_after_a_reload(
    desk: MakeDesk, form: Callable[[Desk], Page], house: House
) -> None:
    page = form(desk("ann"))
    says(page, "Nothing to save yet")

    page.get_by_label("Title").press_sequentially("Jazz night")
    page.get_by_label("Fee").fill("250")
    page.get_by_label("Currency").select_option("GBP")
    page.get_by_label("Confirmed").check()
    says(page, SAVED)

    assert house.the_draft("ann")["data"] == {
        "title": "Jazz night",
        "fee": 250,
        "currency": "GBP",
        "confirmed": True,
    }
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Jazz night")
    expect(page.get_by_label("Confirmed")).to_be_checked()
    says(page, SAVED)


def test_nothing_is_lost_offline_through_reloads_and_a_tab_closed_in_the_middle_of_a_word(
    desk: MakeDesk, form: Callable[[Desk], Page], house: House
) -> None:
    ann = desk("ann")
    page = form(ann)
    page.get_by_label("Title").press_sequentially("Jazz")
    says(page, SAVED)

    ann.cut()
    page.get_by_label("Title").press_sequentially(" night")
    says(page, re.compile(r"^Offline, saved on this device \(\d waiting\)$"))
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Jazz night")
    says(page, re.compile(r"^Offline, saved on this device"))
    page.get_by_label("Description").press_sequentially("Doors at ei")
    page.close()

    page = form(ann)
    expect(page.get_by_label("Description")).to_have_value("Doors at ei")

    ann.mend()
    says(page, SAVED)
    assert house.the_draft("ann")["data"] == {"title": "Jazz night", "description": "Doors at ei"}


def test_two_browsers_see_each_other_s_fields_and_keep_both_values_of_one(
    desk: MakeDesk, form: Callable[[Desk], Page], house: House
) -> None:
    laptop, phone = desk("ann"), desk("ann")
    one = form(laptop)
    one.get_by_label("Title").press_sequentially("Jazz")
    says(one, SAVED)
    other = form(phone)
    expect(other.get_by_label("Title")).to_have_value("Jazz")

    other.get_by_label("Fee").fill("300")
    says(other, SAVED)
    one.get_by_label("Title").press_sequentially(" night")
    says(one, SAVED)
    expect(one.get_by_label("Fee")).to_have_value("300")

    for browser in (laptop, phone):
        browser.cut()
    one.get_by_label("Fee").fill("301")
    other.get_by_label("Fee").fill("302")
    laptop.mend()
    says(one, SAVED)
    phone.mend()
    says(other, "Saved; one field needs a decision")

    (conflict,) = house.the_draft("ann")["conflicts"]
    assert conflict["ours"]["values"] == {"/fee": 301}
    assert [side["values"] for side in conflict["theirs"]] == [{"/fee": 302}]


def test_a_service_that_dies_between_save_and_answer_saves_once(
    desk: MakeDesk, form: Callable[[Desk], Page], house: House
) -> None:
    page = form(desk("ann"))
    page.get_by_label("Title").press_sequentially("Jazz")
    says(page, SAVED)
    house.kill()
    page.get_by_label("Title").press_sequentially(" night")
    says(page, re.compile("^Offline, saved on this device"))

    house.start()
    says(page, SAVED)

    assert house.the_draft("ann")["data"] == {"title": "Jazz night"}


def test_what_is_typed_into_a_draft_that_was_submitted_elsewhere_is_kept_and_said(
    desk: MakeDesk, form: Callable[[Desk], Page], house: House
) -> None:
    ann = desk("ann")
    page = form(ann)
    page.get_by_label("Title").press_sequentially("Jazz")
    says(page, SAVED)
    ann.cut()
    page.get_by_label("Title").press_sequentially(" night")
    house.asks("ann", "POST", f"/drafts/{house.the_draft('ann')['id']}/submit")
    ann.mend()

    kept = "This draft is submitted; what you typed since is saved on this device"
    says(page, kept)
    page.reload()
    says(page, kept)
    expect(page.get_by_label("Title")).to_have_value("Jazz night")

    keep = """async (service) => {
        const { keepAsFork } = await import(`${service}/client/variorum.js`);
        const draft = document.querySelector("variorum-draft");
        return keepAsFork(draft.client, draft.session);
    }"""
    fork = house.asks("ann", "GET", f"/drafts/{page.evaluate(keep, house.url)}")
    assert (fork["status"], fork["data"]) == ("open", {"title": "Jazz night"})


def test_only_the_service_is_asked(
    desk: MakeDesk, form: Callable[[Desk], Page], house: House, site: Site
) -> None:
    ann = desk("ann")
    page = form(ann)
    page.get_by_label("Title").press_sequentially("Jazz")
    says(page, SAVED)

    assert {url.split("/")[2] for url in ann.requests} == {
        address.split("/")[2] for address in (house.url, site.url)
    }

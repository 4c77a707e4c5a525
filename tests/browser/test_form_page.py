"""The gig form: steps, order, who else is there, and what may be said about saving."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import gigs
from tests.browser.conftest import House, MakeDesk
from tests.browser.desk import Desk
from tests.browser.keys import go_to, press

SAVED = re.compile(r"^Saved \d\d:\d\d$")


@pytest.fixture
def draft(house: House) -> str:
    """A gig of Ann's that Ben may edit."""
    draft = gigs.begun(house.asks, "ann")
    house.asks("ann", "PUT", f"/drafts/{draft}/members/{house.name('ben')}", role="editor")
    return draft


def form(desk: Desk, draft: str, step: str = "") -> Page:
    """The form in somebody's browser."""
    page = desk.tab(f"{desk.service}/drafts/{draft}{step}#token={desk.token}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Jazz night")
    return page


def status(page: Page) -> Locator:
    """What is said about saving."""
    return page.locator(".status > span")


def test_the_form_opens_at_its_step_and_goes_on_by_keys(
    desk: MakeDesk, house: House, draft: str
) -> None:
    page = form(desk("ann"), draft)
    expect(page.get_by_role("heading", level=2, name="Line-up")).to_be_visible()
    expect(page.get_by_label("Fee").first).to_have_value("100")

    press(page, page.get_by_role("button", name="On to Shifts"))
    expect(page.get_by_role("heading", level=2, name="Shifts")).to_be_focused()
    press(page, page.get_by_role("button", name="Add a shift"))
    page.keyboard.type("Door")
    expect(status(page)).to_have_text(SAVED)

    now = house.asks("ann", "GET", f"/drafts/{draft}")
    assert (now["step"], now["completed_steps"]) == ("shifts", ["basic", "venue", "lineup"])
    assert [shift["role"] for shift in now["data"]["shifts"]] == ["Door"]


def test_the_line_up_is_put_in_order_by_keys_and_by_dragging(
    desk: MakeDesk, house: House, draft: str
) -> None:
    page = form(desk("ann"), draft)
    names = page.get_by_label("Name")
    press(page, page.get_by_role("button", name="Move Foo Trio"), "ArrowDown")
    expect(names.first).to_have_value("Solo Sax")
    expect(page.get_by_role("button", name="Move Foo Trio, place 2 of 2")).to_be_focused()
    expect(page.get_by_role("status").first).to_have_text("Foo Trio is at place 2 of 2")

    page.get_by_role("button", name="Move Foo Trio").hover()
    page.mouse.down()
    page.get_by_role("button", name="Move Solo Sax").hover(position={"x": 4, "y": 2})
    page.mouse.move(*above(names.first), steps=4)
    page.mouse.up()
    expect(names.first).to_have_value("Foo Trio")
    expect(status(page)).to_have_text(SAVED)

    acts = house.asks("ann", "GET", f"/drafts/{draft}")["data"]["acts"]
    assert [act["name"] for act in acts] == ["Foo Trio", "Solo Sax"]


def above(place: Locator) -> tuple[float, float]:
    """A point a little above something."""
    box = place.bounding_box()
    assert box is not None
    return box["x"] - 20, box["y"] - 20


def test_anothers_edit_appears_without_moving_the_caret_and_says_who_is_at_the_field(
    desk: MakeDesk, house: House, draft: str
) -> None:
    ann, ben = form(desk("ann"), draft), form(desk("ben"), draft)
    mine, his = ann.get_by_label("Description"), ben.get_by_label("Description")
    mine.click()
    ann.keyboard.press("Control+End")
    his.click()
    expect(ann.locator("label", has_text="Description")).to_contain_text(
        f"{house.name('ben')} is here"
    )

    ben.keyboard.press("Control+Home")
    ben.keyboard.type("Welcome. ")
    expect(mine).to_have_value("Welcome. " + gigs.LONG)
    expect(mine).to_be_focused()
    ann.keyboard.type(" Free entry.")
    expect(his).to_have_value(f"Welcome. {gigs.LONG} Free entry.")


def test_offline_it_says_so_and_a_reload_brings_back_what_was_typed(
    desk: MakeDesk, house: House, draft: str
) -> None:
    ann = desk("ann")
    page = form(ann, draft, "?step=pay")
    expect(status(page)).to_have_text(SAVED)
    ann.cut()
    page.get_by_label("Fee").fill("250")
    expect(status(page)).to_have_text(re.compile(r"^Offline, saved on this device \(1 waiting\)$"))

    page.reload()
    expect(page.get_by_label("Fee")).to_have_value("250")
    expect(status(page)).to_have_text(re.compile(r"^Offline, saved on this device"))
    ann.mend()
    expect(status(page)).to_have_text(SAVED)
    assert house.asks("ann", "GET", f"/drafts/{draft}")["data"]["fee"] == 250


def test_what_was_not_sent_before_is_told_only_if_it_differs(
    desk: MakeDesk, house: House, draft: str
) -> None:
    ann = desk("ann")
    page = form(ann, draft, "?step=pay")
    expect(status(page)).to_have_text(SAVED)
    expect(page.locator(".strip")).to_have_count(0)
    house.kill()  # what a page sends while it is closed would go past `cut`
    page.get_by_label("Terms").fill("Half at the door")
    expect(status(page)).to_have_text(re.compile("^Offline"))
    page.close()
    house.start()

    page = form(ann, draft, "?step=pay")
    expect(page.get_by_label("Terms")).to_have_value("Half at the door")
    expect(page.locator(".strip")).to_contain_text("Brought back from this device: Pay.")
    press(page, page.get_by_role("button", name="Take it out again"))
    expect(page.get_by_label("Terms")).to_have_value("")
    expect(status(page)).to_have_text(SAVED)


def test_a_version_is_named_and_the_draft_is_submitted_with_what_it_lacks_told(
    desk: MakeDesk, house: House, draft: str
) -> None:
    page = form(desk("ann"), draft)
    page.get_by_label("Name").first.fill("")
    expect(status(page)).to_have_text(SAVED)
    press(page, page.get_by_role("button", name="Name this version…"))
    go_to(page, page.get_by_label("Name", exact=True).last)
    page.keyboard.type("Before the call")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Notice")).to_contain_text("Before the call")

    press(page, page.get_by_role("button", name="Submit…"))
    submitting = page.get_by_role("dialog")
    expect(submitting).to_contain_text("The form asks for 1 more thing")
    press(page, submitting.get_by_role("button", name="Submit it as it is"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Your drafts")
    assert house.asks("ann", "GET", f"/drafts/{draft}")["status"] == "submitted"


def test_whoever_may_only_look_changes_nothing(desk: MakeDesk, house: House, draft: str) -> None:
    house.asks("ann", "PUT", f"/drafts/{draft}/members/{house.name('zoe')}", role="viewer")
    page = form(desk("zoe"), draft)

    expect(page.get_by_text("You may look at this draft")).to_be_visible()
    expect(page.get_by_label("Name").first).to_be_disabled()
    expect(page.get_by_role("button", name="Submit")).to_have_count(0)


def test_a_link_opens_its_draft_and_leaves_no_token_in_the_address(
    desk: MakeDesk, house: House, draft: str
) -> None:
    link = house.asks("ann", "POST", f"/drafts/{draft}/links", role="editor")
    guest = desk("ann").tab(link["url"])

    expect(guest.get_by_role("heading", level=1)).to_have_text("Jazz night")
    assert "token" not in guest.url
    guest.get_by_label("Name").first.fill("Foo Quartet")
    expect(status(guest)).to_have_text(SAVED)
    assert house.asks("ann", "GET", f"/drafts/{draft}")["data"]["acts"][0]["name"] == "Foo Quartet"


def purged(house: House, draft: str) -> None:
    """Somebody deletes the draft for good, on another device."""
    house.asks("ann", "DELETE", f"/drafts/{draft}")
    house.asks("ann", "POST", f"/drafts/{draft}/purge")


def typed_too_late(ann: Desk, house: House, draft: str) -> Page:
    """A form with an edit that found its draft purged, loaded again since."""
    page = form(ann, draft, "?step=pay")
    expect(status(page)).to_have_text(SAVED)
    ann.cut()
    page.get_by_label("Fee").fill("250")
    expect(status(page)).to_have_text(re.compile("^Offline"))
    purged(house, draft)
    ann.mend()
    notice = page.locator(".strip")
    expect(notice).to_contain_text("This draft was deleted for good")
    page.reload()  # nobody has to decide at once
    expect(notice).to_contain_text("all that this form holds is kept on this device")
    expect(page.get_by_label("Fee")).to_have_value("250")
    expect(page.get_by_label("Fee")).to_be_disabled()
    return page


def test_what_was_typed_while_the_draft_was_deleted_for_good_becomes_a_new_one(
    desk: MakeDesk, house: House, draft: str
) -> None:
    page = typed_too_late(desk("ann"), house, draft)
    press(page, page.get_by_role("button", name="Make it a new draft"))
    page.wait_for_url(lambda url: "/drafts/" in url and draft not in url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Jazz night")
    expect(status(page)).to_have_text(SAVED)

    new = house.asks("ann", "GET", f"/drafts/{page.url.rpartition('/')[2]}")
    assert new["data"] == gigs.GIG | {"fee": 250}
    assert (new["status"], new["completed_steps"]) == ("open", ["basic", "venue"])


def test_what_was_typed_into_a_draft_that_is_gone_can_be_let_go(
    desk: MakeDesk, house: House, draft: str
) -> None:
    page = typed_too_late(desk("ann"), house, draft)
    press(page, page.get_by_role("button", name="Let it go…"))
    asked = page.get_by_role("dialog", name="Let it go")
    press(page, asked.get_by_role("button", name="Keep it on this device"))
    expect(page.get_by_label("Fee")).to_have_value("250")

    press(page, page.get_by_role("button", name="Let it go…"))
    press(page, asked.get_by_role("button", name="Let it go for good"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Your drafts")
    page.goto(f"{house.url}/drafts/{draft}")
    expect(page.locator(".trouble")).to_be_visible()
    assert house.asks("ann", "GET", "/drafts?status=open")["items"] == []

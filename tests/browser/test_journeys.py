"""Journeys through a bad day in real browsers: full storage, two tabs, expired, old drafts."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from uuid import uuid4

import pytest
from playwright.sync_api import Error, Page, expect

from tests.api.calls import Document
from tests.browser.conftest import House, MakeDesk
from tests.browser.desk import Desk
from tests.browser.site import Site

FIELDS = ("title", "venue", "description", "fee")
PAGE = """<!doctype html><meta charset="utf-8" /><title>A gig</title>
<script type="module" src="{service}/client/variorum.js"></script>
<variorum-draft form="gig" subject="{subject}" token="{token}">
  <form>
    <input name="title" /><input name="venue" /><input name="fee" />
    <textarea name="description"></textarea>
  </form>
  <variorum-status></variorum-status>
</variorum-draft>"""
SAVED = re.compile(r"^Saved \d\d:\d\d$")
CALM = re.compile(r"^Saved")

Open = Callable[..., Page]


@pytest.fixture
def opens(site: Site, house: House) -> Open:
    """Opens the form in somebody's browser, with the token of that browser or another one."""

    def open_in(desk: Desk, subject: str = "42", token: str | None = None) -> Page:
        address = f"/{uuid4().hex}"
        given = desk.token if token is None else token
        site.pages[address] = PAGE.format(service=house.url, subject=subject, token=given)
        return desk.tab(site.url + address)

    return open_in


def field(page: Page, name: str) -> str:
    """What a field shows."""
    return page.locator(f"[name={name}]").input_value()


def says(page: Page, words: str | re.Pattern[str]) -> None:
    """The status comes to this."""
    expect(page.locator("variorum-status")).to_have_text(words, timeout=30_000)


def types(page: Page, name: str, text: str) -> None:
    """Type at the end of a field, key by key."""
    place = page.locator(f"[name={name}]")
    place.focus()
    place.press("End")
    place.press_sequentially(text)


def test_with_storage_full_the_page_says_that_it_must_not_be_closed_and_saves_all_the_same(
    desk: MakeDesk, opens: Open, house: House
) -> None:
    ann = desk("ann")
    page = opens(ann)
    types(page, "title", "Jazz")
    says(page, SAVED)
    page.evaluate(
        """() => {
            const full = () => { throw new DOMException("full", "QuotaExceededError"); };
            IDBObjectStore.prototype.put = full;
            Storage.prototype.setItem = full;
        }"""
    )
    ann.cut()
    types(page, "title", " night")
    says(page, re.compile(r"^Offline, only in this page: do not close it \(\d waiting\)$"))

    ann.mend()
    says(page, SAVED)
    assert house.the_draft("ann")["data"] == {"title": "Jazz night"}


def test_a_browser_whose_quota_is_used_up_still_keeps_the_last_words(
    desk: MakeDesk, opens: Open, house: House
) -> None:
    ann = desk("ann")
    page = opens(ann)
    types(page, "title", "Jazz")
    says(page, SAVED)
    quota = page.context.new_cdp_session(page)
    origin = page.evaluate("location.origin")
    quota.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 1})
    ann.cut()
    types(page, "title", " night")
    says(page, re.compile("^Offline"))
    page.reload()
    expect(page.locator("[name=title]")).to_have_value("Jazz night")

    ann.mend()
    says(page, SAVED)
    assert house.the_draft("ann")["data"] == {"title": "Jazz night"}


def test_two_tabs_show_the_same_offline_too_and_one_of_them_sends(
    desk: MakeDesk, opens: Open, house: House
) -> None:
    ann = desk("ann")
    one, two = opens(ann), opens(ann)
    types(one, "title", "Jazz")
    says(one, SAVED)
    says(two, SAVED)
    expect(two.locator("[name=title]")).to_have_value("Jazz")

    ann.cut()
    types(one, "title", " night")
    expect(two.locator("[name=title]")).to_have_value("Jazz night")
    types(two, "venue", "Blue Room")
    expect(one.locator("[name=venue]")).to_have_value("Blue Room")
    two.close()
    types(one, "fee", "250")

    ann.mend()
    says(one, SAVED)
    draft = house.the_draft("ann")
    assert draft["data"] == {"title": "Jazz night", "venue": "Blue Room", "fee": "250"}
    assert draft["conflicts"] == []


def test_an_expired_session_keeps_everything_until_somebody_signs_in_again(
    desk: MakeDesk, opens: Open, house: House
) -> None:
    ann = desk("ann")
    page = opens(ann)
    types(page, "title", "Jazz")
    says(page, SAVED)
    page.evaluate("token => document.querySelector('variorum-draft').token = token", "expired")
    types(page, "title", " night")
    says(page, "Signed out, saved on this device (1 waiting)")
    page.close()

    page = opens(ann)
    expect(page.locator("[name=title]")).to_have_value("Jazz night")
    says(page, SAVED)
    assert house.the_draft("ann")["data"] == {"title": "Jazz night"}


def test_what_another_person_typed_in_this_browser_is_not_shown(
    desk: MakeDesk, opens: Open, house: House
) -> None:
    ann = desk("ann")
    page = opens(ann)
    types(page, "title", "Ann's secret")
    says(page, SAVED)
    page.close()

    page = opens(ann, token=house.token("ben"))
    says(page, "Nothing to save yet")
    assert field(page, "title") == ""


def test_old_entries_of_local_storage_become_drafts_once(
    desk: MakeDesk, opens: Open, house: House, site: Site
) -> None:
    ann = desk("ann")
    site.pages["/old"] = "<!doctype html><title>Old</title>"
    page = ann.tab(f"{site.url}/old")
    old = {"gig-create-draft": {"title": "New gig"}, "gig-edit-42": {"title": "Jazz night"}}
    for key, value in old.items():
        page.evaluate("([k, v]) => localStorage.setItem(k, v)", [key, json.dumps(value)])
    page.evaluate("localStorage.setItem('theme', 'dark')")
    adopt = """async ([service, token]) => {
        const { Client, adoptLocalStorage } = await import(`${service}/client/variorum.js`);
        const client = new Client({ url: service, token });
        return (await adoptLocalStorage(client)).map(({ outcome }) => outcome);
    }"""

    first = page.evaluate(adopt, [house.url, ann.token])
    second = page.evaluate(adopt, [house.url, ann.token])

    assert (first, second) == (["imported", "imported"], [])
    assert page.evaluate("Object.keys(localStorage)") == ["theme"]
    titles = {line["title"] for line in house.asks("ann", "GET", "/drafts?form=gig")["items"]}
    assert titles == {"New gig", "Jazz night"}
    expect(opens(ann).locator("[name=title]")).to_have_value("Jazz night")


def test_a_short_bad_day(desk: MakeDesk, opens: Open, house: House) -> None:
    BadDay(desk, opens, house, random.Random(1), kills=False).lives(60)


@pytest.mark.long
def test_after_five_hundred_steps_of_a_bad_day_nothing_is_lost(
    desk: MakeDesk, opens: Open, house: House
) -> None:
    BadDay(desk, opens, house, random.Random(7), kills=True).lives(500)


class BadDay:
    """Two browsers, each at a field of its own and one that both write, and what may go wrong."""

    def __init__(
        self, desk: MakeDesk, opens: Open, house: House, chance: random.Random, *, kills: bool
    ) -> None:
        self.desks = [desk("ann"), desk("ann")]
        self.opens, self.house, self.chance = opens, house, chance
        self.pages = [opens(one) for one in self.desks]
        self.typed: dict[tuple[int, str], str] = {}
        self.words: list[str] = []
        self.steps: list[tuple[int, Callable[[int], None]]] = [
            (70, self.type),
            (8, self.switch_network),
            (8, self.reload),
            (4, self.close_in_the_middle),
            (6, self.wait),
            (4 if kills else 0, self.kill),
        ]

    def lives(self, steps: int) -> None:
        """Take so many steps, then let everything settle, and look for every word."""
        weights = [weight for weight, _ in self.steps]
        for _ in range(steps):
            ((_, step),) = self.chance.choices(self.steps, weights)
            step(self.chance.randrange(2))
        self.settle()
        self.find_everything()

    def type(self, who: int) -> None:
        """A word at the end of a field of one's own, or of the one that both write."""
        own = (("title", "description"), ("venue", "description"))[who]
        name = self.chance.choice(own)
        word = f"w{len(self.words)}x"
        self.words.append(word)
        types(self.pages[who], name, f"{word} ")
        if name != "description":
            key = (who, name)
            self.typed[key] = self.typed.get(key, "") + f"{word} "
            assert field(self.pages[who], name) == self.typed[key]

    def switch_network(self, who: int) -> None:
        """Cut one browser's network, or mend it."""
        desk = self.desks[who]
        desk.mend() if desk.is_cut else desk.cut()

    def reload(self, who: int) -> None:
        """Load the page again; what was typed is there."""
        page = self.pages[who]
        page.reload()
        self.shows_what_was_typed(who)

    def close_in_the_middle(self, who: int) -> None:
        """Close the tab and open another one."""
        self.pages[who].close()
        self.pages[who] = self.opens(self.desks[who])
        self.shows_what_was_typed(who)

    def shows_what_was_typed(self, who: int) -> None:
        """Every field of one's own, to the last character."""
        for (owner, name), text in self.typed.items():
            if owner == who:
                expect(self.pages[who].locator(f"[name={name}]")).to_have_value(text)

    def wait(self, who: int) -> None:
        """Let a save happen."""
        self.pages[who].wait_for_timeout(1_500)

    def kill(self, who: int) -> None:
        """Kill the service, at whatever it does, and start it again after some more words."""
        self.house.kill()
        self.type(who)
        self.house.start()

    def settle(self) -> None:
        """The network is there, everything is saved, both show the same."""
        for desk, page in zip(self.desks, self.pages, strict=True):
            desk.mend()
            with suppress(Error):
                page.evaluate("document.querySelector('variorum-draft').session.resume()")
        for page in self.pages:
            says(page, CALM)
        for page in self.pages:
            page.evaluate("document.querySelector('variorum-draft').session.look()")
            says(page, CALM)
        shown = [[field(page, name) for name in FIELDS] for page in self.pages]
        data = self.house.the_draft("ann")["data"]
        assert shown == [[data.get(name, "") for name in FIELDS]] * 2

    def find_everything(self) -> None:
        """One's own fields hold all that was typed; each word in the shared one is somewhere."""
        draft = self.house.the_draft("ann")
        for (_, name), text in self.typed.items():
            assert draft["data"][name] == text
        kept = json.dumps([draft, *self.every_version(draft)])
        assert [word for word in self.words if word not in kept] == []

    def every_version(self, draft: Document) -> Iterator[Document]:
        """The whole history: each version with its changes and conflicts, and its form."""
        for version in range(1, draft["version"] + 1):
            yield self.house.asks("ann", "GET", f"/drafts/{draft['id']}/versions/{version}")
            yield self.house.asks("ann", "GET", f"/drafts/{draft['id']}?version={version}")

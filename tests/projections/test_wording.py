"""Wording: every change, version, session and conflict as one sentence, and no secret in any."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.diff import diff, serve
from domain.event import DraftEvent
from domain.form import Form, Node, read_form, undefined
from domain.merge import Clash, merge
from domain.path import child
from projections.wording import LONGEST, Session, Version, Wording
from tests.domain.strategies import LAWS, edits, forms, gig_edits, gigs

GIG = read_form(
    {
        "form": "gig",
        "label": "Gig",
        "steps": [{"id": "lineup", "label": "Line-up", "paths": ["/acts"]}, {"id": "pay"}],
        "fields": {
            "/title": {"label": "Title"},
            "/fee": {"label": "Fee"},
            "/price": {"label": "Price", "format": "currency:EUR"},
            "/wage": {"label": "Wage", "format": "currency:CHF"},
            "/day": {"label": "Day", "format": "date"},
            "/start": {"label": "Start", "format": "time"},
            "/end": {"label": "End", "format": "time"},
            "/doors": {"label": "Doors", "format": "datetime"},
            "/public": {"label": "Public"},
            "/tags": {"label": "Tags", "merge": "set"},
            "/description": {"label": "Description", "merge": "text"},
            "/contact": {"label": "Contact", "merge": "atomic", "sensitive": True},
            "/acts": {"label": "Line-up", "key": "id", "item": "/stage/name"},
            "/acts/*/fee": {"label": "Fee", "format": "currency:EUR"},
            "/shifts/*": {"label": "Shift"},
            "/guests/*/name": {"sensitive": True},
            "/codes": {"label": "Codes"},
            "/codes/*": {"sensitive": True},
        },
    }
)
FOO = {"id": "a5", "name": "Foo Fighters", "fee": 100}
BAR = {"id": "a6", "name": "Bar", "fee": 90}
BUS = {"id": "a7", "name": "The Night Buses"}
TEXT = "Two sets of standards and a late jam.\nDoors at eight, food until ten.\n"
LOREM = "Lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy tempor"


def told(before: dict[str, Any], after: dict[str, Any], form: Form = GIG) -> list[str]:
    """What the sentences say of Ann who led one form to another."""
    wording = Wording(form, before, after)
    return [wording.sentence(c, "ann") for c in serve(diff(before, after), before)]


# -- what fields are called


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/fee", "Fee"),
        ("/acts", "Line-up"),
        ("/acts/id:a5/fee", "Fee of 'Foo Fighters'"),
        ("/acts/id:a5", "'Foo Fighters' in Line-up"),
        ("/acts/id:9/fee", "Fee of item 2 of Line-up"),
        ("/acts/id:9", "item 2 of Line-up"),
        ("/acts/id:a5/stage/lights_on", "Lights on of Stage of 'Foo Fighters'"),
        ("/acts/id:gone/fee", "Fee of an item of Line-up"),
        ("/venue/street_name", "Street name of Venue"),
        ("/venue/homepageURL", "Homepage URL of Venue"),
        ("/venue/rooms/1/seats", "Seats of item 2 of Rooms of Venue"),
        ("/shifts/0/role", "Role of 'Sound'"),
        ("/shifts/0", "Shift 'Sound' in Shifts"),
        ("/shifts/1", "Shift 2 of Shifts"),
        ("/nowhere/3/at-all", "At all of item 4 of Nowhere"),
        ("/contact/phone", "Contact"),
        ("/guests/0/age", "Age of item 1 of Guests"),
        ("/codes/1", "item 2 of Codes"),
        ("/2/x", "X of 2"),
        ("/", "a field without a name"),
        ("", "Gig"),
    ],
)
def test_a_place_is_called_by_its_label_or_by_a_readable_path(path: str, label: str) -> None:
    data = {
        "acts": [FOO, {"id": 9, "name": " "}],
        "venue": {"street_name": "Main", "rooms": [{"seats": 9}, {"seats": 8}]},
        "shifts": [{"label": "Sound"}, {"name": None}],
        "guests": [{"name": "Zed", "age": 7}],
        "codes": ["x", "y"],
        "2": {"x": 1},
    }
    assert Wording(GIG, data, data).label(path) == label


def test_an_item_is_called_by_the_pointer_of_the_definition_first() -> None:
    data = {"acts": [{**FOO, "stage": {"name": "Foos"}}]}
    assert Wording(GIG, data, data).label("/acts/id:a5/fee") == "Fee of 'Foos'"


def test_without_a_definition_names_and_paths_serve() -> None:
    data = {"acts": [{"uuid": 7, "title": "Foo"}]}
    wording = Wording(undefined("gig"), data, data)
    assert wording.label("/acts/id:7/fee_total") == "Fee total of 'Foo'"
    assert wording.label("") == "the form"


def test_a_form_that_declares_another_key_finds_its_items() -> None:
    form = read_form({"form": "f", "fields": {"/seats": {"key": "no", "item": "/guest"}}})
    data = {"seats": [{"no": 1, "guest": "Eve"}, {"no": 2, "guest": "Ben"}]}
    assert Wording(form, data, data).label("/seats/id:2/paid") == "Paid of 'Ben'"


def test_a_change_made_by_a_key_that_is_declared_no_more_finds_its_items() -> None:
    before = {"seats": [{"no": 1, "name": "Eve"}, {"no": 2, "name": "Ben", "paid": 5}]}
    after = {"seats": [{"no": 2, "name": "Ben", "paid": 9}, {"no": 1, "name": "Eve"}]}
    keys = read_form({"form": "f", "fields": {"/seats": {"key": "no"}}}).keys
    wording = Wording(undefined("f"), before, after)
    changes = serve(diff(before, after, keys), before)
    assert [wording.sentence(change, "ann") for change in changes] == [
        "Ann changed Paid of 'Ben' from 5 to 9",
        "Ann moved 'Ben' up in Seats, before 'Eve'",
    ]


# -- changes


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ({"fee": 100}, {"fee": 250}, "Ann changed Fee from 100 to 250"),
        ({"fee": 1}, {"fee": True}, "Ann changed Fee from 1 to yes"),
        ({"fee": "100"}, {"fee": 100}, "Ann changed Fee from '100' to 100"),
        ({"fee": 0.5}, {"fee": 1e3}, "Ann changed Fee from 0.5 to 1000"),
        ({}, {"fee": 250}, "Ann set Fee to 250"),
        ({"fee": 250}, {}, "Ann removed Fee (was 250)"),
        ({"fee": None}, {"fee": 250}, "Ann changed Fee from nothing to 250"),
        ({"public": False}, {"public": True}, "Ann changed Public from no to yes"),
        ({"title": ""}, {"title": "Jazz"}, "Ann changed Title from empty to 'Jazz'"),
        ({"title": "Jazz"}, {"title": ""}, "Ann emptied Title (was 'Jazz')"),
        ({"title": ""}, {"title": None}, "Ann changed Title from empty to nothing"),
        ({"title": "a b"}, {"title": "a  b"}, "Ann changed the spacing of Title"),
        ({"title": "O'Hara\t"}, {"title": "x"}, "Ann changed Title from 'O'Hara' to 'x'"),
        ({"price": 100}, {"price": 250.5}, "Ann changed Price from €100 to €250.50"),
        ({"price": "100"}, {"price": -9}, "Ann changed Price from €100 to -€9"),
        ({"price": "100"}, {"price": 100}, "Ann changed Price"),
        ({"price": 1}, {"price": "much"}, "Ann changed Price from €1 to 'much'"),
        ({}, {"wage": 12}, "Ann set Wage to 12 CHF"),
        (
            {"day": "2026-11-22"},
            {"day": "2026-12-01T10:00:00Z"},
            "Ann changed Day from 22 November 2026 to 1 December 2026",
        ),
        ({"day": "2026-11-22"}, {"day": "soon"}, "Ann changed Day from 22 November 2026 to 'soon'"),
        ({"start": "20:30"}, {"start": "21:00:05"}, "Ann changed Start from 20:30 to 21:00:05"),
        ({"start": 20}, {"start": "late"}, "Ann changed Start from 20 to 'late'"),
        ({}, {"doors": "2026-11-22T19:00:00Z"}, "Ann set Doors to 22 November 2026, 19:00 UTC"),
        (
            {},
            {"doors": "2026-11-22T19:00+01:00"},
            "Ann set Doors to 22 November 2026, 19:00 +0100",
        ),
        ({}, {"doors": "2026-13-22T19:00"}, "Ann set Doors to '2026-13-22T19:00'"),
        ({}, {"doors": "20260101"}, "Ann set Doors to '20260101'"),
        ({}, {"venue": {"a": 1, "b": 2}}, "Ann added Venue: 2 fields"),
        ({}, {"venue": {"name": "Blue Room"}}, "Ann added Venue: 'Blue Room'"),
        ({"venue": {"a": 1}}, {}, "Ann removed Venue (was 1 field)"),
        ({"venue": {"a": 1}}, {"venue": {"a": 2}}, "Ann changed A of Venue from 1 to 2"),
        ({"venue": {"a": 1}}, {"venue": "x"}, "Ann changed Venue from 1 field to 'x'"),
        ({"venue": [1]}, {"venue": {}}, "Ann emptied Venue (was 1)"),
        ({}, {"acts": [FOO, BAR]}, "Ann added Line-up: 'Foo Fighters' and 'Bar'"),
        ({}, {"acts": [FOO, {"id": 2}]}, "Ann added Line-up: 2 items"),
        ({}, {"tags": []}, "Ann added Tags: an empty list"),
        ({}, {"tags": ["a", 1, True, None, "b"]}, "Ann added Tags: 'a', 1, yes and 2 others"),
        ({}, {"tags": ["a", [1]]}, "Ann added Tags: 2 items"),
        ({"tags": ["a"]}, {"tags": ["a", "b"]}, "Ann added 'b' to Tags"),
        ({"tags": ["a", "b"]}, {"tags": ["b"]}, "Ann removed 'a' from Tags"),
        ({"tags": ["a", "b"]}, {"tags": ["a", "c"]}, "Ann changed 'b' to 'c' in Tags"),
        ({"tags": ["a"]}, {"tags": [[]]}, "Ann emptied item 1 of Tags (was 'a')"),
        ({"acts": [FOO]}, {"acts": [FOO, BUS]}, "Ann added 'The Night Buses' to Line-up"),
        ({"acts": [FOO, BAR]}, {"acts": [BAR]}, "Ann removed 'Foo Fighters' from Line-up"),
        ({"shifts": []}, {"shifts": [{"name": "Bar"}]}, "Ann added Shift 'Bar' to Shifts"),
        ({"shifts": [{"a": 1}]}, {"shifts": []}, "Ann removed Shift 1 from Shifts"),
        (
            {"acts": [FOO, BAR, BUS]},
            {"acts": [BUS, FOO, BAR]},
            "Ann moved 'The Night Buses' up in Line-up, before 'Foo Fighters'",
        ),
        (
            {"acts": [FOO, BAR, BUS]},
            {"acts": [BAR, BUS, FOO]},
            "Ann moved 'Foo Fighters' down in Line-up, after 'The Night Buses'",
        ),
        (
            {"acts": [FOO]},
            {"acts": [{**FOO, "fee": 250}]},
            "Ann changed Fee of 'Foo Fighters' from €100 to €250",
        ),
        (
            {"acts": [FOO]},
            {"acts": [{**FOO, "name": "Foos"}]},
            "Ann changed Name of 'Foo Fighters' from 'Foo Fighters' to 'Foos'",
        ),
        (
            {"title": LOREM},
            {"title": "Jazz"},
            "Ann changed Title from 'Lorem ipsum dolor sit amet consetetur…' (12 words) to 'Jazz'",
        ),
        (
            {"title": f"{LOREM} one"},
            {"title": f"{LOREM} other"},
            "Ann changed Title from '…one' to '…other'",
        ),
    ],
)
def test_a_change_says_from_what_to_what(
    before: dict[str, Any], after: dict[str, Any], sentence: str
) -> None:
    assert told(before, after) == [sentence]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("eight", "seven", "Ann changed 'eight' to 'seven' in Description"),
        ("standards", "standings", "Ann changed 'standards' to 'standings' in Description"),
        ("late jam", "late night jam", "Ann added 'night' to Description"),
        ("ten.", "tenish.", "Ann changed 'ten' to 'tenish' in Description"),
        ("seven", "even", ""),
        (", food until ten", "", "Ann removed ', food until ten' from Description"),
        (".\nDoors", ". Doors", "Ann changed the spacing of Description"),
        ("late jam", "la te jam", "Ann changed 'late' to 'la te' in Description"),
        (
            "food",
            f"{LOREM}, {LOREM}",
            (
                "Ann changed 'food' to 'Lorem ipsum dolor sit amet consetetur…' (24 words)"
                " in Description"
            ),
        ),
    ],
)
def test_a_long_text_changes_by_what_was_put_in_and_taken_out(
    old: str, new: str, sentence: str
) -> None:
    after = TEXT.replace(old, new)
    assert told({"description": TEXT}, {"description": after}) == ([sentence] if sentence else [])


def test_a_long_text_changed_in_many_places_is_counted() -> None:
    before = "\n".join(f"{n} {LOREM} {n}" for n in range(6))
    after = before.replace("0 Lorem", "0 The lorem").replace("nonumy tempor 4", "tempor 4")
    (sentence,) = told({"description": before}, {"description": after})
    assert sentence == ("Ann changed Description in 2 places: 2 words added and 2 words removed")


def test_words_of_a_text_beyond_counting_are_said_to_be_more() -> None:
    sentence = told({"title": "x\ny"}, {"title": "word " * 10_000})
    assert sentence == [
        (
            "Ann changed Title from 'x y' to 'word word word word word word word word…'"
            " (over 4000 words)"
        )
    ]


def test_a_long_text_without_words_is_cut_and_nothing_is_counted() -> None:
    assert told({}, {"title": "👩‍👧" * 100}) == [f"Ann set Title to '{'👩‍👧' * 13}…'"]


def test_items_without_ids_are_called_as_they_are_after_the_change() -> None:
    before = {"rows": [{"name": "one", "q": 1}, {"name": "two", "q": 2}]}
    after = {"rows": [{"name": "new"}, {"name": "one", "q": 1}, {"name": "two", "q": 5}]}
    assert told(before, after) == [
        "Ann added 'new' to Rows",
        "Ann changed Q of 'two' from 2 to 5",
    ]


def test_an_item_that_took_the_place_of_another_is_not_called_by_the_others_name() -> None:
    before = {"rows": [{"name": "one"}, {"name": "two"}]}
    assert told(before, {"rows": [{"name": "two"}]}) == ["Ann removed 'one' from Rows"]


# -- secrets


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ({}, {"contact": "Zed"}, "Ann changed Contact"),
        ({"contact": {"Zed": 1}}, {"contact": {"Zed": 2}}, "Ann changed Contact"),
        ({"contact": {"Zed": 1}}, {"contact": {}}, "Ann changed Contact"),
        ({"contact": TEXT}, {"contact": f"{TEXT}Zed"}, "Ann changed Contact"),
        (
            {"guests": [{"id": 1, "name": "Zed"}, {"id": 2, "name": "Zoe"}]},
            {"guests": [{"id": 2, "name": "Zoe"}, {"id": 1, "name": "Zed"}]},
            "Ann moved item 1 up in Guests, before item 2",
        ),
        (
            {"guests": [{"id": 1, "name": "Zed"}]},
            {"guests": [{"id": 1, "name": "Zoe"}]},
            "Ann changed Name of item 1 of Guests",
        ),
        ({"guests": []}, {"guests": [{"name": "Zed"}]}, "Ann added item 1 to Guests"),
        ({}, {"guests": [{"name": "Zed"}]}, "Ann added Guests: 1 item"),
        ({"codes": []}, {"codes": ["Zed"]}, "Ann changed item 1 of Codes"),
        ({"codes": ["Zed"]}, {}, "Ann removed Codes (was 1 item)"),
    ],
)
def test_nothing_of_a_sensitive_value_is_said(
    before: dict[str, Any], after: dict[str, Any], sentence: str
) -> None:
    assert told(before, after) == [sentence]


# -- who


@pytest.mark.parametrize(
    ("by", "who"),
    [
        ("ann", "Ann"),
        ("Ann Lee", "Ann Lee"),
        ("ann@example.org", "ann@example.org"),
        ("somebody-else", "somebody-else"),
        ("link:7", "Somebody with a link"),
        ("", "Somebody"),
        (None, "Somebody"),
        ("a\u202enn", "Ann"),
    ],
)
def test_a_sentence_begins_with_who_did_it(by: str | None, who: str) -> None:
    wording = Wording(GIG, {}, {})
    assert wording.headline(Version("submitted", by)) == f"{who} submitted the draft"


def test_a_difference_that_nobody_in_particular_made_begins_with_the_deed() -> None:
    before, after = {"fee": 100}, {"fee": 250}
    (change,) = serve(diff(before, after), before)
    assert Wording(GIG, before, after).difference(change) == "Changed Fee from 100 to 250"


# -- versions


def conflict(entries: Sequence[Mapping[str, Any]], **more: Any) -> Any:
    """A conflict on the fee: Ann's 250 on her mac, and others."""
    ours = {"values": {"/fee": 250}, "by": "ann", "at": "", "device": "mac", "version": 2}
    whole = {"id": "c1", "paths": ["/fee"], "group": None, "base": {"/fee": 100}, "ours": ours}
    return {**whole, "theirs": [side(**entry) for entry in entries], **more}


def side(by: str, device: str | None, **values: Any) -> dict[str, Any]:
    paths = {f"/{name}": value for name, value in values.items()}
    return {"values": paths, "by": by, "at": "", "device": device, "version": 3}


BENS = {"by": "ben", "device": "ipad", "fee": 300}
EVES = {"by": "eve", "device": "phone", "fee": 320}
GROUP: dict[str, Any] = {
    "paths": ["/start", "/end"],
    "ours": side("ann", "mac", start="20:00", end="22:00"),
    "theirs": [side("ben", "ipad", start="21:00", end="23:30")],
}

BEFORE: dict[str, Any] = {"fee": 100, "title": "Jazz", "public": False}
FEE: dict[str, Any] = {**BEFORE, "fee": 250}
MANY: dict[str, Any] = {"fee": 250, "title": "Blues", "public": True}
FORKED = {"forked_from": {"draft": "7b2e", "version": 2}}
LABEL = {"version": 12, "label": "before the agency call"}
STAYED = [
    {"path": "/title", "outcome": "undone"},
    {"path": "/fee", "outcome": "superseded"},
    {"path": "/acts/id:a5/fee", "outcome": "dependent"},
]

NEW = Version("edited", "ann")


def headline(
    version: Version, before: Mapping[str, Any] = BEFORE, after: Mapping[str, Any] = BEFORE
) -> str:
    """The line of a version that led one form to another."""
    changes = serve(diff(dict(before), dict(after)), dict(before))
    return Wording(GIG, dict(before), dict(after)).headline(replace(version, changes=changes))


@pytest.mark.parametrize(
    ("act", "about", "line"),
    [
        ("opened", {}, "Ann opened the draft"),
        ("imported", {}, "Ann imported the draft"),
        (
            "forked",
            {"forked_from": {"version": 2}},
            "Ann started this draft from version 2 of another",
        ),
        ("edited", {"step": "lineup"}, "Ann went to the step Line-up"),
        ("edited", {"step": "pay"}, "Ann went to the step Pay"),
        ("edited", {"completed_steps": ["lineup", "x"]}, "Ann marked as completed: Line-up and X"),
        ("edited", {"completed_steps": []}, "Ann marked no step as completed"),
        ("edited", {}, "Ann saved, and nothing changed"),
        ("merged", {}, "Ann merged edits: nothing was new"),
        ("restored", {"version": 12}, "Ann restored version 12"),
        ("undone", {"version": 7, "through": 7, "outcomes": []}, "Ann undid version 7"),
        ("undone", {"version": 7, "through": 9, "outcomes": []}, "Ann undid versions 7 to 9"),
        ("labelled", LABEL, "Ann named version 12 'before the agency call'"),
        ("unlabelled", {"version": 12}, "Ann took the name off version 12"),
        ("shared", {"user": "ben", "role": "editor"}, "Ann shared the draft with Ben as editor"),
        ("shared", {"role": "viewer"}, "Ann shared the draft by a link as viewer"),
        ("unshared", {"user": "ben"}, "Ann stopped sharing the draft with Ben"),
        ("unshared", {}, "Ann took a link to the draft back"),
        ("handed_over", {"user": "ben"}, "Ann handed the draft over to Ben"),
        ("extended", {}, "Ann put off the expiry of the draft"),
        ("submitted", {}, "Ann submitted the draft"),
        ("discarded", {}, "Ann moved the draft to the trash"),
        ("expired", {}, "The service moved the draft to the trash: it had expired"),
        ("recovered", {}, "Ann took the draft out of the trash"),
    ],
)
def test_a_version_without_changes_says_what_was_done(
    act: str, about: dict[str, Any], line: str
) -> None:
    assert headline(Version(act, "ann", about=about)) == line


@pytest.mark.parametrize(
    ("version", "after", "line"),
    [
        (NEW, FEE, "Ann changed Fee from 100 to 250"),
        (NEW, {**FEE, "title": "Blues"}, "Ann changed Fee and Title"),
        (NEW, MANY, "Ann changed Fee and 2 other fields"),
        (
            Version("merged", "ann", "ipad"),
            FEE,
            "Ann merged edits from ipad: changed Fee from 100 to 250",
        ),
        (
            Version("merged", "ann", about={"fork": "7b2e"}),
            MANY,
            "Ann merged a fork: changed Fee and 2 other fields",
        ),
        (
            Version("merged", "ben", "ipad", conflicts=[conflict([BENS])]),
            {**BEFORE, "title": "Blues"},
            (
                "Ben merged edits from ipad: changed Title from 'Jazz' to 'Blues';"
                " waiting for a decision: Fee"
            ),
        ),
        (
            Version("merged", "ben", conflicts=[conflict([BENS])], held=[conflict([BENS])]),
            BEFORE,
            "Ben merged edits: nothing was new",
        ),
        (
            Version("restored", "ann", about={"version": 12, "paths": ["/fee"]}),
            FEE,
            "Ann restored Fee from version 12: 100 to 250",
        ),
        (
            Version("restored", "ann", about={"version": 12, "paths": ["/fee", "/title"]}),
            MANY,
            "Ann restored Fee and Title from version 12",
        ),
        (
            Version("restored", "ann", about={"version": 12, "paths": ["/contact/phone"]}),
            {**BEFORE, "contact": {"phone": "Zed"}},
            "Ann restored Contact from version 12",
        ),
        (
            Version("undone", "ann", about={"version": 7, "through": 7, "outcomes": STAYED}),
            {**BEFORE, "title": "Blues"},
            (
                "Ann undid version 7 (Fee stayed, changed again since;"
                " Fee of an item of Line-up stayed, its place is gone)"
            ),
        ),
    ],
)
def test_a_version_with_changes_is_one_line(
    version: Version, after: dict[str, Any], line: str
) -> None:
    assert headline(version, BEFORE, after) == line


def test_an_opening_names_what_was_filled_in() -> None:
    assert headline(Version("opened", "ann"), {}, MANY) == (
        "Ann opened the draft with Fee and 2 other fields"
    )


def test_every_act_that_a_draft_knows_has_its_words() -> None:
    facts = {
        "version": 1,
        "through": 1,
        "outcomes": [],
        "taken": [],
        "label": "x",
        "forked_from": {"version": 1},
        "user": "ben",
        "role": "editor",
    }
    acts = {act for event in _kinds(DraftEvent) if (act := _act(event)) is not None}
    assert acts
    for act in {*acts, "imported", "shared", "unshared", "handed_over", "expired"}:
        assert headline(Version(act, "ann", about=facts))


def _kinds(event: type[DraftEvent]) -> Iterator[type[DraftEvent]]:
    yield event
    for kind in event.__subclasses__():
        yield from _kinds(kind)


def _act(event: type[DraftEvent]) -> str | None:
    topic: str | None = vars(event).get("TOPIC")
    return topic.rpartition(".")[2] if topic and event.__module__ == "domain.events" else None


# -- conflicts


@pytest.mark.parametrize(
    ("held", "line"),
    [
        (conflict([BENS]), "Ben's edit of Fee clashed with Ann's: 250 or 300"),
        (
            conflict([BENS, EVES]),
            "Ben's and Eve's edits of Fee clashed with Ann's: 250, 300 or 320",
        ),
        (
            conflict([{**BENS, "by": "ann"}]),
            "Ann's edit of Fee on ipad clashed with the one on mac: 250 or 300",
        ),
        (
            conflict([{**BENS, "by": "ann", "device": None}]),
            "Ann's edit of Fee on another device clashed with the one on mac: 250 or 300",
        ),
        (
            conflict([{"by": "link:2", "device": "x"}]),
            "Somebody with a link's edit of Fee clashed with Ann's: 250 or nothing",
        ),
        (
            conflict([], **GROUP),
            "Ben's edit of Start and End clashed with Ann's: 20:00 and 22:00, or 21:00 and 23:30",
        ),
        (
            conflict(
                [],
                paths=["/contact"],
                ours=side("ann", "mac", contact="Zed"),
                theirs=[side("ben", "ipad", contact="Zoe")],
            ),
            "Ben's edit of Contact clashed with Ann's",
        ),
        (
            conflict(
                [],
                paths=["/description"],
                ours=side("ann", "mac", description=TEXT.replace("eight", "seven")),
                theirs=[side("ben", "ipad", description=TEXT.replace("eight", "nine"))],
            ),
            (
                "Ben's edit of Description clashed with Ann's: '…seven, food until ten.'"
                " or '…nine, food until ten.'"
            ),
        ),
    ],
)
def test_a_conflict_says_whose_values_clash(held: Any, line: str) -> None:
    assert Wording(GIG, FEE, FEE).conflict(held) == line


@pytest.mark.parametrize(
    ("choice", "took"),
    [
        ({"take": "ours"}, "250 (Ann's)"),
        ({"take": "theirs", "which": "phone"}, "320 (Eve's)"),
        ({"take": "theirs", "which": 0}, "300 (Ben's)"),
        ({"take": "base"}, "100 (as before)"),
        ({"take": "value"}, "275 (a new value)"),
    ],
)
def test_a_settled_conflict_says_whose_value_was_taken(choice: dict[str, Any], took: str) -> None:
    about = {"taken": [{"id": "c1", **choice}]}
    version = Version("resolved", "eve", about=about, held=[conflict([BENS, EVES])])
    after = {**FEE, "fee": int(took[:3])}
    assert headline(version, FEE, after) == f"Eve settled the conflict on Fee: took {took}"


def test_the_only_other_value_needs_no_further_name() -> None:
    about = {"taken": [{"id": "c1", "take": "theirs"}]}
    version = Version("resolved", "ann", about=about, held=[conflict([BENS])])
    assert headline(version, FEE, {**FEE, "fee": 300}) == (
        "Ann settled the conflict on Fee: took 300 (Ben's)"
    )


def test_several_settled_conflicts_are_named_by_their_fields() -> None:
    held = [conflict([BENS]), conflict([], id="c2", **GROUP)]
    taken = [{"id": "c1", "take": "ours"}, {"id": "c2", "take": "ours"}]
    version = Version("resolved", "ann", about={"taken": taken}, held=held)
    assert headline(version) == "Ann settled 2 conflicts: Fee, Start and End"


def test_a_settled_conflict_on_a_sensitive_field_says_no_value() -> None:
    sides = {"ours": side("ann", None, contact="Zed"), "theirs": [side("ben", None)]}
    held = [conflict([], **{"paths": ["/contact"], **sides})]
    about = {"taken": [{"id": "c1", "take": "ours"}]}
    after = {"contact": "Zed"}
    assert headline(Version("resolved", "ann", about=about, held=held), {}, after) == (
        "Ann settled the conflict on Contact"
    )


# -- sessions


@pytest.mark.parametrize(
    ("session", "line"),
    [
        (Session("ann", "mac-ann", 1, ["/fee"]), "Ann changed Fee in 1 save on mac-ann"),
        (
            Session("ann", "mac-ann", 14, ["/fee", "/title", "/public", "/fee", "/day", "/end"]),
            "Ann changed Fee, Title and 3 other fields in 14 saves on mac-ann",
        ),
        (
            Session("ben", None, 2, ["/fee", "/title", "/day"]),
            "Ben changed Fee, Title and Day in 2 saves",
        ),
        (Session(None, "ipad", 3, []), "Somebody changed nothing in 3 saves on ipad"),
        (Session("ann", None, 2, [], ["labelled", "opened"]), "Ann labelled and opened the draft"),
    ],
)
def test_a_session_names_its_fields_its_saves_and_its_device(session: Session, line: str) -> None:
    assert Wording(GIG, FEE, FEE).session(session) == line


# -- laws

SECRET = "Z3CR3T"
RULES = st.fixed_dictionaries(
    {"sensitive": st.sampled_from([True, True, False])},
    optional={
        "label": st.sampled_from(["Fee", "Line-up", "x" * 200]),
        "format": st.sampled_from(["currency:EUR", "date", "time", "datetime", "colour"]),
        "item": st.sampled_from(["/title", "/venue", "/id"]),
    },
)


@st.composite
def guarded(draw: st.DrawFn, states: st.SearchStrategy[Any]) -> tuple[Form, list[Any]]:
    """Forms and a definition that keeps some of what is in them secret, which is marked."""
    drawn = draw(states)
    found = sorted({path for state in drawn for path in patterns_of(state)})
    fields = st.dictionaries(st.sampled_from(found or ["/fee"]), RULES, min_size=1, max_size=6)
    form = read_form({"form": "f", "fields": draw(fields)})
    return form, [with_secrets(state, form.root) for state in drawn]


def patterns_of(value: Any, above: str = "") -> Iterator[str]:
    """Where there is something in a form; all items of a list are one place."""
    named = value.items() if type(value) is dict else []
    items = [("*", item) for item in value] if type(value) is list else []
    for token, inner in [*named, *items]:
        path = child(above, token)
        yield path
        yield from patterns_of(inner, path)


def with_secrets(value: Any, node: Node, *, hide: bool = False) -> Any:
    """The value, marked wherever it is sensitive: its texts, numbers and the names of members."""
    hide = hide or node.rule.sensitive
    if type(value) is dict:
        return {
            f"{SECRET}{name}" if hide else name: with_secrets(inner, node.below(name), hide=hide)
            for name, inner in value.items()
        }
    if type(value) is list:
        return [with_secrets(v, node.below(str(n)), hide=hide) for n, v in enumerate(value)]
    return f"{SECRET}{value}" if hide and type(value) in (str, int, float) else value


def is_a_line(sentence: str) -> bool:
    """Whether it can be read: not empty, one line, bounded, nothing invisible but joiners."""
    kinds = {unicodedata.category(sign) for sign in sentence if sign not in "\u200c\u200d"}
    unseen = kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return sentence.strip() != "" and len(sentence) <= LONGEST and not unseen


def sentences(form: Form, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """All that can be said of leading one form to another."""
    wording, changes = Wording(form, before, after), serve(diff(before, after), before)
    for change in changes:
        yield wording.label_of(change)
        yield wording.sentence(change, "ann")
        yield wording.difference(change)
    paths = [change["path"] for change in changes]
    outcomes = [{"path": path, "outcome": "superseded"} for path in paths]
    for act, about in [
        ("edited", {}),
        ("opened", {}),
        ("restored", {"version": 3, "paths": paths}),
        ("undone", {"version": 3, "through": 3, "outcomes": outcomes}),
    ]:
        yield wording.headline(Version(act, "ann", "mac", changes, about))
    yield wording.session(Session("ann", "mac", 3, paths))


@LAWS
@given(guarded(edits() | gig_edits(1).map(lambda edited: edited.data)))
def test_whatever_changed_is_said_in_lines_without_secrets(case: tuple[Form, list[Any]]) -> None:
    form, (before, after) = case
    for sentence in sentences(form, before, after):
        assert is_a_line(sentence), sentence
        assert SECRET not in sentence


@LAWS
@given(guarded(st.tuples(forms(), forms()) | st.tuples(gigs(), gigs())))
def test_any_two_forms_are_told_apart_in_lines_without_secrets(
    case: tuple[Form, list[Any]],
) -> None:
    form, (before, after) = case
    for sentence in sentences(form, before, after):
        assert is_a_line(sentence), sentence
        assert SECRET not in sentence


@LAWS
@given(guarded(edits(2) | gig_edits(2).map(lambda edited: edited.data)))
def test_every_conflict_is_told_in_a_line_without_secrets(case: tuple[Form, list[Any]]) -> None:
    form, (base, ours, theirs) = case
    merged = merge(base, ours, theirs)
    wording = Wording(form, ours, merged.data)
    for clash in merged.clashes:
        held = clash_as_conflict(clash)
        choice = {"taken": [{"id": "c1", "take": "ours"}]}
        settled = wording.headline(Version("resolved", "ben", about=choice, held=[held]))
        for sentence in (wording.conflict(held), settled):
            assert is_a_line(sentence), sentence
            assert SECRET not in sentence


def clash_as_conflict(clash: Clash) -> Any:
    sides = {"ours": {**side("ann", "mac"), "values": dict(clash.ours)}}
    theirs = [{**side("ben", "ipad"), "values": dict(clash.theirs)}]
    return conflict([], paths=list(clash.paths), **sides) | {"theirs": theirs}


@LAWS
@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_names_and_texts_of_any_kind_stay_on_their_line(by: str, old: str, new: str) -> None:
    before, after = {"x": old, "acts": [{**FOO, "name": new}]}, {"x": new, "acts": [FOO]}
    wording = Wording(GIG, before, after)
    for change in serve(diff(before, after), before):
        assert is_a_line(wording.sentence(change, by))

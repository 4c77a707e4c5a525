"""What holds for every draft, whatever forms and edits it meets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from domain import diff
from domain.asked import Edit, Rules, Step
from domain.devices import device_copy
from domain.diff import apply
from domain.draft import Draft
from domain.drafts import Drafts
from domain.errors import Clash, VariorumError
from domain.event import DataEvent
from domain.path import related
from domain.receipts import Receipt, Repeated, Several, receipt
from domain.value import Data, same
from tests.domain.scenes import (
    COMMANDS,
    DRAFTS,
    MONDAY,
    fields,
    history,
    inside,
    opened,
    origin,
    put,
    set_to,
    with_history,
)
from tests.domain.strategies import edited, edits, forms

FEW = settings(max_examples=60, deadline=None)
MANY = settings(max_examples=1_000, deadline=None)
LAWS: list[Callable[[], None]] = []


def law(*drawn: SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """A law under such forms: tried some dozens of times, with `-m long` a thousand times."""

    def tried(check: Callable[..., None]) -> Callable[[], None]:
        LAWS.append(MANY(given(*drawn)(check)))
        return FEW(given(*drawn)(check))

    return tried


@pytest.mark.long
@pytest.mark.parametrize("number", range(10))
def test_every_law_holds_a_thousand_times(number: int) -> None:
    LAWS[number]()


@law(forms(), st.data())
def test_edits_of_different_fields_both_survive_in_any_order(base: Data, drawn: Any) -> None:
    mac, ipad = ({**base}, {**base})
    for place, name in enumerate([*base, "new by mac", "new by ipad"]):
        side = (mac, ipad)[place % 2]
        side[name] = drawn.draw(edited(side.get(name, "")))
    both = {**{name: mac[name] for name in [*base, "new by mac"] if name in mac}}
    for place, name in enumerate([*base, "new by mac", "new by ipad"]):
        both[name] = (mac, ipad)[place % 2][name]
    for first, second in (("mac", "ipad"), ("ipad", "mac")):
        draft = opened(base)
        sent = {"mac": mac, "ipad": ipad}
        DRAFTS.edit(draft, set_to(sent[first], 1), origin(device=first))
        answer = DRAFTS.edit(draft, set_to(sent[second], 1), origin(device=second))
        assert same(draft.data, both)
        assert isinstance(answer, Receipt)
        assert same(applied(answer.changes, sent[second]), draft.data)


def applied(changes: Any, data: Data) -> Data:
    """What a client makes of a receipt's changes, one after the other; texts come as whole ones."""
    whole = [{**c, "op": "replace"} if c["op"] == "text" else dict(c) for c in changes]
    return apply([{k: v for k, v in c.items() if k != "segments"} for c in whole], data)  # type: ignore[misc]


@law(edits(3))
def test_restoring_a_version_gives_exactly_that_versions_data(states: tuple[Data, ...]) -> None:
    draft = with_history(states)
    for version, then in enumerate(versions_of(draft), 1):
        again = draft.copy()
        DRAFTS.restore(again, version, then, origin())
        assert same(again.data, then)


def versions_of(draft: Draft) -> list[Data]:
    """The data of each version, folded from the first event."""
    states, folded = [], None
    for event in history(draft):
        folded = event.mutate(folded)
        states.append(folded.data)
    return states


@law(edits(3), st.data())
def test_undoing_an_undo_leaves_everything_as_it_was(states: tuple[Data, ...], drawn: Any) -> None:
    draft = with_history(states)
    known = [{}, *versions_of(draft)]
    version = drawn.draw(st.integers(1, draft.version))
    before = draft.data
    DRAFTS.undo(draft, Step(version, version, known[version - 1], known[version]), origin())
    undone, now = draft.data, draft.version
    DRAFTS.undo(draft, Step(now, now, before, undone), origin())
    assert same(draft.data, before)


@law(edits(2))
def test_a_repeated_edit_is_one_edit(states: tuple[Data, ...]) -> None:
    base, other, sent = states
    draft = with_history([base, other])
    asked = origin(device="mac", seq=1, digest="d")
    try:
        first = DRAFTS.edit(draft, set_to(sent, 1), asked)
    except VariorumError:
        assume(False)
    before = inside(draft)
    again = DRAFTS.edit(draft, set_to(sent, 1), replace(asked, at=MONDAY + timedelta(days=9)))
    if isinstance(first, Receipt) and first.recorded:
        assert again == Repeated(first.version)
    else:
        assert again == first
    assert inside(draft) == before


@law(forms())
def test_sending_the_form_as_it_is_records_nothing(data: Data) -> None:
    draft = opened(data)
    before = inside(draft)
    assert DRAFTS.edit(draft, set_to(data), origin(minutes=1)) == receipt(draft)
    assert inside(draft) == before


@law(st.lists(st.tuples(st.integers(-2000, 2000), st.sampled_from(sorted(COMMANDS))), max_size=12))
def test_time_never_goes_back_even_when_the_clock_does(steps: list[tuple[int, str]]) -> None:
    draft = opened({"fee": 1})
    for minutes, name in steps:
        before = (draft.modified_on, draft.expires_at)
        try:
            COMMANDS[name](draft, origin(minutes=minutes))
        except VariorumError:
            continue
        assert draft.modified_on >= before[0]
        if draft.expires_at is not None and before[1] is not None:  # else it is a template
            assert draft.expires_at >= before[1]
        assert draft.modified_on in (before[0], MONDAY + timedelta(minutes=minutes))
    times = [event.timestamp for event in history(draft)]
    assert times == sorted(times)


@law(forms(), st.lists(st.booleans(), min_size=2, max_size=6), st.data())
def test_a_queue_of_offline_edits_never_clashes_with_itself(
    base: Data, turns: list[bool], drawn: Any
) -> None:
    """The mac's edits all name version 1; meanwhile somebody else edits a field of their own."""
    draft = opened({**base, "theirs": 0})
    held = draft.data
    for number, mine in enumerate(turns):
        if not mine:
            DRAFTS.edit(draft, fields({"theirs": number + 1}), origin(device="ipad"))
            continue
        fresh = {k: v for k, v in held.items() if k != "theirs"}
        held = {**drawn.draw(edited(fresh)), "theirs": 0}
        DRAFTS.edit(draft, set_to(held, 1), origin(device="mac", seq=number, digest="d"))
        assert same({**draft.data, "theirs": 0}, held)
        since = [event for event in draft.since(1) if isinstance(event, DataEvent)]
        assert same(device_copy(draft.data, since, "mac"), held)


@law(edits(2), st.data())
def test_what_clashes_in_a_queue_was_changed_by_others_too(
    states: tuple[Data, ...], drawn: Any
) -> None:
    base, theirs, mine = states
    draft = opened(base)
    DRAFTS.edit(draft, set_to(theirs, 1), origin(device="ipad"))
    changed = [change["path"] for change in diff.diff(base, theirs)]
    held = base
    for number in (1, 2):
        mine = mine if number == 1 else drawn.draw(edited(held))
        DRAFTS.edit(draft, set_to(mine, 1), origin(device="mac", seq=number, digest="d"))
        for conflict in draft.conflicts:
            assert any(near(conflict["paths"][0], path) for path in changed)
        held = mine


@law(forms(), st.data())
def test_whatever_bases_devices_name_no_edit_is_refused_unless_it_asks(
    base: Data, drawn: Any
) -> None:
    draft, states = opened(base), [base]
    for _ in range(drawn.draw(st.integers(2, 6))):
        device = drawn.draw(st.sampled_from(["mac", "ipad"]))
        based_on = drawn.draw(st.integers(1, draft.version))
        sent = drawn.draw(edited(states[based_on - 1]))
        before, edit = inside(draft), set_to(sent, based_on)
        edit = replace(edit, on_conflict=drawn.draw(st.sampled_from(["keep", "reject"])))
        try:
            answer = DRAFTS.edit(draft, edit, origin(device=device))
        except Clash:
            assert edit.on_conflict == "reject"
            assert inside(draft) == before
            continue
        assert isinstance(answer, Receipt)
        assert answer.recorded == (draft.version == len(states) + 1)
        if answer.merged:
            assert same(applied(answer.changes, sent), draft.data)
        if answer.recorded:
            states.append(draft.data)


def near(path: str, other: str) -> bool:
    """Whether two paths meet; the places of a list without ids are all one."""
    return related(path, other) or related(path, other.rpartition("/")[0] or "/")


@law(edits(2), st.integers(0, 9))
def test_a_refused_edit_leaves_the_draft_untouched(states: tuple[Data, ...], number: int) -> None:
    base, other, sent = states
    draft = with_history([base, other])
    before = inside(draft)
    wrong = [
        Edit(based_on=1, data=sent, if_match=(9,)),
        Edit(based_on=9, data=sent),
        Edit(changes=[put("/new", sent, "add"), put("/no/such/place", 1)]),
        Edit(changes=[put("/new", sent, "add"), {"op": "test", "path": "/new", "value": "x"}]),
        Edit(data={**sent, "deep": {"a": {"b": {"c": {}}}}}),
    ]
    tight = Drafts(Rules(max_depth=4, max_members=40))
    with pytest.raises(VariorumError):
        tight.edit(draft, wrong[number % 5], origin(device="mac", seq=1))
    assert inside(draft) == before


@law(forms(), st.data())
def test_a_queue_does_what_its_edits_do_one_by_one(base: Data, drawn: Any) -> None:
    """Also where others wrote before it, and where its edits name different versions."""
    one, other = opened({**base, "n": 0}), opened({**base, "n": 0})
    theirs = drawn.draw(edited(base))
    for draft in (one, other):
        DRAFTS.edit(draft, set_to({**theirs, "n": 1}, 1), origin(device="ipad"))
    queue, held = [], one.data
    for number in range(drawn.draw(st.integers(2, 5))):
        held = drawn.draw(edited(held))
        device = drawn.draw(st.sampled_from(["mac", "mac", "phone"]))
        asked = origin(device=device, seq=number, digest="d")
        queue.append((set_to(held, drawn.draw(st.integers(1, 2))), asked))
    together = DRAFTS.edit_all(one, queue)
    alone = [_answer(other, edit, asked) for edit, asked in queue]
    assert isinstance(together, Several)
    assert [_plain(a) for a in together.answers] == [_plain(a) for a in alone]
    assert inside(one) == inside(other)


def _answer(draft: Draft, edit: Edit, asked: Any) -> Any:
    try:
        return DRAFTS.edit(draft, edit, asked)
    except VariorumError as refusal:
        return refusal


def _plain(answer: Any) -> Any:
    return str(answer) if isinstance(answer, VariorumError) else answer

"""Late edits: a device's fork holds what its draft would, had nobody else ever touched it."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from domain.asked import Edit
from domain.draft import Draft
from domain.errors import Invalid
from domain.late import LateEdit, edit_late, fork_late, fork_of, late
from domain.origin import Origin
from domain.value import same
from tests.domain.scenes import ANN, BEN, DRAFTS, fields, opened, origin, saved, set_to
from tests.domain.strategies import edited, forms


def sent_late(draft: Draft, edits: list[tuple[Edit, Origin]]) -> list[LateEdit]:
    return [late(DRAFTS, draft, edit, asked) for edit, asked in edits]


@trying(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_a_late_queue_gives_what_its_device_shows(data: st.DataObject) -> None:
    copy: Any = data.draw(forms(leaves=6))
    draft, alone = opened(copy), opened(copy)
    then, seq = draft.copy(), 0
    for mine in data.draw(st.lists(st.booleans(), max_size=4)):
        if not mine:
            other = set_to(data.draw(edited(draft.data)), draft.version)
            DRAFTS.edit(draft, other, origin(device="ipad"))
            continue
        copy, seq = data.draw(edited(copy)), seq + 1
        for one in (draft, alone):
            DRAFTS.edit(one, set_to(copy, 1), origin(device="mac", seq=seq))
    DRAFTS.submit(draft, origin())

    queue = []
    for _ in range(data.draw(st.integers(1, 4))):
        copy, seq = data.draw(edited(copy)), seq + 1
        queue.append((set_to(copy, 1), origin(device="mac", seq=seq)))
        DRAFTS.edit(alone, *queue[-1])
    found = sent_late(draft, queue)
    fork = fork_late(DRAFTS, draft, then, found[0])
    answers = edit_late(DRAFTS, fork, found).answers

    assert not [one for one in answers if isinstance(one, Exception)]
    assert same(fork.data, copy)
    assert same(alone.data, copy)
    assert fork.conflicts == []


def test_a_fork_is_one_persons_on_one_device() -> None:
    draft = opened({"n": 0})
    ids = {fork_of(draft.id, origin(by, device=device)) for by in (ANN, BEN) for device in "ab"}
    assert len(ids) == 4
    assert fork_of(draft.id, origin(device="a", minutes=5)) in ids


def test_a_link_s_fork_is_its_draft_s_owner_s_and_the_link_edits_it() -> None:
    draft = opened({"n": 0})
    draft.members["link:1"] = "editor"
    DRAFTS.submit(draft, origin())
    found = sent_late(draft, [(fields({"n": 1}, 1), origin("link:1", device="mac"))])
    fork = fork_late(DRAFTS, saved(draft), draft, found[0])
    assert (fork.owner, fork.members) == (ANN, {"link:1": "editor"})


def test_a_version_that_the_draft_never_had_is_refused_alone() -> None:
    draft = opened({"n": 0})
    then = draft.copy()
    DRAFTS.submit(draft, origin())
    asked = origin(device="mac")
    found = sent_late(draft, [(fields({"n": 1}, 1), asked), (fields({"n": 2}, 9), asked)])
    fork = fork_late(DRAFTS, draft, then, found[0])
    done, refused = edit_late(DRAFTS, fork, found).answers
    assert isinstance(refused, Invalid)
    assert not isinstance(done, Exception)
    assert fork.data == {"n": 1}


def test_of_two_edits_on_different_bases_the_later_holds() -> None:
    draft = opened({"n": 0, "m": 0})
    then = draft.copy()
    DRAFTS.edit(draft, fields({"n": 5}, 1), origin(device="ipad"))
    DRAFTS.submit(draft, origin())
    asked = origin(device="mac")
    found = sent_late(draft, [(fields({"m": 1}, 1), asked), (fields({"m": 2}, 2), asked)])
    fork = fork_late(DRAFTS, draft, then, found[0])
    edit_late(DRAFTS, fork, found)
    assert (fork.data, fork.conflicts) == ({"n": 0, "m": 2}, [])

"""What every command on a draft checks, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.asked import Step
from domain.draft import Draft
from domain.errors import DraftClosed, DraftNotFound, Forbidden, SeqReused, VersionMismatch
from domain.receipts import Answer, Earlier, Receipt, Repeated
from tests.domain.scenes import (
    ANY_STATUS,
    BEN,
    COMMANDS,
    DRAFTS,
    EDIT,
    EVE,
    MANAGES,
    MONDAY,
    WRITES,
    fields,
    inside,
    opened,
    origin,
    recorded,
    refusal,
    saved,
    with_history,
)

CONDITIONAL: dict[str, Callable[..., Answer]] = {
    "edit": lambda d, o, m: DRAFTS.edit(d, replace(EDIT, if_match=m), o),
    "restore": lambda d, o, m: DRAFTS.restore(d, 1, {"fee": 9}, o, if_match=m),
    "undo": lambda d, o, m: DRAFTS.undo(d, Step(1, 1, {}, {"fee": 1}), o, if_match=m),
    "submit": lambda d, o, m: DRAFTS.submit(d, o, if_match=m),
    "discard": lambda d, o, m: DRAFTS.discard(d, o, if_match=m),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_draft_looks_as_if_it_were_not_there_to_everybody_else(name: str) -> None:
    draft = opened({"fee": 1})
    assert isinstance(refusal(COMMANDS[name], draft, origin(EVE)), DraftNotFound)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_viewer_writes_nothing_and_only_the_owner_finishes_a_draft(name: str) -> None:
    draft = opened({"fee": 1})
    draft.members = {BEN: "editor", EVE: "viewer"}
    assert isinstance(refusal(COMMANDS[name], draft, origin(EVE)), Forbidden)
    if name in MANAGES:
        assert isinstance(refusal(COMMANDS[name], draft, origin(BEN)), Forbidden)
    else:
        assert isinstance(COMMANDS[name](draft, origin(BEN)), Receipt)


@pytest.mark.parametrize("status", ["submitted", "discarded", "expired"])
@pytest.mark.parametrize("name", [*WRITES, "submit", "discard"])
def test_a_finished_draft_stays_finished(name: str, status: str) -> None:
    draft = opened({"fee": 1})
    draft.leave(status, MONDAY)
    refused = refusal(COMMANDS[name], draft, origin())
    assert isinstance(refused, DraftClosed)
    assert refused.draft_status == status


@pytest.mark.parametrize("name", ANY_STATUS)
def test_versions_of_a_finished_draft_still_get_names(name: str) -> None:
    draft = opened({"fee": 1})
    DRAFTS.submit(draft, origin())
    assert isinstance(COMMANDS[name](draft, origin()), Receipt)


@pytest.mark.parametrize("name", CONDITIONAL)
def test_if_match_holds_for_the_versions_that_it_names_only(name: str) -> None:
    draft = with_history([{"fee": 1}, {"fee": 2}])
    refused = refusal(lambda d, o: CONDITIONAL[name](d, o, (1, 3)), draft, origin())
    assert isinstance(refused, VersionMismatch)
    assert refused.version == 2
    assert isinstance(CONDITIONAL[name](draft, origin(), (1, 2)), Receipt)


def used(status: str | None = None) -> Draft:
    """A draft to which the mac has sent its numbers 4 and, after a pause, 7 (version 3)."""
    draft = opened({"fee": 1})
    for seq in (4, 7):
        DRAFTS.edit(draft, fields({"n": seq}), origin(device="mac", seq=seq, digest=f"d{seq}"))
    if status is not None:
        draft.leave(status, MONDAY)
    return saved(draft)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("status", [None, "submitted"])
def test_a_repeated_request_is_told_which_version_it_was(name: str, status: str | None) -> None:
    draft = used(status)
    before = inside(draft)
    again = origin(minutes=9, device="mac", seq=7, digest="d7")
    assert COMMANDS[name](draft, again) == Repeated(3)
    earlier = origin(minutes=9, device="mac", seq=4, digest="other")
    assert COMMANDS[name](draft, earlier) == Earlier("mac", 4, "other", 7)
    assert inside(draft) == before


@pytest.mark.parametrize("name", COMMANDS)
def test_a_number_used_for_another_request_is_refused(name: str) -> None:
    refused = refusal(COMMANDS[name], used(), origin(device="mac", seq=7, digest="other"))
    assert isinstance(refused, SeqReused)
    assert refused.last_seq == 7


def test_a_repetition_is_looked_for_behind_the_gate_and_before_all_else() -> None:
    draft = used("submitted")
    again = origin(device="mac", seq=7, digest="d7")
    assert CONDITIONAL["edit"](draft, again, (99,)) == Repeated(3)
    eve = replace(again, by=EVE)
    assert isinstance(refusal(COMMANDS["edit"], draft, eve), DraftNotFound)


def test_a_closed_draft_is_closed_whatever_if_match_says() -> None:
    draft = used("discarded")
    refused = refusal(lambda d, o: CONDITIONAL["edit"](d, o, (99,)), draft, origin())
    assert isinstance(refused, DraftClosed)


def test_only_recorded_requests_use_a_number_up() -> None:
    draft = opened({"fee": 1})
    DRAFTS.edit(draft, fields({"fee": 1}), origin(device="mac", seq=1, digest="nothing new"))
    refusal(lambda d, o: DRAFTS.edit(d, fields({}, 9), o), draft, origin(device="mac", seq=1))
    DRAFTS.restore(draft, 1, {"fee": 5}, origin(device="mac", seq=1), dry_run=True)
    answer = DRAFTS.edit(draft, fields({"fee": 2}), origin(device="mac", seq=1, digest="d"))
    assert answer == recorded(draft)
    assert draft.devices == {"mac": (1, 2, "d")}


def test_each_device_counts_for_itself_and_may_leave_numbers_out() -> None:
    draft = opened()
    for device, seq in (("mac", 5), ("ipad", 1), ("mac", 50), ("ipad", 2)):
        DRAFTS.edit(draft, fields({device: seq}), origin(device=device, seq=seq, digest="d"))
    assert draft.devices == {"mac": (50, 4, "d"), "ipad": (2, 5, "d")}

"""The end of a draft: put off, brought about and taken back."""

from __future__ import annotations

from datetime import timedelta

from domain.asked import Opening
from domain.errors import DraftClosed
from domain.receipts import receipt
from tests.domain.scenes import DRAFTS, ID, MONDAY, opened, origin, recorded, refusal, saved, told


def test_extending_moves_the_expiry_to_the_full_time_from_now() -> None:
    draft = opened()
    answer = DRAFTS.extend(draft, origin(minutes=60))
    assert told(draft) == [{"act": "extended", "expiry_days": 30}]
    assert answer == recorded(draft)
    assert draft.expires_at == MONDAY + timedelta(days=30, minutes=60)


def test_a_submitted_draft_is_finished() -> None:
    draft = opened()
    answer = DRAFTS.submit(draft, origin())
    assert (told(draft), answer) == ([{"act": "submitted"}], recorded(draft))
    assert draft.status == "submitted"


def test_a_discarded_draft_comes_back_with_its_slot_and_a_new_expiry() -> None:
    draft = opened()
    DRAFTS.discard(draft, origin())
    assert draft.status == "discarded"
    DRAFTS.recover(draft, origin(minutes=60))
    assert told(draft) == [
        {"act": "discarded"},
        {"act": "recovered", "expiry_days": 30, "slot": True},
    ]
    assert (draft.status, draft.slot) == ("open", True)
    assert draft.expires_at == MONDAY + timedelta(days=30, minutes=60)


def test_a_draft_that_began_without_a_slot_comes_back_without_one() -> None:
    source = opened({"fee": 1})
    another = saved(DRAFTS.open(Opening("gig", "42"), origin(), slot=False))
    fork = saved(DRAFTS.fork(source, origin(), new=ID, role="owner"))
    for draft in (another, fork):
        DRAFTS.discard(draft, origin())
        DRAFTS.recover(draft, origin())
        assert told(draft)[1] == {"act": "recovered", "expiry_days": 30, "slot": False}
        assert draft.slot is False


def test_recovering_an_open_draft_records_nothing_and_a_submitted_one_is_refused() -> None:
    draft = opened()
    assert DRAFTS.recover(draft, origin()) == receipt(draft)
    assert told(draft) == []
    DRAFTS.submit(draft, origin())
    refused = refusal(DRAFTS.recover, draft, origin())
    assert isinstance(refused, DraftClosed)
    assert refused.draft_status == "submitted"

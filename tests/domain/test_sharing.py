"""Sharing: who gets a role, who may give and take it, and what becomes of the owner."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain import sharing
from domain.asked import Opening
from domain.draft import Draft
from domain.errors import DraftNotFound, Forbidden, Invalid, SeqReused, VariorumError
from domain.origin import Origin
from domain.receipts import Answer, Repeated, receipt
from domain.sharing import NewLink
from tests.domain.scenes import (
    ANN,
    BEN,
    COMMANDS,
    DRAFTS,
    EVE,
    ID,
    MANAGES,
    MONDAY,
    fields,
    inside,
    opened,
    origin,
    saved,
    told,
)

LINK = NewLink("a1b2", "editor", "hash of its token", MONDAY + timedelta(days=1))
Command = Callable[[Draft, Origin], Answer]
SHARINGS: dict[str, Command] = {
    "share": lambda d, o: sharing.share(d, EVE, "editor", o),
    "unshare": lambda d, o: sharing.unshare(d, BEN, o),
    "hand over": lambda d, o: sharing.hand_over(d, EVE, o),
    "share by link": lambda d, o: sharing.share_by_link(d, LINK, o),
    "take a link back": lambda d, o: sharing.take_link_back(d, "old", o),
}


def shared(role: sharing.Role = "editor") -> Draft:
    """Ann's draft, shared with Ben and by a link."""
    draft = opened({"fee": 1})
    sharing.share(draft, BEN, role, origin())
    sharing.share_by_link(draft, NewLink("old", role, "hash"), origin())
    return saved(draft)


def refusal(command: Command, draft: Draft, asked: Origin) -> VariorumError:
    before = inside(draft)
    with pytest.raises(VariorumError) as refused:
        command(draft, asked)
    assert inside(draft) == before
    return refused.value


def test_a_person_gets_a_role_and_the_draft_tells_of_it() -> None:
    draft = opened()
    sharing.share(draft, BEN, "viewer", origin())
    assert told(draft) == [{"act": "shared", "principal": BEN, "role": "viewer"}]
    assert draft.role_of(BEN) == "viewer"
    sharing.share(draft, BEN, "editor", origin())
    assert (draft.role_of(BEN), draft.role_of(EVE), draft.version) == ("editor", None, 3)


def test_the_same_role_again_records_nothing() -> None:
    draft = shared()
    assert sharing.share(draft, BEN, "editor", origin()) == receipt(draft)
    assert sharing.unshare(draft, EVE, origin()) == receipt(draft)
    assert sharing.hand_over(draft, ANN, origin()) == receipt(draft)
    assert sharing.take_link_back(draft, "unknown", origin()) == receipt(draft)
    assert told(draft) == []


def test_a_role_is_taken_away_and_the_draft_is_gone_for_who_had_it() -> None:
    draft = shared()
    sharing.unshare(draft, BEN, origin())
    assert told(draft) == [{"act": "unshared", "principal": BEN}]
    assert isinstance(refusal(COMMANDS["edit"], draft, origin(BEN)), DraftNotFound)


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_whoever_has_a_role_may_give_it_up_and_no_other(role: sharing.Role) -> None:
    draft = shared(role)
    sharing.share(draft, EVE, "viewer", origin())
    saved(draft)
    others = lambda d, o: sharing.unshare(d, EVE, o)  # noqa: E731
    assert isinstance(refusal(others, draft, origin(BEN)), Forbidden)
    sharing.unshare(draft, BEN, origin(BEN))
    assert told(draft) == [{"act": "unshared", "principal": BEN}]


def test_the_owner_neither_leaves_nor_gets_a_lesser_role() -> None:
    draft = shared()
    leave: Command = lambda d, o: sharing.unshare(d, ANN, o)  # noqa: E731
    shrink: Command = lambda d, o: sharing.share(d, ANN, "viewer", o)  # noqa: E731
    for command in (leave, shrink):
        assert isinstance(refusal(command, draft, origin()), Invalid)


def test_handing_over_makes_another_the_owner_and_the_owner_so_far_an_editor() -> None:
    draft = shared()
    sharing.hand_over(draft, BEN, origin())
    assert told(draft) == [{"act": "handed_over", "to": BEN}]
    assert (draft.owner, draft.members) == (BEN, {ANN: "editor"})
    for command in MANAGES.values():
        assert isinstance(refusal(command, draft, origin()), Forbidden)
    sharing.hand_over(draft, ANN, origin(BEN))
    assert (draft.owner, draft.members) == (ANN, {BEN: "editor"})


def test_a_link_has_a_role_and_what_is_known_of_it_until_it_is_taken_back() -> None:
    draft = opened({"fee": 1})
    sharing.share_by_link(draft, LINK, origin())
    assert told(draft) == [
        {
            "act": "shared",
            "principal": "link:a1b2",
            "role": "editor",
            "expires_at": "2026-03-03T09:00:00Z",
            "token_hash": "hash of its token",
        }
    ]
    assert draft.links == {
        "link:a1b2": {
            "role": "editor",
            "expires_at": "2026-03-03T09:00:00Z",
            "by": ANN,
            "at": "2026-03-02T09:00:00Z",
        }
    }
    DRAFTS.edit(draft, fields({"fee": 2}), origin("link:a1b2"))
    assert draft.recent[-1].by == "link:a1b2"
    sharing.take_link_back(draft, "a1b2", origin())
    assert draft.links == {}
    assert isinstance(refusal(COMMANDS["edit"], draft, origin("link:a1b2")), DraftNotFound)


def test_a_link_that_would_have_expired_is_refused() -> None:
    late: Command = SHARINGS["share by link"]
    refused = refusal(late, opened(), origin(minutes=24 * 60))
    assert isinstance(refused, Invalid)
    assert refused.errors[0].pointer == "/expires_in"


@pytest.mark.parametrize("principal", [BEN, "link:old"])
@pytest.mark.parametrize("name", SHARINGS)
def test_only_the_owner_shares(name: str, principal: str) -> None:
    sharer = SHARINGS[name]
    if (name, principal) != ("unshare", BEN):  # that is leaving
        assert isinstance(refusal(sharer, shared(), origin(principal)), Forbidden)
    assert isinstance(refusal(sharer, shared(), origin(EVE)), DraftNotFound)


def test_links_own_nothing() -> None:
    draft = shared()
    begin: dict[str, Any] = {
        "open": lambda: DRAFTS.open(Opening("gig"), origin("link:old"), slot=True),
        "fork": lambda: DRAFTS.fork(draft, origin("link:old"), new=ID, role="editor"),
    }
    for beginning in begin.values():
        with pytest.raises(Forbidden):
            beginning()


@pytest.mark.parametrize("name", SHARINGS)
def test_a_closed_draft_can_be_shared_and_kept_from_others_too(name: str) -> None:
    draft = shared()
    DRAFTS.submit(draft, origin())
    saved(draft)
    SHARINGS[name](draft, origin())
    assert len(told(draft)) == 1


@pytest.mark.parametrize("name", SHARINGS)
def test_sharing_is_repeatable_as_every_write(name: str) -> None:
    draft = shared()
    asked = origin(device="mac", seq=1, digest="d1")
    SHARINGS[name](draft, asked)
    if name != "hand over":
        assert SHARINGS[name](draft, asked) == Repeated(draft.version)
        assert isinstance(
            refusal(SHARINGS[name], draft, origin(device="mac", seq=1, digest="other")), SeqReused
        )


@pytest.mark.parametrize("name", COMMANDS)
def test_an_auditor_reads_and_writes_only_as_a_member(name: str) -> None:
    asked = origin(EVE, auditor=True)
    assert isinstance(refusal(COMMANDS[name], shared(), asked), Forbidden)
    draft = shared()
    sharing.hand_over(draft, EVE, origin())
    COMMANDS[name](draft, asked)

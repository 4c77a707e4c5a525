from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chain import FIRST, KEY_ID_BYTES, Chain, ChainKey

KEY = ChainKey(b"made up for tests, links their events")
CHAIN = Chain(KEY)
ID = UUID("7b2e0000-0000-4000-8000-000000000001")
STATE = b'{"by":"ann-key-0001","form":"gig"}'

PLACE = (FIRST, ID, 1, "draft.opened", STATE)


def test_a_link_has_the_layout_that_it_has_had_since_the_first_release() -> None:
    head = FIRST + ID.bytes + b"1 draft.opened\0"
    mac = hmac.digest(KEY.secret, head + STATE, hashlib.sha256)
    assert CHAIN.link(*PLACE) == KEY.id + mac
    assert CHAIN.link(*PLACE).hex() == (
        "ed9eeba40356e5778bead4ce1a531547ad757bd9bd5de1748b887dd198fdfa136f02d1ed"
    )


def test_the_first_event_follows_a_link_of_nothing_but_zeros() -> None:
    assert FIRST == bytes(36)


def test_a_key_is_named_by_four_bytes_that_tell_nothing_of_it() -> None:
    assert len(KEY.id) == KEY_ID_BYTES == 4
    assert KEY.id not in KEY.secret
    assert KEY.id != ChainKey(b"another key, of the next year").id


def test_another_key_makes_another_link_and_says_so() -> None:
    other = ChainKey(b"another key, of the next year")
    link = Chain(other).link(*PLACE)
    assert link[:4] == other.id
    assert link[4:] != CHAIN.link(*PLACE)[4:]


@pytest.mark.parametrize(
    "altered",
    [
        (CHAIN.link(*PLACE), ID, 1, "draft.opened", STATE),
        (FIRST, UUID(int=ID.int + 1), 1, "draft.opened", STATE),
        (FIRST, ID, 2, "draft.opened", STATE),
        (FIRST, ID, 11, "draft.opened", STATE),
        (FIRST, ID, 1, "draft.forked", STATE),
        (FIRST, ID, 1, "draft.opened ", STATE),
        (FIRST, ID, 1, "draft.opened", STATE + b" "),
        (FIRST, ID, 1, "draft.opened", b""),
    ],
)
def test_whatever_is_altered_about_an_event_alters_its_link(
    altered: tuple[bytes, UUID, int, str, bytes],
) -> None:
    assert CHAIN.link(*altered) != CHAIN.link(*PLACE)


@given(st.integers(0, len(STATE) - 1), st.integers(1, 255))
def test_any_other_byte_of_an_event_alters_its_link(place: int, difference: int) -> None:
    altered = bytearray(STATE)
    altered[place] ^= difference
    assert CHAIN.link(FIRST, ID, 1, "draft.opened", bytes(altered)) != CHAIN.link(*PLACE)


def test_nothing_can_be_moved_from_one_part_of_an_event_to_the_next() -> None:
    links = {
        CHAIN.link(FIRST, ID, 1, "draft.opened", b"{}"),
        CHAIN.link(FIRST, ID, 1, "draft", b".opened\0{}"),
        CHAIN.link(FIRST, ID, 11, "draft.opened", b"{}"),
        CHAIN.link(FIRST, ID, 1, "1 draft.opened", b"{}"),
    }
    assert len(links) == 4

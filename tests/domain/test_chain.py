from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chain import (
    FIRST,
    KEY_ID_BYTES,
    MOST_FLAWS,
    Chain,
    ChainKey,
    Flaw,
    Keyring,
    Seal,
    Verdict,
    Walk,
)

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


# -- going along a chain

EVENTS = [(version, "draft.edited", b'{"n":%d}' % version) for version in range(1, 9)]
RING = Keyring([KEY])

Stored = tuple[int, str, bytes, bytes]


def chained(chain: Chain = CHAIN, draft: UUID = ID) -> list[Stored]:
    """The events with their links."""
    stored: list[Stored] = []
    previous = FIRST
    for version, topic, state in EVENTS:
        previous = chain.link(previous, draft, version, topic, state)
        stored.append((version, topic, state, previous))
    return stored


def judged(stored: Sequence[Stored], ring: Keyring = RING, draft: UUID = ID) -> Verdict:
    """What comes of walking along these."""
    walk = Walk(ring, draft)
    for event in stored:
        walk.take(*event)
    return walk.verdict()


def test_an_untouched_chain_is_intact_and_its_head_is_the_last_link() -> None:
    stored = chained()
    assert judged(stored) == Verdict(ID, 8, stored[-1][3])
    assert judged(stored).intact is True
    assert judged([]) == Verdict(ID, 0, FIRST)


@given(
    place=st.integers(0, 7),
    part=st.sampled_from(["topic", "state", "link"]),
    byte=st.integers(0, 35),
    difference=st.integers(1, 127),
)
def test_any_byte_that_is_altered_is_named_by_its_version(
    place: int, part: str, byte: int, difference: int
) -> None:
    stored = chained()
    version, topic, state, link = stored[place]

    def other(text: bytes) -> bytes:
        at = byte % len(text)
        return text[:at] + bytes([text[at] ^ difference]) + text[at + 1 :]

    altered = {
        "topic": (version, other(topic.encode()).decode(), state, link),
        "state": (version, topic, other(state), link),
        "link": (version, topic, state, other(link)),
    }
    stored[place] = altered[part]
    verdict = judged(stored)
    assert verdict.intact is False
    assert verdict.flaws[0].problem == "altered"
    assert verdict.flaws[0].first == version


@given(st.permutations(range(8)))
def test_events_in_another_order_are_never_intact(order: list[int]) -> None:
    stored = chained()
    swapped = [
        (version, *stored[place][1:]) for (version, *_), place in zip(stored, order, strict=True)
    ]
    assert judged(swapped).intact is (order == list(range(8)))
    assert judged([stored[place] for place in order]).intact is (order == list(range(8)))


def test_events_that_were_removed_are_named_as_one_run() -> None:
    stored = chained()
    assert judged(stored[:2] + stored[5:]).flaws == (Flaw("missing", 3, 5),)
    assert judged(stored[1:]).flaws == (Flaw("missing", 1, 1),)


def test_a_chain_cannot_tell_by_itself_that_its_end_is_cut() -> None:
    assert judged(chained()[:5]).intact is True


def test_an_event_that_stands_there_twice_is_named() -> None:
    stored = chained()
    assert judged([*stored[:3], stored[2], *stored[3:]]).flaws == (Flaw("repeated", 3, 3),)


def test_the_events_of_another_draft_do_not_fit() -> None:
    other = UUID(int=ID.int + 1)
    assert judged(chained(draft=other)).flaws == (Flaw("altered", 1, 8),)


NEW_KEY = ChainKey(b"another key, of the next year")


def test_a_chain_goes_on_under_a_new_key_and_both_prove_it() -> None:
    stored = chained()[:5]
    previous = stored[-1][3]
    for version, topic, state in EVENTS[5:]:
        previous = Chain(NEW_KEY).link(previous, ID, version, topic, state)
        stored.append((version, topic, state, previous))
    assert judged(stored, Keyring([NEW_KEY, KEY])).intact is True
    only_new = judged(stored, Keyring([NEW_KEY]))
    assert only_new.intact is None
    assert only_new.flaws == (Flaw("unchecked", 1, 5, KEY.id.hex()),)


def test_an_unknown_key_does_not_hide_what_is_wrong_elsewhere() -> None:
    stored = chained()[:5]
    stored[1] = (2, "draft.edited", b"{}", stored[1][3])
    link = Chain(NEW_KEY).link(stored[-1][3], ID, 6, *EVENTS[5][1:])
    verdict = judged([*stored, (*EVENTS[5], link)])
    assert verdict.intact is False
    assert verdict.flaws == (Flaw("altered", 2, 2), Flaw("unchecked", 6, 6, NEW_KEY.id.hex()))


def test_a_link_that_only_names_another_key_is_altered_not_unchecked() -> None:
    stored = chained()
    stored[-1] = (*stored[-1][:3], NEW_KEY.id + stored[-1][3][4:])
    assert judged(stored).flaws == (Flaw("altered", 8, 8),)


def test_of_very_many_flaws_some_are_told_and_what_is_wrong_before_what_is_unknown() -> None:
    walk = Walk(RING, ID)
    for version in range(1, 201):
        walk.take(version, "draft.edited", b"{}", bytes([version]) * 36)
    assert len(walk.verdict().flaws) == MOST_FLAWS
    assert walk.verdict().intact is None
    walk.take(203, "draft.edited", b"{}", bytes(36))
    assert len(walk.verdict().flaws) == MOST_FLAWS
    assert walk.verdict().flaws[-1] == Flaw("missing", 201, 202)
    assert walk.verdict().intact is False


# -- seals


def test_a_seal_signs_every_byte_under_a_key_of_its_own() -> None:
    seal, other = Seal(KEY), Seal(KEY)
    for line in (b"one\n", b"two\n"):
        seal.take(line)
    other.take(b"one\ntwo\n")
    assert seal.signature() == other.signature()
    assert seal.signature().startswith("f9cb32ee94e7365c125bee772b3826c7")
    plain = hmac.digest(KEY.secret, b"one\ntwo\n", hashlib.sha256).hex()
    assert seal.signature() != plain
    other.take(b"\n")
    assert seal.signature() != other.signature()

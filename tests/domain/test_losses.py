"""What once was lost when devices clashed again and again; `test_devices.py` found it."""

from __future__ import annotations

from tests.domain.test_conflicts import ipad, mac, shared, values_of

LINES = [f"Line {number} says word{number} and no more.\n" for number in range(6)]
TEXT = "".join(LINES)


def test_a_second_clash_in_a_text_keeps_the_first_ones_words_in_the_entry() -> None:
    draft = shared({"note": TEXT})
    ours = TEXT.replace("word1", "mac1").replace("word4", "mac4")
    mac(draft, {"note": ours}, 1)
    first = TEXT.replace("word1", "ipad1")
    ipad(draft, {"note": first}, 1)
    second = first.replace("word4", "ipad4")
    ipad(draft, {"note": second}, 1)
    assert draft.data == {"note": ours}
    assert [values_of(c)["/note"][1:] for c in draft.conflicts] == [[ours, second]]


def test_a_device_that_comes_round_in_one_place_of_a_text_still_wants_the_other() -> None:
    draft = shared({"note": TEXT})
    ours = TEXT.replace("word1", "mac1").replace("word4", "mac4")
    mac(draft, {"note": ours}, 1)
    first = TEXT.replace("word1", "ipad1").replace("word4", "ipad4")
    ipad(draft, {"note": first}, 1)
    second = first.replace("ipad1", "mac1")
    ipad(draft, {"note": second}, 1)
    assert [values_of(c)["/note"][1:] for c in draft.conflicts] == [[ours, second]]

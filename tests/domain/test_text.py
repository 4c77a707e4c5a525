from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import text
from domain.errors import CannotApply
from tests.domain.strategies import LAWS, THOUSANDS, long_texts

any_texts = st.text(max_size=30) | long_texts | st.text(alphabet="ab \n", max_size=400)


def check_laws(before: str, after: str) -> None:
    parts = text.splices(before, after)
    back = text.invert(parts)
    assert text.splice(before, parts) == after
    assert text.splice(after, back) == before
    assert text.invert(back) == parts
    assert (parts == []) is (before == after)
    check_segments(before, after, parts)
    ends = [at + len(deleted) for at, deleted, _ in parts]
    assert all(end < at for end, (at, _, _) in zip(ends, parts[1:], strict=False))


def check_segments(before: str, after: str, parts: list[text.Splice]) -> None:
    shown = text.segments(before, parts)
    assert "".join(s.get("keep", s.get("delete", "")) for s in shown) == before
    assert "".join(s.get("keep", s.get("insert", "")) for s in shown) == after
    assert all(len(s) == 1 and all(s.values()) for s in shown)


@given(any_texts, any_texts)
@LAWS
def test_splices_lead_there_and_back(before: str, after: str) -> None:
    check_laws(before, after)


@given(st.text() | any_texts)
@LAWS
def test_words_or_sentences_joined_are_the_text(any_text: str) -> None:
    assert "".join(text.words(any_text)) == any_text
    assert "".join(text.sentences(any_text)) == any_text


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("naïve cafe\u0301, ok", ["naïve", " ", "cafe\u0301", ",", " ", "ok"]),
        ("日本語 です", ["日", "本", "語", " ", "で", "す"]),
        ("hi 👩‍👧!", ["hi", " ", "👩‍👧", "!"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("a\n\n b", ["a", "\n\n ", "b"]),
        ("19:30, 1.5 and 1.", ["19:30", ",", " ", "1.5", " ", "and", " ", "1", "."]),
        ("see https://a.b/c?d=1!", ["see", " ", "https://a.b/c?d=1", "!"]),
        ("don't, e-mail", ["don't", ",", " ", "e-mail"]),
        ("", []),
    ],
)
def test_a_word_keeps_its_accents_and_a_sign_its_parts(sentence: str, words: list[str]) -> None:
    assert text.words(sentence) == words


@pytest.mark.parametrize(
    ("paragraph", "sentences"),
    [
        ("Doors at 19.30. The fee? 1.5!", ["Doors at 19.30. ", "The fee? ", "1.5!"]),
        ("です。ます。", ["です。", "ます。"]),
        ("one\n two.\n\nthree", ["one\n two.\n\n", "three"]),
        ("", []),
    ],
)
def test_a_sentence_ends_with_its_sign_and_the_blanks_behind_it(
    paragraph: str, sentences: list[str]
) -> None:
    assert text.sentences(paragraph) == sentences


def test_one_key_stroke_is_one_small_splice() -> None:
    assert text.splices("a" * 300, "a" * 150 + "b" + "a" * 150) == [[150, "", "b"]]
    assert text.splices("the fee", "the free") == [[5, "", "r"]]


def test_two_small_edits_far_apart_are_two_small_splices() -> None:
    before = " ".join(f"word{n}" for n in range(400))
    after = before.replace("word10 ", "Word10 ").replace("word390 ", "")
    parts = text.splices(before, after)
    assert len(parts) == 2
    assert sum(len(old) + len(new) for _, old, new in parts) < 20


def test_positions_count_code_points() -> None:
    assert text.splices("👩‍👧 a", "👩‍👧 b") == [[4, "a", "b"]]


@pytest.mark.parametrize("parts", [[[0, "x", ""]], [[5, "a", ""]], [[1, "b", ""], [0, "a", ""]]])
def test_splices_that_do_not_fit_the_text_are_refused(parts: list[text.Splice]) -> None:
    with pytest.raises(CannotApply):
        text.splice("ab", parts)


@pytest.mark.parametrize("vocabulary", ["a", "a b", "a b c d e \n", "x\n y\n"])
def test_a_megabyte_of_repetitive_text_is_compared_in_time(vocabulary: str) -> None:
    chance = random.Random(1)
    words = vocabulary.split(" ")
    before = " ".join(chance.choice(words) for _ in range(300_000))
    check_laws(before, before[:1000] + "new" + before[1003:-1000] + "end")


@pytest.mark.long
@given(any_texts, any_texts)
@THOUSANDS
def test_splices_lead_there_and_back_thousands_of_times(before: str, after: str) -> None:
    check_laws(before, after)

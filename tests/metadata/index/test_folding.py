"""Text as search sees it: folded, cut into words, and these set apart for their parts to be found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.index.folding import beginning, fold, inside, pairs, parts, tokens, words

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Łódź ÉLAN", "lodz elan"),
        ("Straße", "strasse"),
        ("\uff26\uff35\uff2c\uff2c \uff57", "full w"),
        ("Æsir Œuvre Þór", "aesir oeuvre thor"),
        ("ﬁle", "file"),
        ("한국어", "한국어"),
        ("PLAIN", "plain"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(TEXTS)
def test_folding_does_not_care_for_the_form_the_text_came_in(text: str) -> None:
    assert fold(text.upper().lower()) in {fold(text), fold(text.upper().lower())}
    assert fold(fold(text)) == fold(text)


def test_a_text_is_cut_into_words_and_runs_of_cjk() -> None:
    assert tokens("My_file, ÉTÉ:魔法x2 -") == ["my", "file", "ete", "魔法", "x2"]
    assert words(["my", "魔法少", "法"]) == "my 魔 法 少 魔法 法少 法 法"


def test_each_word_stands_once_after_a_space_and_what_is_too_short_after_two() -> None:
    assert parts(["alice", "a", "alice", "bob"]) == " alice a bob  a  b"
    assert parts(["魔法少"]) == " 魔法少 魔法 法少  魔  法  少"
    assert parts([]) == ""


def test_a_part_is_asked_for_in_three_letters_at_least() -> None:
    assert [inside(part) for part in ("alice", "ali", "al", "a", "魔法少", "魔法", "魔")] == [
        *("alice", "ali", " al", "  a"),
        *("魔法少", " 魔法", "  魔"),
    ]
    assert [beginning(part) for part in ("alice", "al", "a", "魔法少", "魔")] == [
        " alice",
        " al",
        "  a",
        "魔法少",
        "  魔",
    ]


def test_cjk_is_asked_for_as_pairs() -> None:
    assert (pairs("魔"), pairs("魔法少")) == ("魔", "魔法 法少")


@given(st.text(max_size=50))
def test_every_token_is_letters_and_digits(text: str) -> None:
    assert all(token.isalnum() for token in tokens(text))

"""Text as search sees it: folded, cut into words, and these into grams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.index.folding import beginning, fold, grams, inside, pairs, tokens, words

B = "\ue000"
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


def test_the_grams_of_a_word_begin_with_its_beginning() -> None:
    assert beginning("alice") == f"{B}al ali lic ice"
    assert (inside("alice"), inside("ali"), inside("al"), inside("a")) == ("ali lic ice", "ali", f"{B}al", f"{B}a")
    assert grams(["alice", "魔法", "a", "alice", "al"]) == f"{B}a {B}al ali lic ice {B}a {B}a {B}al"


def test_cjk_is_asked_for_as_pairs() -> None:
    assert (pairs("魔"), pairs("魔法少")) == ("魔", "魔法 法少")


@given(st.text(max_size=50))
def test_every_token_is_letters_and_digits(text: str) -> None:
    assert all(token.isalnum() for token in tokens(text))

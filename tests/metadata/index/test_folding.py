"""Text as search sees it: folded, cut into words and trigrams, and asked for."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.index.folding import fold, grams, match_expression, words

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def finds(text: str, query: str) -> bool:
    """Ask a full-text table of this one text."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE VIRTUAL TABLE f USING fts5(words, grams, tokenize = 'unicode61')")
        db.execute("INSERT INTO f VALUES(?, ?)", (words(text), grams(text)))
        expression = match_expression(query)
        return expression is not None and bool(db.execute("SELECT 1 FROM f WHERE f MATCH ?", (expression,)).fetchall())


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


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("my_file-name.png", "file"),
        ("my_file-name.png", "my_file"),
        ("Alice im Wunderland", "wunder"),
        ("Alice im Wunderland", "nderla"),
        ("魔法少女", "少女"),
        ("魔法少女", "法"),
        ("魔法少女。", "少女。"),
        ("ｶﾀｶﾅ", "カタ"),
        ("서울특별시", "특별"),
        ("x2 go", "x2"),
        ('say "AND" OR NEAR(', "near or and"),
        ("été", "ete"),
        ("_少女 - _.png", "_少女 - _.png"),
        ("「魔法」、少女", "「魔法」、"),
    ],
)
def test_what_is_found(text: str, query: str) -> None:
    assert finds(text, query)


@pytest.mark.parametrize(
    ("text", "query"),
    [("Alice", "bob"), ("Alice", "li"), ("魔法少女", "女魔"), ("Alice", '"*()'), ("Alice Bob", "alice carol")],
)
def test_what_is_not_found(text: str, query: str) -> None:
    assert not finds(text, query)


@given(TEXTS)
def test_no_query_breaks_the_expression(query: str) -> None:
    finds("some text", query)


@given(st.lists(st.text(st.sampled_from("abcéßøłЖд한국魔法少9_"), min_size=1, max_size=6), min_size=1, max_size=4))
def test_a_text_is_found_by_each_of_its_words_and_by_all(parts: list[str]) -> None:
    text = " ".join(parts)
    for part in [*parts, text]:
        if match_expression(part) is not None and any(letter.isalnum() for letter in part):
            assert finds(text, part), part

"""Pieces of texts with the words of a question marked, as the texts were written."""

from __future__ import annotations

import html
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.index import snippets
from metadata.index.folding import fold, tokens
from metadata.index.snippets import LOOKED_AT, WIDTH, Snippets

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
TEXTS = st.text(st.sampled_from("aAbé\u0301ßﬁ魔法女가\u1100\u1161 <&\U0001f469\u200d.İ"), max_size=40)


def plain(snippet: str) -> str:
    return html.unescape(re.sub("</?mark>", "", snippet))


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("alice", "Alice", "<mark>Alice</mark>"),
        ("ali", "Sir Alice and Natalie", "Sir <mark>Ali</mark>ce and Nat<mark>ali</mark>e"),
        ("al", "Alice, Natalie", "<mark>Al</mark>ice, Natalie"),
        ("elan", "d-É\u0301lan é", "d-<mark>É\u0301lan</mark> é"),
        ("lodz", "w Łodzi: ŁÓDŹ!", "w <mark>Łodz</mark>i: <mark>ŁÓDŹ</mark>!"),
        ("strasse", "Die Straße.", "Die <mark>Straße</mark>."),
        ("file", "die ﬁle", "die <mark>ﬁle</mark>"),
        ("cafe", "cafe\u0301s", "<mark>cafe\u0301</mark>s"),
        ("魔女", "あの魔女と魔女", "あの<mark>魔女</mark>と<mark>魔女</mark>"),
        ("カタ", "ｶﾀｶﾅ", "<mark>ｶﾀ</mark>ｶﾅ"),
        ("가방", "그 \u1100\u1161방", "그 <mark>\u1100\u1161방</mark>"),
        ("b", "<b>&amp;</b> ab", "&lt;<mark>b</mark>&gt;&amp;amp;&lt;/<mark>b</mark>&gt; ab"),
        ("b", "魔b", "魔<mark>b</mark>"),
        ("abc bcd", "xabcdx", "x<mark>abc</mark>dx"),
        ("two words", "words and two", "<mark>words</mark> and <mark>two</mark>"),
        ("hi", f"{FAMILY} hi {FAMILY}", f"{FAMILY} <mark>hi</mark> {FAMILY}"),
    ],
)
def test_what_is_shown(question: str, text: str, expected: str) -> None:
    assert Snippets(question).of(text) == expected


@pytest.mark.parametrize(("question", "text"), [("bob", "Alice"), ("", "x"), ("-- *", "x * y"), ("li", "Alice")])
def test_nothing_is_shown_where_nothing_is_found(question: str, text: str) -> None:
    assert Snippets(question).of(text) is None


def test_a_long_text_is_cut_at_words_around_the_first_hit() -> None:
    text = "before " * 100 + "the dragon " + "after " * 100
    shown = Snippets("dragon").of(text) or ""
    assert shown.startswith("…before ")
    assert shown.endswith(" after…")
    assert " the <mark>dragon</mark> after " in shown
    assert len(plain(shown)) < WIDTH + 50
    assert plain(shown).strip("…") in text


def test_no_emoji_and_no_letter_is_cut_apart() -> None:
    for filling in (FAMILY, "e\u0301\u0302", "\U0001f1e9\U0001f1ea"):
        for shift in range(len(filling)):
            text = "x" * shift + filling * 60 + "dragon" + filling * 60
            shown = plain(Snippets("dragon").of(text) or "").strip("…")
            before, after = shown.split("dragon")
            assert before.lstrip("x") == filling * (len(before.lstrip("x")) // len(filling))
            assert after == filling * (len(after) // len(filling))


def test_only_the_beginning_of_a_huge_text_is_looked_at() -> None:
    assert Snippets("dragon").of("x " * LOOKED_AT + "dragon") is None


@given(TEXTS, TEXTS)
def test_what_is_shown_is_of_the_text_and_what_is_marked_is_of_the_question(text: str, question: str) -> None:
    shown = Snippets(question).of(text)
    if shown is None:
        return
    assert plain(shown) == text
    marked = [html.unescape(found) for found in re.findall("<mark>(.*?)</mark>", shown)]
    assert marked
    for found in marked:
        assert any(token[0] in fold(found) for token in tokens(question))
    assert all(first < second for first, second in pairwise(m.start() for m in re.finditer("<mark>", shown)))


@given(TEXTS)
def test_a_text_that_is_asked_for_as_it_is_is_marked(text: str) -> None:
    asked = " ".join(word for word in text.split() if word.isalpha())
    if tokens(asked):
        assert Snippets(asked).of(asked) is not None


def test_only_so_much_is_looked_at_for_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snippets, "LOOKED_AT_IN_ALL", 25)
    one = Snippets("word")
    assert [one.of("a word in ten") is not None for _ in range(4)] == [True, True, False, False]


def test_only_the_longest_words_of_a_question_are_marked() -> None:
    question = " ".join(letter * (3 + place) for place, letter in enumerate("abcdefghijklmnopqr"))
    longest, shortest = "r" * 20, "a" * 3
    assert Snippets(question).of(f"{shortest} {longest}") == f"{shortest} <mark>{longest}</mark>"

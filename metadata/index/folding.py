"""How text becomes searchable: folded, split into words, and the words into trigrams.

Folding is NFKD, marks removed, case folded, so that "Łódź Élan" is found by "elan". CJK runs have no spaces, so they
are indexed as single characters and pairs; a run of pairs in a row is found as a phrase.

Every other word is indexed as a run of grams: its first letter and its first two after a sign that stands for the
word's beginning, then its trigrams. So any part of a word is a phrase of grams, a part that begins it too, and no
question has to gather all words with a prefix: one letter is one term.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

CJK = "\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003134f\u3040-\u30ff"
"""The characters that words are not separated by spaces in, as ranges of a regular expression."""
_TOKEN = re.compile(rf"(?:(?=[{CJK}])[^\W_])+|(?:(?![{CJK}])[^\W_])+")
"""Letters and digits alone: a term of nothing else would be an empty phrase for SQLite, which finds nothing."""
_WORD = re.compile(r"[^\W_]+")
"""The same where there is no CJK; five times as fast."""
_FIRST_CJK = "\u2e80"
_IS_CJK = re.compile(rf"[{CJK}]")
_GRAM = 3
_BEGINS = "\ue000"
"""Stands for the beginning of a word; for private use, and so no letter that a word could have."""
_IN_HEADING = "\ue001"
"""Stands before each gram of a heading: its terms are apart from those of long texts, and so are found at once."""
_KEPT_WORDS = 16_384
_STROKED = {
    "\N{LATIN SMALL LETTER L WITH STROKE}": "l",
    "\N{LATIN SMALL LETTER O WITH STROKE}": "o",
    "\N{LATIN SMALL LETTER D WITH STROKE}": "d",
    "\N{LATIN SMALL LETTER ETH}": "d",
    "\N{LATIN SMALL LETTER H WITH STROKE}": "h",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    "\N{LATIN SMALL LETTER AE}": "ae",
    "\N{LATIN SMALL LIGATURE OE}": "oe",
    "\N{LATIN SMALL LETTER THORN}": "th",
}
"""Letters that Unicode does not decompose, yet people type without their strokes."""


def fold(text: str) -> str:
    """Return the text as it is compared: compatibility forms resolved, marks removed, case folded."""
    if text.isascii():
        return text.lower()
    # Twice: compatibility forms may hide capitals (a bracketed A), and folding may make forms that decompose.
    kept = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    letters = set(kept)
    for mark in (letter for letter in letters if unicodedata.combining(letter)):
        kept = kept.replace(mark, "")
    for letter in letters & _STROKED.keys():
        kept = kept.replace(letter, _STROKED[letter])
    return unicodedata.normalize("NFC", kept)


def tokens(text: str) -> list[str]:
    """Return the folded words of a text in order; a run of CJK characters is one."""
    folded = fold(text)
    return (_TOKEN if _IS_CJK.search(folded) else _WORD).findall(folded)


def is_cjk(token: str) -> bool:
    """Tell whether a token is a run of CJK characters."""
    return token[0] >= _FIRST_CJK and _IS_CJK.match(token) is not None


def words(found: list[str]) -> str:
    """Return what is indexed of tokens as words: CJK runs as characters and then pairs, separated by spaces."""
    return " ".join([f"{' '.join(token)} {pairs(token)}" if is_cjk(token) else token for token in found])


def grams(found: list[str]) -> str:
    """Return what is indexed of tokens as grams: of each word that is not CJK, once, the run that finds its parts."""
    distinct = dict.fromkeys(found)  # in prose most words come again
    return " ".join(run for run in map(_run, distinct) if run)


def pairs(token: str) -> str:
    """Return the phrase that finds a CJK run as a part of a longer one."""
    return token if len(token) == 1 else _windows(token, 2)


def beginning(token: str) -> str:
    """Return the phrase of grams that finds the words beginning with a token."""
    inside = _windows(token, _GRAM)
    first = _BEGINS + token[:2]
    return f"{first} {inside}" if inside else first


def inside(token: str) -> str:
    """Return the phrase of grams that finds the words a token is in; one or two letters have to begin the word."""
    return _windows(token, _GRAM) or beginning(token)


def in_heading(run: str) -> str:
    """Return a run of grams as headings have it."""
    return " ".join([_IN_HEADING + gram for gram in run.split()])


@lru_cache(maxsize=_KEPT_WORDS)
def _run(token: str) -> str:
    if is_cjk(token):
        return ""
    begins = beginning(token)
    # The first letter alone as well, unless it is the whole word.
    return f"{_BEGINS}{token[0]} {begins}" if len(token) > 1 else begins


def _windows(token: str, width: int) -> str:
    return " ".join([token[i : i + width] for i in range(len(token) - width + 1)])

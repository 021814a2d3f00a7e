"""How text becomes searchable: folded, split into words, and the words into trigrams.

Folding is NFKD, marks removed, case folded, so that "Łódź Élan" is found by "elan". CJK runs have no spaces, so they
are indexed as single characters and pairs; a run of pairs in a row is found as a phrase.

Parts of words are found by SQLite's trigrams over the distinct words of a text, each after a space: a part is a phrase
of trigrams, a part that begins a word has the space before it. What is too short for a trigram gets one of its own:
a first letter after two spaces, a pair of CJK characters after one. So no question has to gather all words with a
prefix: one letter is one term.
"""

from __future__ import annotations

import re
import unicodedata

CJK = "\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003134f\u3040-\u30ff"
"""The characters that words are not separated by spaces in, as ranges of a regular expression."""
_TOKEN = re.compile(rf"(?:(?=[{CJK}])[^\W_])+|(?:(?![{CJK}])[^\W_])+")
"""Letters and digits alone: a term of nothing else would be an empty phrase for SQLite, which finds nothing."""
_WORD = re.compile(r"[^\W_]+")
"""The same where there is no CJK; five times as fast."""
_FIRST_CJK = "\u2e80"
_IS_CJK = re.compile(rf"[{CJK}]")
_GRAM = 3
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


def parts(found: list[str]) -> str:
    """Return what is indexed of tokens for their parts to be found: each once, after a space, then the short ones."""
    short: dict[str, None] = {}
    distinct = dict.fromkeys(found)  # in prose most words come again
    for token in list(distinct):
        if is_cjk(token):
            short |= dict.fromkeys(token)
            distinct |= dict.fromkeys(_windows(token, 2))
        else:
            short[token[0]] = None
    return " ".join(["", *distinct]) + "  ".join(["", *short])


def pairs(token: str) -> str:
    """Return the phrase that finds a CJK run as a part of a longer one, among words."""
    return token if len(token) == 1 else " ".join(_windows(token, 2))


def beginning(token: str) -> str:
    """Return the phrase that finds the words beginning with a token, among parts; a CJK run is found anywhere."""
    return inside(token) if is_cjk(token) else _after_space(token)


def inside(token: str) -> str:
    """Return the phrase that finds the words a token is in, among parts; one or two letters have to begin the word."""
    return token if len(token) >= _GRAM else _after_space(token)


def _after_space(token: str) -> str:
    return token.rjust(max(_GRAM, len(token) + 1))


def _windows(token: str, width: int) -> list[str]:
    return [token[i : i + width] for i in range(len(token) - width + 1)]

"""How text becomes searchable: folded, split into words, with CJK as pairs and everything as trigrams.

Folding is NFKD, marks removed, case folded, so that "Łódź Élan" is found by "elan". Words carry prefix search. CJK
runs have no spaces, so they are indexed as single characters and pairs; a trigram column finds substrings of words
(trigrams alone would miss two-character words).
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CJK = "\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003134f\u3040-\u30ff"
_TOKEN = re.compile(rf"(?:(?=[{_CJK}])[^\W_])+|(?:(?![{_CJK}])[^\W_])+")
"""Letters and digits alone: a term of nothing else would be an empty phrase for SQLite, which finds nothing."""
_IS_CJK = re.compile(rf"[{_CJK}]")
_GRAM = 3
_STROKED = str.maketrans(
    {
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
)
"""Letters that Unicode does not decompose, yet people type without their strokes."""


def fold(text: str) -> str:
    """Return the text as it is compared: compatibility forms resolved, marks removed, case folded."""
    if text.isascii():
        return text.lower()
    # Twice: compatibility forms may hide capitals (a bracketed A), and folding may make forms that decompose.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", kept).translate(_STROKED)


def words(text: str) -> str:
    """Return the folded words to index, CJK runs as characters and pairs, separated by spaces."""
    folded = fold(text)
    if folded.isascii():  # no CJK: every token is a term
        return " ".join(_TOKEN.findall(folded))
    return " ".join(term for token in _TOKEN.findall(folded) for term in _terms(token))


def grams(text: str) -> str:
    """Return the trigrams of the folded words to index, separated by spaces."""
    seen: dict[str, None] = {}
    folded = fold(text)
    plain = folded.isascii()
    for token in dict.fromkeys(_TOKEN.findall(folded)):  # in prose most words come again
        if plain or not _IS_CJK.match(token):
            for place in range(len(token) - _GRAM + 1):
                seen[token[place : place + _GRAM]] = None
    return " ".join(seen)


def match_expression(query: str) -> str | None:
    """Return the FTS5 expression that finds every word of the query, as word prefix or as substring.

    None when the query holds no letter or digit.
    """
    clauses = [_clause(token) for token in _TOKEN.findall(fold(query))]
    return " AND ".join(clauses) if clauses else None


def _terms(token: str) -> Iterator[str]:
    if not _IS_CJK.match(token):
        yield token
        return
    yield from token
    yield from _windows(token, 2)


def _windows(token: str, width: int) -> Iterator[str]:
    return (token[i : i + width] for i in range(len(token) - width + 1))


def _clause(token: str) -> str:
    if _IS_CJK.match(token):
        pairs = list(_windows(token, 2)) or [token]
        return "(" + " AND ".join(f'words:"{pair}"' for pair in pairs) + ")"
    prefix = f'words:"{token}"*'
    if len(token) < _GRAM:
        return f"({prefix})"
    inside = " AND ".join(f'grams:"{gram}"' for gram in _windows(token, _GRAM))
    return f"({prefix} OR ({inside}))"

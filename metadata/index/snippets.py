"""Where the words of a question stand in a text: a piece of the text as it was written, with the words marked.

Text is compared folded, and folding changes its length: a ligature becomes two letters, marks vanish. So the text is
folded piece by piece, a piece being a letter with the marks on it, and each folded letter knows the piece it came from.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from . import folding

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOKED_AT = 100_000
"""So many characters of a text are looked at."""
LOOKED_AT_IN_ALL = 2_000_000
"""So many of all texts that one question is answered with; those that come later show nothing."""
MARKED = 16
"""So many words of a question are marked, the longest; each costs time wherever a text is looked at."""
WIDTH = 160
"""So many characters of a text are shown, about."""
_BEFORE = 50
_SLACK = 20
_OPEN, _CLOSE, _CUT = "<mark>", "</mark>", "…"
_JAMO = "\u1160-\u11ff"
"""Vowels and ends of Korean syllables, which belong to the letter before."""
_JOINS = re.compile(f"[{_JAMO}]")
_JOINER = "\u200d"
_MODIFIERS = re.compile(
    "[\ufe00-\ufe0f\u200d\u1160-\u11ff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\U000e0100-\U000e01ef]"
)
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")


@dataclass(frozen=True, slots=True)
class _Folded:
    """A folded text; `starts` and `ends` say for each of its letters which piece it came from; None: the same place."""

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the original some folded letters came from."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


class Snippets:
    """Shows the words of one question in texts: those of one answer, for it takes only so much time in all.

    Args:
        question: as it was asked.
    """

    def __init__(self, question: str) -> None:
        tokens = sorted(set(folding.tokens(question)), key=lambda token: (-len(token), token))
        self._wanted = re.compile("|".join(map(_pattern, tokens[:MARKED]))) if tokens else None
        self._left = LOOKED_AT_IN_ALL

    def of(self, text: str) -> str | None:
        """Return a piece of a text as HTML: its characters escaped, the words in `<mark>`; None if there are none."""
        if self._wanted is None or not self._left:
            return None
        text = text[: min(LOOKED_AT, self._left)]
        self._left -= len(text)
        if self._wanted.search(folding.fold(text)) is None:  # most texts have none, and this is quick
            return None
        folded = _fold(text)
        marks = list(_joined(folded.place(*found.span()) for found in self._wanted.finditer(folded.text)))
        if not marks:
            return None
        start = _start(text, marks[0][0])
        end = _end(text, max(start + WIDTH, marks[0][1]))
        shown = [(max(a, start), min(b, end)) for a, b in marks if a < end and b > start]
        return "".join(_marked(text, start, end, shown))


def _pattern(token: str) -> str:
    """Return what finds a token: anywhere where search finds it anywhere, else at the beginning of words."""
    anywhere = folding.is_cjk(token) or folding.inside(token) != folding.beginning(token)
    return re.escape(token) if anywhere else rf"(?<![^\W_{folding.CJK}]){re.escape(token)}"


def _fold(text: str) -> _Folded:
    if text.isascii():
        return _Folded(text.lower())
    table = {ord(letter): _fold_piece(letter) for letter in set(text)}
    if all(len(folded) == 1 for folded in table.values()) and not _JOINS.search(text):
        return _Folded(text.translate(table))
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for found in _pieces(text).finditer(text):
        piece, start, end = found[0], found.start(), found.end()
        if piece.isascii():
            letters.append(piece.lower())
            starts.extend(range(start, end))
            ends.extend(range(start + 1, end + 1))
        else:
            folded = _fold_piece(piece)
            letters.append(folded)
            starts.extend([start] * len(folded))
            ends.extend([end] * len(folded))
    return _Folded("".join(letters), starts, ends)


def _pieces(text: str) -> re.Pattern[str]:
    """Return what cuts a text into plain letters in a row, and single others with the marks on them."""
    marks = sorted({letter for letter in set(text) if unicodedata.combining(letter)})
    joined = _JAMO + re.escape("".join(marks))
    return re.compile(rf"[\x00-\x7f]+(?![{joined}])|.[{joined}]*", re.DOTALL)


@lru_cache(maxsize=8192)
def _fold_piece(piece: str) -> str:
    return folding.fold(piece)


def _joined(places: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield places in order, those that touch as one."""
    last: tuple[int, int] | None = None
    for start, end in places:
        if last is not None and start <= last[1]:
            last = (last[0], max(last[1], end))
            continue
        if last is not None:
            yield last
        last = (start, end)
    if last is not None:
        yield last


def _start(text: str, hit: int) -> int:
    """Return where to begin so that a hit is seen with some text before it: at a word if one begins nearby."""
    if hit <= _BEFORE + _SLACK:
        return 0
    start = hit - _BEFORE
    blank = text.find(" ", start, start + _SLACK)
    return blank + 1 if blank >= 0 else _whole(text, start, -1)


def _end(text: str, end: int) -> int:
    if end + _SLACK >= len(text):
        return len(text)
    blank = text.find(" ", end, end + _SLACK)
    return blank if blank >= 0 else _whole(text, end, 1)


def _whole(text: str, place: int, step: int) -> int:
    """Return the next place in a direction that cuts no letter from its marks, and no emoji apart."""
    while 0 < place < len(text) and _holds(text[place - 1], text[place]):
        place += step
    return place


def _holds(before: str, after: str) -> bool:
    return (
        bool(unicodedata.combining(after))
        or before == _JOINER
        or _MODIFIERS.match(after) is not None
        or (_FLAG.match(before) is not None and _FLAG.match(after) is not None)
    )


def _marked(text: str, start: int, end: int, marks: list[tuple[int, int]]) -> Iterator[str]:
    if start > 0:
        yield _CUT
    place = start
    for first, last in marks:
        yield html.escape(text[place:first])
        yield f"{_OPEN}{html.escape(text[first:last])}{_CLOSE}"
        place = last
    yield html.escape(text[place:end])
    if end < len(text):
        yield _CUT

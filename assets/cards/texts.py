"""Which of a file's texts is the card: `ccv3` before `chara`, the last of several, and the next if one is damaged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from metadata.errors import TooLargeError

from .card import Card, is_card
from .errors import DamagedCardError
from .text import decode_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .limits import CardLimits

_NO_CARD: Final = "The file holds JSON where a card would be, but no card: no name, or no text of a character."


@dataclass(frozen=True, slots=True)
class FoundText:
    """A text of a file that may be its card.

    Attributes:
        keyword: `ccv3` or `chara`; for other places what they are called, such as `UserComment` or `card.json`.
        form: how it is kept: `tEXt`, `zTXt`, `iTXt`, `EXIF`, `JSON`.
        won: whether the card was taken from it.
        problem: why it was not, where it was tried, or what is wrong with it all the same; None otherwise.
    """

    keyword: str
    form: str
    won: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that can be read.

    Attributes:
        text: what is known of it.
        read: returns its bytes.
    """

    text: FoundText
    read: Callable[[], bytes]


def choose(candidates: Iterable[Candidate], limits: CardLimits) -> tuple[Card, tuple[FoundText, ...]]:
    """Return the card of the first candidate that holds one, and what became of each.

    Raises:
        DamagedCardError: none does; the first one's problem is told.
        TooLargeError: the first one is over a limit, and no other holds a card.
    """
    card: Card | None = None
    first: DamagedCardError | TooLargeError | None = None
    seen: list[FoundText] = []
    for count, candidate in enumerate(candidates):
        text = candidate.text
        if card is None and count < limits.texts:
            try:
                card = as_card(decode_text(candidate.read(), limits))
                text = replace(text, won=True)
            except (DamagedCardError, TooLargeError) as error:
                first = first or error
                text = replace(text, problem=error.message)
        seen.append(text)
    if card is not None:
        return card, tuple(seen)
    raise first or DamagedCardError(_NO_CARD)


def as_card(document: object) -> Card:
    """Return a JSON value as the card it is.

    Raises:
        DamagedCardError: it is none.
    """
    if not isinstance(document, dict) or not is_card(document):
        raise DamagedCardError(_NO_CARD)
    return Card(document)

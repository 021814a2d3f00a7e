"""What became of each card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...cards.errors import NotACardError
from ..report import Item, Status

if TYPE_CHECKING:
    from metadata.errors import CalotypeError

    from .offers import Offer


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file.

    Attributes:
        offer: the file.
        status: imported, same, or failed; skipped for what is no card and was not named as one.
        name: what the character is called, empty where that could not be read.
        character_id: its id here, empty where it has none.
        notes: what could not be understood of it.
        error: why it failed or was skipped.
    """

    offer: Offer
    status: Status
    name: str = ""
    character_id: str = ""
    notes: tuple[str, ...] = ()
    error: CalotypeError | None = None

    @classmethod
    def failed(cls, offer: Offer, error: CalotypeError, name: str = "") -> Outcome:
        """Return the outcome of a file that could not be imported."""
        other = isinstance(error, NotACardError) and not offer.named
        return cls(offer, Status.SKIPPED if other else Status.FAILED, name, error=error)

    def item(self) -> Item:
        """Return it as an item of a report."""
        why = "" if self.error is None else self.error.message
        return Item(
            "character",
            self.status,
            self.offer.place,
            name=self.name,
            new_id=self.character_id,
            why=why,
            notes=self.notes if self.status is Status.IMPORTED else (),
        )

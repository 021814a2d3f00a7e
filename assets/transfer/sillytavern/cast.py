"""Who is who: the characters of a folder by the names under which its files speak of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .layout import folded, stem_of

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(slots=True)
class Cast:
    """The characters of a folder.

    Chats and pictures lie in folders that are called like the card's file without its extension.
    """

    _by_file: dict[str, tuple[str, str]] = field(default_factory=dict)
    _by_name: dict[str, set[str]] = field(default_factory=dict)

    def add(self, path: str, here: str, name: str) -> None:
        """Note a character.

        Args:
            path: of its card.
            here: its id here.
            name: what it is called.
        """
        self._by_file[folded(stem_of(path))] = here, name
        self._by_name.setdefault(folded(name), set()).add(here)

    def of_card(self, filename: str) -> str | None:
        """Return the id here of the character of a card's file, None when there is none."""
        found = self._by_file.get(folded(stem_of(filename)))
        return None if found is None else found[0]

    def of_folder(self, name: str) -> str | None:
        """Return the id here of the character that a folder is called after, or that alone has this name."""
        found = self._by_file.get(folded(name))
        return self.named(name) if found is None else found[0]

    def named(self, name: str) -> str | None:
        """Return the id here of the only character of this name, None when there is none, or several."""
        found = self._by_name.get(folded(name), set())
        return next(iter(found)) if len(found) == 1 else None

    def names_of(self, cards: Iterable[str]) -> set[str]:
        """Return the names of the characters of these files, with or without extension."""
        found = (self._by_file.get(folded(card)) or self._by_file.get(folded(stem_of(card))) for card in cards)
        return {one[1] for one in found if one is not None}

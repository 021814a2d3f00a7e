"""Personas, one file each: who the user is in a chat; links to characters are kept on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..schemas.characters import Persona
from .links import linked_characters, on_characters
from .pictures import Pictured

if TYPE_CHECKING:
    from ..documents.contract import Change, Record


class PersonasRepository(Pictured[Persona]):
    """The personas of all users."""

    model = Persona

    def find_by_character_id(self, character_id: str, *, owner: str | None = None) -> list[Persona]:
        """Return every persona that a character is linked with."""
        return list(self.walk({"characterLinks": [character_id]}, owner=owner))

    def add_character(self, persona_id: str, character_id: str, *, owner: str | None = None) -> Persona:
        """Link a character with a persona, on both sides; again is no error.

        Raises:
            NotFoundError: there is no such persona.
            InvalidError: there is no such character.
        """

        def change(found: Persona) -> Persona:
            links = found.character_links
            return found if character_id in links else found.replaced(character_links=[*links, character_id])

        return self.edit(persona_id, change, owner=owner)

    def remove_character(self, persona_id: str, character_id: str, *, owner: str | None = None) -> Persona:
        """Take the link with a character away, on both sides; one that is not there is no error.

        Raises:
            NotFoundError: there is no such persona.
        """

        def change(found: Persona) -> Persona:
            return found.replaced(character_links=[link for link in found.character_links if link != character_id])

        return self.edit(persona_id, change, owner=owner)

    def _alone(self, before: Record | None, after: Record) -> bool:
        return linked_characters(before) == linked_characters(after)

    def _along(self, before: Record | None, after: Record) -> list[Change]:
        return on_characters(before, after, self._later_than)

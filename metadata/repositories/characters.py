"""Characters, one file each: links to personas kept on both sides, a picture, other pictures in single chats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InvalidError
from ..schemas.characters import Character, PersonaLink
from .links import linked_personas, on_personas
from .pictures import Pictured

if TYPE_CHECKING:
    from ..documents.contract import Change, Record


class CharactersRepository(Pictured[Character]):
    """The characters of all users."""

    model = Character

    def find_favorites(self, *, owner: str | None = None) -> list[Character]:
        """Return every favourite."""
        return list(self.walk({"isFavorite": True}, owner=owner))

    def find_by_persona_id(self, persona_id: str, *, owner: str | None = None) -> list[Character]:
        """Return every character that a persona is linked with."""
        return list(self.walk({"personaLinks.personaId": [persona_id]}, owner=owner))

    def set_favorite(self, character_id: str, *, favorite: bool = True, owner: str | None = None) -> Character:
        """Make a character a favourite, or an ordinary one again.

        Raises:
            NotFoundError: there is no such character.
        """
        return self.edit(character_id, lambda found: found.replaced(is_favorite=favorite), owner=owner)

    def add_persona(
        self, character_id: str, persona_id: str, *, is_default: bool = False, owner: str | None = None
    ) -> Character:
        """Link a persona with a character, on both sides; again changes only `is_default`. One at most is the default.

        Raises:
            NotFoundError: there is no such character.
            InvalidError: there is no such persona.
        """

        def change(found: Character) -> Character:
            others = [_link(link, default=link.is_default and not is_default) for link in found.persona_links]
            kept: list[PersonaLink | dict[str, object]] = [link for link in others if link.persona_id != persona_id]
            place = next((n for n, link in enumerate(others) if link.persona_id == persona_id), len(kept))
            kept.insert(place, {"personaId": persona_id, "isDefault": is_default})
            return found.replaced(persona_links=kept)

        return self.edit(character_id, change, owner=owner)

    def remove_persona(self, character_id: str, persona_id: str, *, owner: str | None = None) -> Character:
        """Take the link with a persona away, on both sides; one that is not there is no error.

        Raises:
            NotFoundError: there is no such character.
        """

        def change(found: Character) -> Character:
            return found.replaced(persona_links=[x for x in found.persona_links if x.persona_id != persona_id])

        return self.edit(character_id, change, owner=owner)

    def set_avatar_override(
        self, character_id: str, chat_id: str, image_id: str, *, owner: str | None = None
    ) -> Character:
        """Give a character another picture in one chat, in place of the one it had there.

        Raises:
            NotFoundError: there is no such character.
            InvalidError: there is no such chat or asset.
        """

        def change(found: Character) -> Character:
            kept = [override for override in found.avatar_overrides if override.chat_id != chat_id]
            # Not as an object: making one of a wrong id fails in words that are not ours.
            return found.replaced(avatar_overrides=[*kept, {"chatId": chat_id, "imageId": image_id}])

        return self.edit(character_id, change, owner=owner)

    def clear_avatar_override(self, character_id: str, chat_id: str, *, owner: str | None = None) -> Character:
        """Give a character its own picture again in a chat; one that has no other is no error.

        Raises:
            NotFoundError: there is no such character.
        """

        def change(found: Character) -> Character:
            return found.replaced(avatar_overrides=[x for x in found.avatar_overrides if x.chat_id != chat_id])

        return self.edit(character_id, change, owner=owner)

    def _alone(self, before: Record | None, after: Record) -> bool:
        _check_overrides(after)
        return linked_personas(before) == linked_personas(after)

    def _along(self, before: Record | None, after: Record) -> list[Change]:
        return on_personas(before, after, self._later_than)


def _link(link: PersonaLink, *, default: bool) -> PersonaLink:
    return link.model_copy(update={"is_default": default})


def _check_overrides(record: Record) -> None:
    """Refuse a second picture for one chat: (character, chat) is a key."""
    overrides = record.get("avatarOverrides")
    chats = (
        [str(one.get("chatId")) for one in overrides if isinstance(one, dict)] if isinstance(overrides, list) else []
    )
    if len(set(chats)) < len(chats):
        raise InvalidError(
            "A character has one picture a chat; give each chat once in avatarOverrides.", field="avatarOverrides"
        )

"""Whether a card is here already: by what it was when it was imported, or by what it would be if it were exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from metadata.errors import CalotypeError
from metadata.index.query import Query

from ...cards.card import Card
from ...cards.identity import picture_identity
from ...cards.mapping import compose
from ...digest import Digest
from .drafts import asset_id, content_of, tags_of

if TYPE_CHECKING:
    from metadata.repositories.container import Repositories
    from metadata.schemas.characters import Character

    from ...library import Library
    from .drafts import Draft
    from .portraits import Portraits

_NAMESAKES: Final = 50
"""Characters of one name that are compared; who has more of them finds a card again by its hash all the same."""


class Known:
    """Finds the character that a card is already.

    Args:
        records: the store's records.
        library: has the payloads.
        portraits: opens the pictures that cards are exported with.
        owner: whose characters they are.
    """

    def __init__(self, records: Repositories, library: Library, portraits: Portraits, owner: str) -> None:
        self._records = records
        self._library = library
        self._portraits = portraits
        self._owner = owner

    def find(self, draft: Draft) -> str | None:
        """Return the id of the character that a card is already, None when it is new.

        A card that was imported is known by its hash, whatever was edited since; as another kind of file, by its text,
        while the character has its name. One that was exported is known by its being what would be exported now. One
        whose bytes are gone or rotten is new: then they are stored again.
        """
        character_id = self.id_of(draft)
        if self._records.documents.get("character", character_id) is not None:
            return character_id if self._is_whole(draft, character_id) else None
        query = Query(filter={"name": draft.name}, owner=self._owner, limit=_NAMESAKES)
        namesakes = self._records.characters.list(query).items
        return next((one.id for one in namesakes if self._is_exported(draft, one)), None)

    def _is_whole(self, draft: Draft, character_id: str) -> bool:
        ids = [asset_id(character_id, uri) for uri in ("", *(part.uri for part in draft.parts))]
        kept = self._records.documents.many("asset", ids).values()
        digests = list(dict.fromkeys(Digest(str(one.body["sha256"])) for one in kept))
        return not self._library.missing_of(digests, owner=self._owner)

    def id_of(self, draft: Draft) -> str:
        """Return the id that a card's character has, or is to have."""
        character_id = draft.character_id(self._owner)
        stored = self._records.documents.get("character", character_id)
        if stored is None or stored.body.get("userId") == self._owner:
            return character_id
        return draft.character_id(self._owner, "again")  # the first one belongs to somebody else by now

    def _is_exported(self, draft: Draft, character: Character) -> bool:
        fields = character.to_record()
        card = compose(fields, spec="v3", tags=tag_names(self._records, character))
        imported = Card(character.silly_tavern_data or {})
        if not any(content_of(one) == draft.content for one in (card, imported)):
            return False
        return self._looks_like(draft, character) and self._has(draft, character)

    def _looks_like(self, draft: Draft, character: Character) -> bool:
        if draft.look is None:
            return True
        stored = self._portraits.payload(character)
        if stored is not None and stored.digest == draft.look.identity:
            return True
        if not draft.look.png:
            return False
        try:
            with self._portraits.open(character) as picture:
                return picture_identity(picture) == draft.look.identity
        except CalotypeError:
            return False  # it cannot be shown, so it was not exported

    def _has(self, draft: Draft, character: Character) -> bool:
        """Tell whether the character has every asset that the card brings, its picture aside."""
        picture = None if draft.look is None else draft.look.uri
        wanted = {str(part.digest) for part in draft.parts if part.uri != picture}
        return not wanted or wanted <= {
            asset.sha256 for asset in self._records.images.find_by_character_id(character.id)
        }


def tag_names(records: Repositories, character: Character) -> list[str]:
    """Return the names of the tags that a character's card has: the character's own, and what the card alone has."""
    found = records.documents.many("tag", character.tags)
    own = [str(found[tag].body["name"]) for tag in character.tags if tag in found]
    return [*own, *tags_of(Card(character.silly_tavern_data or {}))[1]]

"""Who looks like what: the picture of a character, a persona, a user, or somebody in a chat, for many at once.

A record's picture is the asset it names (`defaultImageId`); without one, the payload that its URL (`avatarUrl`, a
user's `image`) names by hash. A foreign URL is no picture of ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metadata.schemas.assets import Asset, Fact
from metadata.schemas.characters import Character, Persona

from .wire import UNKNOWN, Glimpse, blob_url, thumb_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from metadata.documents.contract import Documents, Record
    from metadata.schemas.base import Entity
    from metadata.schemas.chats import Participant

_OURS = re.compile(r"/(?:blobs|avatars)/(?P<sha256>[0-9a-f]{64})(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class Look:
    """What a record says of its picture: an asset's id, and the hash in its URL."""

    asset_id: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was found.

    Attributes:
        asset_id: its record, None when only its hash is named.
        sha256: the payload.
        media_type: the payload's.
        width, height: pixels, None when they are not known.
        seen: what was seen of it.
    """

    asset_id: str | None
    sha256: str
    media_type: str
    width: int | None
    height: int | None
    seen: Glimpse = UNKNOWN

    def wire(self, base: str) -> dict[str, object]:
        """Return it as the member `avatar` of an answer."""
        return {
            "assetId": self.asset_id,
            "sha256": self.sha256,
            "url": blob_url(self.sha256, self.media_type, base=base),
            "thumbUrl": thumb_url(self.sha256, self.media_type, variant="avatar", base=base)
            if self.seen.decodes
            else None,
            "width": self.width,
            "height": self.height,
            "placeholder": self.seen.placeholder,
        }


class Avatars:
    """Finds pictures; a page of records costs as many questions as one record.

    Args:
        documents: where the records live.
        base: what URLs of ours begin with.
    """

    def __init__(self, documents: Documents, base: str) -> None:
        self._documents = documents
        self._base = base

    def look(self, entity: Entity) -> Look:
        """Return what a record says of its picture."""
        url = getattr(entity, "avatar_url", None) or getattr(entity, "image", None)
        found = _OURS.match(str(url).removeprefix(self._base)) if url else None
        asset_id = getattr(entity, "default_image_id", None)
        return Look(asset_id, None if found is None else found["sha256"])

    def find(self, looks: Sequence[Look]) -> list[Picture | None]:
        """Return the pictures, None where there is none."""
        assets = self._documents.many("asset", [look.asset_id for look in looks if look.asset_id is not None])
        named = {key: Asset.from_record(stored.body) for key, stored in assets.items()}
        hashes = [each.sha256 for each in named.values()]
        hashes += [look.sha256 for look in looks if look.sha256 is not None and look.asset_id not in named]
        facts = {key: stored.body for key, stored in self._documents.many("fact", list(dict.fromkeys(hashes))).items()}
        return [
            _of_asset(named[look.asset_id], facts)
            if look.asset_id in named
            else _of_fact(facts[look.sha256])
            if look.sha256 in facts
            else None
            for look in looks
        ]

    def wires(self, looks: Sequence[Look]) -> list[dict[str, object] | None]:
        """Return the pictures as members of answers."""
        return [None if found is None else found.wire(self._base) for found in self.find(looks)]

    def of_participants(self, chats: Mapping[str, Sequence[Participant]]) -> dict[str, list[Look]]:
        """Return what those in chats look like there, by the chats' ids; a chat's own picture comes first."""
        everybody = [who for present in chats.values() for who in present]
        characters = self._records("character", (who.character_id for who in everybody))
        personas = self._records("persona", (who.persona_id for who in everybody))
        return {
            chat: [self._in_chat(chat, who, characters, personas) for who in present] for chat, present in chats.items()
        }

    def override(self, character: Character, chat_id: str) -> Look | None:
        """Return the picture that a character has in one chat, None when it is its own."""
        chosen = next((one.image_id for one in character.avatar_overrides if one.chat_id == chat_id), None)
        return None if chosen is None else Look(chosen)

    def _in_chat(
        self, chat: str, who: Participant, characters: Mapping[str, Entity], personas: Mapping[str, Entity]
    ) -> Look:
        found = characters.get(who.character_id or "") or personas.get(who.persona_id or "")
        if found is None:
            return Look()
        other = self.override(found, chat) if isinstance(found, Character) else None
        return other or self.look(found)

    def _records(self, kind: str, ids: Iterable[str | None]) -> dict[str, Entity]:
        model: type[Entity] = Character if kind == "character" else Persona
        found = self._documents.many(kind, [one for one in ids if one is not None])
        return {key: model.from_record(stored.body) for key, stored in found.items()}


def _of_asset(asset: Asset, facts: Mapping[str, Record]) -> Picture:
    seen = Glimpse.of(facts[asset.sha256]) if asset.sha256 in facts else UNKNOWN
    return Picture(asset.id, asset.sha256, asset.mime_type, asset.width, asset.height, seen)


def _of_fact(body: Record) -> Picture:
    fact = Fact.from_record(body)
    return Picture(None, fact.sha256, fact.media_type or "", fact.width, fact.height, Glimpse.of(body))

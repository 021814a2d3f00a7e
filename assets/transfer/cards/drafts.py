"""What a card is to become here, told from its file alone: nothing is asked of the store, and nothing is stored."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from metadata.errors import InvalidError
from metadata.files.codec import canonical

from ...cards.errors import DamagedCardError
from ...cards.identity import picture_identity
from ...cards.mapping import card_tags, character_fields
from ...cards.reading import read_card
from ...cards.specs import converted
from ...digest import Digest, Hasher
from ..verdict import derived_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...cards.asset import CardAsset
    from ...cards.card import Card
    from ...cards.limits import CardLimits
    from ...cards.reading import FoundCard
    from .offers import Offer

AVATAR: Final = "avatar"
"""What stands for the address of a picture that the card has, and names nowhere."""

MOST_TAGS: Final = 200
LONGEST_TAG: Final = 100
"""Tags that are made of one card, and characters of each: ten thousand, or a whole text, are no way to find it."""

_PASSING: Final = ("chat", "fav")
"""The chat that was open last, and whether it is a favourite: each start of a chat changes the file of a card."""

_PICTURES: Final = frozenset({"png", "apng", "webp", "jpeg"})
_PIECE: Final = 256 * 1024
_IN_MEMORY: Final = 16 * 1024 * 1024
"""A larger picture inside a card's file is the same as another only if their files are."""


@dataclass(frozen=True, slots=True)
class Part:
    """A payload that lies in a card's file.

    Attributes:
        uri: the address by which the card names it, or `AVATAR`.
        name: what the file is called.
        digest: its SHA-256.
    """

    uri: str
    name: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Look:
    """The picture of a card.

    Attributes:
        uri: the address of the part that is the picture; empty: the card's file itself.
        identity: what two pictures must share to be one: the identity of a PNG, else the SHA-256 of the file.
        png: it is a PNG, so its identity is one that others can share.
    """

    uri: str
    identity: Digest
    png: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A card that was read.

    Attributes:
        offer: its file.
        key: the SHA-256 of all that the card is: its text, without what changes while it is used, its picture, its
            assets.
        content: the SHA-256 of its text alone, whichever specification it was written in.
        fields: the character's members.
        tags: the names of its tags.
        parts: the payloads in the file, each address once.
        look: its picture, None where it has none.
        notes: what could not be understood of it, a sentence each.
        weight: bytes of its text, which say how much memory it takes.
    """

    offer: Offer
    key: str
    content: str
    fields: Mapping[str, object]
    tags: tuple[str, ...]
    parts: tuple[Part, ...]
    look: Look | None
    notes: tuple[str, ...]
    weight: int

    @property
    def name(self) -> str:
        """What the character is called."""
        return str(self.fields.get("name", ""))

    def character_id(self, owner: str, more: str = "") -> str:
        """Return the id that this card's character has with this owner, always the same."""
        return derived_id("character card", owner, self.key, *([more] if more else []))


def asset_id(character_id: str, uri: str = "") -> str:
    """Return the id of the asset that a card's file is, or of what the card names by an address."""
    return derived_id("card file", character_id, uri)


def draft(offer: Offer, limits: CardLimits) -> Draft:
    """Read a card.

    Raises:
        NotACardError: the file is something else.
        DamagedCardError, TooLargeError: it is damaged, or over a limit.
        CalotypeError: the file cannot be read.
    """
    with offer.open() as source:
        found = read_card(source, limits=limits)
        notes = list(found.problems)
        parts = list(_parts(found, notes))
        look = _look(found, source, parts, limits)
        text = canonical(_lasting(found.card.document))
        shown = "" if look is None else look.identity
        inside = sorted((part.uri, part.digest) for part in parts)
        names, left = tags_of(found.card)
        if left:
            notes.append(
                f"{len(left):,} of its tags stay in the card alone: at most {MOST_TAGS} of one card become tags here, "
                f"each of up to {LONGEST_TAG} characters."
            )
        return Draft(
            offer=offer,
            key=hashlib.sha256(canonical([text.decode(), shown, inside])).hexdigest(),
            content=content_of(found.card),
            fields=character_fields(found.card),
            tags=(*names, *offer.tags),
            parts=tuple(parts),
            look=look,
            notes=tuple(notes),
            weight=len(text),
        )


def _lasting(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a card is, without what SillyTavern notes in its file while somebody plays with it."""
    kept = {name: value for name, value in document.items() if name not in _PASSING}
    data = kept.get("data")
    extensions = data.get("extensions") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(extensions, dict):
        return kept
    lasting = {name: value for name, value in extensions.items() if name not in _PASSING}
    return {**kept, "data": {**data, "extensions": lasting}}


def content_of(card: Card) -> str:
    """Return the SHA-256 of what a card says, the same for its V2 and its V3.

    What its assets are is told by their bytes, so of their addresses only those count that lead elsewhere.
    """
    document = converted(card, "v3").document
    assets = document["data"].get("assets")
    kept = [each for each in assets if not _is_inside(each)] if isinstance(assets, list) else assets
    text = canonical({**document, "data": {**document["data"], "assets": kept or None}})
    return hashlib.sha256(text).hexdigest()


def tags_of(card: Card) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of a card's tags: those that become tags here, and those that stay in the card alone."""
    names = card_tags(card)
    made = tuple(name for name in names if len(name) <= LONGEST_TAG)[:MOST_TAGS]
    return made, tuple(name for name in names if name not in made)


def embedded(found: FoundCard) -> Iterator[CardAsset]:
    """Go through the assets whose bytes are in a card's file, each address once."""
    seen: set[str] = set()
    for asset in found.assets:
        if asset.opener is not None and asset.uri not in seen:
            seen.add(asset.uri)
            yield asset


def _parts(found: FoundCard, notes: list[str]) -> Iterator[Part]:
    for asset in embedded(found):
        said = asset.path or f"{asset.type} {asset.name}"
        try:
            opened = asset.open()
            digest = None if opened is None else _digest(opened)
        except DamagedCardError as error:
            notes.append(f"Its asset {said[:200]} was left out: {error.message}")
            continue
        if digest is None:
            notes.append(f"Its asset {said[:200]} was left out: it is empty.")
            continue
        yield Part(asset.uri, file_name(asset), digest)


def file_name(asset: CardAsset) -> str:
    """Return what the file of an asset is called: its path in the card, else its name with its extension."""
    if asset.path is not None:
        return asset.path
    bare = asset.name or asset.type
    return bare if not asset.ext or bare.lower().endswith(f".{asset.ext}") else f"{bare}.{asset.ext}"


def _look(found: FoundCard, source: BinaryIO, parts: list[Part], limits: CardLimits) -> Look | None:
    if found.container in _PICTURES:
        identity = found.picture_identity
        source.seek(0)
        return Look("", identity or _required(_digest(source)), png=identity is not None)
    try:
        picture = found.open_picture()
        digest = None if picture is None else _digest(picture)
    except DamagedCardError:
        return None  # it is one of the assets, and was noted as such
    if picture is None or digest is None:
        return None
    part = next((one for one in parts if one.digest == digest), None)
    if part is None:
        part = Part(AVATAR, AVATAR, digest)
        parts.append(part)
    identity = _identity(found, limits)
    return Look(part.uri, identity or digest, png=identity is not None)


def _identity(found: FoundCard, limits: CardLimits) -> Digest | None:
    """Return the identity of a picture in the file, for which one must go back and forth in it: so in memory."""
    picture = found.open_picture()
    data = b"" if picture is None else picture.read(_IN_MEMORY + 1)
    return picture_identity(io.BytesIO(data), limits) if len(data) <= _IN_MEMORY else None


def _is_inside(asset: object) -> bool:
    uri = asset.get("uri") if isinstance(asset, dict) else None
    return isinstance(uri, str) and not uri.strip().lower().startswith(("http:", "https:"))


def _digest(source: BinaryIO) -> Digest | None:
    """Return the SHA-256 of all that can be read, None for nothing."""
    hasher = Hasher()
    while piece := source.read(_PIECE):
        hasher.update(piece)
    return hasher.digest() if hasher.size else None


def _required(digest: Digest | None) -> Digest:
    if digest is None:
        raise InvalidError("The file is empty.")
    return digest

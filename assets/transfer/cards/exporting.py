"""A character as a card: PNG, JSON or CHARX, with everything that came with it and everything that was edited since."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

from metadata.errors import InvalidError, NotFoundError
from metadata.files.codec import canonical

from ...cards.asset import CardAsset, assets_of
from ...cards.limits import DEFAULT
from ...cards.mapping import compose
from ...cards.writing import to_json, write_charx, write_png
from ...digest import Digest
from ...images.recipe import recipe
from .drafts import asset_id
from .icons import with_portrait
from .known import tag_names

if TYPE_CHECKING:
    from metadata.repositories.container import Repositories
    from metadata.schemas.characters import Character

    from ...cards.card import Card
    from ...library import Library
    from .portraits import Portraits

Spec = Literal["v2", "v3"]
Writer = Callable[[BinaryIO], None]

_BETWEEN: Final = re.compile(r"\s*[/\\]\s*")
"""What would make a folder of a name's first half."""

_NAMELESS: Final = "character"

_RECIPE: Final = 2
"""Raised when the same character is written as other bytes than before."""


class Form(StrEnum):
    """What kind of file a card is written as."""

    PNG = "png"
    JSON = "json"
    CHARX = "charx"

    @property
    def media_type(self) -> str:
        """The media type of such a file."""
        return {Form.PNG: "image/png", Form.JSON: "application/json", Form.CHARX: "application/zip"}[self]


@dataclass(frozen=True, slots=True)
class CardFile:
    """A card that can be written.

    Attributes:
        name: what the file is called; made of a name from outside, so not a safe one.
        form: what kind of file it is.
        tag: another one whenever the bytes are others.
        write: writes it into a file that can be seeked in, and raises what is told at `CardExport.file`.
    """

    name: str
    form: Form
    tag: str
    write: Writer


class CardExport:
    """Makes cards of characters.

    Args:
        records: the store's records.
        library: the store's payloads.
        portraits: the pictures of cards.
    """

    def __init__(self, records: Repositories, library: Library, portraits: Portraits) -> None:
        self._records = records
        self._library = library
        self._portraits = portraits

    def file(self, character: Character, form: Form, spec: Spec | None = None) -> CardFile:
        """Return a character's card.

        Writing a PNG converts a picture that is none, and draws one where there is none.

        Args:
            character: whose card it is.
            form: what kind of file. A PNG has the card in both specifications, a CHARX as V3.
            spec: which specification a JSON follows; V3 unless given.

        Raises:
            InvalidError: there is no CHARX of V2. Or, while it is written: the picture is damaged or over a limit.
            UnsupportedError: while it is written: the picture is of a format that cannot be decoded here.
            BusyError: while it is written: too many pictures are being made.
        """
        if form is Form.CHARX and spec == "v2":
            raise InvalidError("A CHARX holds a card of V3. Leave spec out, or ask for png or json.", field="spec")
        names = tag_names(self._records, character)
        v2, v3 = (compose(character.to_record(), spec=each, tags=names) for each in ("v2", "v3"))
        inside = self._inside(character, v3)
        writers: dict[Form, Writer] = {
            Form.PNG: partial(self._write_png, character, v2, v3, inside),
            Form.JSON: partial(_write_json, v2 if spec == "v2" else v3),
            Form.CHARX: partial(self._write_charx, character, v3, inside),
        }
        tag = self._tag(character, [form.value, spec, v2.document, v3.document, sorted(inside.items())])
        return CardFile(f"{_stem(character.name)}.{form.value}", form, tag, writers[form])

    def _inside(self, character: Character, card: Card) -> dict[str, Digest]:
        """Return the payloads that the card's file is to bring, by the addresses by which the card names them."""
        found = self._records.images.find_by_character_id(character.id)
        ours = {asset.id: Digest(asset.sha256) for asset in found if asset.user_id == character.user_id}
        unnamed = [f"embeded://{asset.filename}" for asset in found]
        uris = dict.fromkeys([*(asset.uri for asset in assets_of(card, {}, DEFAULT)), *unnamed])
        named = {uri: ours.get(asset_id(character.id, uri)) for uri in uris}
        return {uri: digest for uri, digest in named.items() if digest is not None and self._is_here(digest)}

    def _is_here(self, digest: Digest) -> bool:
        try:
            self._library.find(digest)
        except NotFoundError:
            return False
        return True

    def _assets(self, card: Card, inside: dict[str, Digest]) -> list[CardAsset]:
        """Return the card's assets, with their bytes where they are here."""
        paths = {CardAsset("", "", "", uri).path: digest for uri, digest in inside.items()}
        openers = {path: partial(self._library.open, digest) for path, digest in paths.items() if path is not None}
        return list(assets_of(card, openers, DEFAULT))

    def _write_png(self, character: Character, v2: Card, v3: Card, inside: dict[str, Digest], out: BinaryIO) -> None:
        # An avatar that is not the card's own file may be another edition's, with that one's assets in it.
        own = character.default_image_id == asset_id(character.id)
        with self._portraits.open(character) as picture:
            write_png(picture, v2, v3, out, assets=self._assets(v3, inside), own=own)

    def _write_charx(self, character: Character, card: Card, inside: dict[str, Digest], out: BinaryIO) -> None:
        portrait = self._portraits.payload(character)
        assets = self._assets(card, inside)
        if portrait is not None:
            assets = with_portrait(card, assets, inside, portrait, partial(self._library.open, portrait.digest))
        write_charx(card, assets, out)

    def _tag(self, character: Character, told: list[object]) -> str:
        picture = [self._portraits.version(character), character.default_image_id, recipe()]
        return hashlib.sha256(canonical([_RECIPE, *told, *picture])).hexdigest()[:32]


def _stem(name: str) -> str:
    """Return what a file is called after; a name that cannot be seen would leave its extension alone."""
    stem = _BETWEEN.sub("-", name)
    return stem if any(letter.isprintable() for letter in stem.strip(". ")) else _NAMELESS


def _write_json(card: Card, out: BinaryIO) -> None:
    out.write(to_json(card))

"""The picture that a character's card is written into: always a PNG."""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING, BinaryIO, Final

from metadata.errors import NotFoundError

from ...digest import Digest
from ...images.identicon import as_png
from ...images.variants import Format

if TYPE_CHECKING:
    from metadata.schemas.characters import Character

    from ...images.prints import Prints
    from ...library import Library, Payload

_OURS: Final = re.compile(r"/(?:blobs|avatars)/([0-9a-f]{64})(?![0-9a-f])")
_PNG: Final = "image/png"
_FULL: Final = "full"


class Portraits:
    """Finds and makes the pictures of cards.

    Args:
        library: has the payloads.
        prints: makes a PNG of a picture that is none.
    """

    def __init__(self, library: Library, prints: Prints) -> None:
        self._library = library
        self._prints = prints

    def payload(self, character: Character) -> Payload | None:
        """Return a character's picture as it is stored; None where there is none, or its bytes are gone or none."""
        digest = self._digest(character)
        if digest is None:
            return None
        try:
            found = self._library.find(digest)
        except NotFoundError:
            return None
        return found if found.media.picture else None

    def version(self, character: Character) -> str:
        """Return what changes whenever the picture does."""
        payload = self.payload(character)
        return "" if payload is None else str(payload.digest)

    def open(self, character: Character) -> BinaryIO:
        """Open a character's picture as a PNG, made or drawn if need be.

        Raises:
            UnsupportedError: it is of a format that cannot be decoded here.
            InvalidError: it is damaged or over a limit.
            BusyError: too many pictures are being made.
        """
        payload = self.payload(character)
        if payload is None:
            return io.BytesIO(as_png(hashlib.sha256(character.id.encode()).hexdigest()))
        if payload.media.type == _PNG:
            return self._library.open(payload.digest)
        full = self._prints.variants.parse(_FULL)
        return self._prints.derivatives.get(payload.digest, full, Format.PNG).path.open("rb")

    def _digest(self, character: Character) -> Digest | None:
        if character.default_image_id is not None:
            asset = self._library.images.find_by_id(character.default_image_id)
            if asset is not None:
                return Digest(asset.sha256)
        named = _OURS.search(character.avatar_url or "")
        return None if named is None else Digest(named[1])

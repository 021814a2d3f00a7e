"""A character's picture as the main icon of a CHARX."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Final

from ...cards.asset import CardAsset
from ...cards.identity import picture_identity, without_card

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from typing_extensions import Buffer

    from ...cards.card import Card
    from ...digest import Digest
    from ...library import Payload

_PNG: Final = "image/png"
_DEFAULT: Final = "ccdefault:"
_ICON, _MAIN, _PREVIOUS = "icon", "main", "previous"


def with_portrait(
    card: Card,
    assets: Sequence[CardAsset],
    inside: Mapping[str, Digest],
    portrait: Payload,
    opened: Callable[[], BinaryIO],
) -> list[CardAsset]:
    """Return a card's assets with the character's picture as the main icon; another that was that stays, renamed.

    Args:
        card: the card; its list of assets is changed where need be.
        assets: what its file is to bring.
        inside: the payloads that it brings, by address.
        portrait: the picture.
        opened: opens the picture.
    """
    entry = _main_of(card)
    uri = str(entry.get("uri", "")) if entry is not None else ""
    if inside.get(uri) == portrait.digest or (uri in inside and _is_shown(assets, uri, opened)):
        return list(assets)

    def opener() -> BinaryIO:
        # What is in the picture of an imported card is that card, and perhaps an older one.
        source = opened()
        return io.BufferedReader(_WithoutCard(source)) if portrait.media.type == _PNG else source

    icon = CardAsset(_ICON, _MAIN, portrait.media.extension, "", opener)
    if entry is None:
        return [*assets, icon]
    if uri.strip().lower().startswith(_DEFAULT):
        entry["ext"] = icon.ext
        icon = replace(icon, name=str(entry.get("name")), uri=uri)
        return [*(one for one in assets if one != replace(icon, ext=one.ext)), icon]
    kept = [replace(one, name=_PREVIOUS) if one.uri == uri and one.type == _ICON else one for one in assets]
    entry["name"] = _PREVIOUS
    return [*kept, icon]


def _is_shown(assets: Sequence[CardAsset], uri: str, opened: Callable[[], BinaryIO]) -> bool:
    """Tell whether an asset is the picture but for the card in it: then a PNG was made of that asset."""
    found = next((opener for one in assets if one.uri == uri and (opener := one.open())), None)
    if found is None:
        return False
    with found as asset, opened() as picture:
        identity = picture_identity(asset)
        return identity is not None and identity == picture_identity(picture)


def _main_of(card: Card) -> dict[str, Any] | None:
    entries = card.data.get("assets")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and [str(entry.get(name)).lower() for name in ("type", "name")] == [_ICON, _MAIN]:
            return entry
    return None


class _WithoutCard(io.RawIOBase):
    """A PNG without the chunks of the card in it; it owns and closes the file."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source
        self._blocks = without_card(source)
        self._left = b""

    def readable(self) -> bool:
        """Return that it is."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill the buffer as far as one block goes."""
        view = memoryview(buffer).cast("B")
        if not self._left:
            self._left = next(self._blocks, b"")
        piece, self._left = self._left[: len(view)], self._left[len(view) :]
        view[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Close the file."""
        self._source.close()
        super().close()

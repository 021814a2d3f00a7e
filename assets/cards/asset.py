"""What a card brings along beside its text: its own pictures, sounds and other files.

Sources: Character Card V3 (`assets`, `embeded://`, `ccdefault:`), RisuAI (`__asset:`, `extensions.risuai`).
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import unquote, unquote_to_bytes

from .limits import refuse_above
from .text import strict_base64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .card import Card
    from .limits import CardLimits

    Opener = Callable[[], BinaryIO]

_EMBEDDED: Final = ("embeded://", "embedded://", "__asset:")
_DATA: Final = "data:"
_RISU_LISTS: Final = (("emotions", "emotion"), ("additionalAssets", "other"))
# `data:` addresses in a card are few; the names of the types are the card's own.
_OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class CardAsset:
    """One of them.

    Attributes:
        type: `icon`, `background`, `user_icon`, `emotion`, or another word.
        name: what the card calls it; `main` is the main one of its type.
        ext: the extension of a file of it, lower case, without a dot; empty where none is known.
        uri: where the card says it is.
        opener: opens its bytes; None where they are not in the file: on the web, or the program's own default.
    """

    type: str
    name: str
    ext: str
    uri: str
    opener: Opener | None = field(default=None, compare=False, repr=False)

    def open(self) -> BinaryIO | None:
        """Open its bytes, which stay readable while the card's file is open; None where they are not in the file.

        Raises:
            DamagedCardError: here or while reading: they are damaged.
            TooLargeError: they are over the limit.
        """
        return self.opener() if self.opener else None

    @property
    def path(self) -> str | None:
        """The path inside the file, None where the address is no such path."""
        return embedded_path(self.uri)


def embedded_path(uri: str) -> str | None:
    """Return the path in `embeded://path`, `embedded://path` or `__asset:path`; None for any other address."""
    bare = uri.strip()
    for prefix in _EMBEDDED:
        if bare.lower().startswith(prefix):
            return bare[len(prefix) :]
    return None


def assets_of(card: Card, embedded: Mapping[str, Opener], limits: CardLimits) -> Iterator[CardAsset]:
    """Go through a card's assets: those it names, then what lies in its file and nobody names.

    Args:
        card: the card.
        embedded: what lies in the file, by path.
        limits: for `data:` addresses.
    """
    named: set[str | None] = set()
    for kind, name, ext, uri in _named(card):
        path = _place(uri, embedded)
        named.add(path)
        yield CardAsset(kind, name, ext or _extension(path or ""), uri, _opener(uri, path, embedded, limits))
    for path, opener in embedded.items():
        if path not in named:
            name = path.rsplit("/", 1)[-1]
            yield CardAsset(_OTHER, name, _extension(path), f"embeded://{path}", opener)


def _named(card: Card) -> Iterator[tuple[str, str, str, str]]:
    """Go through type, name, extension and address of what the card names: V3's list, then RisuAI's lists in V2."""
    for entry in _list(card.data.get("assets")):
        if isinstance(entry, dict) and isinstance(entry.get("uri"), str):
            kind, name, ext = (_word(entry.get(member)) for member in ("type", "name", "ext"))
            yield kind.lower() or _OTHER, name, ext.lower().removeprefix("."), entry["uri"]
    extensions = card.data.get("extensions")
    risu = extensions.get("risuai") if isinstance(extensions, dict) else None
    for member, kind in _RISU_LISTS:
        for entry in _list(risu.get(member) if isinstance(risu, dict) else None):
            name, uri, ext = (*(entry if isinstance(entry, list) else ()), "", "", "")[:3]
            # Older ones hold the bytes themselves, in base64 and without a prefix: they stay where they are.
            if embedded_path(_word(uri)) is not None:
                yield kind, _word(name), _word(ext).lower(), uri


def _place(uri: str, embedded: Mapping[str, Opener]) -> str | None:
    """Return the path under which an address is in the file: as written, else as a stricter program would write it."""
    path = embedded_path(uri)
    if path is None or path in embedded:
        return path
    plain = path.replace("\\", "/").removeprefix("./").lstrip("/")
    return next((other for other in (plain, unquote(plain)) if other in embedded), path)


def _opener(uri: str, path: str | None, embedded: Mapping[str, Opener], limits: CardLimits) -> Opener | None:
    if path is not None:
        return embedded.get(path)
    if uri.lstrip()[: len(_DATA)].lower() == _DATA:
        return lambda: open_data_uri(uri, limits)
    return None


def open_data_uri(uri: str, limits: CardLimits) -> BinaryIO:
    """Open the bytes in a `data:` address (RFC 2397).

    Raises:
        DamagedCardError: it says base64 and is none.
        TooLargeError: it is over the limit.
    """
    head, _, body = uri.strip().partition(",")
    refuse_above(limits.asset_bytes, len(body) * 3 // 4, "An asset in the card")
    if head.lower().rstrip().endswith(";base64"):
        text = unquote_to_bytes(body) if "%" in body else body.encode("utf-8", "replace")
        return io.BytesIO(strict_base64(text.translate(None, b" \t\r\n")))
    return io.BytesIO(unquote_to_bytes(body))


def _extension(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[-1].lower() if "." in name else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""

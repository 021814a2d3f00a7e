"""Writing a card: into a PNG beside its other chunks, as JSON, or as a CHARX with its assets."""

from __future__ import annotations

import base64
import io
import shutil
import struct
import zipfile
import zlib
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final

from metadata.errors import UnsupportedError

from .charx import CARD_NAME, inner_path
from .chunks import ASSET_PREFIX, SIGNATURE, copy_range, is_png, text_chunk, walk
from .errors import DamagedCardError
from .limits import DEFAULT
from .places import asset_place
from .specs import converted
from .streams import size_of
from .text import encode_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .asset import CardAsset
    from .card import Card
    from .limits import CardLimits

_BLOCK: Final = 64 * 1024
_PACKS_WELL: Final = frozenset({"json", "txt", "svg", "bmp", "wav", "lua", "js", "py", "css", "html", "obj"})


def write_png(
    picture: BinaryIO,
    card_v2: Card,
    card_v3: Card,
    out: BinaryIO,
    *,
    assets: Iterable[CardAsset] = (),
    own: bool = True,
    limits: CardLimits = DEFAULT,
) -> None:
    """Write a PNG with exactly one `chara` and one `ccv3`, before IEND; every other chunk stays, byte for byte.

    Args:
        picture: a PNG, with a card or without.
        card_v2: what `chara` says.
        card_v3: what `ccv3` says.
        out: where it goes.
        assets: those with a path (`embeded://path`) that the picture has not are added to it.
        own: assets that the picture brings in chunks of their own are this card's, and stay; else they are left out.
        limits: for the picture's chunks.

    Raises:
        UnsupportedError: the picture is no PNG.
        DamagedCardError: it breaks off before IEND, or an asset is damaged.
        TooLargeError: it has more chunks than any picture.
    """
    if not is_png(picture):
        raise UnsupportedError("A card is written into a PNG; this picture is none. Convert it first.")
    out.write(SIGNATURE)
    there: set[str | None] = set()
    for chunk in walk(picture, limits):
        if not chunk.whole:
            break
        if chunk.name == b"IEND":
            _copy(_asset_chunks(assets, there), out)
            out.write(_card_chunk("chara", card_v2))
            out.write(_card_chunk("ccv3", card_v3))
            _copy(copy_range(picture, chunk.offset, size_of(picture)), out)
            return
        if chunk.card_keyword or (chunk.asset_path is not None and not own):
            continue
        there.add(chunk.asset_path)
        _copy(copy_range(picture, chunk.offset, chunk.end), out)
    raise DamagedCardError(
        "The picture breaks off before its end, so no card can be written into it. Give the character another picture, "
        "or export it as json or charx."
    )


def to_json(card: Card) -> bytes:
    """Return a card as a JSON file that people can read: UTF-8, two spaces of indent, a final line break."""
    return encode_json(card.document, indent=2) + b"\n"


def write_charx(card: Card, assets: Iterable[CardAsset], out: BinaryIO) -> None:
    """Write a CHARX: the card as V3, and its assets beside it.

    An asset with a path (`embeded://path`, `__asset:path`) keeps it; any other whose bytes are there gets one, and the
    card names it by that. Addresses in the web, and `data:` addresses, stay what they are.

    Args:
        card: the card.
        assets: its assets, as they were read or with other openers; what has no bytes is passed over.
        out: where it goes; seekable, or readers that do not seek cannot read it.

    Raises:
        DamagedCardError: an asset is damaged.
    """
    card = converted(card, "v3")
    placed = _placed(card, assets)
    with zipfile.ZipFile(out, "w") as archive:
        _store(archive, CARD_NAME, io.BytesIO(to_json(card)), zipfile.ZIP_DEFLATED)
        for path, asset in placed.items():
            opened = asset.open()
            if opened is not None:
                with opened:
                    packs = asset.ext in _PACKS_WELL or path.rsplit(".", 1)[-1] in _PACKS_WELL
                    _store(archive, path, opened, zipfile.ZIP_DEFLATED if packs else zipfile.ZIP_STORED)


def _placed(card: Card, assets: Iterable[CardAsset]) -> Mapping[str, CardAsset]:
    """Give every asset its path, and let the card name it by that."""
    placed: dict[str, CardAsset] = {}
    data = card.document["data"]
    for asset in assets:
        if asset.opener is None or asset.uri.lower().startswith("data:"):
            continue
        path = inner_path(asset.path or "")
        if path is None or path.lower() == CARD_NAME:
            path = asset_place(asset.type, asset.name, asset.ext, placed.keys())
        entries = data["assets"] if isinstance(data.get("assets"), list) else []
        naming = [entry for entry in entries if isinstance(entry, dict) and _names(entry, asset)]
        for entry in naming:
            entry["uri"] = f"embeded://{path}"
        if not naming and asset.path is None:
            added = {"type": asset.type, "uri": f"embeded://{path}", "name": asset.name, "ext": asset.ext}
            data["assets"] = [*entries, added]
        placed.setdefault(path, asset)
    return placed


def _names(entry: Mapping[str, object], asset: CardAsset) -> bool:
    kind = entry.get("type")
    same = isinstance(kind, str) and kind.lower() == asset.type and entry.get("name") == asset.name
    return entry.get("uri") == asset.uri and (same or asset.path is not None)


def _store(archive: zipfile.ZipFile, path: str, content: BinaryIO, packing: int) -> None:
    info = zipfile.ZipInfo(path)  # at ZIP's first moment: the same card is the same file
    info.compress_type = packing
    with archive.open(info, "w") as file:
        shutil.copyfileobj(content, file, _BLOCK)


def _card_chunk(keyword: str, card: Card) -> bytes:
    return text_chunk(keyword, base64.b64encode(encode_json(card.document)))


def _asset_chunks(assets: Iterable[CardAsset], there: set[str | None]) -> Iterator[bytes]:
    """Go through the chunks of assets that are not there yet, without having one in memory."""
    for asset in assets:
        if asset.opener is None or asset.path in there or inner_path(asset.path or "") is None:
            continue
        there.add(asset.path)
        with asset.opener() as counted:
            size = sum(len(block) for block in iter(partial(counted.read, _BLOCK), b""))
        head = b"tEXt" + f"{ASSET_PREFIX}:{asset.path}".encode() + b"\0"
        yield struct.pack(">I", len(head) - 4 + (size + 2) // 3 * 4) + head
        check = zlib.crc32(head)
        with asset.opener() as content:
            kept = b""
            while block := content.read(_BLOCK):
                kept += block
                whole = len(kept) // 3 * 3
                text, kept = base64.b64encode(kept[:whole]), kept[whole:]
                check = zlib.crc32(text, check)
                yield text
            text = base64.b64encode(kept)
            yield text
            check = zlib.crc32(text, check)
        yield check.to_bytes(4, "big")


def _copy(blocks: Iterator[bytes], out: BinaryIO) -> None:
    out.writelines(blocks)

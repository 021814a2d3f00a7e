"""Comments in WebP and JPEG files, where some programs put the card for want of PNG's texts.

Sources: EXIF 2.32 (UserComment and its character codes), TIFF 6.0 (directories), the WebP container, ITU T.81 (JPEG's
segments); TavernAI and SillyTavern before 1.11 for what is in comments: JSON, base64 of it, or its bytes as numbers.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final

from .limits import refuse_above
from .streams import read_at, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .limits import CardLimits

_JPEG: Final = b"\xff\xd8\xff"
_EXIF: Final = b"Exif\0\0"
_APP1: Final = 0xE1
_COMMENT: Final = 0xFE
_START_OF_SCAN: Final = 0xDA
_END: Final = 0xD9
_ENTRY: Final = 12
_INLINE: Final = 4
_MAX_ENTRIES: Final = 512
_MAX_DIRECTORIES: Final = 8
_MAX_COMMENTS: Final = 32
_EXIF_DIRECTORY: Final = 0x8769
_TAGS: Final = {0x9286: "UserComment", 0x010E: "ImageDescription", 0x9C9C: "XPComment"}
_CODES: Final = (b"ASCII\0\0\0", b"UNICODE\0", b"JIS\0\0\0\0\0", bytes(8))
_NUMBERS: Final = re.compile(rb"\s*\d{1,3}(?:\s*,\s*\d{1,3}){8,}\s*")
# An object of JSON, in base64 too: `{"`, `{ ` and `{` with a line break begin so.
_LIKELY: Final = (b"{", b"eyJ", b"eyA", b"ewo", b"ew0", b"rcc||")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment that looks like a card's text.

    Attributes:
        tag: its name in EXIF, or `COM` for JPEG's own.
        text: JSON, or base64 of it.
    """

    tag: str
    text: bytes


def is_jpeg(head: bytes) -> bool:
    """Say whether a file begins as a JPEG does."""
    return head.startswith(_JPEG)


def is_webp(head: bytes) -> bool:
    """Say whether a file begins as a WebP does."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def comments(source: BinaryIO, limits: CardLimits) -> Iterator[Comment]:
    """Go through the comments of a WebP or JPEG that look like the text of a card.

    Raises:
        TooLargeError: a block is over the limit for texts, or there are too many.
    """
    blocks = _of_jpeg if is_jpeg(read_at(source, 0, 3)) else _of_webp
    for tag, raw in islice(blocks(source, limits), _MAX_COMMENTS):
        text = _plain(raw)
        if text.startswith(_LIKELY):
            yield Comment(tag, text)


def _of_jpeg(source: BinaryIO, limits: CardLimits) -> Iterator[tuple[str, bytes]]:
    """Go through JPEG's segments up to the pixels."""
    offset = 2
    for _ in range(limits.chunks):
        head = read_at(source, offset, 4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in {_START_OF_SCAN, _END}:  # noqa: PLR2004 - a marker and a length
            return
        length = int.from_bytes(head[2:], "big")
        if head[1] == _COMMENT:
            yield "COM", read_at(source, offset + 4, max(0, length - 2))
        elif head[1] == _APP1:
            content = read_at(source, offset + 4, max(0, length - 2))
            if content.startswith(_EXIF):
                yield from _tags(content[len(_EXIF) :])
        offset += 2 + length


def _of_webp(source: BinaryIO, limits: CardLimits) -> Iterator[tuple[str, bytes]]:
    """Go through the chunks of a RIFF file."""
    offset, size = 12, size_of(source)
    for _ in range(limits.chunks):
        head = read_at(source, offset, 8)
        if len(head) < 8 or offset >= size:  # noqa: PLR2004 - a name and a length
            return
        name, length = struct.unpack("<4sI", head)
        if name == b"EXIF":
            refuse_above(limits.text_bytes, length, "The EXIF block")
            yield from _tags(read_at(source, offset + 8, length).removeprefix(_EXIF))
        offset += 8 + length + length % 2


def _tags(block: bytes) -> Iterator[tuple[str, bytes]]:
    """Go through the wanted tags of an EXIF block; one that contradicts itself has those that come before."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:  # noqa: PLR2004 - TIFF's head
        return
    waiting, seen = [struct.unpack_from(f"{order}L", block, 4)[0]], set[int]()
    while waiting and len(seen) < _MAX_DIRECTORIES:
        start = waiting.pop()
        if start in seen or start + 2 > len(block):
            continue
        seen.add(start)
        (count,) = struct.unpack_from(f"{order}H", block, start)
        for at in range(start + 2, start + 2 + min(count, _MAX_ENTRIES) * _ENTRY, _ENTRY):
            if at + _ENTRY > len(block):
                return
            tag, _, size, place = struct.unpack_from(f"{order}HHLL", block, at)
            if tag == _EXIF_DIRECTORY:
                waiting.append(place)
            elif tag in _TAGS:
                yield _TAGS[tag], block[at + 8 : at + 8 + size] if size <= _INLINE else block[place : place + size]


def _plain(raw: bytes) -> bytes:
    """Return a comment's text as bytes of UTF-8, without the code of its characters."""
    for code in _CODES:
        if raw.startswith(code):
            raw = raw[len(code) :]
            break
    text = raw.strip(b" \t\r\n")
    if b"\0" in text[:2]:
        # Half of all programs write UTF-16 the other way round than the block's order says.
        text = text[: len(text) // 2 * 2].decode("utf-16-be" if text[0] == 0 else "utf-16-le", "replace").encode()
    text = text.strip(b" \t\r\n\0").removeprefix(b"\xef\xbb\xbf")
    if _NUMBERS.fullmatch(text):
        text = bytes(number for part in text.split(b",") if (number := int(part)) < 256)  # noqa: PLR2004 - bytes
    return text

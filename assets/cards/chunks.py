"""PNG's chunks, walked without decoding a pixel, and the texts of a card among them.

Sources: W3C PNG, third edition (chunk layout, tEXt, zTXt, iTXt); Character Card V3 (`ccv3`, `chara-ext-asset_:path`);
RisuAI's older `chara-ext-asset_path`.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from .errors import DamagedCardError
from .limits import DEFAULT, refuse_above
from .streams import read_at, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .limits import CardLimits

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
CARD_KEYWORDS: Final = ("ccv3", "chara")
"""The keywords of a card's texts, the one that wins first."""

ASSET_PREFIX: Final = "chara-ext-asset_"
_TEXT_KINDS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_HEAD: Final = struct.Struct(">I4s")
_FRAME: Final = 12  # length and name before the content, the check value after it
# 79 bytes by the specification; the paths of assets are longer.
_KEYWORD_BYTES: Final = 1024
_BLOCK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where a chunk stands.

    Attributes:
        name: its four letters.
        offset: where its length stands, from the start of the file.
        length: the bytes of its content, as it says.
        whole: whether the file goes on to its end.
        keyword: of a text chunk, as it is written; empty for the others.
        keyword_bytes: how many it takes in the file.
    """

    name: bytes
    offset: int
    length: int
    whole: bool
    keyword: str = ""
    keyword_bytes: int = 0

    @property
    def start(self) -> int:
        """Where its content begins."""
        return self.offset + _HEAD.size

    @property
    def end(self) -> int:
        """Where the next chunk begins."""
        return self.offset + _FRAME + self.length

    @property
    def card_keyword(self) -> str:
        """Which text of a card it is: `ccv3`, `chara`, or empty."""
        keyword = self.keyword.strip().lower()
        return keyword if keyword in CARD_KEYWORDS else ""

    @property
    def asset_path(self) -> str | None:
        """The path of the asset that it holds, None if it holds none."""
        if not self.keyword.lower().startswith(ASSET_PREFIX):
            return None
        return self.keyword[len(ASSET_PREFIX) :].removeprefix(":")

    @property
    def is_cards(self) -> bool:
        """Whether it belongs to the card, not to the picture."""
        return bool(self.card_keyword) or self.asset_path is not None


def is_png(source: BinaryIO) -> bool:
    """Say whether a file begins as a PNG does."""
    return read_at(source, 0, len(SIGNATURE)) == SIGNATURE


def walk(source: BinaryIO, limits: CardLimits = DEFAULT) -> Iterator[Chunk]:
    """Go through the chunks up to IEND, or to where the file breaks off.

    Raises:
        TooLargeError: there are more than any picture has.
    """
    size, offset, count = size_of(source), len(SIGNATURE), 0
    while offset + _HEAD.size <= size:
        count += 1
        refuse_above(limits.chunks, count, "The PNG", "chunks")
        length, name = _HEAD.unpack(read_at(source, offset, _HEAD.size))
        whole = offset + _FRAME + length <= size
        chunk = Chunk(name, offset, length, whole, *_keyword(source, name, offset, length))
        yield chunk
        if name == b"IEND":
            return
        offset = chunk.end


def is_sound(source: BinaryIO, chunk: Chunk) -> bool:
    """Say whether a chunk is whole and its check value right."""
    if not chunk.whole:
        return False
    check, at, end = 0, chunk.offset + 4, chunk.end - 4
    while at < end:
        block = read_at(source, at, min(_BLOCK, end - at))
        check = zlib.crc32(block, check)
        at += len(block)
    return check == int.from_bytes(read_at(source, end, 4), "big")


def read_text(source: BinaryIO, chunk: Chunk, limits: CardLimits = DEFAULT) -> bytes:
    """Return the text of a text chunk, inflated.

    Raises:
        DamagedCardError: the file breaks off in it, or it does not inflate.
        TooLargeError: it is over the limit, or would be once inflated.
    """
    if not chunk.whole:
        raise DamagedCardError("The file breaks off inside the card. Download it again.")
    refuse_above(limits.text_bytes, chunk.length, f"The card's text in {chunk.name.decode()}")
    content = read_at(source, chunk.start, chunk.length)
    _, _, rest = content.partition(b"\0")
    if chunk.name == b"tEXt":
        return rest
    if chunk.name == b"zTXt":
        return _inflated(rest[1:], limits)
    packed = rest[:1] == b"\1"
    text = rest[2:].split(b"\0", 2)[-1]  # after the language and the translated keyword
    return _inflated(text, limits) if packed else text


def text_chunk(keyword: str, text: bytes) -> bytes:
    """Return a tEXt chunk, with its length and check value."""
    content = b"tEXt" + keyword.encode("latin-1") + b"\0" + text
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


def copy_range(source: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """Go through the bytes of a range in blocks."""
    while start < end and (block := read_at(source, start, min(_BLOCK, end - start))):
        yield block
        start += len(block)


def _keyword(source: BinaryIO, name: bytes, offset: int, length: int) -> tuple[str, int]:
    if name not in _TEXT_KINDS:
        return "", 0
    head = read_at(source, offset + _HEAD.size, min(length, _KEYWORD_BYTES))
    keyword, found, _ = head.partition(b"\0")
    if not found:
        return "", 0
    try:
        return keyword.decode("utf-8"), len(keyword)
    except UnicodeDecodeError:
        return keyword.decode("latin-1"), len(keyword)


def _inflated(data: bytes, limits: CardLimits) -> bytes:
    inflating = zlib.decompressobj()
    try:
        text = inflating.decompress(data, limits.text_bytes + 1)
    except zlib.error as error:
        raise DamagedCardError(f"The card's text does not inflate: {error}. Download it again.") from error
    refuse_above(limits.text_bytes, len(text), "The card's text once inflated")
    if not inflating.eof:
        raise DamagedCardError("The card's text breaks off while it inflates. Download it again.")
    return text

"""The size of a HEIF or AVIF picture (ISO/IEC 23008-12): the primary item's extent, turned by its `irot`.

Inside `meta`, `pitm` says which item is primary, `ipma` (in `iprp`) which properties it has, and `ipco` (in `iprp`)
holds them. MIAF (ISO/IEC 23000-22) makes `irot` the one that counts; the orientation in an EXIF item is ignored, as
decoders do. A cropping property (`clap`) is not applied: libavif, and so Pillow, does not apply it either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .boxes import Box, boxes, find_box
from .source import DamagedError, Size, Traits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .source import Source

_MAX_ITEMS: Final = 4096
_WIDE_INDEX: Final = 1
_QUARTER_TURN: Final = 1


def measure_heif(source: Source) -> Size:
    """Return the primary picture's size.

    Raises:
        DamagedError: no primary picture with an extent; a file that is only a sequence has none.
    """
    meta = find_box(source, None, b"meta")
    meta = Box(meta.name, meta.start + 4, meta.end)
    properties = find_box(source, meta, b"iprp")
    kept = list(boxes(source, *_span(find_box(source, properties, b"ipco"))))
    primary = _primary(source, find_box(source, meta, b"pitm"))
    size, turns = None, 0
    for index in _associations(source, find_box(source, properties, b"ipma"), primary):
        if not 1 <= index <= len(kept):
            continue
        box = kept[index - 1]
        if box.name == b"ispe":
            width, height = source.unpack(">II", box.start + 4)
            size = Size(width, height)
        elif box.name == b"irot":
            turns = source.read(box.start, 1)[0] & 3
    if size is None:
        raise DamagedError
    return Size(size.height, size.width) if turns & _QUARTER_TURN else size


def look_heif(source: Source) -> Traits:
    """Return the traits: the depth that the first pixel information tells, alpha where any picture is one's alpha.

    Raises:
        DamagedError: no properties of pictures.
    """
    meta = find_box(source, None, b"meta")
    properties = find_box(source, Box(meta.name, meta.start + 4, meta.end), b"iprp")
    bits, channels, alpha = None, 3, False
    for box in boxes(source, *_span(find_box(source, properties, b"ipco"))):
        if box.name == b"pixi" and bits is None:
            channels, bits = source.unpack(">BB", box.start + 4)
        elif box.name == b"auxC":
            alpha = alpha or b"alpha" in source.read_up_to(box.start, min(box.end - box.start, 256))
    return Traits("grey" if channels == 1 else "rgb", bits, alpha, _frames(source))


def _frames(source: Source) -> int | None:
    """Return how many samples the first track has; 1 for a file without tracks, None for one that cannot be read."""
    try:
        box = find_box(source, None, b"moov")
    except DamagedError:
        return 1
    try:
        for name in (b"trak", b"mdia", b"minf", b"stbl", b"stsz"):
            box = find_box(source, box, name)
        return max(1, int(source.unpack(">I", box.start + 8)[0]))
    except DamagedError:
        return None


def _span(box: Box) -> tuple[int, int]:
    return box.start, box.end


def _primary(source: Source, box: Box) -> int:
    version = source.read(box.start, 1)[0]
    (item,) = source.unpack(">H" if version == 0 else ">I", box.start + 4)
    return int(item)


def _associations(source: Source, box: Box, wanted: int) -> Iterator[int]:
    """Yield the one-based indexes of an item's properties."""
    version, flags, count = source.unpack(">B3sI", box.start)
    item_bytes = 4 if version else 2
    wide = bool(flags[2] & _WIDE_INDEX)
    table = source.read(box.start, min(box.end - box.start, 64 * 1024))
    offset = 8
    for _ in range(min(count, _MAX_ITEMS)):
        if offset + item_bytes + 1 > len(table):
            return
        item = int.from_bytes(table[offset : offset + item_bytes], "big")
        amount = table[offset + item_bytes]
        offset += item_bytes + 1
        step = 2 if wide else 1
        cells = table[offset : offset + amount * step]
        offset += amount * step
        if item == wanted:
            mask = 0x7FFF if wide else 0x7F
            yield from (int.from_bytes(cells[at : at + step], "big") & mask for at in range(0, len(cells), step))
            return

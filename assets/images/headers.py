"""How large a picture is, from its header alone: no pixel is decoded, and no library that decodes is called.

Pillow's "lazy" open is not used either. For several formats (AVIF, WebP, ICO) it hands the file to a C decoder at
once, and this runs in the server's own process on bytes from strangers. The readers here are small, bounded
(`Source`) and pure Python, so the worst a hostile file gets is None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .bitmap import measure_bmp, measure_ico
from .gif import measure_gif
from .heif import measure_heif
from .ifd import measure_tiff
from .jpeg import measure_jpeg
from .jpeg2000 import measure_codestream, measure_jp2
from .png import SIGNATURE, measure_png
from .source import DamagedError, ReadAt, Size, Source
from .webp import measure_webp

__all__ = ["ReadAt", "Size", "measure"]

_Reader = Callable[[Source], Size]

_MAGIC: Final[tuple[tuple[int, bytes, _Reader], ...]] = (
    (0, SIGNATURE, measure_png),
    (0, b"\xff\xd8\xff", measure_jpeg),
    (0, b"GIF87a", measure_gif),
    (0, b"GIF89a", measure_gif),
    (8, b"WEBP", measure_webp),
    (0, b"BM", measure_bmp),
    (0, b"II*\0", measure_tiff),
    (0, b"MM\0*", measure_tiff),
    (0, b"II+\0", measure_tiff),
    (0, b"MM\0+", measure_tiff),
    (0, b"\0\0\1\0", measure_ico),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", measure_jp2),
    (0, b"\xff\x4f\xff\x51", measure_codestream),
    (4, b"ftyp", measure_heif),
)
_LARGEST: Final = 2**31 - 1


def measure(head: bytes, read_at: ReadAt | None = None) -> Size | None:
    """Return a picture's size in pixels with its orientation applied, or None where the header does not tell.

    Args:
        head: the file's first bytes; 64 KiB is plenty for nearly all.
        read_at: reads from anywhere in the file, for headers that lie behind `head` (a JPEG with a megabyte of
            profiles before its frame header; EXIF behind the picture data of a WebP or PNG). Without it such a picture
            may have no size, or not be turned. Its own errors pass through; damaged bytes never raise.
    """
    source = Source(head, read_at)
    for offset, magic, reader in _MAGIC:
        if head.startswith(magic, offset):
            try:
                size = reader(source)
            except DamagedError:
                return None
            return size if 1 <= size.width <= _LARGEST and 1 <= size.height <= _LARGEST else None
    return None

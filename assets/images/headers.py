"""What a picture is, from its header alone: no pixel is decoded, and no library that decodes is called.

Pillow's "lazy" open is not used either. For several formats (AVIF, WebP, ICO) it hands the file to a C decoder at
once, and this runs in the server's own process on bytes from strangers. The readers here are small, bounded
(`Source`) and pure Python, so the worst a hostile file gets is None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .bitmap import look_bmp, look_ico, measure_bmp, measure_ico
from .gif import look_gif, measure_gif
from .heif import look_heif, measure_heif
from .ifd import look_tiff, measure_tiff
from .jpeg import look_jpeg, measure_jpeg
from .jpeg2000 import look_codestream, look_jp2, measure_codestream, measure_jp2
from .png import SIGNATURE, look_png, measure_png
from .source import DamagedError, ReadAt, Size, Source, Traits
from .webp import look_webp, measure_webp

__all__ = ["Probe", "ReadAt", "Size", "measure", "probe"]

_Measure = Callable[[Source], Size]
_Look = Callable[[Source], Traits]

_MAGIC: Final[tuple[tuple[int, bytes, _Measure, _Look], ...]] = (
    (0, SIGNATURE, measure_png, look_png),
    (0, b"\xff\xd8\xff", measure_jpeg, look_jpeg),
    (0, b"GIF87a", measure_gif, look_gif),
    (0, b"GIF89a", measure_gif, look_gif),
    (8, b"WEBP", measure_webp, look_webp),
    (0, b"BM", measure_bmp, look_bmp),
    (0, b"II*\0", measure_tiff, look_tiff),
    (0, b"MM\0*", measure_tiff, look_tiff),
    (0, b"II+\0", measure_tiff, look_tiff),
    (0, b"MM\0+", measure_tiff, look_tiff),
    (0, b"\0\0\1\0", measure_ico, look_ico),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", measure_jp2, look_jp2),
    (0, b"\xff\x4f\xff\x51", measure_codestream, look_codestream),
    (4, b"ftyp", measure_heif, look_heif),
)
_LARGEST: Final = 2**31 - 1


_WALK_BYTES: Final = 128 * 1024 * 1024
"""How much of a file may be read to count its frames."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a header tells.

    Attributes:
        size: as the picture is meant to be seen.
        traits: the rest.
    """

    size: Size
    traits: Traits

    @property
    def facts(self) -> dict[str, object]:
        """What is told, as `binaries/facts.jsonl` holds it."""
        traits = self.traits
        told = {
            "width": self.size.width,
            "height": self.size.height,
            "frames": traits.frames,
            "alpha": traits.alpha,
            "colorMode": traits.mode,
            "bitDepth": traits.bits,
        }
        return {name: value for name, value in told.items() if value is not None}


def measure(head: bytes, read_at: ReadAt | None = None) -> Size | None:
    """Return a picture's size in pixels with its orientation applied, or None where the header does not tell.

    Args:
        head: the file's first bytes; 64 KiB is plenty for nearly all.
        read_at: reads from anywhere in the file, for headers that lie behind `head` (a JPEG with a megabyte of
            profiles before its frame header; EXIF behind the picture data of a WebP or PNG). Without it such a picture
            may have no size, or not be turned. Its own errors pass through; damaged bytes never raise.
    """
    for offset, magic, reader, _ in _MAGIC:
        if head.startswith(magic, offset):
            try:
                size = reader(Source(head, read_at))
            except DamagedError:
                return None
            return size if 1 <= size.width <= _LARGEST and 1 <= size.height <= _LARGEST else None
    return None


def probe(head: bytes, read_at: ReadAt | None = None) -> Probe | None:
    """Return all that a picture's header tells, or None where it tells no size; the arguments are those of `measure`.

    A GIF is read through to count its frames, whatever its size: that takes about a second for 500 MB.
    """
    size = measure(head, read_at)
    if size is None:
        return None
    look = next(look for offset, magic, _, look in _MAGIC if head.startswith(magic, offset))
    try:
        return Probe(size, look(Source(head, read_at, _WALK_BYTES)))
    except DamagedError:
        return Probe(size, Traits(frames=None))

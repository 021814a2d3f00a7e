"""Opening a picture with Pillow, in a decoding process: only the format its bytes announce, limits checked first."""

from __future__ import annotations

import warnings
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from metadata.errors import CalotypeError

from .ifd import exif_orientation
from .limits import damaged, too_many_pixels, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .limits import Limits

_PLUGINS: Final = (
    *(AvifImagePlugin, BmpImagePlugin, GifImagePlugin, IcoImagePlugin, Jpeg2KImagePlugin, JpegImagePlugin),
    *(MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin),
)
"""Importing one registers its format; no other format is ever tried."""

_FORMATS: Final = {
    "image/png": ("PNG",),
    "image/jpeg": ("JPEG", "MPO"),
    "image/gif": ("GIF",),
    "image/webp": ("WEBP",),
    "image/avif": ("AVIF",),
    "image/heic": ("HEIF",),
    "image/heif": ("HEIF",),
    "image/bmp": ("BMP", "DIB"),
    "image/tiff": ("TIFF",),
    "image/vnd.microsoft.icon": ("ICO",),
    "image/jp2": ("JPEG2000",),
    "image/j2c": ("JPEG2000",),
}
_MOVING: Final = frozenset({"GIF", "PNG", "WEBP", "AVIF"})
"""A TIFF's or an MPO's further pictures are pages, not frames."""

_UPRIGHT: Final = 1
_TURNED: Final = frozenset({5, 6, 7, 8})
_MAX_PROFILE: Final = 4 * 1024 * 1024
_MAX_TEXT: Final = 32 * 1024 * 1024
"""A character card's book may be megabytes of text in its picture; Pillow's own limit is one."""


@contextmanager
def decoding(limits: Limits, *, opens: bool = False) -> Iterator[None]:
    """Say whatever a decoder raises about a picture as one of our errors.

    Args:
        limits: what the picture may ask for.
        opens: the picture is only opened, and whoever does that compares its size with the limits.

    Raises:
        InvalidError: damaged, or over a limit.
        MemoryError: as it comes; the process has more to say about it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if not opens:  # a picture inside an icon, say, larger than the icon says
                warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (CalotypeError, MemoryError, TimeoutError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_many_pixels(limits.pixels) from error
    except Exception as error:  # the edge to code that raises anything at all on damaged bytes
        raise damaged() from error


@contextmanager
def opened(source: BinaryIO, media_type: str, limits: Limits) -> Iterator[Image.Image]:
    """Open a picture; its size and number of frames are within the limits, its pixels not decoded yet.

    Args:
        source: the bytes, from the start.
        media_type: what the bytes were sniffed as.
        limits: what it may ask for.

    Raises:
        UnsupportedError: no picture format that this installation decodes.
        InvalidError: damaged, or over a limit.
    """
    formats = _FORMATS.get(media_type)
    if formats is None or not _available(formats[0]):
        raise unsupported(media_type, "" if formats is None else " Install calotype[heic] to have it.")
    Image.MAX_IMAGE_PIXELS = limits.pixels
    PngImagePlugin.MAX_TEXT_CHUNK = _MAX_TEXT
    PngImagePlugin.MAX_TEXT_MEMORY = 4 * _MAX_TEXT
    with decoding(limits, opens=True):
        image = Image.open(source, formats=formats)
    with image:
        limits.check(*image.size)
        with decoding(limits):
            frames = frames_of(image)
        limits.check(*image.size, frames)
        yield image


def frames_of(image: Image.Image) -> int:
    """Return the number of frames of an animation; 1 for a still picture, whatever pages it has.

    An APNG's picture for those who see no animation is none of them, see `first_frame_of`.
    """
    return int(getattr(image, "n_frames", 1)) - first_frame_of(image) if image.format in _MOVING else 1


def first_frame_of(image: Image.Image) -> int:
    """Return where an animation begins: 1 where another picture stands before it, else 0."""
    return 1 if getattr(image, "default_image", False) else 0


def orientation_of(image: Image.Image) -> int:
    """Return how the pixels lie, as EXIF tells it (1 to 8), and nothing else: browsers do not ask XMP either.

    A TIFF's are turned by Pillow while it loads them. A PNG's EXIF may stand behind its pixels.
    """
    if image.format == "TIFF":
        return _UPRIGHT
    if image.format == "PNG" and "exif" not in image.info:
        with suppress(Exception):  # whoever wants the pixels is told
            image.load()
    block = image.info.get("exif")
    return exif_orientation(block) if isinstance(block, bytes) else _UPRIGHT


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height as the picture is meant to be seen."""
    width, height = image.size
    return (height, width) if orientation_of(image) in _TURNED else (width, height)


def profile_of(image: Image.Image) -> bytes | None:
    """Return the ICC profile a picture carries; one of an absurd size is none."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and 0 < len(profile) <= _MAX_PROFILE else None


def _available(name: str) -> bool:
    if name != "HEIF":
        return True
    try:
        import pillow_heif  # noqa: PLC0415 - an extra, and slow to load
    except ImportError:
        return False
    pillow_heif.register_heif_opener(thumbnails=False)
    return True

"""Every file of the corpus: our size is Pillow's after `exif_transpose`, or the difference is listed and explained."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

import pytest
from PIL import Image, ImageOps

from assets.images.headers import Size, measure
from assets.media import HEAD_BYTES, sniff

if TYPE_CHECKING:
    from pathlib import Path

# Formats Pillow opens that browsers do not show and Calotype keeps as plain files.
UNMEASURED: Final = {"BLP", "DDS", "FLI", "ICNS", "PCX", "PSD", "QOI", "SGI", "TGA"}
# The header is sound and tells; what Pillow refuses is the rest of the file.
ONLY_OURS: Final = {
    "bmp__b__reallybig.bmp": "6,000 gigapixels are told by the header; Pillow refuses them as a bomb",
    "bmp__g__rgb32bf.bmp": "colour masks that Pillow has no mode for",
    "bmp__q__pal2.bmp": "two bits a pixel",
    "bmp__q__rgb24png.bmp": "a PNG inside",
    "bmp__q__rgba16-4444.bmp": "colour masks that Pillow has no mode for",
    "decompression_bomb.ico": "the directory says 16 x 16, the PNG inside is a bomb",
    "hopper_unknown_pixel_mode.tif": "a pixel mode Pillow does not know",
    "invalid_header_length.jp2": "a later box of the header is damaged",
}


def _ours(path: Path) -> Size | None:
    with path.open("rb") as file:

        def read_at(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        return measure(file.read(HEAD_BYTES), read_at)


def _pillows(path: Path) -> tuple[str | None, Size | None]:
    """Return Pillow's name of the format and the size as seen; where the pixels are damaged, as far as it opens."""
    try:
        with Image.open(path) as image:
            kind, opened = image.format, Size(*image.size)
            try:
                turned: Image.Image = ImageOps.exif_transpose(image)
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
                return kind, opened
            return kind, Size(*turned.size)
    except (OSError, SyntaxError, ValueError, TypeError, NotImplementedError, Image.DecompressionBombError):
        return None, None


@pytest.mark.filterwarnings("ignore")
def test_sizes_are_pillows(corpus: Path) -> None:
    files = [path for path in sorted(corpus.rglob("*")) if path.is_file()]
    assert len(files) > 350
    compared, wrong = 0, []
    for path in files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind, theirs = _pillows(path)
        ours = _ours(path)
        if ours is not None and theirs is None and path.name in ONLY_OURS:
            continue
        if ours is None and kind in UNMEASURED:
            continue
        if theirs is not None and min(theirs.width, theirs.height) < 1:
            theirs = None
        compared += theirs is not None
        if ours != theirs:
            wrong.append((path.name, kind, ours, theirs))
    assert wrong == []
    assert compared > 280


def test_every_measured_file_is_called_a_picture_and_the_sound_ones_are_inline(corpus: Path) -> None:
    for path in sorted(corpus.rglob("*")):
        if path.is_file() and _ours(path) is not None:
            media = sniff(path.read_bytes()[:HEAD_BYTES], filename=path.name)
            assert media.picture, path.name
            assert media.inline, path.name

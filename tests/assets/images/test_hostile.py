"""Pictures made to do harm: each is refused or shown, in time, and the next picture is made as if nothing had been."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from assets.images.limits import Limits
from assets.images.variants import PRESETS, Format
from metadata.errors import InvalidError, UnsupportedError

if TYPE_CHECKING:
    from types import ModuleType

    from assets.digest import Digest
    from assets.images.prints import Prints

Keep = Callable[[bytes], "Digest"]
Opener = Callable[..., "Prints"]
THUMB = PRESETS["thumb"]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def seeing(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    return load_beside(Path(__file__).with_name("seeing.py"))


def header(seeing: ModuleType, width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    chunk: bytes = seeing.chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return PNG + chunk


def bomb(seeing: ModuleType) -> bytes:
    """Return 30,000 x 30,000 pixels of one bit in 110 KB."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(3751)) for _ in range(30_000)) + packer.flush()
    chunks: bytes = seeing.chunk(b"IDAT", rows) + seeing.chunk(b"IEND", b"")
    return header(seeing, 30_000, 30_000, 1, 0) + chunks


def with_chunk(seeing: ModuleType, name: bytes, body: bytes) -> bytes:
    pixels: bytes = (
        seeing.chunk(name, body) + seeing.chunk(b"IDAT", zlib.compress(bytes(25 * 8))) + seeing.chunk(b"IEND", b"")
    )
    return header(seeing, 8, 8) + pixels


def gif(width: int, height: int, frames: int) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 2, 2, 0) + b"\x02\x02\x84\x51\x00"
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + frame * frames + b";"


def tiff(directories: int, *, loop: bool = False) -> bytes:
    """Return a chain of directories that each name the next one, or the first."""
    made = b"II*\0\x08\0\0\0"
    for number in range(directories):
        after = 8 if loop else 8 + 30 * (number + 1)
        made += struct.pack("<HHHLLHHLLL", 2, 256, 3, 1, 10, 257, 3, 1, 10, after)
    return made


def icon(seeing: ModuleType) -> bytes:
    inside = bomb(seeing)
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(inside), 22) + inside


def webp(seeing: ModuleType, width: int, height: int, frames: int) -> bytes:
    still: bytes = seeing.encoded(Image.new("RGBA", (8, 8)), "WEBP", lossless=True)[12:]
    place = bytes(6) + (7).to_bytes(3, "little") * 2 + (10).to_bytes(3, "little") + b"\0"
    frame = b"ANMF" + struct.pack("<I", len(place) + len(still)) + place + still
    canvas = bytes([2, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<I", 10) + canvas + b"ANIM" + struct.pack("<IIH", 6, 0, 0) + frame * frames
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def swollen(seeing: ModuleType, kind: str) -> bytes:
    """Return a small picture whose header says that it is large."""
    data: bytes = seeing.encoded(Image.new("L", (100, 100)), kind)
    layout = ">II" if kind == "JPEG2000" else ">HH"
    return data.replace(struct.pack(layout, 100, 100), struct.pack(layout, 65_500, 65_500))


OVER: dict[str, tuple[Callable[[ModuleType], bytes], str]] = {
    "png of 900 megapixels": (bomb, "CALOTYPE_MAX_PIXELS"),
    "gif of 100,000 frames": (lambda _: gif(2, 2, 100_000), "CALOTYPE_MAX_FRAMES"),
    "webp of 20,000 frames": (lambda seeing: webp(seeing, 64, 64, 20_000), "CALOTYPE_MAX_FRAMES"),
    "webp of 268 megapixels": (lambda seeing: webp(seeing, 16_384, 16_384, 2), "CALOTYPE_MAX_PIXELS"),
    "icon with a png of 900 megapixels": (icon, "CALOTYPE_MAX_PIXELS"),
    "jpeg that says 4 gigapixels": (lambda seeing: swollen(seeing, "JPEG"), "CALOTYPE_MAX_PIXELS"),
    "jpeg 2000 that says 4 gigapixels": (lambda seeing: swollen(seeing, "JPEG2000"), "CALOTYPE_MAX_PIXELS"),
    "chain of 20,000 directories": (lambda _: tiff(20_000), "damaged"),
    "circle of directories": (lambda _: tiff(1, loop=True), "damaged"),
    "profile of 50 MB": (lambda s: with_chunk(s, b"iCCP", b"x\0\0" + zlib.compress(bytes(50_000_000))), "damaged"),
    "text of 50 MB": (lambda s: with_chunk(s, b"zTXt", b"x\0\0" + zlib.compress(bytes(50_000_000))), "damaged"),
}


@pytest.mark.parametrize("name", OVER)
def test_what_is_over_a_limit_is_refused_and_the_next_picture_is_made(
    prints: Prints, keep: Keep, seeing: ModuleType, name: str
) -> None:
    make, reason = OVER[name]
    with pytest.raises(InvalidError, match=reason) as caught:
        prints.derivatives.get(keep(make(seeing)), THUMB, Format.WEBP)
    assert caught.value.details.get("setting", reason) == reason
    assert prints.derivatives.get(keep(seeing.encoded(seeing.scene(), "PNG")), THUMB, Format.WEBP).size > 0


@pytest.mark.parametrize("form", [Format.WEBP, Format.AVIF])
def test_an_animation_of_a_large_canvas_is_shown_by_its_first_frame(prints: Prints, keep: Keep, form: Format) -> None:
    made = prints.derivatives.get(keep(gif(5000, 5000, 400)), THUMB, form)
    with Image.open(made.path) as image:
        assert getattr(image, "n_frames", 1) == 1


def test_one_that_hangs_is_given_up_and_others_are_served_meanwhile(
    open_prints: Opener, keep: Keep, seeing: ModuleType
) -> None:
    """A progressive JPEG of very many scans, each of which is decoded over the whole picture."""
    prints = open_prints(Limits(seconds=2))
    plain: bytes = seeing.encoded(seeing.scene(300, 300), "JPEG", progressive=True)
    scan = plain[plain.index(b"\xff\xda", plain.index(b"\xff\xda") + 2) : -2]
    large = plain[:-2].replace(struct.pack(">HH", 300, 300), struct.pack(">HH", 8900, 8900), 1)
    hanging = keep(large + scan * 1000 + b"\xff\xd9")
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(prints.derivatives.get, hanging, THUMB, Format.WEBP)
        for width in range(100, 130):
            digest = keep(seeing.encoded(seeing.scene(width, 80), "PNG"))
            assert prints.derivatives.get(digest, THUMB, Format.WEBP).size > 0
        with pytest.raises(InvalidError, match="CALOTYPE_DECODE_TIMEOUT_S"):
            task.result()


@pytest.mark.parametrize(
    "text", ["<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", "<?xml version='1.0'?>"]
)
def test_drawings_are_never_made_into_pixels(prints: Prints, keep: Keep, text: str) -> None:
    with pytest.raises(UnsupportedError):
        prints.derivatives.get(keep(text.encode()), THUMB, Format.WEBP)
    assert prints.derivatives.workers.started == 0

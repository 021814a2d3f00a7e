"""How different two pictures look, and pictures of every kind that show the same scene."""

from __future__ import annotations

import io
import math
import struct
import zlib
from typing import TYPE_CHECKING

from PIL import Image, ImageCms

if TYPE_CHECKING:
    from collections.abc import Sequence


def scene(width: int = 640, height: int = 480) -> Image.Image:
    """Return a picture with slopes in all directions and no symmetry: every turn and every swap is seen."""
    slope = Image.linear_gradient("L")
    across = slope.transpose(Image.Transpose.ROTATE_90).resize((width, height))
    down = slope.resize((width, height))
    round_ = Image.radial_gradient("L").resize((width, height))
    made = Image.merge("RGB", (across, down, round_.point(lambda value: 255 - value)))
    made.paste((250, 240, 20), (width // 10, height // 8, width // 3, height // 4))
    made.paste((20, 30, 120), (width // 2, height // 2, width * 3 // 5, height * 9 // 10))
    return made


def shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the reference: the whole picture resampled in one good step."""
    return image.resize(size, Image.Resampling.LANCZOS)


def difference(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """Return mean and 99th percentile of the CIE 1976 colour difference; 2.3 is about what an eye just notices."""
    assert one.size == other.size
    distances = sorted(math.dist(left, right) for left, right in zip(_lab(one), _lab(other), strict=True))
    return sum(distances) / len(distances), distances[int(len(distances) * 0.99)]


def _lab(image: Image.Image) -> Sequence[tuple[float, ...]]:
    target = ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(image.convert("RGB"), ImageCms.createProfile("sRGB"), target, outputMode="LAB")
    assert lab is not None
    data = lab.tobytes()
    # `a` and `b` are signed bytes, `L` is 0 to 255 for 0 to 100.
    return [
        (data[at] / 2.55, *((value - 256 if value > 127 else value) for value in data[at + 1 : at + 3]))
        for at in range(0, len(data), 3)
    ]


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *chunks: bytes) -> bytes:
    """Return a PNG that Pillow does not write: any depth and colour type, further chunks before the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    step = len(rows) // height if height else 0
    lines = b"".join(b"\0" + rows[at : at + step] for at in range(0, len(rows), step)) if step else b""
    body = chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + body


def deep(image: Image.Image) -> bytes:
    """Return the samples with 16 bits each, high byte first, the low bytes not all the same."""
    return b"".join(bytes((value, value ^ 0x55)) for value in image.tobytes())


def red_and_blue_swapped() -> bytes:
    """Return the profile of a device whose red is sRGB's blue."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")

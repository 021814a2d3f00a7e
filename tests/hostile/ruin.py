"""Pictures that are ruined or made to do harm, the same way every time from a number."""

from __future__ import annotations

import random
import struct
import zlib


def damaged(data: bytes, number: int) -> bytes:
    """Return a copy that is cut short, or has some of its bits turned over behind the first bytes."""
    chance = random.Random(number)  # noqa: S311 - the same every time is the point
    if number % 3 == 0:
        return data[: chance.randrange(32, len(data))]
    copy = bytearray(data)
    for _ in range(1 + number % 7):
        copy[chance.randrange(24, len(copy))] ^= 1 << chance.randrange(8)
    return bytes(copy)


def bombs() -> dict[str, bytes]:
    """Return small files that ask for much, by name."""
    return {
        "png of 30,000 x 30,000": _png(30_000, 30_000),
        "png that says 65,535 x 65,535": _png(65_535, 65_535, rows=3),
        "gif of 100,000 frames": _gif(100_000),
        "tiff of 60,000 directories": _tiff(60_000),
        "tiff that goes in circles": _tiff(40, loop=True),
    }


def _png(width: int, height: int, *, rows: int | None = None) -> bytes:
    packer = zlib.compressobj(9)
    line = bytes(1 + (width + 7) // 8)
    pixels = b"".join(packer.compress(line) for _ in range(rows or height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _gif(frames: int) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 2, 2, 0) + b"\x02\x02\x84\x51\x00"
    return b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0x80, 0, 0) + bytes(6) + frame * frames + b";"


def _tiff(directories: int, *, loop: bool = False) -> bytes:
    made = b"II*\0\x08\0\0\0"
    for number in range(directories):
        after = 8 if loop else 8 + 30 * (number + 1)
        made += struct.pack("<HHHLLHHLLL", 2, 256, 3, 1, 10, 257, 3, 1, 10, after)
    return made

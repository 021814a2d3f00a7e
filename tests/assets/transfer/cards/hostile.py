"""Files that are made to harm whoever reads cards."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024
CARD = json.dumps({"spec": "chara_card_v3", "data": {"name": "A", "description": ""}}).encode()


def png_with(*chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return out.getvalue()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a zTXt bomb": lambda: png_with(chunk(b"zTXt", b"chara\0\0" + zlib.compress(bytes(64 * MIB)))),
    "an iTXt longer than any card": lambda: png_with(chunk(b"iTXt", b"ccv3\0\0\0\0\0" + bytes(20 * MIB))),
    "rubbish for base64": lambda: png_with(chunk(b"tEXt", b"chara\0" + bytes(range(128, 256)))),
    "nested JSON": lambda: png_with(chunk(b"tEXt", b"chara\0" + base64.b64encode(b'{"a":' * 50_000))),
    "a path out of the archive": lambda: archive({"card.json": CARD, "../../outside.png": b"x"}),
    "an absolute path": lambda: archive({"card.json": CARD, "/outside.png": b"x"}),
    "an archive that is a bomb": lambda: archive({"card.json": CARD, "a.bin": bytes(64 * MIB)}),
    "an archive of ten thousand files": lambda: archive({"card.json": CARD, **{f"{n}": b"" for n in range(10_000)}}),
    "a list of a million values": lambda: b'{"name":"A","description":"","x":[' + b"0," * 1_000_001 + b"0]}",
}
"""What makes each; one at a time is large enough."""

"""PNG files and cards, made chunk by chunk."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
V1 = {
    "name": "Aria",
    "description": "A *bard* of the old road.",
    "personality": "curious",
    "scenario": "An inn at night.",
    "first_mes": "Well met, {{user}}!",
    "mes_example": "<START>\n{{char}}: La la.",
}
V2_DATA: dict[str, Any] = {
    **V1,
    "creator_notes": "For rainy days.",
    "system_prompt": "You are a bard.",
    "post_history_instructions": "",
    "alternate_greetings": ["Oh!", "You again."],
    "tags": ["Bard", "female"],
    "creator": "someone",
    "character_version": "1.2",
    "extensions": {"depth_prompt": {"prompt": "", "depth": 4}},
    "character_book": {
        "extensions": {},
        "entries": [{"keys": ["inn"], "content": "Old.", "extensions": {}, "enabled": True, "insertion_order": 1}],
    },
}
V2: dict[str, Any] = {"spec": "chara_card_v2", "spec_version": "2.0", "data": V2_DATA}
V3: dict[str, Any] = {
    "spec": "chara_card_v3",
    "spec_version": "3.0",
    "data": {**V2_DATA, "group_only_greetings": [], "nickname": "Ari", "source": ["https://example.org/1"]},
}


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def text(keyword: str, value: bytes, kind: str = "tEXt", *, packed: bool = True) -> bytes:
    head = keyword.encode() + b"\0"
    if kind == "zTXt":
        return chunk(b"zTXt", head + b"\0" + zlib.compress(value))
    if kind == "iTXt":
        return chunk(
            b"iTXt", head + bytes([packed, 0]) + b"en\0" + b"Karte\0" + (zlib.compress(value) if packed else value)
        )
    return chunk(b"tEXt", head + value)


def encoded(document: object) -> bytes:
    return base64.b64encode(json.dumps(document, ensure_ascii=False).encode())


def png(before: Sequence[bytes] = (), after: Sequence[bytes] = (), *, colour: int = 0, tail: bytes = b"") -> bytes:
    """A picture of one pixel, with chunks before and after its IDAT."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    pixel = chunk(b"IDAT", zlib.compress(bytes([0, colour, 0, 0])))
    return SIGNATURE + header + b"".join(before) + pixel + b"".join(after) + chunk(b"IEND", b"") + tail


def card_png(document: object, keyword: str = "chara", kind: str = "tEXt") -> bytes:
    return png(after=[text(keyword, encoded(document), kind)])


def charx(document: object, files: Mapping[str, bytes] | None = None, *, before: bytes = b"") -> bytes:
    """A CHARX, appended to something or alone."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.json", json.dumps(document))
        for path, content in (files or {}).items():
            archive.writestr(path, content)
    return before + out.getvalue()


def zipped(name: str, packed: bytes, size: int) -> bytes:
    """A ZIP with one deflated file, whatever size the list says it has."""
    common = struct.pack("<5H3L2H", 20, 0, 8, 0, 33, 0, len(packed), size, len(name), 0)
    local = b"PK\3\4" + common + name.encode() + packed
    listed = b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<3H2L", 0, 0, 0, 0, 0) + name.encode()
    return local + listed + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(listed), len(local), 0)


def tiff(tags: Mapping[int, bytes], *, order: str = "<", nested: Mapping[int, bytes] | None = None) -> bytes:
    """An EXIF block with tags in its first directory, and others in the directory for EXIF."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    count = len(tags) + (nested is not None)
    values_at = 8 + 2 + 12 * count + 4
    entries, values = b"", b""
    for tag, value in sorted(tags.items()):
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(f"{order}L", values_at + len(values))
        entries += struct.pack(f"{order}HHL", tag, 7, len(value)) + place
        values += value if len(value) > 4 else b""
    if nested is not None:
        start = values_at + len(values)
        entries += struct.pack(f"{order}HHLL", 0x8769, 4, 1, start)
        inner_at = start + 2 + 12 * len(nested) + 4
        inner, more = b"", b""
        for tag, value in sorted(nested.items()):
            inner += struct.pack(f"{order}HHLL", tag, 7, len(value), inner_at + len(more))
            more += value
        values += struct.pack(f"{order}H", len(nested)) + inner + bytes(4) + more
    return mark + struct.pack(f"{order}L", 8) + struct.pack(f"{order}H", count) + entries + bytes(4) + values


def webp(block: bytes | None) -> bytes:
    chunks = b"VP8L" + struct.pack("<I", 5) + b"\x2f\0\0\0\0" + b"\0"
    if block is not None:
        chunks += b"EXIF" + struct.pack("<I", len(block)) + block + b"\0" * (len(block) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def jpeg(block: bytes | None = None, comment: bytes | None = None) -> bytes:
    segments = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0\1\1\0\0\1\0\1\0\0"
    if block is not None:
        segments += b"\xff\xe1" + struct.pack(">H", 8 + len(block)) + b"Exif\0\0" + block
    if comment is not None:
        segments += b"\xff\xfe" + struct.pack(">H", 2 + len(comment)) + comment
    return b"\xff\xd8" + segments + b"\xff\xda\0\2pixels\xff\xd9"


def file(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)

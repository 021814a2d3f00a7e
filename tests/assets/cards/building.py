"""PNG files and cards, made chunk by chunk."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def file(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)

"""The signatures of pictures, films and PDF.

A signature goes on far enough that no text and no script can pass for a picture: with the first chunk of a PNG, the
first block of a GIF, the second marker of a JPEG.

Sources: WHATWG mimesniff and the formats' own specifications.
"""

from __future__ import annotations

import re
import struct
from typing import Final

_SIGNATURES: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "image/png"),
    (re.compile(rb"\xff\xd8\xff[\xc0-\xff]"), "image/jpeg"),
    (re.compile(rb"RIFF....WEBPVP8[ LX]", re.DOTALL), "image/webp"),
    # A bitmap's two letters begin many words: the size of its second header must be one that exists.
    (re.compile(rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), "image/bmp"),
    (re.compile(rb"(?:II[*+]\0|MM\0[*+])"), "image/tiff"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n"), "image/jp2"),
    (re.compile(rb"\xff\x4f\xff\x51"), "image/j2c"),
    (re.compile(rb"%PDF-"), "application/pdf"),
)
_GIF: Final = (b"GIF87a", b"GIF89a")
_GIF_SCREEN_BYTES: Final = 13
_GIF_BLOCK: Final = re.compile(rb"\x2c|\x3b|\x21[\x01\xf9\xfe\xff]")
# What readers that go by content alone look for near the start, and no header of a picture holds.
_POLYGLOT: Final = re.compile(
    rb"<(?:!doctype|html|head|body|script|iframe|svg|object|embed|img|style|title|table|a\s+href)[\s>/=]|%PDF-|<\?php",
    re.IGNORECASE,
)
_POLYGLOT_BYTES: Final = 1024
_ICON: Final = b"\0\0\1\0"
_MAX_ICONS: Final = 256
_EBML: Final = b"\x1aE\xdf\xa3"
_BRANDS: Final = (
    ({b"avif", b"avis"}, "image/avif"),
    ({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}, "image/heic"),
    ({b"mif1", b"msf1", b"mif2"}, "image/heif"),
)
_MAJORS: Final = {b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"M4P ": "audio/mp4"}
_FILM: Final = re.compile(rb"iso[m2-9a-c]|mp4[12]|avc1|M4V[ HP]|mmp4|dash|f4v |MSNV|cmfc|3g2[abc]|MP4 ")


def picture_or_film(head: bytes) -> str | None:
    """Return the media type of a picture, film or PDF by its signature, None for anything else."""
    for pattern, kind in _SIGNATURES:
        if pattern.match(head):
            return kind
    if head.startswith(_GIF) and _begins_gif(head):
        return "image/gif"
    if head.startswith(_ICON) and _begins_icon(head):
        return "image/vnd.microsoft.icon"
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head.startswith(_EBML):
        return "video/webm" if b"webm" in head[:64] else "video/matroska" if b"matroska" in head[:64] else None
    return None


def _by_brand(head: bytes) -> str | None:
    """Decide by the brands of a `ftyp` box (ISO/IEC 14496-12): the major one first, then the compatible ones."""
    end = min(int.from_bytes(head[:4], "big"), 256)
    major = head[8:12]
    compatible = {head[at : at + 4] for at in range(16, end, 4)}
    for brands in ({major}, compatible):
        for wanted, kind in _BRANDS:
            if brands & wanted and not (kind == "image/heif" and compatible & (_BRANDS[0][0] | _BRANDS[1][0])):
                return kind
    if major in _MAJORS:
        return _MAJORS[major]
    if major.startswith(b"3gp"):
        return "video/3gpp"
    return "video/mp4" if any(_FILM.match(brand) for brand in {major} | compatible) else None


def speaks_to_others(head: bytes) -> bool:
    """Say whether the beginning of a picture holds what another reader takes for its own: markup, PDF, a script."""
    return bool(_POLYGLOT.search(head[:_POLYGLOT_BYTES]))


def _begins_gif(head: bytes) -> bool:
    """GIF's six letters are text; its screen, colours and first block are not."""
    if len(head) < _GIF_SCREEN_BYTES:
        return False
    flags = head[10]
    table = 3 << ((flags & 7) + 1) if flags & 0x80 else 0
    return bool(_GIF_BLOCK.match(head, _GIF_SCREEN_BYTES + table))


def _begins_icon(head: bytes) -> bool:
    """An icon's four bytes are nearly nothing: its first directory entry must make sense too."""
    if len(head) < 22:  # noqa: PLR2004 - the directory with one entry
        return False
    count, _, _, _, reserved, _, _, size, offset = struct.unpack("<HBBBBHHII", head[4:22])
    return 1 <= count <= _MAX_ICONS and reserved in {0, 255} and size > 0 and offset >= 6 + 16 * count

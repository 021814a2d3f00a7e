"""A signature goes on far enough that no text and no script can pass for a picture, and is found in all of them."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from assets.signatures import picture_or_film, speaks_to_others


def picture(kind: str) -> bytes:
    """Return a picture as another program writes it."""
    out = io.BytesIO()
    Image.new("RGB", (16, 16), "teal").save(out, kind)
    return out.getvalue()


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    """Return the box that most films and many pictures begin with."""
    body = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return (len(body) + 4).to_bytes(4, "big") + body


def gif(flags: int, block: bytes, colours: bytes = b"") -> bytes:
    """Return the beginning of a GIF with these flags, colours and first block."""
    return b"GIF89a\1\0\1\0" + bytes([flags, 0, 0]) + colours + block


def icon(count: int = 1, reserved: int = 0, size: int = 40, offset: int = 22) -> bytes:
    """Return the beginning of an icon with these members in its directory."""
    return b"\0\0\1\0" + struct.pack("<HBBBBHHII", count, 16, 16, 0, reserved, 1, 32, size, offset)


PICTURES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "ICO": "image/vnd.microsoft.icon",
    "JPEG2000": "image/jp2",
}


@pytest.mark.parametrize(("kind", "media_type"), PICTURES.items())
def test_what_other_programs_write_is_known_and_whatever_follows_the_signature(kind: str, media_type: str) -> None:
    data = picture(kind)
    assert picture_or_film(data) == media_type
    assert picture_or_film(data[:1100] + b"\0<script>") == media_type


@pytest.mark.parametrize("kind", PICTURES)
def test_a_signature_alone_is_not_enough(kind: str) -> None:
    data = picture(kind)
    begin = next(length for length in range(len(data)) if picture_or_film(data[:length]) is not None)
    assert begin > 3
    if kind not in {"TIFF", "BMP", "WEBP", "JPEG", "AVIF"}:
        assert begin >= 12, "what follows the letters is looked at too"


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"MM\0*\0\0\0\x08", "image/tiff"),
        (b"MM\0+\0\x08\0\0", "image/tiff"),
        (b"II+\0\x08\0\0\0", "image/tiff"),
        (b"II\0*", None),
        (b"\xff\xd8\xff\xe1", "image/jpeg"),
        (b"\xff\xd8\xff\x3c", None),
        (b"RIFF\n\n\n\nWEBPVP8X", "image/webp"),
        (b"RIFF\0\0\0\0WEBPVP8?", None),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "image/bmp"),
        (b"BM" + bytes(12) + b"\x29\0\0\0", None),
        (b"BM" + bytes(12) + b"\x28\0\0\1", None),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIDAT", None),
        (b" %PDF-1.7", None),
        (b"%PDF-1.7", "application/pdf"),
        (b"", None),
    ],
)
def test_letters_and_what_must_follow_them(data: bytes, media_type: str | None) -> None:
    assert picture_or_film(data) == media_type


@pytest.mark.parametrize(
    ("data", "known"),
    [
        (gif(0, b"\x2c"), True),
        (gif(0, b"\x3b"), True),
        (gif(0, b"\x21\xf9"), True),
        (gif(0, b"\x21<"), False),
        (gif(0, b"<"), False),
        (gif(0, b""), False),
        (gif(0x80, b"\x2c", bytes(6)), True),
        (gif(0x87, b"\x2c", bytes(768)), True),
        (gif(0x87, b"\x2c", bytes(767)), False),
        (b"GIF87a" + gif(0, b"\x2c")[6:], True),
        (b"GIF88a" + gif(0, b"\x2c")[6:], False),
        (gif(0, b"")[:12], False),
    ],
)
def test_the_first_block_of_a_gif_stands_where_its_flags_say(data: bytes, *, known: bool) -> None:
    assert (picture_or_film(data) == "image/gif") is known


@pytest.mark.parametrize(
    ("data", "known"),
    [
        (icon(), True),
        (icon(256, offset=6 + 16 * 256), True),
        (icon(reserved=255), True),
        (icon(0), False),
        (icon(257, offset=10_000), False),
        (icon(reserved=1), False),
        (icon(size=0), False),
        (icon(offset=21), False),
        (icon(2, offset=22), False),
        (icon()[:21], False),
    ],
)
def test_the_first_entry_of_an_icon_makes_sense(data: bytes, *, known: bool) -> None:
    assert (picture_or_film(data) == "image/vnd.microsoft.icon") is known


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (ftyp(b"avif"), "image/avif"),
        (ftyp(b"avis", b"msf1"), "image/avif"),
        (ftyp(b"mif1", b"avif"), "image/avif"),
        (ftyp(b"heix"), "image/heic"),
        (ftyp(b"mif1", b"mif1", b"heic"), "image/heic"),
        (ftyp(b"mif1", b"miaf"), "image/heif"),
        (ftyp(b"isom", b"mp42"), "video/mp4"),
        (ftyp(b"none", b"mp41"), "video/mp4"),
        (ftyp(b"qt  ", b"mp42"), "video/quicktime"),
        (ftyp(b"M4B ", b"mp42"), "audio/mp4"),
        (ftyp(b"3gp4"), "video/3gpp"),
        (ftyp(b"none", b"what"), None),
        (ftyp(b"none") + b"mp41mp42", None),
        (b"\0\0\0\x14ftyp", None),
        (b"\x1aE\xdf\xa3\x93B\x82\x88matroska", "video/matroska"),
        (b"\x1aE\xdf\xa3\x93B\x82\x84webm", "video/webm"),
        (b"\x1aE\xdf\xa3" + bytes(60) + b"webm", None),
    ],
)
def test_films_and_pictures_by_their_brands(data: bytes, media_type: str | None) -> None:
    assert picture_or_film(data) == media_type


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=80))
def test_no_text_passes_for_a_picture(text: str) -> None:
    for begin in ("", "GIF89a", "BM", "II*", "RIFF", "MM", "ftyp"):
        assert picture_or_film((begin + text).encode()) is None


@given(st.sampled_from([*PICTURES]), st.integers(0, 200))
def test_any_beginning_of_a_picture_has_an_answer(kind: str, length: int) -> None:
    assert picture_or_film(picture(kind)[:length]) in {None, PICTURES[kind]}


@pytest.mark.parametrize(
    ("words", "others"),
    [
        (b"<script>", True),
        (b"<SCRIPT src=x>", True),
        (b"<svg/onload=x>", True),
        (b"<!DOCTYPE html>", True),
        (b"<a  href=x>", True),
        (b"%PDF-1.4", True),
        (b"<?PHP", True),
        (b"<scripture>", False),
        (b"<x:xmpmeta xmlns='adobe:ns:meta/'>", False),
        (b"<?xpacket begin=''?>", False),
        (b"script", False),
    ],
)
def test_what_another_reader_would_take_for_its_own(words: bytes, *, others: bool) -> None:
    assert speaks_to_others(bytes(500) + words) is others


def test_only_the_beginning_is_looked_at() -> None:
    assert speaks_to_others(bytes(1016) + b"<script>")
    assert not speaks_to_others(bytes(1017) + b"<script>")

"""Sizes from headers alone: as Pillow sees the picture after turning it, whatever the format and the damage."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from assets.images.headers import ReadAt, Size, measure

HEAD = 64 * 1024
FORMATS = ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "ICO", "JPEG2000"]


def _encode(kind: str, size: tuple[int, int] = (40, 30), orientation: int | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    if kind == "ICO":
        options["sizes"] = [size, (16, 12)]
    Image.new("RGB", size, "teal").save(out, kind, **options)
    return out.getvalue()


def _reader(data: bytes) -> ReadAt:
    return lambda offset, length: data[offset : offset + length]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


SAMPLES = {kind: _encode(kind) for kind in FORMATS}
SAMPLES["TURNED JPEG"] = _encode("JPEG", orientation=6)
SAMPLES["TURNED WEBP"] = _encode("WEBP", orientation=6)
SAMPLES["TURNED PNG"] = _encode("PNG", orientation=6)
SAMPLES["TURNED TIFF"] = _encode("TIFF", orientation=6)
SAMPLES["TURNED AVIF"] = _encode("AVIF", orientation=6)
SAMPLES["LOSSLESS WEBP"] = _encode("WEBP", lossless=True)
SAMPLES["CODESTREAM"] = _encode("JPEG2000", no_jp2=True)
SAMPLES["BIG TIFF"] = _encode("TIFF", big_tiff=True)


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_head_of_a_small_picture_tells_its_size(kind: str) -> None:
    assert measure(SAMPLES[kind]) == (Size(30, 40) if kind.startswith("TURNED") else Size(40, 30))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientations_five_to_eight_lie_on_their_side(kind: str, orientation: int) -> None:
    expected = Size(30, 40) if orientation > 4 else Size(40, 30)
    assert measure(_encode(kind, orientation=orientation)) == expected


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    assert measure(_encode("JPEG", orientation=orientation)) == Size(40, 30)


def test_a_frame_header_behind_megabytes_of_segments_is_found_by_reading_on() -> None:
    plain = _encode("JPEG", orientation=8)
    profile = b"\xff\xe2" + struct.pack(">H", 65535) + bytes(65533)
    data = plain[:2] + profile * 60 + plain[2:]
    assert measure(data[:HEAD], _reader(data)) == Size(30, 40)
    assert measure(data[:HEAD]) is None


def test_exif_behind_the_picture_data_is_found_by_reading_on() -> None:
    plain = _encode("PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    filler = _chunk(b"IDAT", b"") * 100 + _chunk(b"teXt", bytes(300_000))
    data = plain[:33] + filler + _chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + plain[33:]
    assert measure(data[:HEAD], _reader(data)) == Size(30, 40)
    assert measure(data[:HEAD]) == Size(40, 30)


def test_a_webp_larger_than_the_head_is_turned_too() -> None:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 5
    Image.effect_noise((400, 300), 90).convert("RGB").save(out, "WEBP", quality=100, exif=exif)
    data = out.getvalue()
    assert len(data) > HEAD
    assert measure(data[:HEAD], _reader(data)) == Size(300, 400)


def test_the_first_exif_segment_counts() -> None:
    turned, plain = _encode("JPEG", orientation=6), _encode("JPEG", orientation=1)
    segment = plain[plain.index(b"\xff\xe1") :][: 2 + int.from_bytes(plain[plain.index(b"\xff\xe1") + 2 :][:2], "big")]
    at = turned.index(b"\xff\xe1") + len(segment)
    assert measure(turned[:at] + segment + turned[at:]) == Size(30, 40)


def test_stray_bytes_between_jpeg_segments_are_passed_over() -> None:
    plain = _encode("JPEG")
    assert measure(plain[:2] + b"\xff\xff\xff" + plain[2:]) == Size(40, 30)
    assert measure(plain[:20] + b"\0\0stray" + plain[20:]) == Size(40, 30)


def test_a_gif_whose_first_frame_is_larger_than_its_screen_grows() -> None:
    data = bytearray(_encode("GIF"))
    data[6:10] = struct.pack("<HH", 3, 4)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (40, 30)
    assert measure(bytes(data)) == Size(40, 30)


def test_a_bitmap_may_run_downwards_or_be_very_old() -> None:
    data = bytearray(_encode("BMP"))
    data[22:26] = struct.pack("<i", -30)
    assert measure(bytes(data)) == Size(40, 30)
    old = b"BM" + struct.pack("<IHHIIHHHH", 100, 0, 0, 26, 12, 7, 5, 1, 24)
    assert measure(old) == Size(7, 5)


def test_an_icon_is_as_large_as_its_largest_picture() -> None:
    assert measure(_encode("ICO", (256, 256))) == Size(256, 256)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a\0\0\0\0\0\0\0;",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8" + b"\xff" * 100_000,
        b"\xff\xd8\xff" + b"\0" * 100_000,
        b"II+\0\x08\0\0\0" + b"\xff" * 8,
        b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf\xff\xff\xff\xffmeta",
        b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\1jp2h" + b"\xff" * 8,
        b"just a text",
    ],
)
def test_damage_has_no_size(data: bytes) -> None:
    assert measure(data, _reader(data)) is None


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_picture_cut_anywhere_has_its_size_or_none(kind: str) -> None:
    data = SAMPLES[kind]
    for end in range(len(data)):
        assert measure(data[:end]) in {None, Size(40, 30), Size(30, 40)}


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_no_damage_raises(kind: str, draw: st.DataObject) -> None:
    data = bytearray(SAMPLES[kind])
    for at in draw.draw(st.lists(st.integers(0, len(data) - 1), max_size=12)):
        data[at] = draw.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
    size = measure(bytes(data), _reader(bytes(data)))
    assert size is None or min(size.width, size.height) >= 1


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([data[:12] for data in SAMPLES.values()]), st.binary(max_size=200))
def test_no_nonsense_behind_a_signature_raises(start: bytes, rest: bytes) -> None:
    measure(start + rest, _reader(start + rest))


@pytest.mark.parametrize("pattern", [b"\xff\xe0\0\2", b"\xff\xe0\0\2\0", b"\xff\xe0\0\2" + bytes(4000), b"\xff\xd0"])
def test_a_hostile_file_costs_little(pattern: bytes) -> None:
    """An endless file of tiny segments ends at the budget, in reads, in bytes, and so in time."""
    asked: list[int] = []

    def endless(offset: int, length: int) -> bytes:
        asked.append(length)
        at = (offset - 3) % len(pattern)
        return (pattern * (length // len(pattern) + 2))[at : at + length]

    head = b"\xff\xd8\xff" + pattern[1:] + pattern * (HEAD // len(pattern))
    assert measure(head, endless) is None
    assert len(asked) <= 2048
    assert sum(asked) <= 1024 * 1024


def test_an_error_of_the_reader_reaches_the_caller() -> None:
    def broken(_offset: int, _length: int) -> bytes:
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        measure(SAMPLES["JPEG"][:30], broken)

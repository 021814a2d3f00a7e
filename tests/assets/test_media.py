"""What a payload is comes from its bytes, and nothing that may run is ever shown in place."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from assets.blobs import base
from assets.media import HEAD_BYTES, UNKNOWN, Media, media_named, sniff

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def _picture(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, kind, **options)
    return out.getvalue()


def _zip(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return out.getvalue()


def _ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + b"\0\0\0\0" + b"".join(compatible)
    return (len(body) + 4).to_bytes(4, "big") + body + b"\0\0\0\x08free"


@pytest.mark.parametrize(
    ("kind", "media"),
    [
        ("PNG", Media("image/png", "png", inline=True, picture=True)),
        ("JPEG", Media("image/jpeg", "jpg", inline=True, picture=True)),
        ("GIF", Media("image/gif", "gif", inline=True, picture=True)),
        ("WEBP", Media("image/webp", "webp", inline=True, picture=True)),
        ("AVIF", Media("image/avif", "avif", inline=True, picture=True)),
        ("BMP", Media("image/bmp", "bmp", inline=True, picture=True)),
        ("TIFF", Media("image/tiff", "tif", inline=True, picture=True)),
        ("ICO", Media("image/vnd.microsoft.icon", "ico", inline=True, picture=True)),
        ("JPEG2000", Media("image/jp2", "jp2", inline=True, picture=True)),
    ],
)
def test_raster_pictures_are_pictures_and_may_be_shown(kind: str, media: Media) -> None:
    data = _picture(kind)
    assert sniff(data[:HEAD_BYTES]) == media
    assert sniff(data[:HEAD_BYTES], filename="page.html") == media


def test_an_animated_png_is_a_png() -> None:
    out = io.BytesIO()
    Image.new("L", (4, 4)).save(out, "PNG", save_all=True, append_images=[Image.new("L", (4, 4), 9)])
    assert b"acTL" in out.getvalue()
    assert sniff(out.getvalue()) == Media("image/png", "png", inline=True, picture=True)


@pytest.mark.parametrize(
    ("data", "media_type", "extension"),
    [
        (_ftyp(b"heic", b"mif1", b"heic"), "image/heic", "heic"),
        (_ftyp(b"mif1", b"mif1", b"heic", b"miaf"), "image/heic", "heic"),
        (_ftyp(b"mif1", b"avif", b"miaf"), "image/avif", "avif"),
        (_ftyp(b"mif1", b"miaf"), "image/heif", "heif"),
        (_ftyp(b"isom", b"iso2", b"avc1", b"mp41"), "video/mp4", "mp4"),
        (_ftyp(b"qt  "), "video/quicktime", "mov"),
        (_ftyp(b"M4A ", b"mp42"), "audio/mp4", "m4a"),
        (_ftyp(b"what"), "application/octet-stream", "bin"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webmB\x87\x81\x04", "video/webm", "webm"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf", "pdf"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0", "audio/wav", "wav"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "application/gzip", "gz"),
        (b"\xff\x4f\xff\x51\0\x2f", "image/j2c", "j2c"),
        (_zip(**{"a.txt": "x"}), "application/zip", "zip"),
        (_zip(**{"card.json": "{}"}), "application/zip", "charx"),
        (b"PK\x05\x06" + bytes(18), "application/zip", "zip"),
        (b'{"a": 1}', "application/json", "json"),
        (b"\xef\xbb\xbf [1, 2]\n", "application/json", "json"),
        (b'{"a": 1}\n{"a": 2}\n', "application/x-ndjson", "jsonl"),
        (b"{not json}", "text/plain", "txt"),
        (b"[" * 60_000, "text/plain", "txt"),
        (b"[" + b"9" * 5000 + b"]", "text/plain", "txt"),
        ("Grüße, 世界\n".encode(), "text/plain", "txt"),
        ("Grüße".encode("latin-1"), "application/octet-stream", "bin"),
        (b"text with a NUL\0", "application/octet-stream", "bin"),
        (b"text with \x1b[31m colour", "text/plain", "txt"),
        (b"text with a bell \x07", "application/octet-stream", "bin"),
        (b"GIF8 is how it begins", "text/plain", "txt"),
        (b"BMW makes cars, this is a text about cars", "text/plain", "txt"),
        (b"\0\0\1\0 nothing of an icon here", "application/octet-stream", "bin"),
        (bytes(range(256)), "application/octet-stream", "bin"),
        (b"", "application/octet-stream", "bin"),
    ],
)
def test_everything_else_is_told_apart(data: bytes, media_type: str, extension: str) -> None:
    media = sniff(data)
    assert (media.type, media.extension) == (media_type, extension)
    assert media.inline is media.picture or media_type.startswith("image/")


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    "before",
    [
        "",
        " \r\n\t\f",
        "<!-- <html> a comment -->",
        '<?xml version="1.0"?>\n',
        '<?xml version="1.0"?><!-- one --><?xml-stylesheet href="x"?><!-- two -->\n',
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd">',
        '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "<html>"> <!ENTITY b "]">\n]>',
    ],
)
def test_svg_is_found_behind_everything_that_may_precede_it(bom: bytes, before: str) -> None:
    expected = Media("image/svg+xml", "svg")
    assert sniff(bom + (before + SVG).encode(), filename="cat.png") == expected
    prefixed = '<svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>'
    assert sniff(bom + (before + prefixed).encode()) == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_svg_in_utf_16_is_svg(encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    assert sniff((mark + SVG).encode(encoding)).type == "image/svg+xml"


@pytest.mark.parametrize(
    ("text", "media_type"),
    [
        ("<!DOCTYPE html><title>x</title>", "text/html"),
        ("\n <HTML>", "text/html"),
        ("<script>alert(1)</script>", "text/html"),
        ("<!-- nothing but a comment", "text/html"),
        ("<!-- a --> words", "text/html"),
        ("<!-- a --><BODY onload=x()>", "text/html"),
        ("<p align=center>", "text/html"),
        ("<img src=x onerror=alert(1)>", "text/html"),
        ("\ufeff<iframe src=x>", "text/html"),
        ('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', "application/xhtml+xml"),
        ('<?xml version="1.0"?><feed/>', "application/xml"),
        ("<!DOCTYPE feed><feed/>", "application/xml"),
        ("<??>" * 2000 + SVG, "text/html"),
        ("<3 you", "text/plain"),
        ("<unknown>tag</unknown>", "text/plain"),
        ("a < b and <b>", "text/plain"),
    ],
)
def test_markup_is_called_markup(text: str, media_type: str) -> None:
    media = sniff(text.encode(), filename="notes.md")
    assert media.type == media_type.replace("text/plain", "text/markdown")
    assert not media.inline


def test_html_that_is_no_valid_utf_8_is_still_html() -> None:
    assert sniff(b"<html>\xe9\0").type == "text/html"


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a/*<svg/onload=alert(1)>*/=1;",
        b"GIF89a=1;alert(1)//" + b" " * 40,
        b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>",
        b"\xff\xd8\xff<html>",
        b"\xff\xd8\xff\xe0\0\x10JFIF\0<html><script>alert(1)</script>",
        b"RIFF\x10\0\0\0WEBP<html><script>",
        b"II*\0<html ><script>alert(1)</script>",
        _picture("PNG")[:33] + b"\0\0\0\x20tEXtx\0%PDF-1.4 and so on",
        _ftyp(b"avif", b"mif1") + b"<script >alert(1)</script>",
    ],
)
def test_polyglots_are_never_shown_in_place(data: bytes) -> None:
    assert not sniff(data).inline


def test_markup_before_a_picture_is_markup() -> None:
    assert sniff(b"<html>" + _picture("PNG")) == Media("text/html", "html")
    assert sniff(b" " + _picture("PNG")) == UNKNOWN


def test_a_name_chooses_only_between_harmless_kinds() -> None:
    assert sniff(b"# Title", filename="README.MD") == Media("text/markdown", "md")
    assert sniff(b"a,b\n1,2", filename="t.csv") == Media("text/csv", "csv")
    assert sniff(b"words", filename="x.html") == Media("text/plain", "txt")
    assert sniff(_zip(a="b"), filename="alice.charx").extension == "charx"
    assert sniff(b"words", filename="charx") == Media("text/plain", "txt")


@pytest.mark.parametrize("letter", ["é", "世", "🎈"])
@pytest.mark.parametrize("shift", range(4))
def test_a_head_may_end_inside_a_character(letter: str, shift: int) -> None:
    data = b"x" * shift + letter.encode() * HEAD_BYTES
    assert sniff(data[:HEAD_BYTES]).type == "text/plain"


@pytest.mark.parametrize("cut", range(HEAD_BYTES, HEAD_BYTES + 40))
def test_json_longer_than_the_head_is_json_wherever_the_head_ends(cut: int) -> None:
    record = {"name": 'Äl\\u00ef\n"ce', "n": -1.5e3, "ok": True, "none": None, "list": [1, {"a": {}}]}
    text = json.dumps([record] * 2000, ensure_ascii=True).encode()
    assert sniff(text[:cut]).type == "application/json"


@given(st.binary(max_size=300))
def test_any_bytes_have_an_answer_and_only_pictures_are_inline(data: bytes) -> None:
    media = sniff(data)
    assert media.picture or not media.inline


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_sound_picture_with_markup_in_its_beginning_stays_a_picture_but_a_download(kind: str) -> None:
    data = _picture(kind)
    tricky = data[:60] + b"<script>alert(1)</script>" + data[60:]
    assert sniff(tricky) == dataclasses.replace(sniff(data), inline=False)
    assert sniff(data[:60] + bytes(1000) + b"<script>alert(1)</script>" + data[60:]).inline


def test_a_recorded_type_gives_the_same_media_again() -> None:
    for kind in ("PNG", "AVIF", "TIFF"):
        media = sniff(_picture(kind))
        assert media_named(media.type) == media
        assert media_named(media.type, inline=False) == dataclasses.replace(media, inline=False)
    assert media_named("image/svg+xml") == Media("image/svg+xml", "svg")
    assert media_named("application/octet-stream") == UNKNOWN
    assert media_named("image/x-made-up") is None


def test_staging_keeps_as_much_as_sniffing_wants() -> None:
    assert base.HEAD_BYTES == HEAD_BYTES

"""File names from outside, made harmless, and sent back."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.filenames import content_disposition, parse_disposition, safe_name


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'form-data; name="file"; filename="a.png"', "a.png"),
        (b"form-data; name=file; filename=a.png", "a.png"),
        (b'form-data; filename="a\\"b.png"', 'a"b.png'),
        (b'form-data; filename="a%22b%0D%0Ac.png"', 'a"b\r\nc.png'),
        (b'form-data; filename="100%25.png"', "100%25.png"),
        (b'form-data; filename="C:\\new\\table.png"', "C:\\new\\table.png"),
        (b'form-data; filename="a;b=c.png"; name=x', "a;b=c.png"),
        ('form-data; filename="Zoë 写真.png"'.encode(), "Zoë 写真.png"),
        ('form-data; filename="Zoë.png"'.encode("latin-1"), "Zoë.png"),
        (b"attachment; filename=\"x.png\"; filename*=UTF-8''Zo%C3%AB.png", "Zoë.png"),
        (b"attachment; filename*=iso-8859-1'en'Zo%EB.png; filename=x", "Zoë.png"),
        (b"attachment; filename*=UTF-8''%FF; filename=x.png", "x.png"),
        (b"attachment; filename*=utf-16''aa; filename=x.png", "x.png"),
        (b'form-data; filename=""', ""),
        (b"form-data; name=x", None),
        (b"", None),
    ],
)
def test_names_are_read_as_clients_write_them(value: bytes, expected: str | None) -> None:
    assert parse_disposition(value).filename == expected


def test_the_first_of_a_parameter_wins() -> None:
    disposition = parse_disposition(b'Form-Data; name="a"; Name="b"')
    assert (disposition.kind, disposition.parameters["name"]) == ("form-data", "a")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\dir\\cat.png", "cat.png"),
        ("dir/", "dir"),
        ("a\r\nb\0.png", "ab.png"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("\u200fcat\u2066.png", "cat.png"),
        ("\U0001f469\u200d\U0001f680.png", "\U0001f469\u200d\U0001f680.png"),
        ("Zoe\u0308.png", "Zoë.png"),
        ("..", "file"),
        (".", "file"),
        ("", "file"),
        ("/", "file"),
        (" . ", "file"),
        ("a\u2003b.png", "a b.png"),
        (".hidden", ".hidden"),
    ],
)
def test_safe_names(name: str, expected: str) -> None:
    assert safe_name(name) == expected


def test_no_name() -> None:
    assert safe_name(None) == "file"


def test_long_names_keep_their_extension() -> None:
    name = safe_name("写" * 4000 + ".png")
    assert name.endswith("写.png")
    assert 250 < len(name.encode()) <= 255
    assert len(safe_name("x." + "y" * 4000).encode()) == 255


@given(st.text(max_size=400))
@example("\ud800.png")
@example("a" * 300 + "." + "b" * 20)
def test_a_safe_name_is_safe_and_stays(name: str) -> None:
    safe = safe_name(name)
    assert safe == safe_name(safe)
    assert 1 <= len(safe.encode()) <= 255
    assert not set(safe) & set("/\\\0\r\n")
    assert safe not in {".", ".."}
    assert not any(unicodedata.category(character) == "Cc" for character in safe)


@given(st.text(max_size=300), st.sampled_from(["inline", "attachment"]))
def test_what_is_sent_is_one_header_line_and_reads_back(name: str, kind: str) -> None:
    value = content_disposition(kind, name)
    assert value.isascii()
    assert value.isprintable()
    disposition = parse_disposition(value.encode("ascii"))
    assert disposition.kind == kind
    assert disposition.filename == safe_name(name)


def test_plain_names_have_one_form_and_others_two() -> None:
    assert content_disposition("inline", "a b.png") == 'inline; filename="a b.png"'
    assert content_disposition("inline", 'a"b;ë.png') == (
        "inline; filename=\"a_b_e_.png\"; filename*=UTF-8''a%22b%3B%C3%AB.png"
    )

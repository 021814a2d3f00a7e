"""What a text is: whatever a browser might take for markup is called markup, and only JSON is called JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.markup import is_text, json_kind, markup_kind

BEFORE = st.lists(
    st.sampled_from([" ", "\n", "\t\r\f", "<!-- c -->", "<!-- <p> -->", "<?stylesheet a?>"]), max_size=6
).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<svg>", "svg"),
        ("<SVG/>", "svg"),
        ("<svg", "svg"),
        ("<s:svg xmlns:s='x'>", "svg"),
        ("<svgs>", None),
        ("<!doctype svg>", "svg"),
        ("<html>", "html"),
        ("<!DOCTYPE html>", "html"),
        ("<!DOCTYPE html>text", "html"),
        ("<!DOCTYPE HTML PUBLIC 'x'><p>", "html"),
        ("<!DOCTYPE svg><html>", "html"),
        ("<!DOCTYPE html><svg>", "svg"),
        ("<?xml version='1.0'?><html>", "xhtml"),
        ("<?xml version='1.0'?><svg>", "svg"),
        ("<?xml version='1.0'?><rss>", "xml"),
        ("<?xml version='1.0'?>", "xml"),
        ("<?XML version='1.0'?><rss>", "xml"),
        ("<?xml-stylesheet a?><p>", "xml"),
        ("\ufeff\ufeff <svg>", "svg"),
        ("<!DOCTYPE note><note>", "xml"),
        ("<note>", None),
        ("<b>", "html"),
        ("<bold>", None),
        ("<h3 x>", "html"),
        ("<h7>", None),
        ("<1>", None),
        ("< b>", None),
        ("text <b>", None),
        ("", None),
        ("   ", None),
        ("<!-- never closed <note>", "html"),
        ("<!--a--><note>", "html"),
        ("<?php echo 1", None),
        ("<!DOCTYPE svg [ <!ENTITY a '>'> ] ><svg>", "svg"),
        ("<!DOCTYPE note [ <!ENTITY a '><svg>'> ]><note>", "xml"),
        ("<!DOCTYPE svg [ never closed <svg>", "svg"),
        ("<!DOCTYPE note [ <!ELEMENT html ANY> ]><note>", "xml"),
    ],
)
def test_the_first_word_decides(text: str, kind: str | None) -> None:
    assert markup_kind(text.encode()) == kind


@given(BEFORE, st.sampled_from(["<svg>", "<svg:svg/>", "<!DOCTYPE svg>"]))
def test_nothing_that_may_stand_before_it_hides_an_svg(before: str, svg: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert markup_kind((before + svg).encode(encoding)) == "svg"


@given(BEFORE, st.sampled_from(["<html>", "<script>", "<!doctype html>", "<IFRAME src=x>", "<a/>"]))
def test_nothing_that_may_stand_before_it_hides_a_page(before: str, page: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert markup_kind((before + page).encode(encoding)) == "html"


def test_a_page_in_bytes_that_are_no_text_is_a_page() -> None:
    assert markup_kind(b"<html>\xff\xfe\0") == "html"
    assert markup_kind(b"\xff\xfe<\0b\0>\0\xd8") == "html"


def test_more_of_it_than_any_honest_file_has_is_a_page() -> None:
    assert markup_kind(b"<?a?>" * 999 + b"<note>") is None
    assert markup_kind(b"<?a?>" * 1000 + b"<note>") == "html"
    assert markup_kind(b"<!DOCTYPE svg>" + b"<?a?>" * 1000) == "svg"


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    assert markup_kind(b"<" + data) in {None, "svg", "html", "xhtml", "xml"}
    assert isinstance(is_text(data, whole=False), bool)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"])), st.integers(0, 3))
def test_text_is_text_also_when_its_last_character_is_cut(text: str, cut: int) -> None:
    data = (text + "\t\n\f\r\x1b").encode()
    assert is_text(data, whole=True)
    data = data + "🎈".encode()[:cut]
    assert is_text(data, whole=False)
    assert is_text(data, whole=True) is (cut == 0)


@pytest.mark.parametrize("byte", [*range(9), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)])
def test_a_control_character_that_no_text_has_makes_it_binary(byte: int) -> None:
    assert not is_text(b"text" + bytes([byte]), whole=True)


def test_what_is_not_utf_8_is_no_text() -> None:
    assert not is_text("Grüße".encode("latin-1"), whole=False)
    assert not is_text(b"\xed\xa0\x80", whole=True), "half of a surrogate pair"


@given(JSON)
def test_objects_and_arrays_are_json_and_values_alone_are_not(value: object) -> None:
    for indent in (None, 2):
        text = f"\n {json.dumps(value, indent=indent, ensure_ascii=False)} \n".encode()
        expected = "json" if isinstance(value, dict | list) else None
        assert json_kind(text, whole=True) == expected
        assert json_kind(b"\xef\xbb\xbf" + text, whole=True) == expected


@given(st.lists(st.dictionaries(st.text(), st.integers(), max_size=3), min_size=2, max_size=4))
def test_one_object_a_line_is_lines_of_json(values: list[object]) -> None:
    lines = [json.dumps(value).encode() for value in values]
    assert json_kind(b"\n".join(lines), whole=True) == "jsonl"
    assert json_kind(b"\n".join(lines) + b"\n", whole=True) == "jsonl"
    assert json_kind(b" ".join(lines), whole=True) is None


@given(JSON.filter(lambda value: isinstance(value, dict | list)), st.data())
def test_json_may_be_cut_anywhere_unless_it_is_all_there_is(value: object, data: st.DataObject) -> None:
    text = json.dumps(value).encode()
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    assert json_kind(cut, whole=False) == "json"
    assert json_kind(cut, whole=True) is None


@pytest.mark.parametrize(
    "text",
    [b"", b"x", b"{x}", b"[1,]", b'{"a" 1}' + b" " * 40, b"[" * 100_000, b"[" + b"9" * 5000 + b"]", b'"text"', b"12"],
)
def test_what_no_parser_reads_is_no_json(text: bytes) -> None:
    assert json_kind(text, whole=True) is None

"""What a message carries, in the form of every version; and what it may not."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from assets.transfer.sillytavern.attachments import Attached, attached, with_addresses
from metadata.errors import InvalidError

DATA = "data:image/png;base64," + base64.b64encode(b"bytes").decode()


@pytest.mark.parametrize(
    ("extra", "urls"),
    [
        ({}, []),
        ({"image": "/user/images/a.png", "inline_image": True, "title": "a"}, ["/user/images/a.png"]),
        ({"image": "b.png", "image_swipes": ["a.png", "b.png", 7]}, ["b.png", "a.png"]),
        ({"inline_image": DATA}, [DATA]),
        ({"video": "v.mp4"}, ["v.mp4"]),
        ({"file": {"url": "/user/files/a.txt", "name": "notes.txt"}}, ["/user/files/a.txt"]),
        ({"files": [{"url": "a"}, {"url": "b"}, {"text": "inline"}, "damaged", None]}, ["a", "b"]),
        ({"media": [{"url": "a", "type": "image"}], "image": "a"}, ["a"]),
        ({"image": "", "file": [], "media": {"url": 7}, "image_swipes": {}}, []),
    ],
)
def test_every_form_is_found_once(extra: dict[str, Any], urls: list[str]) -> None:
    assert [one.url for one in attached(extra)] == urls


@pytest.mark.parametrize(
    ("url", "paths"),
    [
        ("/user/a%20b.png?t=1#x", ["user/a b.png", "user/a%20b.png", "user/a%20b.png?t=1#x"]),
        ("user\\images\\a.png", ["user/images/a.png"]),
        ("User Avatars/me.png", ["User Avatars/me.png"]),
        ("/secrets.json", []),
        ("/user/../secrets.json", []),
        ("/user/%2e%2e/secrets.json", ["user/%2e%2e/secrets.json"]),
        ("settings.json", []),
        ("/chats/a/b.jsonl", []),
        ("", []),
    ],
)
def test_an_address_means_a_file_of_the_folder(url: str, paths: list[str]) -> None:
    assert Attached(url).paths() == paths


def test_an_address_elsewhere_is_known() -> None:
    for url in ("https://example.org/a.png", "//example.org/a.png", "file:///etc/passwd", "blob:x"):
        assert Attached(url).is_elsewhere
    assert not Attached("/user/images/a.png").is_elsewhere
    assert not Attached(DATA).is_elsewhere


def test_bytes_in_an_address() -> None:
    assert Attached(DATA).bytes() == b"bytes"
    assert Attached("DATA:,a%20b").bytes() == b"a b"
    assert Attached("data:text/plain;charset=utf-8,a").bytes() == b"a"
    for damaged in ("data:image/png;base64,@@@", "data:image/png;base64,YQ", "data:image/png"):
        with pytest.raises(InvalidError):
            Attached(damaged).bytes()


def test_names() -> None:
    assert Attached("/user/files/1_a.txt", "notes.txt").filename() == "notes.txt"
    assert Attached("/user/files/1_a%20b.txt").filename() == "1_a b.txt"
    assert Attached(DATA).filename() == "file.png"
    assert Attached("data:,x").filename() == "file"
    assert Attached("nowhere").filename() == "file"


def test_bytes_are_replaced_by_where_they_are_now() -> None:
    extra = {"image": DATA, "media": [{"url": DATA, "title": DATA}], "note": DATA, "n": 1}
    replaced = with_addresses(extra, {DATA: "/blobs/x"})
    assert replaced == {"image": "/blobs/x", "media": [{"url": "/blobs/x", "title": "/blobs/x"}], "note": DATA, "n": 1}
    assert with_addresses(extra, {}) == extra

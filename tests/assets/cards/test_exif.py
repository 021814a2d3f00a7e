"""Cards in the comments of WebP and JPEG files."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING

import pytest

from assets.cards.errors import DamagedCardError, NotACardError
from assets.cards.exif import comments
from assets.cards.limits import DEFAULT, CardLimits
from assets.cards.reading import read_card
from metadata.errors import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

USER_COMMENT = 0x9286
DESCRIPTION = 0x010E


def numbers(data: bytes) -> bytes:
    return ",".join(str(byte) for byte in data).encode()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "write",
    [
        lambda data: data,
        lambda data: b"ASCII\0\0\0" + data,
        lambda data: bytes(8) + data + b"\0",
        lambda data: b"UNICODE\0" + data.decode().encode("utf-16-le"),
        lambda data: b"UNICODE\0" + data.decode().encode("utf-16-be"),
        lambda data: b"UNICODE\0" + data,
        base64.b64encode,
        numbers,
    ],
)
def test_every_way_of_putting_it_there(building: ModuleType, write: Callable[[bytes], bytes], order: str) -> None:
    text = json.dumps({**building.V1, "creator": "Zoë 🦊"}, ensure_ascii=False).encode()
    block = building.tiff({}, order=order, nested={USER_COMMENT: write(text)})
    for data, container in ((building.webp(block), "webp"), (building.jpeg(block), "jpeg")):
        found = read_card(io.BytesIO(data))
        assert found.card.document == json.loads(text)
        assert found.container == container
        assert [(text.keyword, text.won) for text in found.texts] == [("UserComment", True)]
        picture = found.open_picture()
        assert picture is not None
        assert picture.read() == data


def test_other_places(building: ModuleType) -> None:
    text = json.dumps(building.V2).encode()
    for data in (building.jpeg(building.tiff({DESCRIPTION: text})), building.jpeg(comment=base64.b64encode(text))):
        assert read_card(io.BytesIO(data)).card.document == building.V2


@pytest.mark.parametrize("comment", [None, b"", b"Holiday", b'{"prompt": "a cat", "steps": 20}', b"{not json", b"1,2"])
def test_a_comment_that_is_no_card(building: ModuleType, comment: bytes | None) -> None:
    block = None if comment is None else building.tiff({}, nested={USER_COMMENT: comment})
    for data in (building.webp(block), building.jpeg(block, comment)):
        with pytest.raises(NotACardError, match="ordinary picture"):
            read_card(io.BytesIO(data))


def test_a_card_that_is_damaged_is_told(building: ModuleType) -> None:
    for text in (b'{"name": "A", "first_mes": "', base64.b64encode(b'{"name": "A"') + b"!!"):
        with pytest.raises(DamagedCardError):
            read_card(io.BytesIO(building.webp(building.tiff({}, nested={USER_COMMENT: text}))))


def test_a_block_that_contradicts_itself_has_no_comments(building: ModuleType) -> None:
    whole = building.tiff({DESCRIPTION: b"{" * 50}, nested={USER_COMMENT: b"{" * 50})
    for length in range(len(whole)):
        for data in (building.webp(whole[:length]), building.jpeg(whole[:length])):
            list(comments(io.BytesIO(data), DEFAULT))
    # Two directories that name each other.
    round_ = b"II*\0\x08\0\0\0\1\0" + b"\x69\x87\4\0\1\0\0\0\x08\0\0\0" + bytes(4)
    assert list(comments(io.BytesIO(building.webp(round_)), DEFAULT)) == []


def test_a_picture_with_another_zip_still_has_its_comments(building: ModuleType) -> None:
    data = building.jpeg(comment=json.dumps(building.V1).encode()) + building.zipped("photo.txt", b"\3\0", 0)
    assert read_card(io.BytesIO(data)).container == "jpeg"


def test_only_some_comments_are_tried(building: ModuleType) -> None:
    comment = building.jpeg(comment=b"{" * 60_000)[20:-12]
    assert comment.startswith(b"\xff\xfe")
    data = b"\xff\xd8" + comment * 1000 + building.jpeg(comment=json.dumps(building.V1).encode())[20:]
    assert len(list(comments(io.BytesIO(data), DEFAULT))) == 32
    with pytest.raises(NotACardError):
        read_card(io.BytesIO(data))


def test_a_block_is_bounded(building: ModuleType) -> None:
    data = building.webp(building.tiff({DESCRIPTION: b"{" * 500}))
    with pytest.raises(TooLargeError):
        list(comments(io.BytesIO(data), CardLimits(text_bytes=500)))

"""Avatars by hash."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.conftest import Api

UNKNOWN = "1f" * 32


def portrait() -> bytes:
    """Encode a tall picture: red above, green in the middle, blue below."""
    image = Image.new("RGB", (300, 900), "blue")
    image.paste("green", (0, 300, 300, 600))
    image.paste("red", (0, 0, 300, 300))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def stored(api: Api, data: bytes) -> str:
    api.upload(data)
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(("asked", "side"), [("", 96), ("?s=1", 32), ("?s=97", 128), ("?s=256", 256), ("?s=2048", 300)])
def test_squares_of_the_next_size_on_offer_never_enlarged(api: Api, asked: str, side: int) -> None:
    sha = stored(api, portrait())
    answer = api.ask("GET", f"/avatars/{sha}.png{asked}", token=None)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (side, side)


def test_faces_are_kept(api: Api) -> None:
    answer = api.ask("GET", f"/avatars/{stored(api, portrait())}.png", token=None)
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.convert("RGB").getpixel((48, 10))[0] > 200  # type: ignore[index] # three bands are a tuple
        assert image.convert("RGB").getpixel((48, 90))[1] > 100  # type: ignore[index] # three bands are a tuple


def test_the_format_is_negotiated_without_an_extension(api: Api) -> None:
    sha = stored(api, portrait())
    answer = api.ask("GET", f"/avatars/{sha}", token=None, headers={"Accept": "image/webp"})
    assert (answer.headers["content-type"], answer.headers["vary"]) == ("image/webp", "Accept")


@pytest.mark.parametrize("kind", ["mp", "identicon", "blank"])
def test_something_stands_in_for_the_unknown(api: Api, kind: str) -> None:
    url = f"/avatars/{UNKNOWN}.webp?s=64&d={kind}"
    answer = api.ask("GET", url, token=None)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert (answer.headers["cache-control"], answer.headers["content-disposition"][:6]) == (
        "public, max-age=300",
        "inline",
    )
    assert b'width="64"' in answer.content
    tag = answer.headers["etag"]
    assert api.ask("GET", url, token=None, headers={"If-None-Match": tag}).status_code == 304
    assert api.ask("GET", url, token=None, headers={"Range": "bytes=1-3"}).content == answer.content[1:4]


def test_without_a_stand_in_the_unknown_is_not_there(api: Api) -> None:
    for ending in ("", "?d=404", ".png?s=10"):
        assert api.ask("GET", f"/avatars/{UNKNOWN}{ending}", token=None).status_code == 404
    words = stored(api, b"just words")
    assert api.ask("GET", f"/avatars/{words}", token=None).status_code == 415
    assert api.ask("GET", f"/avatars/{words}?d=mp", token=None).status_code == 200


@pytest.mark.parametrize("query", ["s=0", "s=2049", "s=-1", "s=x", "d=robohash", "d=", "s=99999999999999999"])
def test_what_makes_no_sense_is_refused(api: Api, query: str) -> None:
    assert api.ask("GET", f"/avatars/{UNKNOWN}?{query}", token=None).status_code == 422


def test_private_avatars_are_their_owners(open_api: Callable[..., Api]) -> None:
    api = open_api(BLOB_ACCESS="private")
    sha = stored(api, portrait())
    assert api.ask("GET", f"/avatars/{sha}.png", token=None).status_code == 401
    assert api.ask("GET", f"/avatars/{sha}.png", token=api.bob).status_code == 404
    assert api.ask("GET", f"/avatars/{sha}.png?d=mp", token=api.bob).headers["content-type"] == "image/svg+xml"
    assert api.ask("GET", f"/avatars/{sha}.png").headers["cache-control"].startswith("private")


def test_a_wrong_extension_is_refused_and_not_stood_in_for(api: Api) -> None:
    sha = stored(api, portrait())
    assert api.ask("GET", f"/avatars/{sha}.gif?d=identicon", token=None).status_code == 422
    assert api.ask("GET", f"/avatars/{UNKNOWN}.gif?d=identicon", token=None).status_code == 422


def test_a_stand_ins_tag_is_of_its_bytes(api: Api) -> None:
    answer = api.ask("GET", f"/avatars/{UNKNOWN}?d=identicon", token=None)
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'

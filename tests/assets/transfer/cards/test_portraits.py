"""The pictures that cards are written into."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from assets.images.identicon import as_png
from assets.transfer.cards.portraits import Portraits
from metadata.errors import InvalidError

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.schemas.characters import Character

    from .conftest import Home

FIELDS = {"name": "Aria", "description": "", "personality": "", "scenario": "", "first_message": ""}


@pytest.fixture
def portraits(home: Home) -> Portraits:
    inside = home.store.inside
    return Portraits(inside.assets, inside.prints)


def shown(home: Home, portraits: Portraits, data: bytes) -> bytes:
    """Return what the portrait of somebody with this picture is."""
    return read(portraits, pictured(home, data))


def pictured(home: Home, data: bytes) -> Character:
    asset = home.store.assets.put(data)
    return home.store.characters.create(**FIELDS, default_image_id=asset.id)


def read(portraits: Portraits, character: Character) -> bytes:
    with portraits.open(character) as file:
        return file.read()


def test_a_png_is_taken_as_it_is(home: Home, portraits: Portraits, building: ModuleType) -> None:
    picture = building.png()
    assert shown(home, portraits, picture) == picture
    digest = hashlib.sha256(picture).hexdigest()
    character = home.store.characters.create(**FIELDS, avatar_url=f"/avatars/{digest}?s=96")
    assert read(portraits, character) == picture
    assert portraits.version(character) == digest


def test_another_format_is_converted(home: Home, portraits: Portraits) -> None:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(out, "JPEG")
    made = shown(home, portraits, out.getvalue())
    with Image.open(io.BytesIO(made)) as image:
        assert (image.format, image.size) == ("PNG", (30, 20))


def test_who_has_none_gets_a_drawn_one(home: Home, portraits: Portraits, building: ModuleType) -> None:
    plain = home.store.characters.create(**FIELDS)
    drawn = as_png(hashlib.sha256(plain.id.encode()).hexdigest())
    assert read(portraits, plain) == drawn
    assert portraits.version(plain) == ""
    elsewhere = plain.replaced(avatar_url="https://example.org/a.png", default_image_id=None)
    assert read(portraits, elsewhere) == drawn
    lost = pictured(home, building.png(colour=5))
    blobs = home.store.inside.assets.blobs
    blobs.remove(next(iter(blobs.scan())))
    assert read(portraits, lost) == as_png(hashlib.sha256(lost.id.encode()).hexdigest())


def test_what_is_no_picture_is_none(home: Home, portraits: Portraits) -> None:
    character = pictured(home, b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert read(portraits, character) == as_png(hashlib.sha256(character.id.encode()).hexdigest())


def test_a_damaged_picture_is_told(home: Home, portraits: Portraits) -> None:
    with pytest.raises(InvalidError):
        read(portraits, pictured(home, b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"))

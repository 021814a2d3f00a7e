"""Pictures drawn from a hash."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from assets.images.identicon import CELL, CELLS, MARGIN, SIDE, as_png, pattern

SHA256 = hashlib.sha256(b"somebody").hexdigest()


def test_a_pattern_is_mirrored_and_the_hashs_own() -> None:
    drawn = pattern(SHA256)
    inks = {(column, row): ink for column, row, ink in drawn.tiles}
    assert inks
    assert inks == {(CELLS - 1 - column, row): ink for (column, row), ink in inks.items()}
    assert drawn == pattern(SHA256)
    assert drawn != pattern(hashlib.sha256(b"somebody else").hexdigest())


def test_the_png_shows_the_pattern() -> None:
    drawn = pattern(SHA256)
    with Image.open(io.BytesIO(as_png(SHA256))) as opened:
        shown = opened.convert("RGB")
    scale = shown.width // SIDE
    inks = {(column, row): ink for column, row, ink in drawn.tiles}

    def colour(x: int, y: int) -> str:
        pixel = shown.getpixel((x * scale, y * scale))
        assert isinstance(pixel, tuple)
        return "#" + bytes(int(part) for part in pixel).hex()

    assert shown.size == (640, 640)
    assert colour(0, 0) == colour(SIDE - 1, SIDE - 1) == drawn.paper
    for column in range(CELLS):
        for row in range(CELLS):
            middle = MARGIN + CELL * column + CELL // 2, MARGIN + CELL * row + CELL // 2
            assert colour(*middle) == inks.get((column, row), drawn.paper)

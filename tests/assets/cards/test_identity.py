"""The identity of a picture, whatever card is in it."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

from assets.cards.identity import picture_identity, without_card

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def identity(data: bytes) -> str | None:
    return picture_identity(io.BytesIO(data))


def test_it_is_the_hash_of_the_file_where_there_is_no_card(building: ModuleType) -> None:
    data = building.png([building.text("Comment", b"c")], tail=b"more")
    assert identity(data) == hashlib.sha256(data).hexdigest()


def test_the_chunks_of_a_card_make_no_difference(building: ModuleType) -> None:
    bare = building.png([building.text("Comment", b"c")])
    text = building.text
    carded = building.png(
        [text("Comment", b"c"), text("chara", b"x"), text("chara-ext-asset_:1", b"QQ==")],
        [text("CCV3", b"y", "iTXt"), text("chara", b"z", "zTXt")],
    )
    assert identity(carded) == identity(bare)


def test_everything_else_does(building: ModuleType) -> None:
    text = building.text
    pictures = [
        building.png(),
        building.png(colour=1),
        building.png([text("Comment", b"c")]),
        building.png([], [text("Comment", b"c")]),
        building.png(tail=b"\0"),
    ]
    assert len({identity(data) for data in pictures}) == len(pictures)


def test_only_a_png_has_one() -> None:
    assert identity(b"\xff\xd8\xff\xe0") is None
    assert identity(b"") is None


def test_it_is_the_hash_of_the_picture_without_its_card(corpus: Path) -> None:
    with (corpus / "tavern/default_Seraphina.png").open("rb") as source:
        bare = b"".join(without_card(source))
        assert picture_identity(source) == hashlib.sha256(bare).hexdigest() == identity(bare)

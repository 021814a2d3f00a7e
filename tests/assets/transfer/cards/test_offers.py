"""Files that may be cards."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from assets.transfer.cards.offers import FileOffer, StagedOffer
from metadata.errors import NotFoundError
from server.importing import intake_of

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Home


def test_a_file_on_disk(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"card")
    offer = FileOffer(path)
    assert (offer.name, offer.place, offer.named) == ("a.png", str(path), True)
    with offer.open() as source:
        assert source.read() == b"card"
    staged = offer.stage(intake_of(home.store.inside))
    assert staged.read_at(0, 9) == b"card"
    staged.discard()
    with pytest.raises(NotFoundError):
        FileOffer(tmp_path / "absent").open()


def test_a_name_that_is_no_text_is_shown_all_the_same(tmp_path: Path) -> None:
    offer = FileOffer(tmp_path / os.fsdecode(b"a\xff.png"))
    assert offer.name == "a\ufffd.png"
    assert offer.place.endswith("a\ufffd.png")


def test_an_upload_is_read_like_a_file(home: Home) -> None:
    intake = intake_of(home.store.inside)
    data = bytes(range(256)) * 100
    staged = intake.stage(io.BytesIO(data), "upload")
    offer = StagedOffer(staged, "a.png")
    assert offer.stage(intake) is staged
    with offer.open() as source:
        assert source.seekable()
        assert source.read(5) == data[:5]
        assert source.tell() == 5
        assert source.seek(-3, io.SEEK_END) == len(data) - 3
        assert source.read() == data[-3:]
        assert source.seek(2) == 2
        assert source.seek(2, io.SEEK_CUR) == 4
        assert source.read() == data[4:]
    staged.discard()

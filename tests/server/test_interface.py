"""What every implementation of the interface refuses, and walking it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import InvalidError
from server.interface import Filters, PutFields, check_names, walk
from server.local import LocalAssets
from server.remote import RemoteAssets
from server.views import AssetPage, AssetView

if TYPE_CHECKING:
    from server.interface import Assets

WIRE: dict[str, Any] = {
    "id": "i", "sha256": "s", "type": "image", "filename": "f", "mimeType": "image/png", "size": 1,
    "url": "/blobs/s.png",
    "createdAt": "t", "updatedAt": "t",
}  # fmt: skip


def test_unknown_names_are_refused_by_name() -> None:
    check_names({"filename": "x", "tags": ()}, PutFields)
    check_names({"user_id": "x"}, Filters)
    with pytest.raises(InvalidError, match="'filenme'") as caught:
        check_names({"filenme": "x"}, PutFields)
    assert caught.value.details["field"] == "filenme"


def test_walking_follows_the_pages() -> None:
    class Pages:
        def list(self, *, cursor: str | None = None, **wanted: object) -> AssetPage:
            assert wanted == {"limit": 500, "sort": "-size", "q": None, "type": "image"}
            place = int(cursor or 0)
            view = AssetView.of(WIRE | {"id": str(place)})
            return AssetPage([view], str(place + 1) if place < 2 else None, 3)

    found = walk(Pages(), sort="-size", type="image")  # type: ignore[arg-type] # only its list is asked for
    assert [view.id for view in found] == ["0", "1", "2"]


def test_both_sides_fulfil_it() -> None:
    def takes(assets: type[Assets]) -> list[str]:
        return sorted(name for name in vars(assets) if not name.startswith("_"))

    assert takes(LocalAssets) == takes(RemoteAssets)

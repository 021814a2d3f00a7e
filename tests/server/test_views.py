"""The values of the interface to assets."""

from __future__ import annotations

from typing import Any

import pytest

from metadata.errors import InvalidError
from server.views import AssetView

WIRE: dict[str, Any] = {
    "id": "i", "sha256": "s", "type": "image", "filename": "f", "mimeType": "image/png", "size": 1,
    "url": "/blobs/s.png",
    "createdAt": "t", "updatedAt": "t",
}  # fmt: skip


def test_an_answer_becomes_a_view() -> None:
    view = AssetView.of(WIRE | {"tags": ["a"], "width": 5, "duplicate": True, "chatId": "c"}, "v1")
    assert (view.media_type, view.tags, view.width, view.duplicate, view.chat_id) == ("image/png", ("a",), 5, True, "c")
    assert (view.source, view.height, view.version) == ("upload", None, "v1")
    assert view == AssetView.of(view.wire, "another version"), "the version is no part of what it is"


@pytest.mark.parametrize("wrong", [{}, {"id": "i"}, None, [], WIRE | {"tags": 5}])
def test_what_is_no_asset(wrong: Any) -> None:
    with pytest.raises(InvalidError, match="not an asset"):
        AssetView.of(wrong)

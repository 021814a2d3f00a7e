"""Addresses that begin with a hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.server.conftest import Api


@pytest.mark.parametrize("path", ["/blobs/{}", "/blobs/{}/thumb", "/avatars/{}", "/avatars/{}?d=identicon"])
@pytest.mark.parametrize("name", ["0" * 63, "A" * 64, "x", "0" * 64 + ".p-g", "0" * 64 + "\u00e9"])
def test_what_is_no_hash_is_nowhere(api: Api, path: str, name: str) -> None:
    answer = api.ask("GET", path.format(name), token=None)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "64 lower-case hex digits" in answer.json()["detail"]

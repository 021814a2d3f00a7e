"""Which payloads are used; what stands behind the answers is tested with garbage collection, in tests/assets/gc."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.documents.contract import put, remove
from metadata.documents.usage import Unnamed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metadata.documents.json_files import JsonFiles

USER = "11111111-1111-4111-8111-111111111111"
ASSET = "22222222-2222-4222-8222-222222222222"
DATES = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}


def asset(sha256: str) -> dict[str, object]:
    common = {"id": ASSET, "userId": USER, "type": "image", "filename": "f", "mimeType": "image/png", "size": 1}
    return {
        **common,
        "sha256": sha256,
        "relativePath": f"binaries/{sha256}/raw",
        "source": "upload",
        "tags": [],
        **DATES,
    }


def fact(sha256: str, **more: object) -> dict[str, object]:
    return {"sha256": sha256, "size": 7, **more}


def test_what_is_named_mentioned_and_buried(root: Path, open_files: Callable[[Path], JsonFiles]) -> None:
    store, one, two, three = open_files(root), "1" * 64, "2" * 64, "3" * 64
    store.apply([put("user", {"id": USER, "email": "a@example.org", "image": f"/blobs/{two}", **DATES})])
    store.apply([put("asset", asset(one))])
    for sha256 in (one, two, three):
        store.apply([put("fact", fact(sha256, firstStoredAt="2026-01-01T00:00:00.000Z"))])
    usage = store.usage
    assert usage.catch_up() == []
    assert usage.unnamed() == [
        Unnamed(two, 7, "2026-01-01T00:00:00.000Z", mentioned=True),
        Unnamed(three, 7, "2026-01-01T00:00:00.000Z", mentioned=False),
    ]
    assert (usage.payloads(), usage.known()) == ((3, 21), {one, two, three})
    assert usage.live_among([one, two, three, "4" * 64]) == {one, two}
    assert usage.live_among([]) == set()
    assert (usage.census()["asset"], usage.census()["user"], "fact" in usage.census()) == (1, 1, False)
    assert (usage.is_loose(ASSET), usage.is_loose(USER), len(usage.loose("2027"))) == (True, False, 1)
    store.apply([remove("asset", ASSET)])
    assert [key for key, _ in usage.buried(one)] == [ASSET]
    assert usage.buried(two) == []
    assert usage.is_loose(ASSET) is False


def test_another_process_is_followed(root: Path, open_files: Callable[[Path], JsonFiles]) -> None:
    one, other = open_files(root), open_files(root)
    assert one.usage.unnamed() == []
    other.apply([put("fact", fact("1" * 64))])
    assert [found.sha256 for found in one.usage.unnamed()] == ["1" * 64]
    other.apply([put("asset", asset("1" * 64), trusting=True)])
    assert one.usage.unnamed() == []

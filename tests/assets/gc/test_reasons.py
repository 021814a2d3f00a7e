"""Why a payload is kept or not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from assets.digest import Digest
from metadata.errors import InvalidError

if TYPE_CHECKING:
    from tests.assets.conftest import House


def test_every_use_is_told(house: House) -> None:
    asset, other = house.put(), house.put(type="avatar")
    who = house.character(default_image_id=asset.id)
    writes = house.character(system_prompt=f"see {asset.sha256}")
    found = house.gc.why(asset.sha256)
    assert {(use.kind, use.key, use.how, use.of) for use in found.uses} == {
        ("asset", asset.id, "names", ""),
        ("asset", other.id, "names", ""),
        ("character", who, "defaultImageId", asset.id),
        ("character", writes, "mention", ""),
    }
    assert (found.size, found.wanted) == (10, "2026-05-01T00:00:00.000Z")
    assert found.verdict == "It is kept: 2 record(s) name it and 1 record(s) mention it."
    assert json.loads(json.dumps(found.document()))["uses"][0]["name"] == "f.bin"


def test_the_way_to_the_end(house: House) -> None:
    asset = house.put()
    house.store.assets.forget(asset.id)
    assert "left alone" in house.gc.why(asset.sha256).verdict
    house.clock.go(days=2)
    found = house.gc.why(asset.sha256)
    assert "next garbage collection" in found.verdict
    assert found.deleted == ((asset.id, "2026-05-01T00:00:00.000Z"),)
    house.collect()
    found = house.gc.why(asset.sha256)
    assert (found.size, found.trash[0].until) == (None, "2026-05-10T00:00:00.000Z")
    assert "2026-05-10" in found.verdict
    house.character(avatar_url=f"/blobs/{asset.sha256}")
    assert "come back" in house.gc.why(asset.sha256).verdict
    assert house.store.assets.find(Digest(asset.sha256)).size == 10
    assert house.gc.why(asset.sha256).verdict.startswith("It is kept")


def test_what_is_missing_and_what_never_was(house: House) -> None:
    asset = house.put()
    house.raw(asset.sha256).unlink()
    assert "missing" in house.gc.why(asset.sha256).verdict
    assert "no such payload" in house.gc.why("0" * 64).verdict
    with pytest.raises(InvalidError):
        house.gc.why("x")


def test_what_stops_everything_is_told(house: House) -> None:
    asset = house.put()
    (house.root / f"characters/{house.character()}.json").write_bytes(b"{")
    assert "Nothing is removed at the moment" in house.gc.why(asset.sha256).verdict
    (house.root / "quarantine").mkdir(exist_ok=True)
    (house.root / "quarantine/piece").write_text(f"...{asset.sha256}")
    assert "quarantine" in house.gc.why(asset.sha256).verdict

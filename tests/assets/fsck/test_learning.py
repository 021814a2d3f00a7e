"""What payloads tell again once the files that knew it are gone: many of them in few writes."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

import pytest

from assets.digest import Digest
from assets.fsck import repairing
from assets.fsck.report import Wishes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.assets.conftest import House

SAME = [text for text in (b"%d" % number for number in range(3000)) if hashlib.sha256(text).digest()[0] == 0][:5]


def mend(house: House) -> list[str]:
    """Repair what is to be repaired; return what could not be."""
    checks = house.store.checks
    return [done.error for done in checks.repairer.execute(repairing.plan(checks.verifier.run(Wishes()).findings))]


@pytest.mark.parametrize("name", ["facts", "index"])
def test_what_is_lost_of_one_shard_is_learnt_in_one_write(
    open_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    house = open_house(durability="full")
    assets = [house.put(text) for text in [*SAME, b"other"]]
    log = house.root / f"binaries/{name}.jsonl"
    log.unlink()
    fs = house.store.engine.fs
    writes, sync = [], fs.fdatasync

    def counted(descriptor: int) -> None:
        sync(descriptor)
        if log.exists() and fs.fstat(descriptor).st_ino == log.stat().st_ino:
            writes.append(fs.fstat(descriptor).st_size)

    monkeypatch.setattr(fs, "fdatasync", counted)
    assert set(mend(house)) == {""}
    assert len(set(writes)) == 2
    for asset in assets:
        assert house.store.assets.find(Digest(asset.sha256)).size == asset.size
        assert house.gc.premises.facts.get(asset.sha256).size == asset.size
    assert house.store.checks.verifier.run(Wishes(full=True)).sound


def test_one_payload_that_cannot_be_read_hinders_no_other(house: House) -> None:
    digests = [Digest(house.put(text).sha256) for text in SAME]
    (house.root / "binaries/facts.jsonl").unlink()
    checks = house.store.checks
    steps = repairing.plan(checks.verifier.run(Wishes()).findings)
    house.raw(digests[0]).unlink()
    house.raw(digests[0]).mkdir()
    house.raw(digests[1]).unlink()
    errors = {done.step.finding.about: done.error for done in checks.repairer.execute(steps)}
    assert [about for about, error in errors.items() if error] == [digests[0]]
    assert house.gc.premises.disposal.usage.known() == set(digests[2:])


def test_the_picture_identity_of_a_card_is_learnt(house: House) -> None:
    def chunk(name: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")

    start, end = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0])),
        chunk(b"IEND", b""),
    )
    card, plain = (house.put(start + more + end) for more in (chunk(b"tEXt", b"chara\0e30="), b""))
    (house.root / "binaries/facts.jsonl").unlink()
    assert set(mend(house)) == {""}
    facts = house.gc.premises.facts
    assert facts.get(card.sha256).picture_identity == plain.sha256
    assert facts.get(plain.sha256).picture_identity is None

"""The account of derived pictures: shared by processes, never in the way when it is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from assets.images.ledger import Account, Ledger

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "account"


def test_a_new_account_knows_nothing(path: Path) -> None:
    assert Ledger(path).read() == Account()


def test_what_is_added_is_there_for_all(path: Path) -> None:
    Ledger(path).add(size=10, files=1, computed=1, peak_bytes=7)
    Ledger(path).add(size=-3, refused=2, evicted=1, peak_bytes=5)
    assert Ledger(path).read() == Account(False, 7, 1, 1, 2, 1, 7)  # noqa: FBT003 - all of it


def test_nothing_is_lost_between_writers(path: Path) -> None:
    ledgers = [Ledger(path) for _ in range(4)]

    def write(ledger: Ledger) -> None:
        for _ in range(50):
            ledger.add(size=1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, ledgers))
    assert Ledger(path).read().size == 200


def test_it_never_falls_below_nothing(path: Path) -> None:
    assert Ledger(path).add(size=-5, files=-1) == Account()


def test_a_count_keeps_what_was_added_meanwhile(path: Path) -> None:
    ledger = Ledger(path)
    before = ledger.add(size=100, files=10)
    ledger.add(size=5, files=1)
    counted = ledger.counted(60, 6, before)
    assert (counted.known, counted.size, counted.files) == (True, 65, 7)
    assert ledger.read() == counted


@pytest.mark.parametrize("data", [b"", b"short", b"x" * 57, b"x" * 4000])
def test_a_damaged_account_knows_nothing_again(path: Path, data: bytes) -> None:
    ledger = Ledger(path)
    ledger.counted(5, 1, ledger.read())
    path.write_bytes(data)
    assert ledger.read() == Account()
    assert ledger.add(size=1).size == 1


def test_it_survives_its_folder(path: Path) -> None:
    ledger = Ledger(path)
    ledger.add(size=1)
    for left in path.parent.iterdir():
        left.unlink()
    path.parent.rmdir()
    assert ledger.add(size=2).size == 2
    ledger.close()

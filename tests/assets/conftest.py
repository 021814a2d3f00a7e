"""A whole store in a folder of its own, with a clock that a test moves."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from assets.digest import Digest
from assets.upload import Upload
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from assets.gc import Collection
    from metadata.schemas.assets import Asset

TEXTS = {"description": "d", "personality": "p", "scenario": "s", "first_message": "f"}


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 5, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the moment."""
        return self.time

    def monotonic(self) -> float:
        """Return it as seconds."""
        return self.time.timestamp()

    def go(self, **span: float) -> None:
        """Let time pass."""
        self.time += timedelta(**span)


class House:
    """An opened store with its parts within reach.

    Attributes:
        root: the data folder.
        clock: moved by hand; durations are a day of grace and a week of trash.
    """

    def __init__(self, root: Path, **settings: object) -> None:
        self.root = root
        self.clock = HandClock()
        chosen = {"data_dir": root, "durability": "none", "min_free_bytes": 0, **settings}
        self.store = open_store(load_settings({}, chosen).settings, clock=self.clock)

    @property
    def gc(self) -> Collection:
        """The garbage collection."""
        return self.store.gc

    def put(self, data: bytes = b"some bytes", **more: Any) -> Asset:
        """Store a file."""
        with self.store.assets.receive() as staging:
            staging.write(data)
            upload = Upload(**{"user_id": self.store.owner.id, "filename": "f.bin", **more})
            return self.store.assets.store(staging.finish(), upload).asset

    def drop(self, data: bytes = b"some bytes") -> Digest:
        """Store a file and delete its record: garbage, and its hash."""
        asset = self.put(data)
        self.store.assets.forget(asset.id)
        return Digest(asset.sha256)

    def character(self, **more: Any) -> str:
        """Make a character; return its id."""
        return self.store.records.characters.create(user_id=self.store.owner.id, name="n", **TEXTS, **more).id

    def collect(self, *, force: bool = False, **wishes: Any) -> dict[str, object]:
        """Plan and execute; return what was done, without zeros."""
        report = self.gc.execute(self.gc.plan(**wishes), force=force)
        return {name: value for name, value in report.document().items() if value}

    def raw(self, digest: str) -> Path:
        """Return where a payload lies."""
        return self.root / "binaries" / digest / "raw"

    def trash(self) -> list[str]:
        """Return the hashes in the trash."""
        return [one.sha256 for one in self.gc.trashed()]


def hash_of(data: bytes) -> Digest:
    """Return the digest of bytes."""
    return Digest(hashlib.sha256(data).hexdigest())


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Return a function that opens a store with some settings; all are closed afterwards."""
    opened: list[House] = []

    def start(**settings: object) -> House:
        opened.append(House(tmp_path / "data", **settings))
        return opened[-1]

    yield start
    for made in opened:
        made.store.close()


@pytest.fixture
def house(open_house: Callable[..., House]) -> House:
    """A fresh store."""
    return open_house()

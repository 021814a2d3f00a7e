"""A store with records of every sort, and backups of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.backup.restoring import restore
from assets.backup.taking import Wishes
from assets.fsck.report import Wishes as Checked
from metadata.files.filesystem import FileSystem
from metadata.schemas.catalog import CATALOG
from server.configuration import load_settings
from server.wiring import open_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from assets.backup.report import Restored, Taken
    from server.wiring import Store
    from tests.assets.conftest import House


class Keeper:
    """Takes backups of a house and restores them."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.folder = folder
        self._count = 0
        self._opened: list[House] = []
        folder.mkdir()

    def take(self, name: str = "backup", **wishes: bool) -> Taken:
        """Take a backup under this name."""
        return self.house.store.backups.take(name, self.folder / name, Wishes(**wishes))

    def restore(self, name: str = "backup") -> tuple[Path, Restored]:
        """Restore a backup into a folder of its own."""
        self._count += 1
        root = self.folder / f"restored-{self._count}"
        return root, restore(FileSystem(), self.folder / name, root)

    def opened(self, root: Path) -> House:
        """Open a restored store; it is closed with the test's others."""
        again: House = type(self.house)(root)
        self._opened.append(again)
        return again

    def close(self) -> None:
        """Close what was opened."""
        for again in self._opened:
            again.store.close()


def records(store: Store) -> dict[str, list[object]]:
    """Return every record of a store, by kind."""
    return {kind: sorted(((one.key, one.body) for one in store.documents.scan(kind)), key=str) for kind in CATALOG}


def findings(root: Path) -> list[str]:
    """Return what a full check of a folder finds that needs somebody to act."""
    settings = load_settings({}, {"data_dir": root, "expect_store": True}).settings
    with open_checks(settings) as checks:
        report = checks.verifier.run(Checked(full=True))
        return [f"{one.kind} {one.about}: {one.evidence}" for one in report.findings if one.weight.value != "notice"]


@pytest.fixture
def keeper(house: House, tmp_path: Path) -> Iterator[Keeper]:
    """What takes backups of the house."""
    made = Keeper(house, tmp_path / "backups")
    yield made
    made.close()


@pytest.fixture
def every_record() -> Callable[[Store], dict[str, list[object]]]:
    """Returns every record of a store, by kind."""
    return records


@pytest.fixture
def check() -> Callable[[Path], list[str]]:
    """Returns what a full check of a folder finds."""
    return findings

"""A store to import cards into, and the files with cards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import calotype
from assets.transfer.cards.offers import FileOffer
from server.importing import card_import_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from assets.transfer.cards.importer import CardImport
    from assets.transfer.cards.outcomes import Outcome
    from metadata.schemas.characters import Character


@pytest.fixture(scope="session")
def building(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    """Make files with cards."""
    return load_beside(Path(__file__).parents[2] / "cards" / "building.py")


class Home:
    """A store, and imports into it.

    Attributes:
        store: the store.
        owner: the id of the user whose the characters are to be; the first one unless changed.
    """

    def __init__(self, folder: Path, desk: Path, **settings: Any) -> None:
        self.store = calotype.open(folder, durability="none", **({"min_free_bytes": 0} | settings))
        self.owner = self.store.inside.owner.id
        self._desk = desk
        desk.mkdir(exist_ok=True)

    def importing(self) -> CardImport:
        return card_import_of(self.store.inside, self.owner)

    def offer(self, data: bytes, name: str = "card.png") -> FileOffer:
        path = self._desk / name
        path.write_bytes(data)
        return FileOffer(path)

    def bring(self, *files: bytes) -> list[Outcome]:
        """Import files, each under a name of its own."""
        return list(self.importing().run([self.offer(data, f"card{n}") for n, data in enumerate(files)]))

    def brought(self, data: bytes) -> Character:
        """Import a file and return its character."""
        (outcome,) = self.bring(data)
        assert outcome.error is None, outcome.error
        return self.store.characters.get(outcome.character_id)

    def contents(self) -> dict[str, list[Any]]:
        """Every record, and every payload."""
        kinds = ("character", "asset", "tag")
        found = {kind: sorted(map(str, self.store.documents.scan(kind))) for kind in kinds}
        return {**found, "payloads": sorted(self.store.inside.assets.blobs.scan())}

    def counts(self) -> dict[str, int]:
        """How many there are of each."""
        return {kind: len(found) for kind, found in self.contents().items()}


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Callable[..., Home]]:
    """Make stores, with settings of one's own if wanted."""
    made: list[Home] = []

    def make(**settings: Any) -> Home:
        made.append(Home(tmp_path / f"data{len(made)}", tmp_path / "desk", **settings))
        return made[-1]

    yield make
    for home in made:
        home.store.close()


@pytest.fixture
def home(homes: Callable[..., Home]) -> Home:
    """An empty store."""
    return homes()

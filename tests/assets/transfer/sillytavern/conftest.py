"""A store to import into, and folders of SillyTavern."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

import calotype
from assets.transfer.report import Report
from assets.transfer.sillytavern.importer import Options, SillyTavernImport
from assets.transfer.sillytavern.layout import find_layout
from metadata.schemas.catalog import CATALOG
from server.importing import card_import_of, intake_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

    from assets.transfer.report import Item, Status


class Home:
    """A store, and imports into it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.store = calotype.open(folder, durability="none", **({"min_free_bytes": 0} | settings))
        self.owner = self.store.inside.owner.id

    def importing(self, folder: Path, *, dry_run: bool = False, user: str | None = None) -> SillyTavernImport:
        inside, owner = self.store.inside, user or self.owner
        cards = card_import_of(inside, owner)
        return SillyTavernImport(find_layout(folder), inside.records, intake_of(inside), cards, Options(owner, dry_run))

    def bring(self, folder: Path, **options: Any) -> Report:
        report = Report(dry_run=bool(options.get("dry_run")))
        for item in self.importing(folder, **options).run():
            report.add(item)
        return report

    def contents(self) -> dict[str, list[str]]:
        """Every record of every kind, and every payload."""
        kinds = {kind: [str((one.key, one.body)) for one in self.store.documents.scan(kind)] for kind in CATALOG}
        ordered = {kind: found if kind == "message" else sorted(found) for kind, found in kinds.items()}
        return {**ordered, "payloads": sorted(self.store.inside.assets.blobs.scan())}

    def one(self, kind: str, **members: object) -> dict[str, Any]:
        """The only record of a kind that has these members."""
        bodies = [dict(one.body) for one in self.store.documents.scan(kind)]
        (found,) = [body for body in bodies if all(body.get(name) == value for name, value in members.items())]
        return found

    def asset(self, path: str) -> dict[str, Any]:
        """The asset of a file of the folder."""
        bodies = [dict(one.body) for one in self.store.documents.scan("asset")]
        (found,) = [body for body in bodies if _path_of(body) == path]
        return found

    def asset_count(self, path: str) -> int:
        """How many assets there are of a file of this path."""
        bodies = (one.body for one in self.store.documents.scan("asset"))
        return sum(_path_of(body) == path for body in bodies)

    def events(self, chat: str) -> list[dict[str, Any]]:
        """The events of the chat with this title, in order."""
        key = self.one("chat", title=chat)["id"]
        return [dict(one.body) for one in self.store.documents.scan("message") if one.key.startswith(key)]


def _path_of(body: Mapping[str, Any]) -> object:
    return (body.get("_meta") or {}).get("sillyTavernPath")


class Pick(Protocol):
    """The items of a report with one status."""

    def __call__(self, report: Report, status: Status, kind: str | None = None) -> list[Item]: ...


def items(report: Report, status: Status, kind: str | None = None) -> list[Item]:
    """The items of a report with one status."""
    return [item for item in report.items if item.status is status and kind in (None, item.kind)]


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Callable[..., Home]]:
    """Make stores, with settings of one's own if wanted."""
    made: list[Home] = []

    def make(**options: Any) -> Home:
        made.append(Home(tmp_path / f"home{len(made)}", **options))
        return made[-1]

    yield make
    for home in made:
        home.store.close()


@pytest.fixture
def home(homes: Callable[..., Home]) -> Home:
    """An empty store."""
    return homes()


@pytest.fixture(scope="session")
def folders(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    """The module that writes folders."""
    return load_beside(Path(__file__).with_name("folder.py"))


@pytest.fixture(scope="session")
def pick() -> Pick:
    """Pick items out of a report by their status, and their kind if wanted."""
    return items


@pytest.fixture(scope="session")
def write_tavern(folders: ModuleType, load_beside: Callable[[Path], ModuleType]) -> Callable[[Path], Path]:
    """Write a user's folder of SillyTavern below an installation's."""
    building = load_beside(Path(__file__).parents[2] / "cards" / "building.py")

    def card(name: str) -> bytes:
        data: bytes = building.card_png({**building.V2, "data": {**building.V2_DATA, "name": name}})
        return data

    def write(root: Path) -> Path:
        user: Path = folders.write_folder(root, card, lambda number: building.png(colour=number))
        return user

    return write


@pytest.fixture
def tavern(tmp_path: Path, write_tavern: Callable[[Path], Path]) -> Path:
    """A user's folder of SillyTavern."""
    return write_tavern(tmp_path / "tavern")


@dataclass(frozen=True)
class Brought:
    """A folder that was imported; nobody changes anything in it."""

    home: Home
    report: Report


@pytest.fixture(scope="session")
def brought(tmp_path_factory: pytest.TempPathFactory, write_tavern: Callable[[Path], Path]) -> Iterator[Brought]:
    """A folder that was imported, for tests that only look."""
    place = tmp_path_factory.mktemp("brought")
    user = write_tavern(place / "tavern")
    (user / "characters/ordinary.png").write_bytes((user / "backgrounds/forest.png").read_bytes())
    home = Home(place / "home")
    yield Brought(home, home.bring(user))
    home.store.close()

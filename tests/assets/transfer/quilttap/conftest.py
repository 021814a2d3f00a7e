"""A store in memory to import into, and the original's folder in the later generation of its layout."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from assets.blobs.memory import MemoryBlobs
from assets.library import Library
from assets.room import Room
from assets.transfer.intake import Intake
from assets.transfer.quilttap.importer import Options, QuilttapImport
from assets.transfer.quilttap.layout import find_layout
from assets.transfer.report import Report
from metadata.documents.memory import MemoryDocuments
from metadata.repositories.container import Repositories
from metadata.schemas.catalog import CATALOG
from metadata.sealing import MasterKey, Ring, Sealer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from assets.transfer.report import Item, Status

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


class StandingClock:
    """It is always the same moment."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class CountedIds:
    """Ids that follow each other."""

    def __init__(self) -> None:
        self.given = 0

    def new(self) -> str:
        self.given += 1
        return f"00000000-0000-4000-8000-{self.given:012d}"


class OneKey:
    """A ring with one master key."""

    def ring(self) -> Ring:
        return Ring((MasterKey(bytes(32)),))

    def ensure(self) -> Ring:
        return self.ring()


class Home:
    """A store in memory, and imports into it."""

    def __init__(self, documents: MemoryDocuments | None = None) -> None:
        self.documents = documents or MemoryDocuments(StandingClock())
        self.blobs = MemoryBlobs()
        self.records = Repositories(self.documents, sealer=Sealer(OneKey()), clock=StandingClock(), ids=CountedIds())
        room = Room(None, lambda: 0, StandingClock())
        parts: dict[str, Any] = {
            "images": self.records.images,
            "facts": self.records.facts,
            "tags": self.records.tags,
        }
        library = Library(self.documents, self.blobs, lambda _: nullcontext(), room, **parts)
        self.intake = Intake(self.documents, library, lambda _: nullcontext(), limit=1_000_000)
        self.first = self.records.users.ensure_first().id

    def importing(
        self, folder: Path, *, public: Path | None = None, pepper: str | None = None, **options: Any
    ) -> QuilttapImport:
        sealer = Sealer(OneKey(), pepper)
        layout = find_layout(folder, public)
        return QuilttapImport(layout, self.records, self.intake, sealer, replace(Options(), **options))

    def bring(self, folder: Path, **options: Any) -> Report:
        report = Report(dry_run=bool(options.get("dry_run")))
        for item in self.importing(folder, **options).run():
            report.add(item)
        return report

    def body(self, kind: str, key: str) -> dict[str, Any]:
        stored = self.documents.get(kind, key)
        assert stored is not None, (kind, key)
        return stored.body

    def everything(self) -> dict[str, list[tuple[str, Any]]]:
        """Every record of every kind in order, and every payload."""
        records = {kind: [(one.key, one.body) for one in self.documents.scan(kind)] for kind in CATALOG}
        ordered = {kind: sorted(found) if kind != "message" else found for kind, found in records.items()}
        return {**ordered, "payloads": [(digest, None) for digest in sorted(self.blobs.scan())]}

    @property
    def events(self) -> list[str]:
        """The ids of all events in their order."""
        return [one.key.partition("/")[2] for one in self.documents.scan("message")]


class Items(Protocol):
    """The items of a report with one status."""

    def __call__(self, report: Report, status: Status, kind: str | None = None) -> list[Item]: ...


@pytest.fixture
def home() -> Home:
    """An empty store in memory."""
    return Home()


@pytest.fixture
def homes() -> Callable[..., Home]:
    """Make a store in memory, over documents of one's own if wanted."""
    return Home


@pytest.fixture
def items() -> Items:
    """Pick items out of a report."""

    def pick(report: Report, status: Status, kind: str | None = None) -> list[Item]:
        return [item for item in report.items if item.status is status and kind in (None, item.kind)]

    return pick


@pytest.fixture
def application(tmp_path: Path, original: ModuleType) -> Path:
    """The original's application folder, first generation."""
    original.write_folder(tmp_path / "application")
    return tmp_path / "application"


def later_record(record: dict[str, Any], linked: list[str]) -> dict[str, Any]:
    """Return an asset's record as the later generation has it."""
    taken = ("relativePath", "filename", "type", "source", "chatId", "characterId", "messageId")
    kept = {name: value for name, value in record.items() if name not in taken}
    return {
        **kept,
        "originalFilename": record["filename"],
        "linkedTo": linked,
        "source": {"upload": "UPLOADED"}[record["source"]],
        "category": {"image": "IMAGE", "avatar": "AVATAR", "chat_file": "ATTACHMENT"}[record["type"]],
        "description": "As the application described it.",
    }


@pytest.fixture
def later_application(application: Path, original: ModuleType) -> Path:
    """The original's application folder, later generation: the same files under `data/files/`."""
    data = application / "data"
    sources = [
        data / f"binaries/{original.PNG_SHA256}/raw",
        application / f"public/uploads/images/{original.USER}/portrait.png",
        application / f"public/uploads/chat-files/{original.CHAT}/plan.txt",
    ]
    links = [
        [original.CHARACTER, original.PERSONA],
        [original.CHARACTER],
        [original.MESSAGE, original.CHAT, original.CHAT_2],
    ]
    storage = data / "files" / "storage"
    storage.mkdir(parents=True)
    lines = []
    for source, record, linked in zip(sources, original.assets(), links, strict=True):
        shutil.move(source, storage / f"{record['id']}.{record['filename'].rpartition('.')[2]}")
        lines.append(json.dumps(later_record(record, linked)))
    (data / "files" / "files.jsonl").write_text("\n".join(lines) + "\n")
    shutil.rmtree(data / "binaries")
    shutil.rmtree(application / "public")
    return application

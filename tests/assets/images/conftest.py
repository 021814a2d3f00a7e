"""Fixtures for derived pictures: a data folder with payloads in it, and pictures made on the spot."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from assets.digest import Digest
from assets.images.limits import Limits
from assets.images.prints import Prints
from metadata.documents.memory import MemoryDocuments
from metadata.files.engine import FileEngine
from metadata.repositories.facts import FactsRepository

if TYPE_CHECKING:
    from pathlib import Path

SIZES = (32, 64, 128, 256, 512, 1024, 2048)

Opener = Callable[..., Prints]


def picture(kind: str = "PNG", size: tuple[int, int] = (400, 300), **options: object) -> bytes:
    """Encode a picture that is red above, green below, and never flat."""
    image = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (image.transpose(Image.Transpose.ROTATE_180), image, image.point(lambda v: v // 4)))
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FileEngine]:
    """The file engine of an empty data folder."""
    (tmp_path / "data" / "binaries").mkdir(parents=True)
    opened = FileEngine.open(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def facts() -> FactsRepository:
    """What is known of that folder's payloads: nothing yet."""
    return FactsRepository(MemoryDocuments())


@pytest.fixture
def open_prints(engine: FileEngine, facts: FactsRepository) -> Iterator[Opener]:
    """Open derived pictures over that folder, as often as a test has processes; all are closed afterwards."""
    made: list[Prints] = []

    def opened(limits: Limits | None = None, *, budget: int = 1 << 30, decoders: int = 2) -> Prints:
        cache = engine.paths.root / "cache"
        prints = Prints.open(
            engine,
            facts,
            cache,
            sizes=SIZES,
            limits=limits or Limits(),
            budget=budget,
            decoders=decoders,
            room=lambda: None,
        )
        made.append(prints)
        return prints

    yield opened
    for prints in made:
        prints.close()


@pytest.fixture
def prints(open_prints: Opener) -> Prints:
    """Derived pictures with the usual limits."""
    return open_prints()


@pytest.fixture
def keep(engine: FileEngine) -> Callable[[bytes], Digest]:
    """Put a payload where the store has it, and return its digest."""

    def kept(data: bytes) -> Digest:
        digest = Digest(hashlib.sha256(data).hexdigest())
        folder = engine.paths.root / "binaries" / digest
        folder.mkdir(exist_ok=True)
        (folder / "raw").write_bytes(data)
        return digest

    return kept

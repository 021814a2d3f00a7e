"""Derived pictures put together: nothing happens before the first is asked for, nothing is left at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assets.images.variants import Format
from metadata.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from assets.digest import Digest
    from assets.images.prints import Prints
    from metadata.files.engine import FileEngine


def test_opening_touches_nothing(prints: Prints, engine: FileEngine) -> None:
    assert not (engine.paths.root / "cache").exists()
    assert prints.derivatives.workers.started == 0


def test_from_a_name_to_a_file_and_away(
    prints: Prints, keep: Callable[[bytes], Digest], load_beside: Callable[[Path], ModuleType]
) -> None:
    digest = keep(load_beside(Path(__file__).with_name("conftest.py")).picture())
    made = prints.derivatives.get(digest, prints.variants.parse("128x128-cover"), Format("avif"))
    assert made.path.read_bytes()[4:12] == b"ftypavif"
    (pid,) = prints.derivatives.workers.idle()
    prints.close()
    assert not Path(f"/proc/{pid}").exists()


def test_only_sizes_on_offer(prints: Prints) -> None:
    with pytest.raises(InvalidError, match="sizes on offer"):
        prints.variants.parse("129x129-cover")

"""What lies in the original's folder and did not come along, so that nothing is left behind silently."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from metadata.schemas.catalog import kinds_of_path

from ..report import Item, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..sources import Folder
    from .layout import Layout

_PAYLOADS = ("binaries", "files/storage", "uploads", "data/files/storage")
_READ = ("files/files.jsonl", "data/files/files.jsonl")
_IDLE = (".lock", ".gitkeep", ".DS_Store")
"""Files that say nothing."""
_UNNAMED = "No record names these files; they stayed where they are."
_NO_PLACE = "There is no place here for what is in it; it stayed where it is."


def leftovers(layout: Layout, used: set[str]) -> Iterator[Item]:
    """Yield one item for every folder, or file at the top, with files that were not read.

    Args:
        layout: the folder.
        used: the files whose bytes were stored, or were tried to be.
    """
    yield from _below(layout.data, [""], used, "")
    if layout.public is not None:  # beside uploads it holds what belongs to the application's own pages
        yield from _below(layout.public, ["uploads", "data"], used, "public/")


def _below(folder: Folder, tops: list[str], used: set[str], prefix: str) -> Iterator[Item]:
    counts: Counter[str] = Counter()
    root = folder.root.resolve()
    for top in tops:
        for place, folders, names in os.walk(root / top):
            folders[:] = sorted(name for name in folders if Path(place, name) != root / "cache")
            for path in (Path(place, name) for name in sorted(names)):
                relative = path.relative_to(root).as_posix()
                if str(path) not in used and not _is_known(relative):
                    counts[_group(relative)] += 1
    for group, count in counts.items():
        why = _UNNAMED if group in _PAYLOADS else _NO_PLACE
        yield Item("other", Status.SKIPPED, prefix + group, why=why, count=count)


def _is_known(path: str) -> bool:
    return path.endswith(_IDLE) or path in _READ or bool(kinds_of_path(path))


def _group(path: str) -> str:
    return next((group for group in _PAYLOADS if path.startswith(f"{group}/")), path.partition("/")[0])

"""Which files somebody means who names files and folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .offers import FileOffer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SUFFIXES: Final = (".png", ".apng", ".webp", ".jpg", ".jpeg", ".json", ".charx")
"""What files with cards end in; whatever else lies in a folder is passed over."""


def offers_in(paths: Iterable[Path]) -> Iterator[FileOffer]:
    """Go through the files at these paths: each file that is named, and of folders what may be a card, at any depth.

    A file that is named counts as a card whatever it is called; links to folders inside a folder are not followed.
    """
    for path in paths:
        if path.is_dir():
            yield from _inside(path)
        else:
            yield FileOffer(path)


def _inside(folder: Path) -> Iterator[FileOffer]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                path = Path(place, name)
                yield FileOffer(path, named=False)

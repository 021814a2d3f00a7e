"""Everything in the folder that is no card, chat or persona: pictures, files that are kept as they are, and the rest.

What has no entity here yet (worlds, groups, settings, presets, themes) becomes an asset with the name of its folder as
its tag. What lets somebody in somewhere stays where it is.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from metadata.errors import CalotypeError, FullError

from ..report import Item, Status
from .keeping import Source, Use
from .layout import OPEN, SECRETS, folded, shown
from .settings import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .cast import Cast
    from .keeping import Keeper
    from .layout import Layout

_AS_THEY_ARE = ("worlds", "groups", "stats.json")
_CLEANED = (
    *("settings.json", "openai settings", "textgen settings", "koboldai settings", "novelai settings", "instruct"),
    *("context", "sysprompt", "reasoning", "quickreplies", "themes", "movingui"),
)
"""What may hold a password or a key of somebody's: it is kept without."""
_MADE_AGAIN = ("thumbnails", "vectors", "content.log")
"""What SillyTavern makes anew from the rest."""
_IDLE = (".gitkeep", ".ds_store", "desktop.ini", "thumbs.db")
_KEYS = "It holds keys and passwords, so nothing of it was imported; enter them anew with `POST /api/api-keys`."
_BACKUPS = "Copies of what is imported, made by SillyTavern; they stayed where they are."
_NO_PLACE = "There is no place here for what is in it; it stayed where it is."
_LEFT_OUT = "Left out, because they may let somebody in: "
_AS_A_FILE = "There is no entity for it here yet, so it is kept as a file."
_SETTINGS = (".json", ".settings")
_LARGEST = 64 * 1024 * 1024
"""Bytes of a settings file: it is read as a whole."""
_LABELLED = "expression"


class Rest:
    """Brings the rest.

    Args:
        layout: the folder.
        keeper: takes files in.
        cast: the characters.
    """

    def __init__(self, layout: Layout, keeper: Keeper, cast: Cast) -> None:
        self._layout = layout
        self._keeper = keeper
        self._cast = cast

    def sprites(self) -> Iterator[Item]:
        """Store the further pictures of the characters; yield what became of each."""
        for folder in self._layout.sprite_folders():
            for path in self._layout.files(folder):
                yield from self._kept(path, use_of(path, self._cast))

    def pictures(self) -> Iterator[Item]:
        """Store the pictures that lie among the cards and are none; yield what became of each."""
        for path in self._layout.cards():
            if not path.lower().endswith((".json", ".charx")):
                yield from self._kept(path, Use(folder="characters"))

    def files(self) -> Iterator[Item]:
        """Store what is kept as it is; yield what became of each, and what stayed behind."""
        left: Counter[tuple[str, str]] = Counter()
        for top in self._layout.tops():
            name = folded(top)
            if name in (*OPEN, *_AS_THEY_ARE) and name != "characters":
                notes = [_AS_A_FILE] if name in _AS_THEY_ARE else []
                for path in self._paths(top):
                    yield from self._kept(path, use_of(path, self._cast), notes)
            elif name in _CLEANED:
                for path in self._paths(top):
                    yield from self._cleaned(path)
            elif name == SECRETS:
                yield Item("other", Status.SKIPPED, shown(top), why=_KEYS)
            elif name not in _MADE_AGAIN:
                yield from self._counted(top, left)
        for (place, why), count in left.items():
            yield Item("other", Status.SKIPPED, place, why=why, count=count)
        yield from self._unseen()

    def _kept(self, path: str, use: Use, notes: Sequence[str] = ()) -> Iterator[Item]:
        if folded(PurePosixPath(path).name) in _IDLE or self._keeper.has(path):
            return
        if (item := self._keeper.keep(path, use).item) is not None:
            yield replace(item, notes=(*item.notes, *notes)) if item.status is Status.IMPORTED else item

    def _cleaned(self, path: str) -> Iterator[Item]:
        if not path.lower().endswith(_SETTINGS):
            yield from self._kept(path, use_of(path, self._cast))
            return
        try:
            file = self._layout.file(path)
            if file.stat().st_size > _LARGEST:
                yield Item("asset", Status.FAILED, shown(path), why=f"It is larger than {_LARGEST} bytes.")
                return
            document = self._layout.folder.document(path)
            clean, left = without_secrets(document)
            if not left:
                yield from self._kept(path, use_of(path, self._cast), [_AS_A_FILE])
                return
            yield self._without(path, clean, left)
        except FullError:
            raise
        except CalotypeError as error:
            yield Item("asset", Status.FAILED, shown(path), why=error.message)

    def _without(self, path: str, clean: Any, left: list[str]) -> Item:  # noqa: ANN401 - JSON
        text = json.dumps(clean, ensure_ascii=True, indent=4)
        source = Source(path, PurePosixPath(shown(path)).name, use_of(path, self._cast), self._layout.moment(path))
        kept = self._keeper.keep_bytes(text.encode(), source)
        notes = (_LEFT_OUT + ", ".join(left) + ".",)
        status = Status.SAME if kept.item is None else kept.item.status
        return Item("asset", status, shown(path), name=source.name, new_id=kept.id, notes=notes)

    def _paths(self, top: str) -> Iterator[str]:
        if self._layout.is_folder(top):
            yield from self._layout.files(top)
        else:
            yield top

    def _counted(self, top: str, left: Counter[tuple[str, str]]) -> Iterator[Item]:
        """Count what stayed behind, and yield what is no file; of what was imported there was told already."""
        why = _BACKUPS if folded(top) == "backups" else _NO_PLACE
        for path in self._paths(top):
            inner = folded(PurePosixPath(path).name)
            if inner in _IDLE or self._keeper.has(path):
                continue
            try:
                self._layout.file(path)
                left[shown(top), why] += 1
            except CalotypeError as error:
                yield Item("other", Status.FAILED, shown(path), why=error.message)

    def _unseen(self) -> Iterator[Item]:
        """Yield the folders that could not be looked into."""
        for path, why in self._layout.unseen():
            yield Item("other", Status.FAILED, shown(path), why=why)


def use_of(path: str, cast: Cast) -> Use:
    """Return what a file is for: its folder says so, and perhaps a character's name in that."""
    top, *inner = PurePosixPath(path).parts[:-1] or ("",)
    if folded(top) == "characters" and inner:
        meta = {_LABELLED: shown(PurePosixPath(path).stem)}
        return Use(folder="sprites", character=cast.of_folder(inner[0]), meta=meta)
    if folded(top) == "user avatars":
        return Use(type="avatar", folder=shown(top))
    if folded(top) != "user" or not inner:
        return Use(folder=shown(top))
    owned = folded(inner[0]) == "images" and inner[1:]
    return Use(folder=shown(inner[0]), character=cast.of_folder(inner[1]) if owned else None)

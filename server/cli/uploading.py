"""Many files into one store: found, hashed, asked for, and only then sent."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from assets.media import media_named
from metadata.errors import CalotypeError, InvalidError, NotFoundError, UnreadableError

from ..sources import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from assets.digest import Digest

    from ..interface import Assets, PutFields
    from ..views import AssetView

ASKED_AT_ONCE = 100
"""How many hashes go into one question; files stored meanwhile by others show at the next one."""


class Status(StrEnum):
    """What became of a file."""

    NEW = "new"
    DUPLICATE = "duplicate"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Found:
    """A file to be stored.

    Attributes:
        path: where it lies.
        size: bytes, when it was found.
        error: why it cannot even be tried.
    """

    path: Path
    size: int = 0
    error: CalotypeError | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file.

    Attributes:
        size: bytes read of it; 0 if it failed.
        announced: bytes it had when it was found.
    """

    path: Path
    status: Status
    size: int = 0
    announced: int = 0
    asset: AssetView | None = None
    error: CalotypeError | None = None


def found_files(paths: Sequence[Path], *, recursive: bool) -> Iterator[Found]:
    """Yield the files named, and with `recursive` those below the folders named, in order; links to folders are left.

    What is not a file, or cannot be looked into, comes with its error. Below a folder only regular files count.
    """
    for path in paths:
        if recursive and path.is_dir():
            yield from _below(path)
        else:
            yield _one(path)


def _below(folder: Path) -> Iterator[Found]:
    closed: list[Found] = []

    def note(error: OSError) -> None:
        place = Path(error.filename)
        closed.append(Found(place, error=UnreadableError(f"{place} cannot be read: {error.strerror}.")))

    for place, folders, names in os.walk(folder, onerror=note):
        folders.sort()
        yield from (_one(path) for name in sorted(names) if (path := Path(place, name)).is_file())
    yield from closed


def _one(path: Path) -> Found:
    if path.is_dir():
        return Found(path, error=InvalidError(f"{path} is a folder; --recursive takes what is in it.", file=str(path)))
    try:
        return Found(path, path.stat().st_size)
    except FileNotFoundError:
        return Found(path, error=NotFoundError(f"There is no file {path}.", file=str(path)))
    except OSError as error:
        return Found(path, error=UnreadableError(f"{path} cannot be read: {error.strerror}.", file=str(path)))


class Uploader:
    """Stores files one after the other; a failing one does not stop the rest.

    Args:
        assets: where they go.
        kind: image, chat_file or avatar; None: told from the bytes.
        tags: put on every one of them, also on those stored before.
    """

    def __init__(self, assets: Assets, *, kind: str | None = None, tags: Sequence[str] = ()) -> None:
        self._assets = assets
        self._kind = kind
        self._tags = tuple(tags)

    def run(self, found: Iterable[Found]) -> Iterator[Outcome]:
        """Yield what became of each file, in order.

        Raises:
            CalotypeError: the store cannot be asked at all.
        """
        rest = iter(found)
        while group := list(islice(rest, ASKED_AT_ONCE)):
            yield from self._group([_hashed(each) for each in group])

    def _group(self, group: Sequence[_Hashed]) -> Iterator[Outcome]:
        wanted = {each.digest for each in group if each.digest is not None}
        missing = set(self._assets.have(sorted(wanted))) if wanted else set()
        for each in group:
            yield self._outcome(each, known=each.digest not in missing)
            if each.digest is not None:
                missing.discard(each.digest)  # the same bytes once more in this group are sent no second time

    def _outcome(self, each: _Hashed, *, known: bool) -> Outcome:
        path, announced = each.found.path, each.found.size
        if each.error is not None or each.digest is None:
            return Outcome(path, Status.FAILED, announced=announced, error=each.error)
        try:
            asset = self._again(each.digest) if known else None
            status = Status.DUPLICATE
            if asset is None:
                asset = self._send(path, each.digest)
                status = Status.DUPLICATE if asset.duplicate else Status.NEW
        except CalotypeError as error:
            return Outcome(path, Status.FAILED, announced=announced, error=error)
        return Outcome(path, status, each.size, announced, asset)

    def _send(self, path: Path, digest: Digest) -> AssetView:
        fields: PutFields = {"tags": self._tags, "sha256": digest}
        if self._kind is not None:
            fields["type"] = self._kind
        return self._assets.put(path, **fields)

    def _again(self, digest: Digest) -> AssetView | None:
        """Return the record that sending these bytes would only repeat, with the tags added; None: it would not."""
        found = self._assets.find(digest)
        if len({asset.wire.get("userId") for asset in found}) > 1:
            return None  # an administrator sees everybody's records, and which are the caller's the store knows
        for asset in found:
            linked = asset.chat_id or asset.character_id or asset.message_id
            if not linked and asset.type == (self._kind or _default_type(asset)):
                return self._assets.tag(asset.id, *self._tags) if self._tags else asset
        return None


@dataclass(frozen=True, slots=True)
class _Hashed:
    found: Found
    digest: Digest | None = None
    size: int = 0
    error: CalotypeError | None = None


def _hashed(found: Found) -> _Hashed:
    if found.error is not None:
        return _Hashed(found, error=found.error)
    try:
        digest, size = digest_of_file(found.path)
    except CalotypeError as error:
        return _Hashed(found, error=error)
    return _Hashed(found, digest, size)


def _default_type(asset: AssetView) -> str:
    media = media_named(asset.media_type)
    return "image" if media is not None and media.picture else "chat_file"

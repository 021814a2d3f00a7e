"""The original's files of both generations as assets: their records, where their bytes lie, and their old addresses.

The first generation has our own records (`binaries/index.jsonl`), whose bytes lie in `public/` at `relativePath`. The
later one has `files.jsonl` with other names for the members and one list, `linkedTo`, of whatever a file belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..sources import Folder, Found
    from .layout import Layout

_USES = {"IMAGE": "image", "AVATAR": "avatar"}
_SOURCES = {"UPLOADED": "upload", "GENERATED": "generated", "IMPORTED": "import", "SYSTEM": "import"}
_TAKEN = ("linkedTo", "source", "originalFilename")
"""Members of the later generation that have another form here; all others are kept as they are."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the original's.

    Attributes:
        place: where its record was found.
        record: its record, in the members of an asset; what it is linked with is not in it yet.
        linked: the later generation's `linkedTo`.
        paths: where its bytes may lie, the likeliest first.
        layout: the folders they lie in.
    """

    place: str
    record: dict[str, Any]
    linked: tuple[str, ...]
    paths: tuple[tuple[Folder, str], ...]
    layout: Layout

    def bytes(self) -> Path | None:
        """Return the file that holds its bytes, None when there is none."""
        found = (self.layout.payload(folder, path) for folder, path in self.paths)
        return next((file for file in found if file is not None), None)

    def addresses(self, digest: str) -> Iterator[tuple[str, str]]:
        """Yield the addresses that it had in the original, each with the one it has here under its true hash."""
        here = f"/blobs/{digest}"
        for _, path in self.paths:
            yield path, here
            yield f"/{path}", here
        yield f"/api/files/{self.record.get('id')}", here
        recorded = self.record.get("sha256")
        if isinstance(recorded, str) and recorded != digest:
            yield from ((f"/{prefix}/{recorded}", f"/{prefix}/{digest}") for prefix in ("blobs", "avatars"))


def sources(layout: Layout) -> Iterator[Source | Found]:
    """Yield the files of both generations, each once, and what is wrong with the records of others.

    A file that has a record in both, because the original was moved from one to the other, is the later one's; its
    bytes are then looked for in all places.
    """
    earlier = {
        str(found.record.get("id")): _earlier_paths(layout, found.record)
        for found in layout.records("asset")
        if found.record is not None
    }
    seen = set()
    for folder, storage, found in layout.later_files():
        if found.record is None:
            yield found
            continue
        record_id = str(found.record.get("id"))
        if record_id in seen:
            continue
        seen.add(record_id)
        here = (folder, f"{storage}/{record_id}{_extension(found.record)}")
        paths = (here, *earlier.get(record_id, ()))
        yield Source(found.place, _as_asset(found.record), _linked(found.record), paths, layout)
    for found in layout.records("asset"):
        if found.record is None:
            yield found
        elif (record_id := str(found.record.get("id"))) not in seen:
            yield Source(found.place, found.record, (), earlier.get(record_id, ()), layout)


def _earlier_paths(layout: Layout, record: dict[str, Any]) -> tuple[tuple[Folder, str], ...]:
    path = str(record.get("relativePath") or "").lstrip("/")
    named = f"binaries/{record.get('sha256')}/raw"
    public = [] if layout.public is None else [(layout.public, path)]
    given = [*public, (layout.data, path)] if path else []
    return tuple(dict.fromkeys([*given, (layout.data, named)]))


def _extension(record: dict[str, Any]) -> str:
    return PurePosixPath(str(record.get("originalFilename") or "")).suffix


def _linked(record: dict[str, Any]) -> tuple[str, ...]:
    linked = record.get("linkedTo")
    return tuple(str(one) for one in linked) if isinstance(linked, list) else ()


def _as_asset(record: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in record.items() if name not in _TAKEN}
    return {
        **kept,
        "filename": str(record.get("originalFilename") or "file"),
        "type": _USES.get(str(record.get("category")), "chat_file"),
        "source": _SOURCES.get(str(record.get("source")), "upload"),
        "tags": record.get("tags") or [],
    }

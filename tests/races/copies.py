"""Scenarios for the schedules in which a payload is read while others take it away: derived pictures and backups."""

from __future__ import annotations

import hashlib
import itertools
import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

from assets.backup.restoring import restore
from assets.digest import Digest
from assets.images.variants import PRESETS, Format
from metadata.files.filesystem import FileSystem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_numbers = itertools.count()


def png(number: int) -> bytes:
    """Return a picture of one pixel that is like no other."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0" + number.to_bytes(3, "big"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


def variant_delete_and_sweep(stage: Any) -> list[tuple[str, Callable[[], object]]]:
    """Derive from a picture while its record is deleted and it is swept."""
    stage.data = png(next(_numbers))
    stage.digest = Digest(hashlib.sha256(stage.data).hexdigest())
    asset = stage.put(stage.one, 2)
    derivatives = stage.one.prints.derivatives
    return [
        ("variant", lambda: derivatives.get(stage.digest, PRESETS["thumb"], Format.PNG)),
        ("delete", lambda: stage.two.assets.forget(asset)),
        ("sweep", stage.sweep),
    ]


def orphaned(stage: Any) -> str | None:
    """Say what is wrong: a derived picture whose original is gone, or the payload's own loss."""
    folder: Path = stage.folder / "binaries" / stage.digest
    if folder.exists() and not (folder / "raw").exists():
        return f"only {[path.name for path in folder.iterdir()]} is left, and its original is gone"
    return None


def backup_delete_and_sweep(stage: Any) -> list[tuple[str, Callable[[], object]]]:
    """Take a backup while a record is deleted, its payload is swept and another is uploaded."""
    asset = stage.put(stage.one, 2)
    place = stage.folder.parent / f"backup-{next(_numbers)}"
    stage.backup = place
    return [
        ("backup", lambda: stage.one.backups.take(str(place), place)),
        ("delete", lambda: stage.two.assets.forget(asset)),
        ("sweep", stage.sweep),
    ]


def unfaithful(stage: Any) -> str | None:
    """Say what is wrong with the backup: it cannot be restored, or a record in it names a payload that it lacks."""
    if not (stage.backup / "manifest.jsonl").exists() and not list(stage.backup.glob("*")):
        return None  # the sweep was first and the backup was told so
    root = stage.backup.with_name(f"{stage.backup.name}-restored")
    restore(FileSystem(), stage.backup, root)
    lines = (root / "binaries" / "index.jsonl").read_bytes().splitlines()
    newest = {record["id"]: record for record in map(json.loads, lines)}
    for record in newest.values():
        if "_deleted" not in record:
            raw = root / "binaries" / record["sha256"] / "raw"
            if not raw.exists() or hashlib.sha256(raw.read_bytes()).hexdigest() != record["sha256"]:
                return f"the backup's record {record['id']} names a payload that is not in it"
    return None

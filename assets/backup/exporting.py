"""Exporting a store: the original's layout in a new folder, as if everything had just been written, without secrets.

One line a live record, no bookkeeping, no notes of ours; what our other members say (`_meta`, `_role`, `_userId`)
stays, the original ignores it. Left out unless asked for: sealed values, password hashes, and sign-ins (`auth/`).
"""

from __future__ import annotations

from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Final

from metadata.errors import BusyError, UnreadableError
from metadata.files.codec import encode_document, encode_plain_line
from metadata.files.engine import FileEngine
from metadata.files.folder import MARKER
from metadata.files.journal import Line
from metadata.files.live import live, plain
from metadata.files.trouble import told
from metadata.schemas.catalog import kinds_of_path
from metadata.schemas.homes import InArray, InMember

from ..blobs import layout
from .copying import opened
from .restoring import Filling
from .snapshot import Photographer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from metadata.files.filesystem import FileSystem
    from metadata.files.journal import Journal

    from .copying import Readable
    from .snapshot import Snapshot
    from .taking import Origin

_OURS: Final = (MARKER, ".gitignore", "binaries/facts.jsonl", "auth/access-tokens.jsonl")
"""Files that the original's layout does not have."""

_CHECK: Final = "_crc"
_HASH: Final = "passwordHash"


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds.

    Attributes:
        target: the folder.
        files: how many files, `payloads` of them payloads; `bytes` is the size of all.
        sealed: how many values were left out because they are sealed.
        damaged: files, or parts of them, that could not be understood and are not in it.
        missing: hashes of payloads that records name, and that are missing or not what their names say.
    """

    target: str
    files: int
    payloads: int
    bytes: int
    sealed: int = 0
    damaged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """Return the report as JSON."""
        return {
            "target": self.target,
            "files": self.files,
            "payloads": self.payloads,
            "bytes": self.bytes,
            "sealed": self.sealed,
            "damaged": list(self.damaged),
            "missing": list(self.missing),
        }


class Exporting:
    """One export under way; the lock of backups and the lease are held.

    Args:
        origin: the store.
        stage: an empty folder for the copies of its records.
        root: the folder to fill, absent or empty.
        include_sealed: keep sealed values as they are sealed, password hashes and sign-ins.
    """

    def __init__(self, origin: Origin, stage: Path, root: Path, *, include_sealed: bool) -> None:
        self._origin = origin
        self._fs: FileSystem = origin.engine.fs
        self._stage = stage
        self._filling = Filling(FileEngine.open(root, fs=self._fs))
        self._root = root
        self._include_sealed = include_sealed
        self._files = self._payloads = self._bytes = self._sealed = 0
        self._damaged: list[str] = []
        self._gone: set[str] = set()  # API keys that were left out; `settings/` comes before all that refer to them

    def run(self) -> Exported:
        """Export; errors as `Backups.export`."""
        snapshot = self._snapshot()
        named = self._origin.usage.named()
        stored = list(layout.digests(self._origin.engine.list(layout.BINARIES)))
        live = self._origin.usage.live_among(stored)
        self._filling.begin(sum(snapshot.files.values()))
        self._records(snapshot)
        there = {digest for digest in stored if digest in live and self._payload(layout.relative_path(digest), digest)}
        self._filling.end(None)
        missing = tuple(sorted(named - there))
        return Exported(
            str(self._root), self._files, self._payloads, self._bytes, self._sealed, tuple(self._damaged), missing
        )

    def _snapshot(self) -> Snapshot:
        photographer = Photographer(self._origin.engine, self._stage)
        photographer.prepare()
        with self._origin.documents.guard(exclusive=True):
            snapshot = photographer.finish()
        for path in snapshot.files:
            if path.startswith("intents/"):
                raise BusyError(f"{path} is an operation that is not finished; try again when it is.", path=path)
        return snapshot

    def _records(self, snapshot: Snapshot) -> None:
        engine = FileEngine.open(snapshot.stage, fs=self._fs)
        try:
            for path in snapshot.files:
                if path in _OURS or (path.startswith("auth/") and not self._include_sealed):
                    continue
                with TemporaryFile(dir=snapshot.stage) as content:  # a log may be larger than the memory
                    try:
                        self._write(engine, path, content.write)
                    except UnreadableError:
                        self._damaged.append(path)
                        continue
                    size = content.tell()
                    content.seek(0)
                    self._add(path, content, size)
        finally:
            engine.close()

    def _write(self, engine: FileEngine, path: str, write: Callable[[bytes], object]) -> None:
        """Write a file as it is exported."""
        located = kinds_of_path(path)
        if not located:
            write(engine.read_bytes(path))
        elif not path.endswith(".jsonl"):
            value: Any = engine.read_document(path).value
            write(encode_document(self._plain(path, value) if isinstance(value, dict) else value, stamp=False))
        else:
            journal, key = engine.journal(path), located[0].kind.key
            places = live(self._lines(journal), key, lambda line: (line.offset, line.end - line.offset))
            for place in places:
                write(encode_plain_line(plain(journal.read_at(*place).record)))

    def _lines(self, journal: Journal) -> Iterator[Line]:
        for item in journal.read():
            if isinstance(item, Line):
                yield item
            else:
                self._damaged.append(f"{journal.path}, byte {item.offset}")

    def _plain(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        plain = {name: value for name, value in document.items() if name != _CHECK}
        if self._include_sealed:
            return plain
        for located in kinds_of_path(path):
            home, kind = located.kind.home, located.kind
            if isinstance(home, InMember) and isinstance(plain.get(home.member), dict):
                record, sealed = plain[home.member], {field.member for field in kind.sealed}
                plain[home.member] = {name: record[name] for name in record if name not in {_HASH, *sealed}}
                self._sealed += len(sealed & set(record))
            elif isinstance(home, InArray) and any(field.member is None for field in kind.sealed):
                records = plain.get(home.member) or []
                self._gone |= {str(one.get("id")) for one in records if isinstance(one, dict)}
                self._sealed += len(records)
                plain[home.member] = []
        return _without(plain, self._gone)

    def _add(self, path: str, content: Readable, size: int) -> None:
        self._filling.add(path, content, size)
        self._files += 1
        self._bytes += size

    def _payload(self, path: str, digest: str) -> bool:
        """Put a payload in its place; false when it cannot be had or is not what its name says."""
        try:
            with told(path, "read"), opened(self._fs, self._origin.engine.paths.resolve(path)) as source:
                size = source.size
                found = self._filling.add(path, source, size, expected=digest)
        except UnreadableError as error:
            if error.details.get("path") not in {path, str(self._origin.engine.paths.resolve(path))}:
                raise
            return False
        if found is None:
            return False
        self._files += 1
        self._payloads += 1
        self._bytes += size
        return True


def _without(document: dict[str, Any], gone: set[str]) -> dict[str, Any]:
    """Return a document whose records no longer refer to API keys that were left out."""
    for member, records in document.items():
        if gone and isinstance(records, list):
            document[member] = [
                {name: value for name, value in one.items() if name != "apiKeyId" or value not in gone}
                if isinstance(one, dict)
                else one
                for one in records
            ]
    return document

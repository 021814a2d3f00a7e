"""The list of what a backup holds, `calotype-backup.jsonl`: written last, so that a backup with one is whole.

The first line says of which store and when; then one line a file, `{"path", "size", "sha256"}`, paths as they are in a
data folder, of a journal as far as it was sound at that moment; the last line counts them and holds the SHA-256 of all
lines before it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from metadata.errors import InvalidError, UnreadableError
from metadata.files.folder import FORMAT_VERSION, MARKER, SEED_FOLDERS

from ..digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NAME: Final = "calotype-backup.jsonl"
VERSION: Final = 1
MASTER_KEY: Final = "secrets/master.key"
URL_KEY: Final = "secrets/url-signing.key"
ROOT_FILES: Final = (".gitignore", ".gitkeep", MARKER)
FOLDERS: Final = (*(name for name in SEED_FOLDERS if name != "cache"), "intents")
"""The folders whose files a backup takes; of `binaries/` also the payloads, by another way."""

DEPTH: Final = 6
"""The most names in a path."""

_PAYLOAD = re.compile(r"binaries/(?P<digest>[0-9a-f]{64})/raw")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME_BYTES = 255
_LINE_BYTES = 64 * 1024 * 1024
"""A first line that names 900,000 missing payloads."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a backup: its path in the data folder, its bytes' number and SHA-256."""

    path: str
    size: int
    sha256: str

    @property
    def payload(self) -> bool:
        """Whether it is a payload, which never changes."""
        return payload_in(self.path) is not None


@dataclass(frozen=True, slots=True)
class Head:
    """What a backup says of itself.

    Attributes:
        store_id: the id in the store's marker.
        format_version: the format of the data folder.
        taken_at: the moment whose records it holds, a timestamp.
        by: the version of Calotype that took it.
        generation: names the folder of its records, in a backup that is a folder.
        includes_key: whether the keys in `secrets/` are in it.
        sealed: how many values each master key has sealed, by the key's id.
        missing: hashes of payloads that were needed and not there, or not what their names say.
    """

    store_id: str
    format_version: int
    taken_at: str
    by: str
    generation: str
    includes_key: bool = False
    sealed: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup's list.

    Attributes:
        entries: its files by path.
    """

    head: Head
    entries: Mapping[str, Entry]

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(entry.size for entry in self.entries.values())

    @property
    def payloads(self) -> int:
        """How many payloads there are."""
        return sum(entry.payload for entry in self.entries.values())

    def lines(self) -> Iterator[bytes]:
        """Yield the file, line by line."""
        whole = hashlib.sha256()
        for line in (_line({"backup": VERSION, **asdict(self.head)}), *map(_of_entry, self.entries.values())):
            whole.update(line)
            yield line
        yield _line({"files": len(self.entries), "bytes": self.size, "sha256": whole.hexdigest()})


def payload_in(path: str) -> Digest | None:
    """Return the digest of the payload that a path leads to; None for other files."""
    match = _PAYLOAD.fullmatch(path)
    return Digest(match["digest"]) if match else None


def read_manifest(lines: Iterable[bytes]) -> Manifest:
    """Return the list that these lines hold.

    Args:
        lines: each with its line break.

    Raises:
        UnreadableError: it is damaged, cut short, or no such list.
        InvalidError: a newer Calotype wrote it, or it names a path that no backup has.
    """
    whole = hashlib.sha256()
    head: Head | None = None
    entries: dict[str, Entry] = {}
    end: dict[str, Any] | None = None
    for line in lines:
        value = _parsed(line)
        if end is not None:
            raise _damaged("lines follow its end")
        if head is None:
            head = _head(value)
        elif "files" in value:
            end = value
            continue
        else:
            entry = _entry(value)
            if entries.setdefault(entry.path, entry) is not entry:
                raise _damaged("it names a file twice")
        whole.update(line)
    if head is None or end is None or end != _end(entries, whole.hexdigest()):
        raise _damaged("it is cut short or was changed")
    return Manifest(head, entries)


def pieces_to_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a text that comes in pieces, each with its line break.

    Raises:
        UnreadableError: a line is longer than any list has.
    """
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line + b"\n" for line in lines)
        if len(rest) > _LINE_BYTES:
            raise _damaged("a line has no end")
    if rest:
        yield rest


def check_path(path: str) -> str:
    """Return a path that a backup may name.

    Raises:
        InvalidError: any other: absolute, climbing, or outside the folders that a backup takes.
    """
    names = path.split("/")
    known = path in (*ROOT_FILES, MASTER_KEY, URL_KEY) or (len(names) > 1 and names[0] in FOLDERS)
    if not known or len(names) > DEPTH or not all(map(_sound, names)) or path.endswith((".lock", ".tmp")):
        raise InvalidError(
            f"The backup names {path[:80]!r}, which is no file of a store; it is refused.", path=path[:80]
        )
    return path


def _sound(name: str) -> bool:
    plain = name not in {"", ".", ".."} and "\\" not in name and name.isprintable()
    return plain and len(name.encode(errors="replace")) <= _NAME_BYTES


def _line(value: dict[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _of_entry(entry: Entry) -> bytes:
    return _line({"path": entry.path, "size": entry.size, "sha256": entry.sha256})


def _end(entries: Mapping[str, Entry], digest: str) -> dict[str, object]:
    return {"files": len(entries), "bytes": sum(entry.size for entry in entries.values()), "sha256": digest}


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _damaged("it holds a line that is no JSON") from error
    if not isinstance(value, dict):
        raise _damaged("it holds a line that is no object")
    return value


def _head(value: dict[str, Any]) -> Head:
    version, form = value.pop("backup", None), value.get("format_version")
    if not isinstance(version, int) or not isinstance(form, int):
        raise _damaged("its first line is not one of ours")
    if version > VERSION or form > FORMAT_VERSION:
        raise InvalidError(
            f"A newer Calotype ({str(value.get('by'))[:40]}) made this backup. Install that version or a newer one.",
            formatVersion=form,
        )
    generation, sealed, missing = value.get("generation"), value.get("sealed"), value.get("missing", [])
    if not isinstance(generation, str) or not re.fullmatch(r"[0-9a-f-]{8,36}", generation):
        raise _damaged("its first line is not one of ours")
    if not isinstance(sealed, dict) or not isinstance(missing, list):
        raise _damaged("its first line is not one of ours")
    try:
        return Head(**{**value, "missing": tuple(missing)})
    except TypeError as error:
        raise _damaged("its first line is not one of ours") from error


def _entry(value: dict[str, Any]) -> Entry:
    path, size, digest = value.get("path"), value.get("size"), value.get("sha256")
    # Exactly: Python holds true for a number.
    if not isinstance(path, str) or type(size) is not int or size < 0:
        raise _damaged("a line names no file")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise _damaged("a line names no file")
    named = payload_in(check_path(path))
    if named is not None and named != digest:
        raise _damaged("a payload is not what its name says")
    return Entry(path, size, digest)


def _damaged(why: str) -> UnreadableError:
    return UnreadableError(f"{NAME} is damaged: {why}. This backup cannot be trusted; take another one.", path=NAME)

"""JsonStore: JSON documents and JSONL journals in a folder, for any number of threads and processes."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .errors import InvalidError, NotFoundError, UnreadableError
from .files import atomic
from .files.cache import copied
from .files.codec import encode_document, encode_line
from .files.engine import FileEngine
from .files.flush import Durability
from .files.identity import identity_of
from .files.lines import Damage
from .files.live import live_records
from .files.trouble import told
from .schemas.catalog import kinds_of_path
from .schemas.homes import Lines, LinesPerParent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .files.lines import Line

T = TypeVar("T")

_log = logging.getLogger(__name__)


class JsonStore:
    """The documents and journals below one folder. Paths are relative to it, with `/` between their parts.

    Args:
        data_dir: the folder; None takes the environment's DATA_DIR, or `./data`.
        enable_cache: keep parsed documents in memory; each is believed only while its file is unchanged.
        lock_timeout: how long a lock is waited for, milliseconds.
        fsync_interval: how many appends share one sync at durability `batch`.
        durability: `full` (every write is on disk when the call returns), `batch` or `none`.
        keys: gives the key members of a journal's records by its path, None where lines never supersede each other;
            by default the catalog of entities knows.

    Attributes:
        engine: the file engine below.
    """

    def __init__(
        self,
        data_dir: Path | str | None = None,
        *,
        enable_cache: bool = True,
        lock_timeout: int = 5000,
        fsync_interval: int = 10,
        durability: Durability | str = Durability.FULL,
        keys: Callable[[str], tuple[str, ...] | None] | None = None,
    ) -> None:
        self.engine = FileEngine.open(
            Path(data_dir if data_dir is not None else os.environ.get("DATA_DIR") or "./data"),
            lock_timeout_ms=lock_timeout,
            fsync_interval=fsync_interval,
            durability=durability,
            enable_cache=enable_cache,
        )
        self._keys = keys or key_of_path
        self._companions: dict[object, object] = {}
        self._mutex = threading.Lock()

    def companion(self, make: Callable[[FileEngine], T]) -> T:
        """Return what `make` builds over this store's files, built once however often it is asked for."""
        with self._mutex:
            if make not in self._companions:
                self._companions[make] = make(self.engine)
            return cast("T", self._companions[make])

    def read_json(self, path: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return a document's value, the caller's own copy.

        Raises:
            InvalidError: no path in the folder.
            NotFoundError: there is no such file.
            UnreadableError: it cannot be read, or is not JSON.
        """
        return self.engine.read_document(path).value

    def write_json(self, path: str, value: object) -> None:
        """Write a document, whole or not at all.

        Raises:
            BusyError: its lock was not free in time.
            FullError: no room.
            InvalidError: no path in the folder, or no JSON value.
            UnreadableError: what is there now cannot be read, and is not overwritten; or the disk refused.
        """
        with self.engine.locks.lock_of(path).hold():
            self._write_json(path, value)

    def read_jsonl(self, path: str, *, on_damage: Callable[[Damage], None] | None = None) -> list[dict[str, Any]]:
        """Return a journal's live records in the order of their first appearance; absent is empty.

        Where the catalog gives the path a key, a line with a higher `_rev` stands in for an earlier one of its key, a
        tombstone ends it, and bookkeeping members are left out; elsewhere every line is a record.

        Args:
            path: the journal.
            on_damage: is told of each damaged part; without it they are logged. The other lines are returned.

        Raises:
            InvalidError: no path in the folder.
            UnreadableError: the file cannot be read.
        """
        report = on_damage or _log_damage
        return live_records(_sound(self.engine.journal(path).read(), report), self._keys(path))

    def append_jsonl(self, path: str, items: Iterable[Mapping[str, Any]]) -> None:
        """Append records as lines of one durable write: all of them or none.

        Raises:
            BusyError: the journal's lock was not free in time.
            FullError: no room.
            InvalidError: no path in the folder, or an item that is no JSON object.
            UnreadableError: the disk refused.
        """
        records = [_checked(item) for item in items]
        if records:
            self.engine.journal(path).commit(lambda batch: [batch.stage(record) for record in records])

    def write_jsonl(self, path: str, items: Iterable[Mapping[str, Any]]) -> None:
        """Replace a journal by these records, whole or not at all.

        Raises:
            BusyError, FullError, InvalidError: as `append_jsonl`.
            UnreadableError: a part of what is there now cannot be read, and is not overwritten; or the disk refused.
        """
        with self.engine.locks.lock_of(path).hold():
            self._write_jsonl(path, items)

    @contextmanager
    def edit(self, path: str, default: object = None) -> Iterator[Any]:
        """Read a document or journal, change the value in the block, write it: all under its lock.

        Nothing is written when the block raises or leaves the value as it was.

        Args:
            path: a journal if it ends in `.jsonl` (the value is the list of its live records), else a document.
            default: the value of an absent document; without one, absent is an error.

        Raises:
            BusyError, FullError, InvalidError, UnreadableError: as reading and writing.
            NotFoundError: there is no such document and no default.
        """
        with self.engine.locks.lock_of(path).hold():
            value = self._edited(path, default)
            before = _written(value)
            yield value
            changed = _written(value) != before
            if path.endswith(".jsonl"):
                if changed:
                    self._write_jsonl(path, value)
            elif changed or not self.exists(path):
                self._write_json(path, value)

    def resolve_path(self, *segments: str) -> Path:
        """Return the absolute path of these segments.

        Raises:
            InvalidError: it would leave the folder, or leads through a symbolic link.
        """
        return self.engine.paths.resolve(*segments)

    def get_data_dir(self) -> Path:
        """Return the folder."""
        return self.engine.paths.root

    def ensure_dir(self, path: str) -> None:
        """Make a folder and those above it, durably; nothing happens when it is there.

        Raises:
            InvalidError: no path in the folder.
            UnreadableError: it cannot be made.
        """
        with told(path, "made"):
            mode = self.engine.folder_mode_of(path)
            atomic.make_dirs(self.engine.fs, self.resolve_path(path), mode=mode, sync=self.engine.flusher.whole_files)

    def exists(self, path: str) -> bool:
        """Tell whether a file or folder is there.

        Raises:
            InvalidError: no path in the folder.
            UnreadableError: it cannot be looked at, which is not the same as absent.
        """
        with told(path, "looked at"):
            return identity_of(self.engine.fs, self.resolve_path(path)) is not None

    def list_dir(self, path: str = "") -> list[str]:
        """Return the names in a folder, sorted, without lock files; absent is empty.

        Raises:
            InvalidError: no path in the folder.
            UnreadableError: it cannot be read.
        """
        return self.engine.list(path)

    def delete_file(self, path: str) -> None:
        """Remove a file durably; absent is no error.

        Raises:
            BusyError: its lock was not free in time.
            InvalidError: no path in the folder.
            UnreadableError: it cannot be removed.
        """
        if self.exists(path):
            with self.engine.locks.lock_of(path).hold():
                self.engine.remove(path)

    def get_cache_stats(self) -> dict[str, int | bool]:
        """Return `size` (documents), `enabled`, `bytes`, `hits` and `misses`."""
        return self.engine.cache.stats()

    def clear_cache(self) -> None:
        """Forget every parsed document."""
        self.engine.cache.clear()

    def _write_json(self, path: str, value: object) -> None:
        with suppress(NotFoundError):
            self.engine.read_document(path)  # nothing is written over what cannot be read
        self.engine.write_document(path, value, stamp=isinstance(value, Mapping) and bool(kinds_of_path(path)))

    def _write_jsonl(self, path: str, items: Iterable[Mapping[str, Any]]) -> None:
        data = b"".join([encode_line(_checked(item), batch=None) for item in items])
        self._require_sound(path)
        self.engine.write_bytes(path, data)

    def _edited(self, path: str, default: object) -> Any:  # noqa: ANN401 - any JSON value
        if path.endswith(".jsonl"):
            self._require_sound(path)
            return self.read_jsonl(path)
        try:
            return self.read_json(path)
        except NotFoundError:
            if default is None:
                raise
            return copied(default)

    def _require_sound(self, path: str) -> None:
        """Refuse a journal with rot; a torn tail is set aside first, as for every writer."""
        for damage in self.engine.journal(path).recover():
            if damage.kind == "rot":
                where = f"{path} is damaged at byte {damage.offset}"
                text = f"{where} ({damage.reason}) and is not overwritten. Repair it first."
                raise UnreadableError(text, path=path, offset=damage.offset)


def key_of_path(path: str) -> tuple[str, ...] | None:
    """Return the key members of the records in a journal that the catalog of entities knows, else None."""
    located = kinds_of_path(path)
    journal = len(located) == 1 and isinstance(located[0].kind.home, Lines | LinesPerParent)
    return located[0].kind.key if journal else None


def _sound(items: Iterator[Line | Damage], report: Callable[[Damage], None]) -> Iterator[Line]:
    for item in items:
        if isinstance(item, Damage):
            report(item)
        else:
            yield item


def _log_damage(damage: Damage) -> None:
    _log.warning("%s: %d bytes at byte %d: %s", damage.path, damage.length, damage.offset, damage.reason)


def _written(value: object) -> bytes:
    # As it would be written: Python holds 1, 1.0 and true for equal, a file must not.
    return encode_document(value, stamp=False)


def _checked(item: object) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise InvalidError(f"A line is a JSON object, not a {type(item).__name__}.")
    return item

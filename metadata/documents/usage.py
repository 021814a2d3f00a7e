"""Which payloads and records are used, and whether that can be said at all: what a garbage collection asks.

The answers are queries on the index. Before they are believed, `catch_up` compares every file with the index, those
edited by hand included, and says what nobody could read: such a record may name or mention any payload.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ..errors import InvalidError, NotFoundError, UnreadableError
from ..files import quarantine
from ..index.state import Problem, load_problems
from ..index.tables import column_of, table_of
from ..schemas.catalog import CATALOG
from .places import is_journal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from .contract import Record
    from .projection import Projection

T = TypeVar("T")

_ASSETS = table_of(CATALOG["asset"])
_FACTS = table_of(CATALOG["fact"])
_TAGS = table_of(CATALOG["tag"])
_SHA256 = column_of("sha256")
_SIZE = column_of("size")
_UPLOADED = column_of("lastUploadAt")
_STORED = column_of("firstStoredAt")
LIST = "binaries/index.jsonl"
"""The list of assets."""
MISSED_SHARE = 0.2
MISSED_FROM = 10
"""So many payloads, and this part of all, that nothing names and nobody deleted are a list that lost its records."""
_WRITTEN_BACK_NS = 120_000_000_000
"""The system writes back by itself what is older (on Linux after half a minute)."""
_A_HASH = re.compile(r"[0-9a-f]{64}")
_ANY_HASH = re.compile(rb"(?=([0-9a-f]{64}))")
"""Wherever 64 digits stand together: rather one hash too many than one too few."""

_NAMED = f"EXISTS(SELECT 1 FROM {_ASSETS} a WHERE a.{_SHA256} = f.key)"
_MENTIONED = "EXISTS(SELECT 1 FROM mentions m WHERE m.sha256 = f.key)"
_LOOSE = (
    "NOT EXISTS(SELECT 1 FROM refs r WHERE r.dst_key = a.key AND r.dst_kind IN ('asset', ''))"
    f" AND NOT EXISTS(SELECT 1 FROM mentions m WHERE m.sha256 = a.{_SHA256})"
    " AND NOT EXISTS(SELECT 1 FROM refs o WHERE o.src_kind = 'asset' AND o.src_key = a.key AND o.dst_kind <> 'tag'"
    f" AND NOT (o.dst_kind = '' AND EXISTS(SELECT 1 FROM {_TAGS} t WHERE t.key = o.dst_key)))"
)


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A payload with facts that no record names.

    Attributes:
        size: bytes.
        wanted: the timestamp of its last upload, else of its first; empty when neither is known.
        mentioned: some record's text mentions its hash, so it is live all the same.
    """

    sha256: str
    size: int
    wanted: str
    mentioned: bool


@dataclass(frozen=True, slots=True)
class Loose:
    """An asset that nothing refers to or mentions, and that belongs to no chat, character, message or profile.

    Attributes:
        key: its id.
        size: bytes of its payload.
        owner: its user.
        created: its `createdAt`.
        sharers: how many records name its payload, itself included.
        wanted: as `Unnamed.wanted`.
    """

    key: str
    sha256: str
    size: int
    owner: str
    filename: str
    created: str
    sharers: int
    wanted: str


class Usage:
    """Questions about the use of payloads, over one data folder.

    Args:
        projection: the index and the file engine.
        waiting: returns the paths of operations that are not finished.
        guard: holds the gate, which finishes what can be finished.
    """

    def __init__(
        self,
        projection: Projection,
        waiting: Callable[[], list[str]],
        guard: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._projection = projection
        self._waiting = waiting
        self._guard = guard

    def make_room(self) -> None:
        """Give the ballast back if a disk is all but full, so that what removes payloads does not stop half-way."""
        self._projection.ballast.ease()

    def catch_up(self) -> list[Problem]:
        """Bring the index in step with every file; return why it cannot be said what is used, empty when it can.

        Raises:
            UnreadableError: a folder cannot be listed.
        """
        with self._guard():
            pass
        failed = self._projection.answer(self._projection.sweep)
        self.settle()
        return list(dict.fromkeys([*failed, *self.damage(), *self._miscounted(), *self._lost()]))

    def settle(self) -> None:
        """Bring to the disk what the logs say: no bytes may go for good because of a line that a power cut takes back.

        Writers that were killed may have left such lines, and below the durability `full` everybody does for a while.

        Raises:
            UnreadableError: a log cannot be synced.
        """
        engine = self._projection.engine
        for path in filter(is_journal, self._projection.paths() if engine.flusher.whole_files else ()):
            with suppress(InvalidError):  # a link: refused, and told of, wherever it is read
                found = self._projection.tails.identity(path)
                if found is not None and time.time_ns() - found.mtime_ns < _WRITTEN_BACK_NS:
                    engine.bring_to_disk(path)

    def damage(self) -> list[Problem]:
        """Return what is known to be unreadable, or not finished, and could name or mention a payload."""
        found = self._ask(load_problems)
        why = "an operation over several files could not be finished"
        unfinished = [Problem(path, -1, "", "", "unfinished", why) for path in self._waiting()]
        return [*unfinished, *(one for one in found if _hides_a_name(one))]

    def census(self) -> dict[str, int]:
        """Return how many records there are of every kind that can name or mention a payload."""
        kinds = [kind for kind in CATALOG.values() if _may_name(kind.name)]
        return self._ask(
            lambda db: {kind.name: int(_one(db, f"SELECT count(*) FROM {table_of(kind)}")) for kind in kinds}
        )

    def payloads(self) -> tuple[int, int]:
        """Return how many payloads have facts, and their bytes."""
        row = self._ask(lambda db: db.execute(f"SELECT count(*), coalesce(sum({_SIZE}), 0) FROM {_FACTS}").fetchone())
        return int(row[0]), int(row[1])

    def known(self) -> set[str]:
        """Return the hashes of all payloads that have facts."""
        return {str(row[0]) for row in self._ask(lambda db: db.execute(f"SELECT key FROM {_FACTS}").fetchall())}

    def named(self) -> set[str]:
        """Return the hashes of all payloads that records name."""
        return {str(row[0]) for row in self._ask(lambda db: db.execute(f"SELECT {_SHA256} FROM {_ASSETS}").fetchall())}

    def unnamed(self) -> list[Unnamed]:
        """Return the payloads with facts that no record names, by hash."""
        sql = (
            f"SELECT f.key, f.{_SIZE}, f.{_UPLOADED}, f.{_STORED}, {_MENTIONED} FROM {_FACTS} f"
            f" WHERE NOT {_NAMED} ORDER BY f.key"
        )
        rows = self._ask(lambda db: db.execute(sql).fetchall())
        return [Unnamed(key, int(size), up or stored, bool(said)) for key, size, up, stored, said in rows]

    def live_among(self, digests: Iterable[str]) -> set[str]:
        """Return those of the hashes that a record names or mentions."""
        sql = f"SELECT f.key FROM (SELECT value AS key FROM json_each(?)) f WHERE {_NAMED} OR {_MENTIONED}"
        wanted = json.dumps(sorted(digests))
        return {str(row[0]) for row in self._ask(lambda db: db.execute(sql, (wanted,)).fetchall())}

    def loose(self, before: str) -> list[Loose]:
        """Return the assets made before a time that nothing refers to, oldest first; see `Loose`."""
        sql = (
            f"SELECT a.key, a.{_SHA256}, a.{_SIZE}, a.owner, a.{column_of('filename')}, a.created,"
            f" (SELECT count(*) FROM {_ASSETS} b WHERE b.{_SHA256} = a.{_SHA256}),"
            f" coalesce(nullif(f.{_UPLOADED}, ''), f.{_STORED}, '')"
            f" FROM {_ASSETS} a LEFT JOIN {_FACTS} f ON f.key = a.{_SHA256}"
            f" WHERE a.created <> '' AND a.created < ? AND {_LOOSE} ORDER BY a.created, a.key"
        )
        return [Loose(*row) for row in self._ask(lambda db: db.execute(sql, (before,)).fetchall())]

    def is_loose(self, key: str) -> bool:
        """Tell whether nothing refers to an asset, and it belongs to nothing; false when there is none."""
        sql = f"SELECT EXISTS(SELECT 1 FROM {_ASSETS} a WHERE a.key = ? AND {_LOOSE})"
        return bool(self._ask(lambda db: db.execute(sql, (key,)).fetchone()[0]))

    def buried(self, sha256: str) -> list[tuple[str, str]]:
        """Return the ids of deleted assets that named a payload and can be restored, each with the time it went."""
        return [(key, gone) for key, gone, _ in self._buried(sha256)]

    def graves(self, sha256: str) -> list[Record]:
        """Return these assets themselves, as they were."""
        return [json.loads(body) for _, _, body in self._buried(sha256)]

    def _buried(self, sha256: str) -> list[tuple[str, str, str]]:
        sql = (
            "SELECT key, deleted, body FROM tombstones WHERE kind = 'asset' AND body IS NOT NULL"
            " AND json_extract(body, '$.sha256') = ? ORDER BY deleted, key"
        )
        return self._ask(lambda db: db.execute(sql, (sha256,)).fetchall())

    def deleted(self) -> set[str]:
        """Return the hashes of payloads that a deleted asset named, as far as the log still says so."""
        sql = "SELECT DISTINCT json_extract(body, '$.sha256') FROM tombstones WHERE kind = 'asset' AND body IS NOT NULL"
        return {str(row[0]) for row in self._ask(lambda db: db.execute(sql).fetchall())}

    def shadowed(self) -> set[str]:
        """Return the hashes in what is kept and reported, but not served: second records of an id, bytes set aside.

        Somebody may still put these right, so what they name stays (protocols.md, "Lines and documents").
        """
        engine = self._projection.engine
        found: set[str] = set()
        for name in engine.list(quarantine.FOLDER):
            if name.endswith(quarantine.NOTE):
                continue  # it says where something was, which may be a payload that is rotten
            with suppress(NotFoundError, UnreadableError):  # a payload's folder, or taken away meanwhile
                found |= _hashes_in(engine.read_bytes(f"{quarantine.FOLDER}/{name}"))
        for problem in self._ask(load_problems):
            if problem.problem == "duplicate":
                found |= self._hashes(problem)
        return found

    def _hashes(self, problem: Problem) -> set[str]:
        start = problem.place if is_journal(problem.path) else 0
        try:
            data = self._projection.engine.read_bytes(problem.path, start)
        except NotFoundError:
            return set()
        if is_journal(problem.path):
            data = data.partition(b"\n")[0]
        return _hashes_in(data)

    def _miscounted(self) -> list[Problem]:
        """Compare the records of the index with the lines of the log: a projection that lost some must not be asked."""
        # One statement is one moment: between two, a writer could add a record.
        live = "SELECT coalesce((SELECT live FROM files WHERE path = ?), 0)"
        sql = f"SELECT (SELECT count(*) FROM {_ASSETS}), ({live})"
        held, written = self._ask(lambda db: db.execute(sql, (LIST,)).fetchone())
        if held == written:
            return []
        reason = f"it holds {written} records and the index {held}; `calotype reindex` makes the index anew"
        return [Problem(LIST, -1, "asset", "", "miscounted", reason)]

    def _lost(self) -> list[Problem]:
        """Tell the list of assets that is gone or empty while payloads are stored: what it named is not garbage."""
        found = self._projection.tails.identity(LIST)
        names = [] if found is not None and found.size else self._projection.engine.list(LIST.partition("/")[0])
        count = sum(_A_HASH.fullmatch(name) is not None for name in names)
        return [Problem(LIST, -1, "asset", "", "lost", f"{count} payloads are stored")] if count else []

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        def answer() -> T:
            self._projection.refresh(CATALOG["asset"])
            self._projection.refresh(CATALOG["fact"])
            with self._projection.database.reading() as db:
                return question(db)

        return self._projection.answer(answer)


def _hashes_in(data: bytes) -> set[str]:
    return {match[1].decode() for match in _ANY_HASH.finditer(data)}


def _hides_a_name(problem: Problem) -> bool:
    """Tell whether something may name a payload that nobody can tell: a digit of the hash may be what was altered."""
    altered = problem.problem == "altered" and problem.path == LIST
    return altered or (problem.problem == "unreadable" and _may_name(problem.kind))


def _may_name(kind: str) -> bool:
    return kind not in CATALOG or CATALOG[kind].mentions


def _one(db: sqlite3.Connection, sql: str) -> int:
    return int(db.execute(sql).fetchone()[0])

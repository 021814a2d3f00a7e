"""A chat of 1,000, 20,000 and 200,000 messages: does anything grow with its length? `python bench/chat.py FOLDER`.

The store is on real files below FOLDER (default: a temporary folder) with full durability. Every figure is the median
of its repetitions. Beside each length stands what two simple stores do in the same run with the same messages: a JSON
file that is rewritten for every message (synced, as ours is), and a table of sqlite3 with synchronous=FULL.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from metadata.documents.json_files import JsonFiles
from metadata.files.engine import FileEngine
from metadata.repositories.chats import ChatsRepository
from metadata.repositories.container import Repositories
from metadata.store import JsonStore

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTHS = (1_000, 20_000, 200_000)
TIMES = 30
TEXT = "It was a bright cold day in April, and the clocks were striking thirteen. " * 5
BATCH = 5_000


def median_ms(work: Callable[[], object], times: int = TIMES) -> float:
    """Return the median time of a piece of work, milliseconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


class Writer:
    """Another writer of the same store, who makes a tag after the other; how long did the longest wait?"""

    def __init__(self, folder: Path) -> None:
        self._store = Repositories(JsonStore(folder, lock_timeout=60_000))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._waits: list[float] = []
        self._number = 0

    def _run(self) -> None:
        while not self._stopping.wait(0.005):
            began = time.perf_counter()
            self._store.tags.create(name=f"tag {self._number} {began}")
            self._waits.append(time.perf_counter() - began)
            self._number += 1

    def during(self, work: Callable[[], object]) -> tuple[float, float]:
        """Return how long the work took, seconds, and the longest wait of this writer meanwhile, milliseconds."""
        self._thread.start()
        began = time.perf_counter()
        work()
        taken = time.perf_counter() - began
        self._stopping.set()
        self._thread.join()
        self._store.close()
        return taken, max(self._waits, default=0.0) * 1000


class Chat:
    """A chat of so many messages in a store of its own."""

    def __init__(self, folder: Path, length: int) -> None:
        self.folder = folder
        self.length = length
        self.store = Repositories(JsonStore(folder, lock_timeout=60_000))
        texts = {"description": "d", "personality": "p", "scenario": "s", "first_message": "f"}
        who = self.store.characters.create(name="Alice", **texts).id
        profile = self.store.connections.create(name="c", provider="X", model_name="m").id
        self.id = self.store.chats.create(title="t", character_id=who, connection_profile_id=profile).id
        for start in range(0, length, BATCH):
            numbers = range(start, min(length, start + BATCH))
            self.store.messages.append_many(self.id, ({"role": "USER", "content": f"{n} {TEXT}"} for n in numbers))

    def append(self) -> object:
        """Append a message."""
        return self.store.messages.append(self.id, {"role": "USER", "content": TEXT})

    def last(self) -> object:
        """Read the last page."""
        return self.store.messages.page(self.id)

    def middle(self) -> Callable[[], object]:
        """Return the reading of a page from the middle, by its cursor."""
        page, seen = self.store.messages.page(self.id, order="oldest", limit=500), 500
        while seen < self.length // 2 and page.next_cursor is not None:
            page = self.store.messages.page(self.id, order="oldest", limit=500, cursor=page.next_cursor)
            seen += 500
        return lambda: self.store.messages.page(self.id, order="oldest", cursor=page.next_cursor)

    def edit(self) -> Callable[[], object]:
        """Return the editing of one message in the middle."""
        (event,) = self.store.messages.page(self.id, order="oldest", limit=1).items
        key = f"{self.id}/{event.to_record()['id']}"
        return lambda: self.store.messages.edit(key, lambda found: found.replaced(content=f"{time.monotonic()}"))

    def delete(self) -> Callable[[], object]:
        """Return the deleting of a message, another one each time."""
        page = self.store.messages.page(self.id, limit=TIMES)
        ids = iter([event.to_record()["id"] for event in page.items])
        return lambda: self.store.messages.delete_message(self.id, next(ids))

    def edit_half(self) -> None:
        """Give a good part of the log dead lines."""
        page = self.store.messages.page(self.id, limit=500)
        keys = [f"{self.id}/{event.to_record()['id']}" for event in page.items]
        self.store.messages.edit_many([(key, lambda found: found.replaced(content=TEXT)) for key in keys])


def rewrite_ms(folder: Path, length: int) -> float:
    """Return how long one append takes where it rewrites a JSON file, milliseconds."""
    messages = [{"id": str(n), "role": "USER", "content": f"{n} {TEXT}"} for n in range(length)]
    target, draft = folder / "naive.json", folder / "naive.tmp"

    def write() -> None:
        messages.append({"id": "new", "role": "USER", "content": TEXT})
        with draft.open("w") as file:
            json.dump(messages, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)

    taken = median_ms(write, 3)
    target.unlink()
    return taken


def sqlite_ms(folder: Path, length: int) -> tuple[float, float]:
    """Return how long an append and the last page take in a table of sqlite3, milliseconds."""
    with closing(sqlite3.connect(folder / "plain.sqlite3", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE m(seq INTEGER PRIMARY KEY, chat TEXT, body TEXT)")
        db.execute("CREATE INDEX m_chat ON m(chat, seq)")
        db.execute("BEGIN")
        rows = ((json.dumps({"id": str(n), "role": "USER", "content": f"{n} {TEXT}"}),) for n in range(length))
        db.executemany("INSERT INTO m(chat, body) VALUES('c', ?)", rows)
        db.execute("COMMIT")
        body = json.dumps({"id": "new", "role": "USER", "content": TEXT})
        insert = "INSERT INTO m(chat, body) VALUES('c', ?)"
        page = "SELECT body FROM m WHERE chat = 'c' ORDER BY seq DESC LIMIT 50"
        append = median_ms(lambda: db.execute(insert, (body,)))
        return append, median_ms(lambda: [json.loads(row[0]) for row in db.execute(page)])


def measured(folder: Path, length: int) -> dict[str, str]:
    """Return one column of the table."""
    column: dict[str, str] = {}
    append, page = sqlite_ms(folder, length)
    chat = Chat(folder / "data", length)
    ours, shown = median_ms(chat.append), median_ms(chat.last)
    column["append, ms"] = f"{ours:.2f}"
    column["  a JSON file rewritten takes"] = f"{rewrite_ms(folder, length) / ours:.3g} x"
    column["  a table of sqlite3 takes"] = f"{append / ours:.2g} x"
    column["last page (50), ms"] = f"{shown:.2f}"
    column["  a table of sqlite3 takes"] += f", page {page / shown:.2g} x"
    column["page from the middle, ms"] = f"{median_ms(chat.middle()):.2f}"
    column["edit one, ms"] = f"{median_ms(chat.edit()):.2f}"
    column["delete one, ms"] = f"{median_ms(chat.delete()):.2f}"
    chat.edit_half()
    taken, wait = Writer(chat.folder).during(chat.store.documents.compact)
    column["compaction, s"], column["  longest wait of a writer, ms "] = f"{taken:.1f}", f"{wait:.0f}"
    chat.store.close()
    documents = JsonFiles(FileEngine.open(chat.folder, lock_timeout_ms=60_000), hand_over=lambda: None)
    answered: list[float] = []

    def delete() -> None:
        began = time.perf_counter()
        ChatsRepository(documents).delete(chat.id)
        answered.append(time.perf_counter() - began)
        documents.work_off()

    taken, wait = Writer(chat.folder).during(delete)
    column["whole chat deleted, ms to the answer"] = f"{answered[0] * 1000:.0f}"
    column["  until its last row is gone, s"] = f"{taken:.1f}"
    column["  longest wait of a writer, ms"] = f"{wait:.0f}"
    documents.close()
    shutil.rmtree(chat.folder)
    (folder / "plain.sqlite3").unlink()
    return column


def main() -> None:
    """Measure everything and print the table."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    lengths = [int(number) for number in sys.argv[2:]] or list(LENGTHS)
    columns = []
    for length in lengths:
        with tempfile.TemporaryDirectory(dir=place) as name:
            columns.append(measured(Path(name), length))
    print(f"{'messages':40}" + "".join(f"{length:>26,}" for length in lengths))
    for name in columns[0]:
        print(f"{name:40}" + "".join(f"{column[name]:>26}" for column in columns))


if __name__ == "__main__":
    main()

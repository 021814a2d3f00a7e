"""A process of its own for the tests beside it: `python worker.py COMMAND FOLDER [JSON]`; it answers in JSON lines.

Deaths are `os._exit` at a call of the file system: no `finally`, no flush, no closing, as a kill would have it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any, cast

from metadata.documents.contract import ANY, Change, put
from metadata.documents.json_files import JsonFiles
from metadata.errors import ConflictError
from metadata.files.engine import FileEngine
from metadata.files.filesystem import FileSystem
from metadata.index.query import Query
from metadata.references import removal

DEAD = 9
CALLS = ("open", "write", "pwrite", "ftruncate", "fsync", "fdatasync", "rename", "unlink", "mkdir", "fchmod")
"""What may change something on the disk."""


class Dying(FileSystem):
    """Dies at a call: before it, or right after it.

    Args:
        at: which call, counted from 1; 0 never.
        after: the call is made first.
        only: count only calls of this name that concern a path which ends so.
    """

    def __init__(self, at: int, *, after: bool, only: tuple[str, str] | None = None) -> None:
        self.at = at
        self.after = after
        self.only = only
        self.count = 0

    def __getattribute__(self, name: str) -> Any:
        """Return the method, counting its calls if it changes the disk."""
        method = super().__getattribute__(name)
        if name not in CALLS:
            return method

        def call(*arguments: Any, **named: Any) -> Any:
            counts = self.only is None or (self.only[0] == name and str(arguments[-1]).endswith(self.only[1]))
            self.count += counts
            due = counts and self.count == self.at
            if due and not self.after:
                os._exit(DEAD)
            answer = method(*arguments, **named)
            if due:
                os._exit(DEAD)
            return answer

        return call


def say(answer: object) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201 - the answer of this program


def store_of(folder: Path, fs: FileSystem | None = None) -> JsonFiles:
    return JsonFiles(FileEngine.open(folder, fs=fs, lock_timeout_ms=60_000))


def in_a_child(work: Any) -> int:
    """Run work in a fork of this process, which has nothing open; return its exit code."""
    child = os.fork()
    if child == 0:
        work()
        sys.stdout.flush()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_removal(folder: Path, given: dict[str, Any]) -> None:
    """Remove a tag that records of three files carry, and die at every call in turn; say how it was found after."""
    template = folder / "template"
    in_a_child(lambda: [store_of(template).each([put(kind, body, trusting=True)]) for kind, body in given["records"]])
    # Dead after one call is much the same as dead before the next: both only where there is time for it.
    for after in (False, True) if os.environ.get("CALOTYPE_TEST_SCALE", "1") != "1" else (False,):
        at, code = 0, DEAD
        while code == DEAD:
            at += 1
            place = folder / f"round-{at}-{after}"
            shutil.copytree(template, place)
            code = in_a_child(
                lambda place=place, at=at, after=after: remove_tag(place, given["tag"], Dying(at, after=after))
            )
            assert code in {0, DEAD}, code
            in_a_child(lambda place=place, at=at, code=code: say(found_after(place, given) | {"at": at, "code": code}))
            shutil.rmtree(place)


def remove_tag(folder: Path, tag: str, fs: Dying) -> None:
    at, fs.at = fs.at, 0
    store = store_of(folder, fs)
    with store.guard(exclusive=True):
        changes = removal(store, "tag", tag)
        fs.at, fs.count = at, 0
        store.apply(changes)


def found_after(folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    store = store_of(folder)
    carriers = []
    for kind, body in given["records"]:
        found = store.get(kind, body["id"])
        if kind != "tag":
            carriers.append(found is not None and given["tag"] in cast("list[str]", found.body["tags"]))
    gone = store.get("tag", given["tag"]) is None
    answer = {"gone": gone, "carried": carriers, "referrers": len(store.referrers("tag", given["tag"]))}
    rest = {"unfinished": store.health().unfinished, "intents": len(list(folder.glob("intents/*.json")))}
    store.close()
    return answer | rest


def die_writing(folder: Path, given: dict[str, Any]) -> None:
    """Store a record and die right after a call on a path."""
    fs = Dying(1, after=True, only=(given["call"], given["path"]))
    store_of(folder, fs).apply([put(given["kind"], given["record"], ANY)])


def store_one(folder: Path, given: dict[str, Any]) -> None:
    """Store records, each for itself; say what became of each."""
    store = store_of(folder)
    input()
    for kind, record in given["records"]:
        try:
            store.apply([put(kind, record)])
            say("stored")
        except ConflictError:
            say("conflict")


def bump(folder: Path, given: dict[str, Any]) -> None:
    """Count a member of a record up, many times."""
    store = store_of(folder)
    input()

    def more(body: dict[str, Any] | None) -> dict[str, Any]:
        assert body is not None
        return {**body, "size": body["size"] + 1}

    for _ in range(given["times"]):
        store.apply([Change(given["kind"], given["key"], more)])
    say("done")


def fill(folder: Path, given: dict[str, Any]) -> None:
    """Store copies of two records of both sorts of homes; say each id when it is durable."""
    store = store_of(folder)
    input()
    for _ in range(given["times"]):
        for kind, record in given["records"]:
            body = {**record, "id": str(uuid.uuid4())}
            store.apply([put(kind, body)])
            say([kind, body["id"]])
        store.find("asset", Query(limit=1))


COMMANDS = {command.__name__: command for command in (kill_removal, die_writing, store_one, bump, fill)}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](Path(sys.argv[2]), json.loads(sys.argv[3]))

"""Write to a store without end, from several threads, and promise each write on a file elsewhere, until killed.

Run as `python -m tests.crash.endless FOLDER PROMISES SEED [BROKEN]`. A promise is one line of JSON; `check` says
whether a store keeps them.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.crash.states.broken import WAYS
from tests.crash.states.operations import TEXTS, opened, records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from calotype import LocalStore

Promise = dict[str, Any]


def main(folder: str, promises: str, seed: str, broken: str | None = None) -> None:
    """Write until killed."""
    for way in broken.split(",") if broken else ():
        WAYS[way]()
    file = os.open(promises, os.O_WRONLY | os.O_APPEND)
    store = opened(Path(folder))

    def promise(**given: object) -> None:
        os.write(file, json.dumps(given).encode() + b"\n")

    threads = [threading.Thread(target=_repeat, args=(work, store, seed, promise)) for work in (_uploads, _messages)]
    for thread in threads:
        thread.start()
    _repeat(_edits, store, seed, promise)


def check(folder: Path, promises: Iterable[Promise]) -> None:
    """Open a store and look for everything that was promised.

    Raises:
        AssertionError: something is not there, or not as it was promised.
    """
    newest: dict[str, Promise] = {}
    for each in promises:
        newest[f"{each['kind']} {each['id']}"] = each
    with opened(folder) as store:
        for each in newest.values():
            _check(store, each)
        for payload in (folder / "binaries").iterdir():
            if payload.is_dir():
                assert hashlib.sha256((payload / "raw").read_bytes()).hexdigest() == payload.name
        for asset in records(store).images.find_all():
            assert (folder / "binaries" / asset.sha256 / "raw").stat().st_size == asset.size
        store.assets.put(b"it takes a write")


def _check(store: LocalStore, promise: Promise) -> None:
    of = records(store)
    match promise["kind"]:
        case "asset":
            assert store.assets.get(promise["id"]).sha256 == promise["sha256"], promise
            assert hashlib.sha256(store.assets.read(promise["sha256"])).hexdigest() == promise["sha256"]
        case "deleted":
            assert of.images.find_by_id(promise["id"]) is None, promise
        case "message":
            found = of.messages.find(promise["chat"], promise["id"])
            assert found is not None, promise
            assert found.to_record()["content"] == promise["content"], promise
        case "character":
            # A later edit may have reached the disk without its promise.
            assert int(of.characters.get(promise["id"]).name) >= promise["count"], promise


def _repeat(
    work: Callable[[LocalStore, random.Random], Iterator[Promise]],
    store: LocalStore,
    seed: str,
    promise: Callable[..., None],
) -> None:
    chance = random.Random(f"{seed} {work.__name__}")  # noqa: S311 - the same work in every run
    for each in work(store, chance):
        promise(**each)


def _uploads(store: LocalStore, chance: random.Random) -> Iterator[Promise]:
    while True:
        asset = store.assets.put(chance.randbytes(chance.choice((10, 3_000, 9_000, 60_000))))
        yield {"kind": "asset", "id": asset.id, "sha256": asset.sha256}
        if chance.random() < 0.3:
            gone = store.assets.put(chance.randbytes(500))
            store.assets.delete(gone.id)
            yield {"kind": "deleted", "id": gone.id}


def _messages(store: LocalStore, chance: random.Random) -> Iterator[Promise]:
    of = records(store)
    me = store.inside.owner.id
    who = of.characters.create(user_id=me, name="Speaker", **TEXTS).id
    profile = of.connections.create(user_id=me, name="c", provider="X", model_name="m").id
    chat = of.chats.create(user_id=me, title="t", character_id=who, connection_profile_id=profile).id
    while True:
        content = "x" * chance.choice((1, 300, 7_000))
        made = of.messages.append(chat, {"role": "USER", "content": content})
        yield {"kind": "message", "id": str(made.to_record()["id"]), "chat": chat, "content": content}


def _edits(store: LocalStore, chance: random.Random) -> Iterator[Promise]:
    of = records(store)
    made = [of.characters.create(user_id=store.inside.owner.id, name="0", **TEXTS).id for _ in range(3)]
    for count in itertools.count(1):
        which = chance.choice(made)
        of.characters.edit(which, lambda found: found.replaced(name=str(count)))  # noqa: B023 - called at once
        yield {"kind": "character", "id": which, "count": count}


if __name__ == "__main__":
    main(*sys.argv[1:])

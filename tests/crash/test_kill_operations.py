"""Kill -9 at every file-system call of an operation over many files: it is finished or undone, never half done."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents import cleaning, retiring
from metadata.documents.json_files import JsonFiles
from metadata.errors import CalotypeError
from metadata.files.engine import FileEngine
from metadata.files.filesystem import FileSystem
from metadata.repositories.container import Repositories
from metadata.schemas.catalog import CATALOG
from metadata.sealing import MasterKey, Ring, Sealer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXTS = {"description": "d", "personality": "p", "scenario": "s", "first_message": "f"}
CHANGING = frozenset(
    {"write", "pwrite", "ftruncate", "fsync", "fdatasync", "chmod", "fchmod", "rename", "unlink", "rmdir", "mkdir"}
)

Snapshot = dict[str, dict[str, dict[str, Any]]]


class Keys:
    """No key is needed here."""

    def ring(self) -> Ring:
        return Ring(())

    def ensure(self) -> Ring:
        return Ring((MasterKey(bytes(32)),))


class DeadlyFileSystem(FileSystem):
    """Kills the process before the `left`-th call that changes something, once armed; half of a write is done then."""

    def __init__(self) -> None:
        self.left = -1

    def strikes(self) -> bool:
        self.left -= 1
        return self.left == 0

    def pwrite(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        if self.strikes():
            super().pwrite(descriptor, data[: len(data) // 2], offset)
            die()
        return super().pwrite(descriptor, data, offset)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        if self.strikes():
            super().write(descriptor, data[: len(data) // 2])
            die()
        return super().write(descriptor, data)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _deadly(name: str) -> Callable[..., Any]:
    def method(self: DeadlyFileSystem, *args: Any) -> Any:
        if self.strikes():
            die()
        return getattr(FileSystem, name)(self, *args)

    return method


for _name in CHANGING - {"write", "pwrite"}:
    setattr(DeadlyFileSystem, _name, _deadly(_name))


def opened(folder: Path, fs: FileSystem | None = None) -> Repositories:
    return Repositories(JsonFiles(FileEngine.open(folder, fs=fs)), sealer=Sealer(Keys()))


def populated(folder: Path) -> dict[str, str]:
    """Fill a folder with records that refer to each other in every way; return the ids of what is to be removed."""
    store = opened(folder)
    store.users.ensure_first()
    user = store.users.create(email="other@example.org").id
    tag, spare = (store.tags.create(user_id=user, name=name).id for name in ("t", "spare"))
    profile = store.connections.create(user_id=user, name="c", provider="X", model_name="m", tags=[tag]).id
    who, other = (store.characters.create(user_id=user, name=name, **TEXTS, tags=[tag]).id for name in "AB")
    me = store.personas.create(user_id=user, name="Me", description="d", tags=[tag]).id
    for character in (who, other):
        store.characters.add_persona(character, me)
    picture: dict[str, Any] = {"user_id": user, "filename": "f", "mime_type": "image/png", "size": 1}
    shared = {"title": "t", "user_id": user, "connection_profile_id": profile, "tags": [tag]}
    talk = store.chats.create(character_id=who, persona_id=me, **shared).id
    store.chats.create(character_id=other, **shared)
    events = store.messages.append_many(talk, [{"role": "USER", "content": f"m{n}"} for n in range(5)])
    message = [event.to_record()["id"] for event in events if not isinstance(event, CalotypeError)][2]
    store.images.create(**picture, sha256="1" * 64, type="chat_file", chat_id=talk)
    theirs = store.images.create(**picture, sha256="2" * 64, type="image", chat_id=talk, message_id=message, tags=[tag])
    store.images.create(**picture, sha256="3" * 64, type="image", character_id=who)
    store.characters.set_avatar_override(other, talk, theirs.id)
    more = store.personas.create(user_id=user, name="More", description="d", tags=[spare]).id
    store.close()
    return {"who": who, "chat": talk, "tag": tag, "spare": spare, "user": user, "persona": me, "more": more}


OPERATIONS: dict[str, Callable[[Repositories, dict[str, str]], object]] = {
    "delete a character": lambda store, ids: store.characters.delete(ids["who"], force=True),
    "delete a chat": lambda store, ids: store.chats.delete(ids["chat"]),
    "delete a tag": lambda store, ids: store.tags.delete(ids["tag"]),
    "delete a user": lambda store, ids: store.users.delete(ids["user"], force=True),
    "delete a persona": lambda store, ids: store.personas.delete(ids["persona"]),
    "merge tags": lambda store, ids: store.tags.merge(ids["tag"], ids["spare"]),
    "link": lambda store, ids: store.characters.add_persona(ids["who"], ids["more"]),
    "unlink": lambda store, ids: store.personas.remove_character(ids["persona"], ids["who"]),
}


def snapshot(store: Repositories) -> Snapshot:
    """Return every record without the time of its last change, which two runs do not share."""
    return {
        kind: {
            found.key: {name: value for name, value in found.body.items() if name != "updatedAt"}
            for found in store.documents.scan(kind)
        }
        for kind in CATALOG
    }


def killed(folder: Path, calls: int, operation: Callable[[Repositories], object]) -> bool:
    """Do something in a process of its own that dies at a call; tell whether it did."""
    child = os.fork()
    if child == 0:
        fs = DeadlyFileSystem()
        store = opened(folder, fs)
        fs.left = calls
        operation(store)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, -signal.SIGKILL}
    return status != 0


GREAT = {"delete a character", "delete a chat", "delete a tag", "delete a user", "merge tags"}
"""Those that are also tried as if they were too much for one operation, two records at a time."""


@pytest.mark.heavy
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "at_once"), [*((name, 100) for name in OPERATIONS), *((name, 0) for name in sorted(GREAT))]
)
def test_an_operation_cut_off_anywhere_is_finished_or_undone(
    tmp_path: Path, name: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retiring, "AT_ONCE", at_once)
    monkeypatch.setattr(cleaning, "CHUNK", 2)
    monkeypatch.setattr(cleaning, "ROWS", 2)
    template = tmp_path / "template"
    template.mkdir()
    ids = populated(template)
    store = opened(template)
    before = snapshot(store)
    store.close()
    after: Snapshot = {}
    outcomes: list[bool] = []
    for calls in range(1_000):
        folder = tmp_path / str(calls)
        shutil.copytree(template, folder)
        # At call 0 it is never struck: that shows what "after" is.
        died = killed(folder, calls, lambda store: OPERATIONS[name](store, ids))
        store = opened(folder)
        found = snapshot(store)
        if calls == 0:
            after = found
            assert after != before
            assert not died
        elif not died:
            break
        assert found in (before, after)
        outcomes.append(found == after)
        assert store.documents.health().unfinished == 0
        # What a kill cut off was never acknowledged; it is set aside, and nothing else may be wrong.
        assert not [one for one in store.documents.health().findings if not str(one["path"]).startswith("quarantine/")]
        _check_logs(folder, found)
        store.documents.rebuild()  # type: ignore[attr-defined] # it is over files
        assert snapshot(store) == found
        store.close()
        shutil.rmtree(folder)
    assert len(outcomes) > 8
    assert set(outcomes) == {True, False}, "either it never began or it always ended: nothing was proven"


def _check_logs(folder: Path, found: Snapshot) -> None:
    """Every log that lies there is that of a chat that is there."""
    logs = {path.stem for path in (folder / "chats").glob("*.jsonl")} - {"index"}
    assert logs <= set(found["chat"])

"""Rotation: every value gets the new key or none does, whatever is killed when; nothing that can be opened is lost."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from metadata.documents.contract import ANY, Change, Documents, put
from metadata.documents.json_files import JsonFiles
from metadata.documents.memory import MemoryDocuments
from metadata.errors import InvalidError, UnreadableError
from metadata.files.engine import FileEngine
from metadata.files.filesystem import FileSystem
from metadata.keys import PATH, MasterKeys
from metadata.rotation import ORIGINAL, Rotation, sealed_exist
from metadata.sealing import MEMBERS, MasterKey, NeedsReentry, Reason, Revealed, Ring, Sealer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

Record = dict[str, Any]

FIRST = "11111111-1111-4111-8111-111111111111"
SECOND = "22222222-2222-4222-8222-222222222222"
IDS = [f"aaaaaaaa-aaaa-4aaa-8aaa-{number:012d}" for number in range(5)]
T0 = "2026-01-01T00:00:00.000Z"
DATES = {"createdAt": T0, "updatedAt": T0}
PEPPER = "pepper"
CONNECTIONS = "settings/connection-profiles.json"


class Shop:
    """An opened store and what rotates it."""

    def __init__(
        self, root: Path, *given: MasterKey, fs: FileSystem | None = None, documents: Documents | None = None
    ) -> None:
        engine = FileEngine.open(root, fs=fs)
        self.documents = documents or JsonFiles(engine)
        self.keys = MasterKeys(engine, given, sealed_exist=lambda: sealed_exist(self.documents))
        self.sealer = Sealer(self.keys, PEPPER)
        self.rotation = Rotation(self.documents, self.keys, self.sealer, lambda: FIRST)

    def api_key(self, number: int, plain: str, **more: object) -> None:
        owner = str(more.get("_userId", FIRST))
        with self.documents.guard():
            envelope = self.sealer.seal("apiKey", IDS[number], "key", plain, user=owner)
            self.documents.apply([put("apiKey", api_key(number, **envelope, **more))])

    def user(self, user_id: str) -> None:
        parts = {
            name: self.sealer.seal("user", user_id, name, f"{name} of {user_id}", user=user_id)
            for name in ("totp", "backupCodes")
        }
        totp, codes = {**parts["totp"], "enabled": True}, {**parts["backupCodes"], "createdAt": T0}
        record = {"id": user_id, "email": f"{user_id[0]}@example.org", "totp": totp, "backupCodes": codes, **DATES}
        self.documents.apply([put("user", record)])

    def fill(self) -> None:
        self.user(FIRST)
        self.user(SECOND)
        self.api_key(0, "zero")
        self.api_key(1, "one", _userId=SECOND)
        self.documents.apply([put("apiKey", api_key(2, **of_the_original("two")))])

    def values(self) -> dict[str, object]:
        """Open everything."""
        found: dict[str, object] = {}
        for stored in self.documents.scan("apiKey"):
            owner = str(stored.body.get("_userId", FIRST))
            found[stored.key] = self.sealer.open("apiKey", stored.key, "key", stored.body, user=owner)
        for stored in self.documents.scan("user"):
            for name in ("totp", "backupCodes"):
                envelope = stored.body[name]
                assert isinstance(envelope, dict)
                opened = self.sealer.open("user", stored.key, name, envelope, user=stored.key)
                found[f"{stored.key} {name}"] = opened
        return found


def api_key(number: int, **more: object) -> Record:
    return {"id": IDS[number], "label": f"Key {number}", "provider": "OPENAI", "isActive": True, **more, **DATES}


def of_the_original(plain: str) -> Record:
    key = hashlib.pbkdf2_hmac("sha256", FIRST.encode(), PEPPER.encode(), 100_000, 32)
    both = AESGCM(key).encrypt(bytes(16), plain.encode(), None)
    return {"ciphertext": both[:-16].hex(), "iv": bytes(16).hex(), "authTag": both[-16:].hex()}


PLAIN: dict[str, object] = {
    **{IDS[number]: Revealed(name) for number, name in enumerate(("zero", "one", "two"))},
    **{f"{user} {name}": Revealed(f"{name} of {user}") for user in (FIRST, SECOND) for name in ("totp", "backupCodes")},
}


@contextmanager
def opened(root: Path, *given: MasterKey, fs: FileSystem | None = None) -> Iterator[Shop]:
    shop = Shop(root, *given, fs=fs)
    try:
        yield shop
    finally:
        shop.documents.close()


@pytest.fixture(params=["json_files", "memory"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path, documents=MemoryDocuments() if request.param == "memory" else None)
    made.fill()
    yield made
    made.documents.close()


def test_every_value_of_every_kind_gets_the_new_key(shop: Shop) -> None:
    (old,) = shop.keys.ring().keys
    assert shop.rotation.survey() == {old.id: 6, ORIGINAL: 1}
    done = shop.rotation.rotate()
    (new,) = shop.keys.ring().keys
    assert new != old
    assert (done.key_id, done.renewed, done.left) == (new.id, 7, 0)
    assert shop.rotation.survey() == {new.id: 7}
    assert shop.values() == PLAIN


def test_nothing_but_envelopes_changes(shop: Shop) -> None:
    def rest() -> object:
        records = [stored.body for kind in ("user", "apiKey") for stored in shop.documents.scan(kind)]
        return json.loads(json.dumps(records), object_hook=_without_envelope)

    before = rest()
    shop.rotation.rotate()
    assert rest() == before


def _without_envelope(members: Record) -> Record:
    return {name: value for name, value in members.items() if name not in MEMBERS}


def test_what_cannot_be_opened_is_left_and_hides_nothing(shop: Shop) -> None:
    shop.api_key(3, "three")
    shop.documents.apply(
        [Change("apiKey", IDS[3], lambda body: {**(body or {}), "authTag": "AAAAAAAAAAAAAAAAAAAAAA=="})]
    )
    lost = Sealer(OneKey()).seal("apiKey", IDS[4], "key", "four", user=FIRST)
    shop.documents.apply([put("apiKey", api_key(4, **lost))])
    done = shop.rotation.rotate()
    assert (done.renewed, done.left) == (7, 2)
    assert shop.values() == {
        **PLAIN,
        IDS[3]: NeedsReentry(Reason.NO_KEY),
        IDS[4]: NeedsReentry(Reason.NO_KEY),
    }


class OneKey:
    """One key from nowhere."""

    def __init__(self) -> None:
        self._ring = Ring((MasterKey.new(),))

    def ring(self) -> Ring:
        return self._ring

    ensure = ring


def test_keys_from_outside_are_rotated_to_the_first(tmp_path: Path) -> None:
    old, new = MasterKey.new(), MasterKey.new()
    with opened(tmp_path, old) as shop:
        shop.fill()
        assert shop.rotation.rotate().renewed == 1, "only what the original sealed"
    with opened(tmp_path, new, old) as shop:
        assert shop.rotation.finish() is None, "it begins when it is asked for"
        assert shop.rotation.rotate().renewed == 7
    with opened(tmp_path, new) as shop:
        assert shop.values() == PLAIN
        assert shop.rotation.rotate().renewed == 0
    assert not (tmp_path / PATH).exists()


def test_moving_from_the_file_to_a_key_from_outside(tmp_path: Path) -> None:
    with opened(tmp_path) as shop:
        shop.fill()
    outside = MasterKey.new()
    with opened(tmp_path, outside) as shop:
        assert shop.values() == PLAIN
        shop.rotation.rotate()
    (tmp_path / PATH).unlink()
    with opened(tmp_path, outside) as shop:
        assert shop.values() == PLAIN


def test_a_store_without_anything_sealed_gets_its_first_key(tmp_path: Path) -> None:
    with opened(tmp_path) as shop:
        done = shop.rotation.rotate()
        assert [key.id for key in shop.keys.ring().keys] == [done.key_id]
        assert (done.renewed, done.left) == (0, 0)


def test_a_store_that_sealed_and_lost_its_key_makes_none(tmp_path: Path) -> None:
    with opened(tmp_path) as shop:
        shop.fill()
        (tmp_path / PATH).unlink()
        for attempt in (shop.rotation.rotate, lambda: shop.api_key(3, "three")):
            with pytest.raises(InvalidError, match="no master key"):
                attempt()
        assert not (tmp_path / PATH).exists()
        assert shop.values()[IDS[0]] == NeedsReentry(Reason.NO_KEY)
        assert shop.values()[IDS[2]] == Revealed("two"), "the original's has no master key"


@pytest.mark.parametrize("path", [CONNECTIONS, f"settings/users/{SECOND}.json", "settings/general.json"])
def test_a_file_that_cannot_be_read_keeps_its_key(tmp_path: Path, path: str) -> None:
    with opened(tmp_path) as shop:
        shop.fill()
        before = shop.keys.ring()
    (tmp_path / path).write_text("{nonsense")
    with opened(tmp_path) as shop:
        shop.documents.health()
        assert isinstance(shop.documents, JsonFiles)
        rotation = Rotation(shop.documents, shop.keys, shop.sealer, lambda: FIRST, shop.documents.sweep)
        with pytest.raises(UnreadableError, match=path.rpartition("/")[2]):
            rotation.rotate()
        assert shop.keys.ring() == before
    assert (tmp_path / path).read_text() == "{nonsense"


class KilledAt(FileSystem):
    """Kills its own process at the nth call that changes something."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.calls = 0

    def _step(self) -> None:
        self.calls += 1
        if self.calls == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        self._step()
        return super().write(descriptor, data[:1500])  # two or three writes a file, so torn ones are among them

    def fsync(self, descriptor: int) -> None:
        self._step()
        super().fsync(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)
        self._step()

    def unlink(self, path: Path) -> None:
        self._step()
        super().unlink(path)


def _kill_at_every_step(source: Path, target: Path) -> None:
    """Leave a folder for each step at which a rotation was killed, and `whole` for the one that was not."""
    for fatal in range(1, 1000):
        root = target / str(fatal)
        shutil.copytree(source, root)
        child = os.fork()
        if child == 0:
            with opened(root, fs=KilledAt(fatal)) as shop:
                shop.rotation.rotate()
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
            root.rename(target / "whole")
            return


@pytest.mark.heavy
def test_killed_at_every_step_it_is_finished_or_undone(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    with opened(source) as shop:
        shop.fill()
        (old,) = shop.keys.ring().keys
    target.mkdir()
    # A process of its own: forking is for programs without threads.
    worker = multiprocessing.get_context("spawn").Process(target=_kill_at_every_step, args=(source, target))
    worker.start()
    worker.join(100)
    assert worker.exitcode == 0
    assert (target / "whole").is_dir()
    killed = [root for root in target.iterdir() if root.name != "whole"]
    assert len(killed) > 30
    outcomes = {_recovered(root, old) for root in killed}
    assert outcomes == {"undone", "finished"}


def _recovered(root: Path, old: MasterKey) -> str:
    with opened(root) as shop:
        assert shop.values() == PLAIN, f"{root.name}: before it is finished"
        shop.rotation.finish()
        assert shop.values() == PLAIN, root.name
        (key,) = shop.keys.ring().keys
        assert set(shop.rotation.survey()) <= {key.id, *([ORIGINAL] if key == old else [])}
        assert shop.documents.health().unfinished == 0
        return "undone" if key == old else "finished"


def test_what_is_sealed_and_not_yet_stored_is_waited_for(tmp_path: Path) -> None:
    with opened(tmp_path) as shop:
        shop.fill()
        rotation = threading.Thread(target=shop.rotation.rotate)
        with shop.documents.guard():
            envelope = shop.sealer.seal("apiKey", IDS[3], "key", "three", user=FIRST)
            rotation.start()
            rotation.join(0.5)  # all the time it would need to go through the records
            shop.documents.apply([put("apiKey", api_key(3, **envelope))])
        rotation.join(60)
        assert shop.values() == {**PLAIN, IDS[3]: Revealed("three")}


@pytest.mark.heavy
def test_writers_and_readers_beside_rotations_lose_nothing(tmp_path: Path, scale: int) -> None:
    with opened(tmp_path) as shop:
        shop.fill()
        over, wrong = threading.Event(), list[object]()

        def write() -> None:
            number = 0
            with opened(tmp_path) as other:
                while not over.is_set():
                    number += 1
                    with other.documents.guard():
                        fresh = other.sealer.seal("apiKey", IDS[0], "key", f"plain {number}", user=FIRST)
                        other.documents.apply([put("apiKey", api_key(0, **fresh), ANY)])

        def read() -> None:
            with opened(tmp_path) as other:
                while not over.is_set():
                    with other.documents.guard():
                        wrong.extend(value for value in other.values().values() if not isinstance(value, Revealed))

        threads = [threading.Thread(target=work) for work in (write, read)]
        for thread in threads:
            thread.start()
        for _ in range(10 * scale):
            shop.rotation.rotate()
        over.set()
        for thread in threads:
            thread.join(60)
        assert wrong == []
        (key,) = shop.keys.ring().keys
        assert shop.rotation.survey() == {key.id: 7}
        assert {name for name, value in shop.values().items() if isinstance(value, Revealed)} == set(PLAIN)


def test_the_original_folder_is_resealed_or_left(original_folder: Path, original: ModuleType) -> None:
    with opened(original_folder) as shop:
        rotation = Rotation(shop.documents, shop.keys, shop.sealer, lambda: str(original.USER))
        assert rotation.survey() == {ORIGINAL: 3}
        done = rotation.rotate()
        assert (done.renewed, done.left) == (0, 3), "its envelopes in this suite were made up"
        assert rotation.survey() == {ORIGINAL: 3}

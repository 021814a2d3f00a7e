"""A check of a store that others go on changing: nothing that is under way is ever told of as wrong."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

import pytest

from assets.fsck import payloads
from assets.fsck.report import Wishes
from assets.library import Upload
from metadata.checks.graph import GraphCheck
from metadata.documents.comparing import Compared
from metadata.errors import CalotypeError
from metadata.findings import Weight
from metadata.repositories.facts import FactsRepository
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from server.wiring import Store

TEXTS = {"description": "d", "personality": "p", "scenario": "s", "first_message": "f"}


def settings_of(root: Path) -> Any:
    environ = {"CALOTYPE_DURABILITY": "none", "CALOTYPE_MIN_FREE_BYTES": "0", "CALOTYPE_LOCK_TIMEOUT_MS": "60000"}
    return load_settings({"DATA_DIR": str(root), **environ}).settings


class Busy:
    """Changes a store from several threads until it is stopped; anything unexpected is kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stopped = threading.Event()
        self.errors: list[BaseException] = []
        self.done = 0
        acts = (self.upload_and_delete, self.upload_and_delete, self.talk, self.link)
        self._threads = [threading.Thread(target=self._run, args=(act, n)) for n, act in enumerate(acts)]

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait for what is being done."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def upload_and_delete(self, dice: random.Random) -> None:
        with self._store.assets.receive() as staging:
            staging.write(b"%d" % dice.randrange(12))
            staged = staging.finish()
        upload = Upload(user_id=self._store.owner.id, filename="a", tags=[f"tag {dice.randrange(4)}"])
        asset = self._store.assets.store(staged, upload).asset
        if dice.random() < 0.6:
            self._store.assets.forget(asset.id, force=True, purge=dice.random() < 0.7)

    def talk(self, dice: random.Random) -> None:
        records = self._store.records
        who = records.characters.create(name="who", **TEXTS)
        profile = records.connections.create(name="c", provider="OPENAI", model_name="m")
        talk = records.chats.create(title="t", character_id=who.id, connection_profile_id=profile.id)
        for number in range(dice.randrange(6)):
            records.messages.append(talk.id, {"type": "message", "role": "USER", "content": f"{number}"})
        records.characters.delete(who.id, force=dice.random() < 0.7)

    def link(self, dice: random.Random) -> None:
        records = self._store.records
        who = records.characters.create(name="who", **TEXTS)
        visitor = records.personas.create(name="visitor", description="d")
        records.characters.add_persona(who.id, visitor.id)
        tag = records.tags.create(name=f"own {who.id}")
        records.characters.add_tag(who.id, tag.id)
        if dice.random() < 0.7:
            records.personas.delete(visitor.id)
            records.tags.delete(tag.id)

    def _run(self, act: Callable[[random.Random], None], seed: int) -> None:
        dice = random.Random(seed)  # noqa: S311 - for repeatable work
        while not self._stopped.is_set():
            try:
                act(dice)
            except CalotypeError:
                pass  # a record that another thread deleted meanwhile
            except BaseException as error:  # noqa: BLE001 - told by the test
                self.errors.append(error)
                return
            self.done += 1


def found_while_busy(root: Path, rounds: int) -> list[Any]:
    with open_store(settings_of(root)) as store, Busy(store) as busy:
        found: list[Any] = []
        for number in range(rounds):
            while busy.done < 10 * (number + 1) and not busy.errors:
                threading.Event().wait(0.01)
            report = store.checks.verifier.run(Wishes(full=True))
            found += [finding for finding in report.findings if finding.weight is not Weight.NOTICE]
            if found:
                break
    assert busy.errors == []
    return found


@pytest.mark.heavy
def test_a_check_beside_uploads_deletes_and_links_finds_nothing(tmp_path: Path, scale: int) -> None:
    assert found_while_busy(tmp_path / "data", 4 * scale) == []
    with open_store(settings_of(tmp_path / "data")) as store:
        assert [f for f in store.checks.verifier.run(Wishes(full=True)).findings if f.weight is not Weight.NOTICE] == []


def test_a_log_that_goes_with_its_chat_meanwhile_is_not_told_of(tmp_path: Path) -> None:
    with open_store(settings_of(tmp_path / "data")) as store:
        gone = Compared(parentless=[("chats/1d9c2436-3dec-4156-90cb-d928e740abaf.jsonl", "chat", 4)])
        assert list(GraphCheck(store.documents, store.engine, gone).findings()) == []


def found_in_the_middle_of_an_upload(root: Path, monkeypatch: pytest.MonkeyPatch, *, locked: bool) -> list[Any]:
    """Check a store while an upload has its payload in place and not yet its record."""
    reached, asked, go_on = threading.Event(), threading.Event(), threading.Event()
    note_uploads, again = FactsRepository.note_uploads, payloads.PayloadChecks.again

    def slow(self: FactsRepository, *arguments: Any, **more: Any) -> Any:
        reached.set()
        assert go_on.wait(60)
        return note_uploads(self, *arguments, **more)

    def told(self: payloads.PayloadChecks, digest: Any, check: Any) -> Any:
        asked.set()
        return again(self, digest, check) if locked else check(digest)

    monkeypatch.setattr(FactsRepository, "note_uploads", slow)
    monkeypatch.setattr(payloads.PayloadChecks, "again", told)
    with open_store(settings_of(root)) as store, ThreadPoolExecutor(2) as threads:
        upload = threads.submit(Busy(store).upload_and_delete, random.Random(2))  # noqa: S311 - this one deletes nothing
        assert reached.wait(60)
        report = threads.submit(store.checks.verifier.run, Wishes())
        assert asked.wait(60)
        if not locked:
            report.result(60)  # nothing holds it up
        go_on.set()
        upload.result(60)
        return report.result(60).findings


def test_an_upload_that_is_half_done_is_not_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_in_the_middle_of_an_upload(tmp_path / "data", monkeypatch, locked=True) == []


def test_a_second_look_without_the_lock_would_tell_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_in_the_middle_of_an_upload(tmp_path / "data", monkeypatch, locked=False) != []

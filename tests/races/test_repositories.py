"""Several processes on the same characters and chats: no lost update, links equal on both sides, an index like new."""

from __future__ import annotations

import os
import random
import sqlite3
import time
import traceback
from collections import Counter
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents import retiring
from metadata.errors import CalotypeError, ConflictError, InvalidError, NotFoundError
from metadata.repositories.container import Repositories
from metadata.store import JsonStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROCESSES = 4
STEPS = 60
SECONDS = 3
"""How long characters are edited everyday; ten times as long where the scale is greater."""
ALICE = {"description": "d", "personality": "p", "scenario": "s", "first_message": "f"}


def opened(folder: Path) -> Repositories:
    # Locks are waited for longer than by default: four processes on two cores, beside other tests.
    return Repositories(JsonStore(folder, lock_timeout=60_000))


def in_processes(work: Callable[[int], None]) -> None:
    """Run a piece of work in several processes at once; each must succeed."""
    children = []
    for number in range(PROCESSES):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                work(number)
                status = 0
            except BaseException:  # noqa: BLE001 - a child must not go on as if it were the test run
                traceback.print_exc()
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * PROCESSES


def rows(folder: Path) -> dict[str, list[Any]]:
    """Return the rows of the index that say something of records, without the positions, which are given anew."""
    with closing(sqlite3.connect(folder / "cache/index.sqlite3")) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kinds = [name for name in names if name.startswith("k_")]
        found = {}
        for name in kinds:
            sql = f'SELECT key, path, rev, owner, created, body FROM "{name}"'  # noqa: S608 - names of tables
            found[name] = db.execute(sql).fetchall()
        for name in ("refs", "mentions", "uniques", "children"):
            found[name] = db.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608 - the same
        found["counts"] = db.execute("SELECT * FROM counts WHERE n > 0").fetchall()
    return {name: sorted(values, key=str) for name, values in found.items()}


@pytest.mark.timeout(600)
def test_mixed_edits_of_the_same_characters_lose_nothing(tmp_path: Path, scale: int) -> None:
    seconds = SECONDS if scale < 5 else 10 * SECONDS
    store = opened(tmp_path)
    whos = [store.characters.create(name=f"n{number}", **ALICE).id for number in range(3)]
    mes = [store.personas.create(name=f"m{number}", description="d").id for number in range(3)]
    tags = [store.tags.create(name=f"t{number}").id for number in range(3)]
    store.close()

    def work(number: int) -> None:
        own, choice = opened(tmp_path), random.Random(number)  # noqa: S311 - a test's
        ends, done = time.monotonic() + seconds, 0
        while time.monotonic() < ends or not done:
            who, me, tag = choice.choice(whos), choice.choice(mes), choice.choice(tags)
            step = choice.randrange(6)
            if step == 0:
                own.characters.add_persona(who, me)
            elif step == 1:
                own.personas.remove_character(me, who)
            elif step == 2:
                own.characters.add_tag(who, tag)
            elif step == 3:
                own.characters.remove_tag(who, tag)
            _count(own, who, number)
            done += 1
        (tmp_path / f"done.{number}").write_text(str(done))

    in_processes(work)
    promised = {str(number): int((tmp_path / f"done.{number}").read_text()) for number in range(PROCESSES)}
    store = opened(tmp_path)
    counted = Counter[str]()
    for who in store.characters.find_all():
        counted.update(who.meta or {})
    assert counted == promised
    _check(store, tmp_path)


def _count(store: Repositories, who: str, number: int) -> None:
    def change(found: Any) -> Any:
        meta = dict(found.meta or {})
        meta[str(number)] = meta.get(str(number), 0) + 1
        return found.replaced(_meta=meta)

    store.characters.edit(who, change)


def _check(store: Repositories, folder: Path) -> None:
    forth = {(who.id, link.persona_id) for who in store.characters.find_all() for link in who.persona_links}
    back = {(who, me.id) for me in store.personas.find_all() for who in me.character_links}
    assert forth == back
    assert store.documents.health().unfinished == 0
    before = rows(folder)
    store.documents.rebuild()  # type: ignore[attr-defined] # it is over files
    assert rows(folder) == before
    store.close()


@pytest.mark.heavy
@pytest.mark.timeout(600)
@pytest.mark.parametrize("at_once", [retiring.AT_ONCE, 0])
def test_chats_that_come_and_go_leave_nothing_dangling(
    tmp_path: Path, scale: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retiring, "AT_ONCE", at_once)
    store = opened(tmp_path)
    profile = store.connections.create(name="c", provider="X", model_name="m").id
    whos = [store.characters.create(name=f"n{number}", **ALICE).id for number in range(3)]
    store.close()

    def work(number: int) -> None:
        own, choice = opened(tmp_path), random.Random(number)  # noqa: S311 - a test's
        for _ in range(STEPS * scale // 2):
            # Somebody else may have deleted what was there a moment ago; that is an answer, not a failure.
            with suppress(NotFoundError, InvalidError, ConflictError):
                _step(own, choice, whos, profile)

    in_processes(work)
    store = opened(tmp_path)
    chats = {chat.id: chat for chat in store.chats.find_all()}
    assert {event.chat_id for event in store.messages.find_all()} <= chats.keys()
    logs = {path.stem for path in (tmp_path / "chats").glob("*.jsonl")} - {"index"}
    assert logs <= chats.keys()
    for chat in chats.values():
        assert chat.message_count == sum(
            event.to_record()["type"] == "message" for event in store.messages.find_by_chat_id(chat.id)
        )
    for who in store.characters.find_all():
        assert {override.chat_id for override in who.avatar_overrides} <= chats.keys()
    _check(store, tmp_path)


def _step(store: Repositories, choice: random.Random, whos: list[str], profile: str) -> None:
    chats = [chat.id for chat in store.chats.find_all()]
    step = choice.randrange(6)
    if step == 0 or not chats:
        store.chats.create(title="t", character_id=choice.choice(whos), connection_profile_id=profile)
    elif step == 1:
        store.chats.delete(choice.choice(chats))
    elif step == 2:
        events = [event.to_record()["id"] for event in store.messages.page(choice.choice(chats)).items]
        if events:
            store.messages.delete_message(chats[0], choice.choice(events))
    else:
        made = store.messages.append_many(choice.choice(chats), [{"role": "USER", "content": "a"}] * 3)
        assert all(isinstance(one, InvalidError) or not isinstance(one, CalotypeError) for one in made)

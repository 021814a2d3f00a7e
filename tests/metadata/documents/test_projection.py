"""The index in step with the files, whatever other processes and the clock do."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from metadata.documents import projection
from metadata.documents.contract import ANY, Change, put, remove
from metadata.documents.json_files import JsonFiles
from metadata.errors import InternalError
from metadata.files.engine import FileEngine
from metadata.files.filesystem import FileSystem
from metadata.index.query import Query
from metadata.index.state import note_pending
from metadata.references import removal

if TYPE_CHECKING:
    import os
    from types import ModuleType

Start = Callable[..., Any]
Compare = Callable[[Path], dict[str, list[tuple[object, ...]]]]


def sizes(store: JsonFiles) -> list[int]:
    return [int(str(item.body["size"])) for item in store.find("asset", Query()).items]


@pytest.mark.heavy
def test_a_record_of_another_process_is_seen_at_the_next_read(
    files: JsonFiles, root: Path, make: ModuleType, worker: Start
) -> None:
    records = [["asset", make.asset(1)], ["tag", make.tag("x")], ["character", make.character()]]
    assert sizes(files) == []
    assert worker("store_one", root, {"records": records}).go().answers() == ["stored"] * 3
    assert sizes(files) == [1]
    for kind, record in records:
        found = files.get(kind, record["id"])
        assert found is not None
        assert found.body == record
        assert files.find(kind, Query()).total == 1


@pytest.mark.heavy
def test_a_unique_name_goes_to_one_of_two_processes(
    files: JsonFiles, root: Path, make: ModuleType, worker: Start
) -> None:
    for kind, member in (("tag", make.tag), ("accessToken", make.access_token)):
        names = [str(number) for number in range(10)] if kind == "tag" else list(range(10))
        both = [worker("store_one", root, {"records": [[kind, member(name)] for name in names]}) for _ in range(2)]
        for one in both:
            one.go()
        said = [one.answers() for one in both]
        assert [sorted(pair) for pair in zip(*said, strict=True)] == [["conflict", "stored"]] * 10
        assert files.find(kind, Query()).total == 10


@pytest.mark.heavy
def test_four_processes_count_one_record_up_exactly(
    files: JsonFiles, root: Path, make: ModuleType, worker: Start, scale: int
) -> None:
    picture, who = make.asset(1, size=0), make.character(size=0)
    times = 10 * scale
    files.apply([put("asset", picture)])
    files.apply([put("character", who)])
    for kind, record in (("asset", picture), ("character", who)):
        given = {"kind": kind, "key": record["id"], "times": times}
        for one in [worker("bump", root, given).go() for _ in range(4)]:
            assert one.answers() == ["done"]
        found = files.get(kind, record["id"])
        assert found is not None
        assert found.body["size"] == 4 * times


@pytest.mark.heavy
def test_deleting_the_index_while_two_processes_write_loses_nothing(
    files: JsonFiles, root: Path, make: ModuleType, worker: Start, rebuilt_differs: Compare, scale: int
) -> None:
    times = 20 * scale
    given = {"records": [["asset", make.asset(1)], ["character", make.character()]], "times": times}
    both = [worker("fill", root, given) for _ in range(2)]
    for one in both:
        one.go()
    while any(one.process.poll() is None for one in both):
        shutil.rmtree(root / "cache", ignore_errors=True)
        sizes(files)
        time.sleep(0.1)
    for one in both:
        assert len(one.answers()) == 2 * times
    files.sweep()
    for kind in ("asset", "character"):
        assert files.find(kind, Query()).total == 2 * times, kind
    assert rebuilt_differs(root) == {}


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["tag", "character"])
def test_the_truth_of_a_writer_that_died_before_the_index_is_seen(
    files: JsonFiles,
    root: Path,
    make: ModuleType,
    worker: Start,
    monkeypatch: pytest.MonkeyPatch,
    rebuilt_differs: Compare,
    kind: str,
) -> None:
    record = make.tag("x") if kind == "tag" else make.character()
    path = "tags/tags.json" if kind == "tag" else f"characters/{record['id']}.json"
    assert files.find(kind, Query()).total == 0
    given = {"call": "rename", "path": path.rpartition("/")[2], "kind": kind, "record": record}
    worker("die_writing", root, given).answers(code=9)
    monkeypatch.setattr(projection, "NOTE_AGE_NS", 0)
    assert [item.body for item in files.find(kind, Query()).items] == [record]
    with closing(sqlite3.connect(root / "cache/index.sqlite3")) as db:
        assert db.execute("SELECT count(*) FROM pending").fetchone() == (0,)
    assert rebuilt_differs(root) == {}


@pytest.mark.heavy
def test_a_line_of_a_writer_that_died_before_the_index_is_seen(
    files: JsonFiles, root: Path, make: ModuleType, worker: Start, rebuilt_differs: Compare
) -> None:
    files.apply([put("asset", make.asset(1))])
    record = make.asset(2)
    given = {"call": "pwrite", "path": "", "kind": "asset", "record": record}
    worker("die_writing", root, given).answers(code=9)
    assert sizes(files) == [1, 2]
    assert rebuilt_differs(root) == {}


class Coarse(FileSystem):
    """A file system whose times have ten seconds' grain."""

    def stat(self, path: Path) -> os.stat_result:
        return coarse(super().stat(path))

    def fstat(self, descriptor: int) -> os.stat_result:
        return coarse(super().fstat(descriptor))


def coarse(found: os.stat_result) -> os.stat_result:
    tick = found.st_mtime_ns // 10**11 * 10**11 + 10**11
    names = [name for name in dir(found) if name.startswith("st_") and not name.endswith("_ns")]
    values = {name: getattr(found, name) for name in names} | {"st_mtime_ns": tick, "st_ctime_ns": tick}
    return cast("os.stat_result", SimpleNamespace(**values))


def test_a_change_within_one_tick_of_the_clock_is_found_by_the_sweep(root: Path, make: ModuleType) -> None:
    store = JsonFiles(FileEngine.open(root, fs=Coarse()))
    who = make.character("Alice")
    store.apply([put("character", who)])
    file = root / f"characters/{who['id']}.json"
    file.write_text(file.read_text().replace("Alice", "Carol"))
    store.sweep()
    assert [item.body["name"] for item in store.find("character", Query()).items] == ["Carol"]
    store.close()


def test_a_failed_index_is_no_failed_write(
    files: JsonFiles, root: Path, make: ModuleType, monkeypatch: pytest.MonkeyPatch, rebuilt_differs: Compare
) -> None:
    label, picture = make.tag("x"), make.asset(1)

    def fail(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(type(files._projection.whole), "project_effects", fail)  # noqa: SLF001 - the step that fails
    monkeypatch.setattr(type(files._projection.tails), "project_lines", fail)  # noqa: SLF001 - the same
    files.apply([put("tag", label)])
    files.apply([put("asset", picture)])
    monkeypatch.undo()
    assert files.get("tag", label["id"]) is not None
    assert sizes(files) == [1]
    monkeypatch.setattr(projection, "NOTE_AGE_NS", 0)
    assert files.find("tag", Query()).total == 1
    assert rebuilt_differs(root) == {}


def test_no_note_no_write(files: JsonFiles, root: Path, make: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(projection, "note_pending", fail)
    with pytest.raises(InternalError):
        files.apply([put("tag", make.tag("x"))])
    assert not (root / "tags/tags.json").exists()


def test_a_note_of_a_writer_at_work_is_left_to_it(
    files: JsonFiles, root: Path, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "NOTE_AGE_NS", 0)
    who = make.character("Alice")
    files.apply([put("character", who)])
    path = f"characters/{who['id']}.json"
    other = JsonFiles(FileEngine.open(root))
    with other._projection.database.writing() as db:  # noqa: SLF001 - as a writer does it
        note_pending(db, [path])
    file = root / path
    with other._engine.locks.lock_of(path).hold():  # noqa: SLF001 - the same
        file.write_text(json.dumps({**who, "name": "Bob"}))
        assert [item.body["name"] for item in files.find("character", Query()).items] == ["Alice"]
    assert [item.body["name"] for item in files.find("character", Query()).items] == ["Bob"]
    other.close()


def test_a_note_that_was_left_is_settled_at_once_by_who_opens_next(
    files: JsonFiles, root: Path, make: ModuleType
) -> None:
    who = make.character("Alice")
    files.apply([put("character", who)])
    path = f"characters/{who['id']}.json"
    with files._projection.database.writing() as db:  # noqa: SLF001 - as a writer that dies does it
        note_pending(db, [path])
    (root / path).write_text(json.dumps({**who, "name": "Bob"}))
    other = JsonFiles(FileEngine.open(root))
    assert [item.body["name"] for item in other.find("character", Query()).items] == ["Bob"]
    other.close()


class Operations(RuleBasedStateMachine):
    """Any operations on both sorts of homes, by two stores over one folder; the index always equals a fresh one."""

    make: Any
    rebuilt_differs: Any
    folder: Any
    rounds = 0

    @initialize()
    def begin(self) -> None:
        type(self).rounds += 1
        self.root = Path(self.folder) / str(type(self).rounds)
        self.root.mkdir()
        self.stores = [JsonFiles(FileEngine.open(self.root, durability="none")) for _ in range(2)]
        self.model: dict[tuple[str, str], dict[str, Any]] = {}

    @rule(
        which=st.integers(0, 1),
        kind=st.sampled_from(["asset", "tag", "character"]),
        number=st.integers(0, 3),
        tagged=st.booleans(),
    )
    def add(self, which: int, kind: str, number: int, *, tagged: bool) -> None:
        record = {
            "asset": lambda: self.make.asset(number),
            "tag": lambda: self.make.tag(self.make.new_id()),
            "character": lambda: self.make.character(avatarUrl=self.make.sha(number)),
        }[kind]()
        known = [key for name, key in self.model if name == "tag"]
        if tagged and kind != "tag":
            record["tags"] = known[:2]
        self.stores[which].apply([put(kind, record)])
        self.model[kind, record["id"]] = record

    @precondition(lambda self: self.model)
    @rule(which=st.integers(0, 1), data=st.data())
    def change(self, which: int, data: st.DataObject) -> None:
        kind, key = data.draw(st.sampled_from(sorted(self.model)))
        member = {"asset": "filename", "tag": "color", "character": "title"}[kind]
        value = data.draw(st.text(max_size=4))
        self.model[kind, key] = {**self.model[kind, key], member: value}
        self.stores[which].apply([Change(kind, key, lambda body: {**(body or {}), member: value})])

    @precondition(lambda self: self.model)
    @rule(which=st.integers(0, 1), data=st.data())
    def delete(self, which: int, data: st.DataObject) -> None:
        kind, key = data.draw(st.sampled_from(sorted(self.model)))
        store = self.stores[which]
        with store.guard(exclusive=True):
            store.apply(removal(store, kind, key, force=True))
        del self.model[kind, key]
        for name, body in self.model.items():
            if key in body.get("tags", []):
                self.model[name] = {**body, "tags": [tag for tag in body["tags"] if tag != key]}

    @precondition(lambda self: any(kind == "asset" for kind, _ in self.model))
    @rule(which=st.integers(0, 1), data=st.data())
    def restore(self, which: int, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(key for kind, key in self.model if kind == "asset")))
        self.stores[which].apply([remove("asset", key)])
        self.stores[1 - which].apply([put("asset", self.model["asset", key])])

    @rule(which=st.integers(0, 1))
    def lose_the_index(self, which: int) -> None:
        shutil.rmtree(self.root / "cache")
        self.stores[which].find("tag", Query())

    @rule(which=st.integers(0, 1))
    def compact(self, which: int) -> None:
        self.stores[which].compact()

    def teardown(self) -> None:
        if not hasattr(self, "stores"):
            return
        for store in self.stores:
            for kind in ("asset", "tag", "character"):
                found = {item.key: item.body for item in store.scan(kind)}
                assert found == {key: body for (name, key), body in self.model.items() if name == kind}
        assert self.rebuilt_differs(self.root) == {}
        for store in self.stores:
            store.close()
        shutil.rmtree(self.root)


@pytest.mark.heavy
def test_the_index_equals_a_fresh_one_after_any_operations(
    tmp_path: Path, make: ModuleType, rebuilt_differs: Compare, scale: int
) -> None:
    Operations.folder, Operations.make, Operations.rebuilt_differs = tmp_path, make, staticmethod(rebuilt_differs)
    run_state_machine_as_test(
        Operations, settings=settings(max_examples=10 * scale, stateful_step_count=12, deadline=None)
    )


def test_an_unchanged_put_leaves_the_index_alone(
    files: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Compare
) -> None:
    label = make.tag("x")
    files.apply([put("tag", label)])
    files.apply([put("tag", label, ANY)])
    assert rebuilt_differs(root) == {}

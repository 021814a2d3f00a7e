"""Operations over several files, cut short at every call of the file system."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents.contract import ANY, put
from metadata.documents.intents import Intents, Step, steps_of
from metadata.documents.removals import FOLDER, Removal
from metadata.errors import BusyError, FullError, InternalError
from metadata.files.batch import Batch
from metadata.files.engine import FileEngine
from metadata.ids import RandomIds
from metadata.references import removal, remove

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import ModuleType

    from metadata.documents.json_files import JsonFiles


def carried(make: ModuleType) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    label = make.tag("shared")
    tags = [label["id"]]
    holders = [("asset", make.asset(1, tags=tags)), ("asset", make.asset(2, tags=tags))]
    return label["id"], [("tag", label), *holders, ("character", make.character(tags=tags))]


@pytest.mark.heavy
def test_an_operation_killed_anywhere_is_finished_or_never_happened(
    root: Path, make: ModuleType, worker: Callable[..., Any]
) -> None:
    label, records = carried(make)
    rounds = worker("kill_removal", root, {"tag": label, "records": records}).answers()
    died = [found for found in rounds if found["code"] != 0]
    assert len(died) > 20, "it did not die often enough to prove anything"
    for found in rounds:
        assert found["unfinished"] == found["intents"] == 0, found
        assert set(found["carried"]) == {not found["gone"]}, found
        assert found["referrers"] == (0 if found["gone"] else 3), found
    assert {found["gone"] for found in died} == {False, True}
    assert all(found["gone"] for found in rounds if found["code"] == 0)


def test_nothing_of_an_operation_that_cannot_be_noted_happens(
    files: JsonFiles, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    label, records = carried(make)
    for kind, body in records:
        files.apply([put(kind, body)])
    write = FileEngine.write_document

    def full(self: FileEngine, path: str, value: object, *, stamp: bool) -> object:
        if path.startswith(FOLDER):
            raise FullError("No room.")
        return write(self, path, value, stamp=stamp)

    monkeypatch.setattr(FileEngine, "write_document", full)
    with pytest.raises(FullError):
        files.apply(removal(files, "tag", label))
    monkeypatch.undo()
    assert files.get("tag", label) is not None
    assert len(files.referrers("tag", label)) == 3


def test_an_operation_refused_at_its_first_file_never_happens(
    files: JsonFiles, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    label, records = carried(make)
    for kind, body in records:
        files.apply([put(kind, body)])
    stage = Batch.data

    def full(self: Batch) -> bytes:
        raise FullError(f"No room for {self.count} lines.")

    monkeypatch.setattr(Batch, "data", full)
    with pytest.raises(FullError):
        files.apply(removal(files, "tag", label))
    monkeypatch.setattr(Batch, "data", stage)
    assert files.health().unfinished == 0
    files.apply([put("asset", make.asset(8))])
    assert files.get("tag", label) is not None
    assert len(files.referrers("tag", label)) == 3


def test_an_operation_that_broke_off_is_decided_and_finished_before_the_next(
    files: JsonFiles, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    label, records = carried(make)
    for kind, body in records:
        files.apply([put(kind, body)])
    write = FileEngine.write_document

    def full(self: FileEngine, path: str, value: object, *, stamp: bool) -> object:
        if path.startswith("tags/"):
            raise FullError("No room.")
        return write(self, path, value, stamp=stamp)

    monkeypatch.setattr(FileEngine, "write_document", full)
    files.apply(removal(files, "tag", label))
    assert files.health().unfinished == 1
    files.apply([put("asset", make.asset(7))])
    with pytest.raises(BusyError):
        files.apply([put("tag", make.tag("another"))])
    monkeypatch.undo()
    files.retry()
    files.apply([put("asset", make.asset(8))])
    assert files.health().unfinished == 0
    assert files.get("tag", label) is None
    assert files.referrers("tag", label) == []


def test_what_an_unfinished_operation_will_refer_to_is_not_removed_meanwhile(
    files: JsonFiles, root: Path, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file may be unreadable until then, so that nothing else knows of the reference."""
    label, picture = make.tag("shared"), make.asset(1)
    one = make.character(tags=[label["id"]], defaultImageId=picture["id"])
    two = make.character(tags=[label["id"]], defaultImageId=picture["id"])
    for kind, body in (("tag", label), ("asset", picture), ("character", one), ("character", two)):
        files.apply([put(kind, body)])
    write, done = FileEngine.write_document, []

    def full(self: FileEngine, path: str, value: object, *, stamp: bool) -> object:
        done.append(path.startswith("characters/"))
        if path.startswith("characters/") and done.count(True) > 1:
            raise FullError("No room.")
        return write(self, path, value, stamp=stamp)

    monkeypatch.setattr(FileEngine, "write_document", full)
    files.apply(removal(files, "tag", label["id"]))
    monkeypatch.undo()
    (intent,) = (root / FOLDER).glob("*.json")
    stuck = next(who["id"] for who in (one, two) if json.loads(intent.read_text())["steps"][0]["key"] == who["id"])
    path = root / f"characters/{stuck}.json"
    sound = path.read_bytes()
    path.write_bytes(b"{")
    files.sweep()
    with pytest.raises(BusyError, match="referred to"):
        remove(files, "asset", picture["id"], force=True)
    path.write_bytes(sound)
    files.retry()
    remove(files, "asset", picture["id"], force=True)
    after = files.get("character", stuck)
    assert after is not None
    assert (after.body.get("defaultImageId"), after.body["tags"], files.health().unfinished) == (None, [], 0)


def unmet(path: str, removal: Removal) -> None:
    raise AssertionError(f"{path} is no removal: {removal}")


class Redone:
    """Remembers what it was asked to do again."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[Step]]] = []

    def __call__(self, path: str, steps: Sequence[Step]) -> None:
        self.calls.append((path, list(steps)))


STEPS = [
    Step("a.json", "tag", "1", {"id": "1", "odd": "\ud83d"}),
    Step("b.jsonl", "asset", "2", None),
    Step("a.json", "tag", "3", None),
]


def test_steps_are_done_file_by_file_in_their_order_and_forgotten(root: Path) -> None:
    redone = Redone()
    intents = Intents(FileEngine.open(root), RandomIds(), redone, unmet)
    intents.run(STEPS)
    assert redone.calls == [("a.json", [STEPS[0], STEPS[2]]), ("b.jsonl", [STEPS[1]])]
    assert intents.waiting() == []


def test_what_is_written_down_is_what_is_done_again(root: Path) -> None:
    def die(path: str, steps: Sequence[Step]) -> None:
        raise InternalError(f"{path} {len(steps)}")

    engine = FileEngine.open(root)
    with pytest.raises(InternalError):
        Intents(engine, RandomIds(), die, unmet).run(STEPS)
    redone = Redone()
    later = Intents(engine, RandomIds(), redone, unmet)
    assert len(later.waiting()) == 1
    later.finish()
    assert redone.calls == [("a.json", [STEPS[0], STEPS[2]]), ("b.jsonl", [STEPS[1]])]
    assert later.waiting() == []


@pytest.mark.parametrize("text", ["{", "[]", '{"steps": 5}', '{"steps": [{"kind": "nonsense"}]}', '{"version": 1}'])
def test_a_damaged_note_is_set_aside_and_stops_nothing(
    files: JsonFiles, root: Path, make: ModuleType, text: str
) -> None:
    record = make.asset(1)
    files.apply([put("asset", record)])
    (root / FOLDER).mkdir(exist_ok=True)
    (root / FOLDER / "0.json").write_text(text)
    files.apply([put("asset", {**record, "filename": "renamed"}, ANY)])
    assert files.health().unfinished == 0
    kept, note = sorted((root / "quarantine").iterdir())
    assert note.name == f"{kept.name}.note.json"
    assert kept.read_text() == text


def test_a_note_that_was_altered_is_set_aside(files: JsonFiles, root: Path, make: ModuleType) -> None:
    record = make.asset(1)
    files.apply([put("asset", record)])
    step = Step("binaries/index.jsonl", "asset", record["id"], {**record, "filename": "right"})
    intents = files._writing.intents  # noqa: SLF001 - to leave a note as one who was killed
    intents._write(f"{FOLDER}/{'0' * 8}.json", [step])  # noqa: SLF001 - as above
    path = root / FOLDER / f"{'0' * 8}.json"
    path.write_bytes(path.read_bytes().replace(b"right", b"wrong"))
    files.apply([put("asset", make.asset(2))])
    found = files.get("asset", record["id"])
    assert found is not None
    assert found.body["filename"] == record["filename"]
    assert (files.health().unfinished, len(list((root / "quarantine").iterdir()))) == (0, 2)


def test_a_change_that_changes_nothing_is_no_step(files: JsonFiles, root: Path, make: ModuleType) -> None:
    label, picture = make.tag("x"), make.asset(1)
    files.apply([put("tag", label), put("asset", picture)])
    seen: list[str] = []

    class Watching(RandomIds):
        def new(self) -> str:
            seen.append("an operation was written down")
            return super().new()

    files._writing.intents._ids = Watching()  # noqa: SLF001 - to see whether a note is made
    files.apply([put("tag", label, ANY), put("asset", picture, ANY)])
    assert seen == []
    assert steps_of([], []) == []
    files.apply([put("tag", {**label, "name": "y", "nameLower": "y"}, ANY), put("asset", {**picture, "size": 2}, ANY)])
    assert len(seen) == 1
    assert json.loads((root / "tags/tags.json").read_text())["tags"][0]["name"] == "y"

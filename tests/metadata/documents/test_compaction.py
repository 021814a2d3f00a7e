"""The canonical form of a journal, and what compaction must not touch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.documents import compaction
from metadata.documents.contract import ANY, key_of, put, remove
from metadata.documents.json_files import JsonFiles
from metadata.files.codec import encode_line
from metadata.files.engine import FileEngine
from metadata.files.filesystem import FileSystem
from metadata.index.query import Query

if TYPE_CHECKING:
    from types import ModuleType

    import pytest

Compare = Callable[[Path], dict[str, list[tuple[object, ...]]]]
JOURNAL = "binaries/index.jsonl"


def lines_of(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / JOURNAL).read_text().splitlines()]


def test_one_line_a_record_in_order_of_first_appearance_with_the_record_s_members_alone(
    root: Path, make: ModuleType, rebuilt_differs: Compare
) -> None:
    files = JsonFiles(FileEngine.open(root), trash_s=0)
    records = [make.asset(number) for number in range(4)]
    for record in records:
        files.apply([put("asset", record)])
    files.apply([put("asset", {**records[0], "size": 50}, ANY)])
    files.apply([remove("asset", records[1]["id"])])
    files.apply([remove("asset", records[2]["id"])])
    files.apply([put("asset", records[2])])
    before = {item.key: item.body for item in files.scan("asset")}
    assert files.compact() > 0
    expected = [{**records[0], "size": 50}, records[2], records[3]]
    found = lines_of(root)
    assert [{name: line[name] for name in line if name != "_crc"} for line in found] == expected
    assert [list(line)[:-1] for line in found] == [list(record) for record in expected]
    assert {item.key: item.body for item in files.scan("asset")} == before
    assert [item.key for item in files.scan("asset")] == [record["id"] for record in expected]
    assert rebuilt_differs(root) == {}
    assert files.compact() == 0
    files.apply([put("asset", {**records[3], "size": 60}, ANY)])
    assert files.find("asset", Query(sort="-size", limit=1)).items[0].body["size"] == 60
    files.close()


def test_a_young_tombstone_stays_so_that_its_record_can_come_back(
    files: JsonFiles, root: Path, make: ModuleType
) -> None:
    record = make.asset(1)
    files.apply([put("asset", record)])
    files.apply([remove("asset", record["id"])])
    files.compact()
    assert len(lines_of(root)) == 1
    assert files.buried("asset", record["id"]) == record
    files.apply([put("asset", record)])
    assert files.get("asset", record["id"]) is not None


def test_what_is_not_ours_stays_byte_for_byte_and_says_the_same(
    files: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Compare
) -> None:
    mine, theirs = make.asset(1), make.asset(2)
    files.apply([put("asset", mine)])
    foreign = [json.dumps(theirs), json.dumps({**theirs, "size": 3}), "nonsense", '{"no": "id"}']
    with (root / JOURNAL).open("a") as held:
        held.write("".join(line + "\n" for line in foreign))
    files.apply([put("asset", {**mine, "size": 9}, ANY)])
    health = sorted((item["problem"], item["key"]) for item in files.health().findings)
    files.compact()
    assert (root / JOURNAL).read_text().splitlines()[1:] == foreign
    assert [item.body["size"] for item in files.find("asset", Query()).items] == [9, 2]
    assert sorted((item["problem"], item["key"]) for item in files.health().findings) == health
    assert rebuilt_differs(root) == {}


def test_an_edited_line_with_a_revision_neither_wins_nor_loses_by_compaction(
    files: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Compare
) -> None:
    """A line copied by hand carries the revision of its original, which must not be dropped from that one alone."""
    record = make.asset(1)
    files.apply([put("asset", record)])
    files.apply([put("asset", {**record, "size": 2}, ANY)])
    with (root / JOURNAL).open("a") as held:
        held.write(json.dumps({**record, "size": 3, "_rev": 1}) + "\n")
    assert files.find("asset", Query()).items[0].body["size"] == 2
    files.compact()
    assert files.find("asset", Query()).items[0].body["size"] == 2
    assert rebuilt_differs(root) == {}


def test_the_last_sound_version_survives_an_unreadable_newer_one(
    files: JsonFiles, root: Path, make: ModuleType
) -> None:
    record = make.asset(1)
    files.apply([put("asset", record)])
    sound = (root / JOURNAL).read_text()
    with (root / JOURNAL).open("a") as held:
        held.write(json.dumps({**record, "size": "many", "_rev": 1}) + "\n")
    files.compact()
    found = lines_of(root)
    assert [line["size"] for line in found] == [1, "many"]
    assert json.loads(sound)["id"] == found[0]["id"]
    assert files.find("asset", Query()).unreadable == 1


def test_an_absent_journal_needs_nothing(files: JsonFiles, root: Path) -> None:
    assert files.compact() == 0
    assert not (root / JOURNAL).exists()


def test_lines_of_the_original_are_compacted_to_themselves(files: JsonFiles, root: Path, make: ModuleType) -> None:
    records = [make.asset(number) for number in range(3)]
    (root / "binaries").mkdir()
    text = "".join(json.dumps(record) + "\n" for record in records)
    (root / JOURNAL).write_text(text)
    assert files.find("asset", Query()).total == 3
    files.compact()
    assert (root / JOURNAL).read_text() == text
    assert encode_line(records[0], batch=None) != text.encode()


def test_a_removed_record_does_not_come_back_through_a_foreign_second_line(root: Path, make: ModuleType) -> None:
    files = JsonFiles(FileEngine.open(root), trash_s=0)
    record = make.asset(1)
    files.apply([put("asset", record)])
    with (root / JOURNAL).open("a") as held:
        held.write(json.dumps({**record, "size": 3}) + "\n")
    files.apply([remove("asset", record["id"])])
    files.compact()
    assert files.find("asset", Query()).total == 0
    files.close()


def test_a_large_log_that_is_mostly_dead_is_tidied_and_others_are_left(
    files: JsonFiles, root: Path, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make.asset(1)
    files.apply([put("asset", record)])
    for size in range(5):
        files.apply([put("asset", {**record, "size": size}, ANY)])
    assert files.tidy() == 0, "it is small"
    monkeypatch.setattr(compaction, "OVERDUE_BYTES", 100)
    assert files.tidy() > 0
    assert len(lines_of(root)) == 1
    assert files.tidy() == 0


class Interrupting(FileSystem):
    """Does something at the next sync, which in a compaction comes when the lines are copied and no lock is held."""

    then: Callable[[], object] | None = None

    def fsync(self, descriptor: int) -> None:
        then, self.then = self.then, None
        if then is not None:
            then()
        super().fsync(descriptor)


def test_what_others_write_while_lines_are_copied_is_kept_and_the_index_follows(
    root: Path, make: ModuleType, rebuilt_differs: Compare
) -> None:
    fs = Interrupting()
    files, other = JsonFiles(FileEngine.open(root, fs=fs), trash_s=0), JsonFiles(FileEngine.open(root), trash_s=0)
    records = [make.asset(number) for number in range(5)]
    gone = make.asset(9)
    for record in [*records, gone]:
        files.apply([put("asset", record)])
    files.apply([put("asset", {**records[0], "size": 50}, ANY)])
    files.apply([remove("asset", gone["id"])])
    positions = {item.key: item.seq for item in files.scan("asset")}

    def write() -> None:
        other.apply([put("asset", {**records[0], "size": 51}, ANY)])
        other.apply([put("asset", {**records[1], "size": 52}, ANY)])
        other.apply([remove("asset", records[2]["id"])])
        other.apply([put("asset", gone)])
        other.apply([remove("asset", gone["id"])])
        other.apply([put("asset", make.asset(10))])

    fs.then = write
    assert files.compact() != 0
    for store in (files, other):
        found = {item.key: item.body["size"] for item in store.scan("asset")}
        assert [found[record["id"]] for record in (records[0], records[1], records[3])] == [51, 52, 3]
        assert records[2]["id"] not in found
        assert gone["id"] not in found
    assert {key: seq for key, seq in positions.items() if key != records[2]["id"]}.items() <= {
        item.key: item.seq for item in files.scan("asset")
    }.items(), "nobody's position was given anew"
    assert rebuilt_differs(root) == {}
    assert files.compact() > 0
    assert rebuilt_differs(root) == {}
    files.close()
    other.close()


def test_rows_of_a_chat_s_log_keep_their_place_and_are_read_where_their_lines_went(
    files: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Compare
) -> None:
    chat = make.chat(make.new_id())
    files.each([put("chat", chat, trusting=True)])
    said = [make.message(chat["id"], f"m{number}") for number in range(6)]
    files.each([put("message", one) for one in said])
    for one in said[:4]:
        files.apply([put("message", {**one, "content": "changed"}, ANY)])
    files.apply([remove("message", key_of("message", said[1]))])
    before = {item.key: (item.seq, item.body) for item in files.scan("message")}
    assert files.compact() > 0
    assert {item.key: (item.seq, item.body) for item in files.scan("message")} == before
    assert rebuilt_differs(root) == {}


def test_a_record_named_by_the_place_of_its_line_is_found_at_its_new_place(
    files: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Compare
) -> None:
    chat = make.chat(make.new_id())
    files.each([put("chat", chat, trusting=True)])
    one = make.message(chat["id"], "short")
    files.apply([put("message", one)])
    files.apply([put("message", {**one, "content": "longer than before"}, ANY)])
    with (root / f"chats/{chat['id']}.jsonl").open("a") as held:
        held.write('{"type":"strange","createdAt":"2026-01-01T00:00:00.000Z"}\n')
    assert files.find("message", Query(filter={"chatId": chat["id"]})).total == 2
    files.compact()
    assert files.find("message", Query(filter={"chatId": chat["id"]})).total == 2
    assert rebuilt_differs(root) == {}


def test_a_compaction_survives_the_loss_of_the_index(root: Path, make: ModuleType) -> None:
    fs = Interrupting()
    files = JsonFiles(FileEngine.open(root, fs=fs))
    record = make.asset(1)
    for size in range(3):
        files.apply([put("asset", {**record, "size": size}, ANY)])

    def lose() -> None:
        for path in (root / "cache").iterdir():
            path.unlink()

    fs.then = lose
    assert files.compact() > 0
    assert len(lines_of(root)) == 1
    assert [item.body["size"] for item in files.scan("asset")] == [2]
    files.close()


def test_an_exclusive_hold_does_not_wait_for_a_compaction(root: Path, make: ModuleType) -> None:
    fs = Interrupting()
    files, other = JsonFiles(FileEngine.open(root, fs=fs)), JsonFiles(FileEngine.open(root, lock_timeout_ms=0))
    record = make.asset(1)
    for size in range(3):
        files.apply([put("asset", {**record, "size": size}, ANY)])
    held: list[int] = []

    def hold() -> None:
        with other.guard(exclusive=True):
            held.append(1)

    fs.then = hold
    files.compact()
    assert held == [1]
    files.close()
    other.close()

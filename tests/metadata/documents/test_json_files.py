"""Plain files as the truth: hands, other processes and nonsense in them; the contract is tested in tests/contracts."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents.contract import ANY, Change, put, remove
from metadata.errors import CalotypeError, ConflictError, NotFoundError, UnreadableError
from metadata.index.query import Query

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.documents.json_files import JsonFiles

Opener = Callable[[Path], "JsonFiles"]
Compare = Callable[[Path], dict[str, list[tuple[object, ...]]]]

NONSENSE = [b"", b"{", b"[]", b"5", b"null", b"\x00\xff", b'{"id": NaN}', b"[" * 100_000]


def edit_by_hand(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def sizes(store: JsonFiles) -> list[int]:
    return [int(str(item.body["size"])) for item in store.find("asset", Query()).items]


def test_the_files_hold_exactly_the_record(files: JsonFiles, root: Path, make: ModuleType) -> None:
    label, who, picture = make.tag("x"), make.character(), make.asset(1)
    files.apply([put("tag", label)])
    files.apply([put("character", who)])
    files.apply([put("asset", picture)])
    line = json.loads((root / "binaries/index.jsonl").read_text())
    assert {name: line.pop(name) for name in ("_b", "_crc")}
    assert line == picture
    document = json.loads((root / f"characters/{who['id']}.json").read_text())
    assert document.pop("_crc")
    assert document == who
    tags = json.loads((root / "tags/tags.json").read_text())
    assert tags["tags"] == [label]
    assert list(tags) == ["version", "tags", "createdAt", "updatedAt", "_crc"]


def test_secrets_are_nobody_else_s(files: JsonFiles, root: Path, make: ModuleType) -> None:
    files.apply([put("accessToken", make.access_token(1))])
    files.apply([put("user", make.user("a@b.c"))])
    for path in ("auth/access-tokens.jsonl", "settings/general.json"):
        assert stat.S_IMODE((root / path).stat().st_mode) == 0o600
        assert stat.S_IMODE((root / path).parent.stat().st_mode) == 0o700


def test_a_document_edited_by_hand_is_seen_by_get_and_reported(files: JsonFiles, root: Path, make: ModuleType) -> None:
    label, who = make.tag("before"), make.character("Before")
    files.apply([put("tag", label)])
    files.apply([put("character", who)])
    edit_by_hand(root / "tags/tags.json", '"name": "before"', '"name": "by hand"')
    edit_by_hand(root / f"characters/{who['id']}.json", "Before", "By hand")
    for kind, key, name in (("tag", label["id"], "by hand"), ("character", who["id"], "By hand")):
        found = files.get(kind, key)
        assert found is not None
        assert found.body["name"] == name
    assert {(item["path"], item["problem"]) for item in files.health().findings} == {
        ("tags/tags.json", "altered"),
        (f"characters/{who['id']}.json", "altered"),
    }


def test_a_document_written_again_is_no_longer_reported(
    files: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Compare
) -> None:
    label, who = make.tag("before"), make.character("Before")
    files.apply([put("tag", label)])
    files.apply([put("character", who)])
    edit_by_hand(root / "tags/tags.json", '"name": "before"', '"name": "by hand"')
    edit_by_hand(root / f"characters/{who['id']}.json", "Before", "By hand")
    files.apply([put("tag", make.tag("another"))])
    files.apply([put("character", {**who, "name": "Again"}, ANY)])
    assert files.health().findings == []
    assert rebuilt_differs(root) == {}


def test_lists_see_hand_edits_of_own_files_after_a_sweep(files: JsonFiles, root: Path, make: ModuleType) -> None:
    who, gone, late = make.character("Alice"), make.character("Gone"), make.character("Late")
    for record in (who, gone):
        files.apply([put("character", record)])
    edit_by_hand(root / f"characters/{who['id']}.json", "Alice", "Bob")
    (root / f"characters/{gone['id']}.json").unlink()
    (root / f"characters/{late['id']}.json").write_text(json.dumps(late))
    files.sweep()
    found = files.find("character", Query(sort="name"))
    assert [item.body["name"] for item in found.items] == ["Bob", "Late"]
    assert found.total == 2


def test_a_new_file_is_seen_by_get_at_once_and_a_removed_one_not(
    files: JsonFiles, root: Path, make: ModuleType
) -> None:
    who = make.character()
    file = root / f"characters/{who['id']}.json"
    file.parent.mkdir(exist_ok=True)
    assert files.get("character", who["id"]) is None
    file.write_text(json.dumps(who))
    assert files.get("character", who["id"]) is not None
    file.unlink()
    assert files.get("character", who["id"]) is None


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_in_one_record_s_file_hides_nobody_else_and_is_never_overwritten(
    files: JsonFiles, root: Path, make: ModuleType, nonsense: bytes, rebuilt_differs: Compare
) -> None:
    good, bad = make.character("Good"), make.character("Bad")
    for record in (good, bad):
        files.apply([put("character", record)])
    file = root / f"characters/{bad['id']}.json"
    file.write_bytes(nonsense)
    with pytest.raises(UnreadableError, match=bad["id"]):
        files.get("character", bad["id"])
    found = files.find("character", Query())
    assert ([item.key for item in found.items], found.unreadable) == ([good["id"]], 1)
    assert files.get("character", good["id"]) is not None
    for change in (put("character", bad), put("character", bad, ANY), remove("character", bad["id"])):
        with pytest.raises((UnreadableError, ConflictError)):
            files.apply([change])
    assert file.read_bytes() == nonsense
    assert rebuilt_differs(root) == {}
    file.write_text(json.dumps(bad))
    assert files.get("character", bad["id"]) is not None
    assert files.find("character", Query()).unreadable == 0


@pytest.mark.parametrize("nonsense", [*NONSENSE, b'{"version": 1}x', b'{"tags": {}}', b'{"tags": [5]}'])
def test_nonsense_in_the_tags_is_unreadable_and_not_empty(
    files: JsonFiles, root: Path, make: ModuleType, nonsense: bytes
) -> None:
    label = make.tag("x")
    files.apply([put("tag", label)])
    files.apply([put("asset", make.asset(1))])
    (root / "tags/tags.json").write_bytes(nonsense)
    asks: list[Callable[[], object]] = [
        lambda: files.get("tag", label["id"]),
        lambda: files.find("tag", Query()),
        lambda: files.lookup("tag", ("userId", "nameLower"), (make.USER, "x")),
        lambda: list(files.scan("tag")),
        lambda: files.apply([put("tag", make.tag("y"))]),
        lambda: files.apply([remove("tag", label["id"])]),
    ]
    for ask in asks:
        with pytest.raises(UnreadableError, match=r"tags/tags\.json"):
            ask()
    assert (root / "tags/tags.json").read_bytes() == nonsense
    assert sizes(files) == [1]


def test_one_bad_record_in_an_array_hides_itself_alone_also_after_a_write(
    files: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Compare
) -> None:
    good, bad = make.tag("good"), make.tag("bad")
    files.apply([put("tag", good)])
    files.apply([put("tag", bad)])
    edit_by_hand(root / "tags/tags.json", '"name": "bad"', '"name": 5')
    for late in (None, make.tag("late")):
        if late is not None:
            files.apply([put("tag", late)])
        found = files.find("tag", Query())
        assert found.unreadable == 1
        assert bad["id"] not in {item.key for item in found.items}
        with pytest.raises(UnreadableError):
            files.get("tag", bad["id"])
        assert rebuilt_differs(root) == {}
    assert '"name": 5' in (root / "tags/tags.json").read_text()


def test_a_further_user_s_file_of_nonsense_is_unreadable(files: JsonFiles, root: Path, make: ModuleType) -> None:
    first, second = make.user("a@b.c"), make.user("d@e.f")
    files.apply([put("user", first)])
    files.apply([put("user", second)])
    file = root / f"settings/users/{second['id']}.json"
    file.write_bytes(b"{")
    with pytest.raises(UnreadableError):
        files.get("user", second["id"])
    with pytest.raises((UnreadableError, ConflictError)):
        files.apply([put("user", second, ANY)])
    assert file.read_bytes() == b"{"
    assert files.get("user", first["id"]) is not None


def test_a_journal_s_line_edited_in_place_is_seen_whatever_its_length(
    files: JsonFiles, root: Path, make: ModuleType
) -> None:
    records = [make.asset(number, filename="aaaa") for number in range(3)]
    for record in records:
        files.apply([put("asset", record)])
    file = root / "binaries/index.jsonl"
    for number, name in ((1, "bbbb"), (0, "longer than it was"), (2, "c")):
        lines = file.read_text().splitlines(keepends=True)
        lines[number] = lines[number].replace("aaaa", name)
        with file.open("r+") as held:  # the same inode, as most editors do
            held.write("".join(lines))
            held.truncate()
        found = files.get("asset", records[number]["id"])
        assert found is not None
        assert found.body["filename"] == name
    altered = [item for item in files.health().findings if item["problem"] == "altered"]
    assert len(altered) == 3


def test_a_journal_replaced_by_another_file_with_its_inode_is_noticed(
    files: JsonFiles, root: Path, make: ModuleType
) -> None:
    files.apply([put("asset", make.asset(1))])
    assert sizes(files) == [1]
    file = root / "binaries/index.jsonl"
    inode = file.stat().st_ino
    others = [make.asset(number) for number in (7, 8)]
    file.write_text("".join(json.dumps(record) + "\n" for record in others))
    assert file.stat().st_ino == inode
    assert sizes(files) == [7, 8]
    file.write_text(json.dumps(others[1]) + "\n")
    assert sizes(files) == [8]
    file.unlink()
    assert sizes(files) == []


def test_a_line_of_nonsense_hides_itself_alone(
    files: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Compare
) -> None:
    files.apply([put("asset", make.asset(1))])
    file = root / "binaries/index.jsonl"
    with file.open("ab") as held:
        for line in (
            b"nonsense",
            b"[]",
            b'{"id": 5}',
            b'{"id": "\\ud83d"}',
            b'{"no": "id"}',
            b'{"id": "x", "_rev": 1e400}',
        ):
            held.write(line + b"\n")
        held.write(json.dumps(make.asset(2, _rev=10**40)).encode() + b"\n")
        held.write(json.dumps(make.asset(3, size=10**40)).encode() + b"\n")
        held.write(json.dumps(make.asset(4, size=-4)).encode() + b"\n")
    found = files.find("asset", Query())
    assert [item.body["size"] for item in found.items] == [1, 2, 10**40]
    assert found.unreadable == 7
    files.apply([put("asset", make.asset(9))])
    assert files.find("asset", Query()).total == 4
    assert b"nonsense\n" in file.read_bytes()
    assert rebuilt_differs(root) == {}


def test_two_foreign_lines_of_one_id_are_kept_and_reported(
    files: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Compare
) -> None:
    record = make.asset(1)
    file = root / "binaries/index.jsonl"
    file.parent.mkdir(exist_ok=True)
    text = json.dumps(record) + "\n" + json.dumps({**record, "size": 2}) + "\n"
    file.write_text(text)
    assert sizes(files) == [1]
    assert [item["problem"] for item in files.health().findings] == ["duplicate"]
    assert file.read_text() == text
    files.apply([Change("asset", record["id"], lambda body: {**(body or {}), "size": 3})])
    assert sizes(files) == [3]
    assert file.read_text().startswith(text)
    assert rebuilt_differs(root) == {}


def test_an_unreadable_version_of_a_record_is_unreadable_and_not_the_old_one(
    files: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Compare
) -> None:
    record = make.asset(1)
    files.apply([put("asset", record)])
    with (root / "binaries/index.jsonl").open("a") as held:
        held.write(json.dumps({**record, "size": "many", "_rev": 1}) + "\n")
    with pytest.raises(UnreadableError):
        files.get("asset", record["id"])
    found = files.find("asset", Query())
    assert (found.items, found.total, found.unreadable) == ([], 0, 1)
    with pytest.raises(UnreadableError):
        files.apply([put("asset", record, ANY)])
    assert rebuilt_differs(root) == {}


def test_a_torn_tail_goes_to_quarantine_and_the_rest_is_served(
    files: JsonFiles, root: Path, open_files: Opener, make: ModuleType, rebuilt_differs: Compare
) -> None:
    for number in (1, 2):
        files.apply([put("asset", make.asset(number))])
    file = root / "binaries/index.jsonl"
    with file.open("ab") as held:
        held.write(b'{"id": "torn')
    assert sizes(files) == [1, 2]
    files.apply([put("asset", make.asset(3))])
    assert sizes(files) == [1, 2, 3]
    assert [path.read_bytes() for path in (root / "quarantine").iterdir()] == [b'{"id": "torn']
    assert sizes(open_files(root)) == [1, 2, 3]
    assert files.find("asset", Query()).unreadable == 0
    assert rebuilt_differs(root) == {}


@pytest.mark.parametrize("gone", [False, True])
def test_damage_in_the_last_write_is_tail_for_whoever_opens_the_folder(
    root: Path, open_files: Opener, make: ModuleType, rebuilt_differs: Compare, *, gone: bool
) -> None:
    """Power loss takes any page of the last write; the machine comes back with another boot id and maybe no index."""
    before = open_files(root)
    before.apply([put("asset", make.asset(1))])
    before.apply([put("asset", make.asset(2))])
    before.close()
    file = root / "binaries/index.jsonl"
    data = file.read_bytes()
    file.write_bytes(data[:-30] + b"\0" * 29 + b"\n")
    if gone:
        shutil.rmtree(root / "cache")
    after = open_files(root)
    assert sizes(after) == [1]
    assert after.find("asset", Query()).unreadable == 0
    assert len(list((root / "quarantine").iterdir())) == 1
    after.apply([put("asset", make.asset(3))])
    assert sizes(after) == [1, 3]
    assert rebuilt_differs(root) == {}


def test_revisions_and_tombstones_on_disk(files: JsonFiles, root: Path, make: ModuleType) -> None:
    record = make.asset(1)
    files.apply([put("asset", record)])
    files.apply([put("asset", {**record, "size": 2}, ANY)])
    files.apply([remove("asset", record["id"])])
    files.apply([put("asset", record)])
    lines = [json.loads(line) for line in (root / "binaries/index.jsonl").read_text().splitlines()]
    assert [line.get("_rev") for line in lines] == [None, 1, 2, 3]
    assert set(lines[2]) == {"id", "_deleted", "_was", "_rev", "_b", "_crc"}
    assert lines[2]["_was"] == {**record, "size": 2}
    token = make.access_token(1)
    files.apply([put("accessToken", token)])
    files.apply([remove("accessToken", token["id"])])
    last = json.loads((root / "auth/access-tokens.jsonl").read_text().splitlines()[-1])
    assert set(last) == {"id", "_deleted", "_rev", "_b", "_crc"}


def test_what_changes_nothing_is_not_written(files: JsonFiles, root: Path, make: ModuleType) -> None:
    label, picture = make.tag("x"), make.asset(1)
    files.apply([put("tag", label)])
    files.apply([put("asset", picture)])

    def identities() -> list[tuple[int, int]]:
        found = [(root / path).stat() for path in ("tags/tags.json", "binaries/index.jsonl")]
        return [(item.st_ino, item.st_mtime_ns) for item in found]

    before = identities()
    files.apply([put("tag", label, ANY)])
    files.apply([put("asset", picture, ANY)])
    files.apply([put("tag", label, ANY), put("asset", picture, ANY)])
    files.apply([])
    assert identities() == before
    assert list(root.glob("intents/*")) == []


@pytest.mark.parametrize("inside", [False, True])
def test_the_index_may_be_deleted_while_the_store_is_open(
    files: JsonFiles, root: Path, make: ModuleType, rebuilt_differs: Compare, *, inside: bool
) -> None:
    label, who = make.tag("x"), make.character()
    for change in (put("tag", label), put("character", who), put("asset", make.asset(1, tags=[label["id"]]))):
        files.apply([change])

    def work() -> None:
        shutil.rmtree(root / "cache")
        assert sizes(files) == [1]
        shutil.rmtree(root / "cache")
        files.apply([put("asset", make.asset(2, tags=[label["id"]]))])
        shutil.rmtree(root / "cache")
        assert [by.kind for by in files.referrers("tag", label["id"])] == ["asset", "asset"]
        shutil.rmtree(root / "cache")
        files.apply([remove("tag", label["id"]), put("character", {**who, "name": "Bob"}, ANY)])
        shutil.rmtree(root / "cache")
        assert files.get("tag", label["id"]) is None

    if inside:
        with files.guard(exclusive=True):
            work()
    else:
        work()
    assert sizes(files) == [1, 2]
    assert rebuilt_differs(root) == {}


def test_a_scan_survives_the_loss_of_the_index(files: JsonFiles, root: Path, make: ModuleType) -> None:
    records = [make.asset(number) for number in range(1100)]
    files.each([put("asset", record) for record in records])
    scan = iter(files.scan("asset"))
    seen = [next(scan).key]
    shutil.rmtree(root / "cache")
    assert files.find("asset", Query()).total == 1100
    seen += [stored.key for stored in scan]
    assert seen == [record["id"] for record in records]


@pytest.mark.parametrize("damage", ["truncated", "garbage", "middle"])
def test_a_damaged_index_is_built_anew(root: Path, open_files: Opener, make: ModuleType, damage: str) -> None:
    files = open_files(root)
    files.each([put("asset", make.asset(number)) for number in range(50)])
    files.close()
    index = root / "cache/index.sqlite3"
    data = index.read_bytes()
    middle = data[:8192] + os.urandom(len(data) - 8192)
    index.write_bytes({"truncated": data[:5000], "garbage": b"x" * 5000, "middle": middle}[damage])
    again = open_files(root)
    assert len(sizes(again)) == 50
    again.apply([put("asset", make.asset(99))])
    assert again.find("asset", Query()).total == 51


def test_unknown_files_are_left_alone(files: JsonFiles, root: Path, make: ModuleType) -> None:
    (root / "characters").mkdir()
    (root / "characters/notes.json").write_text("mine")
    (root / "characters/.hidden").write_text("mine")
    (root / f"characters/{make.new_id()}.json.bak").write_text("mine")
    files.sweep()
    files.rebuild()
    assert files.find("character", Query()).unreadable == 0
    assert (root / "characters/notes.json").read_text() == "mine"


def test_a_key_that_can_name_no_file_names_no_record(files: JsonFiles, make: ModuleType) -> None:
    for key in ("../../etc/passwd", "", "a/b", "\0", "x" * 5000):
        assert files.get("character", key) is None
        assert files.get("message", key) is None
        with pytest.raises(NotFoundError):
            files.apply([remove("character", key)])
        with pytest.raises(NotFoundError):
            files.apply([put("character", {**make.character(), "id": key})])


def test_a_rebuild_while_others_read_disturbs_nobody(files: JsonFiles, make: ModuleType) -> None:
    files.each([put("asset", make.asset(number)) for number in range(20)])
    wrong: list[Any] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set() and not wrong:
            try:
                if len(sizes(files)) != 20:
                    wrong.append("another answer")
            except CalotypeError as error:
                wrong.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        files.rebuild()
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []

"""What dead processes left goes; what may be somebody's stays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from metadata.files.engine import FileEngine
from metadata.files.filesystem import FileSystem
from metadata.files.janitor import Janitor

if TYPE_CHECKING:
    from pathlib import Path

OLD, LIMIT, YOUNG = 1_000, 2_000, 2_001
TEMPORARY = ".a.json.77.0123abcd.tmp"


@pytest.fixture
def root(engine: FileEngine) -> Path:
    """The data folder."""
    engine.paths.root.mkdir(exist_ok=True)
    return engine.paths.root


@pytest.fixture
def janitor(engine: FileEngine) -> Janitor:
    """A janitor who asks the engine for locks by the names of their files."""
    return Janitor(engine.fs, engine.paths, engine.locks._locks.get)  # noqa: SLF001 - as `Locks` hands it over


def leave(root: Path, name: str, changed_ns: int = OLD, content: bytes = b"") -> Path:
    """Leave a file behind."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(0, changed_ns))
    return path


@pytest.mark.parametrize(
    "name", ["a.json.lock", "characters/.lock", "settings/users/.lock", "binaries/index.jsonl.lock"]
)
@pytest.mark.parametrize("alone", [True, False])
def test_old_lock_files_that_nobody_holds_go(janitor: Janitor, root: Path, name: str, *, alone: bool) -> None:
    path = leave(root, name)
    assert janitor.collect(LIMIT, alone=alone) == 1
    assert not path.exists()


@pytest.mark.parametrize("name", [TEMPORARY, f"chats/deep/{TEMPORARY}", "binaries/.index.jsonl.1.00000000.tmp"])
def test_old_temporary_files_go_when_nobody_can_be_writing_them(janitor: Janitor, root: Path, name: str) -> None:
    path = leave(root, name)
    assert janitor.collect(LIMIT, alone=False) == 0
    assert path.exists()
    assert janitor.collect(LIMIT, alone=True) == 1
    assert not path.exists()


def test_what_a_crashed_writer_leaves_is_taken_for_a_temporary_file(
    janitor: Janitor, root: Path, engine: FileEngine
) -> None:
    from metadata.files.atomic import Draft  # noqa: PLC0415 - here alone, to see its name

    draft = Draft(engine.fs, root / "a.json")
    left = next(root.iterdir())
    os.utime(left, ns=(0, OLD))
    assert janitor.collect(LIMIT, alone=True) == 1
    assert list(root.iterdir()) == []
    draft.__exit__()


def test_the_young_stay_to_the_nanosecond(janitor: Janitor, root: Path) -> None:
    paths = [leave(root, "a.lock", YOUNG), leave(root, TEMPORARY, YOUNG)]
    assert janitor.collect(LIMIT, alone=True) == 0
    assert all(path.exists() for path in paths)
    assert janitor.collect(YOUNG, alone=True) == 2


def test_a_lock_that_is_held_stays(janitor: Janitor, root: Path) -> None:
    other = FileEngine.open(root)
    with other.locks.lock_of("a.json").hold():
        os.utime(root / "a.json.lock", ns=(0, OLD))
        assert janitor.collect(LIMIT, alone=True) == 0
        assert (root / "a.json.lock").exists()
    assert janitor.collect(LIMIT, alone=True) == 1


@pytest.mark.parametrize(
    "name",
    [
        "a.json",
        ".gitkeep",
        "a.json.77.0123abcd.tmp",
        ".a.json.77.0123abc.tmp",
        ".a.json.x.0123abcd.tmp",
        "notes.tmp",
        "a.lock.json",
        "locks/00",
        "locks/x.lock",
        "cache/x.lock",
        f"uploads/{TEMPORARY}",
        f"trash/chats/{TEMPORARY}",
        "quarantine/x.lock",
        "binaries/00/raw.lock",
        f"binaries/00/{TEMPORARY}",
    ],
)
def test_what_is_not_a_leftover_or_has_its_own_rules_stays(janitor: Janitor, root: Path, name: str) -> None:
    path = leave(root, name)
    assert janitor.collect(LIMIT, alone=True) == 0
    assert path.exists()


def test_a_file_with_something_in_it_is_nobodys_leftover_lock(janitor: Janitor, root: Path) -> None:
    path = leave(root, "poetry.lock", content=b"what somebody put here")
    assert janitor.collect(LIMIT, alone=True) == 0
    assert path.read_bytes() == b"what somebody put here"
    other_programs = [leave(root, name, content=b"4711") for name in ("tags.json.lock", "characters/.lock")]
    leave(root, "tags.json")
    assert janitor.collect(LIMIT, alone=True) == 2, "another program's lock beside what it guards is one"
    assert not any(left.exists() for left in other_programs)


def test_a_folder_below_that_is_named_as_one_of_the_special_is_an_ordinary_one(janitor: Janitor, root: Path) -> None:
    paths = [leave(root, f"chats/{name}/deep/a.lock") for name in ("cache", "binaries", "uploads")]
    assert janitor.collect(LIMIT, alone=True) == 3
    assert not any(path.exists() for path in paths)


def test_folders_and_links_with_such_names_stay(janitor: Janitor, root: Path) -> None:
    (root / "folder.lock").mkdir()
    target = leave(root, "kept/target")
    (root / "link.lock").symlink_to(target)
    (root / "elsewhere").symlink_to(target.parent, target_is_directory=True)
    (root / TEMPORARY).symlink_to(target)
    for name in ("link.lock", TEMPORARY):
        os.utime(root / name, ns=(0, OLD), follow_symlinks=False)
    leave(root, "kept/a.lock")
    assert janitor.collect(LIMIT, alone=True) == 1, "found once, by its own name"
    assert (root / "link.lock").is_symlink()
    assert (root / TEMPORARY).is_symlink()
    assert (root / "folder.lock").is_dir()
    assert target.exists()


class Vanishing(FileSystem):
    """A file is gone between being listed and being looked at or removed."""

    def __init__(self, at: str) -> None:
        self.at = at

    def stat(self, path: Path) -> os.stat_result:
        if self.at == "stat" and path.name.endswith(".tmp"):
            path.unlink()
        return super().stat(path)

    def unlink(self, path: Path) -> None:
        if self.at == "unlink":
            path.unlink()
        super().unlink(path)

    def scandir(self, path: Path) -> list[os.DirEntry[str]]:
        if self.at == "scandir" and path.name == "chats":
            path.rmdir()
        return super().scandir(path)


@pytest.mark.parametrize("at", ["stat", "unlink", "scandir"])
def test_what_goes_meanwhile_is_no_trouble(engine: FileEngine, root: Path, at: str) -> None:
    (root / "chats").mkdir()
    leave(root, TEMPORARY)
    lock = leave(root, "x.lock")
    janitor = Janitor(Vanishing(at), engine.paths, engine.locks._locks.get)  # noqa: SLF001 - as `Locks` hands it over
    assert janitor.collect(LIMIT, alone=True) in {1, 2}
    assert not lock.exists()
    assert not (root / TEMPORARY).exists()

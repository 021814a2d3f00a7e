"""Opening the data folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from metadata.errors import InvalidError, NotFoundError, UnreadableError
from metadata.files.engine import FileEngine
from metadata.files.folder import MARKER, OWN_FOLDERS, RESTORING, SEED_FOLDERS, prepare
from metadata.schemas.baseline import baseline

if TYPE_CHECKING:
    from pathlib import Path

NOW = "2026-01-01T00:00:00.000Z"
FILES = baseline(NOW)


def mode(path: Path) -> int:
    """Return a path's permission bits."""
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("exists", [True, False])
def test_empty_or_absent_folder_becomes_a_store(tmp_path: Path, *, exists: bool) -> None:
    root = tmp_path / "deep" / "data"
    if exists:
        root.mkdir(parents=True)
    opened = prepare(root, FILES)
    assert (opened.created, opened.adopted, opened.warnings) == (True, False, ())
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    ours = {".calotype", ".gitignore", "locks/start", "locks/open"}
    assert files - ours == set(FILES)
    assert {path.name for path in root.iterdir() if path.is_dir()} == {*SEED_FOLDERS, *OWN_FOLDERS}
    assert all((root / path).read_bytes() == data for path, data in FILES.items())
    marker = json.loads((root / ".calotype").read_bytes())
    assert marker.keys() == {"storeId", "formatVersion", "createdAt"}
    again = prepare(root, {})
    assert (again.store_id, again.created, again.adopted) == (opened.store_id, False, False)


def test_secrets_are_closed_and_the_rest_follows_the_umask(tmp_path: Path) -> None:
    previous = os.umask(0o022)
    try:
        prepare(tmp_path / "data", FILES)
    finally:
        os.umask(previous)
    root = tmp_path / "data"
    assert [mode(root / name) for name in ("settings", "auth", "secrets", "chats")] == [0o700] * 3 + [0o755]
    assert mode(root / "settings" / "general.json") == 0o600
    assert mode(root / "tags" / "tags.json") == 0o644


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o077])
def test_secrets_are_closed_whatever_the_umask_says(tmp_path: Path, mask: int) -> None:
    previous = os.umask(mask)
    try:
        root = tmp_path / "data"
        prepare(root, FILES)
        engine = FileEngine.open(root)
        engine.write_document("settings/users/one.json", {}, stamp=True)
        engine.write_document("intents/one.json", {}, stamp=True)
        engine.write_bytes("secrets/master.key", b"secret")
        engine.journal("auth/access-tokens.jsonl").commit(lambda batch: batch.stage({"id": "one"}))
        engine.close()
        warned = bool(prepare(root, FILES).warnings)
    finally:
        os.umask(previous)
    for name in ("settings", "auth", "secrets", "intents"):
        for path in [root / name, *(root / name).rglob("*")]:
            if path.suffix != ".lock":
                assert (path, mode(path)) == (path, 0o700 if path.is_dir() else 0o600)
    assert warned == (mask & 0o020 == 0)
    assert mode(root) == 0o775 & ~mask  # never open to the whole machine, which the next start would refuse


def test_what_a_restore_left_unfinished_is_refused(original_folder: Path) -> None:
    (original_folder / RESTORING).write_bytes(b"")
    with pytest.raises(InvalidError, match="not whole"):
        prepare(original_folder, FILES)
    assert not (original_folder / MARKER).exists()
    (original_folder / RESTORING).unlink()
    assert prepare(original_folder, FILES).adopted


def test_original_layout_is_adopted(original_folder: Path) -> None:
    before = {path: path.read_bytes() for path in original_folder.rglob("*") if path.is_file()}
    (original_folder / "settings" / "general.json").chmod(0o644)
    opened = prepare(original_folder, FILES)
    assert (opened.created, opened.adopted) == (False, True)
    assert "original" in opened.warnings[-1]
    assert all(path.read_bytes() == data for path, data in before.items())
    assert mode(original_folder / "settings" / "general.json") == 0o600
    assert prepare(original_folder, FILES).adopted is False


def test_expected_store_must_be_there(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "absent"):
        with pytest.raises(NotFoundError, match="CALOTYPE_EXPECT_STORE"):
            prepare(root, FILES, expect_store=True)
    assert list(tmp_path.iterdir()) == []
    prepare(tmp_path / "data", FILES)
    assert not prepare(tmp_path / "data", FILES, expect_store=True).created


@pytest.mark.parametrize("content", ["photo.jpg", "src/main.py"])
def test_somebody_elses_folder_is_refused_and_untouched(tmp_path: Path, content: str) -> None:
    (tmp_path / content).parent.mkdir(exist_ok=True)
    (tmp_path / content).write_bytes(b"")
    with pytest.raises(InvalidError, match="holds other things"):
        prepare(tmp_path, FILES)
    assert len(list(tmp_path.iterdir())) == 1


def test_file_in_the_folders_place(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"")
    with pytest.raises(InvalidError, match="not a folder"):
        prepare(tmp_path / "data", FILES)


@pytest.mark.parametrize(
    ("marker", "error"),
    [
        ('{"storeId": "x", "formatVersion": 2}', InvalidError),
        ('{"storeId": "x"}', UnreadableError),
        ('{"storeId": "x', UnreadableError),
        ("[]", UnreadableError),
    ],
)
def test_marker_that_cannot_be_followed(tmp_path: Path, marker: str, error: type[Exception]) -> None:
    (tmp_path / ".calotype").write_text(marker)
    with pytest.raises(error):
        prepare(tmp_path, FILES)
    assert len(list(tmp_path.iterdir())) == 1


def test_open_to_others(tmp_path: Path) -> None:
    root = tmp_path / "data"
    prepare(root, FILES)
    root.chmod(0o777)
    with pytest.raises(InvalidError, match=f"chmod o-w {root}"):
        prepare(root, FILES)
    assert prepare(root, FILES, allow_world_writable=True).warnings
    root.chmod(0o775)
    assert f"chmod go-w {root}" in prepare(root, FILES).warnings[0]


def test_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert prepare(tmp_path / "link", FILES).created
    assert (tmp_path / "real" / ".calotype").exists()
    (tmp_path / "real" / "trash").rmdir()
    (tmp_path / "real" / "trash").symlink_to(tmp_path)
    with pytest.raises(InvalidError, match="symbolic link"):
        prepare(tmp_path / "link", FILES)


def test_git_ignores_secrets_and_keeps_what_was_ignored_before(tmp_path: Path) -> None:
    prepare(tmp_path / "a", FILES)
    lines = (tmp_path / "a" / ".gitignore").read_text().splitlines()
    assert {"secrets/", "auth/", "settings/connection-profiles.json", "cache/", "*.lock", "intents/"} <= set(lines)
    assert "chats/" not in lines
    (tmp_path / "b" / "tags").mkdir(parents=True)
    (tmp_path / "b" / "tags" / "tags.json").write_text("{}")
    (tmp_path / "b" / ".gitignore").write_text("mine\ncache/")
    prepare(tmp_path / "b", FILES, git_private=True)
    lines = (tmp_path / "b" / ".gitignore").read_text().splitlines()
    assert lines[:2] == ["mine", "cache/"]
    assert {"chats/", "settings/"} <= set(lines)
    assert lines.count("cache/") == 1


def test_killed_init_is_finished(tmp_path: Path) -> None:
    prepare(tmp_path, FILES)
    for path in (".calotype", "tags/tags.json", ".gitignore"):
        (tmp_path / path).unlink()
    (tmp_path / "locks" / "creating").write_bytes(b"")
    (tmp_path / "settings" / "general.json").write_bytes(b"{}")
    assert prepare(tmp_path, FILES).created
    assert (tmp_path / "tags" / "tags.json").exists()
    assert (tmp_path / "settings" / "general.json").read_bytes() == b"{}"
    assert not (tmp_path / "locks" / "creating").exists()


def test_unwritable_folder_names_the_line_that_helps(tmp_path: Path, repository: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    tmp_path.chmod(0o755)
    root.chmod(0o555)
    program = (
        "import os, sys; from pathlib import Path; from metadata.files.folder import prepare\n"
        "os.getuid() or (os.setgid(65534), os.setuid(65534))\n"
        "prepare(Path(sys.argv[1]), {})"
    )
    for parent in tmp_path.parents[:3]:
        if parent.owner() == tmp_path.owner() and parent.name.startswith(("pytest-", "popen-")):
            parent.chmod(0o755)
    command = [sys.executable, "-c", program, str(root)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert UnreadableError.__name__ in done.stderr
    assert "sudo chown -R" in done.stderr
    assert list(root.iterdir()) == []


def test_two_processes_make_one_store(tmp_path: Path, repository: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from metadata.files.folder import prepare\n"
        "from metadata.schemas.baseline import baseline\n"
        f"print(prepare(Path(sys.argv[1]), baseline({NOW!r})).store_id)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "data")]
    processes = [subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    printed = {process.communicate(timeout=60)[0] for process in processes}
    assert len(printed) == 1
    assert printed != {""}


def test_a_folder_below_a_closed_one_is_a_sentence(tmp_path: Path, repository: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    closed.chmod(0o700)
    if os.getuid() != 0:
        closed.chmod(0o000)
    program = (
        "import os, sys; from pathlib import Path; from metadata.files.folder import prepare\n"
        "os.getuid() or (os.setgid(65534), os.setuid(65534))\n"
        "prepare(Path(sys.argv[1]), {})"
    )
    command = [sys.executable, "-c", program, str(closed / "data")]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    closed.chmod(0o700)
    assert "metadata.errors.UnreadableError" in done.stderr
    assert "chmod u+rw" in done.stderr


def test_an_index_alone_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    with pytest.raises(NotFoundError):
        prepare(tmp_path, FILES, expect_store=True)


def test_a_folder_that_only_shares_a_name_with_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    with pytest.raises(InvalidError):
        prepare(tmp_path, FILES)

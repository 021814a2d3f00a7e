"""Setting aside: nothing is lost, and a note says where it was."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

from metadata.files import quarantine
from metadata.files.engine import FileEngine

if TYPE_CHECKING:
    from pathlib import Path


def test_bytes_are_kept_with_a_note(tmp_path: Path) -> None:
    engine = FileEngine.open(tmp_path)
    name = quarantine.keep(engine, "chats/index.jsonl.17", b"broken", "It is broken.")
    assert (tmp_path / "quarantine" / name).read_bytes() == b"broken"
    note = json.loads((tmp_path / "quarantine" / f"{name}{quarantine.NOTE}").read_bytes())
    assert (note["was"], note["why"]) == ("chats/index.jsonl.17", "It is broken.")
    assert name.startswith("chats-index.jsonl.17.")


def test_a_file_and_a_folder_are_moved_and_closed_to_others(tmp_path: Path) -> None:
    engine = FileEngine.open(tmp_path)
    (tmp_path / "chats").mkdir()
    (tmp_path / "chats/notes.txt").write_bytes(b"mine")
    (tmp_path / "chats/inner").mkdir()
    file = tmp_path / "quarantine" / quarantine.move(engine, "chats/notes.txt", "No.")
    folder = tmp_path / "quarantine" / quarantine.move(engine, "chats/inner", "No.")
    assert list((tmp_path / "chats").iterdir()) == []
    assert file.read_bytes() == b"mine"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert folder.is_dir()

"""What a repository stands on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from metadata.clock import SystemClock
from metadata.documents.memory import MemoryDocuments
from metadata.errors import InvalidError
from metadata.ids import RandomIds
from metadata.repositories.backing import documents_of, ensure_first, first_of
from metadata.repositories.characters import CharactersRepository
from metadata.store import JsonStore

if TYPE_CHECKING:
    from pathlib import Path

ALICE = {"name": "Alice", "description": "d", "personality": "p", "scenario": "s", "first_message": "f"}


def test_a_repository_stands_on_a_json_store_as_the_originals_did(tmp_path: Path) -> None:
    characters = CharactersRepository(JsonStore(data_dir=tmp_path))
    alice = characters.create(**ALICE)
    assert (tmp_path / f"characters/{alice.id}.json").is_file()
    assert (tmp_path / ".calotype").is_file()
    again = CharactersRepository(JsonStore(data_dir=tmp_path))
    assert again.get(alice.id) == alice


def test_documents_are_taken_as_they_are() -> None:
    documents = MemoryDocuments()
    assert documents_of(documents) is documents


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InvalidError):
        CharactersRepository(JsonStore(data_dir=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_first_user_is_made_once(tmp_path: Path) -> None:
    documents = documents_of(JsonStore(tmp_path))
    assert first_of(documents) is None
    found: list[str] = []

    def make() -> None:
        found.append(ensure_first(documents, SystemClock(), RandomIds()).key)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(list(documents.scan("user"))) == len(list(documents.scan("chatSettings"))) == 1
    documents.close()

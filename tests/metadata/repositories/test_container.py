"""The container and the process's one store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.documents.memory import MemoryDocuments
from metadata.errors import InvalidError
from metadata.repositories.container import (
    Repositories,
    get_json_store,
    get_repositories,
    reset_json_store,
    reset_repositories,
)
from metadata.sealing import Revealed
from metadata.store import JsonStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEMBERS = [
    *("characters", "personas", "chats", "tags", "users", "connections", "images", "image_profiles"),
    *("accounts", "sessions", "verification_tokens"),
]


@pytest.fixture
def process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The process's store is opened on this folder."""
    monkeypatch.setenv("DATA_DIR", str(folder))
    reset_repositories()
    yield folder
    reset_repositories()


def test_the_container_has_the_originals_members(process: Path) -> None:
    assert all(hasattr(get_repositories(), member) for member in MEMBERS)
    assert get_repositories() is get_repositories()
    assert get_json_store() is get_json_store()
    assert get_json_store().get_data_dir() == process.resolve()
    assert get_repositories().documents.get("tag", "nothing") is None


def test_a_reset_opens_anew_what_lies_there(process: Path) -> None:
    tag = get_repositories().tags.create(name="kept")
    first, store = get_repositories(), get_json_store()
    reset_json_store()
    assert get_json_store() is not store
    assert get_repositories() is not first
    assert get_repositories().tags.get(tag.id) == tag
    assert (process / "tags/tags.json").is_file()


def test_a_store_that_only_was_asked_for_is_reset_too(process: Path) -> None:
    store = get_json_store()
    reset_repositories()
    assert get_json_store() is not store
    assert not (process / ".calotype").exists()


def test_the_master_key_comes_from_the_environment_first(process: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_file = process.parent / "key"
    key_file.write_text("00" * 32)
    monkeypatch.setenv("CALOTYPE_MASTER_KEY_FILE", str(key_file))
    made = get_repositories().api_keys.create(label="l", provider="X", key="sk")
    assert not (process / "secrets/master.key").exists()
    reset_repositories()
    monkeypatch.delenv("CALOTYPE_MASTER_KEY_FILE")
    monkeypatch.setenv("CALOTYPE_MASTER_KEY", "00" * 32)
    assert get_repositories().api_keys.reveal(made.id) == Revealed("sk")
    reset_repositories()
    monkeypatch.setenv("CALOTYPE_MASTER_KEY", "short")
    with pytest.raises(InvalidError, match="CALOTYPE_MASTER_KEY"):
        get_repositories()
    monkeypatch.delenv("CALOTYPE_MASTER_KEY")
    reset_repositories()


def test_the_environments_key_and_its_file_both_open(process: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_file = process.parent / "key"
    key_file.write_text("00" * 32)
    monkeypatch.setenv("CALOTYPE_MASTER_KEY_FILE", str(key_file))
    made = get_repositories().api_keys.create(label="l", provider="X", key="sk")
    reset_repositories()
    monkeypatch.setenv("CALOTYPE_MASTER_KEY", "11" * 32)
    assert get_repositories().api_keys.reveal(made.id) == Revealed("sk"), "the file holds what was sealed before"
    reset_repositories()
    monkeypatch.setenv("CALOTYPE_MASTER_KEY_FILE", str(process.parent / "absent"))
    with pytest.raises(InvalidError, match="names no file"):
        get_repositories()


def test_documents_without_a_folder_need_a_sealer() -> None:
    with pytest.raises(InvalidError, match="give a sealer"):
        Repositories(MemoryDocuments())


def test_two_containers_over_one_store_see_the_same(folder: Path) -> None:
    store = JsonStore(folder)
    first, second = Repositories(store), Repositories(store)
    tag = first.tags.create(name="t")
    assert second.tags.get(tag.id) == tag
    assert first.documents is second.documents
    first.close()

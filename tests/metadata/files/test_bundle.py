"""Whose eyes a file is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.files.bundle import Bundle

if TYPE_CHECKING:
    from metadata.files.engine import FileEngine


@pytest.fixture
def bundle(engine: FileEngine) -> Bundle:
    """A bundle of the engine's own collaborators."""
    return Bundle(engine.paths, engine.fs, engine.locks, engine.flusher, engine.clock)


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        ("auth/accounts.json", True),
        ("secrets/master.key", True),
        ("settings/general.json", True),
        ("settings/users/a.json", True),
        ("characters/a.json", False),
        ("chats/settings/a.jsonl", False),
        ("authors/a.json", False),
        ("settings.json", False),
        ("binaries/index.jsonl", False),
    ],
)
def test_only_the_folders_of_secrets_are_for_their_owner_alone(bundle: Bundle, path: str, *, secret: bool) -> None:
    expected = (0o600, 0o700) if secret else (0o666, 0o777)
    assert (bundle.mode_of(path), bundle.folder_mode_of(path)) == expected


def test_what_it_was_given_is_public(bundle: Bundle, engine: FileEngine) -> None:
    assert bundle.paths is engine.paths
    assert bundle.fs is engine.fs
    assert bundle.locks is engine.locks
    assert bundle.flusher is engine.flusher
    assert bundle.clock is engine.clock
    assert bundle.lock_timeout_ms == 5000

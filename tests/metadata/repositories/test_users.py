"""The first user, and the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.documents.json_files import JsonFiles
from metadata.errors import ConflictError
from metadata.files.engine import FileEngine
from metadata.repositories.access_tokens import AccessTokensRepository
from metadata.repositories.users import UsersRepository

if TYPE_CHECKING:
    from pathlib import Path

    from metadata.documents.memory import MemoryDocuments


def test_the_first_user_is_made_once_with_its_settings(documents: MemoryDocuments) -> None:
    users = UsersRepository(documents)
    assert users.first() is None
    first = users.ensure_first()
    assert (first.email, first.role) == ("admin@localhost", "admin")
    assert users.ensure_first() == users.first() == first
    assert [stored.body["userId"] for stored in documents.scan("chatSettings")] == [first.id]


def test_the_first_user_stays(documents: MemoryDocuments) -> None:
    users = UsersRepository(documents)
    first = users.ensure_first()
    for force in (False, True):
        with pytest.raises(ConflictError):
            users.delete(first.id, force=force)
    assert users.first() == first


def test_a_user_that_goes_takes_its_way_in_along(documents: MemoryDocuments) -> None:
    users, tokens = UsersRepository(documents), AccessTokensRepository(documents)
    users.ensure_first()
    other = users.create(email="a@b.c")
    _, secret = tokens.issue(other.id, "t", "read")
    assert tokens.authenticate(secret) is not None
    assert users.delete(other.id)
    assert tokens.authenticate(secret) is None
    assert len(list(documents.scan("chatSettings"))) == 1


def test_an_address_is_one_user_s_over_all_files(tmp_path: Path) -> None:
    store = JsonFiles(FileEngine.open(tmp_path))
    users = UsersRepository(store)
    first = users.ensure_first()
    second = users.create(email="a@b.c")
    for email in ("a@b.c", "admin@localhost"):
        with pytest.raises(ConflictError):
            users.create(email=email)
    assert (tmp_path / f"settings/users/{second.id}.json").exists()
    assert users.first() == first
    store.rebuild()
    assert users.first() == first
    store.close()

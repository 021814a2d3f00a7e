"""The first user, and the others."""

from __future__ import annotations

import json
import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from metadata.documents.json_files import JsonFiles
from metadata.errors import ConflictError, UnreadableError
from metadata.files.engine import FileEngine
from metadata.index.query import Query
from metadata.repositories.access_tokens import AccessTokensRepository
from metadata.repositories.container import Repositories
from metadata.repositories.users import UsersRepository
from metadata.store import JsonStore

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


def test_the_first_user_lies_in_general_json_and_others_in_files_of_their_own(
    store: Repositories, folder: Path
) -> None:
    first = store.users.ensure_first()
    other = store.users.create(email="other@example.org")
    general = json.loads((folder / "settings/general.json").read_text())
    path = folder / f"settings/users/{other.id}.json"
    own = json.loads(path.read_text())
    assert general["user"]["id"] == first.id
    assert own["user"]["id"] == other.id
    assert own["chatSettings"]["userId"] == other.id
    assert own.keys() == general.keys() - {"_crc"} | (own.keys() & {"_crc"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert store.users.delete(other.id)
    assert not path.exists()
    assert json.loads((folder / "settings/general.json").read_text()) == general


def test_an_address_is_one_users_across_both_places(store: Repositories) -> None:
    first, other = store.users.ensure_first(), store.users.create(email="other@example.org")
    for user, taken in ((first, other.email), (other, first.email)):
        with pytest.raises(ConflictError):
            store.users.edit(user.id, lambda found, taken=taken: found.replaced(email=taken))  # type: ignore[misc] # a loop's
    assert store.users.edit(first.id, lambda found: found.replaced(name="Root")).name == "Root"


def test_users_see_themselves(store: Repositories) -> None:
    other = store.users.create(email="other@example.org")
    first = store.users.ensure_first()
    assert store.users.find_by_id(first.id, owner=other.id) is None
    assert store.users.find_by_id(other.id, owner=other.id) == other
    assert store.users.list(Query()).total == 2


def test_nobody_becomes_the_first_while_the_first_cannot_be_read(store: Repositories, folder: Path) -> None:
    store.users.create(email="other@example.org")
    (folder / "settings/general.json").write_text("{nonsense")
    with pytest.raises(UnreadableError):
        store.users.first()
    with pytest.raises(UnreadableError):
        store.users.ensure_first()
    with pytest.raises(UnreadableError):
        store.tags.create(name="t")


def test_a_broken_general_json_that_is_mended_holds_the_first_user_still(store: Repositories, folder: Path) -> None:
    first, other = store.users.ensure_first(), store.users.create(email="other@example.org")
    general = folder / "settings/general.json"
    sound = general.read_bytes()
    general.write_bytes(sound[: len(sound) // 2])
    store.close()
    shutil.rmtree(folder / "cache")
    opened = Repositories(JsonStore(folder))
    with pytest.raises(UnreadableError):
        opened.users.ensure_first()
    with pytest.raises(UnreadableError):
        opened.users.delete(other.id)  # the first one may be this, for all that can be known
    assert general.read_bytes() == sound[: len(sound) // 2], "nothing is written over what cannot be read"
    general.write_bytes(sound)
    assert opened.users.ensure_first() == first
    assert {user.id for user in opened.users.find_all()} == {first.id, other.id}
    opened.close()

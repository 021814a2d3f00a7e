"""From settings to an opened store: each setting reaches the part it is for, and what cannot be opened is refused."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assets.library import Upload
from metadata.errors import FullError, InvalidError, NotFoundError
from metadata.files.engine import FileEngine
from metadata.files.flush import Durability
from metadata.ids import RandomIds
from metadata.repositories.users import UsersRepository
from server import wiring
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    """Return a function that makes settings for one folder, fast ones unless told otherwise."""

    def make(**changed: str) -> Settings:
        fast = {"DURABILITY": "none", "MIN_FREE_BYTES": "0", **changed}
        environ = {f"CALOTYPE_{name}": value for name, value in fast.items()}
        return load_settings({"DATA_DIR": str(tmp_path / "data"), **environ}).settings

    return make


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return noon of a certain day."""
        return datetime(2026, 1, 31, 12, tzinfo=UTC)

    def monotonic(self) -> float:
        """Return nothing."""
        return 0.0


class Counted(RandomIds):
    """Ids, counted."""

    made = 0

    def new(self) -> str:
        """Return another."""
        self.made += 1
        return super().new()


def test_an_absent_folder_becomes_a_store_and_is_the_same_the_next_time(settings: Callable[..., Settings]) -> None:
    with open_store(settings()) as store:
        first = store.folder.store_id, store.owner.id
        assert store.folder.created
        tag = store.records.tags.create(user_id=store.owner.id, name="kept")
    with open_store(settings(EXPECT_STORE="1")) as store:
        assert not store.folder.created
        assert (store.folder.store_id, store.owner.id) == first
        assert store.records.tags.find_by_id(tag.id) is not None


def test_settings_reach_the_parts_they_are_for(settings: Callable[..., Settings], tmp_path: Path) -> None:
    given = settings(LOCK_TIMEOUT_MS="1234", DURABILITY="batch", CACHE_DIR=str(tmp_path / "elsewhere"))
    with open_store(given) as store:
        assert store.settings is given
        assert store.engine.lock_timeout_ms == 1234
        assert store.engine.flusher.level is Durability.BATCH
        assert store.engine.paths.root == tmp_path / "data"
        assert list((tmp_path / "elsewhere").glob("index.sqlite3"))
        assert not list((tmp_path / "data").rglob("index.sqlite3"))


@pytest.mark.parametrize(("name", "limit"), [("MIN_FREE_BYTES", str(1 << 60)), ("MAX_STORE_BYTES", "5")])
def test_the_limits_of_room_reach_the_library(settings: Callable[..., Settings], name: str, limit: str) -> None:
    with open_store(settings()) as store:
        staging = store.assets.receive()
        staging.write(b"12345")
        store.assets.store(staging.finish(), Upload(user_id=store.owner.id, filename="a.bin"))
    with open_store(settings(**{name: limit})) as store, pytest.raises(FullError) as caught:
        store.assets.receive()
    assert caught.value.details["setting"] == f"CALOTYPE_{name}"


def test_clock_and_ids_are_the_ones_given(settings: Callable[..., Settings]) -> None:
    ids = Counted()
    with open_store(settings(), clock=Noon(), ids=ids) as store:
        tag = store.records.tags.create(user_id=store.owner.id, name="x")
        assert store.clock.now() == Noon().now()
        assert tag.created_at == "2026-01-31T12:00:00.000Z"
        made = ids.made
        store.records.tags.create(user_id=store.owner.id, name="y")
        assert ids.made > made > 0


@pytest.mark.parametrize("private", [True, False])
def test_what_git_may_not_see_of_a_new_folder(
    settings: Callable[..., Settings], tmp_path: Path, *, private: bool
) -> None:
    open_store(settings(), git_private=private).close()
    assert ("chats/" in (tmp_path / "data" / ".gitignore").read_text().split()) is private


def test_a_folder_that_should_be_a_store_and_is_none_is_not_made_one(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    with pytest.raises((InvalidError, NotFoundError)):
        open_store(settings(EXPECT_STORE="1"))
    assert not (tmp_path / "data" / ".calotype").exists()


def test_a_folder_open_to_everybody_is_refused_unless_allowed(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o777)
    with pytest.raises(InvalidError):
        open_store(settings())
    open_store(settings(ALLOW_WORLD_WRITABLE="1")).close()


def test_a_network_file_system_is_refused_before_anything_is_written(
    settings: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "network_file_system", lambda _: "nfs4")
    with pytest.raises(InvalidError, match="nfs4") as caught:
        open_store(settings())
    assert caught.value.details["setting"] == "CALOTYPE_ALLOW_NETWORK_FS"
    assert not (tmp_path / "data").exists()
    open_store(settings(ALLOW_NETWORK_FS="1")).close()


def test_closing_lets_go_of_the_folder(settings: Callable[..., Settings], tmp_path: Path) -> None:
    with open_store(settings()) as store:
        store.records.tags.create(user_id=store.owner.id, name="x")
        other = FileEngine.open(tmp_path / "data")
        assert not other.locks._alone()  # noqa: SLF001 - what the janitor asks
    assert other.locks._alone()  # noqa: SLF001 - as above
    other.close()


@pytest.mark.skipif(sys.platform != "linux", reason="open files are counted in /proc")
def test_closing_closes_every_file(settings: Callable[..., Settings], tmp_path: Path) -> None:
    with open_store(settings()) as store:
        _store_a_byte(store)
        assert _open_below(tmp_path / "data")
    assert _open_below(tmp_path / "data") == []


def _store_a_byte(store: wiring.Store) -> None:
    with store.assets.receive() as staging:
        staging.write(b"x")
        store.assets.store(staging.finish(), Upload(user_id=store.owner.id, filename="x", tags=["y"]))


def _open_below(folder: Path) -> list[str]:
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists them
            found.append(str(link.readlink()))
    return [path for path in found if path.startswith(str(folder))]


def test_a_store_that_could_not_be_put_together_is_let_go_of(
    settings: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Exception):  # noqa: N818 - any error at all
        """Something failed late."""

    def fail(*_: Any, **__: Any) -> None:
        raise Broken

    open_store(settings()).close()
    with monkeypatch.context() as patch:
        patch.setattr(UsersRepository, "ensure_first", fail)
        with pytest.raises(Broken):
            open_store(settings())
    other = FileEngine.open(tmp_path / "data")
    assert other.locks._alone()  # noqa: SLF001 - what the janitor asks
    other.close()
    open_store(settings()).close()

"""Files as assets: once for each path and content, with what they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.digest import Digest
from assets.transfer.report import Status
from assets.transfer.sillytavern.keeping import Keeper, Source, Use
from assets.transfer.sillytavern.layout import Layout
from assets.transfer.sillytavern.tags import Tags
from assets.transfer.sillytavern.target import Target
from assets.transfer.sources import Folder
from server.importing import intake_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Home

NOW = "2024-01-01T00:00:00.000Z"


@pytest.fixture
def keepers(home: Home, tmp_path: Path) -> Callable[[], Keeper]:
    """Make keepers over one folder, as further runs do."""
    (tmp_path / "in").mkdir()
    target = Target(home.store.inside.records, home.owner, NOW)
    return lambda: Keeper(Layout(Folder(tmp_path / "in")), target, intake_of(home.store.inside), Tags(target))


def test_a_file_comes_once_and_beside_it_what_it_was_changed_to(
    home: Home, tmp_path: Path, keepers: Callable[[], Keeper]
) -> None:
    (tmp_path / "in/a.txt").write_bytes(b"one")
    keeper = keepers()
    first, second = keeper.keep("a.txt", Use()), keeper.keep("a.txt", Use())
    assert first.item is not None
    assert first.item.status is Status.IMPORTED
    assert (second.item, second.id) == (None, first.id)
    again = keepers().keep("a.txt", Use())
    assert (again.id, again.item and again.item.status) == (first.id, Status.SAME)
    (tmp_path / "in/a.txt").write_bytes(b"two")
    assert keepers().keep("a.txt", Use()).id != first.id
    assert home.asset_count("a.txt") == 2


def test_a_link_that_is_known_later_is_added_and_one_that_is_there_stays(
    home: Home, tmp_path: Path, keepers: Callable[[], Keeper]
) -> None:
    (tmp_path / "in/a.txt").write_bytes(b"one")
    one, two = (f"{n}0000000-0000-4000-8000-000000000000" for n in (1, 2))
    keepers().keep("a.txt", Use())
    kept = keepers().keep("a.txt", Use(links={"chatId": one}))
    assert kept.item is not None
    assert kept.item.status is Status.IMPORTED
    keepers().keep("a.txt", Use(links={"chatId": two}))
    assert home.asset("a.txt")["chatId"] == one


def test_bytes_that_went_missing_come_again(home: Home, tmp_path: Path, keepers: Callable[[], Keeper]) -> None:
    (tmp_path / "in/a.txt").write_bytes(b"one")
    inline = Source("chat#", "file.txt", Use(), None)
    kept = [keepers().keep("a.txt", Use()), keepers().keep_bytes(b"two", inline)]
    for one in kept:
        home.store.inside.assets.blobs.remove(Digest(home.store.images.get(one.id).sha256))
    item = keepers().keep("a.txt", Use()).item
    assert item is not None
    assert item.notes
    keepers().keep_bytes(b"two", inline)
    assert [home.store.assets.read(one.sha256) for one in kept] == [b"one", b"two"]


def test_a_file_without_a_date_is_of_now(home: Home, keepers: Callable[[], Keeper]) -> None:
    kept = keepers().keep_bytes(b"two", Source("chat#", "file.txt", Use(), None))
    assert home.store.images.get(kept.id).created_at == NOW
    assert keepers().keep("absent.txt", Use()).why == "absent.txt is not in the folder."


def test_what_was_deleted_here_comes_again_and_says_so(
    home: Home, tmp_path: Path, keepers: Callable[[], Keeper]
) -> None:
    (tmp_path / "in/a.txt").write_bytes(b"one")
    home.store.images.delete(keepers().keep("a.txt", Use()).id)
    item = keepers().keep("a.txt", Use()).item
    assert item is not None
    assert (item.status, len(item.notes)) == (Status.IMPORTED, 1)

"""Finding files, and sending only what is not there yet."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import calotype
from calotype import BusyError, InvalidError, NotFoundError, UnreadableError
from server.cli.uploading import ASKED_AT_ONCE, Found, Status, Uploader, found_files
from server.local import LocalAssets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from server.views import AssetView


class Counting(LocalAssets):
    """Assets that say how often they were sent something."""

    def __init__(self, store: calotype.LocalStore) -> None:
        super().__init__(store.inside)
        self.sent: list[object] = []
        self.asked: list[int] = []

    def put(self, data: object, /, **fields: object) -> AssetView:
        self.sent.append(data)
        return super().put(data, **fields)  # type: ignore[arg-type] # handed on

    def have(self, digests: Sequence[str]) -> Sequence[str]:
        self.asked.append(len(digests))
        return super().have(digests)


@pytest.fixture
def assets(tmp_path: Path) -> Iterator[Counting]:
    with calotype.open(tmp_path / "data", min_free_bytes=0, durability="none") as store:
        yield Counting(store)


def files_of(folder: Path, **contents: str) -> list[Found]:
    folder.mkdir(exist_ok=True)
    for name, text in contents.items():
        (folder / name).write_text(text)
    return [Found(folder / name, len(text)) for name, text in contents.items()]


def test_files_are_found_in_order(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a", "b/c/3"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    (tmp_path / "b" / "link").symlink_to(tmp_path / "a")
    os.mkfifo(tmp_path / "b" / "pipe")
    found = list(found_files([tmp_path / "b", tmp_path / "a"], recursive=True))
    assert [str(each.path.relative_to(tmp_path)) for each in found] == ["b/1", "b/2", "b/link", "b/c/3", "a"]
    assert [each.size for each in found] == [3, 3, 1, 5, 1]
    assert [each.error for each in found] == [None] * 5


def test_what_cannot_be_found_says_why(tmp_path: Path) -> None:
    found = list(found_files([tmp_path / "absent", tmp_path, tmp_path / "x" / ".." / "y"], recursive=False))
    assert [type(each.error) for each in found] == [NotFoundError, InvalidError, NotFoundError]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every folder")
def test_a_folder_that_is_closed_is_reported(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    found = list(found_files([tmp_path], recursive=True))
    assert [(each.path, type(each.error)) for each in found] == [(closed, UnreadableError)]


def test_equal_files_are_sent_once(assets: Counting, tmp_path: Path) -> None:
    found = files_of(tmp_path / "in", a="1", b="2", c="1")
    outcomes = list(Uploader(assets).run(found))
    assert [each.status for each in outcomes] == [Status.NEW, Status.NEW, Status.DUPLICATE]
    assert [each.status for each in Uploader(assets).run(found)] == [Status.DUPLICATE] * 3
    assert assets.sent == [found[0].path, found[1].path]


def test_hashes_are_asked_for_in_groups(assets: Counting, tmp_path: Path) -> None:
    found = files_of(tmp_path / "in", **{f"f{number}": str(number) for number in range(ASKED_AT_ONCE + 1)})
    list(Uploader(assets).run(found))
    assert assets.asked == [ASKED_AT_ONCE, 1]


def test_another_type_is_another_record(assets: Counting, tmp_path: Path) -> None:
    (found,) = files_of(tmp_path / "in", a="1")
    kinds = [None, "avatar", "avatar", None, "chat_file", "image"]
    statuses = [next(Uploader(assets, kind=kind).run([found])).status.value for kind in kinds]
    assert statuses == ["new", "new", "duplicate", "duplicate", "duplicate", "new"]


def test_a_linked_record_is_not_the_same(assets: Counting, tmp_path: Path) -> None:
    (found,) = files_of(tmp_path / "in", a="1")
    (first,) = Uploader(assets).run([found])
    (again,) = Uploader(assets, tags=("x",)).run([found])
    assert first.asset is not None
    assert again.asset is not None
    assert (again.asset.id, len(again.asset.tags), again.status) == (first.asset.id, 1, Status.DUPLICATE)


def test_a_file_that_fails_is_tried_again_for_its_twin(assets: Counting, tmp_path: Path) -> None:
    found = files_of(tmp_path / "in", a="1", b="1")
    found[0].path.chmod(0o600)
    broken = Found(found[0].path, 1, NotFoundError("gone"))
    outcomes = list(Uploader(assets).run([broken, found[1]]))
    assert [each.status for each in outcomes] == [Status.FAILED, Status.NEW]


def test_a_store_that_does_not_answer_ends_it(
    assets: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(digests: Sequence[str]) -> Sequence[str]:
        raise BusyError(f"nobody there for {len(digests)}")

    monkeypatch.setattr(assets, "have", gone)
    with pytest.raises(BusyError):
        list(Uploader(assets).run(files_of(tmp_path / "in", a="1")))

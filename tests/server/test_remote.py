"""What only the server's side of the interface does; the rest is `tests/contracts/test_assets.py`."""

from __future__ import annotations

import hashlib
import io
import threading
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from PIL import Image

import calotype
from metadata.errors import DeniedError, InvalidError, TooLargeError, UnauthenticatedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType
    from typing import Any


@pytest.fixture(scope="module")
def server(serving: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serving.Server(
        tmp_path_factory.mktemp("remote") / "data", extra={"CALOTYPE_ROOT_PATH": "/pictures"}
    ) as server:
        yield server


@pytest.fixture
def remote(server: Any) -> Iterator[calotype.RemoteStore]:
    with calotype.connect(f"{server.url}/pictures/", token=server.token) as remote:
        yield remote


def test_a_server_below_a_path(remote: calotype.RemoteStore) -> None:
    asset = remote.assets.put(b"below a path")
    assert asset.url.startswith("/pictures/blobs/")
    assert remote.assets.read(asset.sha256) == b"below a path"


def test_smaller_pictures_are_copies_that_go_with_the_connection(server: Any, remote: calotype.RemoteStore) -> None:
    out = io.BytesIO()
    Image.linear_gradient("L").save(out, "PNG")
    asset = remote.assets.put(out.getvalue())
    with calotype.connect(server.url + "/pictures") as nobody:
        path = nobody.assets.variant(asset.sha256, "64x", "webp")
        with Image.open(path) as image:
            assert (image.format, image.size) == ("WEBP", (64, 64))
        with pytest.raises(InvalidError, match="sizes on offer"):
            nobody.assets.variant(asset.sha256, "63x")
    assert not path.exists()


def test_without_a_token_and_with_a_small_one(server: Any, serving: ModuleType, remote: calotype.RemoteStore) -> None:
    asset = remote.assets.put(b"guarded")
    with calotype.connect(server.url + "/pictures") as nobody:
        with pytest.raises(UnauthenticatedError):
            nobody.assets.put(b"x" * 2_000_000)
        assert nobody.assets.read(asset.sha256) == b"guarded", "bytes are public"
    made = serving.run(server.folder, "token", "create", "--scope", "read")
    with calotype.connect(server.url + "/pictures", token=made.stdout.decode().strip()) as reader:
        assert reader.assets.get(asset.id).id == asset.id
        with pytest.raises(DeniedError):
            reader.assets.delete(asset.id)


def test_a_large_file_passes_through_little_memory(remote: calotype.RemoteStore, tmp_path: Path) -> None:
    size = 60_000_000
    file = tmp_path / "large"
    with file.open("wb") as target:
        target.truncate(size)
    tracemalloc.start()
    try:
        asset = remote.assets.put(file)
        hasher = hashlib.sha256()
        with remote.assets.open(asset.sha256) as source:
            while chunk := source.read(100_000):
                hasher.update(chunk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (asset.size, hasher.hexdigest()) == (size, asset.sha256)
    assert peak < 5_000_000


def test_too_large_is_told(remote: calotype.RemoteStore, tmp_path: Path) -> None:
    file = tmp_path / "huge"
    with file.open("wb") as target:
        target.truncate(101 * 1024 * 1024)
    with pytest.raises(TooLargeError):
        remote.assets.put(file)


def test_a_download_may_be_left_in_the_middle(remote: calotype.RemoteStore) -> None:
    asset = remote.assets.put(bytes(20_000_000))
    for _ in range(20):
        with remote.assets.open(asset.sha256) as source:
            assert source.read(10) == bytes(10)
    assert remote.assets.get(asset.id).size == 20_000_000


def test_tags_of_many_at_once_are_all_kept(remote: calotype.RemoteStore) -> None:
    asset = remote.assets.put(b"tagged by many")
    threads = [threading.Thread(target=remote.assets.tag, args=(asset.id, f"tag {number}")) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(remote.assets.get(asset.id).tags) == 4

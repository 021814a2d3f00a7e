"""Derived pictures on disk: made once for everybody, whole or not at all, beside the payload and gone with it."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from assets.blobs.local import LocalBlobs
from assets.digest import Digest
from assets.images.limits import Limits
from assets.images.recipe import recipe
from assets.images.variants import PRESETS, Format
from metadata.clock import SystemClock
from metadata.errors import FullError, InvalidError, NotFoundError, UnsupportedError
from metadata.files.filesystem import FileSystem

if TYPE_CHECKING:
    from types import ModuleType

    from assets.images.prints import Prints
    from metadata.files.engine import FileEngine

Keep = Callable[[bytes], Digest]
Opener = Callable[..., "Prints"]
THUMB = PRESETS["thumb"]


@pytest.fixture(scope="module")
def picture(load_beside: Callable[[Path], ModuleType]) -> Callable[..., bytes]:
    made: Callable[..., bytes] = load_beside(Path(__file__).with_name("conftest.py")).picture
    return made


@pytest.fixture
def digest(keep: Keep, picture: Callable[..., bytes]) -> Digest:
    return keep(picture())


def names(engine: FileEngine, digest: Digest) -> set[str]:
    return {path.name for path in (engine.paths.root / "binaries" / digest).iterdir()} - {"raw"}


def test_it_lies_beside_the_payload_named_by_its_recipe(prints: Prints, engine: FileEngine, digest: Digest) -> None:
    made = prints.derivatives.get(digest, THUMB, Format.WEBP)
    assert made.path == engine.paths.root / "binaries" / digest / f"256x256-cover.r{recipe()}.webp"
    assert made.media_type == "image/webp"
    assert made.size == made.path.stat().st_size
    with Image.open(made.path) as image:
        assert (image.format, image.size) == ("WEBP", (256, 256))
    assert names(engine, digest) == {made.path.name}


def test_it_is_made_once(prints: Prints, open_prints: Opener, digest: Digest) -> None:
    made = prints.derivatives.get(digest, THUMB, Format.JPEG)
    inode = made.path.stat().st_ino
    assert prints.derivatives.get(digest, THUMB, Format.JPEG) == made
    assert open_prints().derivatives.get(digest, THUMB, Format.JPEG) == made
    assert made.path.stat().st_ino == inode
    assert prints.ledger.read().computed == 1


def test_every_variant_and_format_has_a_tag_of_its_own(
    prints: Prints, keep: Keep, picture: Callable[..., bytes]
) -> None:
    digests = [keep(picture()), keep(picture(size=(30, 20)))]
    tags = {
        prints.derivatives.get(digest, variant, form).etag
        for digest in digests
        for variant in (THUMB, PRESETS["avatar"])
        for form in (Format.PNG, Format.WEBP)
    }
    assert len(tags) == 8
    assert all(recipe() in tag for tag in tags)


@pytest.mark.parametrize("apart", [False, True], ids=["one process", "several"])
def test_many_first_requests_are_one_computation(open_prints: Opener, digest: Digest, *, apart: bool) -> None:
    shared = open_prints()
    everybody = [open_prints() if apart else shared for _ in range(20)]
    together = threading.Barrier(20)

    def ask(prints: Prints) -> str:
        together.wait()
        return prints.derivatives.get(digest, THUMB, Format.WEBP).etag

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(ask, everybody))) == 1
    account = shared.ledger.read()
    assert (account.computed, account.files) == (1, 1)


def test_it_goes_with_the_payload(prints: Prints, engine: FileEngine, digest: Digest) -> None:
    made = prints.derivatives.get(digest, THUMB, Format.WEBP)
    LocalBlobs(engine.fs, engine.paths, SystemClock()).remove(digest)
    assert not made.path.exists()
    with pytest.raises(NotFoundError):
        prints.derivatives.get(digest, THUMB, Format.WEBP)


def test_what_is_not_there_is_not_found(prints: Prints) -> None:
    with pytest.raises(NotFoundError, match="no payload"):
        prints.derivatives.get(Digest("0" * 64), THUMB, Format.WEBP)
    with pytest.raises(NotFoundError):
        prints.derivatives.glance(Digest("0" * 64))


@pytest.mark.parametrize("data", [b"just a text", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7\n"])
def test_what_is_no_picture_is_not_supported(prints: Prints, engine: FileEngine, keep: Keep, data: bytes) -> None:
    digest = keep(data)
    with pytest.raises(UnsupportedError):
        prints.derivatives.get(digest, THUMB, Format.WEBP)
    assert names(engine, digest) == set()
    assert prints.derivatives.workers.started == 0


def test_a_damaged_picture_leaves_nothing(
    prints: Prints, engine: FileEngine, keep: Keep, picture: Callable[..., bytes]
) -> None:
    digest = keep(picture()[:-200])
    for _ in range(2):
        with pytest.raises(InvalidError, match="damaged"):
            prints.derivatives.get(digest, THUMB, Format.WEBP)
    assert names(engine, digest) == set()
    assert prints.ledger.read().refused == 1


def test_a_picture_whose_header_is_over_a_limit_starts_no_process(
    open_prints: Opener, keep: Keep, picture: Callable[..., bytes]
) -> None:
    prints = open_prints(Limits(pixels=1000))
    with pytest.raises(InvalidError, match="CALOTYPE_MAX_PIXELS") as caught:
        prints.derivatives.get(keep(picture()), THUMB, Format.WEBP)
    assert caught.value.details["actual"] == 120_000
    assert prints.derivatives.workers.started == 0


def test_no_room_is_said_and_leaves_nothing(
    prints: Prints, engine: FileEngine, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(FileSystem):
        def write(self, descriptor: int, data: bytes | memoryview) -> int:
            del descriptor, data
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(engine, "fs", Full())
        with pytest.raises(FullError):
            prints.derivatives.get(digest, THUMB, Format.WEBP)
    assert names(engine, digest) == set()
    assert prints.derivatives.get(digest, THUMB, Format.WEBP).size > 0


def test_a_name_is_synced_before_it_is_there(
    prints: Prints, engine: FileEngine, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut must not leave a derived picture with half its bytes under its name."""
    calls: list[str] = []

    class Noting(FileSystem):
        def fsync(self, descriptor: int) -> None:
            calls.append("fsync")
            super().fsync(descriptor)

        def rename(self, source: Path, target: Path) -> None:
            calls.append("rename")
            super().rename(source, target)

    monkeypatch.setattr(engine, "fs", Noting())
    prints.derivatives.get(digest, THUMB, Format.WEBP)
    assert calls == ["fsync", "rename", "fsync"]


def test_a_link_in_its_place_is_not_followed(
    prints: Prints, engine: FileEngine, digest: Digest, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    place = engine.paths.root / "binaries" / digest / f"256x256-cover.r{recipe()}.webp"
    place.symlink_to(secret)
    made = prints.derivatives.get(digest, THUMB, Format.WEBP)
    assert not made.path.is_symlink()
    assert secret.read_text() == "secret"


def test_use_is_noted_now_and_then(prints: Prints, digest: Digest) -> None:
    made = prints.derivatives.get(digest, THUMB, Format.WEBP)
    long_ago = time.time() - 100_000
    os.utime(made.path, (long_ago, long_ago))
    prints.derivatives.get(digest, THUMB, Format.WEBP)
    touched = made.path.stat().st_mtime
    assert touched > long_ago + 90_000
    prints.derivatives.get(digest, THUMB, Format.WEBP)
    assert made.path.stat().st_mtime == touched


def test_a_glance_is_computed_by_a_process(prints: Prints, digest: Digest) -> None:
    found = prints.derivatives.glance(digest)
    assert (found["width"], found["height"], found["frames"], found["alpha"]) == (400, 300, 1, False)
    assert str(found["placeholder"]).startswith("data:image/webp;base64,")
    assert len(str(found["perceptualHash"])) == 16
    assert prints.derivatives.workers.started == 1


def test_the_cache_may_be_lost_between_two_requests(prints: Prints, engine: FileEngine, digest: Digest) -> None:
    prints.derivatives.get(digest, THUMB, Format.WEBP)
    for path in sorted((engine.paths.root / "cache").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert prints.derivatives.get(digest, PRESETS["card"], Format.WEBP).size > 0


def test_an_empty_file_in_its_place_is_made_again(prints: Prints, digest: Digest) -> None:
    made = prints.derivatives.get(digest, THUMB, Format.WEBP)
    made.path.write_bytes(b"")
    assert prints.derivatives.get(digest, THUMB, Format.WEBP).size == made.size

"""Derived pictures on disk: made once for everybody, whole or not at all, beside the payload and gone with it."""

from __future__ import annotations

import errno
import io
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
from assets.images.variants import PRESETS, Fit, Format, Variant
from assets.images.workers import Slots
from metadata.clock import SystemClock
from metadata.errors import BusyError, FullError, InvalidError, NotFoundError, UnsupportedError
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


class Later(SystemClock):
    """A clock that can be put forward."""

    ahead = 0.0

    def monotonic(self) -> float:
        """Return the time, put forward."""
        return super().monotonic() + self.ahead


def animation() -> bytes:
    out = io.BytesIO()
    frames = [Image.effect_noise((300, 200), 40 + number).convert("P") for number in range(3)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def frames_of(path: Path) -> int:
    with Image.open(path) as image:
        return int(getattr(image, "n_frames", 1))


def test_a_limit_that_leaves_the_first_frame_is_in_the_name(open_prints: Opener, keep: Keep) -> None:
    """Another setting has other files: what one of them made is never served for the other."""
    digest, one = keep(animation()), 300 * 200 * 4
    narrow, wide = open_prints(Limits(decoded_bytes=one)), open_prints()
    still = narrow.derivatives.get(digest, THUMB, Format.WEBP)
    assert (frames_of(still.path), still.lasting) == (1, True)
    assert narrow.derivatives.find(digest, THUMB, Format.WEBP) == still
    assert open_prints(Limits(decoded_bytes=one + 1)).derivatives.find(digest, THUMB, Format.WEBP) is None
    moving = wide.derivatives.get(digest, THUMB, Format.WEBP)
    assert (frames_of(moving.path), moving.lasting) == (3, True)
    assert moving.etag != still.etag
    jpeg = narrow.derivatives.get(digest, THUMB, Format.JPEG)
    assert wide.derivatives.find(digest, THUMB, Format.JPEG) == jpeg, "it shows the first frame whatever the limits"


def test_what_there_was_no_time_for_is_tried_again_and_never_lasts(
    open_prints: Opener, keep: Keep, engine: FileEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow moment must not make an animation a still picture for good."""
    digest, later = keep(animation()), Later()
    monkeypatch.setattr(engine, "clock", later)
    prints = open_prints()
    run = prints.derivatives.workers.run
    with monkeypatch.context() as patch:  # the process is as one whose time is over at once
        patch.setattr(prints.derivatives.workers, "run", lambda job, *more: run({**job, "still": True}, *more))
        hurried = prints.derivatives.get(digest, THUMB, Format.WEBP)
    assert (frames_of(hurried.path), hurried.lasting) == (1, False)
    assert prints.derivatives.get(digest, THUMB, Format.WEBP) == hurried
    assert frames_of(prints.derivatives.get(digest, PRESETS["card"], Format.AVIF).path) == 1, "nor is there for others"
    assert open_prints().derivatives.find(digest, THUMB, Format.WEBP) is None
    later.ahead = 599
    prints.derivatives.get(digest, PRESETS["full"], Format.WEBP)
    later.ahead = 601  # what was asked for meanwhile puts it off no longer
    moving = prints.derivatives.get(digest, THUMB, Format.WEBP)
    assert (frames_of(moving.path), moving.lasting) == (3, True)
    assert moving.etag != hurried.etag


def test_a_picture_that_takes_too_long_costs_that_once(open_prints: Opener, keep: Keep) -> None:
    prints = open_prints(Limits(seconds=0.001))
    digest = keep(animation())
    for variant in (*PRESETS.values(), THUMB):
        with pytest.raises(InvalidError, match="CALOTYPE_DECODE_TIMEOUT_S"):
            prints.derivatives.get(digest, variant, Format.PNG)
    with pytest.raises(InvalidError, match="CALOTYPE_DECODE_TIMEOUT_S"):
        prints.derivatives.glance(digest)
    assert prints.ledger.read().killed == 1


def test_those_in_the_queue_are_refused_with_the_first(open_prints: Opener, keep: Keep) -> None:
    """They have asked for other sizes before the first was given up."""
    prints = open_prints(Limits(seconds=0.5), decoders=1)
    digest = keep(animation())
    together = threading.Barrier(8)

    def ask(width: int) -> None:
        together.wait()
        with pytest.raises(InvalidError, match="CALOTYPE_DECODE_TIMEOUT_S"):
            prints.derivatives.get(digest, Variant(width, None, Fit.CONTAIN), Format.WEBP)

    held = prints.derivatives.workers.run
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(8) as pool:
        reader, writer = os.pipe()  # the job reads from a pipe that nobody writes to
        patch.setattr(
            prints.derivatives.workers, "run", lambda job, files, *wanted: held(job, [reader, *files[1:]], *wanted)
        )
        try:
            list(pool.map(ask, range(32, 40)))
        finally:
            os.close(reader)
            os.close(writer)
    assert prints.ledger.read().killed == 1


def test_what_nobody_waits_for_any_more_leaves_the_queue(
    open_prints: Opener, engine: FileEngine, digest: Digest
) -> None:
    prints = open_prints(decoders=1)
    gone = threading.Event()
    slots = Slots(engine.paths.root / "cache/derived/slots", 1, SystemClock())
    with ThreadPoolExecutor(1) as pool, slots.hold(5):
        task = pool.submit(prints.derivatives.get, digest, THUMB, Format.WEBP, gone.is_set)
        gone.set()
        with pytest.raises(BusyError, match="gone"):
            task.result()
    slots.close()
    account = prints.ledger.read()
    assert (account.computed, account.refused) == (0, 0)
    assert prints.derivatives.get(digest, THUMB, Format.WEBP).size > 0


def test_room_is_made_while_much_is_made(open_prints: Opener, keep: Keep, picture: Callable[..., bytes]) -> None:
    digests = [keep(picture(size=(300 + number, 200))) for number in range(3)]
    old = [open_prints().derivatives.get(digest, THUMB, Format.JPEG) for digest in digests[:2]]
    for each in old:
        os.utime(each.path, (1, 1))
    prints = open_prints(budget=old[0].size)
    new = prints.derivatives.get(digests[2], THUMB, Format.PNG)
    assert prints.ledger.read().evicted == 2
    assert [each.path.exists() for each in (*old, new)] == [False, False, True]

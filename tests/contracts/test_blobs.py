"""What every payload store promises, asked of each of them."""

from __future__ import annotations

import gc
import hashlib
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.blobs.base import HEAD_BYTES, BlobStore, Staged
from assets.blobs.local import LocalBlobs
from assets.blobs.memory import MemoryBlobs
from assets.digest import Digest, digest_of
from metadata.clock import SystemClock
from metadata.errors import InternalError, InvalidError, NotFoundError, UnsupportedError
from metadata.files.filesystem import FileSystem
from metadata.files.paths import DataPaths

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = digest_of(b"never stored")


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "memory":
        return MemoryBlobs()
    return LocalBlobs(FileSystem(), DataPaths(tmp_path), SystemClock())


def _staged(store: BlobStore, data: bytes) -> Staged:
    with store.stage() as staging:
        staging.write(data)
        return staging.finish()


def _put(store: BlobStore, data: bytes) -> Digest:
    staged = _staged(store, data)
    store.publish(staged)
    return staged.digest


def _read(store: BlobStore, digest: Digest, start: int = 0, end: int | None = None) -> bytes:
    with store.open(digest, start, end) as payload:
        return payload.read()


def test_what_is_published_comes_back_byte_for_byte(store: BlobStore) -> None:
    data = bytes(range(256)) * 1000
    with store.stage() as staging:
        for at in range(0, len(data), 777):
            staging.write(memoryview(data)[at : at + 777])
        assert staging.size == len(data)
        staged = staging.finish()
    assert staged.digest == hashlib.sha256(data).hexdigest()
    assert staged.size == len(data)
    assert staged.head == data[:HEAD_BYTES]
    assert store.publish(staged) is True
    assert _read(store, staged.digest) == data
    assert store.stat(staged.digest).size == len(data)
    assert list(store.scan()) == [staged.digest]


def test_staged_bytes_can_be_read_anywhere_before_they_are_published(store: BlobStore) -> None:
    data = bytes(range(256)) * 1000
    staged = _staged(store, data)
    assert staged.read_at(100_000, 50) == data[100_000:100_050]
    assert staged.read_at(len(data) - 5, 50) == data[-5:]
    assert staged.read_at(len(data) + 5, 50) == b""
    staged.discard()


def test_the_same_bytes_are_stored_once(store: BlobStore) -> None:
    first, second, third = _staged(store, b"once"), _staged(store, b"once"), _staged(store, b"once")
    assert store.publish(first) is True
    assert store.publish(second) is False
    assert store.publish(third, durable=True) is False
    assert list(store.scan()) == [first.digest]
    assert _read(store, first.digest) == b"once"


def test_nothing_is_seen_before_publish_nor_after_discard(store: BlobStore) -> None:
    staged = _staged(store, b"secret")
    with pytest.raises(NotFoundError):
        store.stat(staged.digest)
    assert list(store.scan()) == []
    staged.discard()
    staged.discard()
    assert list(store.scan()) == []


def test_leaving_without_finishing_discards(store: BlobStore) -> None:
    with store.stage() as staging:
        staging.write(b"half")
    with pytest.raises(InternalError, match="finished or discarded"):
        staging.write(b"more")
    with pytest.raises(InternalError, match="finished twice, or after"):
        staging.finish()


def test_a_staging_finishes_once(store: BlobStore) -> None:
    staging = store.stage()
    staging.write(b"x")
    staged = staging.finish()
    with pytest.raises(InternalError):
        staging.finish()
    staging.discard()
    assert store.publish(staged) is True


def test_staged_bytes_publish_once(store: BlobStore) -> None:
    staged = _staged(store, b"x")
    store.publish(staged)
    store.remove(staged.digest)
    with pytest.raises(InternalError):
        store.publish(staged)
    discarded = _staged(store, b"y")
    discarded.discard()
    with pytest.raises(InternalError):
        store.publish(discarded)


def test_discarding_after_publishing_leaves_the_payload(store: BlobStore) -> None:
    staged = _staged(store, b"kept")
    store.publish(staged)
    staged.discard()
    digest = staged.digest
    del staged
    gc.collect()
    assert _read(store, digest) == b"kept"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=50), st.integers(0, 60), st.none() | st.integers(0, 60))
def test_a_range_is_a_slice_or_refused(store: BlobStore, data: bytes, start: int, end: int | None) -> None:
    digest = _put(store, data)
    stop = len(data) if end is None else min(end, len(data))
    if start > stop:
        with pytest.raises(InvalidError, match="do not lie"):
            store.open(digest, start, end)
    else:
        assert _read(store, digest, start, end) == data[start:end]


def test_an_opened_payload_reads_in_pieces_and_seeks_within_its_range(store: BlobStore) -> None:
    digest = _put(store, b"0123456789")
    with store.open(digest, 2, 8) as payload:
        assert payload.read(3) == b"234"
        assert payload.seek(-2, 2) == 4
        assert payload.read() == b"67"
        assert payload.read(1) == b""
        assert payload.seek(0) == 0
        assert payload.tell() == 0
        into = bytearray(100)
        assert payload.readinto(into) == 6  # type: ignore[attr-defined]  # BinaryIO lacks what every binary file has
        assert into[:6] == b"234567"


def test_a_negative_start_is_refused(store: BlobStore) -> None:
    digest = _put(store, b"0123456789")
    with pytest.raises(InvalidError):
        store.open(digest, -1)


def test_an_open_payload_outlives_its_removal(store: BlobStore) -> None:
    digest = _put(store, b"going")
    with store.open(digest) as payload:
        store.remove(digest)
        assert payload.read() == b"going"
    with pytest.raises(NotFoundError):
        store.open(digest)


def test_what_is_not_there_is_not_found(store: BlobStore) -> None:
    for call in (store.open, store.stat, store.remove, store.path):
        with pytest.raises(NotFoundError, match=str(NOWHERE)):
            call(NOWHERE)


def test_a_path_is_the_file_or_unsupported(store: BlobStore) -> None:
    digest = _put(store, b"here")
    try:
        path = store.path(digest)
    except UnsupportedError:
        assert store.stat(digest).path is None
    else:
        assert path.read_bytes() == b"here"
        assert store.stat(digest).path == path


def test_a_payload_removed_can_be_stored_again(store: BlobStore) -> None:
    digest = _put(store, b"again")
    store.remove(digest)
    assert list(store.scan()) == []
    staged = _staged(store, b"again")
    assert store.publish(staged) is True
    assert _read(store, digest) == b"again"


def test_an_empty_payload_is_a_payload(store: BlobStore) -> None:
    with store.stage() as staging:
        staged = staging.finish()
    store.publish(staged)
    assert staged.head == b""
    assert _read(store, staged.digest) == b""


def test_a_living_process_loses_nothing_to_the_sweep(store: BlobStore) -> None:
    staging = store.stage()
    staging.write(b"alive")
    assert store.sweep_staging() == 0
    staged = staging.finish()
    assert store.sweep_staging() == 0
    store.publish(staged)
    assert _read(store, staged.digest) == b"alive"


def test_many_threads_stage_and_publish_at_once(store: BlobStore) -> None:
    lock = threading.Lock()
    fresh: list[bool] = []

    def upload(number: int) -> None:
        for index in range(20):
            staged = _staged(store, b"%d" % ((number + index) % 20))
            with lock:  # the shard's lock is the caller's
                fresh.append(store.publish(staged))

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fresh) == 160
    assert sum(fresh) == 20
    assert sorted(store.scan()) == sorted(digest_of(b"%d" % number) for number in range(20))


def test_what_is_set_aside_is_gone_and_can_be_stored_again(store: BlobStore) -> None:
    digest = _put(store, b"x")
    store.set_aside(digest)
    assert list(store.scan()) == []
    with pytest.raises(NotFoundError):
        store.set_aside(digest)
    assert store.publish(_staged(store, b"x")) is True


def test_a_sound_payload_is_kept_however_much_it_is_doubted(store: BlobStore) -> None:
    _put(store, b"x")
    assert store.publish(_staged(store, b"x"), doubted=True) is False


def test_what_is_being_staged_is_not_abandoned(store: BlobStore) -> None:
    with store.stage() as staging:
        staging.write(b"x")
        assert store.abandoned() == []

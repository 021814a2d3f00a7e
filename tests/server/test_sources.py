"""Where bytes come from: paths, bytes, open files."""

from __future__ import annotations

import gc
import hashlib
import io
import os
from pathlib import Path

import pytest

from metadata.errors import InvalidError, NotFoundError, UnreadableError
from server.sources import CHUNK_BYTES, Source, digest_of_file, opened

DATA = os.urandom(CHUNK_BYTES + 5)


def test_a_path_has_a_name_and_a_size(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(DATA)
    with opened(tmp_path / "f") as source:
        assert (source.name, source.size) == ("f", len(DATA))
        assert [len(chunk) for chunk in source.chunks()] == [CHUNK_BYTES, 5]
    assert source.file.closed


def test_bytes_and_files(tmp_path: Path) -> None:
    with opened(DATA) as source:
        assert (source.name, source.size, b"".join(source.chunks())) == (None, len(DATA), DATA)
    with io.BytesIO(DATA) as file:
        file.seek(5)
        with opened(file) as source:
            assert (source.name, source.size, b"".join(source.chunks())) == (None, None, DATA[5:])
        assert not file.closed
    assert tmp_path.is_dir()


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    os.mkfifo(tmp_path / "pipe")
    wrong = {"absent": NotFoundError, "f/f": NotFoundError, ".": InvalidError, "pipe": InvalidError}
    for name, kind in wrong.items():
        with pytest.raises(kind), opened(tmp_path / name):
            pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_is_closed_to_us(tmp_path: Path) -> None:
    (tmp_path / "f").touch(mode=0)
    with pytest.raises(UnreadableError), opened(tmp_path / "f"):
        pass


def test_a_disk_that_fails_is_our_error(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, f"Input/output error after {size}")

    with pytest.raises(UnreadableError, match="Input/output error"):
        list(Source(Failing(), path=tmp_path / "f").chunks())


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    gc.collect()  # what other tests left must not go just now
    before = descriptors()
    for name in ("absent", "."):
        with pytest.raises((NotFoundError, InvalidError)), opened(tmp_path / name):
            pass
    assert descriptors() == before


def test_a_digest_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(DATA)
    assert digest_of_file(tmp_path / "f") == (hashlib.sha256(DATA).hexdigest(), len(DATA))

"""What tells one state of a file from another."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from metadata.errors import UnreadableError
from metadata.files.filesystem import FileSystem
from metadata.files.identity import FileIdentity, identity_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FS = FileSystem()


def replaced(file: Path) -> None:
    """Put another file of the same bytes in its place."""
    other = file.with_name("other")
    other.write_bytes(file.read_bytes())
    os.utime(other, ns=(0, file.stat().st_mtime_ns))
    other.replace(file)


def same_size_and_time(file: Path) -> None:
    """Change the bytes, and set back what can be set back."""
    before = file.stat().st_mtime_ns
    file.write_bytes(b"xyz")
    os.utime(file, ns=(0, before))


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_bytes(b"abcd"),
        lambda file: os.utime(file, ns=(0, 5)),
        lambda file: file.chmod(0o600),
        replaced,
        same_size_and_time,
    ],
)
def test_every_change_shows(tmp_path: Path, change: Callable[[Path], object]) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    file.chmod(0o644)
    before = identity_of(FS, file)
    assert before == identity_of(FS, file)
    # The kernel's clock for ctime ticks coarsely: change until it has moved on.
    while file.stat().st_ctime_ns == (before and before.ctime_ns):
        change(file)
    assert identity_of(FS, file) != before


def test_reading_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    before = identity_of(FS, file)
    file.read_bytes()
    assert identity_of(FS, file) == before


def test_a_name_and_its_open_file_are_the_same_until_another_takes_the_name(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    descriptor = os.open(file, os.O_RDONLY)
    named, opened = identity_of(FS, file), identity_of(FS, descriptor)
    assert named is not None
    assert named == opened
    assert (named.size, named.file) == (3, (named.dev, named.ino))
    replaced(file)
    after, held = identity_of(FS, file), identity_of(FS, descriptor)
    assert after is not None
    assert held is not None
    assert held.file == named.file != after.file
    os.close(descriptor)


def test_absent_is_none_and_what_cannot_be_looked_at_is_an_error(tmp_path: Path) -> None:
    assert identity_of(FS, tmp_path / "absent") is None
    (tmp_path / "file").write_bytes(b"")
    assert identity_of(FS, tmp_path / "file" / "below") is None
    with pytest.raises(UnreadableError, match="too long"):
        identity_of(FS, tmp_path / ("x" * 300))


def test_a_link_has_an_identity_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("a")
    assert identity_of(FS, tmp_path / "link") != identity_of(FS, tmp_path / "a")


def test_two_seconds_are_racy() -> None:
    identity = FileIdentity(1, 1, 1, 10_000_000_000, 0)
    assert identity.racy(11_999_999_999)
    assert identity.racy(12_000_000_000)
    assert not identity.racy(12_000_000_001)
    assert identity.racy(9_000_000_000), "a file from the future may change without showing it"

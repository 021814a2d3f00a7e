"""One file into one sink, within its limit."""

from __future__ import annotations

import pytest

from assets.blobs.base import Staged, Staging
from assets.blobs.memory import MemoryBlobs
from assets.digest import digest_of
from metadata.errors import FullError, InvalidError, TooLargeError
from server.sinks import FileIntake


class Made:
    """Makes stagings of a memory store and counts them."""

    def __init__(self) -> None:
        self.store = MemoryBlobs()
        self.stagings: list[Staging] = []

    def __call__(self) -> Staging:
        """Make one."""
        self.stagings.append(self.store.stage())
        return self.stagings[-1]


def refused() -> Staging:
    raise FullError("No room.")


def test_a_file_up_to_the_limit_is_kept() -> None:
    intake = FileIntake(Made(), 5)
    intake.write(b"hel")
    intake.write(memoryview(b"lo"))
    kept = intake.finish()
    assert isinstance(kept, Staged)
    assert (kept.digest, kept.size, intake.size) == (digest_of(b"hello"), 5, 5)


def test_over_the_limit_the_rest_is_only_counted() -> None:
    made = Made()
    intake = FileIntake(made, 5)
    for _ in range(3):
        intake.write(b"hel")
    failure = intake.finish()
    assert isinstance(failure, TooLargeError)
    assert failure.details == {"limit": 5, "actual": 6, "setting": "CALOTYPE_MAX_UPLOAD_BYTES"}
    assert intake.size == 9
    assert made.stagings[0].size == 3


def test_nothing_is_staged_for_an_empty_file() -> None:
    made = Made()
    assert isinstance(FileIntake(made, 5).finish(), InvalidError)
    assert not made.stagings


def test_a_store_that_takes_nothing_is_the_files_failure() -> None:
    intake = FileIntake(refused, 5)
    intake.write(b"x")
    assert isinstance(intake.finish(), FullError)


def test_the_first_failure_stands() -> None:
    intake = FileIntake(Made(), 1)
    first = InvalidError("first")
    intake.fail(first)
    intake.write(b"xxx")
    assert intake.finish() is first


def test_other_errors_go_up() -> None:
    def broken() -> Staging:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        FileIntake(broken, 5).write(b"x")

"""What the system refuses, said as one of our errors."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

import pytest

from metadata.errors import CalotypeError, FullError, InvalidError, NotFoundError, UnreadableError, UnwrittenError
from metadata.files.trouble import as_ours, has_room, told

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("number", "kind", "says"),
    [
        (errno.ENOSPC, FullError, "Free some space"),
        (errno.EDQUOT, FullError, "Free some space"),
        (errno.ELOOP, InvalidError, "symbolic link"),
        (errno.EACCES, UnwrittenError, "chmod"),
        (errno.EPERM, UnwrittenError, "chmod"),
        (errno.EIO, UnwrittenError, "Input/output error"),
        (errno.ENOENT, UnwrittenError, "No such file"),
        (errno.EROFS, UnwrittenError, "Read-only"),
    ],
)
def test_each_refusal_has_its_kind_and_names_the_file(number: int, kind: type[CalotypeError], says: str) -> None:
    refused = OSError(number, os.strerror(number), "/somewhere/else")
    with pytest.raises(kind, match=says) as caught, told("chats/a.jsonl", "written"):
        raise refused
    error = caught.value
    assert type(error) is kind
    assert error.__cause__ is refused
    assert error.details["path"] == "chats/a.jsonl"
    assert error.message.startswith("chats/a.jsonl ")
    assert "somewhere" not in error.message


def test_an_error_without_a_number_keeps_its_words() -> None:
    error = as_ours(OSError("of its own making"), "a.json", "read")
    assert type(error) is UnreadableError
    assert error.message == "a.json could not be read: of its own making."


def test_everything_else_passes_as_it_is() -> None:
    with pytest.raises(NotFoundError), told("a", "read"):
        raise NotFoundError("not there")
    with pytest.raises(ZeroDivisionError), told("a", "read"):
        raise ZeroDivisionError
    with told("a", "read"):
        pass


def test_room_is_found_out_by_trying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_room(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert has_room(tmp_path / "absent"), "what cannot be tried is for others to tell"
    refused = OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    def quota(*_: object) -> None:
        raise refused

    monkeypatch.setattr(os, "posix_fallocate" if sys.platform == "linux" else "urandom", quota)
    assert not has_room(tmp_path)

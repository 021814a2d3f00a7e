"""What the system refuses, said as one of our errors."""

from __future__ import annotations

import errno
import os

import pytest

from metadata.errors import CalotypeError, FullError, InvalidError, NotFoundError, UnreadableError
from metadata.files.trouble import as_ours, told


@pytest.mark.parametrize(
    ("number", "kind", "says"),
    [
        (errno.ENOSPC, FullError, "Free some space"),
        (errno.EDQUOT, FullError, "Free some space"),
        (errno.ELOOP, InvalidError, "symbolic link"),
        (errno.EACCES, UnreadableError, "chmod"),
        (errno.EPERM, UnreadableError, "chmod"),
        (errno.EIO, UnreadableError, "Input/output error"),
        (errno.ENOENT, UnreadableError, "No such file"),
        (errno.EROFS, UnreadableError, "Read-only"),
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
    assert isinstance(error, UnreadableError)
    assert error.message == "a.json could not be read: of its own making."


def test_everything_else_passes_as_it_is() -> None:
    with pytest.raises(NotFoundError), told("a", "read"):
        raise NotFoundError("not there")
    with pytest.raises(ZeroDivisionError), told("a", "read"):
        raise ZeroDivisionError
    with told("a", "read"):
        pass

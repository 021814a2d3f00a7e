"""Every operation is in a group, which says what its operations are about."""

from __future__ import annotations

import pytest

from metadata.errors import InternalError
from server.groups import GROUPS, group_of


def test_every_word_is_in_one_group_which_says_what_it_is() -> None:
    words = [word for group in GROUPS for word in group.words]
    assert len(set(words)) == len(words)
    assert all(10 < len(group.meaning) < 80 for group in GROUPS)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "Pages"),
        ("/blobs/{name}/{variant}", "Bytes"),
        ("/api/chats/{id}/messages", "Chats"),
        ("/api/image-profiles/{id}/assets", "Image profiles"),
        ("/healthz", "Operation"),
    ],
)
def test_the_first_word_decides(path: str, name: str) -> None:
    assert group_of(path) == name


def test_what_has_no_group_is_told() -> None:
    with pytest.raises(InternalError, match="have no group"):
        group_of("/api/nonsense")

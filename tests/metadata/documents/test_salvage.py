"""What is left of a document that is no JSON any more: every record that stands between lines of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.documents.salvage import salvaged
from metadata.files.codec import decode_document, encode_document
from metadata.schemas.containers import empty_container

if TYPE_CHECKING:
    from types import ModuleType

T0 = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def tags(make: ModuleType) -> bytes:
    """A document of five tags."""
    document = {**empty_container("tags/tags.json", T0), "tags": [make.tag(f"tag {n}") for n in range(5)]}
    return encode_document(document, stamp=True)


def test_all_but_the_damaged_record_are_saved(tags: bytes) -> None:
    place = tags.index(b'"tag 2"')
    document, count = salvaged("tags/tags.json", tags[:place] + b"\xff" + tags[place + 1 :], T0)
    assert count == 4
    assert [tag["name"] for tag in document["tags"]] == ["tag 0", "tag 1", "tag 3", "tag 4"]


@pytest.mark.parametrize("part", [b'"version"', b'"tags": [', b'"_crc"'])
def test_damage_outside_of_the_records_costs_none(tags: bytes, part: bytes) -> None:
    place = tags.index(part)
    assert salvaged("tags/tags.json", tags[:place] + b"\xff" + tags[place + 1 :], T0)[1] == 5


def test_at_every_byte_at_most_two_records_are_lost(tags: bytes) -> None:
    whole = decode_document(tags)[0]["tags"]
    for place in range(len(tags)):
        saved = salvaged("tags/tags.json", tags[:place] + b"\x00" + tags[place + 1 :], T0)[0]["tags"]
        assert len(saved) >= 3
        assert all(tag in whole for tag in saved)


def test_a_user_and_the_settings_beside(make: ModuleType) -> None:
    path = "settings/general.json"
    document = {**empty_container(path, T0), "user": make.user("a@example.org")}
    data = encode_document(document, stamp=True)
    saved, count = salvaged(path, b"?" + data, T0)
    assert (count, saved["user"]) == (1, document["user"])

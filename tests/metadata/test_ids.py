"""Ids: UUID version 4 in the one form that files hold."""

from __future__ import annotations

import uuid

from metadata.ids import RandomIds


def test_ids_are_canonical_and_version_4() -> None:
    text = RandomIds().new()
    assert str(uuid.UUID(text)) == text
    assert uuid.UUID(text).version == 4


def test_no_id_comes_twice() -> None:
    ids = RandomIds()
    assert len({ids.new() for _ in range(10_000)}) == 10_000

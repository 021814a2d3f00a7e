"""The whole-file documents that hold records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.schemas.catalog import CATALOG
from metadata.schemas.containers import CONTAINERS, empty_container, order_of
from metadata.schemas.homes import InArray, InMember

if TYPE_CHECKING:
    from types import ModuleType


def test_every_home_in_a_document_has_its_member_there(original: ModuleType) -> None:
    for kind in CATALOG.values():
        if isinstance(kind.home, InArray):
            assert empty_container(kind.home.path, original.NOW)[kind.home.member] == []
        elif isinstance(kind.home, InMember):
            for path in (kind.home.path, kind.home.path_of(original.USER)):
                assert empty_container(path, original.NOW)[kind.home.member] is None


def test_the_order_is_the_original_s(original: ModuleType) -> None:
    documents = original.documents(bare_accounts=False)
    for path in CONTAINERS:
        assert order_of(path) == tuple(documents[path])


def test_every_document_is_a_new_one() -> None:
    tags = empty_container("tags/tags.json", "")["tags"]
    assert tags is not empty_container("tags/tags.json", "")["tags"]

"""What memory does in its own way; the contract is tested in tests/contracts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from metadata.documents.contract import put, remove
from metadata.documents.memory import MemoryDocuments
from metadata.errors import InvalidError
from metadata.index.query import Query

if TYPE_CHECKING:
    from types import ModuleType


def test_two_stores_share_nothing(memory: MemoryDocuments, make: ModuleType) -> None:
    other = MemoryDocuments()
    memory.apply([put("tag", make.tag("x"))])
    assert other.find("tag", Query()).total == 0
    other.close()


def test_there_is_nothing_to_compact_and_nothing_wrong(memory: MemoryDocuments) -> None:
    assert memory.compact() == 0
    assert (memory.health().findings, memory.health().unfinished) == ([], 0)


def test_only_an_asset_s_last_body_is_kept_as_over_files(memory: MemoryDocuments, make: ModuleType) -> None:
    label, record = make.tag("x"), make.asset(1)
    memory.apply([put("tag", label), put("asset", record)])
    memory.apply([remove("tag", label["id"]), remove("asset", record["id"])])
    assert memory.buried("tag", label["id"]) is None
    assert memory.buried("asset", record["id"]) == record


def test_a_guard_keeps_others_out_and_lets_its_holder_in(memory: MemoryDocuments, make: ModuleType) -> None:
    label = make.tag("x")
    other = threading.Thread(target=lambda: memory.apply([remove("tag", label["id"])]))
    with memory.guard(exclusive=True):
        with memory.guard():
            memory.apply([put("tag", label)])
        other.start()
        other.join(0.05)
        assert other.is_alive()
        assert memory.get("tag", label["id"]) is not None
    other.join()
    assert memory.get("tag", label["id"]) is None


def test_all_or_nothing_though_the_last_change_has_no_json(memory: MemoryDocuments, make: ModuleType) -> None:
    with pytest.raises(InvalidError):
        memory.apply([put("tag", make.tag("x")), put("asset", make.asset(1, _meta={"x": float("inf")}))])
    assert memory.find("tag", Query()).total == 0

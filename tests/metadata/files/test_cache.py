"""Parsed documents in memory: believed only while the file is the same, shared with nobody, and bounded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.files.cache import Document, DocumentCache, copied
from metadata.files.identity import FileIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def document(value: object = None, *, number: int = 1, size: int = 30, changed_ns: int = 0) -> Document:
    """Return a document that was read from a file that has lain there for long, unless told otherwise."""
    return Document(value, FileIdentity(1, number, size, changed_ns, 0), "sound")


def test_a_document_comes_back_only_for_the_file_it_was_read_from() -> None:
    cache = DocumentCache()
    kept = document({"n": [1]})
    cache.put("a", kept)
    assert cache.get("a", kept.identity) == kept
    assert cache.get("a", FileIdentity(1, 1, 31, 0, 0)) is None
    assert cache.get("a", FileIdentity(1, 1, 30, 0, 1)) is None, "the name or the permissions changed"
    assert cache.get("b", kept.identity) is None
    assert cache.stats() == {"size": 1, "enabled": True, "bytes": 30, "hits": 1, "misses": 3}


def test_nobody_can_change_what_others_get() -> None:
    cache = DocumentCache()
    given = document({"n": [{"m": 1}]})
    cache.put("a", given)
    given.value["n"][0]["m"] = 2
    first = cache.get("a", given.identity)
    assert first is not None
    first.value["n"].append(3)
    second = cache.get("a", given.identity)
    assert second is not None
    assert second.value == {"n": [{"m": 1}]}


def test_a_file_too_young_to_show_a_change_is_not_kept() -> None:
    cache = DocumentCache()
    young = document(changed_ns=10_000_000_000)
    cache.put("a", young, read_at_ns=12_000_000_000)
    assert cache.stats()["size"] == 0
    cache.put("a", young, read_at_ns=12_000_000_001)
    assert cache.stats()["size"] == 1


def test_the_least_recently_used_go_when_there_are_too_many_bytes() -> None:
    cache = DocumentCache(limit_bytes=100)
    documents = {name: document(name, number=number) for number, name in enumerate("abcd")}
    for name in "abc":
        cache.put(name, documents[name])
    assert cache.get("a", documents["a"].identity) is not None
    cache.put("d", documents["d"])
    assert [name for name, it in documents.items() if cache.get(name, it.identity)] == ["a", "c", "d"]
    assert cache.stats()["bytes"] == 90


def test_what_is_larger_than_the_whole_cache_is_not_kept_and_drives_nobody_out() -> None:
    cache = DocumentCache(limit_bytes=100)
    cache.put("a", document())
    cache.put("big", document(size=101))
    assert (cache.stats()["size"], cache.stats()["bytes"]) == (1, 30)
    cache.put("all", document(size=100))
    assert (cache.stats()["size"], cache.stats()["bytes"]) == (1, 100)


def test_a_newer_document_takes_the_place_of_the_older() -> None:
    cache = DocumentCache()
    cache.put("a", document(1, size=30))
    cache.put("a", document(2, size=50))
    assert (cache.stats()["size"], cache.stats()["bytes"]) == (1, 50)
    cache.forget("a")
    cache.forget("never there")
    assert (cache.stats()["size"], cache.stats()["bytes"]) == (0, 0)
    cache.put("a", document())
    cache.clear()
    assert (cache.stats()["size"], cache.stats()["bytes"]) == (0, 0)


def test_switched_off_it_keeps_and_counts_nothing() -> None:
    off = DocumentCache(enabled=False)
    off.put("a", document())
    assert off.get("a", document().identity) is None
    assert off.stats() == {"size": 0, "enabled": False, "bytes": 0, "hits": 0, "misses": 0}


def parts(value: Any) -> Iterator[int]:
    """Yield the identity of every list and object in a value."""
    if isinstance(value, list | dict):
        yield id(value)
        for member in value.values() if isinstance(value, dict) else value:
            yield from parts(member)


@given(JSON)
def test_a_copy_is_equal_and_shares_nothing_that_can_change(value: Any) -> None:
    copy = copied(value)
    assert copy == value
    assert list(map(type, [copy])) == list(map(type, [value]))
    assert not set(parts(copy)) & set(parts(value))


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"in": inner}])
def test_whatever_the_parser_can_nest_can_be_copied(wrap: Any) -> None:
    value: Any = 1
    for _ in range(sys.getrecursionlimit() * 2):
        value = wrap(value)
    depth, copy = 0, copied(value)
    while copy != 1:
        copy, depth = (copy[0] if isinstance(copy, list) else copy["in"]), depth + 1
    assert depth == sys.getrecursionlimit() * 2

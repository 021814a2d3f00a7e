"""Which file, which key, and how a document holds its records."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.documents.places import (
    checked_id,
    fixed_path,
    is_journal,
    kinds_in,
    line_key,
    place,
    record_key,
    records_in,
    revision,
    with_parent,
    without_bookkeeping,
)
from metadata.errors import NotFoundError, UnreadableError
from metadata.schemas.catalog import CATALOG
from metadata.schemas.containers import CONTAINERS, empty_container

if TYPE_CHECKING:
    from types import ModuleType

NOW = "2026-02-02T00:00:00.000Z"
ID = "0a1b2c3d-0000-4000-8000-00000000000f"


def test_paths_follow_from_kind_and_key() -> None:
    assert fixed_path(CATALOG["character"], ID) == f"characters/{ID}.json"
    assert fixed_path(CATALOG["message"], f"{ID}/x") == f"chats/{ID}.jsonl"
    assert fixed_path(CATALOG["asset"], "anything") == "binaries/index.jsonl"
    assert fixed_path(CATALOG["tag"], "../..") == "tags/tags.json"
    assert fixed_path(CATALOG["user"], ID) is None
    assert [is_journal(path) for path in ("a.jsonl", "a.json")] == [True, False]
    assert [kind.name for kind in kinds_in("settings/connection-profiles.json")] == ["apiKey", "connectionProfile"]
    assert kinds_in("settings/passwd") == []


@given(st.text(max_size=60) | st.sampled_from(["..", "../x", f"{ID}/..", f"{ID}\n", f"{ID}\0", "/etc/passwd", ""]))
def test_no_key_but_an_id_ever_becomes_a_file_name(key: str) -> None:
    with pytest.raises(NotFoundError):
        checked_id(CATALOG["character"], key)
    with pytest.raises(NotFoundError):
        fixed_path(CATALOG["character"], key)


@pytest.mark.parametrize(
    ("kind", "record", "key"),
    [
        ("tag", {"id": "a"}, "a"),
        ("tag", {}, None),
        ("tag", {"id": 5}, None),
        ("tag", {"id": ""}, None),
        ("tag", {"id": "\ud83d"}, None),
        ("verificationToken", {"identifier": "i", "token": "t"}, "i/t"),
        ("verificationToken", {"identifier": "i"}, None),
    ],
)
def test_a_record_s_own_members_make_its_key_or_none(kind: str, record: dict[str, Any], key: str | None) -> None:
    assert record_key(CATALOG[kind], record) == key


def test_an_event_without_an_id_is_named_by_its_place() -> None:
    path = f"chats/{ID}.jsonl"
    assert line_key(CATALOG["message"], path, {"id": "m"}, 7) == f"{ID}/m"
    assert line_key(CATALOG["message"], path, {"type": "odd"}, 7) == f"{ID}/@7"
    assert line_key(CATALOG["asset"], "binaries/index.jsonl", {"type": "odd"}, 7) is None


def test_a_line_gets_its_parent_from_the_name_of_its_file() -> None:
    path = f"chats/{ID}.jsonl"
    assert with_parent(CATALOG["message"], path, {"id": "m"}) == {"id": "m", "chatId": ID}
    assert with_parent(CATALOG["message"], path, {"chatId": "own"}) == {"chatId": "own"}
    assert with_parent(CATALOG["asset"], "binaries/index.jsonl", {"id": "a"}) == {"id": "a"}


def test_bookkeeping_goes_and_our_own_members_stay() -> None:
    record = {"id": 1, "_rev": 1, "_b": 2, "_crc": "x", "_deleted": "d", "_was": {}, "_meta": {"_rev": 5}}
    assert without_bookkeeping(record) == {"id": 1, "_meta": {"_rev": 5}}


@pytest.mark.parametrize(
    ("rev", "value"), [(3, 3), (0, 0), (None, 0), (True, 0), ("3", 0), (2.0, 0), (-1, 0), (10**30, 0), (2**63, 0)]
)
def test_a_revision_is_a_whole_number_that_can_be_counted_on(rev: object, value: int) -> None:
    assert revision({"_rev": rev}) == value


@pytest.mark.parametrize("path", CONTAINERS)
def test_what_is_put_into_a_document_is_in_it_and_what_is_taken_out_is_not(path: str) -> None:
    for kind in kinds_in(path):
        document = place(path, None, kind, "k", {"id": "k", "x": 1}, NOW)
        assert document is not None
        assert list(records_in(path, document)) == [(kind, {"id": "k", "x": 1})]
        assert list(document) == list(empty_container(path, NOW))
        document = place(path, document, kind, "k", {"id": "k", "x": 2}, NOW)
        assert document is not None
        assert list(records_in(path, document)) == [(kind, {"id": "k", "x": 2})]
        document = place(path, document, kind, "k", None, "later")
        assert document is not None
        assert list(records_in(path, document)) == []
        assert isinstance(document, dict)
        assert (document["createdAt"], document["updatedAt"]) == (NOW, "later")


def test_a_further_user_s_file_goes_with_the_last_record_in_it() -> None:
    path = f"settings/users/{ID}.json"
    document = place(path, None, CATALOG["user"], ID, {"id": ID}, NOW)
    document = place(path, document, CATALOG["chatSettings"], "s", {"id": "s"}, NOW)
    document = place(path, document, CATALOG["user"], ID, None, NOW)
    assert document is not None
    assert list(records_in(path, document)) == [(CATALOG["chatSettings"], {"id": "s"})]
    assert place(path, document, CATALOG["chatSettings"], "s", None, NOW) is None


def test_an_array_keeps_its_order_and_what_is_not_ours() -> None:
    path = "tags/tags.json"
    document = {"version": 1, "tags": [{"id": "a"}, {"odd": True}, {"id": "b"}], "future": [1]}
    before = copy.deepcopy(document)
    after = place(path, document, CATALOG["tag"], "b", {"id": "b", "n": 1}, NOW)
    after = place(path, after, CATALOG["tag"], "c", {"id": "c"}, NOW)
    after = place(path, after, CATALOG["tag"], "nobody", None, NOW)
    assert after == {**before, "tags": [{"id": "a"}, {"odd": True}, {"id": "b", "n": 1}, {"id": "c"}], "updatedAt": NOW}


def test_a_bare_array_stays_one_where_the_original_wrote_one() -> None:
    path = "auth/accounts.json"
    assert place(path, [{"id": "a"}], CATALOG["account"], "b", {"id": "b"}, NOW) == [{"id": "a"}, {"id": "b"}]
    assert list(records_in(path, [{"id": "a"}])) == [(CATALOG["account"], {"id": "a"})]


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("tags/tags.json", [{"id": "a"}]),
        ("tags/tags.json", {"tags": None}),
        ("tags/tags.json", {"tags": {"id": "a"}}),
        ("tags/tags.json", {"tags": [5]}),
        ("settings/general.json", []),
        ("settings/general.json", {"user": "me"}),
        (f"characters/{ID}.json", [1]),
    ],
)
def test_a_document_of_another_shape_is_unreadable_and_never_empty(path: str, document: Any) -> None:
    with pytest.raises(UnreadableError):
        list(records_in(path, document))


def test_a_character_s_file_is_the_character_and_goes_with_it(make: ModuleType) -> None:
    record = make.character()
    path = f"characters/{record['id']}.json"
    assert place(path, None, CATALOG["character"], record["id"], record, NOW) == record
    assert place(path, record, CATALOG["character"], record["id"], None, NOW) is None
    assert list(records_in(path, {**record, "_rev": 2})) == [(CATALOG["character"], record)]

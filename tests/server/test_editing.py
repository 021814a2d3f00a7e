"""Changing an asset by a JSON body."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import DeniedError, InvalidError
from metadata.schemas.assets import Asset
from server.editing import check_tags, merge_patch, on_wire, patched, replaced
from server.wire import asset_wire

ONE = "11111111-1111-4111-8111-111111111111"
TWO = "22222222-2222-4222-8222-222222222222"
RECORD: dict[str, Any] = {
    "id": ONE,
    "sha256": "ab" * 32,
    "type": "image",
    "userId": ONE,
    "filename": "a.png",
    "relativePath": f"binaries/{'ab' * 32}/raw",
    "mimeType": "image/png",
    "size": 7,
    "width": 3,
    "source": "upload",
    "generationPrompt": "a cat",
    "tags": [ONE, TWO],
    "createdAt": "2026-01-01T00:00:00.000Z",
    "updatedAt": "2026-01-01T00:00:00.000Z",
    "rating": 5,
    "_tagTypes": {TWO: "CHARACTER"},
    "_meta": {"a": {"b": 1}},
    "_theirs": "kept",
}
JSON = st.recursive(
    st.none() | st.integers(),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner) | st.lists(inner),
    max_leaves=8,
)


def asset(**more: object) -> Asset:
    return Asset.from_record({**RECORD, **more})


def patch(body: dict[str, Any], *, admin: bool = False) -> dict[str, Any]:
    return patched(asset(), body, admin=admin).to_record()


@pytest.mark.parametrize(
    ("target", "change", "result"),
    [  # RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_as_the_standard_has_it(target: object, change: object, result: object) -> None:
    assert merge_patch(target, change) == result


@given(JSON, JSON)
def test_the_same_patch_twice_changes_nothing_more(target: object, change: object) -> None:
    once = merge_patch(target, change)
    assert merge_patch(once, change) == once


def test_an_empty_patch_and_the_own_answer_change_nothing() -> None:
    assert patch({}) == RECORD
    assert patch(asset_wire(asset(), base="https://x.example", duplicate=True)) == RECORD
    assert replaced(asset(), asset_wire(asset()), admin=False).to_record() == RECORD


def test_members_change_where_they_are_on_disk() -> None:
    after = patch(
        {"filename": "../../b\u202e.png", "meta": {"a": {"b": None, "c": True}}, "imageProfileId": TWO, "rating": 6}
    )
    assert after == RECORD | {
        "filename": "b.png",
        "_meta": {"a": {"c": True}},
        "_imageProfileId": TWO,
        "rating": 6,
    }


def test_true_is_not_one() -> None:
    assert patch({"meta": {"a": {"b": True}}})["_meta"]["a"]["b"] is True


def test_null_removes_what_may_be_absent() -> None:
    after = patch({"generationPrompt": None, "meta": None, "rating": None, "tags": None})
    assert not {"generationPrompt", "_meta", "rating", "_tagTypes"} & after.keys()
    assert after["tags"] == []


@pytest.mark.parametrize("name", ["type", "filename", "source", "sha256", "size", "mimeType", "userId"])
def test_null_does_not_remove_what_has_to_be_there(name: str) -> None:
    with pytest.raises(InvalidError) as caught:
        patch({name: None})
    assert caught.value.details["field"] == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sha256", "cd" * 32),
        ("size", 8),
        ("mimeType", "image/gif"),
        ("width", 4),
        ("height", 4),
        ("declaredType", "image/gif"),
        ("nonsense", 1),
        ("_theirs", "changed"),
        ("_meta", {}),
        ("type", "banana"),
        ("type", 7),
        ("filename", ""),
        ("filename", 7),
        ("tags", "one"),
        ("tags", [1]),
        ("meta", []),
        ("meta", {"a": "x" * 70_000}),
        ("chatId", "not an id"),
        ("imageProfileId", "not an id"),
        ("tagTypes", {ONE: "BANANA"}),
    ],
)
def test_what_cannot_be_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidError) as caught:
        patch({name: value})
    assert str(caught.value.details["field"]).partition(".")[0] == name


@pytest.mark.parametrize("name", ["id", "createdAt", "updatedAt", "relativePath", "url", "thumbUrl", "duplicate"])
def test_what_the_store_sets_is_accepted_and_ignored(name: str) -> None:
    assert patch({name: "something else"}) == RECORD
    assert patch({name: None}) == RECORD


def test_only_an_admin_gives_a_record_away() -> None:
    with pytest.raises(DeniedError):
        patch({"userId": TWO})
    assert patch({"userId": ONE}) == RECORD
    assert patch({"userId": TWO}, admin=True)["userId"] == TWO


def test_the_type_of_a_tag_goes_with_the_tag() -> None:
    assert "_tagTypes" not in patch({"tags": [ONE]})
    assert patch({"tags": [TWO]})["_tagTypes"] == {TWO: "CHARACTER"}


def test_a_whole_form_drops_what_it_does_not_have_but_not_what_only_the_file_knows() -> None:
    after = replaced(asset(), {"type": "avatar", "filename": "c.png"}, admin=False).to_record()
    dropped = {"generationPrompt", "_meta", "_tagTypes"}
    kept = {name: value for name, value in RECORD.items() if name not in dropped}
    assert after == kept | {"type": "avatar", "filename": "c.png", "tags": []}


@pytest.mark.parametrize("missing", ["type", "filename"])
def test_a_whole_form_has_the_required_members(missing: str) -> None:
    body = {name: RECORD[name] for name in ("type", "filename") if name != missing}
    with pytest.raises(InvalidError) as caught:
        replaced(asset(), body, admin=True)
    assert caught.value.details["field"] == missing


def test_tags_are_texts_each_once() -> None:
    assert check_tags(["a", "b", "a"]) == ["a", "b"]
    with pytest.raises(InvalidError):
        check_tags([""])


def test_an_error_names_the_member_as_the_caller_knows_it() -> None:
    found = on_wire(InvalidError("_imageProfileId refers to nothing.", field="_imageProfileId"))
    assert (found.message, found.details) == ("imageProfileId refers to nothing.", {"field": "imageProfileId"})
    plain = InvalidError("x", field="tags")
    assert on_wire(plain) is plain

"""JSON bodies judged by the catalog."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import DeniedError, InvalidError
from metadata.schemas.characters import Character
from metadata.schemas.enums import Scope
from server.auth import Caller
from server.shapes import MEMBERS

ONE = "11111111-1111-4111-8111-111111111111"
TWO = "22222222-2222-4222-8222-222222222222"
USER, ADMIN = Caller(ONE, Scope.WRITE), Caller(TWO, Scope.ADMIN)
CHARACTER: dict[str, Any] = {
    **dict.fromkeys(("name", "description", "personality", "scenario", "firstMessage"), "x"),
    "id": ONE,
    "userId": ONE,
    "createdAt": "2026-01-01T00:00:00.000Z",
    "updatedAt": "2026-01-01T00:00:00.000Z",
}
KIND = MEMBERS["character"]


def character(**more: object) -> Character:
    return Character.from_record({**CHARACTER, **more}, version="v")


def test_a_new_record_is_its_makers_and_has_what_was_given() -> None:
    fields = KIND.new({"name": "n", "meta": {"a": 1}, "title": None, "id": TWO, "avatar": 5}, USER)
    assert fields == {"name": "n", "_meta": {"a": 1}, "userId": ONE}
    assert KIND.new({"userId": ONE}, ADMIN) == {"userId": ONE}


@pytest.mark.parametrize("name", ["nonsense", "_meta", "passwordHash", "_rev", ""])
def test_an_unknown_name_is_refused(name: str) -> None:
    for judge in (lambda: KIND.new({name: 1}, USER), lambda: KIND.patched({name: 1}, character(), USER)):
        with pytest.raises(InvalidError) as caught:
            judge()
        assert caught.value.details["field"] == name


def test_what_only_administrators_may_set() -> None:
    with pytest.raises(DeniedError):
        KIND.new({"userId": TWO}, USER)
    with pytest.raises(DeniedError):
        KIND.patched({"userId": TWO}, character(), USER)
    assert KIND.patched({"userId": ONE}, character(), USER).to_record()["userId"] == ONE
    assert KIND.patched({"userId": TWO}, character(), ADMIN).to_record()["userId"] == TWO


def test_a_patch_changes_what_it_names() -> None:
    before = character(sillyTavernData={"a": {"b": 1}}, title="t", colour={"r": 1, "g": 2})
    patch = {"sillyTavernData": {"a": {"c": 2}}, "title": None, "tags": None, "colour": {"r": None}}
    after = KIND.patched(patch, before, USER)
    record = after.to_record()
    assert record["sillyTavernData"] == {"a": {"b": 1, "c": 2}}
    assert (record.get("title"), record.get("tags", [])) == (None, [])
    assert (record["colour"], after.version) == ({"g": 2}, "v")
    with pytest.raises(InvalidError, match="name cannot be removed"):
        KIND.patched({"name": None}, before, USER)


def test_our_members_are_named_in_errors_as_the_caller_knows_them() -> None:
    with pytest.raises(InvalidError) as caught:
        KIND.patched({"meta": 5}, character(), USER)
    assert caught.value.details["field"] == "meta"


def test_objects_in_lists_are_judged_too() -> None:
    known = {"personaLinks": [{"personaId": ONE, "avatar": None, "odd": 1}]}
    with pytest.raises(InvalidError) as caught:
        KIND.new(known, USER)
    assert caught.value.details["field"] == "personaLinks.odd"
    before = character(personaLinks=[{"personaId": ONE, "odd": 1}])
    after = KIND.patched({"personaLinks": [{"personaId": TWO, "odd": 2}]}, before, USER)
    (link,) = after.to_record()["personaLinks"]
    assert (link["personaId"], link["odd"]) == (TWO, 2)


def test_a_whole_new_form_leaves_out_what_was_only_shown() -> None:
    before = character()
    fields = KIND.whole(KIND.shown(before), before, USER)
    assert fields.keys() <= CHARACTER.keys()
    guarded = MEMBERS["user"]
    assert set(guarded.guarded) == {"role", "emailVerified"}


@given(st.dictionaries(st.sampled_from(sorted(KIND.on_disk)), st.none() | st.integers() | st.text() | st.just([])))
def test_a_patch_is_taken_or_refused_and_nothing_else(patch: dict[str, Any]) -> None:
    try:
        after = KIND.patched(patch, character(), USER)
    except (InvalidError, DeniedError):
        return
    again = KIND.patched(patch, after, USER)
    assert again.to_record() == after.to_record()

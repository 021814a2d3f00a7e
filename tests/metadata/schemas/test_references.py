"""Reference fields: their values, their rules, and a record without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.schemas.catalog import CATALOG
from metadata.schemas.fields import OnDelete

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.schemas.references import RefField


def ref(kind: str, name: str) -> RefField:
    """Return a declared reference by its name."""
    return next(field for field in CATALOG[kind].refs if field.name == name)


def test_a_single_reference_is_dropped(original: ModuleType) -> None:
    field = ref("chat", "personaId")
    assert field.values(original.chat()) == [original.PERSONA]
    changed = field.without(original.chat(), original.PERSONA)
    assert changed == {name: value for name, value in original.chat().items() if name != "personaId"}


def test_a_list_loses_every_occurrence_and_keeps_its_order() -> None:
    assert ref("character", "tags.*").without({"tags": ["b", "a", "c", "a"]}, "a") == {"tags": ["b", "c"]}


def test_an_element_goes_with_the_reference_in_it(original: ModuleType) -> None:
    changed = ref("character", "avatarOverrides.*.chatId").without(original.character(), original.CHAT)
    assert changed is not None
    assert changed["avatarOverrides"] == []


def test_a_participant_goes_with_its_persona_and_keeps_its_place_without_an_image_profile(original: ModuleType) -> None:
    chat = original.group_chat()
    gone = ref("chat", "participants.*.personaId").without(chat, original.PERSONA)
    assert gone is not None
    assert [one["type"] for one in gone["participants"]] == ["CHARACTER"]
    cleared = ref("chat", "participants.*.imageProfileId").without(chat, original.IMAGE_PROFILE)
    assert cleared is not None
    assert [one.get("imageProfileId") for one in cleared["participants"]] == [None, None]
    assert chat == original.group_chat()


def test_a_forced_removal_takes_the_element_out() -> None:
    field = ref("imageProfile", "_imageIds.*")
    assert field.without({"_imageIds": ["a", "b"]}, "a") == {"_imageIds": ["b"]}
    assert ref("character", "defaultImageId").without({"defaultImageId": "a", "name": "x"}, "a") == {"name": "x"}


def test_nothing_to_do_is_none_and_the_record_is_never_changed_in_place(original: ModuleType) -> None:
    record = original.character()
    field = ref("character", "personaLinks.*.personaId")
    assert field.without(record, original.TAG) is None
    field.without(record, original.PERSONA)
    assert record == original.character()


def test_an_asset_s_tag_takes_its_type_with_it() -> None:
    record = {"tags": ["a", "b"], "_tagTypes": {"a": "CHARACTER", "b": "CHAT"}}
    field = ref("asset", "tags.*")
    assert field.without(record, "a") == {"tags": ["b"], "_tagTypes": {"b": "CHAT"}}
    assert field.targets == ("tag", "character", "persona", "chat")


@pytest.mark.parametrize(("held", "kind"), [("a", "character"), ("b", "tag"), ("c", None)])
def test_an_asset_s_tag_is_of_the_kind_the_record_says(held: str, kind: str | None) -> None:
    record = {"tags": ["a", "b", "c"], "_tagTypes": {"a": "CHARACTER", "c": "NOISE"}}
    assert ref("asset", "tags.*").target_kind(record, held) == kind


def test_without_types_the_kind_is_to_be_looked_up() -> None:
    assert ref("asset", "tags.*").target_kind({"tags": ["a"]}, "a") is None
    assert ref("chat", "personaId").target_kind({}, "a") == "persona"


def test_insisting_changes_the_rule_only_where_the_table_says_so() -> None:
    assert ref("chat", "characterId").rule({}) is OnDelete.REFUSE
    assert ref("chat", "characterId").rule({}, force=True) is OnDelete.CASCADE
    assert ref("chat", "connectionProfileId").rule({}, force=True) is OnDelete.REFUSE
    assert ref("chat", "personaId").rule({}, force=True) is OnDelete.CLEAR


def test_a_chat_s_files_go_with_it_and_other_assets_stay() -> None:
    assert ref("asset", "chatId").rule({"type": "chat_file"}) is OnDelete.CASCADE
    assert ref("asset", "chatId").rule({"type": "image"}) is OnDelete.CLEAR


JSON = st.recursive(
    st.none() | st.sampled_from("ab"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["participants", "personaId", "tags", "chatId"]), inner, max_size=3)
    ),
)
FIELDS = [field for kind in CATALOG.values() for field in kind.refs]


@given(field=st.sampled_from(FIELDS), record=st.dictionaries(st.sampled_from([f.path[0] for f in FIELDS]), JSON))
def test_what_was_taken_out_is_out_whatever_the_record_holds(field: RefField, record: dict[str, Any]) -> None:
    changed = field.without(record, "a")
    if changed is None:
        assert "a" not in field.values(record)
    else:
        assert "a" not in field.values(changed)
        assert [value for value in field.values(record) if value == "b"] >= [
            value for value in field.values(changed) if value == "b"
        ]

"""Records become objects and come back as they were."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.errors import InvalidError
from metadata.schemas.assets import Asset
from metadata.schemas.base import BOOKKEEPING, META_LIMIT_BYTES
from metadata.schemas.catalog import CATALOG
from metadata.schemas.characters import Character
from metadata.schemas.profiles import ConnectionProfile
from metadata.schemas.users import User

if TYPE_CHECKING:
    from types import ModuleType

KINDS = tuple(CATALOG)
TEXT = st.text(st.characters(), max_size=6)
NAMES = st.text(max_size=6)  # pydantic refuses lone surrogates in names: such a record is reported, not changed
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def as_text(record: dict[str, Any]) -> dict[str, str]:
    """Every member's value as JSON text: 1, 1.0 and true are three values, the order of inner members counts."""
    return {name: json.dumps(value) for name, value in record.items()}


@st.composite
def foreign(draw: st.DrawFn, kind: str, known: dict[str, Any]) -> dict[str, Any]:
    """Draw a record with unknown members at the top and inside, members missing that may be, in any order."""
    required = {
        field.alias
        for model in CATALOG[kind].model.variants()
        for field in model.model_fields.values()
        if field.is_required()
    }
    shape = {"characterId", "connectionProfileId", "participants", "type"} if kind in ("chat", "message") else set()
    kept = {name: value for name, value in known.items() if name in required | shape or draw(st.booleans())}
    inner = {
        name: {**value, **draw(unknown(kind))} if isinstance(value, dict) else value for name, value in kept.items()
    }
    return dict(draw(st.permutations(list((inner | draw(unknown(kind))).items()))))


def unknown(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Members that nobody declares; our attributes' names among them, they are not names on disk."""
    names = {attribute for model in CATALOG[kind].model.variants() for attribute, _ in model.members()} | {
        "copy",
        "version",
    }
    keys = NAMES | st.sampled_from(sorted(names | {"_ours", "model_config"}))
    taken = (
        set(CATALOG[kind].members)
        | BOOKKEEPING
        | {"ciphertext", "iv", "authTag", "_keyId", "enabled", "verifiedAt", "createdAt"}
    )
    return st.dictionaries(keys.filter(lambda name: name not in taken), JSON, max_size=4)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_reading_and_writing_loses_and_changes_nothing(kind: str, records: dict[str, Any], data: st.DataObject) -> None:
    record = data.draw(foreign(kind, data.draw(st.sampled_from(records[kind]))))
    written = CATALOG[kind].model.from_record(record).to_record()
    assert as_text(written) == as_text(record)
    if kind == "message" and record["type"] not in ("message", "context-summary"):
        assert list(written) == list(record)
        return
    declared = [name for name in written if name in CATALOG[kind].members]
    assert declared == [name for name in CATALOG[kind].members if name in written]
    assert list(written)[: len(declared)] == declared
    assert [name for name in written if name not in declared] == [name for name in record if name not in declared]


@pytest.mark.parametrize("kind", KINDS)
def test_the_original_s_own_order_is_kept(kind: str, records: dict[str, Any]) -> None:
    for record in records[kind]:
        known = {name: value for name, value in record.items() if name in CATALOG[kind].members}
        assert list(CATALOG[kind].model.from_record(known).to_record()) == list(known)


@settings(deadline=None)
@given(data=st.data(), name=TEXT)
def test_a_change_touches_one_member_only(original: ModuleType, data: st.DataObject, name: str) -> None:
    record = data.draw(foreign("character", original.character()))
    written = Character.from_record(record).replaced(name=name).to_record()
    assert as_text(written) == as_text(record | {"name": name})


def test_a_change_from_one_to_true_is_a_change(original: ModuleType) -> None:
    profile = ConnectionProfile.from_record(original.connection_profile() | {"parameters": {"stream": 1}})
    assert profile.replaced(parameters={"stream": True}).to_record()["parameters"]["stream"] is True


def test_a_member_set_to_nothing_is_written_as_null_only_if_it_was_there(original: ModuleType) -> None:
    character = Character.from_record(original.character())
    assert character.replaced(title=None).to_record()["title"] is None
    plain = Character.from_record(original.plain_character())
    assert "title" not in plain.replaced(title="x").replaced(title=None).to_record()


def test_a_moment_in_another_zone_is_normalised_to_read_and_kept_to_write(original: ModuleType) -> None:
    record = original.character() | {"createdAt": "2025-11-22T11:30:00+02:00"}
    character = Character.from_record(record)
    assert character.created_at == "2025-11-22T09:30:00.000Z"
    assert character.replaced(name="B").to_record()["createdAt"] == "2025-11-22T11:30:00+02:00"


def test_an_unknown_member_named_like_an_attribute_is_not_the_attribute(original: ModuleType) -> None:
    record = original.user() | {"meta": 3, "_meta": {"k": 1}, "user_id": [], "version": "v"}
    user = User.from_record(record, version="f" * 32)
    assert user.meta == {"k": 1}
    assert user.version == "f" * 32
    assert as_text(user.replaced(name="B").to_record()) == as_text(record | {"name": "B"})


def test_a_version_is_made_when_it_is_asked_for_and_once(original: ModuleType) -> None:
    asked: list[None] = []

    def version() -> str:
        asked.append(None)
        return "f" * 32

    user = User.from_record(original.user(), version=version)
    assert not asked
    assert user.version == user.version == user.replaced(name="other").version == "f" * 32
    assert len(asked) == 1


def test_bookkeeping_is_no_part_of_a_record(original: ModuleType) -> None:
    line = original.character() | {"_rev": 3, "_b": 0, "_crc": "00000000"}
    assert Character.from_record(line).to_record() == original.character()


def test_a_new_object_is_made_from_either_names(original: ModuleType) -> None:
    by_disk = Character.build(original.plain_character())
    attributes = {name: attribute for attribute, name in Character.members()}
    by_attribute = Character.build({attributes[n]: value for n, value in original.plain_character().items()})
    assert by_disk == by_attribute
    assert by_disk.to_record()["tags"] == []
    assert "title" not in by_disk.to_record()


@pytest.mark.parametrize("make", ["build", "replaced"])
def test_a_misspelt_name_is_refused(original: ModuleType, make: str) -> None:
    fields = original.character() | {"titel": "x"} if make == "build" else {"titel": "x"}
    call = (
        Character.build
        if make == "build"
        else lambda given: Character.from_record(original.character()).replaced(**given)
    )
    with pytest.raises(InvalidError, match="titel") as caught:
        call(fields)
    assert caught.value.details["field"] == "titel"


def test_an_error_names_the_place_and_never_the_value(original: ModuleType) -> None:
    record = original.user() | {"totp": {"ciphertext": ["s3cret"], "iv": "", "authTag": ""}}
    with pytest.raises(InvalidError) as caught:
        User.from_record(record)
    assert caught.value.details["field"] == "totp.ciphertext"
    assert "s3cret" not in f"{caught.value}{caught.value.details}{caught.value.__cause__}"


def test_a_missing_member_is_named(original: ModuleType) -> None:
    record = original.character()
    del record["firstMessage"]
    with pytest.raises(InvalidError) as caught:
        Character.from_record(record)
    assert caught.value.details["field"] == "firstMessage"


def test_hidden_and_unknown_members_are_not_shown(original: ModuleType) -> None:
    user = User.from_record(original.user() | {"later": "s3cret"})
    shown = f"{user!r} {user}"
    assert "ada@example.org" in shown
    for secret in ("$2b$10", original.SEALED["ciphertext"], "s3cret"):
        assert secret not in shown
    assert original.SEALED["ciphertext"] not in repr(user.totp)


def test_meta_is_limited_in_bytes(original: ModuleType) -> None:
    room = META_LIMIT_BYTES - len('{"k":""}')
    fits = original.character() | {"_meta": {"k": "é" * (room // 2)}}
    assert Character.from_record(fits).meta is not None
    with pytest.raises(InvalidError) as caught:
        Character.from_record(original.character() | {"_meta": {"k": "é" * (room // 2 + 1)}})
    assert caught.value.details["field"] == "_meta"


def test_equality_is_of_members_and_not_of_sources(original: ModuleType) -> None:
    record = original.assets()[0]
    assert Asset.from_record(record) == Asset.build(record)
    assert Asset.from_record(record) != Asset.from_record(record | {"later": 1})
    assert Asset.from_record(record) != record


def test_what_is_written_shares_nothing_with_what_was_read(original: ModuleType) -> None:
    record = original.character() | {"later": {"list": [1]}}
    character = Character.from_record(record)
    written = character.to_record()
    written["sillyTavernData"]["data"]["name"] = "x"
    written["later"]["list"].append(2)
    assert as_text(character.to_record()) == as_text(original.character() | {"later": {"list": [1]}})


def test_an_object_survives_pickling(original: ModuleType) -> None:
    character = Character.from_record(original.character() | {"later": 1}, version="a" * 32)
    copy = pickle.loads(pickle.dumps(character))  # noqa: S301 - our own bytes
    assert copy == character
    assert copy.version == character.version
    assert copy.to_record() == character.to_record()


def test_what_is_shown_is_what_would_be_written(original: ModuleType) -> None:
    record = original.character() | {"later": 1}
    character = Character.from_record(record)
    assert character.shown_record() == character.to_record() == record
    changed = character.replaced(name="Bob")
    assert changed.shown_record() == changed.to_record() == {**record, "name": "Bob"}
    built = Asset.build(original.assets()[0])
    assert built.shown_record() == built.to_record()

"""Settings as people have them, damaged ones too; and nothing that lets somebody in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.transfer.sillytavern.settings import Settings, settings_of, without_secrets

if TYPE_CHECKING:
    from pathlib import Path


def test_tags_personas_and_who_carries_what() -> None:
    read = settings_of(
        {
            "tags": [{"id": "1", "name": "Elf", "color": "red"}, {"id": "2", "name": " "}, "damaged"],
            "tag_map": {"Seraphina.PNG": ["1", "1"], "broken.png": "1"},
            "user_avatar": "me.png",
            "username": "Me",
            "power_user": {
                "personas": {"me.png": "Me", "other.png": "Other"},
                "persona_descriptions": {
                    "me.png": {
                        "description": "I.",
                        "connections": [{"type": "character", "id": "a.png"}, {"type": "group", "id": "7"}, None],
                    }
                },
                "default_persona": "me.png",
            },
        }
    )
    assert [(tag.id, tag.name, tag.members["color"]) for tag in read.tags] == [("1", "Elf", "red")]
    assert read.carried == {"seraphina.png": ["1", "1"]}
    assert [(one.avatar, one.name, one.is_default, one.connections) for one in read.personas] == [
        ("me.png", "Me", True, ["a.png"]),
        ("other.png", "Other", False, []),
    ]


def test_a_user_without_personas_is_one() -> None:
    (me,) = settings_of(
        {"user_avatar": "user-default.png", "username": "User", "power_user": {"persona_description": "Tall."}}
    ).personas
    assert (me.avatar, me.name, me.members) == ("user-default.png", "User", {"description": "Tall."})


@pytest.mark.parametrize("document", [None, [], "x", {"tags": {}, "power_user": [], "tag_map": 1, "user_avatar": 7}])
def test_damaged_settings_say_nothing(document: object) -> None:
    assert settings_of(document) == Settings([], [], {})


def test_the_settings_that_are_shipped(corpus: Path) -> None:
    document = json.loads((corpus / "tavern/settings.json").read_text())
    read = settings_of(document)
    assert [tag.name for tag in read.tags] == ["ST Default"]
    assert read.carried == {"default_seraphina.png": ["1345561466591"]}
    assert [one.name for one in read.personas] == ["User"]
    assert without_secrets(document) == (document, [])


@pytest.mark.parametrize(
    "name",
    [
        *("sd_auth", "include_headers", "api_key", "apiKey", "api_key_openai", "password", "proxy_password", "secret"),
        *("access_token", "auth", "Cookie"),
    ],
)
def test_what_lets_somebody_in_is_left_out(name: str) -> None:
    document: dict[str, Any] = {"a": [{name: "sk-123", "b": 1}], name: {"x": "y"}}
    assert without_secrets(document) == ({"a": [{"b": 1}]}, [f"a[0].{name}", name])


@pytest.mark.parametrize(
    "name", ["max_tokens", "tokenizer", "secret_id", "token_count", "author", "keys", "passthrough"]
)
def test_what_does_not_stays(name: str) -> None:
    assert without_secrets({name: "text"}) == ({name: "text"}, [])
    assert without_secrets({"api_key": "", "password": None, "secret": False}) == (
        {"api_key": "", "password": None, "secret": False},
        [],
    )


@pytest.mark.parametrize(
    "text",
    [
        *(
            "sk-or-v1-0123456789abcdef",
            "Authorization: Bearer abc",
            "AIza" + "x" * 35,
            "hf_" + "x" * 30,
            "ghp_" + "x" * 30,
        ),
        "https://me:sesame@example.org/v1",
    ],
)
def test_a_key_is_left_out_whatever_it_is_called(text: str) -> None:
    assert without_secrets({"note": text, "url": "http://127.0.0.1:5000/api"}) == (
        {"url": "http://127.0.0.1:5000/api"},
        ["note"],
    )
    assert without_secrets({"notes": ["plain", text, [text, 1]]}) == (
        {"notes": ["plain", [1]]},
        ["notes[1]", "notes[2][0]"],
    )


_NAMES = st.sampled_from(["password", "api_key", "name"])
_JSON = st.recursive(
    st.none() | st.just("text"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=5,
)


@given(_JSON)
def test_any_document_keeps_its_form_and_no_secret(document: object) -> None:
    clean, left = without_secrets(document)
    assert isinstance(clean, type(document))
    assert without_secrets(clean) == (clean, [])
    assert bool(left) is (clean != document)

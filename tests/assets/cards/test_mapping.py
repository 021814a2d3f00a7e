"""Between a card and a character."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from assets.cards.card import Card
from assets.cards.mapping import card_tags, character_fields, compose

if TYPE_CHECKING:
    from types import ModuleType

    from assets.cards.specs import Written


def test_the_fields_of_a_character(building: ModuleType) -> None:
    assert character_fields(Card(building.V2)) == {
        "name": "Aria",
        "description": "A *bard* of the old road.",
        "personality": "curious",
        "scenario": "An inn at night.",
        "firstMessage": "Well met, {{user}}!",
        "exampleDialogues": "<START>\n{{char}}: La la.",
        "systemPrompt": "You are a bard.",
        "sillyTavernData": building.V2,
    }


def test_a_card_with_holes() -> None:
    fields = character_fields(Card({"spec": "chara_card_v2", "data": {"description": 5, "mes_example": None}}))
    document = fields.pop("sillyTavernData")
    assert document["spec"] == "chara_card_v2"
    assert fields == {"name": "Unnamed", "description": "", "personality": "", "scenario": "", "firstMessage": ""}


def test_tags_are_named_once() -> None:
    assert card_tags(Card({"data": {"tags": ["A", " a", "", None, "b "]}})) == ("A", "b")
    assert card_tags(Card({"name": "A", "tags": "x, y,,X"})) == ("x", "y")
    assert card_tags(Card({"data": {"tags": 7}})) == ()


@pytest.mark.parametrize("spec", ["v2", "v3"])
def test_a_card_that_nobody_edited_comes_back(building: ModuleType, spec: Any) -> None:
    document = building.V2 if spec == "v2" else building.V3
    odd = copy.deepcopy({**document, "fav": True, "x": {"y": [1]}})
    odd["data"] |= {"unknown": None, "name": " Aria ", "personality": 7, "tags": ["A", "a"]}
    if spec == "v3":
        odd["data"]["character_book"]["entries"][0]["use_regex"] = True
    fields = character_fields(Card(odd))
    assert compose(fields, spec=spec, tags=["a"]).document == odd


def test_edits_show_and_nothing_else_changes(building: ModuleType) -> None:
    document = {**copy.deepcopy(building.V2), "name": "Aria", "first_mes": "Please update.", "unknown": 1}
    fields = character_fields(Card(document))
    fields |= {"name": "Ariadne", "firstMessage": "Hail!", "systemPrompt": "", "exampleDialogues": None}
    card = compose(fields, spec="v2", tags=["new", "bard"])
    changed = {"name": "Ariadne", "first_mes": "Hail!", "system_prompt": "", "mes_example": "", "tags": ["new", "bard"]}
    assert card.document == {
        **document,
        "name": "Ariadne",  # it was a copy, and follows
        "first_mes": "Please update.",  # a note to old programs, no copy
        "data": {**document["data"], **changed},
    }
    assert document["data"]["name"] == "Aria"


def test_a_title_is_kept_in_the_extensions(building: ModuleType) -> None:
    card = compose({**character_fields(Card(building.V2)), "title": "The bard"}, spec="v3")
    assert card.data["extensions"] == {**building.V2["data"]["extensions"], "calotype": {"title": "The bard"}}
    again = character_fields(card)
    assert again["title"] == "The bard"
    bare = compose({**again, "title": None}, spec="v3")
    assert bare.data["extensions"] == building.V2["data"]["extensions"]


@pytest.mark.parametrize("stored", [None, {}, "text"])
def test_a_character_without_a_card_gets_one(stored: object) -> None:
    fields = {"name": "New", "description": "d", "firstMessage": "Hi.", "sillyTavernData": stored}
    specs: list[Written] = ["v2", "v3"]
    for spec in specs:
        card = compose(fields, spec=spec, tags=["t"])
        assert card.spec == spec
        assert (card.data["name"], card.data["first_mes"], card.data["tags"]) == ("New", "Hi.", ["t"])
        assert card.data["alternate_greetings"] == []


def test_a_flat_card_is_edited_where_its_fields_went() -> None:
    fields = character_fields(Card({"char_name": "A", "char_persona": "p", "more": 1}))
    card = compose({**fields, "description": "new"}, spec="v2")
    assert (card.data["name"], card.data["description"], card.document["more"]) == ("A", "new", 1)
    assert "char_persona" not in card.document

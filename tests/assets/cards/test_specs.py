"""From one specification to another."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from assets.cards.card import Card
from assets.cards.specs import converted, text_of

if TYPE_CHECKING:
    from types import ModuleType

    from assets.cards.specs import Written


def test_v1_moves_into_data(building: ModuleType) -> None:
    card = Card({**building.V1, "create_date": "then", "tags": "a, b,", "creatorcomment": "note"})
    v2 = converted(card, "v2").document
    assert v2["spec"] == "chara_card_v2"
    assert v2["create_date"] == "then"
    assert {name: v2["data"][name] for name in building.V1} == building.V1
    assert v2["data"]["tags"] == ["a", "b"]
    assert v2["data"]["creator_notes"] == "note"
    assert "name" not in v2


def test_the_names_before_v1() -> None:
    card = Card({"char_name": "A", "char_persona": "p", "char_greeting": "g", "world_scenario": "w"})
    data = converted(card, "v3").data
    assert (data["name"], data["description"], data["first_mes"], data["scenario"]) == ("A", "p", "g", "w")
    assert text_of(card.data, "name") == "A"


def test_v3_asks_for_more(building: ModuleType) -> None:
    v3 = converted(Card(building.V2), "v3")
    assert (v3.spec, v3.document["spec_version"]) == ("v3", "3.0")
    assert v3.data["group_only_greetings"] == []
    assert v3.data["character_book"]["entries"][0]["use_regex"] is False
    assert "use_regex" not in building.V2["data"]["character_book"]["entries"][0]


def test_v2_keeps_what_v3_has(building: ModuleType) -> None:
    v2 = converted(Card(building.V3), "v2")
    assert v2.document == {**building.V3, "spec": "chara_card_v2", "spec_version": "2.0"}


def test_a_card_of_its_own_specification_is_left_alone(building: ModuleType) -> None:
    pairs: list[tuple[Any, Written]] = [(building.V2, "v2"), (building.V3, "v3")]
    for document, spec in pairs:
        odd = copy.deepcopy({"first": 1, **document, "spec_version": "3.7", "avatar": None})
        again = converted(Card(odd), spec).document
        assert {name: again[name] for name in odd if name != "data"} == {k: v for k, v in odd.items() if k != "data"}
        assert list(again) == list(odd)
        assert {**again["data"], **odd["data"]} == again["data"] or spec == "v3"


def test_what_is_missing_is_added() -> None:
    bare = converted(Card({"spec": "chara_card_v2", "spec_version": "2.0", "data": {"name": "A"}}), "v2")
    assert bare.data["alternate_greetings"] == []
    assert bare.data["extensions"] == {}
    other = converted(Card({"data": {"name": "B"}}), "v2")
    assert other.data["extensions"] is not bare.data["extensions"]
    assert other.document["spec"] == "chara_card_v2"


def test_ill_typed_members_stay() -> None:
    odd: dict[str, Any] = {"name": 5, "tags": "x", "extensions": [], "character_book": {"entries": [None, {}]}}
    card = converted(Card({"spec": "chara_card_v3", "spec_version": "3.0", "data": odd}), "v3")
    assert (card.data["name"], card.data["tags"], card.data["extensions"]) == (5, "x", [])
    assert card.data["character_book"]["entries"][0] is None


def test_a_null_is_no_value_of_a_member_that_is_asked_for() -> None:
    """Several programs write them, and strict readers then take the card for a V1."""
    nulls: dict[str, Any] = {"name": "A", "creator": None, "tags": None, "nickname": None, "unknown": None}
    for book in (None, {"entries": None}, {"entries": [{"keys": None}], "extensions": None}):
        document = {"spec": "chara_card_v2", "spec_version": "2.0", "data": {**nulls, "character_book": book}}
        data = converted(Card(document), "v2").data
        assert (data["creator"], data["tags"], data["unknown"]) == ("", [], None)
        assert "nickname" not in data
        assert ("character_book" in data) is (book is not None)
    assert data["character_book"]["extensions"] == {}
    assert data["character_book"]["entries"] == [
        {"keys": [], "content": "", "extensions": {}, "enabled": True, "insertion_order": 100}
    ]


def test_a_text_under_an_older_name_is_not_hidden_by_a_null_or_left_behind() -> None:
    flat = Card({"char_name": "A", "description": None, "char_persona": "p"})
    inside = Card({"spec": "chara_card_v2", "data": {"char_name": "A", "char_persona": "p", "first_mes": "g"}})
    specs: list[Written] = ["v2", "v3"]
    for spec in specs:
        for card in (flat, inside):
            out = converted(card, spec)
            assert (out.data["name"], out.data["description"]) == ("A", "p")
            assert "description" not in out.document

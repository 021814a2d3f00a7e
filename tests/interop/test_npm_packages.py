"""`character-card-utils` and `@risuai/ccardlib` from npm: they read what we write, and we read what they write.

Both know JSON alone, no pictures, and both drop members that they do not know. The first is strict: a V2 whose lorebook
lacks a member (as Seraphina's does, in SillyTavern's own picture) or has a null is taken for a V1, without a word.
"""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.cards.card import Card
from assets.cards.mapping import character_fields, compose
from assets.cards.reading import read_card
from assets.cards.writing import to_json, write_png

if TYPE_CHECKING:
    from pathlib import Path

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def exported(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two cards that an export carries."""
    character = character_fields(Card(document))
    return compose(character, spec="v2").document, compose(character, spec="v3").document


def picture_of(document: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    v2, v3 = exported(document)
    write_png(io.BytesIO(PICTURE), Card(v2), Card(v3), out)
    return out.getvalue()


def read_everywhere(document: dict[str, Any]) -> Card:
    """Read a card as a file of JSON and out of a picture; both give the same."""
    text = json.dumps(document).encode()
    card = read_card(io.BytesIO(text)).card
    out = io.BytesIO()
    write_png(io.BytesIO(PICTURE), card, card, out)
    assert read_card(out).card == card == Card(document)
    return card


def holds(known: Any, whole: Any) -> bool:
    """Whether all of one is in the other."""
    if isinstance(known, dict) and isinstance(whole, dict):
        return all(name in whole and holds(value, whole[name]) for name, value in known.items())
    if isinstance(known, list) and isinstance(whole, list):
        return len(known) == len(whole) and all(map(holds, known, whole))
    return bool(known == whole)


@given(data=st.data())
def test_they_find_our_cards_in_a_picture(data: st.DataObject, node: Any, v2_cards: Any, v3_cards: Any) -> None:
    document = data.draw(v2_cards | v3_cards)
    found = node.ask("texts", base64.b64encode(picture_of(document)).decode())
    v2, v3 = exported(document)
    assert found == {"chara": v2, "ccv3": v3}
    parsed = node.ask("parse", found["chara"])
    assert holds(parsed, v2)
    assert node.ask("check", found["ccv3"]) == "v3"
    assert holds(node.ask("convert", found["ccv3"], "v3", "v1"), v3["data"])


@given(data=st.data())
def test_they_read_what_we_write(data: st.DataObject, node: Any, v1_cards: Any, v2_cards: Any) -> None:
    for strategy in (v1_cards, v2_cards):
        document = data.draw(strategy)
        v2, v3 = exported(document)
        assert node.ask("parse", v2) == v2
        assert node.ask("check", v2) == "v2"
        assert node.ask("check", v3) == "v3"
        theirs = node.ask("convert", v3, "v3", "v2")
        assert theirs["data"] | {"character_book": None} == v2["data"] | {"character_book": None}
        assert json.loads(to_json(Card(v2))) == v2


@given(data=st.data())
def test_unknown_members_hinder_nobody(data: st.DataObject, node: Any, v2_cards: Any) -> None:
    document = data.draw(v2_cards)
    odd = {**document, "x": 1, "data": {**document["data"], "y": {"z": []}}}
    v2, v3 = exported(odd)
    assert node.ask("parse", v2) == document
    assert (node.ask("check", v2), node.ask("check", v3)) == ("v2", "v3")
    assert holds(node.ask("convert", v3, "v3", "v1"), document["data"])


@given(data=st.data())
def test_we_read_what_they_write(data: st.DataObject, node: Any, v1_cards: Any, v2_cards: Any, v3_cards: Any) -> None:
    v1, v2, v3 = data.draw(v1_cards), data.draw(v2_cards), data.draw(v3_cards)
    written = [
        (node.ask("parse", v1), v1, "v2"),
        (node.ask("backfill", v2), v2["data"], "v2"),
        (node.ask("convert", v1, "v1", "v2"), v1, "v2"),
        (node.ask("convert", v2, "v2", "v3"), v2["data"], "v3"),
        (node.ask("convert", v1, "v1", "v3"), v1, "v3"),
    ]
    for theirs, fields, spec in written:
        card = read_everywhere(theirs)
        assert card.spec == spec
        again = exported(card.document)[spec == "v3"]
        assert again == theirs  # nothing was lost, and there was nothing to add
        for name, value in fields.items():
            if name != "character_book":
                assert card.data[name] == value
    back = node.ask("convert", v3, "v3", "v2")
    assert all(read_everywhere(back).data[name] == v3["data"][name] for name in ("name", "first_mes", "tags"))


@settings(max_examples=10)
@given(data=st.data())
def test_a_notice_to_old_programs_is_no_copy_of_a_field(data: st.DataObject, node: Any, v2_cards: Any) -> None:
    document = node.ask("notice", data.draw(v2_cards))
    character = character_fields(read_everywhere(document)) | {"description": "new"}
    edited = compose(character, spec="v2").document
    assert edited == {**document, "data": {**document["data"], "description": "new"}}


def test_seraphina(node: Any, corpus: Path) -> None:
    with (corpus / "tavern/default_Seraphina.png").open("rb") as source:
        document = read_card(source).card.document
    assert "extensions" not in document["data"]["character_book"]
    assert not node.ask("parse", document)["data"]["creator_notes"]  # lost: it was taken for a V1
    v2, v3 = exported(document)
    parsed = node.ask("parse", v2)
    assert holds(parsed, v2)
    assert parsed["data"]["creator_notes"] == document["data"]["creator_notes"] != ""
    assert len(parsed["data"]["character_book"]["entries"]) == len(document["data"]["character_book"]["entries"])
    assert holds(document["data"], v2["data"])
    assert node.ask("check", v3) == "v3"
    assert node.ask("convert", v3, "v3", "v1")["first_mes"] == document["data"]["first_mes"]


@pytest.mark.parametrize("name", ["check", "parse"])
def test_the_process_answers(node: Any, name: str) -> None:
    assert node.ask(
        name, dict.fromkeys(["name", "description", "personality", "scenario", "first_mes", "mes_example"], "")
    )

"""`tavern-card` from PyPI reads the pictures that we write, and we read those that it writes.

It keeps the fields of V2 alone: of a V3 it drops `nickname`, `assets` and the like, and whatever it does not know. It
writes a second `chara` beside one that is there, so that the last of several is the newest.
"""

from __future__ import annotations

import io
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

tavern = pytest.importorskip("tavern_card", reason="tavern-card is not installed: pip install -e '.[dev]'")
BLANK: bytes = tavern.write_png_card({}, None)


def exported(document: dict[str, Any], picture: bytes) -> bytes:
    character = character_fields(Card(document))
    out = io.BytesIO()
    write_png(io.BytesIO(picture), compose(character, spec="v2"), compose(character, spec="v3"), out)
    return out.getvalue()


def known(document: dict[str, Any]) -> dict[str, Any]:
    """What the package makes of a card: V2's fields, every one of them."""
    result: dict[str, Any] = tavern.parse_card(document)["data"]
    return result


@given(data=st.data())
def test_it_reads_what_we_write(data: st.DataObject, v1_cards: Any, v2_cards: Any, v3_cards: Any) -> None:
    document = data.draw(v1_cards | v2_cards | v3_cards)
    read = tavern.parse_png_card(exported(document, BLANK))
    assert read["spec"] == "chara_card_v3"
    fields = document.get("data", document)
    for name, value in read["data"].items():
        if name == "character_book":
            for entry in (fields.get(name) or {}).get("entries", []):
                entry["use_regex"] = False
        assert value == (fields.get(name) or type(value)()), name
    plain = tavern.parse_card(to_json(compose(character_fields(Card(document)), spec="v2")))
    assert plain["data"] | {"character_book": None} == read["data"] | {"character_book": None}


@given(data=st.data())
def test_we_read_what_it_writes(data: st.DataObject, v1_cards: Any, v2_cards: Any, v3_cards: Any) -> None:
    document = data.draw(v1_cards | v2_cards | v3_cards)
    for written in (document, tavern.parse_card(document)):
        found = read_card(io.BytesIO(tavern.write_png_card(written)))
        assert found.card.document == written
        assert known(found.card.document) == known(document)
        again = compose(character_fields(found.card), spec="v2")
        assert known(again.document) == known(found.card.document) | {
            "character_version": again.data["character_version"]
        }


@settings(max_examples=10)
@given(data=st.data())
def test_it_writes_over_a_card_and_we_read_the_new_one(data: st.DataObject, corpus: Path, v2_cards: Any) -> None:
    document = data.draw(v2_cards)
    seraphina = (corpus / "tavern/default_Seraphina.png").read_bytes()
    twice = tavern.write_png_card(document, seraphina)
    assert (
        read_card(io.BytesIO(twice)).card.document
        == document
        == tavern.parse_png_card(twice) | {"data": document["data"]}
    )
    assert (
        read_card(io.BytesIO(exported(document, twice))).picture_identity
        == read_card(io.BytesIO(seraphina)).picture_identity
    )


def test_seraphina_goes_there_and_back(corpus: Path) -> None:
    picture = (corpus / "tavern/default_Seraphina.png").read_bytes()
    document = read_card(io.BytesIO(picture)).card.document
    theirs = tavern.parse_png_card(exported(document, picture))
    ours = read_card(io.BytesIO(tavern.write_png_card(theirs))).card
    for name in ("name", "description", "first_mes", "mes_example", "tags", "extensions", "creator"):
        assert ours.data[name] == document["data"][name]
    assert len(ours.data["character_book"]["entries"]) == len(document["data"]["character_book"]["entries"])

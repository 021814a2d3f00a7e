"""Which card an object is, by what it says and by what it looks like."""

from __future__ import annotations

from typing import Any

import pytest

from assets.cards.card import Card, is_card

FLAT = {"name": "A", "description": "d"}


@pytest.mark.parametrize(
    ("document", "spec"),
    [
        (FLAT, "v1"),
        ({"spec": "chara_card_v2", "spec_version": "2.0", "data": FLAT}, "v2"),
        ({"spec": "chara_card_v3", "spec_version": "3.0", "data": FLAT}, "v3"),
        ({"spec": " Chara_Card_V3", "spec_version": 3, "data": FLAT}, "v3"),
        ({"spec_version": "3.0", "data": FLAT}, "v3"),
        ({"spec_version": "v2", "data": FLAT}, "v2"),
        ({"spec": "chara_card_v2", "spec_version": "3.0", "data": FLAT}, "v2"),  # V3: only who says so is
        ({"spec": "chara_card_v1", "data": FLAT}, "v2"),
        ({"data": FLAT}, "v2"),
        ({"spec": "chara_card_v2", **FLAT}, "v1"),
        ({"spec": "chara_card_v2", "data": None, **FLAT}, "v1"),
        ({"spec": "chara_card_v9", "spec_version": "9.1", "data": FLAT}, "v3"),
        ({"spec_version": True, "data": FLAT}, "v2"),
    ],
)
def test_the_specification_of_a_card(document: dict[str, Any], spec: str) -> None:
    card = Card(document)
    assert card.spec == spec
    assert card.data["description"] == "d"


@pytest.mark.parametrize(("version", "newer"), [("3.0", False), ("3.1", True), (4, True), ("", False), (None, False)])
def test_a_version_after_ours_is_told(version: object, newer: bool) -> None:  # noqa: FBT001 - from parametrize
    assert Card({"spec": "chara_card_v3", "spec_version": version, "data": FLAT}).newer is newer


@pytest.mark.parametrize(
    "document",
    [
        {"name": "A book", "entries": {}},
        {"name": "A"},
        {"description": "d"},
        {"name": 5, "description": "d"},
        {"name": "A", "data": {"name": "A"}},
        {"spec": 2, "data": {}},
        [],
        "chara_card_v2",
        None,
    ],
)
def test_what_is_no_card(document: object) -> None:
    assert not is_card(document)


@pytest.mark.parametrize(
    "document",
    [
        FLAT,
        {"char_name": "A", "char_persona": "p"},
        {"name": "A", "context": "c", "greeting": "g"},
        {"spec": "chara_card_v2", "data": {}},
        {"data": FLAT},
    ],
)
def test_what_is_a_card(document: object) -> None:
    assert is_card(document)

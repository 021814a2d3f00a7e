"""From one specification of cards to another, adding what the other asks for and dropping nothing.

Sources: the specifications of V2 and V3 for the members that must be there; SillyTavern's importer for the names
that Pygmalion (`char_name`) and text-generation-webui (`context`, `greeting`) gave to V1's fields.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final, Literal

from .card import Card

if TYPE_CHECKING:
    from collections.abc import Mapping

Written = Literal["v2", "v3"]

V1_FIELDS: Final = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
"""The fields of V1, which V2 has too, under `data`."""

OTHER_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("char_name",),
    "description": ("char_persona", "context"),
    "scenario": ("world_scenario",),
    "first_mes": ("char_greeting", "greeting"),
    "mes_example": ("example_dialogue",),
    "creator_notes": ("creatorcomment",),
}
"""What programs before V2 called the same fields, in flat cards."""

_SPECS: Final = {"v2": ("chara_card_v2", "2.0"), "v3": ("chara_card_v3", "3.0")}
_V2_FIELDS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(V1_FIELDS, ""),
    **dict.fromkeys(("creator_notes", "system_prompt", "post_history_instructions"), ""),
    "alternate_greetings": [],
    "tags": [],
    "creator": "",
    "character_version": "",
    "extensions": {},
}
_V3_FIELDS: Final[Mapping[str, Any]] = {**_V2_FIELDS, "group_only_greetings": []}
_BOOK: Final[Mapping[str, Any]] = {"extensions": {}, "entries": []}
_V2_ENTRY: Final[Mapping[str, Any]] = {
    "keys": [],
    "content": "",
    "extensions": {},
    "enabled": True,
    "insertion_order": 100,  # SillyTavern's
}
_V3_ENTRY: Final[Mapping[str, Any]] = {**_V2_ENTRY, "use_regex": False}
_OPTIONAL: Final = (
    *("character_book", "assets", "nickname", "creator_notes_multilingual", "source"),
    *("creation_date", "modification_date"),
)


def converted(card: Card, spec: Written) -> Card:
    """Return a card as V2 or V3; one that follows it already keeps its members, their order and its `spec_version`.

    The fields of a flat card move into `data`, and what no specification knows stays where it was. Members that the
    specification asks for are added, in place of a null too, which no specification has: strict readers refuse a card
    without them. V3's own members stay in a V2, as in SillyTavern's.
    """
    document = copy.deepcopy(card.document)
    if card.spec == "v1":
        document = _nested(document)
    said, version = _SPECS[spec]
    if card.spec != spec or not isinstance(document.get("spec"), str):
        document = {"spec": said, "spec_version": version} | document | {"spec": said, "spec_version": version}
    data: dict[str, Any] = document["data"]
    for name in _OPTIONAL:
        if data.get(name, "") is None:
            del data[name]
    for name in OTHER_NAMES:
        if data.get(name) is None and (text := text_of(data, name)) is not None:
            data[name] = text
    _complete(data, _V3_FIELDS if spec == "v3" else _V2_FIELDS)
    book = data.get("character_book")
    if isinstance(book, dict):
        _complete(book, _BOOK)
        for entry in book["entries"] if isinstance(book["entries"], list) else ():
            if isinstance(entry, dict):
                _complete(entry, _V3_ENTRY if spec == "v3" else _V2_ENTRY)
    return Card(document)


def text_of(data: Mapping[str, Any], name: str) -> str | None:
    """Return a text field of a card, under whichever name it has; None where it is absent or no text."""
    for called in (name, *OTHER_NAMES.get(name, ())):
        value = data.get(called)
        if isinstance(value, str):
            return value
    return None


def _nested(document: dict[str, Any]) -> dict[str, Any]:
    """Move the fields of a flat card into `data`."""
    data: dict[str, Any] = {}
    for name in (*_V3_FIELDS, *_OPTIONAL):
        for called in (name, *OTHER_NAMES.get(name, ())):
            if called in document and data.get(name) is None:
                data[name] = document.pop(called)
    if isinstance(data.get("tags"), str):  # SillyTavern's V1 has them in one text
        data["tags"] = [tag.strip() for tag in data["tags"].split(",") if tag.strip()]
    return document | {"data": data}


def _complete(members: dict[str, Any], asked: Mapping[str, Any]) -> None:
    for name, value in asked.items():
        if members.get(name) is None:
            members[name] = copy.copy(value)

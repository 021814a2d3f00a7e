"""The many-to-many link of characters and personas: two views, changed together.

A character's `personaLinks` and a persona's `characterLinks` say the same. Whoever changes one list gets from here the
changes that make the other side say it too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..documents.contract import Change, Record

Dating = Callable[[object], str]
"""From the time of a record's last change to the time of the one that is being made."""


def linked_personas(character: Record | None) -> set[str]:
    """Return the personas that a character's record is linked with."""
    return {str(link["personaId"]) for link in _items(character, "personaLinks") if isinstance(link, dict)}


def linked_characters(persona: Record | None) -> set[str]:
    """Return the characters that a persona's record is linked with."""
    return {str(character) for character in _items(persona, "characterLinks")}


def on_personas(before: Record | None, after: Record, date: Dating) -> list[Change]:
    """Return the changes of personas that follow from a change of a character's links."""
    had, has, key = linked_personas(before), linked_personas(after), str(after["id"])
    return [
        *(Change("persona", other, partial(_with_character, key, date)) for other in sorted(has - had)),
        *(
            Change("persona", other, partial(_without_character, key, date), trusting=True)
            for other in sorted(had - has)
        ),
    ]


def on_characters(before: Record | None, after: Record, date: Dating) -> list[Change]:
    """Return the changes of characters that follow from a change of a persona's links."""
    had, has, key = linked_characters(before), linked_characters(after), str(after["id"])
    return [
        *(Change("character", other, partial(_with_persona, key, date)) for other in sorted(has - had)),
        *(
            Change("character", other, partial(_without_persona, key, date), trusting=True)
            for other in sorted(had - has)
        ),
    ]


def _with_character(character_id: str, date: Dating, persona: Record | None) -> Record | None:
    if persona is None or character_id in linked_characters(persona):
        return persona
    return _changed(persona, "characterLinks", [*_items(persona, "characterLinks"), character_id], date)


def _without_character(character_id: str, date: Dating, persona: Record | None) -> Record | None:
    if persona is None or character_id not in linked_characters(persona):
        return persona
    kept = [link for link in _items(persona, "characterLinks") if link != character_id]
    return _changed(persona, "characterLinks", kept, date)


def _with_persona(persona_id: str, date: Dating, character: Record | None) -> Record | None:
    if character is None or persona_id in linked_personas(character):
        return character
    link = {"personaId": persona_id, "isDefault": False}
    return _changed(character, "personaLinks", [*_items(character, "personaLinks"), link], date)


def _without_persona(persona_id: str, date: Dating, character: Record | None) -> Record | None:
    if character is None or persona_id not in linked_personas(character):
        return character
    links = _items(character, "personaLinks")
    kept = [link for link in links if not isinstance(link, dict) or link.get("personaId") != persona_id]
    return _changed(character, "personaLinks", kept, date)


def _changed(record: Record, member: str, items: list[object], date: Dating) -> Record:
    return {**record, member: items, "updatedAt": date(record.get("updatedAt"))}


def _items(record: Record | None, member: str) -> list[object]:
    items = (record or {}).get(member)
    return items if isinstance(items, list) else []

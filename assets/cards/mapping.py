"""Between a card and a character: which field is which, and how edits get into the card that was imported."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from .card import Card
from .specs import V1_FIELDS, converted, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .specs import Written

_FIELDS: Final = {
    "name": "name",
    "description": "description",
    "personality": "personality",
    "scenario": "scenario",
    "firstMessage": "first_mes",
    "exampleDialogues": "mes_example",
    "systemPrompt": "system_prompt",
}
_MAY_BE_ABSENT: Final = frozenset({"exampleDialogues", "systemPrompt"})
_NAMELESS: Final = "Unnamed"
_OURS: Final = "calotype"
_MIRRORED: Final = frozenset({*V1_FIELDS, "tags"})


def character_fields(card: Card) -> dict[str, Any]:
    """Return the fields of the character that a card describes, as they are written on disk.

    They are `name`, `description`, `personality`, `scenario`, `firstMessage`, where the card has them `title`,
    `exampleDialogues` and `systemPrompt`, and the whole card as `sillyTavernData`. A field that is absent or no text
    is empty; a card without a name, which its file's name may give, is `Unnamed`.
    """
    fields: dict[str, Any] = {}
    for field, name in _FIELDS.items():
        text = text_of(card.data, name)
        if text is not None or field not in _MAY_BE_ABSENT:
            fields[field] = text or ""
    fields["name"] = fields["name"].strip() or _NAMELESS
    title = _ours(card).get("title")
    if isinstance(title, str):
        fields["title"] = title
    return {**fields, "sillyTavernData": card.document}


def card_tags(card: Card) -> tuple[str, ...]:
    """Return the names of a card's tags, each once whatever its letter case; V1's are one text with commas."""
    found = card.data.get("tags")
    names = found.split(",") if isinstance(found, str) else found if isinstance(found, list) else []
    once: dict[str, str] = {}
    for name in names:
        if isinstance(name, str) and name.strip():
            once.setdefault(name.strip().casefold(), name.strip())
    return tuple(once.values())


def compose(character: Mapping[str, Any], *, spec: Written, tags: Sequence[str] | None = None) -> Card:
    """Return the card of a character: the one that was imported, with what has been edited since.

    Only what differs from what the imported card gave is written into it; all else stays as it was found, the unknown
    and the ill-typed too. Copies of a field beside `data`, as SillyTavern writes them, follow if they were copies.

    Args:
        character: the character's fields as they are on disk, `sillyTavernData` among them.
        spec: which specification the card shall follow.
        tags: the names of the character's tags; None leaves the card's own.
    """
    stored = character.get("sillyTavernData")
    found = Card(stored if isinstance(stored, dict) else {})
    before = character_fields(found)
    card = converted(found, spec)
    for field, name in _FIELDS.items():
        value = character.get(field) or ""
        if value != (before.get(field) or "") or not stored:
            _write(card, found, name, value)
    if tags is not None and _folded(tags) != _folded(card_tags(found)):
        _write(card, found, "tags", list(tags))
    if (character.get("title") or "") != (before.get("title") or ""):
        _write_ours(card, "title", character.get("title") or "")
    return card


def _write(card: Card, found: Card, name: str, value: str | list[str]) -> None:
    """Set a field in `data`, and in its copy beside that."""
    old = found.data.get(name)
    if name in _MIRRORED and name in card.document and card.document[name] == old:
        card.document[name] = copy.copy(value)
    card.document["data"][name] = value


def _write_ours(card: Card, name: str, value: str) -> None:
    """Keep what cards have no field for where the specification has room for it: in `extensions`, under our name."""
    data = card.document["data"]
    extensions = data["extensions"] if isinstance(data.get("extensions"), dict) else {}
    ours = {**_ours(card), name: value}
    if not value:
        del ours[name]
    others = {key: inner for key, inner in extensions.items() if key != _OURS}
    data["extensions"] = {**others, _OURS: ours} if ours else others


def _ours(card: Card) -> Mapping[str, Any]:
    extensions = card.data.get("extensions")
    ours = extensions.get(_OURS) if isinstance(extensions, dict) else None
    return ours if isinstance(ours, dict) else {}


def _folded(tags: Sequence[str]) -> set[str]:
    return {tag.strip().casefold() for tag in tags}

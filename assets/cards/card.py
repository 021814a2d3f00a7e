"""A character card: the whole JSON object as it was found, and what kind of card that is.

Sources: the character card specifications V1, V2 (malfoyslastname) and V3 (kwaroran), and what is found in the wild.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Spec = Literal["v1", "v2", "v3"]

_V3: Final = 3.0
_NAMES: Final = ("name", "char_name")
# What a flat card has beside its name: V1's fields, Pygmalion's (`char_…`), those of text-generation-webui.
_TEXTS: Final = (
    *("description", "personality", "scenario", "first_mes", "mes_example"),
    *("char_persona", "char_greeting", "world_scenario", "example_dialogue", "context", "greeting"),
)


@dataclass(frozen=True, slots=True)
class Card:
    """One card.

    Attributes:
        document: the whole JSON object, unknown members and all.
    """

    document: dict[str, Any]

    @property
    def spec(self) -> Spec:
        """Which specification it follows; a flat object is V1, whatever it says of itself."""
        if not isinstance(self.document.get("data"), dict):
            return "v1"
        said = self.document.get("spec")
        if isinstance(said, str) and said.strip().lower() in {"chara_card_v2", "chara_card_v3"}:
            return "v3" if said.strip().lower() == "chara_card_v3" else "v2"
        return "v3" if _number(self.document.get("spec_version")) >= _V3 else "v2"

    @property
    def data(self) -> Mapping[str, Any]:
        """The object with the fields: `data`, or the whole of a flat card."""
        data = self.document.get("data")
        return data if isinstance(data, dict) else self.document

    @property
    def newer(self) -> bool:
        """Whether it says it is of a version after 3.0, so that it may hold what is only kept here, not understood."""
        return _number(self.document.get("spec_version")) > _V3


def is_card(document: object) -> bool:
    """Say whether a JSON value is a character card.

    It says so (`spec`), or has a name and at least one text of a card: a lorebook has a name too.
    """
    if not isinstance(document, dict):
        return False
    data = document.get("data")
    if isinstance(data, dict):
        said = document.get("spec")
        return (isinstance(said, str) and said.lower().startswith("chara_card")) or _is_flat(data)
    return _is_flat(document)


def _is_flat(document: Mapping[str, Any]) -> bool:
    named = any(isinstance(document.get(name), str) for name in _NAMES)
    return named and any(isinstance(document.get(text), str) for text in _TEXTS)


def _number(version: object) -> float:
    """Read a version as a number, as V3 asks: `"3.0"`, `3`, `"v3.1"`; 0 where there is none."""
    if isinstance(version, str):
        try:
            return float(version.strip().lower().removeprefix("v"))
        except ValueError:
            return 0.0
    return float(version) if isinstance(version, int | float) and not isinstance(version, bool) else 0.0

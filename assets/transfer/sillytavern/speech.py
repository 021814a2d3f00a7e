"""The lines of a chat of SillyTavern: its header, and what was said with all its alternatives.

Of the header there are two shapes, `{user_name, character_name, create_date}` and the later one with `chat_metadata`;
chats of groups had none for long. A line after it is `{name, is_user, is_system, send_date, mes, extra}`, with
`swipes`, `swipe_id` and `swipe_info` where there are alternatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metadata.errors import InvalidError

from .moments import moment_of

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

Line = dict[str, Any]

_TOLD_ELSEWHERE = ("mes", "swipes", "swipe_id", "swipe_info")
"""Members of a line whose content is in an event's own members."""
_NOT_ABOUT_SWIPES = ("extra", "send_date", "gen_started", "gen_finished")
"""Members of a line that belong to the alternative that is shown."""


@dataclass(frozen=True, slots=True)
class Swipe:
    """One alternative of what was said; most things have one only.

    Attributes:
        text: the words.
        moment: when, None where nobody wrote it down.
        extra: what SillyTavern keeps beside it.
        rest: further members of the line that belong to it.
    """

    text: str
    moment: str | None
    extra: Mapping[str, Any]
    rest: Mapping[str, Any]

    @property
    def tokens(self) -> int | None:
        """How many tokens it has, None where nobody counted."""
        count = self.extra.get("token_count")
        return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


@dataclass(frozen=True, slots=True)
class Said:
    """A line of a chat.

    Attributes:
        name: who said it.
        role: USER, ASSISTANT or SYSTEM.
        key: what tells it from the other lines of its chat as long as it lives, nearly always.
        swipes: its alternatives, at least one.
        shown: which of them is shown.
        has_swipes: whether it can have further alternatives.
    """

    name: str
    role: str
    key: tuple[str, str, str]
    swipes: Sequence[Swipe]
    shown: int
    has_swipes: bool


def is_header(line: Line) -> bool:
    """Tell whether the first line of a chat is its header."""
    return "mes" not in line and any(name in line for name in ("chat_metadata", "user_name", "character_name"))


def said(line: Line, characters: Container[str]) -> Said:
    """Return what a line says.

    Args:
        line: it.
        characters: the names of the characters of the chat; what others than these and the user say is the system's.

    Raises:
        InvalidError: it says nothing.
    """
    texts, shown = _texts(line)
    infos = line.get("swipe_info")
    infos = infos if isinstance(infos, list) else []
    swipes = [_swipe(line, text, _dict(infos[n]) if n < len(infos) else {}, n == shown) for n, text in enumerate(texts)]
    name = line.get("name")
    name = name if isinstance(name, str) else ""
    first = _dict(infos[0]).get("send_date") if infos else None
    key = (str(first or line.get("send_date") or ""), str(bool(line.get("is_user"))), name)
    return Said(name, _role(line, name, characters), key, swipes, shown, bool(line.get("swipes")))


def text_of(value: object) -> str | None:
    """Return the words of a message or of an alternative, None when it is none; another program wraps them."""
    if isinstance(value, dict):
        value = value.get("message")
    return value if isinstance(value, str) else None


def _texts(line: Line) -> tuple[list[str], int]:
    """Return the words of all alternatives, and which is shown; the line's own words count where they differ."""
    text, swipes = text_of(line.get("mes")), line.get("swipes")
    texts = [text_of(one) or "" for one in swipes] if isinstance(swipes, list) else []
    if text is None and not texts:
        raise InvalidError("It is no message: it has no text in `mes`.")
    chosen = line.get("swipe_id")
    inside = isinstance(chosen, int) and not isinstance(chosen, bool) and 0 <= chosen < len(texts)
    if text is None:
        return texts, int(chosen) if inside and chosen is not None else len(texts) - 1
    if inside and chosen is not None:
        texts[chosen] = text
        return texts, chosen
    if text in texts:
        return texts, texts.index(text)
    return [*texts, text], len(texts)


def _swipe(line: Line, text: str, info: Line, shown: bool) -> Swipe:  # noqa: FBT001 - one of the alternatives is
    if not shown and info:
        own = {**info, **{name: line[name] for name in line if name not in (*_TOLD_ELSEWHERE, *_NOT_ABOUT_SWIPES)}}
    else:
        own = {name: value for name, value in line.items() if name not in _TOLD_ELSEWHERE}
    if not shown and not info:
        own = {name: value for name, value in own.items() if name not in _NOT_ABOUT_SWIPES}
    moment = moment_of(own.get("send_date")) or moment_of(line.get("send_date"))
    extra = _dict(own.pop("extra", None))
    return Swipe(text, moment, extra, own)


def _role(line: Line, name: str, characters: Container[str]) -> str:
    if line.get("is_user"):
        return "USER"
    kind = _dict(line.get("extra")).get("type")
    told = isinstance(kind, str) and kind in ("narrator", "comment", "help", "welcome", "empty", "generic", "group")
    hidden = line.get("is_system") and name not in characters  # a character's own is only kept from the model
    return "SYSTEM" if told or hidden else "ASSISTANT"


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

"""What is read of SillyTavern's `settings.json`: personas, tags and who carries them; and what must not leave it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .layout import folded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SECRET = re.compile(
    r"api[_-]?key|pass(word|wd|phrase)|secret(?!s?[_-]?id)|bearer|credential|(access|auth|refresh|bot|session|hf)[_-]?token"
    r"|^token$|(^|[_-])auth$|authorization|cookie|private[_-]?key|headers?$",
    re.IGNORECASE,
)
"""Names of members whose text lets somebody in somewhere."""
_KEY = re.compile(
    r"\bsk-[\w-]{16,}|\bBearer\s+\S|\bAIza[\w-]{30,}|\bhf_\w{20,}|\bgh[pousr]_\w{20,}|://[^/\s:@]+:[^/\s@]+@"
)
"""Texts that do so whatever they are called: keys of well-known services, and addresses with a password."""
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag: its id there, its name, and all its members."""

    id: str
    name: str
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Persona:
    """A persona.

    Attributes:
        avatar: the name of its picture in `User Avatars`, by which SillyTavern knows it.
        name: its name.
        members: what is described of it.
        is_default: new chats begin with it.
    """

    avatar: str
    name: str
    members: Mapping[str, Any]
    is_default: bool

    @property
    def connections(self) -> list[str]:
        """The file names of the characters' cards that it goes with."""
        found = self.members.get("connections")
        links = found if isinstance(found, list) else []
        return [str(one.get("id")) for one in links if isinstance(one, dict) and one.get("type") == "character"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the settings say.

    Attributes:
        tags: all tags.
        personas: all personas.
        carried: by the folded name of a card's file, or a group's id, the ids there of the tags that it carries.
    """

    tags: Sequence[Tag] = ()
    personas: Sequence[Persona] = ()
    carried: Mapping[str, Sequence[str]] = field(default_factory=dict)


def settings_of(document: object) -> Settings:
    """Read the settings; what has another form than it should is as if it were not there."""
    top = _dict(document)
    tags = top.get("tags")
    found = [_tag(one) for one in (tags if isinstance(tags, list) else []) if isinstance(one, dict)]
    carriers = _dict(top.get("tag_map")).items()
    carried = {folded(key): [str(one) for one in ids] for key, ids in carriers if isinstance(ids, list)}
    return Settings([one for one in found if one.name.strip()], _personas(top), carried)


def without_secrets(value: Any, path: str = "", depth: int = 0) -> tuple[Any, list[str]]:  # noqa: ANN401 - JSON
    """Return a copy without the members that may let somebody in, and where they were."""
    if depth > _DEEPEST:
        return None, [path]
    if isinstance(value, list):
        told = [(f"{path}[{n}]", item) for n, item in enumerate(value)]
        keys = [place for place, item in told if _is_key(item)]
        read = [without_secrets(item, place, depth + 1) for place, item in told if not _is_key(item)]
        return [item for item, _ in read], [*keys, *(place for _, places in read for place in places)]
    if not isinstance(value, dict):
        return value, []
    kept: dict[str, Any] = {}
    left: list[str] = []
    for name, item in value.items():
        place = f"{path}.{name}" if path else name
        if (_SECRET.search(name) and _says_something(item)) or _is_key(item):
            left.append(place)
            continue
        kept[name], inner = without_secrets(item, place, depth + 1)
        left += inner
    return kept, left


def _is_key(value: object) -> bool:
    return isinstance(value, str) and _KEY.search(value) is not None


def _says_something(value: object) -> bool:
    return bool(value) and not isinstance(value, bool | int | float)


def _tag(members: dict[str, Any]) -> Tag:
    name = members.get("name")
    return Tag(str(members.get("id")), name if isinstance(name, str) else "", members)


def _personas(top: Mapping[str, Any]) -> list[Persona]:
    user = _dict(top.get("power_user"))
    names, described = _dict(user.get("personas")), _dict(user.get("persona_descriptions"))
    default = user.get("default_persona")
    found = [
        Persona(avatar, str(name or avatar), _dict(described.get(avatar)), avatar == default)
        for avatar, name in names.items()
    ]
    current, name = top.get("user_avatar"), top.get("username")
    if isinstance(current, str) and current and isinstance(name, str) and name and current not in names:
        # Who never made a persona is one all the same: a name, a picture and perhaps a description.
        description = user.get("persona_description")
        members = {"description": description} if isinstance(description, str) and description else {}
        found.append(Persona(current, name, members, is_default=False))
    return found


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

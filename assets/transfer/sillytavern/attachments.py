"""Pictures and files that a message of SillyTavern carries in its `extra`, in the form of every version.

`image` (with `image_swipes`) and `video` until 1.13, `media` since; `file` first and `files` later. Each names an
address below the user's folder, such as `/user/images/Seraphina/1.png`, an address elsewhere, or is the bytes
themselves as a `data:` address.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

from metadata.errors import InvalidError

from .layout import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PICTURES = ("image", "inline_image", "video", "audio")
_SWIPED = "image_swipes"
_FILES = ("file", "files", "media")
_DATA = re.compile(r"data:(?P<type>[^,;]*)(?P<parameters>(?:;[^,;]*)*),", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_EXTENSION = re.compile(r"[a-z]+/(?:x-)?([a-z0-9]{1,8})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attached:
    """Something that a message carries.

    Attributes:
        url: where it is.
        name: what it is called, empty where nobody said.
    """

    url: str
    name: str = ""

    @property
    def is_data(self) -> bool:
        """Whether the address is the bytes themselves."""
        return self.url[:5].lower() == "data:"

    @property
    def is_elsewhere(self) -> bool:
        """Whether the address is on another server, which nobody asks."""
        return not self.is_data and _SCHEME.match(self.url) is not None

    def paths(self) -> list[str]:
        """Return the paths below the user's folder that the address may mean, the likeliest first."""
        bare = self.url.replace("\\", "/").lstrip("/")
        plain = re.split(r"[?#]", bare, maxsplit=1)[0]
        candidates = dict.fromkeys([unquote(plain), plain, bare])
        return [path for path in candidates if (parts := path.split("/"))[0].casefold() in OPEN and ".." not in parts]

    def filename(self) -> str:
        """Return a name for the file."""
        if self.name:
            return self.name
        if not self.is_data:
            return PurePosixPath(self.paths()[0]).name if self.paths() else "file"
        head = _DATA.match(self.url)
        extension = None if head is None else _EXTENSION.fullmatch(head["type"])
        return "file" if extension is None else f"file.{extension[1].lower()}"

    def bytes(self) -> bytes:
        """Return the bytes that the address is.

        Raises:
            InvalidError: it is damaged.
        """
        head = _DATA.match(self.url)
        if head is None:
            raise InvalidError("A data: address in it is damaged.")
        body = unquote_to_bytes(self.url[head.end() :])
        if not head["parameters"].lower().endswith(";base64"):
            return body
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise InvalidError("The base64 of a data: address in it is damaged.") from error


def attached(extra: Mapping[str, Any]) -> list[Attached]:
    """Return what a message carries, each once, in order."""
    found = dict.fromkeys(_all(extra))
    named = {one.url for one in found if one.name}
    return [one for one in found if one.name or one.url not in named]


def with_addresses(extra: Mapping[str, Any], addresses: Mapping[str, str]) -> dict[str, Any]:
    """Return an `extra` in which addresses are replaced, so that bytes are not stored twice."""
    if not addresses:
        return dict(extra)
    members = {*_PICTURES, _SWIPED, *_FILES}
    return {name: _replaced(value, addresses) if name in members else value for name, value in extra.items()}


def _all(extra: Mapping[str, Any]) -> Iterator[Attached]:
    for member in _FILES:
        value = extra.get(member)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and isinstance(one.get("url"), str) and one["url"]:
                name = one.get("name")
                yield Attached(one["url"], name if isinstance(name, str) else "")
    for member in _PICTURES:
        if isinstance(url := extra.get(member), str) and url:
            yield Attached(url)
    swiped = extra.get(_SWIPED)
    for url in swiped if isinstance(swiped, list) else []:
        if isinstance(url, str) and url:
            yield Attached(url)


def _replaced(value: Any, addresses: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return addresses.get(value, value)
    if isinstance(value, list):
        return [_replaced(item, addresses) for item in value]
    if isinstance(value, dict):
        return {name: _replaced(item, addresses) for name, item in value.items()}
    return value

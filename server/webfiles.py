"""Files of our own pages, each with its type, an ETag and the page's Content-Security-Policy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING

from starlette.responses import Response

from metadata.errors import NotFoundError

from .conditional import EntityTag, not_modified
from .responses import unchanged

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
    }
)


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    media_type: str
    tag: EntityTag


class WebFiles:
    """The files of one page, each read when it is first asked for.

    Args:
        policy: the Content-Security-Policy of each answer.
        folders: the files there are, by name, with their folder under `web/`.
    """

    def __init__(self, policy: str, folders: Mapping[str, str]) -> None:
        self._policy = policy
        self._folders = folders
        self._read: dict[str, _File] = {}

    def answer(self, name: str, if_none_match: str | None) -> Response:
        """Answer with a file, or with a 304 where the caller has it.

        Args:
            name: of the file.
            if_none_match: what the caller says it has.

        Raises:
            NotFoundError: the page has no such file.
        """
        if name not in self._folders:
            raise NotFoundError(f"The page has no file {name[:80]!r}.", object=name[:80])
        found = self._read.get(name) or self._read.setdefault(name, self._load(name))
        if not_modified(if_none_match, found.tag):
            return unchanged(found.tag)
        fields = {
            "Content-Security-Policy": self._policy,
            "Cache-Control": "no-cache",
            "Cross-Origin-Resource-Policy": "same-origin",
            "ETag": str(found.tag),
        }
        return Response(found.content, headers=fields, media_type=found.media_type)

    def _load(self, name: str) -> _File:
        content = files("server").joinpath("web", self._folders[name], name).read_bytes()
        return _File(content, _TYPES[PurePath(name).suffix], EntityTag(hashlib.sha256(content).hexdigest()[:32]))

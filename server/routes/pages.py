"""The pages for people: `/` shows the pictures; what is common to it and `/docs`."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from metadata.errors import NotFoundError

from ..calls import Access, Operation, Strictness
from ..webfiles import WebFiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from ..calls import Call

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""Placeholders are `data:`, and pictures that need a token become `blob:`; no text ever becomes markup or a script."""

_INDEX = "index.html"
_FOLDERS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys([_INDEX, "page.css", "page.js", "api.js", "grid.js", "picture.js"], "page")
)


def operations() -> list[Operation]:
    """Return the operations of the page at `/`."""
    return Page("/", "/page", "A page to drop, see, search and copy pictures.", POLICY, _FOLDERS).operations()


class Page:
    """One page and its files.

    Args:
        path: where the page is.
        folder: the path under which its files are, without a slash at the end.
        summary: what the page is for.
        policy: its Content-Security-Policy.
        folders: its files, `index.html` among them, with their folder under `web/`.
    """

    def __init__(self, path: str, folder: str, summary: str, policy: str, folders: Mapping[str, str]) -> None:
        self._path = path
        self._folder = folder
        self._summary = summary
        self._files = WebFiles(policy, folders)

    def operations(self) -> list[Operation]:
        """Return the operations."""
        return [
            Operation(
                method="GET",
                path=self._path,
                summary=self._summary,
                access=Access.OPEN,
                handle=self.page,
                unknown=Strictness.IGNORE,
                answers=((200, "A page."), (304, "The caller's copy is current.")),
            ),
            Operation(
                method="GET",
                path=f"{self._folder}/{{name}}",
                summary="A file of that page.",
                access=Access.OPEN,
                handle=self.file,
                unknown=Strictness.IGNORE,
                answers=((200, "The file."), (304, "The caller's copy is current.")),
            ),
        ]

    def page(self, call: Call) -> Response:
        """Answer with the page."""
        return self._files.answer(_INDEX, call.joined("if-none-match"))

    def file(self, call: Call) -> Response:
        """Answer with a file of the page.

        Raises:
            NotFoundError: the page has no such file; the page itself has one address.
        """
        name = call.segment("name")
        if name == _INDEX:
            raise NotFoundError(f"The page has no file {name!r}.", object=name)
        return self._files.answer(name, call.joined("if-none-match"))

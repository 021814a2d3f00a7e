"""What the operations under `/api/admin/` share: a JSON body with `dryRun` and a few options, and a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metadata.errors import InvalidError

from ..bodies import JSON_TYPES
from ..calls import Access, Blocking, Call, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "/api/admin/"
DRY_RUN = "dryRun"
_KINDS: Mapping[type, str] = {bool: "true or false", int: "a whole number", str: "text"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator asks for.

    Attributes:
        dry_run: only say what would be done.
        options: the other members that were given, by name.
    """

    dry_run: bool
    options: Mapping[str, bool | int | str]

    def flag(self, name: str) -> bool:
        """Return an option that is true or false; false when it was not given."""
        return bool(self.options.get(name, False))

    def number(self, name: str) -> int | None:
        """Return an option that is a number; None when it was not given."""
        value = self.options.get(name)
        return value if isinstance(value, int) else None


def admin_operation(name: str, summary: str, handle: Blocking, *, takes: str, gives: str) -> Operation:
    """Return the table entry of `POST /api/admin/<name>`.

    Args:
        name: the last segment of the path.
        summary: a sentence for people.
        handle: answers in a worker thread; it begins with `wish_of`.
        takes: the name of the body's schema, in `wireschemas`.
        gives: the name of the report's schema.
    """
    return Operation(
        method="POST",
        path=PREFIX + name,
        summary=summary,
        access=Access.ADMIN,
        handle=handle,
        takes=takes,
        gives=gives,
        media=JSON_TYPES,
    )


def wish_of(call: Call, known: Mapping[str, type] | None = None) -> Wish:
    """Read the body of an operator's request.

    Args:
        call: the request.
        known: the options beside `dryRun`: name and type (bool, int or str).

    Raises:
        InvalidError: a member is unknown or of another type; `field` names it.
    """
    types = {DRY_RUN: bool, **(known or {})}
    body = call.content()
    options: dict[str, bool | int | str] = {}
    for name, value in body.items():
        if name not in types:
            raise InvalidError(f"There is no member {name[:80]!r} here; there is {', '.join(types)}.", field=name[:80])
        # Exactly: Python holds true for a number.
        if type(value) is not types[name] or not isinstance(value, bool | int | str):
            raise InvalidError(f"{name} has to be {_KINDS[types[name]]}.", field=name)
        options[name] = value
    dry_run = bool(options.pop(DRY_RUN, False))
    return Wish(dry_run, options)

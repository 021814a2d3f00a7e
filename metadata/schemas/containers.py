"""The whole-file documents that hold other records, as the original writes them: `version`, the records, two dates."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
"""The `version` member of every whole-file document."""

_GENERAL: tuple[tuple[str, None], ...] = (("user", None), ("chatSettings", None))

_ARRAYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "settings/connection-profiles.json": ("apiKeys", "llmProfiles"),
        "auth/accounts.json": ("accounts",),
        "tags/tags.json": ("tags",),
        "image-profiles/image-profiles.json": ("profiles",),
    }
)

CONTAINERS: tuple[str, ...] = ("settings/general.json", *_ARRAYS)
"""The fixed whole-file documents; `settings/users/<id>.json` has the shape of `settings/general.json`."""


def order_of(path: str) -> tuple[str, ...]:
    """Return the members of the document at this path in the order of writing; unknown members come after them."""
    return tuple(empty_container(path, ""))


def empty_container(path: str, now: str) -> dict[str, object]:
    """Return the document of this path with nothing in it.

    Args:
        path: one of `CONTAINERS`, or `settings/users/<id>.json`.
        now: both timestamps.
    """
    inner: dict[str, object] = dict(_GENERAL) if path not in _ARRAYS else {name: [] for name in _ARRAYS[path]}
    return {"version": VERSION, **inner, "createdAt": now, "updatedAt": now}

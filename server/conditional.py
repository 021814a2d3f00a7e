"""Conditional requests (RFC 9110, section 13): entity tags, If-Match, If-None-Match and If-Range.

An entity's tag is `"<version>.<derived>"`: the version changes with the record, the part after the dot with what is
computed from elsewhere (an avatar, a count). Caches compare all of it, writers only the version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from metadata.errors import InvalidError, StaleError

if TYPE_CHECKING:
    from starlette.datastructures import Headers

_TAG = re.compile(r'(?P<weak>W/)?"(?P<value>[\x21\x23-\x7e\x80-\xff]*)"[ \t]*')
_MAX_HEADER = 16_384


@dataclass(frozen=True, slots=True)
class EntityTag:
    """One entity tag; `value` is without the quotes."""

    value: str
    weak: bool = False

    @property
    def version(self) -> str:
        """The part before the first dot."""
        return self.value.partition(".")[0]

    def __str__(self) -> str:
        """Return the tag as a header carries it."""
        return f'{"W/" if self.weak else ""}"{self.value}"'


class AnyTag:
    """The `*` of If-Match and If-None-Match."""


ANY: Final = AnyTag()
Tags = tuple[EntityTag, ...] | AnyTag


def entity_tag(version: str, derived: str = "") -> EntityTag:
    """Return an entity's strong tag."""
    return EntityTag(f"{version}.{derived}" if derived else version)


def field_of(headers: Headers, name: str) -> str | None:
    """Return a list-valued header field, its lines joined as RFC 9110, section 5.3, joins them; None when absent."""
    values = headers.getlist(name)
    return ", ".join(values) if values else None


def parse_tags(header: str) -> Tags | None:
    """Read a list of entity tags, or `*`; None when it is neither."""
    if header.strip(" \t") == "*":
        return ANY
    if len(header) > _MAX_HEADER:
        return None
    tags: list[EntityTag] = []
    position = 0
    while position < len(header):
        if header[position] in " \t,":  # empty elements are allowed (RFC 9110, section 5.6.1.2)
            position += 1
            continue
        match = _TAG.match(header, position)
        if match is None or header[match.end() : match.end() + 1] not in {"", ","}:
            return None
        tags.append(EntityTag(match["value"], weak=match["weak"] is not None))
        position = match.end()
    return tuple(tags) or None


def not_modified(if_none_match: str | None, current: EntityTag) -> bool:
    """Tell whether the caller's copy is current, by the weak comparison; what cannot be read is ignored."""
    tags = parse_tags(if_none_match) if if_none_match is not None else None
    if tags is None:
        return False
    return isinstance(tags, AnyTag) or any(tag.value == current.value for tag in tags)


def check_absent(if_none_match: str | None, current: EntityTag | None) -> None:
    """Honour If-None-Match on an unsafe method: `*` means "only if there is nothing yet".

    Raises:
        StaleError: something the caller excluded is there.
    """
    if current is not None and not_modified(if_none_match, current):
        raise StaleError("The thing is there already, and If-None-Match asked that it is not.")


def check_match(if_match: str | None, current: EntityTag) -> None:
    """Honour If-Match on an unsafe method, by the strong comparison of the version.

    Raises:
        StaleError: the current version is none of those named.
        InvalidError: the header is not a list of entity tags; guessing could overwrite somebody's change.
    """
    if if_match is None:
        return
    tags = parse_tags(if_match)
    if tags is None:
        raise InvalidError('If-Match has to be *, or entity tags in quotes such as "1f2e…".', field="If-Match")
    if isinstance(tags, AnyTag):
        return
    if not any(tag.version == current.version and not tag.weak for tag in tags):
        raise StaleError("The record has changed since you read it. Read it again and repeat your change.")


def range_still_holds(if_range: str | None, current: EntityTag) -> bool:
    """Tell whether a Range may be honoured: no If-Range, or one that names the current strong tag.

    A date never holds, as nothing here has a modification date that is a strong validator.
    """
    if if_range is None:
        return True
    tags = parse_tags(if_range)
    return isinstance(tags, tuple) and len(tags) == 1 and not tags[0].weak and tags[0] == current

"""What can still be read of a whole-file document that is no JSON any more.

It relies on the form such documents are written in: two spaces of indent, so that each record begins and ends with a
line of its own. A block between two such lines that is JSON and a valid record of a kind the file holds is saved.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import InvalidError, UnreadableError
from ..files.codec import decode_document
from ..schemas.containers import empty_container
from ..schemas.homes import InArray, InMember
from .places import kinds_in, record_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..schemas.catalog import Kind

_ELEMENT = re.compile(rb"^    (?P<record>\{\n(?:      .*\n)*?    \}),?$", re.MULTILINE)
_MEMBER = re.compile(rb'^  "(?P<name>\w+)": (?P<record>\{\n(?:    .*\n)*?  \}),?$', re.MULTILINE)


def salvaged(path: str, data: bytes, now: str) -> tuple[dict[str, Any], int]:
    """Return a document with the records that can be read, and how many they are.

    Args:
        path: the document's; a file that holds many records.
        data: its bytes.
        now: the timestamp of the new document.
    """
    document: dict[str, Any] = empty_container(path, now)
    count = 0
    for kind, record in _records(path, data):
        home = kind.home
        if isinstance(home, InArray):
            document[home.member].append(record)
            count += 1
        elif isinstance(home, InMember) and document[home.member] is None:
            document[home.member] = record
            count += 1
    return document, count


def _records(path: str, data: bytes) -> Iterator[tuple[Kind, dict[str, Any]]]:
    kinds = kinds_in(path)
    seen: set[tuple[str, str | None]] = set()
    for found in [*_ELEMENT.finditer(data), *_MEMBER.finditer(data)]:
        for kind in kinds:
            home = kind.home
            named = found.groupdict().get("name")
            if isinstance(home, InMember) and (named or b"").decode() != home.member:
                continue
            record = _record(kind, found["record"])
            if record is not None and (kind.name, record_key(kind, record)) not in seen:
                seen.add((kind.name, record_key(kind, record)))
                yield kind, record
                break


def _record(kind: Kind, data: bytes) -> dict[str, Any] | None:
    try:
        record, _ = decode_document(data)
        kind.model.from_record(record)
    except (UnreadableError, InvalidError):
        return None
    return record if record_key(kind, record) is not None else None

"""Which file holds a record, and how a document holds its records.

Pure functions over parsed documents; names of files are built here alone, from checked ids.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import NotFoundError, UnreadableError
from ..schemas.base import BOOKKEEPING
from ..schemas.catalog import Kind, kinds_of_path
from ..schemas.containers import empty_container
from ..schemas.homes import InArray, InMember, LinesPerParent, OwnFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .contract import Record

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_REV_LIMIT = 2**62

Document = dict[str, Any] | list[Any]


def is_journal(path: str) -> bool:
    """Tell whether a file is an append log rather than a whole-file document."""
    return path.endswith(".jsonl")


def kinds_in(path: str) -> list[Kind]:
    """Return the kinds whose records a file holds."""
    return [located.kind for located in kinds_of_path(path)]


def fixed_path(kind: Kind, key: str) -> str | None:
    """Return the file a record is in by its key alone; None where that depends on what is stored.

    Raises:
        NotFoundError: the key can name no file, so it can name no record.
    """
    home = kind.home
    if isinstance(home, OwnFile):
        return home.path(checked_id(kind, key))
    if isinstance(home, LinesPerParent):
        return home.path(checked_id(kind, key.partition("/")[0]))
    return None if isinstance(home, InMember) else home.path


def record_key(kind: Kind, record: Mapping[str, object]) -> str | None:
    """Return the key that a record's own members make, None when one of them is missing or no text one can ask for."""
    values = [record.get(name) for name in kind.key]
    if not all(isinstance(value, str) and value and not _LONE_SURROGATE.search(value) for value in values):
        return None
    return "/".join(str(value) for value in values)


def line_key(kind: Kind, path: str, record: Mapping[str, object], offset: int) -> str | None:
    """Return the key of a journal line's record; an event of a foreign type that has no id is named by its place."""
    own = record_key(kind, record)
    if not isinstance(kind.home, LinesPerParent):
        return own
    return f"{kind.home.match(path)}/{own or f'@{offset}'}"


def revision(record: Mapping[str, object]) -> int:
    """Return the revision of a journal line, 0 where it has none or one that nobody counted up to."""
    rev = record.get("_rev")
    return rev if isinstance(rev, int) and not isinstance(rev, bool) and 0 < rev < _REV_LIMIT else 0


def with_parent(kind: Kind, path: str, record: Record) -> Record:
    """Return a line's record with the id that the file's name carries for it."""
    if not isinstance(kind.home, LinesPerParent) or kind.home.parent in record:
        return record
    return {**record, kind.home.parent: kind.home.match(path)}


def without_bookkeeping(record: Mapping[str, object]) -> Record:
    """Return a record without the members that serve the file and not the record."""
    return {name: value for name, value in record.items() if name not in BOOKKEEPING}


def records_in(path: str, document: Document) -> Iterator[tuple[Kind, Record]]:
    """Yield every record that a whole-file document holds.

    Raises:
        UnreadableError: the document has not the shape that its path promises.
    """
    for kind in kinds_in(path):
        home = kind.home
        if isinstance(home, OwnFile):
            yield kind, without_bookkeeping(_object(path, document))
        elif isinstance(home, InMember):
            record = _object(path, document).get(home.member)
            if record is not None:
                yield kind, _object(path, record)
        elif isinstance(home, InArray):
            for record in _array(path, document, home):
                yield kind, _object(path, record)


def place(path: str, document: Document | None, kind: Kind, key: str, body: Record | None, now: str) -> Document | None:
    """Return the document after one record is put (or, with body None, taken out); None when the file goes.

    Args:
        path: the document's path.
        document: what the file holds, None when it is absent; it is changed in place.
        kind: the record's kind.
        key: the record's key.
        body: the record, None to take it out.
        now: the timestamp for the document's own `updatedAt`.
    """
    home = kind.home
    if isinstance(home, OwnFile):
        return body
    if document is None:
        document = empty_container(path, now)
    if isinstance(document, dict):
        document["updatedAt"] = now
    if isinstance(home, InMember):
        members = _object(path, document)
        members[home.member] = body
        if path != home.path and not any(members.get(name) for name in _members_of(path)):
            return None  # the file of a further user who is gone
    elif isinstance(home, InArray):
        _replace(_array(path, document, home), kind, key, body)
    return document


def checked_id(kind: Kind, record_id: str) -> str:
    """Return an id that may name a file.

    Raises:
        NotFoundError: it is no UUID, so it names no record.
    """
    if not _UUID.fullmatch(record_id):
        raise NotFoundError(f"There is no {kind.name} {record_id[:40]!r}.", object=record_id[:40])
    return record_id


def _members_of(path: str) -> list[str]:
    return [kind.home.member for kind in kinds_in(path) if isinstance(kind.home, InMember)]


def _replace(records: list[Any], kind: Kind, key: str, body: Record | None) -> None:
    found = [at for at, record in enumerate(records) if isinstance(record, dict) and record_key(kind, record) == key]
    if body is None:
        for position in reversed(found):  # a foreign repetition goes too, or it would be the record from now on
            del records[position]
    elif found:
        records[found[0]] = body
    else:
        records.append(body)


def _object(path: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableError(f"{path} holds something else where an object belongs.", path=path)
    return value


def _array(path: str, document: Document, home: InArray) -> list[Any]:
    if isinstance(document, list):
        if home.bare_array_ok:
            return document
        raise UnreadableError(f"{path} holds a list where an object belongs.", path=path)
    records = _object(path, document).setdefault(home.member, [])
    if not isinstance(records, list):
        raise UnreadableError(f"{path} holds no list under {home.member!r}.", path=path)
    return records

"""Where the records of a kind live in the data folder, as paths relative to its root with `/`.

The layout is the original application's: whole-file documents, arrays inside them, and journals of one record a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UUID = r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"


@dataclass(frozen=True, slots=True)
class OwnFile:
    """Every record is a file of its own, `<folder>/<id>.json`; the document is the record."""

    folder: str

    def path(self, record_id: str) -> str:
        """Return the path of the record with this id."""
        return f"{self.folder}/{record_id}.json"

    def match(self, path: str) -> str | None:
        """Return the record's id if this path is one of this home's, else None."""
        return _variable(self.folder, "json", path)


@dataclass(frozen=True, slots=True)
class InArray:
    """The records are the elements of one array of one document.

    Attributes:
        path: the document.
        member: the array's member in it.
        bare_array_ok: the document may also be the array itself, as the original wrote `auth/accounts.json`.
    """

    path: str
    member: str
    bare_array_ok: bool = False

    def match(self, path: str) -> str | None:
        """Return "" if this path is this home's, else None."""
        return "" if path == self.path else None


@dataclass(frozen=True, slots=True)
class InMember:
    """The record is one member of a document: the first user's of `path`, any other's of `<also>/<user id>.json`.

    Attributes:
        path: the first user's document.
        member: the record's member in it.
        also: the folder of the further users' documents, of the same shape.
    """

    path: str
    member: str
    also: str

    def path_of(self, user_id: str) -> str:
        """Return the path of a further user's document."""
        return f"{self.also}/{user_id}.json"

    def match(self, path: str) -> str | None:
        """Return "" for the first user's document, the user's id for another's, else None."""
        return "" if path == self.path else _variable(self.also, "json", path)


@dataclass(frozen=True, slots=True)
class Lines:
    """The records are the lines of one journal."""

    path: str

    def match(self, path: str) -> str | None:
        """Return "" if this path is this home's, else None."""
        return "" if path == self.path else None


@dataclass(frozen=True, slots=True)
class LinesPerParent:
    """The records are the lines of one journal a parent record, `<folder>/<parent id>.jsonl`.

    Attributes:
        folder: the folder of the journals.
        parent: the member that holds the parent's id in memory; it is not written, the file's name carries it.
    """

    folder: str
    parent: str

    def path(self, parent_id: str) -> str:
        """Return the path of the journal of this parent."""
        return f"{self.folder}/{parent_id}.jsonl"

    def match(self, path: str) -> str | None:
        """Return the parent's id if this path is one of this home's, else None."""
        return _variable(self.folder, "jsonl", path)


Home = OwnFile | InArray | InMember | Lines | LinesPerParent


def _variable(folder: str, extension: str, path: str) -> str | None:
    found = re.fullmatch(rf"{re.escape(folder)}/{_UUID}\.{extension}", path)
    return found[1] if found else None

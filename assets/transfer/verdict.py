"""Whether a record that comes from elsewhere is here already: the rule that makes an import repeatable.

Pure functions over raw records. Nothing is remembered between two runs: what a run before this one stored is known by
its id and its date of creation, which nobody can change here, and whether it was edited since by the date of its last
change, which every edit here moves. So an import that was cut off goes on where it stood, a second one changes nothing,
and what somebody edited here is never written over.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING

from metadata.clock import parse_timestamp
from metadata.documents.contract import version_of
from metadata.errors import CalotypeError

if TYPE_CHECKING:
    from metadata.documents.contract import Record
    from metadata.schemas.catalog import Kind

_NAMESPACE = uuid.UUID("5b0c6a0e-3d3f-5d0b-9a43-0f6a3f6f6a51")
"""The namespace of ids that are made here for things whose own id is taken."""


class Verdict(Enum):
    """What to do with a record."""

    NEW = auto()
    """Nothing is here under its id: store it."""
    SAME = auto()
    """It is here as it would be stored."""
    RENEW = auto()
    """An earlier run stored it with less (a picture that was missing, say), and nobody edited it: store it again."""
    KEPT = auto()
    """It is here and was changed, here or there, since: what is here stays."""


def judge(kind: Kind, stored: Record | None, body: Record, *, newer: bool = False) -> Verdict:
    """Return what to do with a record.

    Args:
        kind: its kind.
        stored: what is here under its id, the same record (see `is_same_record`), None when nothing is.
        body: as it would be stored.
        newer: of two states that differ, the one with the later date of change is wanted, wherever it was changed.
    """
    if stored is None:
        return Verdict.NEW
    if version_of(kind.name, stored) == version_of(kind.name, body):
        return Verdict.SAME
    if kind.updated is None:
        return Verdict.KEPT
    here, there = _moment(stored.get(kind.updated)), _moment(body.get(kind.updated))
    later = isinstance(here, datetime) and isinstance(there, datetime) and here < there
    return Verdict.RENEW if here == there or (newer and later) else Verdict.KEPT


def is_same_record(kind: Kind, stored: Record, body: Record) -> bool:
    """Tell whether two records of one id are one record at two times, and no accident or another's copy."""
    if kind.created is not None and _moment(stored.get(kind.created)) != _moment(body.get(kind.created)):
        return False
    return kind.owner is None or (stored.get(kind.owner) or "") == (body.get(kind.owner) or "")


def derived_id(*parts: str) -> str:
    """Return an id that is always the same for the same parts, and no other's."""
    return str(uuid.uuid5(_NAMESPACE, "\n".join(part.encode("utf-8", "backslashreplace").decode() for part in parts)))


def _moment(value: object) -> object:
    try:
        return parse_timestamp(value) if isinstance(value, str) else value
    except CalotypeError:
        return value

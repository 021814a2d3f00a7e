"""What a journal's lines say in the end: later lines of a key stand in for earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .lines import Line

_BOOKKEEPING = frozenset({"_rev", "_deleted", "_was"})


def live_records(lines: Iterable[Line], key: tuple[str, ...] | None) -> list[dict[str, Any]]:
    """Return what a journal's lines say in the end, in the order of first appearance.

    Args:
        lines: the journal's lines.
        key: the members that name a record; None returns every line as it is. A line supersedes an earlier one of its
            key only if it carries a higher `_rev`; two lines of one key without it are both returned.
    """
    if key is None:
        return [line.record for line in lines]
    slots: list[dict[str, Any] | None] = []
    known: dict[tuple[str, ...], tuple[int, int]] = {}
    for line in lines:
        name = _name(line.record, key)
        revision = line.record.get("_rev")
        revision = revision if isinstance(revision, int) and not isinstance(revision, bool) else 0
        slot, newest = known.get(name, (len(slots), -1)) if name is not None else (len(slots), -1)
        if newest >= revision:  # it supersedes nothing: a foreign line of a key that is there already
            slots.append(_plain(line.record))
            continue
        if slot == len(slots):
            slots.append(None)
        slots[slot] = _plain(line.record)
        if name is not None:
            known[name] = (slot, revision)
    return [record for record in slots if record is not None]


def _plain(record: dict[str, Any]) -> dict[str, Any] | None:
    if "_deleted" in record:
        return None
    return {name: value for name, value in record.items() if name not in _BOOKKEEPING}


def _name(record: Mapping[str, Any], key: tuple[str, ...]) -> tuple[str, ...] | None:
    values = tuple(record.get(member) for member in key)
    return tuple(map(str, values)) if all(isinstance(value, str) for value in values) else None

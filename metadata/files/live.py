"""What a journal's lines say in the end: later lines of a key stand in for earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .lines import Line

T = TypeVar("T")
_BOOKKEEPING = frozenset({"_rev", "_deleted", "_was"})


def live_records(lines: Iterable[Line], key: tuple[str, ...] | None) -> list[dict[str, Any]]:
    """Return what a journal's lines say in the end, in the order of first appearance.

    Args:
        lines: the journal's lines.
        key: the members that name a record; None returns every line as it is. A line supersedes an earlier one of its
            key only if it carries a higher `_rev`; two lines of one key without it are both returned.
    """
    return live(lines, key, lambda line: line.record if key is None else plain(line.record))


def live(lines: Iterable[Line], key: tuple[str, ...] | None, keep: Callable[[Line], T]) -> list[T]:
    """Return what is kept of each line that counts in the end, in the order of first appearance.

    Args:
        lines: the journal's lines.
        key: the members that name a record, as above.
        keep: returns what to keep of a line; its place, say, where the records would be too many.
    """
    if key is None:
        return [keep(line) for line in lines]
    slots: list[tuple[T] | None] = []
    known: dict[tuple[str, ...], tuple[int, int]] = {}
    for line in lines:
        name = _name(line.record, key)
        revision = line.record.get("_rev")
        revision = revision if isinstance(revision, int) and not isinstance(revision, bool) else 0
        slot, newest = known.get(name, (len(slots), -1)) if name is not None else (len(slots), -1)
        kept = None if "_deleted" in line.record else (keep(line),)
        if newest >= revision:  # it supersedes nothing: a foreign line of a key that is there already
            slots.append(kept)
            continue
        if slot == len(slots):
            slots.append(None)
        slots[slot] = kept
        if name is not None:
            known[name] = (slot, revision)
    return [kept[0] for kept in slots if kept is not None]


def plain(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without what a journal keeps of its history."""
    return {name: value for name, value in record.items() if name not in _BOOKKEEPING}


def _name(record: Mapping[str, Any], key: tuple[str, ...]) -> tuple[str, ...] | None:
    values = tuple(record.get(member) for member in key)
    return tuple(map(str, values)) if all(isinstance(value, str) for value in values) else None

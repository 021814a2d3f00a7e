"""Changing files that a person has looked at: taking over what was edited, and cutting out what is damaged.

A journal is written anew beside its writers, as a compaction does it, and says nothing else afterwards: sound lines
stay, damaged ones go to `quarantine/`, altered ones get a check value that fits. A document is changed under its lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ..clock import timestamp
from ..errors import InvalidError, NotFoundError, UnreadableError
from ..files import quarantine
from ..files.codec import canonical, decode_document, encode_document
from ..files.journal import Damage, Line
from ..index.state import note_pending
from ..schemas.homes import InArray, InMember
from .places import is_journal, kinds_in, line_key, record_key, records_in, with_parent, without_bookkeeping
from .salvage import salvaged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..files.compaction import Item
    from ..files.engine import FileEngine
    from ..schemas.catalog import Kind
    from .places import Document
    from .projection import Projection

_CUT = "It could not be read as a record; the others of its file stayed where they were."


def accept(projection: Projection, path: str) -> int:
    """Give what was changed by hand in a file a check value that fits; return how many lines or documents that were.

    Raises:
        BusyError, FullError, UnreadableError: the file is as it was.
    """
    if not is_journal(path):
        return _rewritten(projection, path, _accepted)

    def judge(item: Line | Damage) -> Item:
        altered = isinstance(item, Line) and item.check == "altered" and _sound(path, item)
        return item.record if isinstance(item, Line) and altered else item

    return _journal(projection, path, judge)


def cut_out(projection: Projection, path: str) -> int:
    """Move what cannot be read in a file to `quarantine/`; return how many lines or records that were.

    A document that is no JSON any more is moved as a whole, and what can still be read of it is put in its place.

    Raises:
        BusyError, FullError, UnreadableError: the file is as it was.
    """
    engine = projection.engine
    if not is_journal(path):
        return _rewritten(projection, path, _without_damage)
    kept: set[tuple[int, bytes]] = set()

    def judge(item: Line | Damage) -> Item | None:
        if isinstance(item, Line) and _sound(path, item):
            return item
        length = item.end - item.offset if isinstance(item, Line) else item.length
        data = engine.read_bytes(path, item.offset, length)
        if (item.offset, data) not in kept:  # it is asked about more than once
            kept.add((item.offset, data))
            quarantine.keep(engine, f"{path}.{item.offset}", data, _CUT)
        return None

    return _journal(projection, path, judge)


def reformatted(data: bytes) -> bool:
    """Tell whether a document that carries a check value is not, byte for byte, as we write it.

    The check value is over what the text means; this sees a changed blank, and a check value whose name is damaged.
    """
    value, check = decode_document(data)
    if check == "sound":
        return encode_document(value, stamp=True) != data
    if check == "altered" or not isinstance(value, dict) or not value:
        return False
    *_, last = value
    stamp = value.pop(last)
    return isinstance(stamp, str) and encode_document(value, stamp=True).count(f'"_crc": "{stamp}"\n'.encode()) == 1


def _journal(projection: Projection, path: str, judge: Callable[[Line | Damage], Item | None]) -> int:
    """Rewrite a journal; `judge` gives what shall stand in an item's place, the item itself, or None."""
    journal = projection.engine.journal(path)
    journal.recover()
    changed = 0

    def rewrite(items: Iterator[Line | Damage]) -> Iterator[Item]:
        nonlocal changed
        changed = 0
        for item in items:
            new = judge(item)
            changed += new is not item
            if new is not None:
                yield new

    if any(judge(item) is not item for item in journal.read()):
        journal.compact(rewrite)
        projection.answer(lambda: projection.follow(path))
    return changed


def _sound(path: str, line: Line) -> bool:
    """Tell whether a line is a record or a tombstone; what we wrote and is unchanged is not asked."""
    kind = kinds_in(path)[0]
    if line_key(kind, path, line.record, line.offset) is None:
        return False
    if line.check == "sound" or isinstance(line.record.get("_deleted"), str):
        return True
    return _valid(kind, with_parent(kind, path, without_bookkeeping(line.record)))


def _valid(kind: Kind, record: dict[str, Any]) -> bool:
    try:
        kind.model.from_record(record)
    except InvalidError:
        return False
    return record_key(kind, record) is not None or kind.parent is not None


def _rewritten(
    projection: Projection, path: str, change: Callable[[FileEngine, str, bytes], tuple[object, int]]
) -> int:
    """Change a document under its lock, and have the index read it; `change` gives the new document and a count."""
    engine = projection.engine
    with engine.locks.lock_of(path).hold():
        try:
            data = engine.read_bytes(path)
        except NotFoundError:
            return 0
        document, count = change(engine, path, data)
        if count:
            projection.attempt(path, lambda db: note_pending(db, [path]))
            engine.write_document(path, document, stamp=isinstance(document, dict))
            projection.settle(path)
    return count


def _accepted(engine: FileEngine, path: str, data: bytes) -> tuple[object, int]:
    del engine
    document, check = decode_document(data)
    sound = all(_valid(kind, record) for kind, record in records_in(path, document))
    if isinstance(document, dict) and reformatted(data) and check == "absent":
        document.popitem()  # its own check value, under a name that is damaged
    return document, int(sound and (check == "altered" or reformatted(data)))


def _without_damage(engine: FileEngine, path: str, data: bytes) -> tuple[object, int]:
    now = timestamp(engine.clock.now())
    try:
        document = cast("Document", decode_document(data)[0])
        list(records_in(path, document))
    except UnreadableError as error:
        quarantine.keep(engine, path, data, error.message)
        return salvaged(path, data, now)[0], 1
    bad = 0
    for kind in kinds_in(path):
        home = kind.home
        if isinstance(home, InMember) or not isinstance(home, InArray):
            continue
        records = document if isinstance(document, list) else document.get(home.member, [])
        wrong = [record for record in records if not isinstance(record, dict) or not _valid(kind, record)]
        for record in wrong:
            quarantine.keep(engine, f"{path}.{home.member}", canonical(record), _CUT)
            records.remove(record)
        bad += len(wrong)
    return document, bad


def set_aside(projection: Projection, path: str) -> bool:
    """Move a document that holds one record and cannot be read to `quarantine/`; False when it is sound by now.

    Raises:
        BusyError, FullError, UnreadableError: the file is as it was.
    """
    engine = projection.engine
    with engine.locks.lock_of(path).hold():
        try:
            document = cast("Document", decode_document(engine.read_bytes(path))[0])
            if all(_valid(kind, record) for kind, record in records_in(path, document)):
                return False
            why = _CUT
        except NotFoundError:
            return False
        except UnreadableError as error:
            why = error.message
        projection.attempt(path, lambda db: note_pending(db, [path]))
        quarantine.move(engine, path, why)
        engine.cache.forget(path)
        projection.settle(path)
    return True

"""`quarantine/`: what makes no sense is kept here for a person to look at, each thing with a note beside it.

Nothing here is ever served again; garbage collection alone looks into it, and keeps the payloads whose hashes it finds.
A note is `<name>.note.json`: where the thing was, when it was moved, and why.
"""

from __future__ import annotations

import secrets
import stat
from typing import TYPE_CHECKING

from ..clock import timestamp
from . import atomic
from .trouble import told

if TYPE_CHECKING:
    from .engine import FileEngine

FOLDER = "quarantine"
NOTE = ".note.json"
_LONGEST = 150


def keep(engine: FileEngine, was: str, data: bytes, why: str) -> str:
    """Write bytes that were damaged in a file; return the name they have now.

    Args:
        engine: the file engine.
        was: the file, relative, and the place in it.
        data: the bytes.
        why: a sentence.

    Raises:
        FullError, UnreadableError: they could not be written.
    """
    name = _name(was)
    _note(engine, name, was, why)
    engine.write_bytes(f"{FOLDER}/{name}", data)
    return name


def move(engine: FileEngine, path: str, why: str) -> str:
    """Move a file or a folder here, durably; return the name it has now.

    Raises:
        InvalidError: no path in the data folder.
        FullError, UnreadableError: it could not be moved.
    """
    name = _name(path)
    _note(engine, name, path, why)
    with told(path, "set aside"):
        if stat.S_ISREG(engine.fs.stat(engine.paths.resolve(path)).st_mode):
            engine.fs.chmod(engine.paths.resolve(path), engine.mode_of(FOLDER))
        atomic.make_dirs(engine.fs, engine.paths.resolve(FOLDER), mode=engine.folder_mode_of(FOLDER))
        atomic.move(engine.fs, engine.paths.resolve(path), engine.paths.resolve(FOLDER) / name)
    return name


def _name(was: str) -> str:
    return f"{was.replace('/', '-')[-_LONGEST:]}.{secrets.token_hex(4)}"


def _note(engine: FileEngine, name: str, was: str, why: str) -> None:
    note = {"was": was, "at": timestamp(engine.clock.now()), "why": why}
    engine.write_document(f"{FOLDER}/{name}{NOTE}", note, stamp=False)

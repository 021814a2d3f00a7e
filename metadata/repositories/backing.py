"""What a repository stands on: documents given as they are, or those of a data folder given as its `JsonStore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import Clock, timestamp
from ..documents.contract import Documents, put
from ..documents.json_files import JsonFiles
from ..errors import NotFoundError
from ..files.folder import prepare
from ..schemas.baseline import baseline
from ..schemas.users import first_user
from ..store import JsonStore

if TYPE_CHECKING:
    from ..documents.contract import Stored
    from ..files.engine import FileEngine
    from ..ids import Ids


def documents_of(source: Documents | JsonStore) -> Documents:
    """Return the documents themselves, or those of a store's folder, which becomes ours if it is new.

    Every repository over one store has the same documents.

    Raises:
        InvalidError: the folder is somebody else's, or of a newer format.
        UnreadableError: it cannot be read or written.
    """
    return source.companion(_opened) if isinstance(source, JsonStore) else source


def first_of(documents: Documents) -> Stored | None:
    """Return the first user's record, None in a folder that has none yet."""
    return documents.first("user")


def ensure_first(documents: Documents, clock: Clock, ids: Ids) -> Stored:
    """Return the first user's record, making it and its chat settings in a folder that has none."""
    known = first_of(documents)
    if known is not None:
        return known
    with documents.guard(exclusive=True):
        known = first_of(documents)
        if known is None:
            user, settings = first_user(ids.new(), ids.new(), timestamp(clock.now()))
            documents.apply([put("user", user), put("chatSettings", settings)])
            known = first_of(documents)
    if known is None:
        raise NotFoundError("The first user was removed while it was being made.")
    return known


def _opened(engine: FileEngine) -> Documents:
    prepare(engine.paths.root, baseline(timestamp(engine.clock.now())))
    return JsonFiles(engine, clock=engine.clock)

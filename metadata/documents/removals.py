"""What a great removal says, what it hides, and the refusal of one that a rule forbids."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ConflictError, NotFoundError, UnreadableError
from ..index import gone as hiding
from ..index import reach
from ..schemas.catalog import CATALOG, references_to

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from ..files.engine import FileEngine
    from .contract import Referrer

FOLDER = "intents"
LISTED = 100
"""How many referrers a refusal lists."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What an intent says: the record that goes, whether references give way, and who takes its place in lists."""

    kind: str
    key: str
    force: bool = False
    heir: str = ""

    def written(self) -> dict[str, object]:
        """Return the intent's members."""
        return {"version": 2, "removes": {"kind": self.kind, "key": self.key, "force": self.force, "heir": self.heir}}


def removal_in(document: Any) -> Removal | None:  # noqa: ANN401 - whatever the file holds
    """Return the removal an intent is about, None for an intent of the other sort.

    Raises:
        UnreadableError: it makes no sense.
    """
    if not isinstance(document, dict) or "removes" not in document:
        return None
    found = document["removes"]
    if not isinstance(found, dict) or found.get("kind") not in CATALOG or not isinstance(found.get("key"), str):
        raise UnreadableError("It names no record to remove.")
    return Removal(found["kind"], found["key"], found.get("force") is True, str(found.get("heir") or ""))


def under_way(engine: FileEngine, path: str) -> bool:
    """Tell whether an intent is a great removal, which takes its time; or was carried out since it was listed."""
    try:
        return removal_in(engine.read_document(path).value) is not None
    except NotFoundError:
        return True
    except UnreadableError:
        return False


def hide(db: sqlite3.Connection, path: str, removal: Removal) -> None:
    """Hide what a removal takes along, unless that is done already."""
    if path not in hiding.intents_in(db):
        reach.spread(db, removal.kind, removal.key, force=removal.force)
        root, what = (removal.kind, removal.key), hiding.Gone(removal.force, removal.heir)
        hiding.hide(db, path, reach.reached(db), root, what)


def hide_all(db: sqlite3.Connection, engine: FileEngine) -> None:
    """Hide exactly what the removals in the folder take along, in an index that was just opened."""
    waiting = [f"{FOLDER}/{name}" for name in engine.list(FOLDER) if name.endswith(".json")]
    for path in hiding.intents_in(db) - set(waiting):
        hiding.show(db, path)
    for path in waiting:
        with suppress(NotFoundError, UnreadableError):  # carried out meanwhile; or damaged, which its finisher tells
            removal = removal_in(engine.read_document(path).value)
            if removal is not None:
                hide(db, path, removal)


def refusal(kind: str, blockers: Sequence[Referrer]) -> ConflictError:
    """Return the error of a removal that a rule forbids."""
    return ConflictError(
        f"This {kind} is still used in {len(blockers)} place(s). Remove it there first{_insisting(kind)}.",
        referrers=[{"kind": by.kind, "id": by.key, "field": by.field} for by in blockers[:LISTED]],
        count=len(blockers),
    )


def _insisting(kind: str) -> str:
    """Return what a refusal says of `force`, where some reference to this kind gives way to it."""
    if kind == "user":
        return ", or repeat the request with cascade=1, which deletes all that this user owns"
    gives_way = any(ref.forced is not None for _, ref in references_to(kind))
    return ", or repeat the request with force=1, which settles those references" if gives_way else ""

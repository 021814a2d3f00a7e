"""What changes to the index say of payloads: whatever was told of these before may not hold any more.

Triggers see the changes, so that no way of changing a row can be forgotten. They are temporary: each connection has its
own, which call back into its process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..schemas.catalog import CATALOG
from .tables import column_of, table_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

_FIRST_BYTES = {f"{number:02x}": number for number in range(256)}


class Touching:
    """Gathers what one write transaction after the other changes of payloads, and tells it once it is over.

    Args:
        tell: takes the first bytes of their hashes; must not fail.
    """

    def __init__(self, tell: Callable[[Iterable[int]], None]) -> None:
        self._tell = tell
        self._touched: set[int] = set()

    def watch(self, db: sqlite3.Connection) -> None:
        """Gather what is changed through a connection: records that name a payload, its facts, mentions that go."""
        db.create_function("touched", 1, self._add)
        asset, fact = table_of(CATALOG["asset"]), table_of(CATALOG["fact"])
        digest = column_of("sha256")
        # Where a line lies is another matter: of all columns only a whole new row sets `key`.
        for name, event, calls in (
            ("asset_made", f"INSERT ON main.{asset}", f"touched(NEW.{digest})"),
            ("asset_changed", f"UPDATE OF key ON main.{asset}", f"touched(OLD.{digest}), touched(NEW.{digest})"),
            ("asset_gone", f"DELETE ON main.{asset}", f"touched(OLD.{digest})"),
            ("fact_made", f"INSERT ON main.{fact}", "touched(NEW.key)"),
            ("fact_changed", f"UPDATE OF key ON main.{fact}", "touched(NEW.key)"),
            ("fact_gone", f"DELETE ON main.{fact}", "touched(OLD.key)"),
            ("mention_gone", "DELETE ON main.mentions", "touched(OLD.sha256)"),
        ):
            db.execute(f"CREATE TEMP TRIGGER {name} AFTER {event} BEGIN SELECT {calls}; END")

    def settle(self) -> None:
        """Tell what was gathered; the transaction is over, and no other has begun."""
        if self._touched:
            touched, self._touched = self._touched, set()
            self._tell(touched)

    def _add(self, digest: object) -> None:
        first = _FIRST_BYTES.get(str(digest)[:2])
        if first is not None:
            self._touched.add(first)

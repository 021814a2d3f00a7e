"""Everything that can be checked about records, whatever payloads there are."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ..documents.comparing import Compared, compare
from ..documents.mending import accept
from ..documents.removals import FOLDER, under_way
from ..errors import UnreadableError
from ..files.cache import DocumentCache
from ..files.engine import FileEngine
from ..findings import Finding
from .files import of_differences, of_problems, of_texts
from .graph import GraphCheck
from .seals import of_seals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..documents.contract import Documents
    from ..documents.projection import Projection
    from ..keys import MasterKeys
    from ..sealing import Sealer


class RecordChecks:
    """Checks the records of one data folder, while others go on writing.

    Args:
        documents: the records.
        projection: their index.
        keys: the master keys.
        sealer: opens sealed values with them.

    Attributes:
        compared: what the last check saw.
    """

    def __init__(self, documents: Documents, projection: Projection, keys: MasterKeys, sealer: Sealer) -> None:
        self._documents = documents
        self._projection = projection
        self._keys = keys
        self._sealer = sealer
        live = projection.engine
        # No documents are kept: what is on the disk is to be seen, not what was there when it was last read.
        cache = DocumentCache(enabled=False)
        self._engine = FileEngine(
            live.paths, live.fs, live.locks, live.flusher, live.clock, cache, live.lock_timeout_ms
        )
        self.compared = Compared()

    def findings(self) -> Iterator[Finding]:
        """Yield everything that is wrong with the records; what is expensive comes first."""
        self.compared = compare(self._projection, self._engine)
        yield from of_problems(self.compared.problems)
        yield from of_texts(self._engine, self._projection.paths(), self.compared.problems)
        yield from of_differences(self.compared)
        yield from GraphCheck(self._documents, self._engine, self.compared).findings()
        with suppress(UnreadableError):  # the file is told of already
            yield from of_seals(self._documents, self._keys, self._sealer)
        if self._engine.list(FOLDER):
            with self._documents.guard(exclusive=True):  # those under way end, those of dead processes are finished
                stuck = [f"{FOLDER}/{name}" for name in self._engine.list(FOLDER)]
            for path in stuck:
                if not under_way(self._engine, path):
                    yield Finding("unfinished", path, "It could not be finished; the log says why.")

    def accept(self, findings: list[Finding]) -> int:
        """Take over what was changed by hand, as these findings tell; return how many lines and documents that were.

        Raises:
            BusyError, FullError, UnreadableError: some may have been taken over.
        """
        paths = {str(finding.details.get("path", finding.about)) for finding in findings if finding.kind in ACCEPTED}
        return sum(accept(self._projection, path) for path in sorted(paths))


ACCEPTED = frozenset({"line-altered", "document-altered"})
"""The kinds of finding that a person may take over."""

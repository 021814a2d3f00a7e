"""Do operations on a store, with a promise after each: what is recorded.

Run as `python -m tests.crash.states.workload` with one JSON object: see `Plan`.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.errors import CalotypeError
from metadata.schemas.catalog import CATALOG
from tests.crash.states.broken import WAYS
from tests.crash.states.operations import IN_PARTS, WHOLE, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from calotype import LocalStore

END = "end"
"""The promise that a group of operations is over, and what was refused in it has changed nothing."""

Snapshot = dict[str, Any]
"""Every record's body by its kind and key, as `kind key`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    Attributes:
        folder: the store.
        ids: the ids in it, by the names the operations know them by.
        promises: the file that takes a line after each operation, its number, and one after each group.
        snapshots: the file that receives what the store held before the first group of operations and after each.
        groups: names of operations; those of a group run at the same time.
        broken: a way to break the store, or none.
    """

    folder: str
    ids: dict[str, str]
    promises: str
    snapshots: str
    groups: list[list[str]]
    broken: str | None = None

    def command(self) -> list[str]:
        """Return the command that carries it out."""
        return [sys.executable, "-m", "tests.crash.states.workload", json.dumps(asdict(self))]


def snapshot(store: LocalStore) -> Snapshot:
    """Return every record; of facts, only what does not depend on the time."""
    found = {f"{kind} {one.key}": dict(one.body) for kind in CATALOG for one in store.inside.documents.scan(kind)}
    for name, body in found.items():
        if name.startswith("fact "):
            body.pop("lastUploadAt", None)
    return found


def main(plan: Plan) -> None:
    """Carry a plan out."""
    promises = os.open(plan.promises, os.O_WRONLY | os.O_APPEND)
    numbers = itertools.count()
    # Among many at once one may get in another's way: what was refused promises nothing.
    tolerant = any(len(group) > 1 for group in plan.groups)
    if plan.broken is not None:
        WAYS[plan.broken]()
    with opened(Path(plan.folder)) as store:
        taken = [snapshot(store)]

        def do(number: int, operation: Callable[[LocalStore, dict[str, str]], object]) -> None:
            try:
                operation(store, plan.ids)
            except CalotypeError:
                if not tolerant:
                    raise
                return
            os.write(promises, f"{number}\n".encode())

        for group in plan.groups:
            work = [(next(numbers), (WHOLE | IN_PARTS)[name]) for name in group]
            threads = [threading.Thread(target=do, args=each) for each in work[1:]]
            for thread in threads:
                thread.start()
            do(*work[0])
            for thread in threads:
                thread.join()
            os.write(promises, f"{END}\n".encode())
            taken.append(snapshot(store))
    Path(plan.snapshots).write_text(json.dumps(taken))


if __name__ == "__main__":
    main(Plan(**json.loads(sys.argv[1])))

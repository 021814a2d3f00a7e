"""Operations over several files: written down first, done second, finished by whoever comes next.

An intent is a redo record: every record's new body, or that it goes. It is durable before the first file is touched
and removed after the last. Its writer holds the gate exclusively from before the intent until it is removed, so an
intent met by anybody who holds the gate belongs to a process that died, and nothing was written in between: redoing it
is putting the same bodies again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import UnreadableError
from ..schemas.catalog import CATALOG
from .contract import Change, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..files.engine import FileEngine
    from ..ids import Ids
    from .evaluate import Effect

FOLDER = "intents"


@dataclass(frozen=True, slots=True)
class Step:
    """One record's part: its new body, None when it goes; or, if it drops, that the whole log goes."""

    path: str
    kind: str
    key: str
    body: Record | None
    drops: bool = False

    def change(self) -> Change:
        """Return the change that does this step, and does nothing when it was done before."""
        return Change(self.kind, self.key, lambda _: self.body, trusting=True, drops=self.drops)


def steps_of(paths: Sequence[str], effects: Sequence[Effect]) -> list[Step]:
    """Return the steps that these effects come to, leaving out those that change nothing."""
    pairs = zip(paths, effects, strict=True)
    busy = [(path, effect) for path, effect in pairs if not effect.idle]
    return [Step(path, effect.kind.name, effect.key, effect.after, effect.drops) for path, effect in busy]


class Intents:
    """The folder of unfinished operations.

    Args:
        engine: the file engine.
        ids: names the files.
        redo: makes one file's steps durable; it is called again after a crash.
    """

    def __init__(self, engine: FileEngine, ids: Ids, redo: Callable[[str, Sequence[Step]], None]) -> None:
        self._engine = engine
        self._ids = ids
        self._redo = redo

    def run(self, steps: Sequence[Step]) -> None:
        """Do all steps, or, should this process die, leave them to be finished; the gate is held exclusively."""
        if not steps:
            return
        path = f"{FOLDER}/{self._ids.new()}.json"
        self._engine.write_document(path, {"version": 1, "steps": [_written(step) for step in steps]}, stamp=True)
        self._do(path, steps)

    def waiting(self) -> list[str]:
        """Return the paths of the operations that are not finished."""
        return [f"{FOLDER}/{name}" for name in sorted(self._engine.list(FOLDER)) if name.endswith(".json")]

    def finish(self) -> None:
        """Finish what dead processes left; the gate is held exclusively.

        Raises:
            UnreadableError: an intent is damaged; it stays for a person to look at.
        """
        for path in self.waiting():
            self._do(path, _steps_in(path, self._engine.read_document(path).value))

    def _do(self, path: str, steps: Sequence[Step]) -> None:
        grouped: dict[str, list[Step]] = {}
        for step in steps:
            grouped.setdefault(step.path, []).append(step)
        for file, members in grouped.items():
            self._redo(file, members)
        self._engine.remove(path)


def _written(step: Step) -> dict[str, object]:
    drops = {"drops": True} if step.drops else {}
    return {"path": step.path, "kind": step.kind, "key": step.key, "body": step.body, **drops}


def _steps_in(path: str, document: Any) -> list[Step]:  # noqa: ANN401 - whatever the file holds
    try:
        return [_read(step) for step in document["steps"]]
    except (KeyError, TypeError) as error:
        raise UnreadableError(f"{path} is no operation that can be finished; look at it, then remove it.") from error


def _read(step: dict[str, Any]) -> Step:
    if step["kind"] not in CATALOG:
        raise KeyError(step["kind"])
    return Step(step["path"], step["kind"], step["key"], step["body"], step.get("drops", False))

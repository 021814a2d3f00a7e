"""Operations over several files: written down first, done second, finished by whoever comes next.

An intent is a redo record: every record's new body, or that it goes. It is durable before the first file is touched
and removed after the last. Its writer holds the gate exclusively from before the intent until it is removed, so an
intent met by anybody who holds the gate belongs to a process that died or could not go on, and nothing was written in
between: redoing it is putting the same bodies again. While one cannot be finished (a file in its way cannot be read,
say), its files take no other changes, and what its bodies refer to is not removed; all others go on.

An intent may also be a great removal (`retiring`), which is decided but carried out without the gate. Whoever meets one
adopts it: from then on this process knows what is gone.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import BusyError, CalotypeError, FullError, NotFoundError, UnreadableError
from ..files import quarantine
from ..schemas.catalog import CATALOG
from .contract import Change, Record
from .removals import FOLDER, Removal, removal_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..files.cache import Document
    from ..files.engine import FileEngine
    from ..ids import Ids
    from .evaluate import Effect

_log = logging.getLogger("calotype.documents")


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
        adopt: makes a great removal known, again if need be.
    """

    def __init__(
        self,
        engine: FileEngine,
        ids: Ids,
        redo: Callable[[str, Sequence[Step]], None],
        adopt: Callable[[str, Removal], None],
    ) -> None:
        self._engine = engine
        self._ids = ids
        self._redo = redo
        self._adopt = adopt
        self._stuck: dict[str, Sequence[Step]] = {}
        self._adopted: set[str] = set()

    def run(self, steps: Sequence[Step]) -> None:
        """Do all steps, or, should this process die, leave them to be finished; the gate is held exclusively.

        A refusal before anything was done is raised, and nothing happens later. Once the first file is written the
        operation is decided: it counts as done, and what is left of it is finished by the next who holds the gate.

        Raises:
            BusyError, FullError: nothing was done.
            UnreadableError: the disk refused at the first file; whether the operation happens, all of it or nothing,
                shows when the disk can be used again.
        """
        if not steps:
            return
        path = f"{FOLDER}/{self._ids.new()}.json"
        self._write(path, steps)
        first, *rest = _grouped(steps)
        try:
            self._redo(*first)
        except (BusyError, FullError):  # refused before the file was touched; after other errors nobody knows
            self._engine.remove(path)
            raise
        try:
            self._do(path, rest)
        except CalotypeError as error:
            _log.warning("%s is left to be finished: %s", path, error.message)

    def check(self, path: str) -> None:
        """Return when a file may be changed.

        Raises:
            BusyError: an operation that could not be finished yet is about to change it.
        """
        for intent, steps in self._stuck.items():
            if any(step.path == path for step in steps):
                raise BusyError(
                    f"{path} waits for {intent}, which could not be finished yet; the log says why.", path=path
                )

    def check_removal(self, kind: str, key: str) -> None:
        """Return when a record may be removed.

        Raises:
            BusyError: a body that is still to be written may refer to it, and would then refer to nothing.
        """
        name = key.rpartition("/")[2]
        for intent, steps in self._stuck.items():
            if any(name in json.dumps(step.body) for step in steps):
                raise BusyError(
                    f"The {kind} {key} may be referred to in {intent}, which could not be finished yet; the log says"
                    " why.",
                    path=intent,
                )

    def waiting(self) -> list[str]:
        """Return the paths of the operations that are not finished."""
        return [f"{FOLDER}/{name}" for name in sorted(self._engine.list(FOLDER)) if name.endswith(".json")]

    def hindered(self) -> list[str]:
        """Return those of them that could not be done; a great removal under way is only not complete."""
        return [path for path in self.waiting() if path not in self._adopted]

    def unfinished(self) -> bool:
        """Tell whether there is an operation that was not tried yet."""
        return not (self._stuck.keys() | self._adopted) >= set(self.waiting())

    def removals(self) -> list[str]:
        """Return the great removals under way that this process knows of."""
        return [path for path in self.waiting() if path in self._adopted]

    def decided(self, path: str) -> None:
        """Note a great removal that this process decided itself."""
        self._adopted.add(path)

    def finish(self) -> None:
        """Finish what others left, and adopt great removals; the gate is held exclusively.

        One that cannot be finished hinders no other.
        """
        for path in self.waiting():
            try:
                self._finish(path)
            except CalotypeError as error:
                _log.warning("%s cannot be finished: %s", path, error.message)

    def retry(self) -> None:
        """Let operations that could not be finished be tried again by the next who holds the gate."""
        self._stuck.clear()

    def _finish(self, path: str) -> None:
        try:
            document = _sound(self._engine.read_document(path))
            removal = removal_in(document)
            steps = _steps_in(document) if removal is None else []
        except NotFoundError:
            return  # a great removal that another process has just carried out
        except UnreadableError as error:
            # It was written whole, so this is damage; what it wanted is lost, and nothing else may wait for it.
            quarantine.move(self._engine, path, error.message)
            _log.warning("%s is damaged and was set aside in quarantine/: %s", path, error.message)
            return
        self._stuck[path] = steps
        if removal is not None:
            self._adopt(path, removal)
            self._adopted.add(path)
            self._stuck.pop(path)
            return
        self._do(path, _grouped(steps))
        self._stuck.pop(path, None)

    def _do(self, path: str, groups: Sequence[tuple[str, list[Step]]]) -> None:
        for done, (file, members) in enumerate(groups):
            try:
                self._redo(file, members)
            except CalotypeError:
                self._leave(path, [step for _, rest in groups[done:] for step in rest])
                raise
        self._engine.remove(path)

    def _leave(self, path: str, rest: Sequence[Step]) -> None:
        """Write down what is left, so that the files that are done may be changed again."""
        with suppress(CalotypeError):  # then all of it is done again, and all its files wait
            self._write(path, rest)
            self._stuck[path] = rest

    def _write(self, path: str, steps: Sequence[Step]) -> None:
        self._engine.write_document(path, {"version": 1, "steps": [_written(step) for step in steps]}, stamp=True)


def _sound(document: Document) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return what an intent says; nobody edits one, so a check value that does not fit is damage.

    Raises:
        UnreadableError: it does not fit.
    """
    if document.check == "altered":
        raise UnreadableError("Its check value does not fit.")
    return document.value


def _grouped(steps: Sequence[Step]) -> list[tuple[str, list[Step]]]:
    grouped: dict[str, list[Step]] = {}
    for step in steps:
        grouped.setdefault(step.path, []).append(step)
    return list(grouped.items())


def _written(step: Step) -> dict[str, object]:
    drops = {"drops": True} if step.drops else {}
    return {"path": step.path, "kind": step.kind, "key": step.key, "body": step.body, **drops}


def _steps_in(document: Any) -> list[Step]:  # noqa: ANN401 - whatever the file holds
    try:
        return [_read(step) for step in document["steps"]]
    except (KeyError, TypeError) as error:
        raise UnreadableError("It names no steps of an operation.") from error


def _read(step: dict[str, Any]) -> Step:
    if step["kind"] not in CATALOG:
        raise KeyError(step["kind"])
    return Step(step["path"], step["kind"], step["key"], step["body"], step.get("drops", False))

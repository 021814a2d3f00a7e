"""Where a change goes, and making it: one durable write for one file, an intent for several."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from ..files.kept import Kept
from ..schemas.catalog import CATALOG
from .evaluate import Effect, View, evaluate, evaluate_each
from .intents import Intents, Step, steps_of
from .logs import Log
from .places import checked_id, fixed_path, is_journal
from .reading import Fetch, key_at, load_current, path_of
from .retiring import Retiring

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..clock import Clock
    from ..errors import CalotypeError
    from ..ids import Ids
    from ..schemas.homes import InMember
    from .contract import Change
    from .projection import Projection

T = TypeVar("T")

_KEPT_LOGS = 64
"""Each keeps its file open, and a store has a log for every chat."""


class Writing:
    """Makes changes in the files of one folder; the gate is held by the caller, exclusively for several changes.

    Args:
        projection: the index and the file engine.
        clock: sets tombstones' times.
        ids: names unfinished operations.
        fetch: reads a line of a log.

    Attributes:
        intents: the operations over several files.
        retiring: the great removals.
    """

    def __init__(self, projection: Projection, clock: Clock, ids: Ids, fetch: Fetch) -> None:
        self._projection = projection
        self._clock = clock
        self._fetch = fetch
        self._logs: Kept[Log] = Kept(self._new_log, _KEPT_LOGS)
        self.retiring = Retiring(projection, self, ids)
        self.intents = Intents(projection.engine, ids, self._redo, self.retiring.adopt)

    def apply(self, changes: Sequence[Change]) -> list[Effect]:
        """Make all changes, or none; see the contract."""
        return self._projection.answer(lambda: self._with_room(changes, self._apply))

    def each(self, changes: Sequence[Change]) -> list[Effect | CalotypeError]:
        """Make every change that can be made; see the contract."""
        return self._projection.answer(lambda: self._with_room(changes, self._each))

    def _with_room(self, changes: Sequence[Change], write: Callable[[Sequence[Change]], T]) -> T:
        """Write; a removal may have the ballast's room, anything else leaves what room there is to removals."""
        if any(change.removes or change.bare for change in changes):
            return self._projection.ballast.spared(lambda: write(changes))
        self._projection.ballast.check()
        return write(changes)

    def _apply(self, changes: Sequence[Change]) -> list[Effect]:
        paths = self._checked(changes)
        for path in dict.fromkeys(paths):
            self._projection.follow(path)
        one_write = len(set(paths)) == 1 and (len(changes) == 1 or not is_journal(paths[0]))
        if one_write:
            return self._write(paths[0], changes)
        for path in dict.fromkeys(paths):
            self._projection.check_readable(path)
        view = self.view()
        effects = [evaluate(change, view) for change in changes]
        self.intents.run(steps_of(paths, effects))
        return effects

    def _each(self, changes: Sequence[Change]) -> list[Effect | CalotypeError]:
        paths = self._checked(changes)
        made: dict[int, Effect | CalotypeError] = {}
        for path in dict.fromkeys(paths):
            self._projection.follow(path)
            places = [place for place, other in enumerate(paths) if other == path]
            made.update(zip(places, self._write_each(path, [changes[place] for place in places]), strict=True))
        return [made[place] for place in range(len(changes))]

    def _checked(self, changes: Sequence[Change]) -> list[str]:
        """Return the files of changes that no unfinished operation hinders."""
        paths = [self._path_of(change, changes) for change in changes]
        for path in dict.fromkeys(paths):
            self.intents.check(path)
        for change in changes:
            if change.removes:
                self.intents.check_removal(change.kind, change.key)
        return paths

    def _redo(self, path: str, steps: Sequence[Step]) -> None:
        self._projection.answer(lambda: self._write(path, [step.change() for step in steps]))

    def _write(self, path: str, changes: Sequence[Change]) -> list[Effect]:
        if any(change.drops for change in changes):
            self._logs.get(path).drop()
            return [evaluate(change, self.view()) for change in changes if change.drops]
        if is_journal(path):
            return self._logs.get(path).apply(changes)
        view = self.view()
        return self._projection.write_whole(path, lambda: [evaluate(change, view) for change in changes])

    def _write_each(self, path: str, changes: Sequence[Change]) -> Sequence[Effect | CalotypeError]:
        if is_journal(path):
            return self._logs.get(path).each(changes)
        return self._projection.write_whole(path, lambda: evaluate_each(changes, self.view()))

    def _new_log(self, path: str) -> Log:
        return Log(path, self._projection, self._clock, self._fetch)

    def view(self) -> View:
        """Return the state as the index has it, for judging changes against."""
        return View(
            self._projection.reading, lambda db, kind, key, bare: load_current(db, kind, key, self._fetch, bare=bare)
        )

    def _path_of(self, change: Change, changes: Sequence[Change]) -> str:
        kind = CATALOG[change.kind]
        path = fixed_path(kind, change.key)
        if path is not None:
            return path
        home = cast("InMember", kind.home)
        self._projection.refresh(kind, change.key)
        with self._projection.database.reading() as db:
            known = path_of(db, kind, change.key)
            first = key_at(db, CATALOG["user"], home.path)
        if known is not None:
            return known
        user = change.key if kind.name == "user" else str((change.edit(None) or {}).get("userId"))
        others = [other.key for other in changes if other.kind == "user" and other.key != user]
        return home.path if first in (None, user) and not others else home.path_of(checked_id(kind, user))

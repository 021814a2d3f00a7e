"""What the library needs to let payloads go and to have them back: the trash, the backup lease, and certainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.errors import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from metadata.documents.usage import Usage
    from metadata.index.state import Problem

    from .digest import Digest
    from .trash import Trash


class Disposal:
    """The ways out of the store and back.

    Args:
        usage: which payloads are used.
        trash: where the unused go first.
        lease: holds the backup lease exclusively; it is taken before the gate.

    The arguments are public attributes.
    """

    def __init__(self, usage: Usage, trash: Trash, lease: Callable[[], AbstractContextManager[object]]) -> None:
        self.usage = usage
        self.trash = trash
        self.lease = lease

    def check(self) -> None:
        """Return when everything that may name or mention a payload can be read.

        Raises:
            UnreadableError: something cannot, so nobody knows what is unused; `path` names it.
        """
        for problem in self.usage.catch_up():
            raise uncertain(problem)

    def keeps(self, digest: Digest) -> bool:
        """Tell whether a payload must stay for what is not served, and settle what says that nothing else needs it.

        Raises:
            UnreadableError: a log cannot be synced.
        """
        self.usage.settle()
        return digest in self.usage.shadowed()


def uncertain(problem: Problem) -> UnreadableError:
    """Return the refusal to remove anything because of a file that may name any payload."""
    reason = problem.reason.rstrip(".")
    return UnreadableError(
        f"{problem.path} may name any payload, and it is {problem.problem}: {reason}. Nothing is removed until that is"
        f" settled: {_way_out(problem)}.",
        path=problem.path,
        problem=problem.problem,
    )


def _way_out(problem: Problem) -> str:
    if problem.problem == "miscounted":
        return "run `calotype reindex`"
    if problem.problem == "altered":
        return "if the line is as it should be, run `calotype verify --accept`; else put it right or back from a backup"
    if problem.problem == "lost":
        return "put the file back from a backup, or run `calotype repair`, which makes a record for each payload"
    if problem.problem == "unfinished":
        return "see what the log says of it; any process finishes it once its files can be read and written"
    return "put the file right or back from a backup, or run `calotype repair`, which sets aside what is damaged"

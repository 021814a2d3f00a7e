"""What is wrong with the files of records, and where the index does not say what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..documents.mending import reformatted
from ..errors import NotFoundError, UnreadableError
from ..findings import Finding, Repair
from ..schemas.catalog import CATALOG
from ..schemas.homes import InArray, OwnFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..documents.comparing import Compared
    from ..files.engine import FileEngine
    from ..index.state import Problem

_EDITED = "Its check value does not fit what it says: it was edited by hand, or damaged."


def of_problems(problems: Sequence[Problem]) -> Iterator[Finding]:
    """Yield what the projection of the files noted."""
    told: set[tuple[str, str]] = set()
    for problem in problems:
        finding = _line(problem) if problem.path.endswith(".jsonl") else _document(problem)
        # A document of several kinds of records is damaged once.
        if (finding.kind, finding.about) not in told:
            told.add((finding.kind, finding.about))
            yield finding


def of_texts(engine: FileEngine, paths: Sequence[str], problems: Sequence[Problem]) -> Iterator[Finding]:
    """Yield the documents that mean what they meant and yet are not, byte for byte, as they were written."""
    known = {problem.path for problem in problems}
    for path in paths:
        if path.endswith(".json") and path not in known:
            try:
                changed = reformatted(engine.read_bytes(path))
            except NotFoundError:
                continue  # deleted meanwhile
            except UnreadableError as error:
                yield Finding("document-damaged", path, error.message)
                continue
            if changed:
                yield Finding("document-altered", path, "Its text was changed, though it means the same.")


def of_differences(compared: Compared) -> Iterator[Finding]:
    """Yield the rows of the index that are not as the files say."""
    for found in compared.differences:
        yield Finding("index-differs", f"{found.table} {found.key}", f"{found.what}.", Repair.REINDEX)


def _line(problem: Problem) -> Finding:
    place = f"{problem.path}:{problem.place}"
    who = f"{problem.kind} {problem.key}: " if problem.key else ""
    details: dict[str, object] = {"path": problem.path, "offset": problem.place}
    if problem.place < 0:
        return Finding("document-damaged", problem.path, problem.reason, details={"path": problem.path})
    if problem.problem == "altered":
        return Finding("line-altered", place, who + _EDITED, details=details)
    if problem.problem == "duplicate":
        return Finding("line-duplicate", place, f"{who}{problem.reason}.", details=details)
    return Finding("line-damaged", place, who + problem.reason, Repair.CUT_OUT, details)


def _document(problem: Problem) -> Finding:
    details: dict[str, object] = {"path": problem.path}
    if problem.problem == "altered":
        return Finding("document-altered", problem.path, _EDITED, details=details)
    who = f"{problem.path} {problem.kind} {problem.key}".rstrip()
    if problem.problem == "duplicate":
        return Finding("record-duplicate", who, f"{problem.reason}.", details=details)
    home = CATALOG[problem.kind].home if problem.kind else None
    if problem.place > 0 and not isinstance(home, OwnFile):
        repair = Repair.CUT_OUT if isinstance(home, InArray) else Repair.NONE
        return Finding("record-damaged", who, problem.reason, repair, details)
    repair = Repair.SET_ASIDE if isinstance(home, OwnFile) else Repair.CUT_OUT
    return Finding("document-damaged", problem.path, problem.reason, repair, details)
